"""The Hugging Face Trainer and pipeline, as their documentation shows them."""

from __future__ import annotations

import tempfile
from typing import Any

import protocol
import torch
from datasets import Dataset
from transformers import (
    AutoModelForSequenceClassification,
    AutoTokenizer,
    DataCollatorWithPadding,
    Trainer,
    TrainerCallback,
    TrainingArguments,
    pipeline,
    set_seed,
)


class StepTimes(TrainerCallback):
    """Tells the clock when a step has ended."""

    def __init__(self, clock: protocol.Clock) -> None:
        self.clock = clock

    def on_step_end(self, *arguments: Any, **keyword_arguments: Any) -> None:
        """Is called by the Trainer after each optimizer step."""
        if torch.cuda.is_available():
            torch.cuda.synchronize()
        self.clock.step_ended()


def train(job: protocol.Job, model: Any, tokenizer: Any, directory: str) -> protocol.Clock:
    """Trains on the job's rows; nothing is saved or evaluated on the way."""
    rows = job.train_rows()
    clock = protocol.Clock()
    dataset = Dataset.from_list(rows).map(
        lambda batch: tokenizer(batch["text"], truncation=True, max_length=job.max_length),
        batched=True,
    )
    trainer = Trainer(
        model=model,
        args=TrainingArguments(
            output_dir=directory,
            num_train_epochs=job.epochs,
            per_device_train_batch_size=job.batch_size,
            learning_rate=job.learning_rate,
            seed=job.seed,
            save_strategy="no",
            report_to="none",
            # Without this, the Trainer takes bf16 for a wish for a GPU, and refuses.
            use_cpu=not torch.cuda.is_available(),
            disable_tqdm=True,
            **job.options,
        ),
        train_dataset=dataset,
        data_collator=DataCollatorWithPadding(tokenizer),
        processing_class=tokenizer,
        callbacks=[StepTimes(clock)],
    )
    clock.fit_called()
    trainer.train()
    return clock


def main() -> None:
    """Trains, classifies, and hands the figures back."""
    job = protocol.Job.from_command_line()
    # The classifier is fresh, too.
    set_seed(job.seed)
    tokenizer = AutoTokenizer.from_pretrained(job.model)
    model = AutoModelForSequenceClassification.from_pretrained(
        job.model,
        id2label=dict(enumerate(job.labels)),
        label2id={label: index for index, label in enumerate(job.labels)},
    )
    with tempfile.TemporaryDirectory() as directory:
        clock = train(job, model, tokenizer, directory)
    training_memory = protocol.peak_memory_mib()
    classifier = pipeline(
        "text-classification",
        model=model.eval(),
        tokenizer=tokenizer,
        batch_size=job.inference_batch_size,
    )

    def classify(texts: list[str]) -> list[int]:
        answers = classifier(texts, truncation=True, max_length=job.max_length)
        return [job.labels.index(answer["label"]) for answer in answers]

    examples = job.epochs * len(job.train_rows())
    protocol.hand_back(
        {
            **clock.figures(examples=examples, batch_size=job.batch_size),
            **protocol.time_inference(
                classify, job.test_rows(), batch_size=job.inference_batch_size
            ),
            "training_peak_memory_mib": training_memory,
            "peak_memory_mib": protocol.peak_memory_mib(),
        },
        packages=["torch", "transformers", "accelerate", "datasets", "tokenizers"],
        notes={
            "threads": torch.get_num_threads(),
            "device": str(model.device),
            "dtype": str(model.dtype),
            "optimizer": "adamw_torch_fused, linear decay, no warm-up, no weight decay, clip 1",
        },
    )


if __name__ == "__main__":
    main()

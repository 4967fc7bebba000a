"""TRL's SFTTrainer with packing, as its documentation shows it."""

from __future__ import annotations

import tempfile
from typing import Any

import protocol
from datasets import Dataset
from trainer_run import StepTimes, common_arguments, notes
from transformers import AutoModelForCausalLM, AutoTokenizer, set_seed
from trl import SFTConfig, SFTTrainer


def as_dataset(rows: list[dict[str, Any]]) -> Dataset:
    """Takes rows to a dataset under TRL's names; only completions are learnt."""
    return Dataset.from_list(
        [{"prompt": row["prompt"], "completion": row["response"]} for row in rows]
    )


def measure(job: protocol.Job, model: Any, tokenizer: Any, directory: str) -> dict[str, float]:
    """Trains on the job's rows, and judges the trained model by the test rows."""
    train, test = as_dataset(job.train_rows()), as_dataset(job.test_rows())
    clock = protocol.Clock()
    trainer = SFTTrainer(
        model=model,
        args=SFTConfig(
            **common_arguments(job, directory),
            packing=True,
            max_length=job.max_length,
            # All in one batch: the mean over batches would not be that over tokens.
            per_device_eval_batch_size=len(test),
        ),
        train_dataset=train,
        eval_dataset=test,
        processing_class=tokenizer,
        callbacks=[StepTimes(clock)],
    )
    clock.fit_called()
    trainer.train()
    return protocol.writing_figures(
        clock,
        tokens=job.epochs * sum(map(len, trainer.train_dataset["input_ids"])),
        loss=lambda: trainer.evaluate()["eval_loss"],
    )


def main() -> None:
    """Does the job, and hands the figures back."""
    job = protocol.Job.from_command_line()
    set_seed(job.seed)
    tokenizer = AutoTokenizer.from_pretrained(job.model)
    model = AutoModelForCausalLM.from_pretrained(job.model)
    with tempfile.TemporaryDirectory() as directory:
        figures = measure(job, model, tokenizer, directory)
    protocol.hand_back(
        figures,
        packages=["trl", "torch", "transformers", "accelerate", "datasets", "tokenizers"],
        notes=notes(job, model),
    )


if __name__ == "__main__":
    main()

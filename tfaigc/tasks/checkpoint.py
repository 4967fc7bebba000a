"""A task's checkpoint in Hugging Face layout: opening it, loading from it, writing it."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tfaigc.checkpoints import WeightFile, open_weights, write_weights
from tfaigc.errors import CheckpointError
from tfaigc.families import Backbone, Family, Head, family_of, held_heads, read_config_file
from tfaigc.families.held_heads import labels_of, settle_tie
from tfaigc.families.keras_hub import KerasHubBackbone, is_keras_hub
from tfaigc.families.weights import load_weights, variables_of
from tfaigc.layers import VocabularySettings
from tfaigc.tasks.presets import (
    SETTINGS_FILE,
    announce_fresh_head,
    load_head,
    open_preset,
    save_preset,
)
from tfaigc.version import __version__

if TYPE_CHECKING:
    from tfaigc.tasks.headed_model import HeadedModel

_log = logging.getLogger("tfaigc")


@dataclass(frozen=True)
class Checkpoint:
    """An opened checkpoint.

    Args:
        directory: Where its files are.
        stated: Its ``config.json``, parsed.
        settings: Its ``tfaigc.json``, parsed; empty where it has none.
        task: The task's name.
        family: Its architecture.
        head: The task's head in this architecture.
        weights: Its tensors.
    """

    directory: Path
    stated: Mapping[str, Any]
    settings: Mapping[str, Any]
    task: str
    family: Family
    head: Head
    weights: WeightFile

    @classmethod
    @contextmanager
    def open(cls, directory: Path, *, task: str) -> Iterator[Checkpoint]:
        """Opens a directory for a task.

        Args:
            directory: A checkpoint in Hugging Face layout.
            task: The task's name.

        Yields:
            The checkpoint; its weight files are closed afterwards.

        Raises:
            CheckpointError: A file is missing or broken.
            ConfigError: The architecture is not known or has no head for the task.
        """
        stated = read_config_file(directory)
        settings = _read_settings(directory)
        if is_keras_hub(stated):
            # It answers the same calls.
            preset: Any = open_preset(directory, stated=stated, settings=settings, task=task)
            yield preset
            return
        family = family_of(stated)
        head = family.head(task)
        with open_weights(directory) as weights:
            yield cls(directory, stated, settings, task, family, head, weights)

    def setting(self, name: str) -> Any:
        """Returns a value of ``tfaigc.json``, or None."""
        return self.settings.get(name)

    def backbone(self, *, seed: int, dtype: str | None, pooler: bool = False) -> Backbone:
        """Makes the backbone, whose weights are still fresh; the head or ``pooler`` ask for one."""
        pooler = pooler or self.head.needs_pooler
        return Backbone(self.stated, pooler=pooler, seed=seed, dtype=dtype)

    def has_head(self) -> bool:
        """Tells whether the checkpoint has the task's head."""
        return self.task in held_heads(self.family, self.stated, self.weights.names())

    def vocabulary(self) -> VocabularySettings | None:
        """Returns how a language model's head scores the vocabulary."""
        if not self.has_head():
            return None
        return settle_tie(self.head, self.family, self.stated, self.weights)

    def labels(self) -> tuple[str, ...] | None:
        """Returns the labels of the task's head, or None where the checkpoint has no such head.

        Raises:
            ConfigError: ``id2label`` does not name the head's classes.
        """
        if not self.has_head():
            return None
        return labels_of(self.head, self.family, self.stated, self.weights)


def load_task_weights(model: HeadedModel, checkpoint: Checkpoint, *, fresh_head: str = "") -> None:
    """Assigns a checkpoint's tensors to a model, and logs what stays fresh or unread.

    Args:
        model: The model.
        checkpoint: The opened checkpoint.
        fresh_head: Why the head keeps its fresh weights; empty where it is loaded.

    Raises:
        CheckpointError: A tensor is missing, has another shape, or belongs to nothing known.
    """
    if isinstance(model.backbone, KerasHubBackbone):
        load_head(model, checkpoint, fresh_head=fresh_head)
        return
    tensors = model.network.tensors()
    if fresh_head:
        head = set(variables_of(model.network.head))
        tensors = {path: pair for path, pair in tensors.items() if path not in head}
        if head:
            announce_fresh_head(model, fresh_head)
    loaded = load_weights(
        checkpoint.weights,
        tensors,
        family=checkpoint.family,
        may_be_fresh=tuple(model.network.may_be_fresh),
    )
    for part, title in model.network.may_be_fresh.items():
        if any(path.startswith(part) for path in loaded.fresh):
            _log.info("Made a fresh %s: the checkpoint has none.", title)
    if loaded.unread:
        _log.info("Left out of the checkpoint: %s.", ", ".join(loaded.unread))


def save_task(model: HeadedModel, directory: Path) -> None:
    """Writes a model so that this package and ``transformers`` load it again.

    Args:
        model: The model.
        directory: Where to; made if need be.
    """
    if isinstance(model.backbone, KerasHubBackbone):
        save_preset(model, directory)
        return
    directory.mkdir(parents=True, exist_ok=True)
    write_weights(directory, model.network.stored_arrays())
    model.tokenizer.save_pretrained(directory)
    stated = model.network.hugging_face_config() | model.config_entries()
    settings = {"format": 1, "tfaigc_version": __version__, "task": model.task, **model.settings()}
    for name, content in (("config.json", stated), (SETTINGS_FILE, settings)):
        text = json.dumps(content, indent=2, ensure_ascii=False)
        (directory / name).write_text(text + "\n", encoding="utf-8")


def _read_settings(directory: Path) -> dict[str, Any]:
    path = directory / SETTINGS_FILE
    if not path.exists():
        return {}
    try:
        settings = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise CheckpointError(f"{path} cannot be read as JSON: {error}. Save it again.") from error
    if not isinstance(settings, dict):
        raise CheckpointError(f"{path} must hold a JSON object. Save the model again.")
    return settings

"""A task's model on a network of KerasHub: in KerasHub's layout, with the head beside it."""

from __future__ import annotations

import json
import logging
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from tfaigc.checkpoints import open_weights, write_weights
from tfaigc.checkpoints.names import StoredTensor
from tfaigc.errors import ConfigError
from tfaigc.families.deferred import fill, immediate_variables
from tfaigc.families.keras_hub import KerasHubBackbone
from tfaigc.families.weights import plan_weights, stored_arrays, variables_of
from tfaigc.version import __version__

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tfaigc.tasks.headed_model import HeadedModel

# Where a preset keeps the head that was trained on it.
HEAD_DIRECTORY = "head"
SETTINGS_FILE = "tfaigc.json"

_log = logging.getLogger("tfaigc")


@dataclass(frozen=True)
class Preset:
    """An opened preset, with what tasks ask of an opened checkpoint.

    Args:
        directory: Where its files are.
        stated: Its ``config.json``, parsed, and the kind of problem that a head was trained for.
        settings: Its ``tfaigc.json``, parsed; empty where it has none.
        task: The task's name.
    """

    directory: Path
    stated: Mapping[str, Any]
    settings: Mapping[str, Any]
    task: str

    def setting(self, name: str) -> Any:
        """Returns a value of ``tfaigc.json``, or None."""
        return self.settings.get(name)

    def backbone(self, *, seed: int, dtype: str | None, pooler: bool = False) -> KerasHubBackbone:
        """Loads the network.

        Raises:
            ConfigError: The task does not fit it.
        """
        # KerasHub gives variables their values itself, at once.
        with immediate_variables():
            backbone = KerasHubBackbone.from_directory(self.directory, seed=seed, dtype=dtype)
        if self.task not in backbone.family.heads:
            raise ConfigError(
                f"A {backbone.family.architecture} can be used for "
                f"{', '.join(backbone.family.heads) or 'its outputs alone'}. Received: {self.task}."
                " Take another preset."
            )
        return backbone

    def has_head(self) -> bool:
        """Tells whether the preset has the task's head."""
        return (self.directory / HEAD_DIRECTORY).is_dir() and self.setting("task") == self.task

    def labels(self) -> tuple[str, ...] | None:
        """Returns the labels of the head, or None where the preset has none for the task."""
        return tuple(self.settings["labels"]) if self.has_head() else None


def open_preset(
    directory: Path, *, stated: Mapping[str, Any], settings: Mapping[str, Any], task: str
) -> Preset:
    """Opens a preset for a task; see ``Preset``."""
    kind = {"problem_type": settings.get("problem_type")}
    return Preset(directory, {**stated, **kind}, settings, task)


def announce_fresh_head(model: HeadedModel, reason: str) -> None:
    """Says in the log that a head is not the checkpoint's, and why."""
    names = ", ".join(getattr(model, "labels", ()))
    what = f"{model.head_title} for {names}" if names else model.head_title
    _log.info("Made a fresh %s: %s.", what, reason)


def load_head(model: HeadedModel, preset: Any, *, fresh_head: str) -> None:
    """Loads the head that lies beside a network; the network has its weights already.

    Args:
        model: The model.
        preset: The opened preset.
        fresh_head: Why the head keeps its fresh weights; empty where it is loaded.

    Raises:
        CheckpointError: A tensor is missing or has another shape.
    """
    if fresh_head:
        announce_fresh_head(model, fresh_head)
        return
    tensors = _tensors(model)
    with open_weights(preset.directory / HEAD_DIRECTORY) as weights:
        plan = plan_weights(weights, tensors, family=model.backbone.family)
        for path, name in plan.stored.items():
            # Read at once: variables may be made when the file has been closed.
            array = weights.read(name, dtype="float32")
            fill(tensors[path][0], partial(np.asarray, array))


def save_preset(model: HeadedModel, directory: Path) -> None:
    """Writes a model so that this package loads it again, and KerasHub its network.

    Args:
        model: The model.
        directory: Where to; made if need be.
    """
    directory.mkdir(parents=True, exist_ok=True)
    backbone = model.backbone
    assert isinstance(backbone, KerasHubBackbone)
    backbone.network.save_to_preset(str(directory))
    model.tokenizer.save_pretrained(directory)
    write_weights(directory / HEAD_DIRECTORY, stored_arrays(_tensors(model)))
    settings = {"format": 1, "tfaigc_version": __version__, "task": model.task}
    settings |= {**model.settings(), **model.config_entries()}
    text = json.dumps(settings, indent=2, ensure_ascii=False)
    (directory / SETTINGS_FILE).write_text(text + "\n", encoding="utf-8")


def _tensors(model: HeadedModel) -> dict[str, tuple[Any, StoredTensor]]:
    """Pairs each of the head's variables with a tensor of the same name and layout."""
    return {
        path: (variable, StoredTensor(path, transposed=False))
        for path, variable in variables_of(model.network.head).items()
    }

"""Which heads a checkpoint holds, and what their labels are."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from tfaigc.checkpoints import WeightFile
from tfaigc.checkpoints.names import modern_name
from tfaigc.errors import CheckpointError, ConfigError
from tfaigc.families.family import Family, Head
from tfaigc.layers import VocabularySettings

# The layers that give a head's logits.
_LAST_LAYERS = ("classifier", "output", "tied_output")


def held_heads(family: Family, stated: Mapping[str, Any], names: Iterable[str]) -> list[str]:
    """Lists the tasks whose heads a checkpoint holds.

    Heads of several tasks may have the same tensors' names: then the class that ``config.json``
    states decides. Where it states none, all of them count as held.

    Args:
        family: The checkpoint's architecture.
        stated: Its ``config.json``, parsed.
        names: Its tensors' names.

    Returns:
        Names of tasks, in the family's order.
    """
    bare = {bare_name(name, family) for name in names}
    classes = [str(name).removeprefix("TF") for name in stated.get("architectures") or ()]
    tensors = {task: _last_tensors(head) for task, head in family.heads.items()}
    held = []
    for task, head in family.heads.items():
        shared = any(tensors[task] & tensors[other] for other in family.heads if other != task)
        if head.architecture in classes:
            # A tied output may have no tensor of its own.
            is_held = bool(tensors[task] & bare) or head.read_vocabulary is not None
        else:
            is_held = bool(tensors[task] & bare) and not (classes and shared)
        if is_held:
            held.append(task)
    return held


def check_held(task: str, family: Family, stated: Mapping[str, Any], names: Iterable[str]) -> None:
    """Refuses a checkpoint without a task's head.

    Raises:
        CheckpointError: The head is not there; the message lists the heads that are.
        ConfigError: The family has no such head.
    """
    family.head(task)
    held = held_heads(family, stated, names)
    if task not in held:
        found = ", ".join(held) or "none that is known"
        move = f"Ask for head={held[0]!r}, or take" if held else "Take"
        raise CheckpointError(
            f"The checkpoint must have a head for {task}. Its heads: {found}. "
            f"{move} another checkpoint."
        )


def bare_name(name: str, family: Family) -> str:
    """Gives a tensor its modern name, without the family's prefix."""
    return modern_name(name).removeprefix(family.prefix)


def stored_labels(stated: Mapping[str, Any], *, num_classes: int) -> tuple[str, ...]:
    """Reads the class names of ``config.json``.

    Args:
        stated: The parsed file.
        num_classes: Number of classes of the stored head.

    Returns:
        One name per class; ``LABEL_0`` and so on where the file has none, as in ``transformers``.

    Raises:
        ConfigError: ``id2label`` does not name the head's classes.
    """
    id2label = stated.get("id2label") or {str(i): f"LABEL_{i}" for i in range(num_classes)}
    names = {str(key): str(name) for key, name in id2label.items()}
    if set(names) != {str(index) for index in range(num_classes)}:
        raise ConfigError(
            f"id2label in config.json must name the classes 0 to {num_classes - 1} of the "
            f"checkpoint's classifier. Received: {id2label}. Correct config.json."
        )
    return tuple(names[str(index)] for index in range(num_classes))


def labels_of(
    head: Head, family: Family, stated: Mapping[str, Any], weights: WeightFile
) -> tuple[str, ...] | None:
    """Reads the labels of a head that a checkpoint holds.

    Args:
        head: The head.
        family: The checkpoint's architecture.
        stated: Its ``config.json``, parsed.
        weights: Its tensors.

    Returns:
        The labels; None for heads without any.

    Raises:
        ConfigError: ``id2label`` does not name the head's classes.
    """
    if not head.has_labels:
        return None
    last = _last_tensors(head)
    for name in weights.names():
        if bare_name(name, family) in last:
            return stored_labels(stated, num_classes=weights.shape(name)[0])
    return None


def settle_tie(
    head: Head, family: Family, stated: Mapping[str, Any], weights: WeightFile
) -> VocabularySettings | None:
    """Decides how a language model's head scores the vocabulary, as ``transformers`` does.

    An output that ``config.json`` calls tied is one of its own where the checkpoint stores it
    apart, with other values.

    Args:
        head: The head.
        family: The checkpoint's architecture.
        stated: Its ``config.json``, parsed.
        weights: Its tensors.

    Returns:
        The settings; None for other heads.
    """
    if head.read_vocabulary is None:
        return None
    settings = head.read_vocabulary(stated)
    names = {bare_name(name, family): name for name in weights.names()}
    for copy, original in family.copies:
        if copy in names:
            names.setdefault(original, names[copy])
    for pair in head.ties:
        if settings.tied and set(pair) <= set(names):
            one, other = (weights.read(names[name], dtype="float32") for name in pair)
            if not np.array_equal(one, other):
                settings = replace(settings, tied=False)
    return settings


def _last_tensors(head: Head) -> set[str]:
    modules = [rename.theirs for rename in head.renames if rename.ours in _LAST_LAYERS]
    return {f"{module}.{leaf}" for module in modules for leaf in ("weight", "bias")}

"""What loading a checkpoint would do: found out without reading a weight."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tfaigc.checkpoints import open_weights
from tfaigc.families.backbone import Backbone
from tfaigc.families.deferred import valueless_variables
from tfaigc.families.family import Family
from tfaigc.families.headed import HeadedBackbone
from tfaigc.families.held_heads import bare_name, held_heads, labels_of, settle_tie
from tfaigc.families.registry import family_of, read_config_file
from tfaigc.families.weights import plan_weights, variables_of
from tfaigc.models import TransformerConfig

# What a checkpoint without a head for labels is mostly fine-tuned for.
_USUAL_TASKS = ("text_classification", "image_classification")


@dataclass(frozen=True)
class Preview:
    """What a checkpoint is, and what becomes of its parts.

    Attributes:
        family: The architecture.
        config: The sizes.
        heads: Tasks whose heads it holds.
        task: The task that the rest is about: that of its head with labels, or else a usual one.
        labels: The class names of that head, in their order; None where it has none.
        fresh: The layers that the task needs and the checkpoint lacks.
        left_out: Names of the tensors that the task has no use for.
    """

    family: Family
    config: TransformerConfig
    heads: tuple[str, ...]
    task: str
    labels: tuple[str, ...] | None
    fresh: tuple[str, ...]
    left_out: tuple[str, ...]


def preview(directory: Path) -> Preview:
    """Finds out what a checkpoint is, as loading it would.

    Args:
        directory: A checkpoint in Hugging Face layout.

    Returns:
        What it is.

    Raises:
        CheckpointError: A file or a weight is missing, broken or does not fit.
        ConfigError: The architecture is not known, or ``config.json`` asks for something that
            cannot be honoured.
    """
    stated = read_config_file(directory)
    family = family_of(stated)
    with open_weights(directory) as weights:
        heads = held_heads(family, stated, weights.names())
        task = _choose_task(family, heads)
        row = family.head(task)
        is_held = task in heads
        labels = labels_of(row, family, stated, weights) if is_held else None
        with valueless_variables():
            model = HeadedBackbone(
                Backbone(stated, pooler=row.needs_pooler),
                head=task,
                labels=(labels or ("0", "1")) if row.has_labels else None,
                vocabulary=settle_tie(row, family, stated, weights),
            )
            tensors = model.tensors()
            head = set() if is_held else set(variables_of(model.head))
            plan = plan_weights(
                weights,
                {path: pair for path, pair in tensors.items() if path not in head},
                family=family,
                may_be_fresh=("pooler",),
            )
    copies = {name for pair in row.ties for name in pair} if is_held else set()
    return Preview(
        family=family,
        config=model.backbone.config,
        heads=tuple(heads),
        task=task,
        labels=labels,
        fresh=tuple(
            dict.fromkeys(path.rpartition("/")[0] for path in (*plan.fresh, *sorted(head)))
        ),
        left_out=tuple(name for name in plan.unread if bare_name(name, family) not in copies),
    )


def _choose_task(family: Family, heads: Sequence[str]) -> str:
    with_labels = [task for task in heads if family.heads[task].has_labels]
    usual = [task for task in _USUAL_TASKS if task in family.heads]
    return [*with_labels, *usual, *heads, *family.heads][0]

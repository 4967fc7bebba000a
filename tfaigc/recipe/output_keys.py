"""The keys of a recipe under the heading ``output``."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

from tfaigc.recipe import kinds
from tfaigc.recipe.key import key

TRACKERS = ("mlflow", "wandb")
WEIGHT_DTYPES = ("float32", "bfloat16-weights", "int8")

_key = partial(key, "output")


@dataclass(frozen=True, kw_only=True)
class OutputKeys:
    """What is written, and where to."""

    output_dir: str = _key(kinds.text(), "recipe, metrics, report, logs and model go here")
    export_dir: str | None = _key(
        kinds.optional(kinds.text()), "the SavedModel goes to N below it, if given", None
    )
    export_dtype: str = _key(
        kinds.choice(*WEIGHT_DTYPES),
        "how the SavedModel stores large weights; it computes in float32",
        "float32",
    )
    report_to: tuple[str, ...] = _key(
        kinds.some_of(*TRACKERS),
        "trackers beside TensorBoard and history.jsonl; needs the extra 'tracking'",
        (),
    )
    overwrite_output_dir: bool = _key(kinds.flag(), "replace an earlier run in output_dir", False)
    resume_changed: bool = _key(
        kinds.flag(),
        "go on with an interrupted run though recipe, data or code have changed",
        False,
    )

"""What a checkpoint tells of its run besides weights, and what must not change in it."""

from __future__ import annotations

import logging
import platform
from collections.abc import Mapping
from typing import Any, Final

import keras
import numpy as np

from tfaigc.errors import TrainingError
from tfaigc.training.callbacks.steps import ResumePoint
from tfaigc.version import __version__

_LOGGER = logging.getLogger(__name__)

# Python and NumPy decide no number of a run: orders are drawn from raw bits.
_DECISIVE: Final = ("tfaigc", "keras", "tensorflow")
_SIZES: Final = ("batch_size", "batch_tokens", "row_length")


def point_to_json(point: ResumePoint) -> dict[str, Any]:
    """Writes a place in a run as a checkpoint keeps it."""
    return {
        "epoch": point.epoch,
        "step_in_epoch": point.step_in_epoch,
        "global_step": point.global_step,
        "stopped": point.stopped,
    }


def point_of(state: Mapping[str, Any]) -> ResumePoint:
    """Reads the place in the run from a checkpoint's state."""
    return ResumePoint(
        epoch=state["epoch"],
        step_in_epoch=state["step_in_epoch"],
        global_step=state["global_step"],
        stopped=state["stopped"],
    )


def describe_order(batch_order: Any) -> dict[str, Any] | None:
    """Says what decides the batches of a run.

    Args:
        batch_order: The training dataset's, or `None`.

    Returns:
        What decides its batches, and a hash of the data where it has one.
    """
    if batch_order is None:
        return None
    described = {name: getattr(batch_order, name, None) for name in ("seed", "shuffle")}
    sizes = {name: getattr(batch_order, name, None) for name in _SIZES}
    described |= {name: size for name, size in sizes.items() if size is not None}
    fingerprint = getattr(batch_order, "fingerprint", None)
    return described if fingerprint is None else {**described, "fingerprint": fingerprint()}


def versions() -> dict[str, str]:
    """Lists the versions of what computes."""
    import tensorflow as tf

    return {
        "tfaigc": __version__,
        "keras": keras.__version__,
        "tensorflow": tf.__version__,
        "numpy": np.__version__,
        "python": platform.python_version(),
    }


def where_to_go_on(
    state: Mapping[str, Any],
    *,
    batch_order: Any,
    steps_per_epoch: int | None,
    accept_changes: bool,
) -> ResumePoint:
    """Looks whether a run is still the same, and finds the place where it can go on.

    Args:
        state: The checkpoint's state.
        batch_order: The training dataset's; `None` where nothing is known of it.
        steps_per_epoch: The number of its batches, where known.
        accept_changes: Whether other batches and other code are let pass with a warning.

    Returns:
        The checkpoint's place, or the beginning of its epoch where the data cannot begin there.

    Raises:
        TrainingError: Batches or code have changed.
    """
    point = point_of(state)
    data = _data_changes(state, batch_order, steps_per_epoch)
    changes = "; ".join([*_code_changes(state), *data])
    if changes and not accept_changes:
        raise TrainingError(
            "A run that goes on needs the same batches and the same code. Received others than "
            f"the checkpoint's: {changes}. Bring the former ones back, accept the changes "
            "(accept_changes=True, or resume_changed=true in a recipe), or start anew in another "
            "directory."
        )
    if changes:
        _LOGGER.warning("The run goes on with changes: %s.", changes)
    if not point.step_in_epoch or (batch_order is not None and not data):
        return point
    why = "its batches are others" if data else "this dataset cannot begin in its middle"
    _LOGGER.warning("Epoch %d begins again: %s.", point.epoch + 1, why)
    return ResumePoint(point.epoch, 0, point.global_step, point.stopped)


def _code_changes(state: Mapping[str, Any]) -> list[str]:
    """Lists the versions that differ from those of a checkpoint's run."""
    now, then = versions(), state.get("versions", {})
    names = [name for name in _DECISIVE if name in then]
    return _changes({name: then[name] for name in names}, {name: now[name] for name in names})


def _data_changes(
    state: Mapping[str, Any], batch_order: Any, steps_per_epoch: int | None
) -> list[str]:
    """Lists what differs from the batches of a checkpoint's run, as far as it is known."""
    then, now = state["batch_order"], describe_order(batch_order)
    found = [] if then is None or now is None else _changes(then, now)
    return found + _changes(
        {"steps per epoch": state["steps_per_epoch"]}, {"steps per epoch": steps_per_epoch}
    )


def _changes(then: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    """Lists what two descriptions say differently; hashes mean nothing to a reader."""
    changed = [name for name in {**then, **now} if then.get(name) != now.get(name)]
    return [
        "the examples are others"
        if name == "fingerprint"
        else f"{name} was {then.get(name)}, is {now.get(name)}"
        for name in changed
    ]

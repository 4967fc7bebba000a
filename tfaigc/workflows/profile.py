"""``tfaigc profile``: where the time of a recipe's training steps goes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

from tfaigc.recipe import Recipe
from tfaigc.workflows.files import write_text
from tfaigc.workflows.from_scratch import find_start
from tfaigc.workflows.screen import Screen
from tfaigc.workflows.splits import read_splits
from tfaigc.workflows.train import compile_as, load_model, training_batches

if TYPE_CHECKING:
    from tfaigc.training.profiling import TrainingProfile

PROFILE = "profile.json"


def profile(recipe: Recipe, *, steps: int, screen: Screen) -> TrainingProfile:
    """Trains a few steps as a recipe says, and shows what they spend their time on.

    Nothing comes into ``output_dir``: figures and TensorBoard's profile go to a directory beside
    it, ``output_dir`` with ``-profile`` behind.

    Args:
        recipe: The recipe.
        steps: How many steps to measure.
        screen: Where the figures go.

    Returns:
        The profile.

    Raises:
        TfaigcError: Something in the recipe, the data or the model cannot be used.
    """
    splits = read_splits(recipe, screen=screen)
    model = load_model(recipe, find_start(recipe), splits, screen)
    from tfaigc.training.profiling import profile_training

    batches = training_batches(model, recipe, splits.train)
    compile_as(model, recipe)
    directory = Path(f"{recipe.output_dir}-profile")
    measured = profile_training(model, batches, steps=steps, directory=directory)
    write_text(directory / PROFILE, json.dumps(measured.to_json(), indent=2) + "\n")
    _show(measured, str(model.compute_dtype), screen)
    screen.fact("written", f"{directory}: {PROFILE}, and a profile for TensorBoard")
    return measured


def _show(measured: TrainingProfile, dtype: str, screen: Screen) -> None:
    figures = measured.figures()
    parts = ", ".join(
        f"{name} {figures[f'{key}_ms']:.3g}"
        for name, key in (
            ("waiting for input", "input_wait"),
            *((name, name) for name in ("forward", "backward", "optimizer")),
        )
    )
    screen.fact("step", f"{figures['step_ms']:.3g} ms: {parts}")
    screen.fact(
        "speed",
        f"{figures['examples_per_second']:,.3g} examples/s, "
        f"{figures['tokens_per_second']:,.0f} tokens/s",
    )
    screen.fact("padding", f"{figures['padding_share']:.1%} of the batches")
    screen.fact(
        "arithmetic",
        f"{figures['model_flop_utilization']:.1%} of the {measured.peak_flops / 1e9:,.0f} GFLOP/s "
        f"that a large {dtype} product reaches here",
    )
    screen.fact("memory", f"{figures['peak_memory_mib']:,.0f} MiB at most")

"""A recipe as YAML text."""

from __future__ import annotations

from typing import Any

import yaml

from tfaigc.recipe.schema import ALTERNATIVES, Recipe, headings, keys


def recipe_text(recipe: Recipe, opening: str = "") -> str:
    """Writes every key of a recipe, under its heading and with its meaning.

    Args:
        recipe: The recipe.
        opening: A comment for the top, one line.

    Returns:
        YAML that `load_recipe` reads back to an equal recipe.
    """
    lines = [f"# {opening}", ""] if opening else []
    for heading in headings():
        lines.append(f"# {heading}")
        for key, field in keys().items():
            if field.metadata["heading"] == heading and not _is_replaced(recipe, key):
                entry = f"{key}: {_scalar(getattr(recipe, key))}"
                lines.append(f"{entry:<40}  # {field.metadata['meaning']}")
        lines.append("")
    return "\n".join(lines)


def _is_replaced(recipe: Recipe, key: str) -> bool:
    """Whether another key of the recipe stands for this one; written, the two would conflict."""
    return any(
        key == replaced and getattr(recipe, winner) is not None for winner, replaced in ALTERNATIVES
    )


def _scalar(value: Any) -> str:
    if isinstance(value, tuple):
        value = list(value)
    text: str = yaml.safe_dump(value, default_flow_style=True, width=1_000_000, allow_unicode=True)
    return text.removesuffix("\n").removesuffix("\n...")

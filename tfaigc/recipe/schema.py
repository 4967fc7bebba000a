"""All keys of a recipe: their headings, defaults, rules and meanings."""

from __future__ import annotations

from dataclasses import Field, dataclass, fields
from typing import Any

from tfaigc.recipe.data_keys import DataKeys
from tfaigc.recipe.model_keys import ModelKeys
from tfaigc.recipe.output_keys import OutputKeys
from tfaigc.recipe.training_keys import TrainingKeys


@dataclass(frozen=True, kw_only=True)
class Recipe(OutputKeys, TrainingKeys, DataKeys, ModelKeys):
    """A checked recipe; `load_recipe` and `make_recipe` build one.

    Names are Hugging Face's, but for ``batch_size``, which counts examples over all devices as
    Keras's does. Relative paths start at the current directory. The last of the bases comes first.
    """


ALTERNATIVES = (
    ("model_type", "model_name_or_path"),
    ("config_name", "model_name_or_path"),
    ("model_type", "config_name"),
    ("validation_data", "validation_fraction"),
    ("test_data", "test_fraction"),
    ("batch_tokens", "batch_size"),
)
"""Pairs of keys of which only one may be given; the first replaces the second."""


def keys() -> dict[str, Field[Any]]:
    """The keys in their order.

    Returns:
        Each key's field; its metadata hold ``heading``, ``kind`` and ``meaning``.
    """
    return {each.name: each for each in fields(Recipe)}


def headings() -> list[str]:
    """The headings in their order.

    Example:
        >>> headings()
        ['model', 'data', 'training', 'output']
    """
    return list(dict.fromkeys(each.metadata["heading"] for each in fields(Recipe)))

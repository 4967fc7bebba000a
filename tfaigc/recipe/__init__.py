"""Recipes: one flat YAML file that says what to train, on what, and how."""

from __future__ import annotations

from tfaigc.recipe.loading import load_recipe, make_recipe
from tfaigc.recipe.schema import Recipe
from tfaigc.recipe.writing import recipe_text

__all__ = ["Recipe", "load_recipe", "make_recipe", "recipe_text"]

"""Models that a recipe starts from nothing, and the tokenizers that are made for them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tfaigc.data import SENTINELS, Table
from tfaigc.errors import ConfigError
from tfaigc.recipe import Recipe
from tfaigc.recipe.values import read_value
from tfaigc.tokenizers import Tokenizer
from tfaigc.workflows.models import find_model
from tfaigc.workflows.screen import Screen

if TYPE_CHECKING:
    from tfaigc.tasks import Task

# What models read and write, in the order of reading.
_TEXTS = (
    *("text", "text_pair", "words", "question", "context", "choices", "prompt", "response"),
    "messages",
    *("source", "target", "anchor", "positive", "negative"),
)


def find_start(recipe: Recipe) -> Path | None:
    """Finds or fetches the checkpoint that a recipe starts from; None: it starts from nothing."""
    return None if recipe.model_name_or_path is None else find_model(recipe.model_name_or_path)


def name_start(recipe: Recipe) -> str:
    """Says what a recipe starts from."""
    return recipe.model_name_or_path or f"{recipe.model_type or recipe.config_name} from nothing"


def make_model(
    recipe: Recipe,
    task: type[Task],
    train: Table,
    *,
    dtype: str,
    tokenizer_directory: Path | None,
    arguments: dict[str, Any],
    screen: Screen,
) -> Task:
    """Makes a model with random weights.

    Args:
        recipe: The recipe.
        task: The model's class.
        train: The records to learn from, of which a tokenizer is made.
        dtype: Name of a Keras dtype policy.
        tokenizer_directory: Where the tokenizer of an interrupted run is, if it has one.
        arguments: What the class takes besides; None: what is usual.
        screen: Where the numbers go.

    Returns:
        The model, not compiled.
    """
    config = _config(recipe)
    given = {name: value for name, value in arguments.items() if value is not None}
    if task.task == "image_classification":
        nothing: Any = None
        return task.from_scratch(config, nothing, seed=recipe.seed, dtype=dtype, **given)
    if tokenizer_directory is not None and tokenizer_directory.is_dir():
        tokenizer = Tokenizer.from_pretrained(tokenizer_directory)
    elif recipe.tokenizer_name not in (None, "train"):
        tokenizer = Tokenizer.from_pretrained(str(recipe.tokenizer_name))
    else:
        tokenizer = _train_tokenizer(recipe, str(config.get("model_type")), train)
        screen.fact("tokenizer", f"{tokenizer.vocabulary_size:,} tokens, made of the training data")
    return task.from_scratch(config, tokenizer, seed=recipe.seed, dtype=dtype, **given)


def _config(recipe: Recipe) -> dict[str, Any]:
    """Puts together what ``config.json`` is to say."""
    from tfaigc.families import read_config_file

    config: dict[str, Any] = {"model_type": recipe.model_type}
    if recipe.config_name is not None:
        config = dict(read_config_file(find_model(recipe.config_name)))
        # The tokenizer decides.
        config.pop("vocab_size", None)
    for each in recipe.config_overrides:
        key, _, value = each.partition("=")
        config[key.strip()] = read_value(value, "").value
    return config


def _train_tokenizer(recipe: Recipe, family: str, train: Table) -> Tokenizer:
    from tfaigc.tokenizers.training import usual_kind

    return Tokenizer.train(
        _texts(train),
        kind=recipe.tokenizer_kind or usual_kind(family),
        vocabulary_size=recipe.vocabulary_size,
        family=family,
        special_tokens=SENTINELS if recipe.span_corruption else (),
    )


def _texts(table: Table) -> Iterator[str]:
    """Gives the texts of records."""
    fields = [field for field in _TEXTS if field in table.columns]
    if not fields:
        raise ConfigError(
            f"A tokenizer is made of records that have one of {', '.join(_TEXTS)}. Received: "
            f"{', '.join(table.columns)}. Name a tokenizer: tokenizer_name."
        )
    for row in table.rows:
        for field in fields:
            value = row.get(field)
            if isinstance(value, str):
                yield value
            elif isinstance(value, (list, tuple)):
                yield " ".join(
                    str(each["content"] if isinstance(each, dict) else each) for each in value
                )

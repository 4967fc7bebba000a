"""Which loss suits what records say of their texts."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any

import keras

from tfaigc.data import CLASSES, MATCHES, PAIRS, RELATIONS, SCORED, TRIPLETS, Relation
from tfaigc.errors import ConfigError
from tfaigc.training import embedding_losses as losses

# The first one is taken where nothing is said.
_SUITED: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        PAIRS.name: ("multiple_negatives_ranking",),
        TRIPLETS.name: ("multiple_negatives_ranking", "triplet"),
        SCORED.name: ("cosine_similarity",),
        MATCHES.name: ("contrastive", "cosine_similarity"),
        CLASSES.name: ("supervised_contrastive",),
    }
)

OBJECTIVES = tuple(dict.fromkeys(name for names in _SUITED.values() for name in names))
"""Names of the losses."""


class Objective(keras.losses.Loss):
    """A loss that is chosen by what records say of their texts, when these are known.

    Args:
        make: Takes a relation to the loss.
        relation: What the records say, as far as is known.
        in_parts: Whether steps are computed in parts.

    Raises:
        ConfigError: There is no such loss for the relation, or not in parts.
    """

    def __init__(
        self,
        make: Callable[[Relation], keras.losses.Loss],
        relation: Relation,
        *,
        in_parts: bool,
        name: str = "objective",
    ) -> None:
        super().__init__(name=name)
        self._make = make
        self._in_parts = in_parts
        self._relation: Relation | None = None
        self.suit(relation)

    @property
    def compares_examples(self) -> bool:
        """Whether an example's loss depends on the others of its step."""
        return bool(getattr(self._loss, "compares_examples", False))

    def suit(self, relation: Relation) -> bool:
        """Takes the loss that suits a relation; says whether it is another one.

        Raises:
            ConfigError: See the class.
        """
        if relation == self._relation:
            return False
        self._loss, self._relation = self._make(relation), relation
        if self._in_parts and self.compares_examples:
            raise ConfigError(
                f"{self._loss.name} compares the texts of a whole step, which cannot be computed "
                "in parts. Received: gradient_accumulation_steps above 1. Pass 1; "
                "gradient_checkpointing saves memory, too."
            )
        return True

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """Computes each example's loss, float32, (batch,)."""
        return self._loss.call(y_true, y_pred)


def first_suited(name: str | None) -> Relation:
    """Finds a relation that an objective suits, where none is known yet.

    Raises:
        ConfigError: There is no such objective.
    """
    for relation in RELATIONS:
        if name is None or name in _SUITED[relation.name]:
            return PAIRS if name is None else relation
    raise ConfigError(
        f"objective must be one of {', '.join(OBJECTIVES)}. Received: {name!r}. Pass one of these."
    )


def make_objective(
    name: str | None,
    relation: Relation,
    *,
    width: int,
    scale: float = 20.0,
    margin: float | None = None,
    temperature: float = 0.1,
    matryoshka_dims: Sequence[int] | None = None,
) -> keras.losses.Loss:
    """Makes a loss over vectors; see ``TextEmbedder.compile``.

    Args:
        name: One of ``OBJECTIVES``; None: what suits the records.
        relation: What the records say.
        width: How many numbers a vector has.
        scale: Of the ranking's cosines.
        margin: Of distances; None: the loss's own.
        temperature: Of the supervised contrast.
        matryoshka_dims: Widths of vectors that shall be useful alone; None: the whole one.

    Returns:
        The loss.

    Raises:
        ConfigError: An argument is out of its range, or does not suit the records.
    """
    suited = _SUITED[relation.name]
    name = suited[0] if name is None else name
    if name not in suited:
        raise ConfigError(
            f"objective must be one of {', '.join(suited)} for {relation.name} "
            f"({', '.join(relation.fields)}). Received: {name!r}. Pass one of these, or records "
            "that say something else."
        )
    margins = {"contrastive": 0.5, "triplet": 5.0}
    margin = margins.get(name, 0.0) if margin is None else margin
    for what, value, low in (
        ("scale", scale, 0.0),
        ("temperature", temperature, 0.0),
        ("margin", margin, -1.0),
    ):
        if not value > low:
            raise ConfigError(f"{what} must be above {low:g}. Received: {value}. Leave it out.")
    made: dict[str, keras.losses.Loss] = {
        "multiple_negatives_ranking": losses.MultipleNegativesRanking(scale),
        "triplet": losses.Triplet(margin),
        "cosine_similarity": losses.CosineSimilarity(),
        "contrastive": losses.Contrastive(margin),
        "supervised_contrastive": losses.SupervisedContrastive(temperature),
    }
    if matryoshka_dims is None:
        return made[name]
    if not matryoshka_dims or not all(0 < each <= width for each in matryoshka_dims):
        raise ConfigError(
            f"matryoshka_dims must be widths from 1 to {width}. Received: "
            f"{list(matryoshka_dims)}. Pass [{width}, {max(1, width // 2)}], say."
        )
    return losses.Matryoshka(made[name], matryoshka_dims)

"""Which loss suits what records say of their texts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType

import keras

from tfaigc.data import CLASSES, MATCHES, PAIRS, SCORED, TRIPLETS, Relation
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

"""Reports on vectors, by what records say of their texts."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from tfaigc.data import (
    CLASSES,
    MATCHES,
    PAIRS,
    TRIPLETS,
    Table,
    check_relation,
    texts_of_examples,
)
from tfaigc.evaluation import (
    Report,
    match_report,
    neighbour_report,
    pair_report,
    similarity_report,
)


def report_vectors(table: Table, embed: Callable[[Sequence[str]], np.ndarray]) -> Report:
    """Compares vectors with what records say of their texts.

    Args:
        table: The records.
        embed: Takes texts to float32, (texts, width); it is asked about each text once.

    Returns:
        See ``TextEmbedder.report``.

    Raises:
        DataError: A record cannot be used.
    """
    table, relation, values = check_relation(table)
    texts = texts_of_examples(table, relation)
    places: dict[str, int] = {}
    rows = [places.setdefault(text, len(places)) for text in texts]
    vectors = embed(list(places))[rows].reshape(len(table), len(relation.texts), -1)
    examples = np.array(texts, object).reshape(len(table), -1).tolist()
    if relation is CLASSES:
        return neighbour_report(values, vectors[:, 0], texts)
    if relation in (PAIRS, TRIPLETS):
        return pair_report(vectors, examples)
    make = match_report if relation is MATCHES else similarity_report
    return make(values, vectors, examples)

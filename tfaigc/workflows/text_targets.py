"""What is learnt of texts without classes, tags or numbers of their own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from tfaigc.data import (
    Relation,
    Table,
    check_conversations,
    check_relation,
    check_responses,
    check_texts,
    describe_relation,
)
from tfaigc.workflows.targets import Targets, WithoutStrata


class OwnTokens(WithoutStrata):
    """Tokens of the text itself."""

    columns: ClassVar[tuple[str, ...]] = ("text",)
    field: ClassVar[str | None] = None
    by_class: ClassVar[bool] = False

    def read(
        self, table: Table, *, names: Sequence[str] | None, max_invalid_share: float
    ) -> tuple[Table, Targets]:
        """Reads nothing beside the texts."""
        kept = check_texts(table, "text", max_invalid_share=max_invalid_share)
        return kept, Targets(np.zeros(len(kept), np.int32), ())

    def check(self, table: Table, targets: Targets) -> None:
        """Takes what there is."""

    def describe(self, targets: Targets) -> tuple[str, str]:
        """Says that there is nothing beside the texts."""
        return "targets", "tokens of the texts"


@dataclass(frozen=True)
class RelatedTexts(Targets):
    """What records say of which texts belong together.

    Attributes:
        relation: The way in which they say it.
    """

    relation: Relation


class WhatBelongsTogether(OwnTokens):
    """Which texts belong together: pairs, triplets, scores or classes."""

    columns: ClassVar[tuple[str, ...]] = (
        *("text", "text_pair", "label"),
        *("anchor", "positive", "negative", "score"),
    )

    def read(
        self, table: Table, *, names: Sequence[str] | None, max_invalid_share: float
    ) -> tuple[Table, Targets]:
        """Reads what ``check_relation`` finds."""
        kept, relation, values = check_relation(table, max_invalid_share=max_invalid_share)
        return kept, RelatedTexts(values, (), relation)

    def strata(self, targets: Targets) -> np.ndarray:
        """Splits hold the classes, if there are any, in equal proportions."""
        assert isinstance(targets, RelatedTexts)
        if targets.relation.target == "label":
            return targets.values
        return super().strata(targets)

    def describe(self, targets: Targets) -> tuple[str, str]:
        """Says how records say it."""
        assert isinstance(targets, RelatedTexts)
        return "texts", describe_relation(targets.relation, targets.values)


class WhatFollows(OwnTokens):
    """What a model is to write: a text, a response, or the assistant's part of a conversation."""

    columns: ClassVar[tuple[str, ...]] = ("text", "prompt", "response", "messages")

    def read(
        self, table: Table, *, names: Sequence[str] | None, max_invalid_share: float
    ) -> tuple[Table, Targets]:
        """Reads ``messages``, ``prompt`` and ``response``, or ``text``, whichever there are."""
        if "messages" in table.columns:
            kept, _ = check_conversations(table, max_invalid_share=max_invalid_share)
        elif "prompt" in table.columns:
            kept = check_responses(table, max_invalid_share=max_invalid_share)
        else:
            kept = check_texts(table, "text", max_invalid_share=max_invalid_share)
        return kept, Targets(np.zeros(len(kept), np.int32), ())

    def describe(self, targets: Targets) -> tuple[str, str]:
        """Says what is learnt."""
        return "targets", "what the model is to write"


class Pairs(OwnTokens):
    """The text that is to be written for another."""

    columns: ClassVar[tuple[str, ...]] = ("source", "target")
    group_field: ClassVar[str | None] = "source"

    def read(
        self, table: Table, *, names: Sequence[str] | None, max_invalid_share: float
    ) -> tuple[Table, Targets]:
        """Reads ``source`` and ``target``."""
        kept = check_texts(table, "source", "target", max_invalid_share=max_invalid_share)
        return kept, Targets(np.zeros(len(kept), np.int32), ())

    def describe(self, targets: Targets) -> tuple[str, str]:
        """Says what is learnt."""
        return "targets", "a text for each text"

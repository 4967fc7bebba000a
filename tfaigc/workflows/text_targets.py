"""What language models learn: of each text its own tokens."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import numpy as np

from tfaigc.data import Table, check_conversations, check_responses, check_texts
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

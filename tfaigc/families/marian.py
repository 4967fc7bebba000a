"""Marian's translators (Junczys-Dowmunt et al., arXiv:1804.00344)."""

from __future__ import annotations

from tfaigc.families.bart_tables import like_bart

MARIAN = like_bart(
    "marian",
    "Marian",
    language_model="MTModel",
    start_token_id=58100,
    fresh_start="pad_token_id",
    defaults={"vocab_size": 58101},
    position_kind="sinusoidal",
    embedding_norm=False,
)

"""Pegasus (Zhang et al., arXiv:1912.08777)."""

from __future__ import annotations

from tfaigc.families.bart_tables import like_bart

PEGASUS = like_bart(
    "pegasus",
    "Pegasus",
    start_token_id=0,
    fresh_start="pad_token_id",
    position_kind="sinusoidal",
    embedding_norm=False,
    pre_norm=True,
)

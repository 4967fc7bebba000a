"""Pegasus (Zhang et al., arXiv:1912.08777)."""

from __future__ import annotations

from tfaigc.families.bart_tables import like_bart

PEGASUS = like_bart(
    "pegasus", "Pegasus", position_kind="sinusoidal", embedding_norm=False, pre_norm=True
)

"""BART (Lewis et al., arXiv:1910.13461) and mBART (Liu et al., arXiv:2001.08210)."""

from __future__ import annotations

from tfaigc.families.bart_tables import like_bart, text_heads

BART = like_bart("bart", "Bart", heads=text_heads("Bart", "shifted"), position_offset=2)
MBART = like_bart(
    "mbart",
    "MBart",
    start_token_id=None,
    heads=text_heads("MBart", "rotated"),
    position_offset=2,
    pre_norm=True,
)

"""The rows of all families, of whatever kind."""

from __future__ import annotations

from batteries import FamilyCase
from family_cases import CASES
from image_cases import CASES as IMAGE_CASES
from seq2seq_cases import SEQ2SEQ_CASES

EVERY_CASE: dict[str, FamilyCase] = {**CASES, **SEQ2SEQ_CASES, **IMAGE_CASES}

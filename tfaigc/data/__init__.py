"""Records to batches: reading, checking, splitting, tokenizing once, batching by length."""

from __future__ import annotations

from tfaigc.data.faults import Fault
from tfaigc.data.records import read_records
from tfaigc.data.table import Table

__all__ = ["Fault", "Table", "read_records"]

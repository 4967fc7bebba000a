"""Versioned SavedModels for TensorFlow Serving, each checked before it is published."""

from tfaigc.export.asking import ask
from tfaigc.export.comparing import SignatureCheck
from tfaigc.export.metadata import read_metadata
from tfaigc.export.saved_model import export_saved_model
from tfaigc.export.versions import latest_version, prune, refuse_foreign_files

__all__ = [
    "SignatureCheck",
    "ask",
    "export_saved_model",
    "latest_version",
    "prune",
    "read_metadata",
    "refuse_foreign_files",
]

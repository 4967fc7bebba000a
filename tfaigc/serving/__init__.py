"""A server for SavedModels with the contract of TensorFlow Serving, and a client for both.

It knows SavedModels on disk and nothing of how they were made.
"""

from __future__ import annotations

from tfaigc.serving.client import Client
from tfaigc.serving.statuses import Code, RequestError

__all__ = ["Client", "Code", "RequestError"]

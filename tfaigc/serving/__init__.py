"""A server for SavedModels with the contract of TensorFlow Serving, and a client for both.

It knows SavedModels on disk and nothing of how they were made.
"""

from __future__ import annotations

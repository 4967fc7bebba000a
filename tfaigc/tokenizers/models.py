"""The models of tokenizer.json, each in its own file."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tfaigc.tokenizers.registry import Registry

Model = Callable[[Any], Any]
"""Maps string (n,), words without empty ones, to int32 RaggedTensor (n, None)."""

MODELS: Registry[Model] = Registry("model")

"""Fine-tune any Hugging Face Transformer in Keras 3 and serve it from raw strings.

Importing the package is cheap: each public name loads what it needs on first use.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from tfaigc.version import __version__

if TYPE_CHECKING:
    from tfaigc.families import Backbone
    from tfaigc.tasks import (
        CausalLM,
        ImageClassifier,
        MaskedLM,
        MultipleChoice,
        QuestionAnswerer,
        Seq2SeqLM,
        TextClassifier,
        TextEmbedder,
        TextRegressor,
        TokenClassifier,
    )
    from tfaigc.tokenizers import Tokenizer
    from tfaigc.training import callbacks

__all__ = [
    "Backbone",
    "CausalLM",
    "ImageClassifier",
    "MaskedLM",
    "MultipleChoice",
    "QuestionAnswerer",
    "Seq2SeqLM",
    "TextClassifier",
    "TextEmbedder",
    "TextRegressor",
    "TokenClassifier",
    "Tokenizer",
    "__version__",
    "callbacks",
    "errors",
    "serving",
]

_HOMES = {
    "Backbone": "tfaigc.families",
    "CausalLM": "tfaigc.tasks",
    "ImageClassifier": "tfaigc.tasks",
    "MaskedLM": "tfaigc.tasks",
    "MultipleChoice": "tfaigc.tasks",
    "QuestionAnswerer": "tfaigc.tasks",
    "Seq2SeqLM": "tfaigc.tasks",
    "TextClassifier": "tfaigc.tasks",
    "TextEmbedder": "tfaigc.tasks",
    "TextRegressor": "tfaigc.tasks",
    "TokenClassifier": "tfaigc.tasks",
    "Tokenizer": "tfaigc.tokenizers",
    "callbacks": "tfaigc.training",
}
_MODULES = {"errors", "serving"}


def __getattr__(name: str) -> Any:
    """Loads a public name on first use (PEP 562)."""
    if name in _MODULES:
        return importlib.import_module(f"tfaigc.{name}")
    if name not in _HOMES:
        raise AttributeError(f"module 'tfaigc' has no attribute {name!r}")
    home = importlib.import_module(_HOMES[name])
    if name == "callbacks":
        return importlib.import_module("tfaigc.training.callbacks")
    return getattr(home, name)


def __dir__() -> list[str]:
    return sorted(__all__)

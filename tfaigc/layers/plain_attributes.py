"""Attributes of layers that nobody has to track."""

from __future__ import annotations

import inspect
import types
from typing import Any

import keras

# What can hold neither a variable nor a layer.
_PLAIN = (
    *(bool, int, float, str, bytes, types.NoneType, types.FunctionType, inspect.Signature),
    *(keras.initializers.Initializer, keras.DTypePolicy, keras.layers.InputSpec),
)
_KNOWN: dict[type, bool] = {}


class PlainAttributes:
    """Makes layers in less time; stands before Keras's class among the bases.

    Keras looks at every attribute that is set, to find variables and layers, and TensorFlow looks
    again. Most attributes are numbers and names, and a layer sets some eighty of them: passing
    these by saves a third of the time that it takes to make a layer.
    """

    def __setattr__(self, name: str, value: Any) -> None:
        """Sets an attribute; Keras sees those that may hold something."""
        kind = type(value)
        if kind not in _KNOWN:
            _KNOWN[kind] = issubclass(kind, _PLAIN)
        if _KNOWN[kind]:
            object.__setattr__(self, name, value)
        else:
            super().__setattr__(name, value)

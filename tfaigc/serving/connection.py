"""What a connection to a server can do, whichever protocol it speaks."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

from tfaigc.serving.retrying import retry

Result = TypeVar("Result")


class Connection(ABC):
    """A connection that any number of threads may use.

    Args:
        timeout: Seconds for a call with its retries; None for no limit. Over REST, an answer
            that has begun may take longer, as long as its parts come no further apart.
        retries: How often a call is tried again while the server is busy or out of reach.
        headers: Sent with each call.
        certificates: A PEM file of the authorities to trust; None for the usual ones.
    """

    def __init__(
        self,
        *,
        timeout: float | None,
        retries: int,
        headers: Mapping[str, str],
        certificates: str | Path | None,
    ) -> None:
        self._timeout = timeout
        self._retries = retries
        self._headers = dict(headers)
        self._certificates = certificates

    @abstractmethod
    def call(self, model: str, method: str, version: int | str | None, body: Any) -> Any:
        """Runs a signature.

        Args:
            model: The model's name.
            method: `predict`, `classify` or `regress`.
            version: A version's number or label; None for the newest.
            body: What the REST interface takes, with bytes and arrays.

        Returns:
            What the REST interface answers.

        Raises:
            RequestError: The server refuses, or is out of reach.
        """

    @abstractmethod
    def describe(self, model: str, version: int | str | None, what: str = "") -> Any:
        """Asks about a model.

        Args:
            model: The model's name.
            version: A version's number or label; None for all, or the newest.
            what: Nothing for the states of versions, or ``/metadata``.

        Returns:
            What the REST interface answers.

        Raises:
            RequestError: There is no such model, or the server is out of reach.
        """

    @abstractmethod
    def close(self) -> None:
        """Closes the connection."""

    def _retried(self, attempt: Callable[[float | None], Result]) -> Result:
        return retry(attempt, timeout=self._timeout, retries=self._retries)

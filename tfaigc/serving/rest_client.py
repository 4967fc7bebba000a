"""Asks a server's REST interface."""

from __future__ import annotations

import base64
import json
import ssl
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx2

from tfaigc.serving.connection import Connection
from tfaigc.serving.retrying import refused
from tfaigc.serving.statuses import Code, RequestError, code_of_http


class RestClient(Connection):
    """A connection to a server's REST interface.

    Args:
        url: Of the server: ``http://HOST:PORT``.
        settings: The arguments of `Connection`.
    """

    def __init__(self, url: str, **settings: Any) -> None:
        super().__init__(**settings)
        self._client = httpx2.Client(
            base_url=url.rstrip("/"),
            headers=self._headers,
            verify=_trust(self._certificates),
            # As many connections as there are threads that ask: those bound themselves.
            limits=httpx2.Limits(max_connections=None, max_keepalive_connections=None),
        )

    def call(self, model: str, method: str, version: int | str | None, body: Any) -> Any:
        """Runs a signature."""
        content = json.dumps(body, default=as_json, ensure_ascii=False).encode()
        return self._ask("POST", f"{_path(model, version)}:{method}", content)

    def describe(self, model: str, version: int | str | None, what: str = "") -> Any:
        """Asks about a model."""
        return self._ask("GET", _path(model, version) + what, None)

    def close(self) -> None:
        """Closes the connection."""
        self._client.close()

    def _ask(self, method: str, path: str, content: bytes | None) -> Any:
        attempt = partial(self._ask_once, method, path, content)
        return self._retried(attempt)

    def _ask_once(
        self, method: str, path: str, content: bytes | None, timeout: float | None
    ) -> Any:
        headers = {"content-type": "application/json"} if content is not None else {}
        try:
            response = self._client.request(
                method, path, content=content, headers=headers, timeout=timeout
            )
        except httpx2.TimeoutException as error:
            raise RequestError(
                Code.DEADLINE_EXCEEDED,
                f"The server must answer within {self._timeout:g} seconds. Received: nothing from "
                f"{self._client.base_url}. Pass a larger timeout, or send less at once.",
            ) from error
        except httpx2.TransportError as error:
            raise refused(
                Code.UNAVAILABLE,
                f"The server must be in reach. Received: {error} from {self._client.base_url}. "
                "Check the address, and that the server runs.",
            ) from error
        if response.status_code != 200:
            code = code_of_http(response.status_code)
            raise refused(code, _message(response), _pause(response))
        return response.json()


def _trust(certificates: str | Path | None) -> ssl.SSLContext | bool:
    return True if certificates is None else ssl.create_default_context(cafile=certificates)


def _path(model: str, version: int | str | None) -> str:
    path = f"/v1/models/{quote(model, safe='')}"
    if version is None:
        return path
    kind = "versions" if isinstance(version, int) else "labels"
    return f"{path}/{kind}/{quote(str(version), safe='')}"


def as_json(value: Any) -> Any:
    """Writes what JSON lacks: bytes as the server wants them, and arrays as lists.

    Args:
        value: What a request has.

    Returns:
        The same, of what JSON has.

    Raises:
        TypeError: It has no form in JSON.
    """
    if isinstance(value, bytes):
        return {"b64": base64.b64encode(value).decode()}
    if hasattr(value, "tolist"):
        return value.tolist()
    raise TypeError(f"{type(value).__name__} has no form in JSON")


def _message(response: httpx2.Response) -> str:
    try:
        return str(response.json()["error"])
    except (ValueError, KeyError, TypeError):
        # A proxy in front of the server speaks for itself.
        return f"HTTP status {response.status_code}: {response.text[:200]}"


def _pause(response: httpx2.Response) -> float | None:
    seconds = response.headers.get("retry-after", "")
    return float(seconds) if seconds.isascii() and seconds.isdigit() else None

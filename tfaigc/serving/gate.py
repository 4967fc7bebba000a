"""Who may ask, how often, and a line in the log for each request."""

from __future__ import annotations

import json
import logging
import re
import time
import uuid
from typing import Any

from starlette.requests import HTTPConnection
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tfaigc.serving.access import Access
from tfaigc.serving.core import Core
from tfaigc.serving.json_answers import write_error
from tfaigc.serving.page import PUBLIC
from tfaigc.serving.statuses import Code, RequestError

request_log = logging.getLogger("tfaigc.serving.requests")

_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
_ANSWERS = {
    Code.UNAUTHENTICATED: {"www-authenticate": "Bearer"},
    Code.RESOURCE_EXHAUSTED: {"retry-after": "1"},
}


class Gate:
    """Stands before the REST interface.

    Each response has a request id, the client's own where it sent a plain one.

    Args:
        app: The interface.
        core: Where refusals are counted.
        access: Who may ask, and how often.
        log: Whether each request gets a line in the log.
    """

    def __init__(self, app: ASGIApp, core: Core, access: Access, *, log: bool = False) -> None:
        self._app = app
        self._core = core
        self._access = access
        self._log = log

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Lets a request through, or refuses it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers, start = HTTPConnection(scope).headers, time.perf_counter()
        asked = headers.get("x-request-id", "")
        request_id = asked if _REQUEST_ID.fullmatch(asked) else uuid.uuid4().hex
        status = 0

        async def send_with_id(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [
                    *message["headers"],
                    (b"x-request-id", request_id.encode()),
                ]
            await send(message)

        client = scope["client"][0] if scope.get("client") else ""
        try:
            if scope["path"] not in PUBLIC:
                client = self._access.admit(headers.get("authorization", ""), client)
            app = self._app
        except RequestError as error:
            app = self._refusal(error)
        try:
            await app(scope, receive, send_with_id)
        finally:
            if self._log:
                _log(scope, request_id, client, status, time.perf_counter() - start)

    def _refusal(self, error: RequestError) -> Response:
        self._core.metrics.request_begins()
        self._core.count_request("", "", "REST", error.code, 0.0)
        return Response(
            write_error(error.message),
            error.http_status,
            _ANSWERS.get(error.code),
            media_type="application/json",
        )


def _log(scope: Scope, request_id: str, client: str, status: int, seconds: float) -> None:
    """Writes a request as JSON; what was asked and answered stays out of it."""
    entry: dict[str, Any] = {
        "time": round(time.time(), 3),
        "request_id": request_id,
        "client": client,
        "method": scope["method"],
        "path": scope.get("raw_path", b"").decode("latin-1")[:200],
        "status": status,
        "milliseconds": round(seconds * 1000, 2),
    }
    request_log.info(json.dumps(entry))

"""The REST interface, answer for answer that of TensorFlow Serving."""

from __future__ import annotations

import asyncio
import json
import logging
import re
import time
import zlib
from collections.abc import Callable
from typing import NamedTuple, TypeVar
from urllib.parse import unquote

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Mount
from starlette.types import Receive, Scope, Send

from tfaigc.serving import metrics
from tfaigc.serving.core import Core
from tfaigc.serving.descriptions import metadata, status
from tfaigc.serving.json_answers import write_error
from tfaigc.serving.json_calls import METHODS
from tfaigc.serving.limits import Limits
from tfaigc.serving.manager import ModelSpec
from tfaigc.serving.page import MODELS, PUBLIC, describe_models, page
from tfaigc.serving.statuses import Code, RequestError, invalid
from tfaigc.serving.tensors import byte_count

logger = logging.getLogger(__name__)
Result = TypeVar("Result")

_CALL = re.compile(
    r"/v1/models/([^/:]+)(?:/versions/([0-9]+)|/labels/([^/:]+))?:(classify|regress|predict)",
    re.IGNORECASE,
)
_QUESTION = re.compile(
    r"/v1/models(?:/([^/:]+))?(?:/versions/([0-9]+)|/labels/([^/:]+))?(?:/(metadata))?",
    re.IGNORECASE,
)
_LARGEST_VERSION = 2**63 - 1

# Reading and writing smaller bodies takes less time than handing them to a thread does.
_SMALL = 32 * 1024


def rest_app(core: Core, limits: Limits | None = None) -> Starlette:
    """Makes the ASGI application.

    Args:
        core: The loaded models.
        limits: What a request may cost.

    Returns:
        The application; it answers below ``/v1/``, and has the metrics and a page.
    """
    return Starlette(routes=[Mount("/", app=_RestApi(core, limits or Limits()))])


class _Target(NamedTuple):
    """What a request is about: a call on a model, or a question about it."""

    method: str
    spec: ModelSpec
    is_metadata: bool


class _BodySizeError(Exception):
    """The body is larger than allowed."""


class _SlowBodyError(Exception):
    """The body does not come in time."""


class _RestApi:
    def __init__(self, core: Core, limits: Limits) -> None:
        self._core = core
        self._limits = limits

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        try:
            response = await self._respond(Request(scope, receive))
        except ClientDisconnect:
            return
        await response(scope, receive, send)

    async def _respond(self, request: Request) -> Response:
        path = request.scope.get("raw_path", request.scope["path"].encode()).decode("latin-1")
        if path == metrics.PATH:
            return Response(self._core.metrics.page(), media_type="text/plain")
        if request.method == "GET" and path in PUBLIC:
            return page(path)
        if request.method == "GET" and path == MODELS:
            return JSONResponse(describe_models(self._core.manager))
        if not path.lower().startswith("/v1/"):
            return _error(404, f"There is nothing at {path}")
        target, code, start = _Target("", ModelSpec(""), False), Code.INTERNAL, time.perf_counter()
        self._core.metrics.request_begins()
        try:
            body = await self._read(request)
            if request.method == "OPTIONS":
                return _preflight(request)
            target = _target(request.method, path)
            answer = await self._answer(target, body)
            code = Code.OK
            return Response(answer, media_type="application/json")
        except RequestError as error:
            code = error.code
            return _error(error.http_status, error.message)
        except _BodySizeError:
            code = Code.RESOURCE_EXHAUSTED
            most = self._limits.max_body_bytes
            # Nobody reads the rest of the body, so that nothing else can come after it.
            return _error(413, f"The body must have at most {most} bytes", close=True)
        except _SlowBodyError:
            code = Code.DEADLINE_EXCEEDED
            return _error(408, "The body must come sooner", close=True)
        except (ClientDisconnect, asyncio.CancelledError):
            code = Code.CANCELLED
            raise
        except Exception:
            logger.exception("a request failed: %s %s", request.method, path)
            return _error(500, "Internal error")
        finally:
            seconds = time.perf_counter() - start
            self._core.count_request(target.spec.name, target.method, "REST", code, seconds)

    async def _answer(self, target: _Target, body: bytes) -> bytes:
        if target.method:
            return await self._call(target.method, target.spec, body)
        if not target.spec.name:
            raise invalid("Missing model name in request.")
        describe = metadata if target.is_metadata else status
        description = describe(self._core.manager, target.spec)
        return json.dumps(description, indent=1, ensure_ascii=False).encode()

    async def _call(self, method: str, spec: ModelSpec, body: bytes) -> bytes:
        timeout = self._limits.timeout
        deadline = None if timeout is None else time.monotonic() + timeout
        call = await _at_ease(
            len(body), lambda: METHODS[method](self._core.manager, spec, body, deadline)
        )
        self._core.metrics.examples(spec.name, call.rows)
        try:
            outputs = await asyncio.wait_for(asyncio.wrap_future(call.answer), timeout)
        except asyncio.TimeoutError:
            raise RequestError(
                Code.DEADLINE_EXCEEDED, f"Timed out: no answer within {timeout:g} seconds"
            ) from None
        size = sum(map(byte_count, outputs.values()))
        return await _at_ease(size, lambda: call.render(outputs))

    async def _read(self, request: Request) -> bytes:
        most = self._limits.max_body_bytes
        declared = request.headers.get("content-length", "0")
        if declared.isascii() and declared.isdigit() and int(declared[:20]) > most:
            raise _BodySizeError
        try:
            body = await asyncio.wait_for(_gather(request, most), self._limits.body_seconds)
            if request.headers.get("content-encoding", "").lower() != "gzip":
                return body
            return await _at_ease(len(body), lambda: _unzip(body, most))
        except asyncio.TimeoutError:
            raise _SlowBodyError from None


def _unzip(body: bytes, most: int) -> bytes:
    """Unpacks a body, and no more of it than is allowed."""
    unpacker = zlib.decompressobj(16 + zlib.MAX_WBITS)
    try:
        plain = unpacker.decompress(body, most + 1)
    except zlib.error as error:
        raise invalid(f"The body must be gzip, as its content-encoding says: {error}") from None
    if len(plain) > most:
        raise _BodySizeError
    if not unpacker.eof:
        raise invalid("The body must be gzip, as its content-encoding says: its end is missing")
    return plain


async def _gather(request: Request, most: int) -> bytes:
    """Reads a body of no declared length, up to a limit."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > most:
            raise _BodySizeError
    return bytes(body)


async def _at_ease(size: int, work: Callable[[], Result]) -> Result:
    """Does small work at once, and large work on a thread, so that others need not wait."""
    return work() if size < _SMALL else await run_in_threadpool(work)


def _error(http_status: int, message: str, *, close: bool = False) -> Response:
    headers = {"connection": "close"} if close else None
    return Response(write_error(message), http_status, headers, media_type="application/json")


def _preflight(request: Request) -> Response:
    if not re.match("https?://", request.headers.get("origin", "")):
        raise RequestError(Code.FAILED_PRECONDITION, "Origin header is missing in CORS preflight")
    return Response(b"", media_type="application/json")


def _target(method: str, path: str) -> _Target:
    """Reads what a request is about from its path."""
    # As with the official server, the case of a call counts, that of all before it does not.
    if method == "POST" and (found := _CALL.fullmatch(path)) and found[4] in METHODS:
        return _Target(found[4], _model_spec(found), False)
    if method == "GET" and (found := _QUESTION.fullmatch(path)):
        return _Target("", _model_spec(found), found[4] == "metadata")
    raise invalid(f"Malformed request: {method} {path}")


def _model_spec(found: re.Match[str]) -> ModelSpec:
    name, version, label = found[1], found[2], found[3]
    if version is not None and (len(version) > 19 or int(version) > _LARGEST_VERSION):
        raise invalid(f"Failed to convert version: {version} to numeric.")
    return ModelSpec(
        name=unquote(name or ""),
        version=None if version is None else int(version),
        label=None if label is None else unquote(label),
    )

"""The status codes of requests, and the exception that carries one."""

from __future__ import annotations

import enum

from tfaigc.errors import ServingError


class Code(enum.IntEnum):
    """The codes that gRPC defines, and TensorFlow with it."""

    OK = 0
    CANCELLED = 1
    UNKNOWN = 2
    INVALID_ARGUMENT = 3
    DEADLINE_EXCEEDED = 4
    NOT_FOUND = 5
    ALREADY_EXISTS = 6
    PERMISSION_DENIED = 7
    RESOURCE_EXHAUSTED = 8
    FAILED_PRECONDITION = 9
    ABORTED = 10
    OUT_OF_RANGE = 11
    UNIMPLEMENTED = 12
    INTERNAL = 13
    UNAVAILABLE = 14
    DATA_LOSS = 15
    UNAUTHENTICATED = 16


# As TensorFlow Serving answers over HTTP; all others are 500.
_HTTP = {
    Code.OK: 200,
    Code.CANCELLED: 499,
    Code.INVALID_ARGUMENT: 400,
    Code.DEADLINE_EXCEEDED: 504,
    Code.NOT_FOUND: 404,
    Code.ALREADY_EXISTS: 409,
    Code.PERMISSION_DENIED: 403,
    Code.RESOURCE_EXHAUSTED: 429,
    Code.FAILED_PRECONDITION: 400,
    Code.ABORTED: 409,
    Code.OUT_OF_RANGE: 400,
    Code.UNIMPLEMENTED: 501,
    Code.UNAVAILABLE: 503,
    Code.UNAUTHENTICATED: 401,
}


class RequestError(ServingError):
    """A request that is not answered, and why.

    Args:
        code: The status.
        message: What the client is told.
    """

    def __init__(self, code: Code, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message

    @property
    def http_status(self) -> int:
        """The status of the HTTP response."""
        return _HTTP.get(self.code, 500)

    def __str__(self) -> str:
        return self.message


def code_of_http(http_status: int) -> Code:
    """Tells which status an HTTP response stands for.

    Args:
        http_status: The response's status.

    Returns:
        The first code that is answered with it.

    Example:
        >>> code_of_http(400), code_of_http(418)
        (<Code.INVALID_ARGUMENT: 3>, <Code.UNKNOWN: 2>)
    """
    return next((code for code, status in _HTTP.items() if status == http_status), Code.UNKNOWN)


def invalid(message: str) -> RequestError:
    """Makes the refusal of a request that is wrong in itself.

    Args:
        message: What the client is told.

    Returns:
        The exception, to be raised.

    Example:
        >>> invalid("Missing 'inputs' or 'instances' key").http_status
        400
    """
    return RequestError(Code.INVALID_ARGUMENT, message)

"""Trying again, ever later, within the time that a call may take."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from typing import TypeVar

from tfaigc.serving.statuses import Code, RequestError

Result = TypeVar("Result")

_FIRST_PAUSE = 0.1
_LONGEST_PAUSE = 5.0
_PASSING = {Code.RESOURCE_EXHAUSTED, Code.UNAVAILABLE}


class Deadline:
    """How much time a call has left.

    Args:
        seconds: All that it has; None for no limit.
    """

    def __init__(self, seconds: float | None) -> None:
        self._end = None if seconds is None else time.monotonic() + seconds

    def remaining(self) -> float | None:
        """Seconds left, never quite none; None for no limit."""
        return None if self._end is None else max(1e-3, self._end - time.monotonic())


class PassingError(RequestError):
    """A refusal that may be over soon.

    Args:
        code: The status.
        message: What the server said.
        pause: Seconds that the server asks to wait, if it does.
    """

    def __init__(self, code: Code, message: str, pause: float | None = None) -> None:
        super().__init__(code, message)
        self.pause = pause


def refused(code: Code, message: str, pause: float | None = None) -> RequestError:
    """Makes the exception for an answer that is none.

    Args:
        code: The status.
        message: What the server said.
        pause: Seconds that the server asks to wait, if it does.

    Returns:
        A `PassingError` where it is worthwhile to ask again.
    """
    if code in _PASSING:
        return PassingError(code, message, pause)
    return RequestError(code, message)


def retry(
    attempt: Callable[[float | None], Result], *, timeout: float | None, retries: int
) -> Result:
    """Calls until there is an answer, the retries are used up, or time is over.

    The pauses double, and are cut at random, so that clients that failed together do not come
    back together.

    Args:
        attempt: Asks once, within the seconds it is given.
        timeout: Seconds for all attempts and pauses; None for no limit.
        retries: How often to ask again.

    Returns:
        What the attempt gave.

    Raises:
        RequestError: The last attempt's.
    """
    deadline = Deadline(timeout)
    for number in range(retries + 1):
        try:
            return attempt(deadline.remaining())
        except PassingError as error:
            pause = min(_LONGEST_PAUSE, _FIRST_PAUSE * 2**number) * random.uniform(0.5, 1)
            pause = max(pause, error.pause or 0.0)
            remaining = deadline.remaining()
            if number == retries or (remaining is not None and pause >= remaining):
                raise
            time.sleep(pause)
    raise AssertionError("the last attempt returns or raises")

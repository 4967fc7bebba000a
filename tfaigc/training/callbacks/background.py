"""One action at a time beside the training."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Generic, TypeVar

Result = TypeVar("Result")


class Background(Generic[Result]):
    """Runs an action in a thread of its own; the next one waits until it is done.

    The interpreter does not end before the thread does.

    Example:
        >>> background = Background()
        >>> background.start(lambda: 6 * 7)
        >>> background.wait(), background.wait()
        (42, None)
    """

    def __init__(self) -> None:
        self._thread: threading.Thread | None = None
        self._result: Result | None = None
        self._error: BaseException | None = None

    def start(self, action: Callable[[], Result]) -> None:
        """Starts an action; `wait` must have been called for the one before.

        Args:
            action: What to do.
        """

        def run() -> None:
            try:
                self._result = action()
            except BaseException as error:
                self._error = error

        self._thread = threading.Thread(target=run, name="tfaigc-background")
        self._thread.start()

    def wait(self) -> Result | None:
        """Waits for the action that runs.

        Returns:
            What it returned; `None` where no action was started since the last call.

        Raises:
            BaseException: What the action raised.
        """
        if self._thread is None:
            return None
        self._thread.join()
        self._thread = None
        result, error, self._result, self._error = self._result, self._error, None, None
        if error is not None:
            try:
                raise error
            finally:
                # The traceback holds this frame, and with it whatever the caller has open.
                del error
        return result

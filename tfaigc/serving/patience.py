"""HTTP connections that do not wait for ever."""

from __future__ import annotations

import asyncio

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol


class PatientProtocol(HttpToolsProtocol):
    """Closes connections on which the head of a request does not come in time.

    Clients that send a byte now and then would otherwise hold connections for nothing.

    Attributes:
        head_seconds: How long a head may take.
    """

    head_seconds = 10.0
    _timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begins to wait for the first request."""
        super().connection_made(transport)
        self._wait_for_head()

    def data_received(self, data: bytes) -> None:
        """Begins to wait for a further request's head, unless an answer is still to be sent.

        What comes instead of the head, such as a body whose request is refused, has no more time.
        """
        is_answered = self.cycle is None or self.cycle.response_complete
        if self._timer is None and is_answered:
            self._wait_for_head()
        super().data_received(data)

    def on_headers_complete(self) -> None:
        """Ends the wait; the body has a limit of its own."""
        self._stop_waiting()
        super().on_headers_complete()

    def connection_lost(self, exc: Exception | None) -> None:
        """Ends the wait with the connection."""
        self._stop_waiting()
        super().connection_lost(exc)

    def _wait_for_head(self) -> None:
        self._timer = self.loop.call_later(self.head_seconds, self.transport.close)

    def _stop_waiting(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

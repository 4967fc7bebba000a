"""How many requests each client may make."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict

from tfaigc.serving.statuses import Code, RequestError

# Clients that are remembered; who is forgotten starts with a full bucket.
_MOST_CLIENTS = 10_000


class RateLimit:
    """A token bucket for each client: what a second allows may also come at once.

    Args:
        per_second: Requests of a client in a second.
    """

    def __init__(self, per_second: float) -> None:
        self._rate = per_second
        self._most = max(1.0, per_second)
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()
        self._lock = threading.Lock()

    def take(self, client: str) -> None:
        """Counts a request.

        Args:
            client: Who makes it.

        Raises:
            RequestError: It is one too many.
        """
        now = time.monotonic()
        with self._lock:
            left, since = self._buckets.pop(client, (self._most, now))
            left = min(self._most, left + (now - since) * self._rate)
            allowed = left >= 1
            self._buckets[client] = (left - allowed, now)
            if len(self._buckets) > _MOST_CLIENTS:
                self._buckets.popitem(last=False)
        if not allowed:
            raise RequestError(
                Code.RESOURCE_EXHAUSTED,
                f"Each client may make {self._rate:g} requests a second",
            )

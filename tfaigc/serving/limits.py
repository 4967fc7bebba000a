"""What a request may cost the server."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Limits:
    """What a request may cost.

    Attributes:
        timeout: Seconds until a call is given up; None for no limit.
        max_body_bytes: The largest body.
        body_seconds: How long a body may take to come.
    """

    timeout: float | None = 30.0
    max_body_bytes: int = 16 * 1024 * 1024
    body_seconds: float = 30.0

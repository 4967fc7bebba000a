"""Clients that ask a server over connections that stay open, as fast as it answers."""

from __future__ import annotations

import asyncio
import json
import re
import time
from collections.abc import Callable, Iterator, Sequence
from itertools import cycle
from typing import NamedTuple

_HEAD = (
    "POST /v1/models/{}:predict HTTP/1.1\r\nhost: a\r\n"
    "content-type: application/json\r\ncontent-length: {}\r\n\r\n"
)
_LENGTH = re.compile(rb"(?i)content-length: ([0-9]+)")


class Reply(NamedTuple):
    """What came back for a request."""

    status: int
    seconds: float


def ask(
    port: int,
    model: str,
    texts: Sequence[str],
    *,
    connections: int,
    seconds: float,
    meanwhile: Callable[[], None] | None = None,
) -> list[Reply]:
    """Asks about one text a request over many connections at once.

    Args:
        port: The server's, on this machine.
        model: The model's name.
        texts: What to ask about, again and again.
        connections: How many clients there are, each of which waits for its answer.
        seconds: For how long they ask.
        meanwhile: What to do, on a thread, at half of the time.

    Returns:
        One reply for each request.

    Raises:
        asyncio.IncompleteReadError: The server hung up, so that a request is lost.
        AssertionError: Something came that nobody asked for.
    """
    bodies = (json.dumps({"instances": [text]}).encode() for text in cycle(texts))
    requests = (_HEAD.format(model, len(body)).encode() + body for body in bodies)

    async def ask_all() -> list[Reply]:
        replies: list[Reply] = []
        end = time.perf_counter() + seconds
        clients = [_ask_in_turn(port, requests, end, replies) for _ in range(connections)]
        await asyncio.gather(*clients, _at_half_time(seconds, meanwhile))
        return replies

    return asyncio.run(ask_all())


async def _at_half_time(seconds: float, work: Callable[[], None] | None) -> None:
    if work is not None:
        await asyncio.sleep(seconds / 2)
        await asyncio.to_thread(work)


async def _ask_in_turn(
    port: int, requests: Iterator[bytes], end: float, replies: list[Reply]
) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    while (start := time.perf_counter()) < end:
        writer.write(next(requests))
        head = await reader.readuntil(b"\r\n\r\n")
        found = _LENGTH.search(head)
        assert found is not None, head
        await reader.readexactly(int(found[1]))
        replies.append(Reply(int(head[9:12]), time.perf_counter() - start))
    writer.close()
    assert not await reader.read(), "an answer too many"

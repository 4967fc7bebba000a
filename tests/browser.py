"""A headless Chromium, driven over its pipe."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

CHROMIUM = next(filter(None, map(shutil.which, ("chromium-headless-shell", "chromium"))), None)


class Page:
    """A page that is shown."""

    def __init__(self, send: int, receive: int) -> None:
        self._send, self._receive = send, receive
        self._number, self._buffer, self._session = 0, b"", None

    def open(self, url: str) -> None:
        """Shows a page."""
        target = self._call("Target.createTarget", url=url)["targetId"]
        session = self._call("Target.attachToTarget", targetId=target, flatten=True)
        self._session = session["sessionId"]
        loaded = "location.href !== 'about:blank' && document.readyState === 'complete'"
        while self._call("Runtime.evaluate", expression=loaded)["result"].get("value") is not True:
            time.sleep(0.02)

    def run(self, script: str) -> Any:
        """Runs a script, which may be asynchronous, in the page; gives what it returns."""
        expression = f"(async () => {{ {script} }})()"
        found = self._call(
            "Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True
        )
        assert "exceptionDetails" not in found, found
        return found["result"].get("value")

    def _call(self, method: str, **parameters: Any) -> Any:
        self._number += 1
        message = {"id": self._number, "method": method, "params": parameters}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._send, json.dumps(message).encode() + b"\0")
        while True:
            while b"\0" not in self._buffer:
                part = os.read(self._receive, 65536)
                assert part, "the browser has ended"
                self._buffer += part
            line, _, self._buffer = self._buffer.partition(b"\0")
            answer = json.loads(line)
            if answer.get("id") == self._number:
                assert "result" in answer, answer
                return answer["result"]


@contextmanager
def browser(directory: Path) -> Iterator[Page]:
    """Starts Chromium with an empty profile."""
    (read, send), (receive, write) = os.pipe(), os.pipe()
    command = (
        f"exec 3<&{read} 4>&{write}; exec {CHROMIUM} --headless --no-sandbox --disable-gpu "
        f"--remote-debugging-pipe --user-data-dir='{directory}'"
    )
    with subprocess.Popen(
        ["bash", "-c", command], pass_fds=(read, write), stderr=subprocess.DEVNULL
    ) as process:
        os.close(read)
        os.close(write)
        try:
            yield Page(send, receive)
        finally:
            process.kill()
            os.close(send)
            os.close(receive)

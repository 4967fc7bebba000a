"""One version of a model, ready to answer, until nobody needs it any more."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

from tfaigc.serving.saved_model import SavedModel
from tfaigc.serving.scheduling import Answer, Lane, Scheduler
from tfaigc.serving.tensors import Arrays, Signature, example_count

Observe = Callable[[str, int, str, int, float], None]
Offer = Callable[["Servable", str, Arrays, Answer], None]


class Servable:
    """A loaded version of a model.

    Args:
        name: The model's name.
        version: The version's number.
        directory: The version's directory.
        scheduler: Where its signatures run.
        observe: Told each run: model, version, signature, rows and seconds.
        offer: Told each request: this, signature, inputs and the answer to come.

    Attributes:
        model: The SavedModel.

    Raises:
        RequestError: The directory holds no SavedModel that can be loaded.
    """

    def __init__(
        self,
        name: str,
        version: int,
        directory: Path,
        scheduler: Scheduler,
        observe: Observe,
        offer: Offer | None = None,
    ) -> None:
        self.name = name
        self.version = version
        self.directory = directory
        self.model = SavedModel(directory)
        self._scheduler = scheduler
        self._observe = observe
        self._offer = offer
        self._lanes = {
            key: Lane(partial(self._run, key), merges=signature.is_batchable, model=name)
            for key, signature in self.model.signatures.items()
        }
        self._users = 0
        self._unused = threading.Condition()

    @property
    def signatures(self) -> dict[str, Signature]:
        """What it can be asked, by name."""
        return self.model.signatures

    def submit(self, signature: str, inputs: Arrays, deadline: float | None = None) -> Answer:
        """Asks a signature, now or in a batch with other requests; keeps it loaded until then.

        Args:
            signature: Its name.
            inputs: Arrays by input name; those with defaults may be left out.
            deadline: When the answer is of no use any more, by `time.monotonic()`.

        Returns:
            The arrays by output name, to come.

        Raises:
            RequestError: The inputs do not fit, or too much is waiting.
        """
        arrays = self.signatures[signature].complete(inputs)
        answer = self._scheduler.submit(self._lanes[signature], arrays, deadline)
        # Who asked may give up before the run ends.
        self.acquire()
        answer.add_done_callback(lambda _: self.release())
        if self._offer is not None:
            self._offer(self, signature, arrays, answer)
        return answer

    def _run(self, signature: str, arrays: Arrays, timeout: float | None) -> Arrays:
        start = time.perf_counter()
        outputs = self.model.run(signature, arrays, timeout)
        seconds = time.perf_counter() - start
        self._observe(self.name, self.version, signature, example_count(arrays), seconds)
        return outputs

    def acquire(self) -> None:
        """Keeps it loaded until `release`; only for who knows that it is not closing."""
        with self._unused:
            self._users += 1

    def release(self) -> None:
        """Ends what `acquire` began."""
        with self._unused:
            self._users -= 1
            self._unused.notify_all()

    def close(self) -> None:
        """Waits until nobody uses it, and frees its memory."""
        with self._unused:
            self._unused.wait_for(lambda: self._users == 0)
        self.model.close()

"""What all protocols of the server share: loaded models, the threads that run them, metrics."""

from __future__ import annotations

import time
from pathlib import Path

from tfaigc.serving.batching import Batching
from tfaigc.serving.manager import Manager
from tfaigc.serving.metrics import Metrics
from tfaigc.serving.scheduling import Scheduler
from tfaigc.serving.servable import Servable
from tfaigc.serving.statuses import Code, RequestError
from tfaigc.serving.warm_up import warm_up
from tfaigc.serving.watch import Watch, WatchSettings
from tfaigc.serving.watch_metrics import WatchMetrics


class Core:
    """Loaded models, the threads that run them, and what is counted.

    Args:
        batching: How requests share runs.
        watch: Which requests to look at; None: none.

    Attributes:
        manager: Which versions are loaded.
        metrics: What is counted.
    """

    def __init__(
        self, batching: Batching | None = None, watch: WatchSettings | None = None
    ) -> None:
        self.metrics = Metrics()
        self._watch = Watch(watch, WatchMetrics(self.metrics.registry)) if watch else None
        self._scheduler = Scheduler(batching or Batching(), self.metrics.waited)
        self.manager = Manager(self._load)

    def close(self) -> None:
        """Answers what is waiting, and unloads all models."""
        self._scheduler.close()
        if self._watch:
            self._watch.close()
        self.manager.close()

    def count_request(
        self, model: str, api: str, entrypoint: str, code: Code, seconds: float
    ) -> None:
        """Counts an answer; what is asked of models that are not there is counted for none.

        Args:
            model: The model that was asked.
            api: The call, such as `predict`.
            entrypoint: `REST` or `GRPC`.
            code: The answer's status.
            seconds: The time since the request came.
        """
        known = model if model in self.manager else ""
        self.metrics.request_ends(known, api, entrypoint, code, seconds)

    def _load(self, name: str, version: int, directory: Path) -> Servable:
        """Loads a version and warms it up."""
        path = str(directory)
        try:
            servable = Servable(
                name,
                version,
                directory,
                self._scheduler,
                self.metrics.run,
                self._watch.offer if self._watch else None,
            )
        except RequestError as error:
            self.metrics.loaded(path, error.code)
            raise
        self.metrics.loaded(path, Code.OK)
        start, code = time.perf_counter(), Code.OK
        try:
            warm_up(servable.model, directory)
        except RequestError as error:
            code = error.code
            servable.close()
            raise
        finally:
            self.metrics.warmed_up(path, code, time.perf_counter() - start)
        return servable

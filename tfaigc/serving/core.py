"""What the server does with a request, whichever protocol brought it."""

from __future__ import annotations

from pathlib import Path

from tfaigc.serving.manager import Manager
from tfaigc.serving.scheduling import Batching, Scheduler
from tfaigc.serving.servable import Servable


class Core:
    """Loaded models and the threads that run them.

    Args:
        batching: How requests share runs.

    Attributes:
        manager: Which versions are loaded.
    """

    def __init__(self, batching: Batching | None = None) -> None:
        self._scheduler = Scheduler(batching or Batching())
        self.manager = Manager(self._load)

    def close(self) -> None:
        """Answers what is waiting, and unloads all models."""
        self._scheduler.close()
        self.manager.close()

    def _load(self, name: str, version: int, directory: Path) -> Servable:
        return Servable(name, version, directory, self._scheduler, _unobserved)


def _unobserved(model: str, version: int, signature: str, seconds: float) -> None:
    """Takes no notice of a run."""

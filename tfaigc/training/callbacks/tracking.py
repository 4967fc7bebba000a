"""The run's numbers in Weights & Biases or MLflow."""

from __future__ import annotations

import importlib
import logging
import numbers
import time
from collections.abc import Callable, Mapping
from typing import Any, Final, Protocol

from tfaigc.errors import ConfigError, suggestion
from tfaigc.training.callbacks.run_records import RunRecords
from tfaigc.training.callbacks.steps import Resume

_LOGGER = logging.getLogger(__name__)


class Tracker(Protocol):
    """A place that keeps the numbers of runs."""

    def start(self, name: str, settings: Mapping[str, Any], run: str | None) -> str:
        """Begins a run, or goes on with one.

        Args:
            name: What people call it.
            settings: What it was started with.
            run: The id of a run to go on with.

        Returns:
            The run's id.
        """
        ...

    def log(self, values: Mapping[str, float], step: int) -> None:
        """Keeps the values of a step."""
        ...

    def finish(self) -> None:
        """Ends the run."""
        ...


class TrackingLog(RunRecords):
    """Hands the run's numbers to trackers, whose failures end the tracking and not the run.

    Args:
        trackers: Where the numbers go.
        name: What the run is called there.
        settings: What is noted there about the run, such as a recipe's keys.
        every_steps: How many steps a value sums up; `None` tracks epochs only.
    """

    def __init__(
        self,
        *trackers: Tracker,
        name: str,
        settings: Mapping[str, Any] | None = None,
        every_steps: int | None = 10,
    ) -> None:
        super().__init__(every_steps=every_steps)
        self.trackers = trackers
        self.name = name
        self.settings = dict(settings or {})
        self._runs: dict[str, str] = {}
        self._broken: set[Tracker] = set()

    def begin(self) -> None:
        """Begins the trackers' runs, or goes on with those of the checkpoint."""

        def start(tracker: Tracker) -> None:
            key = type(tracker).__name__
            self._runs[key] = tracker.start(self.name, self.settings, self._runs.get(key))

        self._broken = set()
        self._tell(start)

    def write(self, record: dict[str, Any]) -> None:
        """Hands on a record; names say whether a value is a step's or an epoch's."""
        values = {
            f"{record['event']}_{name}": float(value)
            for name, value in record.items()
            if name not in ("event", "step") and isinstance(value, numbers.Real)
        }
        self._tell(lambda tracker: tracker.log(values, record["step"]))

    def on_train_end(self, logs: dict[str, Any] | None = None) -> None:
        """Ends the trackers' runs."""
        self._tell(lambda tracker: tracker.finish())
        self._runs = {}

    def get_state(self) -> dict[str, Any]:
        """Gives the ids of the trackers' runs."""
        return {"runs": dict(self._runs)}

    def set_state(self, state: dict[str, Any], resume: Resume) -> None:
        """Goes on with the trackers' runs."""
        super().set_state(state, resume)
        self._runs = dict(state.get("runs", {}))

    def _tell(self, action: Callable[[Tracker], None]) -> None:
        for tracker in self.trackers:
            if tracker in self._broken:
                continue
            try:
                action(tracker)
            except Exception as error:
                self._broken.add(tracker)
                _LOGGER.warning(
                    "%s has failed (%s: %s): training goes on without it.",
                    type(tracker).__name__,
                    type(error).__name__,
                    error,
                )


class MLflow:
    """MLflow, where its own settings (`MLFLOW_TRACKING_URI` and others) say.

    Args:
        tracking_uri: Where the runs are kept; `None`: as MLflow is set up.
        experiment: The experiment that the run belongs to.

    Raises:
        ConfigError: The package is not installed.
    """

    def __init__(self, *, tracking_uri: str | None = None, experiment: str = "tfaigc") -> None:
        self._mlflow = _load("mlflow", "mlflow-skinny")
        self._uri = tracking_uri
        self._experiment = experiment
        self._run = ""

    def start(self, name: str, settings: Mapping[str, Any], run: str | None) -> str:
        """Begins a run, or goes on with one."""
        self._client = self._mlflow.MlflowClient(self._uri)
        if run is None:
            found = self._client.get_experiment_by_name(self._experiment)
            experiment = (
                self._client.create_experiment(self._experiment)
                if found is None
                else found.experiment_id
            )
            run = self._client.create_run(experiment, run_name=name).info.run_id
            params = [self._mlflow.entities.Param(key, str(settings[key])) for key in settings]
            self._client.log_batch(run, params=params)
        else:
            self._client.update_run(run, status="RUNNING")
        self._run = str(run)
        return self._run

    def log(self, values: Mapping[str, float], step: int) -> None:
        """Keeps the values of a step."""
        now = int(time.time() * 1000)
        metrics = [self._mlflow.entities.Metric(key, values[key], now, step) for key in values]
        self._client.log_batch(self._run, metrics=metrics)

    def finish(self) -> None:
        """Ends the run."""
        self._client.set_terminated(self._run)


class WeightsAndBiases:
    """Weights & Biases, as its own settings (`wandb login`, `WANDB_MODE` and others) say.

    Args:
        project: The project that the run belongs to.

    Raises:
        ConfigError: The package is not installed.
    """

    def __init__(self, *, project: str = "tfaigc") -> None:
        self._wandb = _load("wandb", "wandb")
        self._project = project

    def start(self, name: str, settings: Mapping[str, Any], run: str | None) -> str:
        """Begins a run, or goes on with one."""
        self._run = self._wandb.init(
            project=self._project, name=name, config=dict(settings), id=run, resume="allow"
        )
        return str(self._run.id)

    def log(self, values: Mapping[str, float], step: int) -> None:
        """Keeps the values of a step."""
        self._run.log(dict(values), step=step)

    def finish(self) -> None:
        """Ends the run."""
        self._run.finish()


TRACKERS: Final[Mapping[str, Callable[[], Tracker]]] = {
    "mlflow": MLflow,
    "wandb": WeightsAndBiases,
}
"""Trackers by the names that Hugging Face's `report_to` has for them."""


def make_tracker(name: str) -> Tracker:
    """Finds a tracker by name.

    Args:
        name: One of `TRACKERS`.

    Returns:
        The tracker.

    Raises:
        ConfigError: There is no such tracker, or its package is not installed.
    """
    if name not in TRACKERS:
        raise ConfigError(
            f"report_to must name trackers out of {', '.join(TRACKERS)}. Received: {name!r}."
            f"{suggestion(str(name), TRACKERS)} TensorBoard's files and history.jsonl are always "
            "written."
        )
    return TRACKERS[name]()


def _load(module: str, package: str) -> Any:
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise ConfigError(
            f"Tracking with {module} needs the package {package}. Received: {error}. "
            "Install it with: pip install 'tfaigc[tracking]'"
        ) from error

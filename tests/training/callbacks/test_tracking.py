import sys

import keras
import pytest

from tfaigc.errors import ConfigError
from tfaigc.training.callbacks import Checkpoint, MLflow, TrackingLog, make_tracker


class Notebook:
    """Keeps what it is told, and fails when told to."""

    def __init__(self, *, fails_at=None):
        self.entries = []
        self.fails_at = fails_at

    def start(self, name, settings, run):
        self.tell(("start", name, settings, run))
        return run or "run-7"

    def log(self, values, step):
        self.tell(("log", step, values))

    def finish(self):
        self.tell(("finish",))

    def tell(self, entry):
        if entry[0] == self.fails_at:
            raise ConnectionError("the server is gone")
        self.entries.append(entry)


def fit(model, data, callbacks, **settings):
    model.fit(data, verbose=0, shuffle=False, callbacks=callbacks, **settings)


def test_what_is_tracked(eager, build_dataset):
    tracker = Notebook()
    log = TrackingLog(tracker, name="run", settings={"seed": 1}, every_steps=4)
    fit(eager(), build_dataset(), [log])

    kinds = [entry[:2] for entry in tracker.entries]
    assert kinds == [("start", "run"), ("log", 4), ("log", 5), ("finish",)]
    step, epoch = (entry[2] for entry in tracker.entries[1:3])
    assert step.keys() == {"step_epoch", "step_loss", "step_learning_rate"}
    assert epoch.keys() == {"epoch_epoch", "epoch_seconds", "epoch_loss", "epoch_accuracy"}


@pytest.mark.parametrize("call", ["start", "log", "finish"])
def test_a_tracker_that_fails_ends_neither_the_run_nor_the_others(
    caplog, eager, build_dataset, call
):
    good, bad = Notebook(), Notebook(fails_at=call)
    fit(eager(), build_dataset(), [TrackingLog(bad, good, name="run", every_steps=1)])
    assert len(good.entries) == 8
    assert caplog.text.count("Notebook has failed (ConnectionError: the server is gone)") == 1


def test_a_resumed_run_goes_on_in_the_tracker(tmp_path, eager, build_dataset):
    def run(epochs):
        tracker = Notebook()
        log = TrackingLog(tracker, name="run", every_steps=None)
        checkpoint = Checkpoint(tmp_path, companions=[log])
        model, data = eager(), build_dataset()
        point = checkpoint.restore(model)
        fit(model, data, [log, checkpoint], epochs=epochs, initial_epoch=point.epoch)
        return tracker.entries

    assert run(1)[0] == ("start", "run", {}, None)
    entries = run(2)
    assert entries[0] == ("start", "run", {}, "run-7")
    assert [entry[1] for entry in entries if entry[0] == "log"] == [10]


@pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::DeprecationWarning")
def test_mlflow_keeps_runs_in_its_file_store(tmp_path, monkeypatch, eager, build_dataset):
    mlflow = pytest.importorskip("mlflow")
    monkeypatch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")
    place = f"file://{tmp_path}"
    log = TrackingLog(
        MLflow(tracking_uri=place, experiment="reviews"),
        name="first",
        settings={"learning_rate": 0.1, "labels": ("a", "b")},
        every_steps=2,
    )
    fit(eager(), build_dataset(), [log, keras.callbacks.TerminateOnNaN()])

    client = mlflow.MlflowClient(place)
    (run,) = client.search_runs([client.get_experiment_by_name("reviews").experiment_id])
    assert run.info.run_name == "first"
    assert run.info.status == "FINISHED"
    assert run.data.params == {"learning_rate": "0.1", "labels": "('a', 'b')"}
    assert run.data.metrics["epoch_accuracy"] == pytest.approx(
        log.model.history.history["accuracy"][0]
    )
    assert [each.step for each in client.get_metric_history(run.info.run_id, "step_loss")] == [2, 4]


def test_unknown_and_missing_trackers(monkeypatch):
    with pytest.raises(ConfigError, match=r"Received: 'mlfow'\. Did you mean 'mlflow'"):
        make_tracker("mlfow")
    monkeypatch.setitem(sys.modules, "wandb", None)
    with pytest.raises(ConfigError, match=r"pip install 'tfaigc\[tracking\]'"):
        make_tracker("wandb")

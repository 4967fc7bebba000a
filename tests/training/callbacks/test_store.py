"""The directory of snapshots under kills, failures and a second process."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from killing import kills

from tfaigc.errors import TrainingError
from tfaigc.training.callbacks import snapshots
from tfaigc.training.callbacks.store import SnapshotStore
from tfaigc.training.directory_lock import DirectoryLock

# The step of each save and of the best one by then; step 2 is saved twice, as when a run is
# stopped right after a save.
SAVES = [(1, 1), (2, 1), (2, 1), (3, 1), (4, 4)]


def model_at(step: int) -> Any:
    """What the store needs of a model, with values that tell the step."""

    def variable(path: str, value: float) -> Any:
        return SimpleNamespace(path=path, numpy=lambda: np.full(3, value, np.float32))

    optimizer = SimpleNamespace(variables=[variable("momentum", -step)])
    return SimpleNamespace(variables=[variable("kernel", step)], optimizer=optimizer)


def train(directory: Path) -> None:
    """Goes on from the newest snapshot to the last save, as a run does."""
    store = SnapshotStore(directory, keep=1)
    snapshot = store.newest_unbroken()
    store.prepare(goes_on=True, overwrite=False)
    done = 0 if snapshot is None else snapshot.state["saves"]
    for number, (step, best) in list(enumerate(SAVES, 1))[done:]:
        state = {"best": {"step": best}, "saves": number}
        store.begin_save(model_at(step), global_step=step, state=state, best_step=best)
        store.settle()
    store.release()


def test_a_kill_at_any_change_leaves_the_newest_snapshot_or_the_one_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A kill loses nothing that was written, flushed or not.
    monkeypatch.setattr(snapshots, "_flush", lambda path: None)
    directory = tmp_path / "checkpoints"
    count, newest = 0, 0
    for killed in kills(lambda: train(directory), tmp_path, monkeypatch):
        count += killed
        store = SnapshotStore(directory, keep=1)
        snapshot = store.newest_unbroken()
        number = 0 if snapshot is None else snapshot.state["saves"]
        # One change more never loses a snapshot that was there with one change less.
        assert newest <= number <= newest + 1
        newest = number
        if snapshot is not None:
            step, best = SAVES[number - 1]
            assert snapshot.model["kernel"][0] == step == -snapshot.optimizer["momentum"][0]
            assert best == step or store.path(best) is not None
        train(directory)
        # After the last save there is nothing left to do, so nothing is removed any more.
        left = {each.name for each in directory.iterdir()}
        assert left == {"step-00000004"} or number == len(SAVES)
        shutil.rmtree(directory)
    assert newest == len(SAVES)
    assert count > 80


def test_a_fault_is_told_once_and_its_end_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    store = SnapshotStore(tmp_path, keep=1)
    store.prepare(goes_on=False, overwrite=False)
    write = snapshots.write_snapshot

    def full(path: Path, **contents: Any) -> None:
        if path.name in ("step-00000002", "step-00000003"):
            raise OSError(28, "No space left on device")
        write(path, **contents)

    monkeypatch.setattr(snapshots, "write_snapshot", full)
    faults = []
    with caplog.at_level("INFO"):
        for step in (1, 2, 3, 4):
            store.begin_save(model_at(step), global_step=step, state={}, best_step=None)
            outcome = store.settle()
            assert outcome is not None
            faults.append(bool(outcome.fault))
    assert faults == [False, True, True, False]
    assert store.settle() is None
    messages = [record.getMessage() for record in caplog.records]
    assert len(messages) == 2
    assert "No checkpoint at step 2: " in messages[0]
    assert "No space left on device" in messages[0]
    assert messages[1] == "Checkpoints are saved again, from step 4 on."


def test_a_second_process_is_refused_until_the_first_ends(tmp_path: Path) -> None:
    lines = (
        "import sys; from pathlib import Path",
        "from tfaigc.training.directory_lock import DirectoryLock",
        f"lock = DirectoryLock(Path({str(tmp_path)!r}))",
        "lock.acquire()",
        "print('held', flush=True)",
        "sys.stdin.read()",
    )
    with subprocess.Popen(
        [sys.executable, "-c", "\n".join(lines)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "held\n"
        store = SnapshotStore(tmp_path, keep=1)
        with pytest.raises(TrainingError, match="where another one trains"):
            store.prepare(goes_on=True, overwrite=False)
        other.kill()
        other.wait()
        store.prepare(goes_on=True, overwrite=False)
    store.release()


def test_locks_within_one_process(tmp_path: Path) -> None:
    first, strict = DirectoryLock(tmp_path), DirectoryLock(tmp_path)
    first.acquire()
    first.acquire()
    DirectoryLock(tmp_path, shared_with_itself=True).acquire()
    with pytest.raises(TrainingError, match="where another one trains"):
        strict.acquire()
    first.release()
    strict.acquire()
    strict.release()
    assert not list(tmp_path.iterdir())

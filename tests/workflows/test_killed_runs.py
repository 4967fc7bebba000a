"""``kill -9`` while a run works, then the same command: the weights are those of a whole run."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from fork_server import ForkServer

STEPS = 20
Condition = Callable[[Path], bool]


def is_writing(run: Path) -> bool:
    return any(run.glob("checkpoints/.step-*.tmp"))


def is_reporting(run: Path) -> bool:
    return (run / "metrics.json").exists()


def is_finished(run: Path) -> bool:
    return is_reporting(run) and not (run / "checkpoints").exists()


def has_saved(step: int) -> Condition:
    return lambda run: any(
        int(path.name.removeprefix("step-")) >= step for path in run.glob("checkpoints/step-*")
    )


def kill_when(condition: Condition, run: Path, process: int, *, delay: float) -> None:
    """Kills a process soon after its run directory meets a condition, unless it ends before."""
    with contextlib.suppress(ProcessLookupError):
        while not condition(run):
            time.sleep(0.0005)
            os.kill(process, 0)
        time.sleep(delay)
        os.kill(process, signal.SIGKILL)


@pytest.mark.slow
def test_killed_runs_end_with_the_weights_of_a_whole_one(
    command_lines: ForkServer,
    tmp_path: Path,
    tiny_bert: Path,
    reviews_csv: Path,
    request: pytest.FixtureRequest,
) -> None:
    def command(name: str) -> list[str]:
        settings = {
            "model_name_or_path": tiny_bert,
            "train_data": reviews_csv,
            "output_dir": tmp_path / name,
            "learning_rate": 0.01,
            "num_train_epochs": 4,
            "batch_size": 8,
            "save_steps": 1,
            "deterministic": "true",
        }
        recipe = tmp_path / f"{name}.yaml"
        recipe.write_text("".join(f"{key}: {value}\n" for key, value in settings.items()))
        return ["train", str(recipe)]

    def weights(name: str) -> bytes:
        return (tmp_path / name / "model" / "model.safetensors").read_bytes()

    log, generator = tmp_path / "log", random.Random(request.config.getoption("--kills-seed"))
    assert command_lines.log(command("whole"), log).wait() == 0, log.read_text()

    steps = sorted(generator.choices(range(1, STEPS), k=request.config.getoption("--kills") - 2))
    for condition in [is_writing, *map(has_saved, steps), is_reporting]:
        copy = command_lines.log(command("killed"), log)
        delay = generator.choice([0, 0.01, 0.1])
        kill_when(condition, tmp_path / "killed", copy.process, delay=delay)
        assert copy.wait() in (0, -signal.SIGKILL), log.read_text()
        if is_finished(tmp_path / "killed"):  # On a busy machine a kill may come too late.
            break
    else:
        assert command_lines.log(command("killed"), log).wait() == 0, log.read_text()
    assert "goes on from its last checkpoint" in log.read_text()
    assert weights("killed") == weights("whole")

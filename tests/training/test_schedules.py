"""Learning rates equal those of Hugging Face's schedules, step by step."""

from __future__ import annotations

import pytest

from tfaigc.errors import ConfigError
from tfaigc.training.schedules import SCHEDULES, WarmupSchedule


@pytest.mark.parametrize("kind", SCHEDULES)
@pytest.mark.parametrize("warmup", [0, 3, 0.25])
def test_rates_equal_those_of_transformers(kind: str, warmup: float) -> None:
    import torch
    from transformers import get_scheduler

    total = 10
    warmup_steps = 3 if warmup else 0  # a quarter of ten steps, rounded up, is three
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.ones(1))], lr=0.5)
    reference = get_scheduler(kind, optimizer, warmup_steps, total)
    schedule = WarmupSchedule(0.5, kind=kind, warmup_steps=warmup)
    schedule.plan(total_steps=total)
    for step in range(total + 1):
        assert float(schedule(step)) == pytest.approx(reference.get_last_lr()[0], abs=1e-7)
        optimizer.step()
        reference.step()


def test_a_second_run_starts_its_own_rise() -> None:
    schedule = WarmupSchedule(1.0, warmup_steps=2)
    schedule.plan(total_steps=4, first_step=100)
    assert [float(schedule(step)) for step in (100, 101, 102, 103)] == [0.0, 0.5, 1.0, 0.5]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"learning_rate": 0.0}, "learning_rate must be above 0. Received: 0.0"),
        ({"learning_rate": float("nan")}, "learning_rate must be above 0. Received: nan"),
        ({"kind": "linaer"}, "one of linear, cosine.*Did you mean 'linear'"),
        ({"warmup_steps": -1}, "warmup_steps must be a number of steps"),
    ],
)
def test_arguments_out_of_range(arguments: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        WarmupSchedule(**{"learning_rate": 1.0, **arguments})

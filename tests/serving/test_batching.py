"""Requests that share runs get their own rows, in time, or a refusal at once."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import numpy as np
import pytest

from tfaigc.errors import ServingError
from tfaigc.serving.batching import Batching
from tfaigc.serving.scheduling import FULL, Lane, Scheduler
from tfaigc.serving.statuses import Code, RequestError, invalid
from tfaigc.serving.tensors import Arrays

SOON = 10.0


class Recorder:
    """Doubles numbers, notes the batches, and waits at a gate before each."""

    def __init__(self) -> None:
        self.batches: list[list[float]] = []
        self.timeouts: list[float | None] = []
        self.gate = threading.Event()
        self.gate.set()

    def __call__(self, arrays: Arrays, timeout: float | None) -> Arrays:
        assert self.gate.wait(SOON)
        numbers = arrays["x"]
        self.batches.append(numbers.ravel().tolist())
        self.timeouts.append(timeout)
        if np.any(numbers < 0):
            raise invalid("negative")
        return {"y": numbers * 2}


@contextmanager
def scheduler(**settings: Any) -> Iterator[Scheduler]:
    scheduler = Scheduler(Batching(**{"num_batch_threads": 1, **settings}))
    yield scheduler
    scheduler.close()


def rows(*numbers: float) -> dict[str, np.ndarray]:
    return {"x": np.array(numbers, dtype=np.float32)}


def held(run: Recorder, scheduler: Scheduler, lane: Lane) -> Callable[[], None]:
    """Occupies the only thread; gives what sets it free."""
    run.gate.clear()
    scheduler.submit(lane, rows(0))
    while lane.waiting:
        time.sleep(0.001)
    return run.gate.set


def test_what_waits_together_runs_together_and_comes_back_apart() -> None:
    run = Recorder()
    lane = Lane(run, merges=True)
    with scheduler(max_batch_size=4) as shared:
        free = held(run, shared, lane)
        answers = [shared.submit(lane, rows(*part)) for part in ([1], [2, 3], [4], [5, 6, 7])]
        free()
        found = [answer.result(SOON)["y"].tolist() for answer in answers]
    assert found == [[2], [4, 6], [8], [10, 12, 14]]
    assert run.batches == [[0], [1, 2, 3, 4], [5, 6, 7]]


def test_a_full_batch_does_not_wait_and_others_wait_no_longer_than_allowed() -> None:
    run = Recorder()
    lane = Lane(run, merges=True)
    with scheduler(max_batch_size=2, batch_timeout_micros=60_000_000) as shared:
        full = [shared.submit(lane, rows(number)) for number in (1, 2)]
        assert [answer.result(SOON)["y"].tolist() for answer in full] == [[2], [4]]
    with scheduler(max_batch_size=2, batch_timeout_micros=20_000) as shared:
        start = time.monotonic()
        shared.submit(lane, rows(1)).result(SOON)
        assert time.monotonic() - start >= 0.02


def test_while_some_share_a_run_others_gather_for_the_next_unless_they_fill_it() -> None:
    run, settings = Recorder(), {"max_batch_size": 3, "batch_timeout_micros": 20_000}
    with scheduler(num_batch_threads=3, **settings) as shared:
        lane = Lane(run, merges=True)
        run.gate.clear()
        first = [shared.submit(lane, rows(number)) for number in (0, 1)]
        while lane.waiting:
            time.sleep(0.001)
        second = [shared.submit(lane, rows(number)) for number in (2, 3)]
        time.sleep(0.1)
        assert lane.waiting == 2
        second.append(shared.submit(lane, rows(4)))
        while lane.waiting:
            time.sleep(0.001)
        third = [shared.submit(lane, rows(5))]
        time.sleep(0.1)
        assert lane.waiting == 1
        run.gate.set()
        answers = [each.result(SOON)["y"].tolist() for each in (*first, *second, *third)]
    assert answers == [[2 * number] for number in range(6)]
    assert sorted(run.batches) == [[0, 1], [2, 3, 4], [5]]
    assert not lane.shared_runs


def test_batches_are_padded_with_their_first_row() -> None:
    run = Recorder()
    with scheduler(max_batch_size=4, allowed_batch_sizes=(1, 4)) as shared:
        answer = shared.submit(Lane(run, merges=True), rows(3, 5)).result(SOON)
    assert run.batches == [[3, 5, 3, 3]]
    assert answer["y"].tolist() == [6, 10]


def test_large_requests_run_in_slices_and_empty_ones_run() -> None:
    run = Recorder()
    lane = Lane(run, merges=True)
    with scheduler(max_batch_size=2, max_enqueued_batches=1) as shared:
        assert shared.submit(lane, rows(1, 2, 3, 4, 5)).result(SOON)["y"].tolist() == [
            2,
            4,
            6,
            8,
            10,
        ]
        assert shared.submit(lane, rows()).result(SOON)["y"].tolist() == []
    assert run.batches == [[1, 2], [3, 4], [5], []]


def test_other_shapes_and_other_lanes_do_not_mix() -> None:
    run, other = Recorder(), Recorder()
    lane, second, single = Lane(run, merges=True), Lane(other, merges=True), Lane(run, merges=False)
    with scheduler(max_batch_size=8) as shared:
        free = held(run, shared, lane)
        answers = [
            shared.submit(lane, rows(1)),
            shared.submit(lane, {"x": np.ones((1, 2), np.float32)}),
            shared.submit(second, rows(2)),
            shared.submit(single, rows(3)),
            shared.submit(single, rows(4)),
            shared.submit(lane, rows(5)),
        ]
        free()
        shapes = [answer.result(SOON)["y"].shape for answer in answers]
    assert shapes == [(1,), (1, 2), (1,), (1,), (1,), (1,)]
    assert run.batches == [[0], [1, 5], [1, 1], [3], [4]]
    assert other.batches == [[2]]


def test_one_wrong_request_harms_no_other() -> None:
    run = Recorder()
    lane = Lane(run, merges=True)
    with scheduler(max_batch_size=8) as shared:
        free = held(run, shared, lane)
        good, bad, late = (shared.submit(lane, rows(number)) for number in (1, -1, 2))
        free()
        assert good.result(SOON)["y"].tolist() == [2]
        assert late.result(SOON)["y"].tolist() == [4]
        with pytest.raises(RequestError, match="negative"):
            bad.result(SOON)


@pytest.mark.parametrize(("merges", "size"), [(True, 1), (True, 4), (False, 4)])
def test_a_wrong_request_alone_runs_once(merges: bool, size: int) -> None:
    run = Recorder()
    with scheduler(max_batch_size=size) as shared:
        answer = shared.submit(Lane(run, merges=merges), rows(-1))
        with pytest.raises(RequestError, match="negative"):
            answer.result(SOON)
    assert run.batches == [[-1]]


def test_outputs_without_rows_are_computed_alone() -> None:
    def first_row(arrays: Arrays, timeout: float | None) -> Arrays:
        return {"y": arrays["x"][:1]}

    lane, run = Lane(first_row, merges=True), Recorder()
    with scheduler(max_batch_size=8, allowed_batch_sizes=(8,)) as shared:
        free = held(run, shared, Lane(run, merges=True))
        answers = [shared.submit(lane, rows(number, 0)) for number in (1, 2)]
        free()
        assert [answer.result(SOON)["y"].tolist() for answer in answers] == [[1], [2]]


@pytest.mark.parametrize(("merges", "size"), [(True, 1), (True, 4), (False, 4)])
def test_what_is_too_much_is_refused_at_once(merges: bool, size: int) -> None:
    run = Recorder()
    lane = Lane(run, merges=merges)
    with scheduler(max_batch_size=size, max_enqueued_batches=2) as shared:
        free = held(run, shared, lane)
        answers = [shared.submit(lane, rows(number)) for number in range(2 * size)]
        with pytest.raises(RequestError) as caught:
            shared.submit(lane, rows(9))
        assert (caught.value.code, caught.value.message) == (Code.UNAVAILABLE, FULL)
        shared.submit(Lane(run, merges=merges), rows(7))
        free()
        assert [answer.result(SOON)["y"].item() for answer in answers] == [
            2 * number for number in range(2 * size)
        ]


def test_a_deadline_that_is_over_is_not_worked_for() -> None:
    run = Recorder()
    lane = Lane(run, merges=True)
    with scheduler(max_batch_size=1) as shared:
        free = held(run, shared, lane)
        now = time.monotonic()
        late = shared.submit(lane, rows(1), now)
        unwanted = shared.submit(lane, rows(2))
        unwanted.cancel()
        soon = shared.submit(lane, rows(3), now + SOON)
        free()
        with pytest.raises(RequestError) as caught:
            late.result(SOON)
        assert caught.value.code is Code.DEADLINE_EXCEEDED
        assert soon.result(SOON)["y"].tolist() == [6]
    assert run.batches == [[0], [3]]
    assert run.timeouts[0] is None
    assert 0 < run.timeouts[1] <= SOON  # type: ignore[operator]


def test_a_batch_may_run_as_long_as_its_most_patient_request() -> None:
    run = Recorder()
    lane = Lane(run, merges=True)
    with scheduler(max_batch_size=2) as shared:
        for deadlines in ((1.0, 5.0), (1.0, None)):
            free = held(run, shared, lane)
            now = time.monotonic()
            for each in deadlines:
                last = shared.submit(lane, rows(1), each and now + each)
            free()
            last.result(SOON)
    assert 1 < run.timeouts[1] <= 5  # type: ignore[operator]
    assert run.timeouts[3] is None


def test_the_end_answers_what_waits_and_takes_no_more() -> None:
    run = Recorder()
    lane = Lane(run, merges=True)
    shared = Scheduler(Batching(max_batch_size=4, batch_timeout_micros=60_000_000))
    answer = shared.submit(lane, rows(1))
    shared.close()
    assert answer.result(0)["y"].tolist() == [2]
    with pytest.raises(RequestError, match="shutting down"):
        shared.submit(lane, rows(1))


def test_everyone_gets_the_own_rows_under_load() -> None:
    def double(arrays: Arrays, timeout: float | None) -> Arrays:
        return {"y": arrays["x"] * 2}

    lanes = [Lane(double, merges=True), Lane(double, merges=True), Lane(double, merges=False)]

    def ask(seed: int) -> bool:
        draw = random.Random(seed)
        numbers = [draw.random() for _ in range(draw.randrange(20))]
        arrays = {"x": np.array(numbers).reshape(len(numbers), 1)[:, [0] * draw.randrange(1, 3)]}
        answer = shared.submit(draw.choice(lanes), arrays).result(SOON)
        return np.array_equal(answer["y"], arrays["x"] * 2)

    with (
        scheduler(max_batch_size=8, allowed_batch_sizes=(3, 8), num_batch_threads=3) as shared,
        ThreadPoolExecutor(16) as pool,
    ):
        assert all(pool.map(ask, range(3000)))
        assert all(lane.waiting == 0 and not lane.queues for lane in lanes)


def test_a_slow_model_leaves_threads_to_others() -> None:
    slow, other = Recorder(), Recorder()
    lanes = [Lane(slow, merges=False, model="slow") for _ in range(2)]
    with scheduler(num_batch_threads=2, max_runs_per_model=1) as shared:
        slow.gate.clear()
        waiting = [shared.submit(lane, rows(number)) for number, lane in enumerate(lanes)]
        quick = shared.submit(Lane(other, merges=False, model="other"), rows(5))
        assert quick.result(SOON)["y"].tolist() == [10]
        assert sum(lane.waiting for lane in lanes) == 1
        slow.gate.set()
        assert [each.result(SOON)["y"].tolist() for each in waiting] == [[0], [2]]


def test_the_end_comes_for_threads_that_may_not_run() -> None:
    run = Recorder()
    lane = Lane(run, merges=False)
    with scheduler(num_batch_threads=4, max_runs_per_model=1) as shared:
        free = held(run, shared, lane)
        answers = [shared.submit(lane, rows(number)) for number in range(9)]
        closing = threading.Thread(target=shared.close)
        closing.start()
        free()
        closing.join(SOON)
        assert not closing.is_alive()
    assert [each.result(0)["y"].tolist() for each in answers] == [[2 * n] for n in range(9)]


@pytest.mark.parametrize(
    "settings",
    [
        {"max_batch_size": 0},
        {"max_runs_per_model": 0},
        {"max_enqueued_batches": 0},
        {"num_batch_threads": 0},
        {"max_batch_size": 8, "allowed_batch_sizes": (4, 2, 8)},
        {"max_batch_size": 8, "allowed_batch_sizes": (0, 8)},
        {"max_batch_size": 8, "allowed_batch_sizes": (2, 4)},
    ],
)
def test_settings_that_make_no_sense_are_refused(settings: dict[str, Any]) -> None:
    with pytest.raises(ServingError, match="must"):
        Batching(**settings)

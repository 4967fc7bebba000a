"""Runs of signatures on a few threads, where requests that fit share a run."""

from __future__ import annotations

import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Hashable
from concurrent.futures import Future
from dataclasses import dataclass, field
from itertools import accumulate

from tfaigc.serving.batches import merge, padded_size, rows_in, run_padded
from tfaigc.serving.batching import Batching
from tfaigc.serving.statuses import Code, RequestError
from tfaigc.serving.tensors import Arrays

Answer = Future[Arrays]
Run = Callable[[Arrays, float | None], Arrays]

FULL = "The batch scheduling queue to which this task was submitted is full"
LATE = "The request's deadline was exceeded before it could be answered"


@dataclass
class _Task:
    arrays: Arrays
    rows: int
    deadline: float | None
    arrival: float
    answer: Answer


@dataclass
class _Queue:
    """Tasks that can share a run: of one signature, with equal inputs but for the rows."""

    lane: Lane
    key: Hashable
    tasks: deque[_Task] = field(default_factory=deque)
    rows: int = 0


class Lane:
    """The way to one signature of one version of a model.

    Args:
        run: Runs the signature on arrays, within some seconds.
        merges: Whether requests may share a run.
        model: The model, whose runs are counted together.
    """

    def __init__(self, run: Run, *, merges: bool, model: str = "") -> None:
        self.run = run
        self.merges = merges
        self.model = model
        self.waiting = 0
        self.queues: dict[Hashable, _Queue] = {}
        self.shared_runs: Counter[Hashable] = Counter()


class Scheduler:
    """Threads that take the oldest work first.

    Args:
        batching: How requests share runs.
        waited: Told how many seconds a request waited for its run.
    """

    def __init__(
        self, batching: Batching, waited: Callable[[float], None] = lambda seconds: None
    ) -> None:
        self.batching = batching
        self._waited = waited
        self._changed = threading.Condition()
        self._queues: list[_Queue] = []
        self._running: Counter[str] = Counter()
        self._closing = False
        self._threads = [
            threading.Thread(target=self._work, name=f"run-{number}", daemon=True)
            for number in range(batching.num_batch_threads)
        ]
        for thread in self._threads:
            thread.start()

    def submit(self, lane: Lane, arrays: Arrays, deadline: float | None = None) -> Answer:
        """Puts a request into a lane.

        Args:
            lane: The signature's lane.
            arrays: An array for each of its inputs.
            deadline: When the answer is of no use any more, by `time.monotonic()`.

        Returns:
            The arrays by output name, to come; or the `RequestError` that they failed with.

        Raises:
            RequestError: Too much is waiting there, or the server is about to end.
        """
        merges = lane.merges and self.batching.max_batch_size > 1
        rows = rows_in(arrays) if merges else 1
        answer: Answer = Future()
        key = _key(arrays) if merges else None
        with self._changed:
            if self._closing:
                raise RequestError(Code.UNAVAILABLE, "The server is shutting down")
            capacity = self.batching.max_enqueued_batches * self.batching.max_batch_size
            # A single request larger than all that may wait has its turn when nothing waits.
            if lane.waiting and lane.waiting + rows > capacity:
                raise RequestError(Code.UNAVAILABLE, FULL)
            queue = lane.queues.get(key)
            if queue is None:
                queue = lane.queues[key] = _Queue(lane, key)
                self._queues.append(queue)
            queue.tasks.append(_Task(arrays, rows, deadline, time.monotonic(), answer))
            queue.rows += rows
            lane.waiting += rows
            self._changed.notify()
        return answer

    def close(self) -> None:
        """Answers what is waiting, takes no more, and ends the threads."""
        with self._changed:
            self._closing = True
            self._changed.notify_all()
        for thread in self._threads:
            thread.join()

    def _work(self) -> None:
        while (taken := self._take()) is not None:
            queue, tasks = taken
            lane = queue.lane
            ready = [task for task in tasks if _is_wanted(task)]
            for task in ready:
                self._waited(time.monotonic() - task.arrival)
            if ready:
                _answer(lane, ready, self.batching)
            with self._changed:
                self._running[lane.model] -= 1
                if len(tasks) > 1:
                    # Keys that nothing has any more are forgotten.
                    lane.shared_runs -= Counter([queue.key])
                self._changed.notify()
            # Arrays must not live on in this frame until the next request comes.
            del taken, queue, lane, tasks, ready

    def _take(self) -> tuple[_Queue, list[_Task]] | None:
        """Waits for a batch that is ready; None when there will be no more."""
        with self._changed:
            while True:
                now = time.monotonic()
                ready, wait = None, None
                for queue in filter(self._may_run, self._queues):
                    remaining = self._remaining(queue, now)
                    if remaining > 0:
                        wait = remaining if wait is None else min(wait, remaining)
                    elif ready is None or queue.tasks[0].arrival < ready.tasks[0].arrival:
                        ready = queue
                if ready is not None:
                    return ready, self._pop(ready)
                if self._closing and not self._queues:
                    self._changed.notify_all()
                    return None
                self._changed.wait(wait)

    def _may_run(self, queue: _Queue) -> bool:
        most = self.batching.max_runs_per_model
        if most is not None and self._running[queue.lane.model] >= most:
            return False
        # Where requests come so fast that they share a run, the next one begins when that ends,
        # with more of them: two small runs at the same time take longer than a large one.
        is_full = queue.rows >= self.batching.max_batch_size
        return is_full or self._closing or not queue.lane.shared_runs[queue.key]

    def _remaining(self, queue: _Queue, now: float) -> float:
        """How long the oldest task of a queue still waits for company."""
        full = queue.rows >= self.batching.max_batch_size
        if full or self._closing or not queue.lane.merges:
            return 0
        return queue.tasks[0].arrival + self.batching.batch_timeout_micros * 1e-6 - now

    def _pop(self, queue: _Queue) -> list[_Task]:
        lane = queue.lane
        tasks = [queue.tasks.popleft()]
        rows = tasks[0].rows
        while (
            lane.merges
            and queue.tasks
            and rows + queue.tasks[0].rows <= self.batching.max_batch_size
        ):
            tasks.append(queue.tasks.popleft())
            rows += tasks[-1].rows
        queue.rows -= rows
        lane.waiting -= rows
        self._running[lane.model] += 1
        if len(tasks) > 1:
            lane.shared_runs[queue.key] += 1
        if queue.tasks:
            # What is left may be ready too, and only one thread was woken.
            self._changed.notify()
        else:
            self._queues.remove(queue)
            lane.queues = {key: other for key, other in lane.queues.items() if other is not queue}
        return tasks


def _key(arrays: Arrays) -> Hashable:
    """What must be equal for requests to share a run."""
    return tuple((name, array.shape[1:]) for name, array in sorted(arrays.items()))


def _is_wanted(task: _Task) -> bool:
    if not task.answer.set_running_or_notify_cancel():
        return False
    if task.deadline is not None and time.monotonic() >= task.deadline:
        task.answer.set_exception(RequestError(Code.DEADLINE_EXCEEDED, LATE))
        return False
    return True


def _answer(lane: Lane, tasks: list[_Task], batching: Batching) -> None:
    """Runs tasks as one batch, or one by one where the batch fails."""
    if _is_as_asked(lane, tasks, batching):
        _answer_alone(lane, tasks[0], batching)
        return
    try:
        parts = _run_together(lane, tasks, batching)
        for task, part in zip(tasks, parts, strict=True):
            task.answer.set_result(part)
    except Exception:
        # One wrong row, or outputs that are no rows, must not spoil the answers to others.
        for task in tasks:
            _answer_alone(lane, task, batching)


def _is_as_asked(lane: Lane, tasks: list[_Task], batching: Batching) -> bool:
    """Whether a batch is one task without padding, which would only fail once more alone."""
    rows = tasks[0].rows
    is_padded = lane.merges and padded_size(rows, batching.allowed_batch_sizes) != rows
    return len(tasks) == 1 and not is_padded


def _answer_alone(lane: Lane, task: _Task, batching: Batching) -> None:
    try:
        if task.rows <= batching.max_batch_size:
            task.answer.set_result(lane.run(task.arrays, _seconds_until(task.deadline)))
        else:
            task.answer.set_result(_run_slices(lane, task.arrays, batching, task.deadline))
    except Exception as error:
        task.answer.set_exception(error)


def _run_together(lane: Lane, tasks: list[_Task], batching: Batching) -> list[Arrays]:
    deadlines = [task.deadline for task in tasks if task.deadline is not None]
    # A run may go on as long as any of its requests still waits.
    last = max(deadlines) if len(deadlines) == len(tasks) else None
    whole = _run_slices(lane, merge([task.arrays for task in tasks]), batching, last)
    ends = list(accumulate(task.rows for task in tasks))
    return [
        {name: array[end - task.rows : end] for name, array in whole.items()}
        for end, task in zip(ends, tasks, strict=True)
    ]


def _run_slices(lane: Lane, arrays: Arrays, batching: Batching, deadline: float | None) -> Arrays:
    """Runs rows in batches of the largest size, padded to sizes that are allowed."""
    size, answers = batching.max_batch_size, []
    for start in range(0, max(1, rows_in(arrays)), size):
        part = {name: array[start : start + size] for name, array in arrays.items()}
        target = padded_size(rows_in(part), batching.allowed_batch_sizes)
        answers.append(run_padded(lane.run, part, target, _seconds_until(deadline)))
    return merge(answers)


def _seconds_until(deadline: float | None) -> float | None:
    return None if deadline is None else max(0.001, deadline - time.monotonic())

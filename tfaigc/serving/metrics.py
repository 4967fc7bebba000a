"""What the server counts, under TensorFlow Serving's names, for Prometheus."""

from __future__ import annotations

import re
from collections.abc import Sequence

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from tfaigc.serving.statuses import Code

PATH = "/monitoring/prometheus/metrics"

_PREFIX = ":tensorflow:serving:"
# Microseconds, in the official server's steps: 10 times the powers of 1.8, up to 20 minutes.
_LATENCIES = [10 * 1.8**power for power in range(33)]
_SECONDS = [microseconds * 1e-6 for microseconds in _LATENCIES]
_ROWS = [2**power for power in range(13)]
_VERSION = ["model", "version", "signature"]


class Metrics:
    """Counters and histograms of one server.

    Attributes:
        registry: Where they are listed.
    """

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._requests = self._counter("request_count", ["model_name", "status"])
        self._latency = self._latencies("request_latency", ["model_name", "API", "entrypoint"])
        self._runtime = self._latencies("runtime_latency", ["model_name", "API", "runtime"])
        self._examples = self._counter("request_example_count_total", ["model"])
        self._queuing = self._latencies("batching_session:queuing_latency", [])
        self._warm_up = self._latencies("model_warmup_latency", ["model_path", "status"])
        self._loads = Counter(
            ":tensorflow:cc:saved_model:load_attempt_count",
            "Attempts to load a SavedModel.",
            ["model_path", "status"],
            registry=self.registry,
        )
        self._runs = Histogram(
            "tfaigc_serving_run_seconds",
            "Time that a batch took to compute.",
            _VERSION,
            buckets=_SECONDS,
            registry=self.registry,
        )
        self._batches = Histogram(
            "tfaigc_serving_batch_rows",
            "Rows that were computed together.",
            _VERSION,
            buckets=_ROWS,
            registry=self.registry,
        )
        self._waiting = Gauge(
            "tfaigc_serving_requests_under_way",
            "Requests that are not answered yet.",
            registry=self.registry,
        )

    def request_begins(self) -> None:
        """Counts a request that came."""
        self._waiting.inc()

    def request_ends(
        self, model: str, api: str, entrypoint: str, code: Code, seconds: float
    ) -> None:
        """Counts an answer.

        Args:
            model: The model; empty where there is none of the name that was asked.
            api: The call, such as `predict`.
            entrypoint: `REST` or `GRPC`.
            code: Its status.
            seconds: The time since the request came.
        """
        self._waiting.dec()
        self._requests.labels(model, code.name).inc()
        if code is Code.OK:
            self._latency.labels(model, api, entrypoint).observe(seconds * 1e6)

    def examples(self, model: str, rows: int) -> None:
        """Counts the examples of a request."""
        self._examples.labels(model).inc(rows)

    def run(self, model: str, version: int, signature: str, rows: int, seconds: float) -> None:
        """Counts a batch that was computed.

        Args:
            model: The model.
            version: Its version.
            signature: The signature.
            rows: The batch's size, padding included.
            seconds: How long it took.
        """
        self._runtime.labels(model, "Predict", "TF1").observe(seconds * 1e6)
        self._runs.labels(model, version, signature).observe(seconds)
        self._batches.labels(model, version, signature).observe(rows)

    def waited(self, seconds: float) -> None:
        """Counts the time that a request waited to be computed."""
        self._queuing.observe(seconds * 1e6)

    def loaded(self, path: str, code: Code) -> None:
        """Counts an attempt to load a version."""
        status = "success" if code is Code.OK else "fail"
        self._loads.labels(path, status).inc()

    def warmed_up(self, path: str, code: Code, seconds: float) -> None:
        """Counts a version's warm-up."""
        self._warm_up.labels(path, code.name).observe(seconds * 1e6)

    def page(self) -> bytes:
        """Writes all metrics in Prometheus's text form.

        Returns:
            The text. The library's additions to the official names are left out: the ending of
            counters, and the times at which they began.
        """
        lines = generate_latest(self.registry).decode().splitlines()
        kept = [line for line in lines if not re.search(r"_created( |\{|$)", line)]
        text = "\n".join(kept) + "\n"
        return re.sub(r"\b(request_count|load_attempt_count)_total\b", r"\1", text).encode()

    def _counter(self, name: str, labels: Sequence[str]) -> Counter:
        return Counter(_PREFIX + name, _words(name), labels, registry=self.registry)

    def _latencies(self, name: str, labels: Sequence[str]) -> Histogram:
        return Histogram(
            _PREFIX + name,
            f"{_words(name)}, in microseconds.",
            labels,
            buckets=_LATENCIES,
            registry=self.registry,
        )


def _words(name: str) -> str:
    return name.replace("_", " ").replace(":", ", ").capitalize()

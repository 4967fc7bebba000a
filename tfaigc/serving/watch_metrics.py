"""What is counted of a sample of inputs and answers, so that shifts in them can be seen."""

from __future__ import annotations

import threading
from collections.abc import Iterable

from prometheus_client import CollectorRegistry, Counter, Histogram

_VERSION = ("model", "version", "signature")
_LENGTHS = [2**power for power in range(21)]
_TWENTIETHS = [step / 20 for step in range(21)]

# Each label is a series of its own for as long as the server lives.
_MOST_LABELS = 100
_LONGEST_LABEL = 64
OTHER = "(other)"


class WatchMetrics:
    """Counters and histograms of sampled requests.

    Args:
        registry: Where they are listed.
    """

    def __init__(self, registry: CollectorRegistry) -> None:
        self._registry = registry
        self._seen: dict[tuple[str, ...], set[str]] = {}
        self._lock = threading.Lock()
        self._examples = self._counter("examples", "Examples of sampled requests.")
        self._missed = self._counter("missed_requests", "Sampled requests that nobody looked at.")
        self._characters = self._histogram(
            "input_characters", "Length of texts, in characters.", _LENGTHS, "input"
        )
        self._tokens = self._histogram("input_tokens", "Length of examples, in tokens.", _LENGTHS)
        self._unknown = self._counter("unknown_tokens", "Tokens that the vocabulary lacks.")
        self._scores = self._histogram("score", "Outputs of one number.", _TWENTIETHS, "output")
        self._labels = self._counter("labels", "Labels that were given.", "output", "label")

    def examples(self, version: tuple[str, ...], count: int) -> None:
        """Counts examples that were looked at.

        Args:
            version: Model, version and signature, here as below.
            count: How many.
        """
        self._examples.labels(*version).inc(count)

    def missed(self, version: tuple[str, ...]) -> None:
        """Counts a request that there was no time to look at."""
        self._missed.labels(*version).inc()

    def characters(self, version: tuple[str, ...], name: str, lengths: Iterable[int]) -> None:
        """Counts the lengths of an input's texts."""
        for length in lengths:
            self._characters.labels(*version, name).observe(length)

    def tokens(self, version: tuple[str, ...], lengths: Iterable[int], unknown: int | None) -> None:
        """Counts the lengths of examples, and their unknown tokens where these can be told."""
        for length in lengths:
            self._tokens.labels(*version).observe(length)
        if unknown is not None:
            self._unknown.labels(*version).inc(unknown)

    def scores(self, version: tuple[str, ...], name: str, scores: Iterable[float]) -> None:
        """Counts an output's numbers."""
        for score in scores:
            self._scores.labels(*version, name).observe(score)

    def labels(self, version: tuple[str, ...], name: str, labels: Iterable[str]) -> None:
        """Counts an output's labels; those that come late among very many count as one."""
        with self._lock:
            seen = self._seen.setdefault((version[0], version[2], name), set())
            for label in labels:
                if len(seen) < _MOST_LABELS and len(label) <= _LONGEST_LABEL:
                    seen.add(label)
                self._labels.labels(*version, name, label if label in seen else OTHER).inc()

    def _counter(self, name: str, words: str, *labels: str) -> Counter:
        return Counter(
            f"tfaigc_serving_watched_{name}", words, [*_VERSION, *labels], registry=self._registry
        )

    def _histogram(self, name: str, words: str, buckets: list[float], *labels: str) -> Histogram:
        return Histogram(
            f"tfaigc_serving_watched_{name}",
            words,
            [*_VERSION, *labels],
            buckets=buckets,
            registry=self._registry,
        )

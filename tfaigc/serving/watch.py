"""A look at some of what is asked and answered, beside the requests' way."""

from __future__ import annotations

import json
import logging
import queue
import random
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple
from weakref import WeakKeyDictionary

import numpy as np

from tfaigc.errors import ServingError
from tfaigc.serving.redaction import redact
from tfaigc.serving.statuses import RequestError
from tfaigc.serving.tensors import Arrays, Signature, example_count
from tfaigc.serving.watch_metrics import WatchMetrics

if TYPE_CHECKING:
    from tfaigc.serving.scheduling import Answer
    from tfaigc.serving.servable import Servable

logger = logging.getLogger(__name__)
text_log = logging.getLogger("tfaigc.serving.texts")

# What waits to be looked at; more is left out rather than let pile up.
_MOST_WAITING = 256
_LONGEST_LOGGED = 2000

# What tfaigc's exports tell of themselves; other models have no such file, or other keys.
_TOLD = Path("assets.extra", "tfaigc.json")
_TOKENIZE = "tokenize"
_LABELS = ("label", "labels")


@dataclass(frozen=True)
class WatchSettings:
    """What to look at.

    Attributes:
        rate: The share of the requests that are sampled.
        log_texts: "redacted" or "raw" to log the texts of sampled requests; None: no text is kept.
    """

    rate: float
    log_texts: str | None = None

    def __post_init__(self) -> None:
        if not 0 < self.rate <= 1:
            raise ServingError(
                f"watch must be above 0, and at most 1. Received: {self.rate}. "
                "Pass 0.1 for a tenth of the requests."
            )


class _Sample(NamedTuple):
    servable: Servable
    signature: str
    inputs: Arrays
    outputs: Arrays


class Watch:
    """Looks at samples on a thread of its own.

    Args:
        settings: What to look at.
        metrics: Where it is counted.
    """

    def __init__(self, settings: WatchSettings, metrics: WatchMetrics) -> None:
        self._settings = settings
        self._metrics = metrics
        self._samples: queue.Queue[_Sample | None] = queue.Queue(_MOST_WAITING)
        self._unknown_ids: WeakKeyDictionary[Servable, int | None] = WeakKeyDictionary()
        self._thread = threading.Thread(target=self._work, name="watch", daemon=True)
        self._thread.start()

    def offer(self, servable: Servable, signature: str, inputs: Arrays, answer: Answer) -> None:
        """Samples a request, or lets it pass.

        Args:
            servable: What was asked.
            signature: The signature.
            inputs: Its inputs.
            answer: The outputs, to come; failures are not looked at.
        """
        if random.random() >= self._settings.rate:
            return
        servable.acquire()

        def take(answer: Answer) -> None:
            if answer.cancelled() or answer.exception() is not None:
                servable.release()
                return
            try:
                self._samples.put_nowait(_Sample(servable, signature, inputs, answer.result()))
            except queue.Full:
                self._metrics.missed(_version(servable, signature))
                servable.release()

        answer.add_done_callback(take)

    def close(self) -> None:
        """Looks at what is waiting, and ends the thread."""
        self._samples.put(None)
        self._thread.join()

    def _work(self) -> None:
        while (sample := self._samples.get()) is not None:
            try:
                self._look(sample)
            except Exception:
                logger.exception("a sampled request could not be looked at")
            finally:
                sample.servable.release()
            # Arrays must not live on in this frame until the next sample comes.
            del sample

    def _look(self, sample: _Sample) -> None:
        servable, name, inputs, outputs = sample
        version = _version(servable, name)
        texts = _texts(servable.signatures[name], inputs)
        self._metrics.examples(version, example_count(inputs))
        for key, values in texts.items():
            self._metrics.characters(version, key, map(len, values))
        self._count_tokens(servable, name, inputs)
        for key, array in outputs.items():
            if array.dtype.kind == "f" and array.ndim == 1:
                self._metrics.scores(version, key, array.tolist())
        for key, labels in _labels(outputs).items():
            self._metrics.labels(version, key, labels)
        if self._settings.log_texts and texts:
            self._log(version, texts, _labels(outputs))

    def _count_tokens(self, servable: Servable, name: str, inputs: Arrays) -> None:
        """Has tfaigc's exports tokenize once more; of other models tokens are not known."""
        tokenize = servable.signatures.get(_TOKENIZE)
        if (
            tokenize is None
            or set(tokenize.inputs) != set(inputs)
            or not {"token_ids", "padding_mask"} <= set(tokenize.outputs)
        ):
            return
        try:
            tokens = servable.model.run(_TOKENIZE, inputs)
        except RequestError:
            return
        is_token = tokens["padding_mask"].astype(bool)
        if servable not in self._unknown_ids:
            self._unknown_ids[servable] = _told(servable.directory).get("unknown_token_id")
        unknown_id, unknown = self._unknown_ids[servable], None
        if unknown_id is not None:
            unknown = int((is_token & (tokens["token_ids"] == unknown_id)).sum())
        self._metrics.tokens(
            _version(servable, name), is_token.sum(axis=-1).ravel().tolist(), unknown
        )

    def _log(
        self,
        version: tuple[str, ...],
        texts: Mapping[str, list[str]],
        labels: Mapping[str, list[str]],
    ) -> None:
        cleaned = redact if self._settings.log_texts == "redacted" else str
        entry: dict[str, Any] = {
            "time": round(time.time(), 3),
            **dict(zip(("model", "version", "signature"), version, strict=True)),
            "inputs": {
                # The end of a text is cut behind the redaction, which half a number would escape.
                key: [cleaned(text)[:_LONGEST_LOGGED] for text in values]
                for key, values in texts.items()
            },
            **labels,
        }
        text_log.info(json.dumps(entry, ensure_ascii=False))


def _version(servable: Servable, signature: str) -> tuple[str, ...]:
    return servable.name, str(servable.version), signature


def _texts(signature: Signature, inputs: Arrays) -> dict[str, list[str]]:
    """Finds the texts among the inputs; serialized examples are none."""
    if signature.name in ("classify", "regress"):
        return {}
    return {
        name: [_text(value) for value in array.flat]
        for name, array in inputs.items()
        if array.dtype == object
    }


def _labels(outputs: Arrays) -> dict[str, list[str]]:
    """Finds the labels among the outputs; other strings may be texts, which no metric may hold."""
    found = {
        name: [label for value in outputs[name].flat if (label := _text(value))]
        for name in _LABELS
        if name in outputs and outputs[name].dtype.kind in "Oiu"
    }
    if {"classes", "scores"} <= set(outputs):
        classes, scores = outputs["classes"], outputs["scores"]
        best = np.take_along_axis(classes, scores.argmax(axis=1)[:, None], axis=1)
        found["classes"] = [_text(value) for value in best.flat]
    return found


def _text(value: Any) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)


def _told(directory: Path) -> dict[str, Any]:
    """Reads what an export tells of itself."""
    try:
        content = json.loads((directory / _TOLD).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}

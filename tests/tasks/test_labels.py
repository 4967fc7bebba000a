"""Labels and stored heads: what is kept, reordered, made fresh or refused."""

from __future__ import annotations

from typing import Any

import pytest

from tfaigc.errors import ConfigError
from tfaigc.families import stored_labels
from tfaigc.tasks.labels import check_labels, choose_head


@pytest.mark.parametrize(
    ("given", "stored", "labels", "order"),
    [
        (None, ["no", "yes"], ("no", "yes"), (0, 1)),
        (["yes", "no"], ["no", "yes"], ("yes", "no"), (1, 0)),
        (["no", "yes"], ["LABEL_0", "LABEL_1"], ("no", "yes"), (0, 1)),
        (["no", "yes"], ["ham", "spam"], ("no", "yes"), None),
        (["no", "yes"], ["LABEL_0", "LABEL_1", "LABEL_2"], ("no", "yes"), None),
        (["no", "yes"], None, ("no", "yes"), None),
    ],
)
def test_choice(given: Any, stored: Any, labels: Any, order: Any) -> None:
    choice = choose_head(given, stored)
    assert (choice.labels, choice.order) == (labels, order)
    assert bool(choice.reason) == (order is None)


def test_no_labels_anywhere() -> None:
    with pytest.raises(ConfigError, match=r"Pass labels=\[\.\.\.\]"):
        choose_head(None, None)


@pytest.mark.parametrize("labels", ["ab", ["a"], ["a", "a"], ["a", ""], ["a", 1], []])
def test_unusable_labels(labels: Any) -> None:
    with pytest.raises(ConfigError, match="distinct, non-empty strings, at least 2"):
        check_labels(labels)


def test_stored_labels() -> None:
    assert stored_labels({"id2label": {"1": "b", "0": "a"}}, num_classes=2) == ("a", "b")
    assert stored_labels({}, num_classes=3) == ("LABEL_0", "LABEL_1", "LABEL_2")
    with pytest.raises(ConfigError, match="must name the classes 0 to 2"):
        stored_labels({"id2label": {"0": "a", "1": "b"}}, num_classes=3)

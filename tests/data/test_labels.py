"""Labels: names first, then numbers, and never a silent mistake between the two."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tfaigc.data import LabelSet
from tfaigc.errors import DataError


@pytest.mark.parametrize(
    ("names", "value", "number"),
    [
        (["bad", "good"], "good", 1),
        (["bad", "good"], " good ", 1),
        (["bad", "good"], 1, 1),
        (["bad", "good"], 1.0, 1),
        (["bad", "good"], "1", 1),
        (["bad", "good"], "1.0", 1),
        (["bad", "good"], True, 1),
        (["bad", "good"], np.int64(1), 1),
        (["bad", "good"], np.float32(0), 0),
        (["bad", "good"], np.str_("good"), 1),
        (["bad", "good"], 2, None),
        (["bad", "good"], -1, None),
        (["bad", "good"], 0.5, None),
        (["bad", "good"], "Good", None),
        (["bad", "good"], None, None),
        (["bad", "good"], float("nan"), None),
        (["bad", "good"], np.float64("nan"), None),
        (["bad", "good"], "", None),
        (["bad", "good"], ["good"], None),
        # Names that are numbers: a number is a name, or nothing.
        (["1", "2", "3"], 1, 0),
        (["1", "2", "3"], 3.0, 2),
        (["1", "2", "3"], 0, None),
        (["-1", "0", "1"], -1, 0),
        (["1", "0"], 0, 1),
        (["0.5", "1.0"], 0.5, 0),
        (["0.5", "1.0"], "1.0", 1),
    ],
)
def test_numbers(names: list[str], value: Any, number: int | None) -> None:
    assert LabelSet(names).number(value) == number


@pytest.mark.parametrize(
    ("values", "names"),
    [
        (["b", "a", "b"], ("a", "b")),
        (["10", 9, 2.0, "2.0"], ("2", "9", "10")),
        ([-1, 0, 1], ("-1", "0", "1")),
        ([True, False], ("0", "1")),
        (["b", None, "", float("nan"), "a", 0.5, ["c"]], ("a", "b")),
        (["nan", "inf", "1"], ("1", "inf", "nan")),
        (["01", "1"], ("01", "1")),
    ],
)
def test_inferred_names(values: list[Any], names: tuple[str, ...]) -> None:
    assert LabelSet.of(values).names == names


@pytest.mark.parametrize("names", [[], ["a", "a"], ["a", " a"]])
def test_names_must_be_distinct(names: list[str]) -> None:
    with pytest.raises(DataError, match="distinct names of classes"):
        LabelSet(names)


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (None, "stars is missing."),
        (["good"], "stars must be a class name or a class number. Received: a list."),
        ("GOOD", "stars must be one of bad, good. Received: 'GOOD'. Did you mean 'good'?"),
        ("goood", "stars must be one of bad, good. Received: 'goood'. Did you mean 'good'?"),
        (7, "stars must be one of bad, good. Received: '7'."),
    ],
)
def test_refusals(value: Any, message: str) -> None:
    assert LabelSet(["bad", "good"]).refusal(value, "stars") == message


def test_long_lists_are_cut() -> None:
    names = [f"class {number}" for number in range(30)]
    assert "class 19 and 10 more. Received" in LabelSet(names).refusal("x", "label")

"""Reports of choices."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tfaigc.errors import DataError
from tfaigc.evaluation import ChosenTexts, choice_report


def test_a_report_counts_choices(tmp_path: Path) -> None:
    chosen = ChosenTexts(
        questions=["Which?", "Who?", "What?"],
        choices=[["a", "b"], ["c", "d"], ["e", "f", "g", "h"]],
        references=np.array([0, 1, 3]),
        probabilities=[np.array(each) for each in ([0.9, 0.1], [0.8, 0.2], [0.1, 0.2, 0.2, 0.5])],
    )
    report = choice_report(chosen)
    assert report.metrics["accuracy"] == pytest.approx(2 / 3)
    assert report.metrics["chance"] == pytest.approx((0.5 + 0.5 + 0.25) / 3)
    assert report.metrics["log_loss"] == pytest.approx(-np.log([0.9, 0.2, 0.5]).mean())
    page = report.save(tmp_path).read_text()
    for text in ("By the number of choices", "place of the right", "1 of 3 choices are wrong"):
        assert text in page
    assert len((tmp_path / "predictions.jsonl").read_text().splitlines()) == 3


def test_what_does_not_fit_together_is_refused() -> None:
    with pytest.raises(DataError, match="a probability for each choice"):
        ChosenTexts(["Which?"], [["a", "b"]], np.array([0]), [np.ones(3)])

"""Metrics of answers: the numbers of SQuAD's official script."""

from __future__ import annotations

from pathlib import Path

import pytest

from tfaigc.errors import DataError
from tfaigc.evaluation import AnsweredQuestions, answer_metrics, answer_report


@pytest.mark.parametrize(
    ("answer", "references", "exact", "f1"),
    [
        ("The London!", ["london"], 1, 1),
        ("in London", ["London", "London, England"], 0, 2 / 3),
        ("London London", ["London"], 0, 2 / 3),
        ("a-b", ["ab"], 1, 1),
        ("theory", ["the ory"], 0, 0),
        ("Paris", ["London"], 0, 0),
        ("", [], 1, 1),
        ("London", [], 0, 0),
        ("", ["London"], 0, 0),
        # Of a reference that is all article nothing is left: it is none.
        ("", ["the"], 1, 1),
        ("Zürich  ist", ["zürich ist"], 1, 1),
    ],
)
def test_one_answer(answer: str, references: list[str], exact: float, f1: float) -> None:
    metrics = answer_metrics([references], [answer])
    assert (metrics["exact_match"], metrics["f1"]) == pytest.approx((exact, f1))


def test_a_report_tells_lengths_apart(tmp_path: Path) -> None:
    answered = AnsweredQuestions(
        questions=["Where?", "Who?", "When?", "Why?"],
        references=[
            ["London"],
            ["Ada King of Lovelace"],
            [],
            ["because of it all and for a b c d e"],
        ],
        answers=["London", "Ada", "1815", ""],
        scores=[0.9, 0.8, 0.7, 0.6],
    )
    report = answer_report(answered)
    page = report.save(tmp_path).read_text()
    for text in ("no answer", "3 to 5", "11 or more", "3 of 4 answers are not exactly right"):
        assert text in page
    assert report.metrics["no_answer_accuracy"] == 0.0
    assert report.metrics["answerable_f1"] == pytest.approx((1 + 2 / 5) / 3)
    assert report.metrics["f1_low"] <= report.metrics["f1"] <= report.metrics["f1_high"]
    assert len((tmp_path / "predictions.jsonl").read_text().splitlines()) == 4


def test_what_does_not_fit_together_is_refused() -> None:
    with pytest.raises(DataError, match="for each of some questions"):
        AnsweredQuestions(["Where?"], [["London"]], [], [])

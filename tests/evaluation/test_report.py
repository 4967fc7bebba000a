import json
import os

import pytest

from tfaigc.errors import TfaigcError
from tfaigc.evaluation import Figure, Report, Table, Text
from tfaigc.evaluation.plots.style import new_figure


def draw():
    figure = new_figure(2, 2)
    figure.subplots().plot([0, 1])
    return figure


@pytest.fixture
def report():
    return Report(
        "A | title",
        metrics={"exact_match": 0.25, "f1": 1},
        sections=[
            Text("Words", "first\n# not a heading"),
            Table("Rows", ("name", "count", "share"), [("a|b", 1200, 0.5), ("c", 3, None)]),
            Table("Nothing", ("name",), []),
            Figure("Curve", "curve", draw, "A line"),
        ],
        predictions=[{"text": "gut\u00e9\nx", "score": 0.5}, {"text": "\ud800", "score": 0.1}],
        notes=["Read *with* care."],
    )


def test_markdown(report):
    assert report.to_markdown() == (
        "# A \\| title\n\n"
        "| metric | value |\n| --- | ---: |\n| exact_match | 0.2500 |\n| f1 | 1.0000 |\n\n"
        "Read \\*with\\* care.\n\n"
        "## Words\n\nfirst # not a heading\n\n"
        "## Rows\n\n| name | count | share |\n| --- | ---: | ---: |\n"
        "| a\\|b | 1,200 | 0.5000 |\n| c | 3 |  |\n\n"
        "## Nothing\n\nNone.\n\n"
        "## Curve\n\n![A line](curve.png)\n"
    )


def test_save(tmp_path, report):
    (tmp_path / "other.txt").write_text("stays")
    assert report.save(tmp_path) == tmp_path / "report.md"
    files = {"report.md", "metrics.json", "predictions.jsonl", "curve.png", "other.txt"}
    assert {path.name for path in tmp_path.iterdir()} == files
    assert (tmp_path / "report.md").read_text(encoding="utf-8") == report.to_markdown()
    assert json.loads((tmp_path / "metrics.json").read_text()) == {"exact_match": 0.25, "f1": 1.0}
    lines = (tmp_path / "predictions.jsonl").read_text(encoding="utf-8").splitlines()
    assert json.loads(lines[0]) == {"text": "gut\u00e9\nx", "score": 0.5}
    assert json.loads(lines[1])["text"] == "\ud800"
    assert (tmp_path / "curve.png").read_bytes().startswith(b"\x89PNG")


def test_save_with_history(tmp_path, report):
    report.save(tmp_path, history=[{"event": "epoch", "epoch": 1, "loss": 0.5}])
    assert (tmp_path / "learning_curves.png").exists()
    assert "(learning_curves.png)" in (tmp_path / "report.md").read_text()
    assert "learning_curves" not in report.to_markdown()


def test_save_again_replaces(tmp_path, report):
    report.save(tmp_path)
    Report("Second", metrics={"f1": 0.5}).save(tmp_path)
    assert (tmp_path / "report.md").read_text().startswith("# Second")
    assert json.loads((tmp_path / "metrics.json").read_text()) == {"f1": 0.5}


def test_a_plot_that_fails_leaves_nothing(tmp_path):
    def fail():
        raise RuntimeError("boom")

    report = Report("Title", metrics={}, sections=[Figure("Curve", "curve", fail, "A line")])
    with pytest.raises(RuntimeError, match="boom"):
        report.save(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk(tmp_path, report, monkeypatch):
    def replace(source, target):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", replace)
    with pytest.raises(TfaigcError, match=r"No space left on device"):
        report.save(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_directory_that_is_a_file(tmp_path, report):
    (tmp_path / "file").write_text("")
    with pytest.raises(TfaigcError, match="can be written to"):
        report.save(tmp_path / "file")

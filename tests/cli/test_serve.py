"""What `tfaigc serve` takes, and refuses before it listens."""

from __future__ import annotations

import logging
import threading
from pathlib import Path

import pytest
from click.testing import CliRunner

from tfaigc.cli import cli
from tfaigc.workflows.serve import read_settings


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "either DIRECTORY or --model-config-file"),
        (["models", "--model-config-file", "a"], "either DIRECTORY or --model-config-file"),
        (["--model-config-file", "a", "--model-name", "b"], "has the names of models"),
        (["models", "--allowed-batch-sizes", "1;2"], "write sizes with commas between"),
        (["models", "--max-batch-size", "0"], "--max-batch-size"),
        (["nowhere", "--port", "0"], "The directory of models must exist"),
        (["--model-config-file", "nowhere", "--port", "0"], "must be a ModelServerConfig"),
        (["nowhere", "--allowed-batch-sizes", "2,4"], "allowed_batch_sizes must rise"),
        (["nowhere", "--token-file", "nowhere"], "The file of tokens must be readable"),
        (["nowhere", "--certificate", "a.pem"], "TLS must have a certificate"),
    ],
)
def test_what_cannot_be_is_refused(
    arguments: list[str], message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    result = CliRunner().invoke(cli, ["serve", *arguments])
    assert result.exit_code == 2
    assert message in result.stderr


def test_what_is_missing_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tfaigc.workflows.serve._NEEDED", ("json", "nonesuch"))
    result = CliRunner().invoke(cli, ["serve", "models"])
    assert result.exit_code == 2
    assert "Missing: nonesuch. Run: pip install 'tfaigc[serving]'" in result.stderr


def test_options_reach_their_places(tmp_path: Path) -> None:
    (tmp_path / "tokens").write_text("a")
    settings = read_settings(
        host="0.0.0.0",
        timeout=2.0,
        max_batch_size=8,
        allowed_batch_sizes=(4, 8),
        token_file=str(tmp_path / "tokens"),
        requests_per_second=3.0,
    )
    assert (settings.host, settings.limits.timeout) == ("0.0.0.0", 2.0)
    assert settings.batching.allowed_batch_sizes == (4, 8)
    assert settings.access.keys is not None
    assert settings.access.rate is not None
    assert not settings.access.has_tls


def test_nobody_waits_for_a_log_that_nobody_reads(monkeypatch: pytest.MonkeyPatch) -> None:
    from tfaigc.workflows import serve

    release, printed = threading.Event(), []

    class Stuck(logging.Handler):
        def __init__(self, stream: object) -> None:
            super().__init__()

        def emit(self, record: logging.LogRecord) -> None:
            assert release.wait(10)
            printed.append(record.getMessage())

    monkeypatch.setattr(serve, "_MOST_LINES", 3)
    monkeypatch.setattr(logging, "StreamHandler", Stuck)
    with serve._printed(["tfaigc.serving.requests"]):
        for number in range(100):
            logging.getLogger("tfaigc.serving.requests").info("%d", number)
        release.set()
    assert printed[0] == "0"
    assert 3 <= len(printed) <= 5

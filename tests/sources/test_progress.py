"""How far a download is, on a terminal and elsewhere."""

from __future__ import annotations

import pytest

from tfaigc.sources import show_progress


def test_plain_lines(capfd: pytest.CaptureFixture[str]) -> None:
    with show_progress("weights.bin", 2_500_000) as advance:
        advance(1_000_000)
    with show_progress("rows.csv", None):
        pass
    assert capfd.readouterr().err.splitlines() == [
        "Fetching weights.bin (2.5 MB)",
        "Fetched weights.bin",
        "Fetching rows.csv",
        "Fetched rows.csv",
    ]


def test_bar_on_a_terminal(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm")
    with show_progress("weights.bin", 2_000_000) as advance:
        advance(2_000_000)
    printed = capfd.readouterr()
    assert printed.out == ""
    assert "2.0/2.0" in printed.err
    assert "Fetching" not in printed.err

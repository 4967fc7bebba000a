"""The notebooks in `examples/` run from top to bottom."""

from __future__ import annotations

import ast
import json
from pathlib import Path
from typing import Any

import pytest

# What networks have that start from nothing.
TINY = {
    "digits": {
        "hidden_size": 16,
        "num_hidden_layers": 1,
        "num_attention_heads": 2,
        "intermediate_size": 16,
    },
    "pronouncer": {"d_model": 16, "d_kv": 8, "num_heads": 2, "d_ff": 16, "num_layers": 1},
}
NOTEBOOKS = sorted((Path(__file__).parents[1] / "examples").glob("*.ipynb"))


def cells(path: Path, kind: str) -> list[dict[str, Any]]:
    content = json.loads(path.read_text(encoding="utf-8"))
    assert content["nbformat"] == 4
    return [each for each in content["cells"] if each["cell_type"] == kind]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_is_clean(path: Path) -> None:
    for cell in cells(path, "code"):
        assert cell["execution_count"] is None
        assert cell["outputs"] == []
    assert cells(path, "markdown")[0]["source"][0].startswith("# ")


@pytest.mark.slow
@pytest.mark.network
@pytest.mark.usefixtures("copied_verifier")
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_runs(
    path: Path, tiny_bert: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In one process, on a tiny model and some of the data."""
    monkeypatch.chdir(tmp_path)
    scope: dict[str, Any] = {}
    for cell in cells(path, "code"):
        text = "".join(cell["source"])
        if text.startswith("%pip"):
            continue
        exec(compile(text, path.name, "exec"), scope)
        if "parameters" in cell["metadata"].get("tags", []):
            known = {each.targets[0].id for each in ast.parse(text).body}  # type: ignore[attr-defined]
            start = {"SIZES": TINY[path.stem]} if path.stem in TINY else {"SOURCE": str(tiny_bert)}
            assert known >= {*start, "EXAMPLES", "EPOCHS"}
            scope |= {**start, "EXAMPLES": 60, "EPOCHS": 1}
    assert list(tmp_path.glob("savedmodels/*/1/saved_model.pb"))

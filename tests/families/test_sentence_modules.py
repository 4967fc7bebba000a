"""sentence-transformers' modules: read without running them, pooled by the published formulas."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tfaigc.errors import CheckpointError, ConfigError, TfaigcError
from tfaigc.families import SentenceModules, read_sentence_modules
from tfaigc.layers import POOLING_MODES, SentencePooling

TRANSFORMER = {
    "idx": 0,
    "name": "0",
    "path": "",
    "type": "sentence_transformers.models.Transformer",
}
POOLING = {"path": "1_Pooling", "type": "sentence_transformers.models.Pooling"}
NORMALIZE = {"path": "2_Normalize", "type": "sentence_transformers.models.Normalize"}


def write(directory: Path, modules: Any, pooling: Any) -> Path:
    (directory / "1_Pooling").mkdir()
    (directory / "modules.json").write_text(json.dumps(modules))
    (directory / "1_Pooling" / "config.json").write_text(json.dumps(pooling))
    return directory


def test_a_published_form(tmp_path: Path) -> None:
    pooling = {
        "word_embedding_dimension": 384,
        "pooling_mode_cls_token": False,
        "pooling_mode_mean_tokens": True,
        "pooling_mode_max_tokens": False,
        "pooling_mode_mean_sqrt_len_tokens": False,
    }
    write(tmp_path, [TRANSFORMER, POOLING, NORMALIZE], pooling)
    (tmp_path / "sentence_bert_config.json").write_text('{"max_seq_length": 256}')
    assert read_sentence_modules(tmp_path) == SentenceModules(("mean",), True, 256)


@pytest.mark.parametrize(
    ("pooling", "modes"),
    [
        ({"pooling_mode_cls_token": True}, ("cls",)),
        ({"pooling_mode_mean_tokens": True, "pooling_mode_max_tokens": True}, ("max", "mean")),
        ({"pooling_mode_mean_sqrt_len_tokens": True}, ("mean_sqrt_len",)),
        ({"pooling_mode_weightedmean_tokens": True}, ("weightedmean",)),
        ({"pooling_mode_lasttoken": True}, ("lasttoken",)),
        ({"pooling_mode": "cls"}, ("cls",)),
    ],
)
def test_pooling_modes(pooling: dict[str, Any], modes: tuple[str, ...], tmp_path: Path) -> None:
    found = read_sentence_modules(write(tmp_path, [TRANSFORMER, POOLING], pooling))
    assert found == SentenceModules(modes)


def test_without_modules(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level("INFO", logger="tfaigc"):
        assert read_sentence_modules(tmp_path) == SentenceModules()
    assert "mean of all tokens" in caplog.text


@pytest.mark.parametrize(
    ("modules", "pooling", "error", "message"),
    [
        ([{"type": "os.system", "path": "x"}], {}, ConfigError, "os.system"),
        ([{"type": "x.Dense", "path": "2_Dense"}], {}, ConfigError, "without this module"),
        ([POOLING], {"pooling_mode_mean_tokens": False}, ConfigError, "Received: none"),
        ([POOLING], {"pooling_mode_attention": True}, ConfigError, "Received: attention"),
        ([{**POOLING, "path": "../other"}], {}, CheckpointError, "must lie inside"),
        ([{**POOLING, "path": "3_Pooling"}], {}, CheckpointError, "cannot be read"),
        ({}, {}, CheckpointError, "list of modules"),
    ],
)
def test_what_is_refused(
    modules: Any, pooling: Any, error: type[TfaigcError], message: str, tmp_path: Path
) -> None:
    with pytest.raises(error, match=message):
        read_sentence_modules(write(tmp_path, modules, pooling))


@pytest.mark.parametrize("mode", POOLING_MODES)
@pytest.mark.parametrize("normalize", [False, True])
def test_pooling_equals_the_formula(mode: str, normalize: bool) -> None:
    random = np.random.default_rng(3)
    lengths = [5, 1, 3]
    sequence = random.normal(size=(3, 5, 4)).astype("float32")
    mask = (np.arange(5) < np.array(lengths)[:, None]).astype("int32")
    rows = []
    for tokens, length in zip(sequence.astype("float64"), lengths, strict=True):
        tokens = tokens[:length]
        weights = np.arange(1, length + 1)
        row = {
            "cls": tokens[0],
            "max": tokens.max(axis=0),
            "mean": tokens.mean(axis=0),
            "mean_sqrt_len": tokens.sum(axis=0) / np.sqrt(length),
            "weightedmean": (tokens * weights[:, None]).sum(axis=0) / weights.sum(),
            "lasttoken": tokens[-1],
        }[mode]
        rows.append(row / np.linalg.norm(row) if normalize else row)
    pooled = SentencePooling([mode], normalize=normalize)(sequence, padding_mask=mask)
    np.testing.assert_allclose(pooled, rows, atol=1e-6)


def test_several_modes_lie_side_by_side() -> None:
    sequence = np.arange(12.0, dtype="float32").reshape(1, 3, 4)
    pooled = np.asarray(SentencePooling(["mean", "cls"])(sequence))
    np.testing.assert_allclose(pooled, [[0, 1, 2, 3, 4, 5, 6, 7]])
    with pytest.raises(ConfigError, match="Received: none"):
        SentencePooling([])

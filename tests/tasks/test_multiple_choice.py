"""MultipleChoice: questions and choices in; one of the choices out."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import BLAME, PRAISE

import tfaigc
from tfaigc.errors import ConfigError, DataError
from tfaigc.tasks.serving import HARD_TEXTS
from tfaigc.workflows.saved_models import ask_saved_model


def questions() -> list[dict[str, Any]]:
    """Questions for a good word among one to three bad ones."""
    rows = []
    for number in range(36):
        wrong = [BLAME[(number + place) % 6] for place in range(1 + number % 3)]
        label = number % (len(wrong) + 1)
        choices = [*wrong[:label], PRAISE[number % 6], *wrong[label:]]
        rows.append({"question": "is it great", "choices": choices, "label": label})
    return rows


@pytest.fixture(scope="module")
def trained(tiny_bert: Path) -> tfaigc.MultipleChoice:
    model = tfaigc.MultipleChoice.from_pretrained(tiny_bert, max_length=16, seed=1)
    model.compile(learning_rate=3e-3, lr_scheduler_type="constant")
    model.fit(questions() * 2, batch_size=8, epochs=6, verbose=0)
    return model


def test_learns_and_chooses(trained: tfaigc.MultipleChoice) -> None:
    report = trained.report(questions())
    assert report.metrics["accuracy"] > 0.9
    measured = trained.evaluate(questions(), verbose=0, return_dict=True)
    assert measured["accuracy"] == pytest.approx(report.metrics["accuracy"])
    assert measured["loss"] == pytest.approx(report.metrics["log_loss"], abs=1e-5)
    row = {"question": "is it great", "choices": ["dull", "moving", "bad"]}
    [answer] = trained.infer([row])
    assert (answer["choice"], answer["label"]) == ("moving", 1)
    assert answer["score"] == max(answer["probabilities"])
    assert len(answer["probabilities"]) == 3
    assert trained.infer([]) == []


def test_choices_that_are_missing_change_nothing(trained: tfaigc.MultipleChoice) -> None:
    rows = questions()
    together = trained.predict(rows)
    assert [len(each) for each in together] == [len(row["choices"]) for row in rows]
    for row, logits in zip(rows[:4], together[:4], strict=True):
        np.testing.assert_allclose(trained.predict([row])[0], logits, atol=1e-5)


def test_the_files_are_those_of_transformers(
    trained: tfaigc.MultipleChoice, tmp_path: Path
) -> None:
    import torch
    from transformers import AutoModelForMultipleChoice, AutoTokenizer

    trained.save_pretrained(tmp_path)
    reference = AutoModelForMultipleChoice.from_pretrained(tmp_path).eval()
    row = questions()[5]
    encoded = AutoTokenizer.from_pretrained(tmp_path)(
        [row["question"]] * len(row["choices"]), row["choices"], return_tensors="pt", padding=True
    )
    with torch.no_grad():
        expected = reference(**{name: ids[None] for name, ids in encoded.items()}).logits[0]
    np.testing.assert_allclose(trained.predict([row])[0], expected.numpy(), atol=1e-5)
    again = tfaigc.MultipleChoice.from_pretrained(tmp_path)
    assert again.settings() == trained.settings() == {"max_length": 16}
    assert again.infer([row]) == trained.infer([row])


def test_the_export_answers_as_the_model(trained: tfaigc.MultipleChoice, tmp_path: Path) -> None:
    version = trained.export(tmp_path)
    rows = [{"question": text, "choices": list(HARD_TEXTS[2:])} for text in HARD_TEXTS[2:]]
    rows += [{"question": "is it great", "choices": ["dull", "moving"]}]
    for found, expected in zip(
        ask_saved_model(str(version), rows), trained.infer(rows), strict=True
    ):
        assert found.pop("probabilities") == pytest.approx(expected.pop("probabilities"), abs=1e-5)
        assert found == {**expected, "score": pytest.approx(expected["score"], abs=1e-5)}
    metadata = json.loads((version / "assets.extra" / "tfaigc.json").read_text())
    signatures = metadata["export"]["signatures"]
    assert set(signatures) == {"serving_default", "tokens", "tokenize"}
    assert set(signatures["serving_default"]["inputs"]) == {"question", "choices"}


def test_what_cannot_be_chosen_is_named(trained: tfaigc.MultipleChoice) -> None:
    with pytest.raises(DataError, match=r"records\[0\]: label must be one of 2 choices"):
        trained.dataset([{"question": "which", "choices": ["a", "b"], "label": 2}])
    with pytest.raises(DataError, match="must have a column 'choices'"):
        trained.infer(["which"])
    with pytest.raises(ConfigError, match="rows of their own"):
        trained.dataset(questions(), packed=True)

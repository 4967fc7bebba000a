"""Every kind of target: training, answers, reports, files and exports."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import tfaigc
from tfaigc.errors import ConfigError, DataError
from tfaigc.export import ask
from tfaigc.tasks.text_task import TextTask
from tfaigc.training.losses import cross_entropy

TEXTS = [
    f"a {word} {thing}"
    for word in ("good", "bad")
    for thing in ("film", "plot", "story", "scene", "actor")
]
SCORES = [1.0] * 5 + [-2.0] * 5
LABEL_LISTS = [["praise"]] * 5 + [["blame"]] * 5


@dataclass(frozen=True)
class ProblemCase:
    """A kind of target.

    Args:
        task: The class.
        arguments: Of ``from_pretrained``.
        records: What the model learns.
        problem_type: What ``transformers`` calls it.
        metrics: Metrics of the report that are 1 where all has been learnt.
        answer: Keys of an answer.
    """

    task: type[TextTask]
    arguments: dict[str, Any]
    records: list[dict[str, Any]]
    problem_type: str
    metrics: tuple[str, ...]
    answer: set[str]


CASES = {
    "several classes": ProblemCase(
        tfaigc.TextClassifier,
        {"labels": ["praise", "blame"], "multi_label": True},
        [{"text": text, "labels": labels} for text, labels in zip(TEXTS, LABEL_LISTS, strict=True)],
        "multi_label_classification",
        ("micro_f1", "macro_f1", "accuracy", "macro_roc_auc"),
        {"labels", "probabilities"},
    ),
    "a number": ProblemCase(
        tfaigc.TextRegressor,
        {},
        [{"text": text, "label": score} for text, score in zip(TEXTS, SCORES, strict=True)],
        "regression",
        ("pearson", "spearman"),
        {"score"},
    ),
    "numbers": ProblemCase(
        tfaigc.TextRegressor,
        {"labels": ["mood", "gloom"]},
        [
            {"text": text, "label": [score, 3 - score]}
            for text, score in zip(TEXTS, SCORES, strict=True)
        ],
        "regression",
        ("pearson", "spearman"),
        {"scores"},
    ),
}


@pytest.fixture(scope="module", params=CASES)
def case(request: pytest.FixtureRequest) -> ProblemCase:
    return CASES[request.param]


@pytest.fixture(scope="module")
def trained(case: ProblemCase, tiny_bert: Path) -> TextTask:
    model = case.task.from_pretrained(tiny_bert, **case.arguments)
    model.compile(learning_rate=1e-3, lr_scheduler_type="constant")
    model.fit(case.records * 10, batch_size=len(TEXTS), epochs=6, verbose=0)
    return model


def test_it_learns_and_reports(case: ProblemCase, trained: TextTask, tmp_path: Path) -> None:
    report = trained.report(case.records)
    for name in case.metrics:
        assert report.metrics[name] > 0.8, (name, report.metrics)
    assert set(trained.infer(TEXTS[:2])[0]) == case.answer
    saved = report.save(tmp_path)
    assert "Per" in saved.read_text() or "Largest errors" in saved.read_text()
    assert len((tmp_path / "predictions.jsonl").read_text().splitlines()) == len(TEXTS)


def test_the_loss_and_the_files_are_those_of_transformers(
    case: ProblemCase, trained: TextTask, tmp_path: Path
) -> None:
    import torch
    from transformers import AutoModelForSequenceClassification

    trained.save_pretrained(tmp_path)
    theirs = AutoModelForSequenceClassification.from_pretrained(tmp_path)
    assert theirs.config.problem_type == case.problem_type
    assert tuple(theirs.config.id2label.values()) == trained.labels
    inputs, targets = next(iter(trained.dataset(case.records, batch_size=len(TEXTS))))
    tensors = {name: torch.tensor(values.numpy()).long() for name, values in inputs.items()}
    targets = torch.tensor(targets.numpy()).float()
    outputs = theirs(
        input_ids=tensors["token_ids"],
        attention_mask=tensors["padding_mask"],
        labels=targets[:, 0] if targets.shape[1] == 1 else targets,
    )
    ours = trained.evaluate(case.records, batch_size=len(TEXTS), verbose=0, return_dict=True)
    assert ours["loss"] == pytest.approx(outputs.loss.item(), abs=1e-5)
    logits = trained.predict(TEXTS)
    np.testing.assert_allclose(logits, outputs.logits.detach().numpy(), atol=1e-5)
    again = case.task.from_pretrained(tmp_path)
    assert type(again.problem) is type(trained.problem)
    np.testing.assert_allclose(again.predict(TEXTS), logits, atol=1e-6)


@pytest.mark.parametrize("case", ["several classes", "a number"], indirect=True)
def test_the_export_answers_as_the_model(trained: TextTask, tmp_path: Path) -> None:
    version = trained.export(tmp_path / "served")
    asked = ask(version, {"text": TEXTS[:4]})
    for row, answer in enumerate(trained.infer(TEXTS[:4])):
        for name, value in answer.items():
            found = asked["score" if name == "scores" else name][row]
            if isinstance(value, dict):
                np.testing.assert_allclose(found, list(value.values()), atol=1e-5)
            elif isinstance(value, list):
                assert [each for each in found if each] == value
            else:
                assert found == pytest.approx(value, abs=1e-5)


@pytest.mark.parametrize(
    ("label", "message"),
    [
        (None, r"records\[1\]: label is missing"),
        ("much", r"records\[1\]: label must be a number. Received: 'much'"),
        (float("inf"), "label must be a finite number"),
        ([1.0, 2.0], "label must be a finite number"),
    ],
)
def test_what_is_no_number_is_refused(tiny_bert: Path, label: Any, message: str) -> None:
    model = tfaigc.TextRegressor.from_pretrained(tiny_bert)
    with pytest.raises(DataError, match=message):
        model.dataset([{"text": "a", "label": "1.5"}, {"text": "b", "label": label}])


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        ({"praise": 1}, r"labels must be a list of class names. Received: .*dict"),
        (["praise", "blmae"], "'blmae'. Did you mean 'blame'"),
        (3, "must be a list"),
        ("[1, ", "must be a list"),
    ],
)
def test_what_is_no_list_of_classes_is_refused(tiny_bert: Path, labels: Any, message: str) -> None:
    model = tfaigc.TextClassifier.from_pretrained(tiny_bert, **CASES["several classes"].arguments)
    with pytest.raises(DataError, match=message):
        model.dataset([{"text": "a", "labels": []}, {"text": "b", "labels": labels}])


@pytest.mark.parametrize("labels", ["praise, blame", '["praise", "blame"]', [0, 1], ("1", 0.0)])
def test_lists_of_classes_may_be_written_in_many_ways(tiny_bert: Path, labels: Any) -> None:
    model = tfaigc.TextClassifier.from_pretrained(tiny_bert, **CASES["several classes"].arguments)
    batches = model.dataset([{"text": "a", "labels": labels}, {"text": "b", "labels": ""}])
    assert next(iter(batches))[1].numpy().tolist() == [[1, 1], [0, 0]]


@pytest.mark.parametrize("several", [False, True])
def test_weights_smoothing_and_focus_are_those_of_their_papers(several: bool) -> None:
    import torch

    random = np.random.default_rng(0)
    logits = random.normal(size=(6, 3)).astype("float32")
    weights = [0.5, 2.0, 1.0]
    make = {"num_classes": 3, "several": several}
    if several:
        targets = random.integers(0, 2, (6, 3))
        probabilities = torch.sigmoid(torch.tensor(logits)).numpy()
        right = np.where(targets == 1, probabilities, 1 - probabilities)
        weighted = (-np.log(right) * weights).mean(axis=1)
        smooth = targets * 0.8 + 0.1
        smoothed = -(smooth * np.log(probabilities) + (1 - smooth) * np.log(1 - probabilities))
        smoothed = smoothed.mean(axis=1)
    else:
        targets = random.integers(0, 3, 6)
        probabilities = torch.softmax(torch.tensor(logits), -1).numpy()
        right = probabilities[np.arange(6), targets]
        weighted = -np.log(right) * np.take(weights, targets)
        theirs = torch.nn.CrossEntropyLoss(label_smoothing=0.2, reduction="none")
        smoothed = theirs(torch.tensor(logits), torch.tensor(targets)).numpy()
    focused = -np.log(right) * (1 - right) ** 2
    focused = focused.mean(axis=1) if several else focused
    for options, expected in [
        ({"class_weights": weights}, weighted),
        ({"label_smoothing": 0.2}, smoothed),
        ({"focal_gamma": 2.0}, focused),
        ({}, (-np.log(right)).mean(axis=1) if several else -np.log(right)),
    ]:
        found = float(cross_entropy(**make, **options)(targets, logits))
        assert found == pytest.approx(float(np.mean(expected)), abs=1e-6), options


@pytest.mark.parametrize(
    "options",
    [
        {"label_smoothing": 1.0},
        {"focal_gamma": -1.0},
        {"class_weights": [1.0]},
        {"class_weights": [1.0, -1.0]},
        {"class_weights": [1.0, float("nan")]},
    ],
)
def test_losses_out_of_range_are_refused(tiny_bert: Path, options: dict[str, Any]) -> None:
    model = tfaigc.TextClassifier.from_pretrained(tiny_bert, labels=["a", "b"])
    with pytest.raises(ConfigError, match=next(iter(options))):
        model.compile(**options)
    with pytest.raises(ConfigError, match="huber_delta"):
        tfaigc.TextRegressor.from_pretrained(tiny_bert).compile(huber_delta=0.0)

"""Entity metrics beside seqeval's, and the reports of taggers."""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import pytest

from tfaigc.errors import DataError
from tfaigc.evaluation import TaggedSentences, entity_metrics, entity_report, tag_report
from tfaigc.training.entities import EntityF1

TAGS = {
    "BIO": ["O", "B-PER", "I-PER", "B-LOC", "I-LOC"],
    "BIOES": ["O", *(f"{prefix}-{label}" for label in ("PER", "LOC") for prefix in "BIES")],
}


def sentences(names: list[str], seed: int) -> list[list[str]]:
    """Draws tags with no regard to any rules, empty of entities now and then."""
    random = np.random.default_rng(seed)
    return [
        random.choice(names[: 1 if row % 5 == 0 else None], 1 + row % 9).tolist()
        for row in range(60)
    ]


@pytest.mark.parametrize("scheme", TAGS)
def test_the_numbers_are_those_of_seqeval(scheme: str) -> None:
    # Its own warnings are of no concern here.
    from seqeval import metrics as seqeval

    true, found = sentences(TAGS[scheme], 1), sentences(TAGS[scheme], 1)
    for place in range(0, 60, 2):
        found[place] = sentences(TAGS[scheme], 2)[place]
    ours = entity_metrics(true, found)
    for name in ("f1", "precision", "recall"):
        score = getattr(seqeval, f"{name}_score")
        assert ours[name] == pytest.approx(score(true, found), abs=1e-12)
        macro = score(true, found, average="macro", zero_division=0)
        assert ours[f"macro_{name}"] == pytest.approx(macro, abs=1e-12)
    weighted = seqeval.f1_score(true, found, average="weighted", zero_division=0)
    assert ours["weighted_f1"] == pytest.approx(weighted, abs=1e-12)
    assert ours["accuracy"] == pytest.approx(seqeval.accuracy_score(true, found), abs=1e-12)
    assert ours["f1_low"] < ours["f1"] < ours["f1_high"]


@pytest.mark.parametrize("scheme", TAGS)
def test_the_metric_of_training_is_that_of_the_report(scheme: str) -> None:
    names = TAGS[scheme]
    true, found = sentences(names, 3), sentences(names, 4)
    found[::2] = true[::2]
    random = np.random.default_rng(0)
    metric = EntityF1(names)
    for batch in (slice(0, 25), slice(25, 60)):
        # Tokens that do not count stand anywhere among those that do, and say anything.
        targets = np.full((len(true[batch]), 15), -100)
        predicted = random.integers(len(names), size=targets.shape)
        for row, tags in enumerate(zip(true[batch], found[batch], strict=True)):
            places = np.sort(random.choice(15, len(tags[0]), replace=False))
            targets[row, places], predicted[row, places] = (
                [names.index(tag) for tag in each] for each in tags
            )
        metric.update_state(targets, np.eye(len(names))[predicted])
    assert float(metric.result()) == pytest.approx(entity_metrics(true, found)["f1"], abs=1e-6)


def tagged(names: list[str]) -> TaggedSentences:
    true, found = sentences(names, 5), sentences(names, 6)
    words = [[f"word{place}" for place in range(len(tags))] for tags in true]
    return TaggedSentences(words, true, found, [np.full(len(tags), 0.75) for tags in true])


def test_reports_say_what_was_taken_for_what(tmp_path: Path) -> None:
    page = entity_report(tagged(TAGS["BIO"])).save(tmp_path).read_text()
    for text in ("Per entity type", "LOC", "predicted entities are wrong", "true ones were missed"):
        assert text in page
    assert (tmp_path / "confusion_matrix.png").exists()
    assert len((tmp_path / "predictions.jsonl").read_text().splitlines()) == 60
    report = tag_report(tagged(["NOUN", "VERB", "DET"]), names=["DET", "NOUN", "VERB"])
    assert report.headline == ("accuracy", "macro_f1")
    assert "tags are wrong" in report.to_markdown()
    assert report.metrics["sentence_accuracy"] < report.metrics["accuracy"]


def test_metrics_of_tags_are_those_of_scikit_learn() -> None:
    from sklearn.metrics import f1_score

    names = ["A", "B", "C", "D"]
    data = tagged(names[:3])
    metrics = tag_report(data, names=names).metrics
    true, found = ([*itertools.chain(*each)] for each in (data.references, data.predicted))
    for average in ("macro", "weighted"):
        expected = f1_score(true, found, average=average)
        assert metrics[f"{average}_f1"] == pytest.approx(expected, abs=1e-12)


def test_sentences_without_entities_have_metrics() -> None:
    assert entity_metrics([["O", "O"]], [["O", "O"]])["f1"] == 0.0
    report = entity_report(TaggedSentences([["a"]], [["O"]], [["O"]], [np.ones(1)]))
    assert report.metrics["accuracy"] == 1.0


def test_what_does_not_fit_together_is_refused() -> None:
    with pytest.raises(DataError, match="a tag and a score for each word"):
        TaggedSentences([["a"]], [["O"]], [["O", "O"]], [np.ones(1)])

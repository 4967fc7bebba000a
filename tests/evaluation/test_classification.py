import json

import numpy as np
import pytest

from tfaigc.errors import DataError
from tfaigc.evaluation import classification_report

PICTURES = ("confusion_matrix", "reliability", "learning_curves", "thresholds")


def test_report(tmp_path):
    report = classification_report(
        class_names=["neg|ative", "positive"],
        references=[0, 0, 1, 1, 1],
        probabilities=[[0.9, 0.1], [0.3, 0.7], [0.05, 0.95], [0.8, 0.2], [0.4, 0.6]],
        texts=["fine", "bad <b>one</b>", "good", "so | so\nreally", "ok"],
    )
    assert report.metrics["accuracy"] == pytest.approx(0.6)
    page = report.to_markdown()
    assert "| class | precision | recall | F1 | support |" in page
    assert "| neg\\|ative | 0.5000 | 0.5000 | 0.5000 | 2 |" in page
    assert "| positive | 0.6667 | 0.6667 | 0.6667 | 3 |" in page
    assert "2 of 5 predictions are wrong." in page
    # The surest error first.
    surest = page.index("| so \\| so really | positive | neg\\|ative | 0.8000 |")
    assert surest < page.index("| bad &lt;b&gt;one&lt;/b&gt; | neg\\|ative | positive | 0.7000 |")

    report.save(tmp_path, history=[{"event": "epoch", "epoch": 1, "loss": 0.5, "val_loss": 0.4}])
    pictures = {f"{name}.png" for name in PICTURES}
    texts = {"report.md", "metrics.json", "headline.json", "predictions.jsonl"}
    assert {path.name for path in tmp_path.iterdir()} == pictures | texts
    lines = (tmp_path / "predictions.jsonl").read_text().splitlines()
    assert json.loads(lines[3]) == {
        "text": "so | so\nreally",
        "reference": "positive",
        "predicted": "neg|ative",
        "score": 0.8,
        "probabilities": [0.8, 0.2],
    }


def test_many_classes_list_the_confusions_that_happen_most():
    references = np.array([0] * 10 + [1] * 4 + [2] * 4)
    predicted = np.array([0] * 7 + [2] * 3 + [0] + [1] * 3 + [2] * 4)
    report = classification_report(
        class_names=["a", "b", "c"], references=references, probabilities=np.eye(3)[predicted]
    )
    page = report.to_markdown()
    assert "| a | c | 3 | 0.3000 |\n| b | a | 1 | 0.2500 |\n\n" in page


def test_without_errors_and_without_texts():
    arguments = {"class_names": ["a", "b"], "references": [0, 1], "probabilities": np.eye(2)}
    assert "surest" not in classification_report(**arguments).to_markdown()
    page = classification_report(**arguments, texts=["x", "y"]).to_markdown()
    assert "None." in page


def test_classes_without_examples_are_named():
    report = classification_report(
        class_names=["a", "b", "c"], references=[0, 0], probabilities=np.eye(3)[[0, 1]]
    )
    assert "No example of: b, c. Their recall and F1 say nothing." in report.to_markdown()


def test_too_many_classes_for_a_plot(tmp_path):
    names = [f"class {index}" for index in range(100)]
    report = classification_report(
        class_names=names, references=np.arange(100), probabilities=np.eye(100)
    )
    assert "confusion_matrix.png" not in report.to_markdown()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"references": [0]}, "one row for each"),
        ({"references": [], "probabilities": np.zeros((0, 2))}, "at least one example"),
        ({"class_names": ["a"]}, "for 1 classes"),
        ({"references": [0, 2]}, "from 0 to 1. Received: int64 from 0 to 2"),
        ({"references": [-1, 0]}, "from 0 to 1"),
        ({"references": [0.0, 1.0]}, "float64"),
        ({"texts": ["x"]}, "Received: 1 for 2"),
        ({"probabilities": [[2.0, -1.0], [0.5, 0.5]]}, "softmax"),
        ({"probabilities": [[3.0, 1.0], [0.5, 0.5]]}, "add up to 1"),
        ({"probabilities": [[np.nan, 1.0], [0.5, 0.5]]}, "NaN"),
    ],
)
def test_arguments_that_do_not_fit(changes, message):
    arguments = {
        "class_names": ["a", "b"],
        "references": [0, 1],
        "probabilities": [[0.5, 0.5], [0.5, 0.5]],
    }
    with pytest.raises(DataError, match=message):
        classification_report(**{**arguments, **changes})

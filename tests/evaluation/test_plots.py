import subprocess
import sys

import numpy as np
import pytest

from tfaigc.evaluation.plots.confusion_matrix import draw_confusion_matrix
from tfaigc.evaluation.plots.learning_curves import draw_learning_curves
from tfaigc.evaluation.plots.reliability import draw_reliability
from tfaigc.evaluation.plots.style import readable_labels, save_png
from tfaigc.evaluation.plots.thresholds import draw_thresholds

HARD_NAMES = ["$x^", "肯定", "\U0001f389", "", "a" * 300, "%d {0}", "two\nlines", "\\alpha"]


def texts_of(axes):
    return [text.get_text() for text in axes.texts]


@pytest.mark.parametrize("num_classes", [2, 8, 11, 50])
def test_confusion_matrix(tmp_path, num_classes):
    counts = np.random.default_rng(0).integers(0, 9, (num_classes, num_classes))
    names = [*HARD_NAMES, *(f"class {index}" for index in range(50))][:num_classes]
    figure = draw_confusion_matrix(counts, names)
    save_png(figure, tmp_path / "plot.png")
    width, height = figure.get_size_inches()
    assert 3 < height < width < 20
    shown = texts_of(figure.axes[0])
    if num_classes <= 10:
        assert len(shown) == num_classes**2
        share = counts[0, 1] / counts[0].sum()
        assert shown[1] == f"{counts[0, 1]}\n{share:.1%}"
    else:
        assert len(shown) == (np.count_nonzero(counts) if num_classes == 11 else 0)


def test_confusion_matrix_with_an_empty_row(tmp_path):
    figure = draw_confusion_matrix(np.array([[0, 0], [3, 5]]), ["a", "b"])
    assert texts_of(figure.axes[0]) == ["0\n0.0%", "0\n0.0%", "3\n37.5%", "5\n62.5%"]


def test_labels_are_short_printable_and_unique():
    labels = readable_labels([*HARD_NAMES, "a" * 300, "b" * 30 + "1", "b" * 30 + "2"])
    assert labels[0] == "$x^"
    assert labels[1:4] == ["#1", "#2", "#3"]
    assert labels[6] == "two lines"
    assert labels[8] == "#8"
    assert labels[9:] == ["b" * 12 + "…" + "b" * 10 + "1", "b" * 12 + "…" + "b" * 10 + "2"]
    assert len(set(labels)) == len(labels)


def test_reliability(tmp_path):
    generator = np.random.default_rng(0)
    confidences = generator.uniform(0.5, 1, 200)
    save_png(draw_reliability(confidences, confidences > 0.7), tmp_path / "plot.png")
    assert (tmp_path / "plot.png").stat().st_size > 5000


def test_thresholds(tmp_path):
    generator = np.random.default_rng(0)
    references = np.arange(200) % 2
    probabilities = np.clip(references * 0.3 + generator.uniform(0, 0.7, 200), 0, 1)
    figure = draw_thresholds(references, probabilities, "positive")
    assert figure.axes[0].get_title().startswith("ROC, area 0.8")
    save_png(figure, tmp_path / "plot.png")
    assert (tmp_path / "plot.png").stat().st_size > 5000


def test_learning_curves(tmp_path):
    history = [
        {"event": "step", "step": 5, "epoch": 0.5, "loss": 0.9, "learning_rate": 0.1},
        {"event": "epoch", "step": 10, "epoch": 1, "seconds": 2.0, "loss": 0.8, "accuracy": 0.5},
        {"event": "epoch", "step": 20, "epoch": 2, "loss": 0.7, "val_loss": 0.6, "accuracy": 0.7},
    ]
    figure = draw_learning_curves(history)
    save_png(figure, tmp_path / "plot.png")
    assert [axes.get_title() for axes in figure.axes] == ["loss", "accuracy"]
    lines = {line.get_label(): line.get_xydata().tolist() for line in figure.axes[0].lines}
    assert lines == {
        "training steps": [[0.5, 0.9]],
        "training": [[1, 0.8], [2, 0.7]],
        "validation": [[2, 0.6]],
    }


@pytest.mark.parametrize(
    "history", [[], [{"event": "step", "step": 1, "epoch": 0.1, "loss": 1.0}], [{"event": "step"}]]
)
def test_learning_curves_of_a_run_that_broke_off(tmp_path, history):
    save_png(draw_learning_curves(history), tmp_path / "plot.png")


def test_pyplot_stays_out(tmp_path):
    # In a process of its own: other tests may import what they like.
    script = (
        "import sys, pathlib, numpy\n"
        "from tfaigc.evaluation import classification_report\n"
        "report = classification_report(class_names='ab', references=[0, 1], "
        "probabilities=numpy.eye(2))\n"
        "report.save(sys.argv[1], history=[{'event': 'epoch', 'epoch': 1, 'loss': 1.0}])\n"
        "assert 'matplotlib.pyplot' not in sys.modules\n"
        "assert 'tensorflow' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", script, str(tmp_path)], check=True)

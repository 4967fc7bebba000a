import csv
import json

import pytest

from tfaigc.training.callbacks import HistoryLog, read_history


@pytest.fixture
def fit(eager, build_dataset):
    def run(callback, epochs=2, **arguments):
        history = eager().fit(
            build_dataset(),
            epochs=epochs,
            verbose=0,
            shuffle=False,
            callbacks=[callback],
            **arguments,
        )
        return history.history

    return run


def test_lines(tmp_path, fit):
    path = tmp_path / "new" / "history.jsonl"
    history = fit(HistoryLog(path, every_steps=2))

    records = read_history(path)
    places = [(record["event"], record["step"], record["epoch"]) for record in records]
    assert places == [
        ("step", 2, 0.4),
        ("step", 4, 0.8),
        ("epoch", 5, 1),
        ("step", 7, 1.4),
        ("step", 9, 1.8),
        ("epoch", 10, 2),
    ]
    assert records[0]["learning_rate"] == pytest.approx(0.01)
    assert [record["loss"] for record in records if record["event"] == "epoch"] == history["loss"]
    assert records[2]["seconds"] > 0


def test_step_losses_are_means_over_their_steps(tmp_path, fit):
    fit(HistoryLog(tmp_path / "all.jsonl", every_steps=1), epochs=1)
    fit(HistoryLog(tmp_path / "two.jsonl", every_steps=2), epochs=1)
    single = [r["loss"] for r in read_history(tmp_path / "all.jsonl") if r["event"] == "step"]
    double = [r["loss"] for r in read_history(tmp_path / "two.jsonl") if r["event"] == "step"]
    means = [(single[0] + single[1]) / 2, (single[2] + single[3]) / 2]
    assert double == pytest.approx(means, rel=1e-4)


def test_a_new_run_empties_the_file(tmp_path, fit):
    path = tmp_path / "history.jsonl"
    fit(HistoryLog(path, every_steps=None))
    fit(HistoryLog(path, every_steps=None), epochs=1)
    assert [record["epoch"] for record in read_history(path)] == [1]


def test_going_on_keeps_earlier_epochs_once(tmp_path, fit):
    path = tmp_path / "history.jsonl"
    fit(HistoryLog(path, every_steps=2), epochs=3)
    fit(HistoryLog(path, every_steps=2), epochs=4, initial_epoch=2)
    epochs = [r["epoch"] for r in read_history(path)]
    assert epochs == [0.4, 0.8, 1, 1.4, 1.8, 2, 2.4, 2.8, 3, 3.4, 3.8, 4]


def test_the_table_says_of_epochs_what_the_lines_say(tmp_path, fit):
    path = tmp_path / "history.jsonl"
    fit(HistoryLog(path), epochs=3)
    fit(HistoryLog(path), epochs=4, initial_epoch=2)
    with (tmp_path / "history.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    lines = [record for record in read_history(path) if record.pop("event") == "epoch"]
    assert [row["epoch"] for row in rows] == ["1", "2", "3", "4"]
    assert rows == [{name: str(value) for name, value in line.items()} for line in lines]


def test_a_line_cut_off_is_left_out(tmp_path):
    path = tmp_path / "history.jsonl"
    path.write_text(json.dumps({"event": "epoch", "epoch": 1}) + '\n{"event": "ep')
    assert read_history(path) == [{"event": "epoch", "epoch": 1}]


def test_a_disk_that_refuses_does_not_end_the_run(tmp_path, caplog, fit):
    (tmp_path / "file").write_text("")
    fit(HistoryLog(tmp_path / "file" / "history.jsonl"))
    assert caplog.text.count("cannot be written") == 1

import io

import pytest

from tfaigc.training.callbacks import ProgressLine
from tfaigc.training.callbacks.progress import Speed, format_duration
from tfaigc.training.callbacks.steps import Resume, ResumePoint


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.fixture
def fit(eager, build_dataset):
    def run(line, **arguments):
        data = build_dataset()
        line.batch_order = data.batch_order
        arguments = {"epochs": 2, "validation_data": build_dataset(), **arguments}
        eager().fit(data, shuffle=False, callbacks=[line], **arguments)

    return run


@pytest.fixture(autouse=True)
def _wide_terminal(monkeypatch):
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "200")
    for name in ("NO_COLOR", "FORCE_COLOR", "TTY_COMPATIBLE", "TTY_INTERACTIVE"):
        monkeypatch.delenv(name, raising=False)


def test_plain_lines_at_epoch_ends(fit, capsys):
    stream = io.StringIO()
    fit(ProgressLine(stream=stream))
    lines = stream.getvalue().splitlines()
    assert len(lines) == 2
    assert lines[0].startswith("epoch 1/2  loss ")
    assert "  accuracy " in lines[0]
    assert "  val_loss " in lines[0]
    assert " examples/s  took 0:0" in lines[0]
    assert "\r" not in stream.getvalue()
    # Keras's own bar is left out.
    assert capsys.readouterr().out == ""


def test_plain_lines_within_a_long_epoch(fit, monkeypatch):
    monkeypatch.setattr("tfaigc.training.callbacks.progress._SECONDS_BETWEEN_LINES", 0.0)
    stream = io.StringIO()
    fit(ProgressLine(stream=stream))
    lines = stream.getvalue().splitlines()
    assert len(lines) == 12
    assert lines[0].startswith("epoch 1/2  step 1/5  loss ")
    assert lines[1].endswith(" left")


def test_a_terminal_is_repainted(fit, monkeypatch):
    monkeypatch.setattr("tfaigc.training.callbacks.progress._SECONDS_BETWEEN_PAINTS", 0.0)
    stream = Terminal()
    fit(ProgressLine(stream=stream))
    text = stream.getvalue()
    assert text.count("\n") == 2
    paints = text.split("\r")[1:]
    assert len(paints) == 2 * (5 + 1 + 1)
    assert all("\x1b[K" in paint for paint in paints)
    assert "validating" in paints[5]


def test_a_narrow_terminal_gets_one_line(fit, monkeypatch):
    monkeypatch.setattr("tfaigc.training.callbacks.progress._SECONDS_BETWEEN_PAINTS", 0.0)
    monkeypatch.setenv("COLUMNS", "30")
    stream = Terminal()
    fit(ProgressLine(stream=stream))
    paints = stream.getvalue().replace("\n", "").replace("\x1b[K", "").split("\r")
    assert max(map(len, paints)) == 29


def test_verbose_0_is_silent(fit):
    stream = Terminal()
    fit(ProgressLine(stream=stream), verbose=0)
    assert stream.getvalue() == ""


def test_close_ends_the_line(fit, call_at, eager, build_dataset):
    stream = Terminal()
    line = ProgressLine(stream=stream)

    def fail():
        raise RuntimeError("boom")

    with pytest.raises(RuntimeError, match="boom"):
        eager().fit(
            build_dataset(), shuffle=False, callbacks=[line, call_at(fail, epoch=0, batch=2)]
        )
    line.close()
    line.close()
    assert stream.getvalue().endswith("\n")
    assert stream.getvalue().count("\n") == 1


def test_examples_of_a_resumed_epoch_with_a_small_last_batch():
    line = ProgressLine(batch_size=8, num_examples=37)
    line.set_params({"steps": 5, "epochs": 2, "verbose": 0})
    line.on_train_begin()
    line.set_state({}, Resume(ResumePoint(1, 3, 8), best_weights=lambda: None))
    line.on_epoch_begin(1)
    counted = []
    line._speed.add = lambda now, *, steps, examples: counted.append(examples)
    for batch in range(2):
        line.on_train_batch_begin(batch)
        line.on_train_batch_end(batch, {"loss": 1.0})
    assert counted == [8, 5]


def test_speed_leaves_pauses_out():
    speed = Speed()
    for began, ended in ((0.0, 50.0), (50.0, 51.0), (1000.0, 1001.0)):
        speed.begin(began)
        speed.add(ended, steps=2, examples=None)
        speed.pause()
    assert speed.steps_per_second == 2.0
    assert speed.examples_per_second is None


def test_no_speed_before_the_second_step():
    assert Speed().steps_per_second is None


@pytest.mark.parametrize(
    ("seconds", "text"), [(0, "0:00"), (59.6, "1:00"), (-3, "0:00"), (36000, "10:00:00")]
)
def test_format_duration(seconds, text):
    assert format_duration(seconds) == text

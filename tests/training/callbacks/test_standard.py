import os
import signal
from types import SimpleNamespace

import pytest

from tfaigc.training import callbacks as tfaigc_callbacks
from tfaigc.training.callbacks import (
    Checkpoint,
    EarlyStopping,
    ProgressLine,
    ResumePoint,
    TrainingInterrupted,
    attach,
    close,
    read_history,
    resume,
    standard,
)


def interrupt():
    os.kill(os.getpid(), signal.SIGINT)


def train(model, data, validation, callbacks, *others, epochs=6):
    attach(callbacks, data)
    point = resume(callbacks, model)
    last = point.epoch if point.stopped else epochs
    model.fit(
        data,
        validation_data=validation,
        epochs=last,
        initial_epoch=point.epoch,
        verbose=0,
        shuffle=False,
        callbacks=[*others, *callbacks],
    )
    return model.get_weights()


def best_epoch(callbacks):
    return next(each for each in callbacks if isinstance(each, EarlyStopping)).best_epoch


def equal(left, right):
    return all(one.tobytes() == other.tobytes() for one, other in zip(left, right, strict=True))


def without_times(path):
    # The metrics of the epoch that was broken cover its rest only.
    return [
        (record["event"], record["step"], record["epoch"], record.get("val_loss"))
        for record in read_history(path)
    ]


@pytest.fixture(scope="module")
def validation(build_dataset):
    return build_dataset(shuffle=False)


@pytest.fixture(scope="module")
def whole(tmp_path_factory, build, build_dataset, validation):
    directory = tmp_path_factory.mktemp("whole")
    callbacks = standard(directory, monitor="val_accuracy", patience=2, log_every_steps=2)
    weights = train(build(), build_dataset(), validation, callbacks)
    return SimpleNamespace(
        weights=weights,
        history=without_times(directory / "history.jsonl"),
        best_epoch=best_epoch(callbacks),
    )


def test_broken_and_resumed_run_ends_with_the_same_best_weights(
    tmp_path, build, build_dataset, call_at, validation, whole
):
    # The break comes after the best epoch, whose weights must come back from its checkpoint.
    stop = call_at(interrupt, epoch=whole.best_epoch + 1, batch=1)
    broken = standard(tmp_path, monitor="val_accuracy", patience=2, log_every_steps=2)
    with pytest.raises(TrainingInterrupted):
        train(build(), build_dataset(), validation, broken, stop)
    close(broken)
    again = standard(tmp_path, monitor="val_accuracy", patience=2, log_every_steps=2)
    weights = train(build(seed=9), build_dataset(), validation, again)

    assert best_epoch(again) == whole.best_epoch
    assert equal(weights, whole.weights)
    history = without_times(tmp_path / "history.jsonl")
    epochs = [record for record in history if record[0] == "epoch"]
    assert epochs == [record for record in whole.history if record[0] == "epoch"]
    steps = [record[1] for record in history if record[0] == "step"]
    assert steps == sorted(set(steps))

    # A run that is done: nothing is trained, the best weights come back.
    done = standard(tmp_path, monitor="val_accuracy", patience=2)
    assert equal(train(build(seed=9), build_dataset(), validation, done), whole.weights)


def test_without_validation_data_and_verbose(tmp_path, eager, build_dataset, capsys):
    callbacks = standard(tmp_path)
    attach(callbacks, build_dataset())
    eager().fit(build_dataset(), epochs=2, shuffle=False, callbacks=callbacks)
    output = capsys.readouterr()
    assert output.out == ""
    assert "epoch 2/2  loss" in output.err
    assert {path.name for path in tmp_path.iterdir()} == {
        "checkpoints",
        "history.csv",
        "history.jsonl",
        "tensorboard",
    }


def test_an_early_stop_is_part_of_the_checkpoint(tmp_path, eager, build_dataset):
    callbacks = standard(tmp_path, monitor="val_loss", patience=1)
    model = eager()
    # A loss that cannot fall: the learning rate is nothing.
    model.optimizer.learning_rate = 0.0
    train(model, build_dataset(), build_dataset(), callbacks)
    assert resume(standard(tmp_path), model) == ResumePoint(2, 0, 10, stopped=True)


def test_attach(build_dataset):
    data, mine = build_dataset(), object()
    line, checkpoint = ProgressLine(), Checkpoint("nowhere", batch_order=mine)
    attach([line, checkpoint], data)
    assert line.batch_order is data.batch_order
    assert checkpoint.batch_order is mine
    attach([ProgressLine()], [1, 2, 3])


def test_resume_without_a_checkpoint_callback(eager):
    assert resume([ProgressLine()], eager()) == ResumePoint()


def test_every_name_has_a_home():
    assert all(hasattr(tfaigc_callbacks, name) for name in tfaigc_callbacks.__all__)

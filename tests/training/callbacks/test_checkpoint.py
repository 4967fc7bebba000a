import json
import logging
import os
import signal

import numpy as np
import pytest

from tfaigc.training.callbacks import Checkpoint, EarlyStopping, ResumePoint, TrainingInterrupted
from tfaigc.errors import TrainingError


def interrupt() -> None:
    os.kill(os.getpid(), signal.SIGINT)


def values(model):
    variables = [*model.variables, *model.optimizer.variables]
    return [np.array(variable.numpy()) for variable in variables]


def assert_equal_to_the_bit(left, right):
    assert len(left) == len(right)
    for one, other in zip(left, right, strict=True):
        assert one.tobytes() == other.tobytes()


def run(model, dataset, directory, *others, epochs=4, restore=False, **arguments):
    checkpoint = Checkpoint(directory, batch_order=dataset.batch_order, **arguments)
    point = checkpoint.restore(model) if restore else ResumePoint()
    model.fit(
        dataset,
        epochs=epochs,
        initial_epoch=point.epoch,
        verbose=0,
        shuffle=False,
        callbacks=[*others, checkpoint],
    )
    return checkpoint


@pytest.mark.parametrize(("epoch", "batch"), [(0, 0), (1, 2), (1, 3), (2, 4), (3, 4)])
def test_resumed_run_is_equal_to_the_bit(tmp_path, build, build_dataset, call_at, epoch, batch):
    whole = build()
    whole_data = build_dataset()
    run(whole, whole_data, tmp_path / "whole")

    with pytest.raises(TrainingInterrupted):
        run(build(), build_dataset(), tmp_path / "cut", call_at(interrupt, epoch=epoch, batch=batch))
    resumed, data = build(seed=99), build_dataset()
    run(resumed, data, tmp_path / "cut", restore=True)

    assert_equal_to_the_bit(values(resumed), values(whole))
    begin = epoch * 5 + batch + 1
    assert data.batch_order.served == whole_data.batch_order.served[begin:]

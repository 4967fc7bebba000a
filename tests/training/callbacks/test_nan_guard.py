import json

import keras
import numpy as np
import pytest

from tfaigc.data import BatchOrder, Table
from tfaigc.errors import ConfigError, TrainingError
from tfaigc.training.callbacks import Checkpoint, NaNGuard
from tfaigc.training.schedules import WarmupSchedule


def spoil(model):
    model.weights[0].assign(model.weights[0] * np.nan)


def test_stops_at_the_step_and_keeps_the_checkpoint(tmp_path, eager, build_dataset, call_at):
    model, data = eager(), build_dataset()
    bad = call_at(lambda: spoil(model), epoch=1, batch=1)
    callbacks = [bad, NaNGuard(), Checkpoint(tmp_path, every_steps=1, keep=9)]
    with pytest.raises(TrainingError) as caught:
        model.fit(data, epochs=3, verbose=0, shuffle=False, callbacks=callbacks)

    message = str(caught.value)
    assert "Received: nan at epoch 2, step 8, learning rate 0.01." in message
    assert "learning_rate=0.001" in message
    assert max(path.name for path in tmp_path.iterdir()) == "step-00000006"


class Losses(keras.callbacks.Callback):
    """Puts losses into the logs, as means over the epoch so far, as Keras does."""

    def __init__(self, losses):
        super().__init__()
        self.losses = losses

    def on_train_batch_end(self, batch, logs=None):
        logs["loss"] = float(np.mean(self.losses[: batch + 1]))


@pytest.mark.parametrize(
    ("losses", "stops"),
    [
        ([2.0] * 12 + [21.0] * 13, True),
        ([2.0] * 12 + [19.0] * 13, False),
        ([2.0] * 12 + [150.0] + [2.0] * 12, False),
        # A model that is nearly perfect at first may well come to lose a little.
        ([0.01] * 12 + [5.0] * 13, False),
    ],
)
def test_an_explosion_is_a_high_mean_over_ten_steps(eager, build_dataset, losses, stops):
    data = build_dataset(num_examples=200)
    callbacks = [Losses(losses), NaNGuard()]
    if stops:
        with pytest.raises(TrainingError, match="10 times that of the first"):
            eager().fit(data, verbose=0, shuffle=False, callbacks=callbacks)
    else:
        eager().fit(data, verbose=0, shuffle=False, callbacks=callbacks)


class InfiniteValidation(keras.callbacks.Callback):
    def on_epoch_end(self, epoch, logs=None):
        logs["val_loss"] = float("inf")


def test_validation_loss_counts(eager, build_dataset):
    with pytest.raises(TrainingError, match="val_loss must stay finite"):
        eager().fit(
            build_dataset(),
            verbose=0,
            shuffle=False,
            callbacks=[InfiniteValidation(), NaNGuard()],
        )


def test_the_batch_and_the_one_before_are_written_out(tmp_path, eager, build_dataset, call_at):
    model, data = eager(), build_dataset()
    guard = NaNGuard(directory=tmp_path)
    guard.batch_order = BatchOrder([1] * 40, 8, shuffle=True)
    rows = [{"text": f"text {number}", "label": 0} for number in range(40)]
    guard.records = Table(rows, "a.csv", range(2, 42))
    with pytest.raises(TrainingError, match=r"The batches are in .*/diverged-step-00000003.jsonl"):
        model.fit(
            data,
            verbose=0,
            shuffle=False,
            callbacks=[call_at(lambda: spoil(model), epoch=0, batch=1), guard],
        )
    lines = (tmp_path / "diverged-step-00000003.jsonl").read_text().splitlines()
    batches = guard.batch_order.batches(0)
    assert [json.loads(line) for line in lines] == [
        {
            "epoch": 1,
            "step_in_epoch": step + 1,
            "place": f"a.csv, line {number + 2}",
            "text": f"text {number}",
            "label": 0,
        }
        for step in (1, 2)
        for number in batches[step]
    ]


def test_rolling_back_needs_a_rate_that_can_be_lowered(build, build_dataset):
    schedule = keras.optimizers.schedules.CosineDecay(0.01, 50)
    model = build(optimizer=keras.optimizers.SGD(schedule))
    with pytest.raises(TrainingError, match="Received: a CosineDecay"):
        model.fit(build_dataset(), verbose=0, callbacks=[NaNGuard("rollback")], shuffle=False)
    with pytest.raises(ConfigError, match="on_nan must be one of stop, rollback"):
        NaNGuard("roll_back")


@pytest.mark.parametrize("rate", [0.25, WarmupSchedule(0.25, kind="constant")])
def test_a_resumed_run_keeps_the_lowered_rate(tmp_path, eager, build_dataset, rate):
    def fit(model, epochs, rollbacks=0):
        guard = NaNGuard("rollback")
        checkpoint = Checkpoint(tmp_path, companions=[guard])
        guard.set_model(model)
        point = checkpoint.restore(model)
        guard._rollbacks = rollbacks
        callbacks = [guard, checkpoint]
        settings = {"verbose": 0, "shuffle": False, "callbacks": callbacks}
        model.fit(build_dataset(), epochs=epochs, initial_epoch=point.epoch, **settings)
        return float(model.optimizer.learning_rate)

    def make():
        model = eager()
        loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        model.compile(keras.optimizers.SGD(rate), loss, run_eagerly=True)
        return model

    assert fit(make(), epochs=1) == 0.25
    # As fit does it: back to the checkpoint, after two falls.
    assert fit(make(), epochs=2, rollbacks=2) == 0.0625
    assert fit(make(), epochs=3) == 0.0625

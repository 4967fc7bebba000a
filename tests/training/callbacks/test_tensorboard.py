from collections import defaultdict

import keras
import pytest

from tfaigc.training.callbacks import TensorBoard
from tfaigc.training.callbacks.steps import Resume, ResumePoint


def read_scalars(directory):
    import tensorflow as tf
    from tensorboard.compat.proto.event_pb2 import Event

    scalars = defaultdict(list)
    for path in sorted(directory.glob("events*")):
        for record in tf.data.TFRecordDataset(str(path)):
            event = Event.FromString(record.numpy())
            for value in event.summary.value:
                scalars[value.tag].append((event.step, float(tf.make_ndarray(value.tensor))))
    return scalars


@pytest.mark.parametrize("constant", [True, False])
def test_writes_curves_and_the_learning_rate(tmp_path, eager, build_dataset, constant):
    model = eager()
    if not constant:
        schedule = keras.optimizers.schedules.PolynomialDecay(0.01, 10, 0.0)
        model.compile(keras.optimizers.SGD(schedule), model.loss, run_eagerly=True)
    model.fit(
        build_dataset(),
        validation_data=build_dataset(),
        epochs=2,
        verbose=0,
        shuffle=False,
        callbacks=[TensorBoard(tmp_path, every_steps=2)],
    )
    train, validation = read_scalars(tmp_path / "train"), read_scalars(tmp_path / "validation")
    assert [step for step, _ in train["batch_loss"]] == [2, 4, 6, 8, 10]
    assert [step for step, _ in train["epoch_loss"]] == [0, 1]
    assert [step for step, _ in validation["epoch_loss"]] == [0, 1]
    rates = [rate for _, rate in train["batch_learning_rate"]]
    # The rate that the next step will use.
    falling = [0.008, 0.006, 0.004, 0.002, 0.0]
    assert rates == pytest.approx([0.01] * 5 if constant else falling, abs=1e-6)
    assert len(train["epoch_learning_rate"]) == 2


class Resumed(keras.callbacks.Callback):
    def __init__(self, board):
        super().__init__()
        self.board = board

    def on_train_begin(self, logs=None):
        self.board.set_state({}, Resume(ResumePoint(1, 0, 100), best_weights=lambda: None))


def test_steps_go_on_after_a_resume(tmp_path, eager, build_dataset):
    board = TensorBoard(tmp_path, every_steps=1)
    eager().fit(
        build_dataset(),
        verbose=0,
        shuffle=False,
        epochs=2,
        initial_epoch=1,
        callbacks=[board, Resumed(board)],
    )
    steps = [step for step, _ in read_scalars(tmp_path / "train")["batch_loss"]]
    assert steps == [101, 102, 103, 104, 105]

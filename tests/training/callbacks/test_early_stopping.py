import keras
import numpy as np
import pytest

from tfaigc.errors import TrainingError
from tfaigc.training.callbacks import EarlyStopping


class Logs(keras.callbacks.Callback):
    """Puts values into the epoch's logs, and a mark of the epoch into the weights."""

    def __init__(self, name, values):
        super().__init__()
        self.name, self.values = name, values

    def on_epoch_end(self, epoch, logs=None):
        self.model.set_weights([np.full(w.shape, epoch, "float32") for w in self.model.weights])
        if self.values[epoch] is not None:
            logs[self.name] = self.values[epoch]


def fit(eager, values, stopping, name="val_loss"):
    model = eager()
    features, labels = np.ones((4, 6), "float32"), np.zeros(4, "int32")
    history = model.fit(
        features, labels, epochs=len(values), verbose=0, callbacks=[Logs(name, values), stopping]
    )
    return len(history.epoch), float(model.weights[0].numpy()[0, 0])


def test_stops_and_brings_the_best_weights_back(eager):
    stopping = EarlyStopping(patience=2)
    assert fit(eager, [3.0, 1.0, 2.0, 1.5, 0.5], stopping) == (4, 1.0)
    assert (stopping.best.value, stopping.best_epoch, stopping.stopped_epoch) == (1.0, 1, 3)


def test_best_weights_come_back_without_a_stop(eager):
    assert fit(eager, [3.0, 1.0, 2.0], EarlyStopping(patience=2)) == (3, 1.0)
    assert fit(eager, [3.0, 1.0, 2.0, 2.0, 2.0], EarlyStopping(patience=None)) == (5, 1.0)


def test_accuracy_is_to_rise_and_mode_decides(eager):
    values = [0.5, 0.9, 0.8]
    assert fit(eager, values, EarlyStopping("val_accuracy"), "val_accuracy") == (3, 1.0)
    lower = EarlyStopping("val_thing", mode="min")
    assert fit(eager, values, lower, "val_thing") == (3, 0.0)


def test_small_changes_do_not_count(eager):
    assert fit(eager, [1.0, 0.99, 0.98], EarlyStopping(patience=2, min_delta=0.1)) == (3, 0.0)


def test_epochs_without_validation_are_left_out(eager):
    # As with validation_freq=2: the training loss stands in until a validation loss comes.
    assert fit(eager, [None, 5.0, None, 4.0, None, 6.0], EarlyStopping(patience=2)) == (6, 3.0)


def test_training_loss_stands_in_quietly(eager):
    stopping = EarlyStopping("val_accuracy", patience=3)
    fit(eager, [None, None], stopping)
    assert stopping.best.name == "accuracy"
    stopping = EarlyStopping("val_macro_f1", patience=3)
    fit(eager, [None, None], stopping)
    assert stopping.best.name == "loss"


def test_misspelt_monitor(eager):
    with pytest.raises(TrainingError, match="Did you mean 'val_loss'"):
        fit(eager, [1.0], EarlyStopping("val_los"))


def test_used_twice(eager):
    stopping = EarlyStopping(patience=1)
    assert fit(eager, [1.0, 2.0, 3.0], stopping) == (2, 0.0)
    assert fit(eager, [5.0, 4.0, 3.0], stopping) == (3, 2.0)

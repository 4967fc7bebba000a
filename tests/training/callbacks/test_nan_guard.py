import keras
import numpy as np
import pytest

from tfaigc.errors import TrainingError
from tfaigc.training.callbacks import Checkpoint, NaNGuard


def test_stops_at_the_step_and_keeps_the_checkpoint(tmp_path, eager, build_dataset, call_at):
    model, data = eager(), build_dataset()
    spoil = call_at(lambda: model.weights[0].assign(model.weights[0] * np.nan), epoch=1, batch=1)
    callbacks = [spoil, NaNGuard(), Checkpoint(tmp_path, every_steps=1, keep=9)]
    with pytest.raises(TrainingError) as caught:
        model.fit(data, epochs=3, verbose=0, shuffle=False, callbacks=callbacks)

    message = str(caught.value)
    assert "Received: nan at epoch 2, step 8, learning rate 0.01." in message
    assert "learning_rate=0.001" in message
    assert max(path.name for path in tmp_path.iterdir()) == "step-00000006"


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

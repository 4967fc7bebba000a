import contextlib
import os
import signal

import keras
import numpy as np
import pytest

from tfaigc.data import BatchOrder, EncodedTexts, EpochOrder, make_dataset
from tfaigc.training.callbacks import Checkpoint, TrainingInterrupted


def make_data():
    """Texts of many lengths, cut into shuffled batches as for any of our tasks."""
    generator = np.random.default_rng(3)
    lengths = generator.integers(1, 30, 60)
    row_splits = np.concatenate([[0], lengths.cumsum()])
    token_ids = generator.integers(0, 20, row_splits[-1]).astype("int32")
    texts = EncodedTexts(token_ids, np.zeros_like(token_ids), row_splits)
    labels = generator.integers(0, 2, 60).astype("int32")
    order = BatchOrder(lengths, 8, shuffle=True, seed=1)
    return make_dataset(texts, order, labels=labels)


def make_model(seed):
    keras.utils.set_random_seed(seed)
    inputs = {
        name: keras.Input((None,), dtype="int32", name=name)
        for name in ("token_ids", "padding_mask", "segment_ids")
    }
    hidden = keras.layers.Embedding(20, 8)(inputs["token_ids"])
    hidden = keras.layers.Dropout(0.3)(keras.layers.GlobalAveragePooling1D()(hidden))
    model = keras.Model(inputs, keras.layers.Dense(2)(hidden))
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.AdamW(0.01), loss)
    return model


@pytest.mark.parametrize("with_epoch_order", [False, True])
def test_a_broken_run_on_our_datasets_is_equal_to_the_bit(tmp_path, call_at, with_epoch_order):
    def train(model, directory, *others):
        data = make_data()
        keeper = [EpochOrder(data.batch_order)] if with_epoch_order else []
        checkpoint = Checkpoint(directory, batch_order=data.batch_order)
        point = checkpoint.restore(model)
        callbacks = [*keeper, *others, checkpoint]
        begin = {"initial_epoch": point.epoch, "epochs": 3}
        model.fit(data, verbose=0, shuffle=False, callbacks=callbacks, **begin)
        return [variable.numpy() for variable in [*model.variables, *model.optimizer.variables]]

    whole = train(make_model(1), tmp_path / "whole")
    interrupt = call_at(lambda: os.kill(os.getpid(), signal.SIGINT), epoch=1, batch=2)
    with pytest.raises(TrainingInterrupted):
        train(make_model(1), tmp_path / "broken", interrupt)
    resumed = train(make_model(2), tmp_path / "broken")
    assert all(a.tobytes() == b.tobytes() for a, b in zip(resumed, whole, strict=True))


def test_a_dataset_that_was_resumed_serves_a_new_run_whole(tmp_path, call_at):
    data, counts = make_data(), []
    for directory, first_epoch in (("a", 0), ("a", 1), ("b", 0)):
        model = make_model(1)
        checkpoint = Checkpoint(tmp_path / directory, batch_order=data.batch_order)
        checkpoint.restore(model)
        count = Count()
        others = [count]
        if not counts:
            others.append(call_at(lambda: os.kill(os.getpid(), signal.SIGINT), epoch=1, batch=2))
        with contextlib.suppress(TrainingInterrupted):
            model.fit(
                data,
                epochs=2,
                initial_epoch=first_epoch,
                verbose=0,
                shuffle=False,
                callbacks=[*others, checkpoint],
            )
        counts.append(count.steps)
    assert counts == [8 + 3, 5, 16]


class Count(keras.callbacks.Callback):
    steps = 0

    def on_train_batch_end(self, batch, logs=None):
        self.steps += 1

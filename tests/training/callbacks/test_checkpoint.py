import json
import logging
import os
import shutil
import signal
from types import SimpleNamespace

import keras
import ml_dtypes
import numpy as np
import pytest
import safetensors.numpy

from tfaigc.errors import ConfigError, TrainingError
from tfaigc.training.callbacks import Checkpoint, ResumePoint, TrainingInterrupted
from tfaigc.training.callbacks.snapshots import collect_keys, read_snapshot, write_snapshot


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


@pytest.fixture(scope="module")
def whole(build, build_dataset, tmp_path_factory):
    """The variables after four epochs without a break."""
    model, data = build(), build_dataset()
    run(model, data, tmp_path_factory.mktemp("whole"))
    return SimpleNamespace(values=values(model))


@pytest.mark.parametrize(("epoch", "batch"), [(0, 0), (1, 2), (3, 4)])
def test_resumed_run_is_equal_to_the_bit(
    tmp_path, build, build_dataset, call_at, whole, epoch, batch
):
    with pytest.raises(TrainingInterrupted):
        run(build(), build_dataset(), tmp_path, call_at(interrupt, epoch=epoch, batch=batch))
    resumed, data = build(seed=99), build_dataset()
    run(resumed, data, tmp_path, restore=True)

    assert_equal_to_the_bit(values(resumed), whole.values)
    # Keras opens an iterator more at an epoch's end, whose batches may be prefetched in vain.
    rest = [(each, step) for each in range(4) for step in range(5)][epoch * 5 + batch + 1 :]
    served = [batch for batch in dict.fromkeys(data.batch_order.served) if batch[0] < 4]
    assert served == rest


def test_a_run_broken_twice_in_one_epoch_is_equal_to_the_bit(
    tmp_path, build, build_dataset, call_at, whole
):
    with pytest.raises(TrainingInterrupted):
        run(build(), build_dataset(), tmp_path, call_at(interrupt, epoch=1, batch=0))
    stop = call_at(interrupt, epoch=1, batch=1)
    with pytest.raises(TrainingInterrupted):
        run(build(seed=3), build_dataset(), tmp_path, stop, restore=True)
    resumed = build(seed=99)
    run(resumed, build_dataset(), tmp_path, restore=True)

    assert_equal_to_the_bit(values(resumed), whole.values)


def test_layout_and_state(tmp_path, eager, build_dataset):
    data = build_dataset()
    checkpoint = run(eager(), data, tmp_path, epochs=3, monitor="accuracy")

    best = checkpoint.best
    expected = {"step-00000010", "step-00000015", best.name}
    assert {path.name for path in tmp_path.iterdir()} == expected
    assert checkpoint.latest == tmp_path / "step-00000015"
    files = {path.name for path in checkpoint.latest.iterdir()}
    assert files == {"model.safetensors", "optimizer.safetensors", "state.json"}
    state = json.loads((checkpoint.latest / "state.json").read_text())
    assert (state["epoch"], state["step_in_epoch"], state["global_step"]) == (3, 0, 15)
    assert state["batch_order"] == {"seed": 0, "shuffle": True, "batch_size": 8}
    assert [entry["epoch"] for entry in state["history"]] == [1, 2, 3]
    highest = max(entry["value"] for entry in state["history"])
    assert state["best"]["value"] == highest
    assert snapshot_path_step(best) == state["best"]["step"]
    assert set(state["versions"]) == {"tfaigc", "keras", "tensorflow", "numpy", "python"}


def snapshot_path_step(path):
    return int(path.name.removeprefix("step-"))


def test_the_best_is_kept_and_only_if_wanted(tmp_path, eager, build_dataset):
    for save_best, kept in ((True, {5, 20}), (False, {20})):
        directory = tmp_path / str(save_best)
        checkpoint = Checkpoint(directory, keep=1, save_best=save_best, monitor="val_loss")
        losses = iter([1.0, 2.0, 3.0, 4.0])
        fake = FakeValidation(losses)
        eager_fit(eager(), build_dataset(), [fake, checkpoint], epochs=4)
        assert {snapshot_path_step(path) for path in directory.iterdir()} == kept


class FakeValidation(keras.callbacks.Callback):
    def __init__(self, losses):
        super().__init__()
        self.losses = losses

    def on_epoch_end(self, epoch, logs=None):
        logs["val_loss"] = next(self.losses)


def eager_fit(model, data, callbacks, **arguments):
    return model.fit(data, verbose=0, shuffle=False, callbacks=callbacks, **arguments)


def test_every_steps(tmp_path, eager, build_dataset):
    run(eager(), build_dataset(), tmp_path, epochs=1, every_steps=2, keep=10)
    assert sorted(map(snapshot_path_step, tmp_path.iterdir())) == [2, 4, 5]


@pytest.mark.parametrize("file", ["model.safetensors", "optimizer.safetensors", "state.json"])
@pytest.mark.parametrize("damage", ["cut", "gone"])
def test_a_broken_checkpoint_is_left_out(tmp_path, caplog, trained, eager, file, damage):
    shutil.copytree(trained, tmp_path, dirs_exist_ok=True)
    broken = tmp_path / "step-00000010" / file
    if damage == "cut":
        broken.write_bytes(broken.read_bytes()[: broken.stat().st_size // 2])
    else:
        broken.unlink()
    model = eager(seed=5)

    point = Checkpoint(tmp_path).restore(model)

    assert point == ResumePoint(epoch=1, step_in_epoch=0, global_step=5)
    assert "step-00000010 is broken" in caplog.text
    expected = read_snapshot(tmp_path / "step-00000005").model
    assert_equal_to_the_bit([v.numpy() for v in model.variables], list(expected.values()))


@pytest.fixture(scope="module")
def trained(tmp_path_factory, eager, build_dataset):
    """A directory with the checkpoints of two epochs."""
    directory = tmp_path_factory.mktemp("trained")
    run(eager(), build_dataset(), directory, epochs=2)
    return directory


def test_all_checkpoints_broken(tmp_path, trained, eager):
    shutil.copytree(trained, tmp_path, dirs_exist_ok=True)
    for path in tmp_path.glob("*/state.json"):
        path.write_text("{")
    with pytest.raises(TrainingError, match="every one is broken"):
        Checkpoint(tmp_path).restore(eager())


def test_nothing_to_restore(tmp_path, eager):
    assert Checkpoint(tmp_path / "new").restore(eager()) == ResumePoint()


def test_another_model_is_refused_before_anything_is_assigned(trained, eager):
    model = keras.Sequential([keras.Input((6,)), keras.layers.Dense(3)])
    model.compile("sgd", "mse")
    before = model.get_weights()
    with pytest.raises(TrainingError, match="same model and optimizer"):
        Checkpoint(trained).restore(model)
    assert_equal_to_the_bit(model.get_weights(), before)

    other_optimizer = eager()
    other_optimizer.compile("adam", "mse")
    with pytest.raises(TrainingError, match="same model and optimizer"):
        Checkpoint(trained).restore(other_optimizer)
    unbuilt = keras.Sequential([keras.layers.Dense(2)])
    with pytest.raises(TrainingError, match="built and compiled"):
        Checkpoint(trained).restore(unbuilt)


def test_a_new_run_leaves_an_earlier_one_alone(tmp_path, trained, eager, build_dataset):
    shutil.copytree(trained, tmp_path, dirs_exist_ok=True)
    with pytest.raises(TrainingError, match=r"restore\(model\).*overwrite=True"):
        run(eager(), build_dataset(), tmp_path, epochs=1)
    assert (tmp_path / "step-00000010").is_dir()

    run(eager(), build_dataset(), tmp_path, epochs=1, overwrite=True)
    assert [path.name for path in tmp_path.iterdir()] == ["step-00000005"]


def test_fit_twice_with_the_same_callback(tmp_path, eager, build_dataset):
    model, data = eager(), build_dataset()
    checkpoint = run(model, data, tmp_path, epochs=1)
    eager_fit(model, data, [checkpoint], epochs=1)
    assert sorted(map(snapshot_path_step, tmp_path.iterdir())) == [5, 10]


def test_full_disk_does_not_end_the_run(tmp_path, caplog, monkeypatch, eager, build_dataset):
    write = safetensors.numpy.save_file

    def save_file(arrays, path, *rest):
        if "00000010" in str(path):
            path.write_bytes(b"half")
            raise safetensors.SafetensorError("I/O error: No space left on device (os error 28)")
        write(arrays, path, *rest)

    monkeypatch.setattr(safetensors.numpy, "save_file", save_file)
    checkpoint = run(eager(), build_dataset(), tmp_path, epochs=2)

    assert "No checkpoint at step 10" in caplog.text
    assert "No space left" in caplog.text
    assert [path.name for path in tmp_path.iterdir()] == ["step-00000005"]
    assert checkpoint.latest.name == "step-00000005"
    assert checkpoint.best is None or checkpoint.best.is_dir()


def test_directory_that_cannot_be_made(tmp_path, eager, build_dataset):
    (tmp_path / "file").write_text("")
    with pytest.raises(TrainingError, match="must be writable"):
        run(eager(), build_dataset(), tmp_path / "file" / "checkpoints", epochs=1)


def test_leftovers_of_a_killed_process_are_removed(tmp_path, eager, build_dataset):
    (tmp_path / ".step-00000003.tmp").mkdir()
    run(eager(), build_dataset(), tmp_path, epochs=1)
    assert [path.name for path in tmp_path.iterdir()] == ["step-00000005"]


def test_weights_that_are_not_finite_are_not_saved(tmp_path, caplog, eager, build_dataset, call_at):
    model = eager()
    spoil = call_at(lambda: model.weights[0].assign(model.weights[0] * np.nan), epoch=1, batch=4)
    run(model, build_dataset(), tmp_path, spoil, epochs=2)
    assert [path.name for path in tmp_path.iterdir()] == ["step-00000005"]
    assert "NaN or infinite" in caplog.text


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_signal_saves_and_says_how_to_go_on(tmp_path, eager, build_dataset, call_at, number):
    handlers = signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)
    stop = call_at(lambda: os.kill(os.getpid(), number), epoch=0, batch=1)
    with pytest.raises(TrainingInterrupted) as caught:
        run(eager(), build_dataset(), tmp_path, stop, next_command="tfaigc train --resume")

    message = str(caught.value)
    assert "epoch 1, after step 2" in message
    assert str(tmp_path / "step-00000002") in message
    assert message.endswith("Go on with: tfaigc train --resume")
    assert (signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)) == handlers


def test_second_signal_ends_the_run_at_once(tmp_path, eager, build_dataset, call_at):
    def twice():
        interrupt()
        interrupt()

    with pytest.raises(KeyboardInterrupt) as caught:
        run(eager(), build_dataset(), tmp_path, call_at(twice, epoch=0, batch=1))
    assert not isinstance(caught.value, TrainingInterrupted)
    assert not list(tmp_path.glob("step-*"))
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_signal_after_fit_has_failed_is_not_swallowed(tmp_path, eager, build_dataset, call_at):
    def fail():
        raise RuntimeError("boom")

    with pytest.raises(RuntimeError, match="boom"):
        run(eager(), build_dataset(), tmp_path, call_at(fail, epoch=0, batch=1))
    with pytest.raises(KeyboardInterrupt):
        signal.raise_signal(signal.SIGINT)
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_interrupted_message_when_nothing_could_be_saved(
    tmp_path, monkeypatch, eager, build_dataset, call_at
):
    def save_file(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(safetensors.numpy, "save_file", save_file)
    with pytest.raises(TrainingInterrupted, match="No checkpoint could be saved"):
        run(eager(), build_dataset(), tmp_path, call_at(interrupt, epoch=0, batch=1))


@pytest.fixture
def interrupted(tmp_path, eager, build_dataset, call_at):
    with pytest.raises(TrainingInterrupted):
        run(eager(), build_dataset(), tmp_path, call_at(interrupt, epoch=1, batch=2))
    return tmp_path


def test_other_data_in_the_middle_of_an_epoch_is_refused(interrupted, eager, build_dataset):
    with pytest.raises(TrainingError, match="same batches"):
        run(eager(), build_dataset(seed=1), interrupted, restore=True)
    with pytest.raises(TrainingError, match="same batches"):
        run(eager(), build_dataset(num_examples=48), interrupted, restore=True)


def test_data_without_batch_order_begins_the_epoch_again(interrupted, caplog, eager, build_dataset):
    model, data = eager(), build_dataset()
    checkpoint = Checkpoint(interrupted)
    point = checkpoint.restore(model)
    assert point == ResumePoint(epoch=1, step_in_epoch=3, global_step=8)
    eager_fit(model, data, [checkpoint], initial_epoch=point.epoch, epochs=2)
    assert "Epoch 2 begins again" in caplog.text
    served = dict.fromkeys(data.batch_order.served)
    assert [step for each, step in served if each == 0] == list(range(5))
    assert checkpoint.latest.name == "step-00000013"


def test_stop_in_the_middle_of_an_epoch_is_a_place_to_go_on_from(
    tmp_path, eager, build_dataset, call_at
):
    model = eager()
    stop = call_at(lambda: setattr(model, "stop_training", True), epoch=1, batch=1)
    checkpoint = run(model, build_dataset(), tmp_path, stop)
    point = checkpoint.restore(model)
    assert point == ResumePoint(epoch=1, step_in_epoch=2, global_step=7, stopped=True)


def test_resuming_is_logged(trained, caplog, eager):
    with caplog.at_level(logging.INFO):
        Checkpoint(trained).restore(eager())
    assert "step-00000010 (step 10)" in caplog.text


def test_keys_are_unique():
    paths = ["a/kernel", "a/kernel", "b", "a/kernel"]
    variables = [SimpleNamespace(path=path) for path in paths]
    assert collect_keys(variables) == ["a/kernel", "a/kernel#2", "b", "a/kernel#3"]


def test_unknown_mode(tmp_path):
    with pytest.raises(ConfigError, match="mode must be one of auto, min, max"):
        Checkpoint(tmp_path, mode="minimum")


def test_every_dtype_survives(tmp_path):
    arrays = {
        "half": np.arange(3).astype(ml_dtypes.bfloat16),
        "count": np.array(7, np.int64),
        "seed": np.array([1, 2**32 - 1], np.uint32),
        "flag": np.array(True),
    }
    write_snapshot(tmp_path / "step-00000001", model=arrays, optimizer={}, state={"epoch": 1})
    read = read_snapshot(tmp_path / "step-00000001")
    assert list(read.model) == list(arrays)
    for name, array in arrays.items():
        assert (read.model[name].dtype, read.model[name].shape) == (array.dtype, array.shape)
        assert read.model[name].tobytes() == array.tobytes()
    assert read.optimizer == {}
    assert read.state["epoch"] == 1

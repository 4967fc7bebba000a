"""Reads arrays out of the HDF5 files of transformers' TensorFlow classes and of tf.keras 2."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from tfaigc.checkpoints.weight_file import ClosingMixin, convert_floats, unknown_name
from tfaigc.errors import CheckpointError
from tfaigc.sources.archives import HARMLESS_BYTES, MAX_RATIO

# What tf.keras calls a layer's variable, and what PyTorch calls a module's parameter.
_LEAVES = {"kernel": "weight", "embeddings": "weight", "gamma": "weight", "beta": "bias"}
# A kernel's axes, from (..., inputs, outputs) to (outputs, inputs, ...), by their number.
_KERNEL_AXES = {2: (1, 0), 3: (2, 1, 0), 4: (3, 2, 0, 1)}
# A layer called mlp___cls stands where PyTorch has a module called cls.
_RENAMED_LAYER = re.compile(r"/[^/]*___([^/]*)/")
_DEVICE = re.compile(r":\d+")
# A whole model that tf.keras saved keeps its weights beside those of the optimizer.
_MODEL_GROUP = "model_weights"
# ALBERT's language model has two biases in tf.keras, and uses one.
_UNUSED = {"predictions.bias": "predictions.decoder.bias"}
_DAMAGES = (OSError, KeyError, RuntimeError, ValueError, TypeError, OverflowError)


class KerasH5File(ClosingMixin):
    """One HDF5 file, under the names and in the layouts that PyTorch's checkpoints have.

    Variables lie in it under the scopes that tf.keras 2 gave them; see `tensor_name`. Nothing that
    the file refers to outside of itself is opened.

    Args:
        path: The file.
        is_shard: Whether it is one of several, which lack the outer scopes.

    Raises:
        CheckpointError: The file is broken, refers to other files, or the extra `legacy` is not
            installed.
    """

    def __init__(self, path: Path, *, is_shard: bool = False) -> None:
        self.path = path
        self._file = _open(path)
        try:
            self._datasets = {
                _in_shard(place) if is_shard else _in_group(place): dataset
                for place, dataset in _walk(_root(self._file), path)
            }
            for unused, used in _UNUSED.items():
                if used in self._datasets:
                    self._datasets.pop(unused, None)
            _check_numbers(path, self._datasets.values())
        except (CheckpointError, *_DAMAGES) as error:
            self.close()
            raise error if isinstance(error, CheckpointError) else _damaged(path, error) from error

    def names(self) -> list[str]:
        """Returns the names of all arrays, in the file's order."""
        return list(self._datasets)

    def shape(self, name: str) -> tuple[int, ...]:
        """Returns the shape of one array."""
        dataset = self._dataset(name)
        axes, shape = _axes(dataset), _squeezed(name, dataset.shape)
        return tuple(shape[axis] for axis in axes) if axes else shape

    def dtype(self, name: str) -> np.dtype[np.generic]:
        """Returns the type of one array as stored."""
        return self._dataset(name).dtype

    def read(self, name: str, dtype: npt.DTypeLike | None = None) -> np.ndarray:
        """Reads one array; see `WeightFile.read`."""
        dataset = self._dataset(name)
        try:
            array = dataset[()]
        except _DAMAGES as error:
            raise _damaged(self.path, error) from error
        array = np.asarray(array).reshape(_squeezed(name, dataset.shape))
        axes = _axes(dataset)
        if axes:
            array = array.transpose(axes)
        return convert_floats(np.asarray(array, order="C"), dtype)

    def close(self) -> None:
        """Closes the file."""
        self._file.close()

    def _dataset(self, name: str) -> Any:
        if name not in self._datasets:
            raise unknown_name(self.path, name, self._datasets)
        return self._datasets[name]


def check_hdf5(path: Path) -> None:
    """Refuses an HDF5 file that would have its reader open others.

    Args:
        path: The file.

    Raises:
        CheckpointError: It is broken, or refers to other files.
    """
    file = _open(path)
    try:
        for _ in _walk(file, path):
            pass
    except _DAMAGES as error:
        raise _damaged(path, error) from error
    finally:
        file.close()


def tensor_name(variable: str) -> str:
    """Takes a variable's name in tf.keras 2 to the name of the tensor in PyTorch.

    The outer scope is the model's own name; `_._` stands before the number of a list's item, and
    `___` behind a name that only tf.keras has.

    Args:
        variable: Scopes and name, such as ``"tf_bert_model/bert/pooler/dense/kernel:0"``.

    Returns:
        The tensor's name.

    Example:
        >>> tensor_name("tf_bert_model/bert/encoder/layer_._3/attention/self/query/kernel:0")
        'bert.encoder.layer.3.attention.self.query.weight'
        >>> tensor_name("tf_bert_for_masked_lm/mlm___cls/predictions/bias:0")
        'cls.predictions.bias'
        >>> tensor_name("final_logits_bias:0")
        'final_logits_bias'
    """
    path = _RENAMED_LAYER.sub(r"/\1/", _DEVICE.sub("", variable)).replace("_._", "/")
    parts = [part for part in path.split("/") if part]
    if len(parts) > 1:
        parts = parts[1:]
    parts[-1] = _LEAVES.get(parts[-1], parts[-1])
    return ".".join(parts)


def _in_group(place: str) -> str:
    """Names the tensor of a place that begins with its layer's group."""
    return tensor_name(place.partition("/")[2] or place)


def _in_shard(place: str) -> str:
    """Names the tensor of a place in a shard, where most names lack the model's own scope."""
    return tensor_name(place if "model." in place else f"model/{place}")


def _axes(dataset: Any) -> tuple[int, ...]:
    """Returns the order of a kernel's axes in PyTorch; none where nothing changes."""
    leaf = _DEVICE.sub("", dataset.name).rpartition("/")[2]
    return _KERNEL_AXES.get(len(dataset.shape), ()) if leaf == "kernel" else ()


def _squeezed(name: str, shape: tuple[int, ...]) -> tuple[int, ...]:
    """Takes the shape of a bias that is stored as a row, as GPT-2's are, to a vector's."""
    is_row = name.endswith(".bias") and len(shape) == 2 and shape[0] == 1
    return shape[1:] if is_row else tuple(shape)


def _open(path: Path) -> Any:
    try:
        import h5py
    except ImportError as error:
        raise CheckpointError(
            f"Reading {path.name} takes the extra legacy: pip install 'tfaigc[legacy]'."
        ) from error
    try:
        return h5py.File(path, "r")
    except _DAMAGES as error:
        raise _damaged(path, error) from error


def _root(file: Any) -> Any:
    return _followed(file, _MODEL_GROUP) if _MODEL_GROUP in file else file


def _walk(root: Any, path: Path) -> Iterator[tuple[str, Any]]:
    """Visits all arrays below a group once, with their places."""
    import h5py

    seen = set()
    groups = [("", root)]
    while groups:
        prefix, group = groups.pop()
        # A group may be linked to from inside itself.
        address = h5py.h5o.get_info(group.id).addr
        if address in seen:
            continue
        seen.add(address)
        for name in group:
            item = _followed(group, name)
            if isinstance(item, h5py.Group):
                groups.append((f"{prefix}{name}/", item))
            elif isinstance(item, h5py.Dataset):
                if item.external or item.is_virtual:
                    raise _foreign(path, f"the numbers of {item.name}")
                yield f"{prefix}{name}", item


def _followed(group: Any, name: str) -> Any:
    """Opens what a name in a group stands for, if it lies in the file itself."""
    import h5py

    if isinstance(group.get(name, getlink=True), h5py.HardLink):
        return group[name]
    raise _foreign(Path(group.file.filename), f"the link {group.name.rstrip('/')}/{name}")


def _check_numbers(path: Path, datasets: Collection[Any]) -> None:
    """Refuses arrays that are no numbers, and compressed ones that would fill the memory."""
    for dataset in datasets:
        if dataset.shape is None or dataset.dtype.kind not in "fiub":
            raise CheckpointError(
                f"{path} must hold nothing but arrays of numbers. Received: {dataset.name}, of "
                "another kind. Do not use this file unless you trust where it comes from."
            )
    size = sum(dataset.nbytes for dataset in datasets)
    if size > max(HARMLESS_BYTES, MAX_RATIO * path.stat().st_size):
        raise CheckpointError(
            f"{path} must hold at most {MAX_RATIO} times its own size. Received: {size} bytes. Do "
            "not use this file; take the checkpoint as safetensors."
        )


def _foreign(path: Path, what: str) -> CheckpointError:
    return CheckpointError(
        f"{path} must hold all of its arrays itself. Received: {what}, which may lie in another "
        "file. Nothing was read. Do not use this file unless you trust where it comes from."
    )


def _damaged(path: Path, error: Exception) -> CheckpointError:
    return CheckpointError(
        f"{path} must be a whole HDF5 file with a model's weights. Received: {error}. Download or "
        "save it again, best as safetensors."
    )

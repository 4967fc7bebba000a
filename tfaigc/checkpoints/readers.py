"""Opens whatever weight file a checkpoint directory holds."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from tfaigc.checkpoints.gguf_file import GGUFFile
from tfaigc.checkpoints.keras_h5 import KerasH5File, tensor_name
from tfaigc.checkpoints.pickles import PickleFile
from tfaigc.checkpoints.safetensors_file import SafetensorsFile
from tfaigc.checkpoints.sharded import ShardedFile
from tfaigc.checkpoints.weight_file import WeightFile
from tfaigc.errors import CheckpointError

# The first that exists is read.
READERS: dict[str, Callable[[Path], WeightFile]] = {
    "model.safetensors": SafetensorsFile,
    "model.safetensors.index.json": lambda path: ShardedFile(path, SafetensorsFile),
    "pytorch_model.bin": PickleFile,
    "pytorch_model.bin.index.json": lambda path: ShardedFile(path, PickleFile),
    "tf_model.h5": KerasH5File,
    "tf_model.h5.index.json": lambda path: ShardedFile(
        path, partial(KerasH5File, is_shard=True), rename=tensor_name
    ),
}

# Weights that are there but in a format that is not read.
OTHER_FORMATS = {
    "flax_model.msgpack": "Flax weights",
    "*.onnx": "an ONNX graph",
    "*.ckpt.index": "a TensorFlow 1 checkpoint",
    "*.keras": "a Keras archive",
    "*.weights.h5": "Keras weights",
}


def open_weights(directory: str | Path) -> WeightFile:
    """Opens the weights of a checkpoint directory in Hugging Face layout.

    Args:
        directory: Holds `model.safetensors`, its shards and index, or the same as
            `pytorch_model.bin` or `tf_model.h5`, looked for in this order; or else one `.gguf`
            file.

    Returns:
        The open file; use it as a context manager.

    Raises:
        CheckpointError: No weights are there, or they are broken or unsafe.

    Example:
        >>> import tempfile
        >>> import numpy as np
        >>> from tfaigc.checkpoints import open_weights, write_weights
        >>> with tempfile.TemporaryDirectory() as directory:
        ...     write_weights(directory, {"pooler.weight": np.ones((2, 3), "float16")})
        ...     with open_weights(directory) as weights:
        ...         print(weights.names(), weights.shape("pooler.weight"))
        ...         print(weights.read("pooler.weight", dtype="float32").dtype)
        ['pooler.weight'] (2, 3)
        float32
    """
    directory = Path(directory)
    for filename, reader in READERS.items():
        path = directory / filename
        if path.is_file():
            return reader(path)
    gguf = _find_gguf(directory)
    if gguf is not None:
        return GGUFFile(gguf)
    raise CheckpointError(_no_weights(directory))


def read_gguf_config(directory: Path) -> dict[str, Any] | None:
    """Reads what `config.json` would state from a directory's GGUF file.

    Args:
        directory: Where to look.

    Returns:
        The settings, or None where there is no such file.

    Raises:
        CheckpointError: There are several, or the one is broken or cannot be honoured.
    """
    path = _find_gguf(directory)
    if path is None:
        return None
    with GGUFFile(path) as file:
        return file.config()


def _find_gguf(directory: Path) -> Path | None:
    """Finds the GGUF file of a directory.

    Args:
        directory: Where to look.

    Returns:
        The only `.gguf` file, or None where there is none.

    Raises:
        CheckpointError: There are several.
    """
    paths = sorted(directory.glob("*.gguf"))
    if len(paths) > 1:
        names = ", ".join(path.name for path in paths[:5])
        raise CheckpointError(
            f"A checkpoint directory must hold one GGUF file. Received: {names}. Put the one that "
            "you want into a directory of its own."
        )
    return paths[0] if paths else None


def _no_weights(directory: Path) -> str:
    expected = f"Expected one of: {', '.join(READERS)}, *.gguf."
    if not directory.is_dir():
        found = "a file" if directory.exists() else "no such directory"
        return f"{directory} must be a directory with weights. Received: {found}. {expected}"
    for pattern, description in OTHER_FORMATS.items():
        for path in sorted(directory.glob(pattern)):
            return (
                f"{directory} must hold weights in a format that is read here. Received: "
                f"{path.name} ({description}). Load it with the library that wrote it "
                "(transformers reads most) and save it with save_pretrained as safetensors. "
                f"{expected}"
            )
    names = sorted(path.name + "/" * path.is_dir() for path in directory.iterdir())
    shown = ", ".join(names[:20]) + (f" and {len(names) - 20} more" if len(names) > 20 else "")
    return (
        f"{directory} must hold weights. Received: {shown or 'an empty directory'}. {expected} "
        "Point to the directory that holds one of these, or download the checkpoint again."
    )

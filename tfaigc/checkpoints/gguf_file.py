"""Reads weights and settings out of one GGUF file of the Llama family."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from tfaigc.checkpoints.weight_file import ClosingMixin, convert_floats, unknown_name
from tfaigc.errors import CheckpointError

# What a GGUF file calls an architecture and what config.json calls it are the same here.
ARCHITECTURES = {"llama": "Llama", "qwen2": "Qwen2", "qwen3": "Qwen3"}
# The end of a key of the metadata, and the key in config.json.
_KEYS = {
    "context_length": "max_position_embeddings",
    "embedding_length": "hidden_size",
    "block_count": "num_hidden_layers",
    "feed_forward_length": "intermediate_size",
    "attention.head_count": "num_attention_heads",
    "attention.head_count_kv": "num_key_value_heads",
    "attention.key_length": "head_dim",
    "attention.layer_norm_rms_epsilon": "rms_norm_eps",
    "rope.freq_base": "rope_theta",
}
_OPTIONAL = ("attention.head_count_kv", "attention.key_length", "rope.freq_base")
_MODULES = {
    "token_embd": "model.embed_tokens",
    "output_norm": "model.norm",
    "output": "lm_head",
    "attn_norm": "input_layernorm",
    "attn_q": "self_attn.q_proj",
    "attn_k": "self_attn.k_proj",
    "attn_v": "self_attn.v_proj",
    "attn_output": "self_attn.o_proj",
    "attn_q_norm": "self_attn.q_norm",
    "attn_k_norm": "self_attn.k_norm",
    "ffn_norm": "post_attention_layernorm",
    "ffn_gate": "mlp.gate_proj",
    "ffn_up": "mlp.up_proj",
    "ffn_down": "mlp.down_proj",
}
_NAME = re.compile(r"(?:blk\.(?P<layer>\d+)\.)?(?P<module>\w+)\.(?P<leaf>weight|bias)")
_MAGIC = b"GGUF"


class GGUFFile(ClosingMixin):
    """One GGUF file, under the names that `transformers` gives the tensors.

    Quantized tensors are read as float32. The numbers of queries and keys lie in the order that
    `transformers` turns them in; Llama's GGUF files have another.

    Args:
        path: The file.

    Raises:
        CheckpointError: The file is broken, the extra `gguf` is not installed, or the
            architecture is not one of the Llama family.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._reader = _open(path)
        self._architecture = str(self._setting("general.architecture"))
        if self._architecture not in ARCHITECTURES:
            raise CheckpointError(
                f"The architecture in a GGUF file must be one of {', '.join(ARCHITECTURES)}. "
                f"Received: {self._architecture} in {path.name}. Take the checkpoint's safetensors."
            )
        self._tensors = {_theirs(tensor.name): tensor for tensor in self._reader.tensors}

    def names(self) -> list[str]:
        """Returns the names of all arrays, in the file's order."""
        return list(self._tensors)

    def shape(self, name: str) -> tuple[int, ...]:
        """Returns the shape of one array."""
        return tuple(int(size) for size in reversed(self._tensor(name).shape))

    def dtype(self, name: str) -> np.dtype[np.generic]:
        """Returns the type that one array is read as."""
        del name
        return np.dtype(np.float32)

    def read(self, name: str, dtype: npt.DTypeLike | None = None) -> np.ndarray:
        """Reads one array; see `WeightFile.read`."""
        from gguf.quants import dequantize

        tensor = self._tensor(name)
        try:
            array = dequantize(tensor.data, tensor.tensor_type).reshape(self.shape(name))
        except (NotImplementedError, ValueError) as error:
            raise CheckpointError(
                f"{name} in {self.path} cannot be read as {tensor.tensor_type.name}: {error}. "
                "Take another quantization, or the checkpoint's safetensors."
            ) from error
        heads = {"q_proj": "attention.head_count", "k_proj": "attention.head_count_kv"}
        module = name.split(".")[-2]
        if self._architecture == "llama" and module in heads:
            array = _pair_halves(array, int(self._of_architecture(heads[module])))
        return convert_floats(np.array(array), dtype)

    def config(self) -> dict[str, Any]:
        """Returns what `config.json` would state.

        Raises:
            CheckpointError: A setting is missing, or is one that cannot be honoured.
        """
        self._check_rotary()
        stated: dict[str, Any] = {
            "model_type": self._architecture,
            "architectures": [f"{ARCHITECTURES[self._architecture]}ForCausalLM"],
            "hidden_act": "silu",
            "vocab_size": self.shape("model.embed_tokens.weight")[0],
            "tie_word_embeddings": "lm_head.weight" not in self._tensors,
            "attention_bias": "model.layers.0.self_attn.q_proj.bias" in self._tensors,
            "mlp_bias": "model.layers.0.mlp.gate_proj.bias" in self._tensors,
        }
        for ours, theirs in _KEYS.items():
            value = self._of_architecture(ours)
            if value is not None:
                stated[theirs] = value
        for token in ("bos", "eos", "padding"):
            value = self._setting(f"tokenizer.ggml.{token}_token_id")
            if value is not None:
                stated[f"{token.replace('padding', 'pad')}_token_id"] = value
        return stated

    def _check_rotary(self) -> None:
        """Refuses rotary positions that are not plain: nothing here states them exactly."""
        kind = self._setting(f"{self._architecture}.rope.scaling.type") or "none"
        if kind != "none" or any(name.startswith("rope_") for name in self._tensors):
            raise CheckpointError(
                f"Rotary positions in a GGUF file must not be scaled. Received: {self.path.name} "
                f"with scaling {kind!r} or factors of its own. Take the checkpoint's safetensors."
            )
        size = self._of_architecture("embedding_length") // self._of_architecture(
            "attention.head_count"
        )
        head_size = self._of_architecture("attention.key_length") or size
        turned = self._setting(f"{self._architecture}.rope.dimension_count") or head_size
        if turned != head_size:
            raise CheckpointError(
                "Rotary positions in a GGUF file must turn all numbers of a head. Received: "
                f"{turned} of {head_size}. Take the checkpoint's safetensors."
            )

    def _of_architecture(self, key: str) -> Any:
        value = self._setting(f"{self._architecture}.{key}")
        if value is None and key == "attention.head_count_kv":
            return self._of_architecture("attention.head_count")
        if value is None and key not in _OPTIONAL:
            raise CheckpointError(
                f"A GGUF file must state {self._architecture}.{key}. Received: none in "
                f"{self.path}. Fetch the file again."
            )
        if value is not None and not isinstance(value, (int, float)):
            raise CheckpointError(
                f"{self._architecture}.{key} in a GGUF file must be one number. Received: "
                f"{value!r}. Take the checkpoint's safetensors."
            )
        return value

    def _setting(self, key: str) -> Any:
        field = self._reader.fields.get(key)
        return None if field is None else field.contents()

    def _tensor(self, name: str) -> Any:
        if name not in self._tensors:
            raise unknown_name(self.path, name, self._tensors)
        return self._tensors[name]


def _open(path: Path) -> Any:
    try:
        from gguf import GGUFReader
    except ImportError as error:
        raise CheckpointError(
            f"Reading {path.name} takes the extra gguf: pip install 'tfaigc[gguf]'."
        ) from error
    with path.open("rb") as file:
        magic = file.read(len(_MAGIC))
    try:
        if magic != _MAGIC:
            raise ValueError("it does not begin with GGUF")
        return GGUFReader(path)
    # The reader takes lengths from the file as they are: a broken one fails anywhere.
    except (ValueError, IndexError, KeyError, TypeError, OverflowError, MemoryError) as error:
        raise CheckpointError(
            f"{path} cannot be read as GGUF: {error}. Fetch the file again."
        ) from error


def _theirs(name: str) -> str:
    """Gives a tensor the name that `transformers` has for it; others keep theirs.

    Example:
        >>> _theirs("blk.3.attn_q.weight")
        'model.layers.3.self_attn.q_proj.weight'
    """
    match = _NAME.fullmatch(name)
    if match is None or match["module"] not in _MODULES:
        return name
    module = _MODULES[match["module"]]
    if match["layer"] is not None:
        module = f"model.layers.{match['layer']}.{module}"
    return f"{module}.{match['leaf']}"


def _pair_halves(array: np.ndarray, num_heads: int) -> np.ndarray:
    """Takes heads whose neighbors are pairs to heads whose first half pairs with the second.

    Example:
        >>> _pair_halves(np.arange(4), 1).tolist()
        [0, 2, 1, 3]
    """
    pairs = array.reshape((num_heads, -1, 2, *array.shape[1:]))
    return pairs.swapaxes(1, 2).reshape(array.shape)

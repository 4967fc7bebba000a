"""GGUF files of the Llama family: the numbers of `transformers`, and what is refused."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import batteries
import numpy as np
import pytest
from family_cases import CASES

import tfaigc
from tfaigc.errors import CheckpointError
from tfaigc.families import HeadedBackbone

SIZES = {
    "context_length": 40,
    "embedding_length": 64,
    "block_count": 2,
    "feed_forward_length": 96,
    "attention.head_count": 4,
    "attention.head_count_kv": 2,
    "rope.dimension_count": 16,
}
WIDE = {"hidden_size": 64, "intermediate_size": 96, "head_dim": 16, "max_position_embeddings": 40}
MODULES = {
    "embed_tokens": "token_embd",
    "norm": "output_norm",
    "lm_head": "output",
    "input_layernorm": "attn_norm",
    "self_attn.q_proj": "attn_q",
    "self_attn.k_proj": "attn_k",
    "self_attn.v_proj": "attn_v",
    "self_attn.o_proj": "attn_output",
    "self_attn.q_norm": "attn_q_norm",
    "self_attn.k_norm": "attn_k_norm",
    "post_attention_layernorm": "ffn_norm",
    "mlp.gate_proj": "ffn_gate",
    "mlp.up_proj": "ffn_up",
    "mlp.down_proj": "ffn_down",
}
ONES = np.ones((101, 64), "float32")


def _write(
    directory: Path, kind: str, *, tensors: Mapping[str, Any] | None = None, **settings: Any
) -> Path:
    from gguf import GGUFWriter

    path = directory / "model.gguf"
    writer = GGUFWriter(path, kind)
    for key, value in {**SIZES, **settings}.items():
        if isinstance(value, str):
            writer.add_string(f"{kind}.{key}", value)
        elif value is not None:
            writer.add_uint32(f"{kind}.{key}", value)
    writer.add_float32(f"{kind}.attention.layer_norm_rms_epsilon", 1e-5)
    writer.add_float32(f"{kind}.rope.freq_base", 5000.0)
    writer.add_uint32("tokenizer.ggml.eos_token_id", 7)
    for name, (array, stored) in (tensors or {"token_embd.weight": _stored(ONES, "Q8_0")}).items():
        writer.add_tensor(name, array, raw_dtype=stored)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def _stored(array: np.ndarray, quantization: str) -> tuple[np.ndarray, Any]:
    from gguf import GGMLQuantizationType
    from gguf.quants import quantize

    stored = GGMLQuantizationType["F32" if array.ndim == 1 else quantization]
    return (array if array.ndim == 1 else quantize(array, stored)), stored


def _tensors_of(model: Any, kind: str, quantization: str) -> dict[str, Any]:
    """Takes a model to the tensors of a GGUF file, and its weights to what they hold."""
    import torch
    from gguf.quants import dequantize

    tensors = {}
    for name, parameter in model.named_parameters():
        if name == "lm_head.weight" and kind == "llama":
            continue
        *_, module, leaf = name.split(".")
        for theirs in ("self_attn.", "mlp."):
            module = f"{theirs}{module}" if theirs in name else module
        short = MODULES[module]
        layer = name.split("layers.")[1].split(".")[0] if "layers." in name else None
        array = parameter.detach().numpy()
        heads = {"attn_q": 4, "attn_k": 2}.get(short) if kind == "llama" else None
        if heads:
            # llama.cpp turns neighbors where transformers turns halves.
            halves = array.reshape(heads, 2, -1, *array.shape[1:])
            array = halves.swapaxes(1, 2).reshape(array.shape)
        packed, stored = _stored(np.ascontiguousarray(array), quantization)
        ours = f"{short}.{leaf}" if layer is None else f"blk.{layer}.{short}.{leaf}"
        tensors[ours] = (packed, stored)
        array = dequantize(packed, stored)
        if heads:
            pairs = array.reshape(heads, -1, 2, *array.shape[1:])
            array = pairs.swapaxes(1, 2).reshape(array.shape)
        with torch.no_grad():
            parameter.copy_(torch.tensor(array))
    return tensors


@pytest.mark.parametrize(
    ("kind", "class_name", "quantization"),
    [("llama", "Llama", "Q8_0"), ("qwen2", "Qwen2", "Q4_1"), ("qwen3", "Qwen3", "F16")],
)
def test_logits_are_those_of_transformers(
    kind: str, class_name: str, quantization: str, tmp_path: Path
) -> None:
    case = replace(CASES[kind], settings={**CASES[kind].settings, **WIDE})
    reference = batteries.make_reference(
        case,
        f"{class_name}ForCausalLM",
        tmp_path / "theirs",
        tie_word_embeddings=kind == "llama",
        rms_norm_eps=1e-5,
        rope_parameters={"rope_type": "default", "rope_theta": 5000.0},
    )
    tensors = _tensors_of(reference, kind, quantization)
    extra = {"attention.key_length": 16} if kind == "qwen3" else {}
    _write(tmp_path, kind, tensors=tensors, **extra)
    model = HeadedBackbone.from_pretrained(tmp_path, head="causal_lm")
    inputs = batteries.ragged_batch(101, 0)
    batteries.check_logits(reference, model, inputs)
    assert model.backbone.stated("eos_token_id") == 7
    model.save_pretrained(tmp_path / "ours")
    again = type(reference).from_pretrained(tmp_path / "ours").eval()
    batteries.check_logits(again, model, inputs)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"rope.scaling.type": "yarn"}, "must not be scaled. Received: .*'yarn'"),
        ({"rope.dimension_count": 8}, "must turn all numbers of a head. Received: 8 of 16"),
        ({"block_count": None}, "must state llama.block_count"),
        ({"attention.head_count": "four"}, "must be one number. Received: 'four'"),
    ],
)
def test_settings_that_cannot_be_honoured(
    settings: dict[str, Any], message: str, tmp_path: Path
) -> None:
    _write(tmp_path, "llama", **settings)
    with pytest.raises(CheckpointError, match=message):
        tfaigc.Backbone.from_pretrained(tmp_path)


def test_other_architectures_are_refused(tmp_path: Path) -> None:
    _write(tmp_path, "gemma")
    with pytest.raises(CheckpointError, match=r"one of llama, qwen2, qwen3. Received: gemma"):
        tfaigc.Backbone.from_pretrained(tmp_path)


def test_broken_files_are_refused(tmp_path: Path) -> None:
    path = _write(tmp_path, "llama")
    whole = path.read_bytes()
    for broken in (b"", b"GGUF", whole[:200], whole[: len(whole) // 2], b"PK" + whole):
        path.write_bytes(broken)
        with pytest.raises(CheckpointError, match=r"cannot be read as GGUF.*Fetch the file again"):
            tfaigc.Backbone.from_pretrained(tmp_path)
    path.write_bytes(whole)
    (tmp_path / "other.gguf").write_bytes(whole)
    with pytest.raises(CheckpointError, match=r"one GGUF file. Received: model.gguf, other.gguf"):
        tfaigc.Backbone.from_pretrained(tmp_path)

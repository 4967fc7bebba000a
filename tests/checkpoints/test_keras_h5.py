"""HDF5 files of the tf.keras 2 era: PyTorch's names and layouts, and what is refused."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from tfaigc.checkpoints import open_weights
from tfaigc.checkpoints.keras_h5 import KerasH5File, check_hdf5, tensor_name
from tfaigc.errors import CheckpointError

NAMES = {
    "tf_bert_model/bert/embeddings/word_embeddings/weight:0": (
        "bert.embeddings.word_embeddings.weight"
    ),
    "tf_bert_model/bert/embeddings/token_type_embeddings/embeddings:0": (
        "bert.embeddings.token_type_embeddings.weight"
    ),
    "tf_bert_model/bert/encoder/layer_._11/attention/self/query/kernel:0": (
        "bert.encoder.layer.11.attention.self.query.weight"
    ),
    "tf_bert_model/bert/embeddings/LayerNorm/gamma:0": "bert.embeddings.LayerNorm.weight",
    "tf_bert_model/bert/embeddings/LayerNorm/beta:0": "bert.embeddings.LayerNorm.bias",
    "tf_bert_for_masked_lm/mlm___cls/predictions/bias:0": "cls.predictions.bias",
    "tf_bert_for_pre_training/nsp___cls/seq_relationship/kernel:0": "cls.seq_relationship.weight",
    "tfgpt2lm_head_model/transformer/h_._0/attn/c_attn/weight:0": (
        "transformer.h.0.attn.c_attn.weight"
    ),
    "tf_albert_model/albert/encoder/albert_layer_groups_._0/albert_layers_._0/ffn/kernel:0": (
        "albert.encoder.albert_layer_groups.0.albert_layers.0.ffn.weight"
    ),
    "model.shared/model.shared/embeddings:0": "model.shared.weight",
    "final_logits_bias:0": "final_logits_bias",
}


@pytest.mark.parametrize("variable", NAMES)
def test_names(variable: str) -> None:
    assert tensor_name(variable) == NAMES[variable]


ARRAYS = {
    "a/net/a/dense/kernel:0": np.arange(6, dtype="float32").reshape(2, 3),
    "a/net/a/dense/bias:0": np.arange(3, dtype="float16"),
    "a/net/a/conv/weight:0": np.arange(6, dtype="float32").reshape(2, 3),
    "a/net/a/conv/bias:0": np.arange(3, dtype="float32")[None],
    "a/net/a/patches/kernel:0": np.arange(120, dtype="float32").reshape(2, 3, 4, 5),
    "a/net/a/taps/kernel:0": np.arange(24, dtype="float32").reshape(2, 3, 4),
}


@pytest.mark.parametrize("root", ["", "model_weights/"])
def test_layouts(tmp_path: Path, root: str) -> None:
    with h5py.File(tmp_path / "tf_model.h5", "w") as file:
        for place, array in ARRAYS.items():
            file[root + place] = array
    with open_weights(tmp_path) as weights:
        read = {name: weights.read(name) for name in weights.names()}
        assert {name: weights.shape(name) for name in read} == {
            name: array.shape for name, array in read.items()
        }
        assert weights.dtype("a.dense.bias") == np.float16
        assert weights.read("a.dense.bias", dtype="float32").dtype == np.float32
    expected = {
        "a.dense.weight": ARRAYS["a/net/a/dense/kernel:0"].T,
        "a.dense.bias": np.arange(3),
        "a.conv.weight": ARRAYS["a/net/a/conv/weight:0"],
        "a.conv.bias": np.arange(3),
        "a.patches.weight": ARRAYS["a/net/a/patches/kernel:0"].transpose(3, 2, 0, 1),
        "a.taps.weight": ARRAYS["a/net/a/taps/kernel:0"].transpose(2, 1, 0),
    }
    assert set(read) == set(expected)
    for name, array in expected.items():
        np.testing.assert_array_equal(read[name], array)
        assert read[name].flags.c_contiguous


def test_shards(tmp_path: Path) -> None:
    shards = {
        "tf_model-00001-of-00002.h5": {"bert/pooler/dense/kernel:0": np.ones((2, 3))},
        "tf_model-00002-of-00002.h5": {"model.shared/model.shared/weight:0": np.ones((4, 2))},
    }
    index = {}
    for filename, arrays in shards.items():
        with h5py.File(tmp_path / filename, "w") as file:
            for place, array in arrays.items():
                file[place] = array
                index[place if "model." in place else f"tf_bert_model/{place}"] = filename
    (tmp_path / "tf_model.h5.index.json").write_text(json.dumps({"weight_map": index}))
    with open_weights(tmp_path) as weights:
        assert {name: weights.read(name).shape for name in weights.names()} == {
            "bert.pooler.dense.weight": (3, 2),
            "model.shared.weight": (4, 2),
        }


def write_other(path: Path) -> Path:
    """Writes a file beside another that has the numbers."""
    other = path.with_name("secret.bin")
    with h5py.File(other, "w") as file:
        file["x"] = np.ones(4, "float32")
    return other


def external_link(path: Path) -> None:
    other = write_other(path)
    with h5py.File(path, "w") as file:
        file["a"] = h5py.ExternalLink(str(other), "/x")


def external_group(path: Path) -> None:
    other = write_other(path)
    with h5py.File(path, "w") as file:
        file.create_group("a")
        file["model_weights"] = h5py.ExternalLink(str(other), "/")


def soft_link(path: Path) -> None:
    with h5py.File(path, "w") as file:
        file["a"] = h5py.SoftLink("/b")


def external_storage(path: Path) -> None:
    other = write_other(path)
    with h5py.File(path, "w") as file:
        file.create_dataset("a", (4,), "float32", external=[(str(other), 0, 16)])


def virtual(path: Path) -> None:
    other = write_other(path)
    layout = h5py.VirtualLayout((4,), "float32")
    layout[:] = h5py.VirtualSource(str(other), "x", shape=(4,))
    with h5py.File(path, "w") as file:
        file.create_virtual_dataset("a", layout)


def references(path: Path) -> None:
    with h5py.File(path, "w") as file:
        data = file.create_dataset("a", (2,), h5py.ref_dtype)
        data[0] = file.ref


def strings(path: Path) -> None:
    with h5py.File(path, "w") as file:
        file["a"] = ["text"]


def bomb(path: Path) -> None:
    with h5py.File(path, "w") as file:
        file.create_dataset("a", (1 << 14, 1 << 15), "float32", compression="gzip", chunks=True)


def truncated(path: Path) -> None:
    with h5py.File(path, "w") as file:
        file["a"] = np.ones(100_000)
    path.write_bytes(path.read_bytes()[:-1000])


def no_hdf5(path: Path) -> None:
    path.write_bytes(b"\x80\x04" * 100)


@pytest.mark.parametrize(
    ("write", "message"),
    [
        (external_link, "the link /a, which may lie in another file"),
        (external_group, "the link /model_weights"),
        (soft_link, "the link /a"),
        (external_storage, "the numbers of /a, which may lie in another file"),
        (virtual, "the numbers of /a"),
        (references, "must hold nothing but arrays of numbers"),
        (strings, "must hold nothing but arrays of numbers"),
        (bomb, "must hold at most 100 times its own size"),
        (truncated, "must be a whole HDF5 file"),
        (no_hdf5, "must be a whole HDF5 file"),
    ],
)
def test_hostile_files_are_refused(
    tmp_path: Path, write: Callable[[Path], None], message: str
) -> None:
    path = tmp_path / "tf_model.h5"
    write(path)
    with pytest.raises(CheckpointError, match=message):
        open_weights(tmp_path)
    if "whole" in message or "lie in" in message:
        with pytest.raises(CheckpointError, match=message):
            check_hdf5(path)


def test_a_group_inside_itself_ends(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "tf_model.h5", "w") as file:
        file["a/net/a/bias:0"] = np.ones(3)
        file["a/again"] = file["a"]
    assert KerasH5File(tmp_path / "tf_model.h5").names() == ["a.bias"]


def test_without_the_extra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    no_hdf5(tmp_path / "tf_model.h5")
    monkeypatch.setitem(sys.modules, "h5py", None)
    with pytest.raises(CheckpointError, match=r"pip install 'tfaigc\[legacy\]'"):
        open_weights(tmp_path)


def tf_name(module: Any, name: str, leaf: str) -> tuple[str, Callable[[np.ndarray], np.ndarray]]:
    """Names a module's parameter as transformers 4 did in TensorFlow, and lays it out so."""
    parts = []
    for part in name.split("."):
        if part.isdigit() and parts:
            parts[-1] += f"_._{part}"
        else:
            parts.append(part)
    kind = type(module).__name__
    if kind == "Linear" and leaf == "weight":
        leaf, change = "kernel", np.transpose
    elif kind == "Conv2d" and leaf == "weight":
        leaf, change = "kernel", lambda array: array.transpose(2, 3, 1, 0)
    elif kind == "LayerNorm":
        leaf, change = {"weight": "gamma", "bias": "beta"}[leaf], np.asarray
    elif kind == "Embedding" and "word" not in name and "wte" not in name:
        leaf, change = "embeddings", np.asarray
    elif kind == "Conv1D" and leaf == "bias":
        change = lambda array: array[None]  # noqa: E731
    else:
        change = np.asarray
    return "/".join([*parts, f"{leaf}:0"]), change


@pytest.mark.parametrize(
    ("name", "class_name", "scope", "head"),
    [
        ("bert", "BertModel", "bert", None),
        ("bert", "BertForTokenClassification", "", "token_classification"),
        ("distilbert", "DistilBertForQuestionAnswering", "", "question_answering"),
        ("gpt2", "GPT2LMHeadModel", "", "causal_lm"),
        ("roberta", "RobertaForSequenceClassification", "", "text_classification"),
    ],
)
def test_models_of_transformers_4(
    tmp_path: Path, name: str, class_name: str, scope: str, head: str | None
) -> None:
    import batteries
    from family_cases import CASES

    import tfaigc
    from tfaigc.families import HeadedBackbone

    reference = batteries.make_reference(CASES[name], class_name, tmp_path)
    (tmp_path / "model.safetensors").unlink()
    with h5py.File(tmp_path / "tf_model.h5", "w") as file:
        written: set[int] = set()
        for module_name, module in reference.named_modules():
            for leaf, parameter in module.named_parameters(recurse=False):
                if id(parameter) in written:
                    continue
                written.add(id(parameter))
                place, change = tf_name(module, module_name, leaf)
                place = "/".join(part for part in (scope, place) if part)
                layer = place.partition("/")[0]
                file[f"{layer}/tf_model/{place}"] = change(parameter.detach().numpy())
    inputs = batteries.ragged_batch(101, 2 if name == "bert" else 0)
    if head is None:
        batteries.check_backbone(reference, tfaigc.Backbone.from_pretrained(tmp_path), inputs)
    else:
        inputs = batteries.head_inputs(head, inputs)
        model = HeadedBackbone.from_pretrained(tmp_path, head=head)
        batteries.check_logits(reference, model, inputs)


def test_the_bias_that_albert_does_not_use(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "tf_model.h5", "w") as file:
        file["predictions/net/predictions/bias:0"] = np.zeros(3)
        file["predictions/net/predictions/decoder/bias:0"] = np.ones(3)
    with open_weights(tmp_path) as weights:
        assert weights.names() == ["predictions.decoder.bias"]

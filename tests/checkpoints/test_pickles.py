"""Files of torch.save: equal to what PyTorch reads, and never run."""

from __future__ import annotations

import collections
import io
import os
import pickle
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from tfaigc.checkpoints import open_weights
from tfaigc.checkpoints.pickles import PickleFile
from tfaigc.errors import CheckpointError

Save = Callable[[Any], Path]


@pytest.fixture(params=[True, False], ids=["zip", "legacy"])
def save(request: pytest.FixtureRequest, tmp_path: Path) -> Save:
    """Saves an object as torch does, in either format."""

    def torch_save(content: Any) -> Path:
        path = tmp_path / "pytorch_model.bin"
        torch.save(content, path, _use_new_zipfile_serialization=request.param)
        return path

    return torch_save


def tensors() -> dict[str, torch.Tensor]:
    generator = torch.Generator().manual_seed(1)
    base = torch.randn(4, 6, generator=generator)
    return {
        "plain": torch.randn(3, 4, generator=generator),
        "base": base,
        "transposed": base.t(),
        "window": base[1:3, 2:5],
        "every_other": base.flatten()[1::2],
        "expanded": torch.tensor([1.0, 2.0]).expand(3, 2),
        "parameter": torch.nn.Parameter(torch.randn(2, generator=generator)),
        "scalar": torch.tensor(3.5),
        "empty": torch.zeros(0, 3),
        "float64": torch.randn(2, dtype=torch.float64, generator=generator),
        "float16": torch.tensor([1.5, -2.0]).half(),
        "bfloat16": torch.tensor([[1.5], [-2.0]]).bfloat16(),
        "float8": torch.tensor([1.5, -2.0]).to(torch.float8_e4m3fn),
        "int64": torch.tensor([2**40, -1]),
        "int32": torch.tensor([-7], dtype=torch.int32),
        "int16": torch.tensor([-7], dtype=torch.int16),
        "int8": torch.tensor([-128], dtype=torch.int8),
        "uint8": torch.tensor([255], dtype=torch.uint8),
        "uint16": torch.tensor([65535], dtype=torch.uint16),
        "bool": torch.tensor([True, False]),
    }


def assert_equal(path: Path, expected: dict[str, torch.Tensor]) -> None:
    with open_weights(path.parent) as weights:
        assert weights.names() == list(expected)
        for name, tensor in expected.items():
            array = weights.read(name)
            assert weights.dtype(name) == array.dtype
            assert array.dtype.name == str(tensor.dtype).removeprefix("torch.")
            assert array.shape == weights.shape(name) == tuple(tensor.shape)
            assert array.flags.c_contiguous
            assert array.flags.writeable
            # Through float64, which holds every value here: NumPy cannot compare float8.
            np.testing.assert_array_equal(
                array.astype("float64"), tensor.detach().double().numpy(), err_msg=name
            )


def test_equal_to_what_pytorch_reads(save: Save) -> None:
    content = tensors()
    assert_equal(save(content), content)
    # PyTorch itself cannot read these back from the legacy format, though it writes them.
    del content["float8"], content["uint16"]
    path = save(content)
    assert_equal(path, torch.load(path, weights_only=True))


def test_state_dict_of_a_module(save: Save) -> None:
    model = torch.nn.Sequential(torch.nn.Linear(2, 3), torch.nn.BatchNorm1d(3))
    assert_equal(save(model.state_dict()), model.state_dict())


@pytest.mark.parametrize("key", ["state_dict", "model"])
def test_lone_wrapper_is_taken_off(save: Save, key: str) -> None:
    content = {"a": torch.randn(2)}
    assert_equal(save({key: content}), content)


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
def test_every_pickle_protocol(tmp_path: Path, protocol: int) -> None:
    content = collections.OrderedDict(a=torch.randn(2, 3))
    torch.save(content, tmp_path / "pytorch_model.bin", pickle_protocol=protocol)
    assert_equal(tmp_path / "pytorch_model.bin", content)


def test_floats_are_converted_on_request(save: Save) -> None:
    with open_weights(save(tensors()).parent) as weights:
        assert weights.read("bfloat16", dtype="float32").dtype == np.float32
        assert weights.read("int64", dtype="float32").dtype == np.int64
        with pytest.raises(CheckpointError, match="Did you mean 'plain'"):
            weights.read("plian")


class Attack:
    """Runs a command in whoever unpickles it."""

    def __init__(self, function: Callable[..., Any], *arguments: Any) -> None:
        self.call = (function, arguments)

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[Any, ...]]:
        return self.call


@pytest.mark.parametrize("place", ["value", "root", "key"])
def test_code_is_refused_and_not_run(save: Save, tmp_path: Path, place: str) -> None:
    witness = tmp_path / "witness"
    attack: Any = Attack(os.system, f"touch {witness}")
    if place != "root":
        attack = {"a": torch.zeros(1), **({"b": attack} if place == "value" else {attack: 1})}
    path = save(attack)
    with pytest.raises(
        CheckpointError, match=r"pytorch_model\.bin, which asks to run (posix|nt)\.system\. Nothing"
    ):
        open_weights(path.parent)
    assert not witness.exists()


def test_plain_pickle_with_code_is_refused(tmp_path: Path) -> None:
    witness = tmp_path / "witness"
    path = tmp_path / "pytorch_model.bin"
    for protocol in range(6):
        path.write_bytes(pickle.dumps(Attack(os.system, f"touch {witness}"), protocol=protocol))
        with pytest.raises(CheckpointError, match=r"asks to run posix\.system"):
            open_weights(tmp_path)
    assert not witness.exists()


@pytest.mark.parametrize(
    "function", [eval, exec, getattr, __import__, print, open, torch.load, torch.hub.load, np.load]
)
def test_no_other_function_is_allowed(save: Save, function: Callable[..., Any]) -> None:
    path = save({"a": Attack(function, "1")})
    with pytest.raises(CheckpointError, match=f"asks to run .*{function.__name__}"):
        open_weights(path.parent)


def test_whole_modules_are_refused(save: Save) -> None:
    with pytest.raises(CheckpointError, match=r"asks to run torch\.nn\.modules\.linear\.Linear"):
        open_weights(save(torch.nn.Linear(1, 1)).parent)


@pytest.mark.parametrize(
    ("content", "found"),
    [
        ({"epoch": 3, "state_dict": {"a": torch.zeros(1)}}, r"'epoch' \(int\)"),
        ({1: torch.zeros(1)}, r"1 \(TensorView\)"),
        ([torch.zeros(1)], "list"),
        ("text", "str"),
        (torch.zeros(1), "TensorView"),
    ],
)
def test_other_contents_are_refused(save: Save, content: Any, found: str) -> None:
    with pytest.raises(CheckpointError, match=f"must hold a mapping of names.*{found}"):
        open_weights(save(content).parent)


@pytest.mark.parametrize("share", [0, 0.02, 0.3, 0.6, 0.999])
def test_truncated(save: Save, share: float) -> None:
    path = save({"a": torch.randn(1000), "b": torch.randn(1000)})
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * share)])
    with pytest.raises(CheckpointError, match=r"pytorch_model\.bin must be a"):
        open_weights(path.parent)


def test_damaged_bytes_in_a_zip(tmp_path: Path) -> None:
    path = tmp_path / "pytorch_model.bin"
    torch.save({"a": torch.full((100,), 7.0)}, path)
    seven = np.float32(7).tobytes()
    path.write_bytes(path.read_bytes().replace(seven * 3, seven * 2 + b"1234", 1))
    with open_weights(tmp_path) as weights, pytest.raises(CheckpointError, match="damaged"):
        weights.read("a")


def rewrite(path: Path, change: Callable[[str, bytes], bytes | None], compression: int) -> None:
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(path, "w", compression) as archive:
        for name, content in members.items():
            changed = change(name, content)
            if changed is not None:
                archive.writestr(name, changed)


@pytest.mark.parametrize(
    ("change", "compression", "reason"),
    [
        (lambda name, content: content, zipfile.ZIP_DEFLATED, "compressed"),
        (
            lambda name, content: content * 9 if "/data/" in name else content,
            zipfile.ZIP_STORED,
            "where at most 8 belong",
        ),
        (
            lambda name, content: content[:4] if "/data/" in name else content,
            zipfile.ZIP_STORED,
            "4 bytes for storage 0 instead of 8",
        ),
        (
            lambda name, content: None if "/data/" in name else content,
            zipfile.ZIP_STORED,
            "an archive without .*/data/0",
        ),
        (
            lambda name, content: None if name.endswith("data.pkl") else content,
            zipfile.ZIP_STORED,
            "without a single data.pkl",
        ),
        (
            lambda name, content: b"big" if name.endswith("byteorder") else content,
            zipfile.ZIP_STORED,
            "big-endian",
        ),
    ],
)
def test_odd_archives(
    tmp_path: Path, change: Callable[[str, bytes], bytes | None], compression: int, reason: str
) -> None:
    path = tmp_path / "pytorch_model.bin"
    torch.save({"a": torch.ones(2)}, path)
    rewrite(path, change, compression)
    with pytest.raises(CheckpointError, match=reason), open_weights(tmp_path) as weights:
        weights.read("a")


def test_torchscript_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "pytorch_model.bin"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("model/data.pkl", pickle.dumps({}))
        archive.writestr("model/code/__torch__.py", "class Model: ...")
    with pytest.raises(CheckpointError, match="a TorchScript program"):
        open_weights(tmp_path)


@pytest.mark.parametrize(
    ("shape", "strides", "offset"),
    [
        ((10,), (1,), 0),
        ((2,), (1,), 7),
        ((2, 2), (8, 1), 0),
        ((1 << 40,), (0,), 0),
        ((2,), (-1,), 2),
        ((-2,), (1,), 0),
        ((2,), (1, 1), 0),
        ((0, 1 << 60), (1, 1), 0),
    ],
)
def test_tensors_that_do_not_fit_their_storage(
    tmp_path: Path, shape: tuple[int, ...], strides: tuple[int, ...], offset: int
) -> None:
    path = tmp_path / "pytorch_model.bin"
    torch.save({"a": torch.ones(8)}, path)
    storage = object()

    class Pickler(pickle.Pickler):
        def persistent_id(self, value: Any) -> Any:
            return ("storage", torch.FloatStorage, "0", "cpu", 8) if value is storage else None

    buffer = io.BytesIO()
    rebuild = torch._utils._rebuild_tensor_v2
    call = Attack(rebuild, storage, offset, shape, strides, False, collections.OrderedDict())
    Pickler(buffer, protocol=2).dump({"a": call})
    rewrite(
        path,
        lambda name, content: buffer.getvalue() if name.endswith("data.pkl") else content,
        zipfile.ZIP_STORED,
    )
    with pytest.raises(CheckpointError, match=r"a tensor (has|reaches)"):
        PickleFile(path)


@pytest.mark.parametrize(
    "program",
    [
        # Sets an attribute of an allowed function; calls a type; references that are none.
        b"\x80\x02ctorch._utils\n_rebuild_tensor_v2\n}X\x04\x00\x00\x00nameK\x01sb.",
        b"\x80\x02ctorch._utils\n_rebuild_tensor_v2\nN}X\x09\x00\x00\x00_functionK\x01s\x86b.",
        b"\x80\x02ctorch\nFloatStorage\n)R.",
        b"\x80\x02X\x01\x00\x00\x00aQ.",
        b"\x80\x02(ccollections\nOrderedDict\nK\x01tQ.",
        b"\x80\x02" + b"(" * 10_000,
        b"\x80\x04\x95\xff\xff\xff\xff\xff\xff\xff\x7f.",
        b"garbage",
    ],
)
def test_hostile_programs(tmp_path: Path, program: bytes) -> None:
    path = tmp_path / "pytorch_model.bin"
    path.write_bytes(program)
    with pytest.raises(CheckpointError, match=r"torch\.save wrote"):
        open_weights(tmp_path)


def test_dictionary_with_methods_of_its_own(save: Save) -> None:
    class Shadowed(Attack):
        def __reduce__(self) -> Any:
            return (*self.call, {"items": None, "keys": 1})

    content = {"a": torch.ones(1)}
    assert_equal(save(Shadowed(collections.OrderedDict, list(content.items()))), content)


def test_missing_and_unreadable_file(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="must be a readable file"):
        PickleFile(tmp_path / "missing.bin")

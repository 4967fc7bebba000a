import pytest

from tfaigc.errors import ConfigError
from tfaigc.training.precision import Device, read_cpu_features, resolve_precision, visible_devices

A100 = Device("GPU", "NVIDIA A100", (8, 0))
T4 = Device("GPU", "Tesla T4", (7, 5))
V100 = Device("GPU", "Tesla V100", (7, 0))
P100 = Device("GPU", "Tesla P100", (6, 0))
UNKNOWN = Device("GPU", "some GPU")
TPU = Device("TPU", "TPU:0")


@pytest.mark.parametrize(
    ("devices", "policy", "reason"),
    [
        ([], "float32", "no GPU"),
        ([A100], "mixed_bfloat16", "NVIDIA A100 (compute capability 8.0)"),
        ([T4], "mixed_float16", "Tesla T4 (compute capability 7.5)"),
        ([V100], "mixed_float16", "Tesla V100"),
        ([P100], "float32", "no tensor cores"),
        ([UNKNOWN], "float32", "not known"),
        ([A100, T4], "mixed_float16", "Tesla T4"),
        ([A100, UNKNOWN], "float32", "some GPU"),
        ([TPU, TPU], "mixed_bfloat16", "TPU"),
    ],
)
def test_hardware_decides(devices, policy, reason):
    precision = resolve_precision("auto", devices=devices, cpu_features={"avx512_bf16"})
    assert precision.policy == policy
    assert reason in precision.reason
    assert "\n" not in precision.reason


def test_matrix_unit_of_the_cpu_decides_where_there_is_no_accelerator():
    features = {"avx512f", "amx_bf16"}
    precision = resolve_precision("auto", devices=[], cpu_features=features)
    assert precision.policy == "mixed_bfloat16"
    assert "AMX" in precision.reason
    precision = resolve_precision("auto", devices=[P100], cpu_features=features)
    assert precision.policy == "float32"


def test_cpu_features(tmp_path):
    file = tmp_path / "cpuinfo"
    file.write_text("processor\t: 0\nmodel name\t: Some CPU\nflags\t\t: fpu sse amx_bf16\n\n")
    assert read_cpu_features(file) == {"fpu", "sse", "amx_bf16"}
    file.write_text("processor\t: 0\n")
    assert read_cpu_features(file) == read_cpu_features(tmp_path / "absent") == frozenset()


@pytest.mark.parametrize(
    ("precision", "policy"),
    [("float32", "float32"), ("bfloat16", "mixed_bfloat16"), ("float16", "mixed_float16")],
)
def test_the_user_decides(precision, policy):
    assert resolve_precision(precision, devices=[A100]).policy == policy


def test_policies_are_ones_that_keras_knows():
    import keras

    for precision in ("float32", "bfloat16", "float16"):
        policy = resolve_precision(precision, devices=[]).policy
        assert keras.dtype_policies.DTypePolicy(policy).variable_dtype == "float32"


def test_this_machine():
    devices = visible_devices()
    assert all(device.kind in ("GPU", "TPU") for device in devices)
    assert resolve_precision("auto") == resolve_precision("auto", devices=devices)


def test_unknown_precision():
    with pytest.raises(ConfigError, match="Did you mean 'bfloat16'"):
        resolve_precision("bfloat", devices=[])

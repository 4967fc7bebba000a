import pytest

from tfaigc.errors import ConfigError
from tfaigc.training.precision import Device, resolve_precision, visible_devices

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
    precision = resolve_precision("auto", devices=devices)
    assert precision.policy == policy
    assert reason in precision.reason
    assert "\n" not in precision.reason


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

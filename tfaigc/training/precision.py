"""The dtype policy that the hardware runs best, with the reason in one line."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tfaigc.errors import ConfigError, suggestion

_POLICIES: Final = {
    "float32": "float32",
    "bfloat16": "mixed_bfloat16",
    "float16": "mixed_float16",
}
# Tensor cores for float16 came with compute capability 7.0 (Volta), those for bfloat16 with
# 8.0 (Ampere).
_FLOAT16_CAPABILITY: Final = (7, 0)
_BFLOAT16_CAPABILITY: Final = (8, 0)
_MATRIX_UNIT: Final = "amx_bf16"


@dataclass(frozen=True)
class Device:
    """An accelerator as far as precision is concerned.

    Attributes:
        kind: `"GPU"` or `"TPU"`.
        name: What people call it, such as `"Tesla T4"`.
        compute_capability: Of an NVIDIA GPU; `None` where it is not known.
    """

    kind: str
    name: str
    compute_capability: tuple[int, int] | None = None


@dataclass(frozen=True)
class Precision:
    """A choice of precision.

    Attributes:
        policy: The name of a Keras dtype policy, for `keras.config.set_dtype_policy`.
        reason: One line for the log.
    """

    policy: str
    reason: str


def resolve_precision(
    precision: str,
    *,
    devices: Sequence[Device] | None = None,
    cpu_features: Collection[str] | None = None,
) -> Precision:
    """Turns the user's wish into a Keras dtype policy.

    Weights, and the state of the optimizer, stay in float32 under every policy.

    Args:
        precision: `"auto"`, `"float32"`, `"bfloat16"` or `"float16"`.
        devices: The accelerators; by default, those that TensorFlow sees.
        cpu_features: What the processor can do, under the names that Linux uses; by default,
            what this one states.

    Returns:
        The policy and why it was chosen.

    Raises:
        ConfigError: The precision has no such value.

    Example:
        >>> resolve_precision("auto", devices=[Device("GPU", "Tesla T4", (7, 5))]).policy
        'mixed_float16'
        >>> resolve_precision("auto", devices=[], cpu_features={"avx512f"}).policy
        'float32'
    """
    if precision in _POLICIES:
        return Precision(_POLICIES[precision], f"{precision}, as asked for")
    if precision != "auto":
        valid = ["auto", *_POLICIES]
        raise ConfigError(
            f"precision must be one of {', '.join(valid)}. Received: {precision!r}."
            f"{suggestion(str(precision), valid)} Pass precision='auto' to let the hardware decide."
        )
    return _choose(
        visible_devices() if devices is None else devices,
        read_cpu_features() if cpu_features is None else cpu_features,
    )


def visible_devices() -> list[Device]:
    """Lists the accelerators that TensorFlow sees.

    Returns:
        TPU cores and GPUs; an empty list on a machine with neither.
    """
    import tensorflow as tf

    # TPU cores show up as logical devices only, once the TPU system is initialized.
    tpus = [Device("TPU", device.name) for device in tf.config.list_logical_devices("TPU")]
    gpus = []
    for device in tf.config.list_physical_devices("GPU"):
        details = tf.config.experimental.get_device_details(device)
        name = details.get("device_name", device.name)
        gpus.append(Device("GPU", name, details.get("compute_capability")))
    return tpus + gpus


def read_cpu_features(cpuinfo: Path = Path("/proc/cpuinfo")) -> frozenset[str]:
    """Lists what the processor can do.

    Args:
        cpuinfo: Linux's description of the processor.

    Returns:
        Names such as `"avx512f"`; nothing on systems without that file.
    """
    try:
        text = cpuinfo.read_text()
    except OSError:
        return frozenset()
    lines = (line.partition(":") for line in text.splitlines())
    return frozenset(next((value.split() for name, _, value in lines if "flags" in name), ()))


def _choose(devices: Sequence[Device], cpu_features: Collection[str]) -> Precision:
    """Picks the fastest precision that every device can run."""
    tpus = [device for device in devices if device.kind == "TPU"]
    if tpus:
        return Precision("mixed_bfloat16", "bfloat16: the TPU multiplies in it")
    gpus = [device for device in devices if device.kind == "GPU"]
    if not gpus:
        # AVX512-BF16 alone, without AMX, is slower than float32: its products gain less than
        # the conversions cost.
        if _MATRIX_UNIT in cpu_features:
            return Precision("mixed_bfloat16", "bfloat16: the CPU has a matrix unit for it (AMX)")
        return Precision("float32", "float32: there is no GPU or TPU, and no AMX in the CPU")
    unknown = [device for device in gpus if device.compute_capability is None]
    if unknown:
        return Precision(
            "float32", f"float32: the compute capability of {unknown[0].name} is not known"
        )
    weakest = min(gpus, key=lambda device: device.compute_capability or (0, 0))
    capability = weakest.compute_capability or (0, 0)
    described = f"{weakest.name} (compute capability {capability[0]}.{capability[1]})"
    if capability >= _BFLOAT16_CAPABILITY:
        return Precision("mixed_bfloat16", f"bfloat16: {described} has tensor cores for it")
    if capability >= _FLOAT16_CAPABILITY:
        return Precision(
            "mixed_float16", f"float16: {described} has tensor cores for it, none for bfloat16"
        )
    return Precision("float32", f"float32: {described} has no tensor cores")

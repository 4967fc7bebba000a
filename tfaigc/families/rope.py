"""Rotary positions as ``config.json`` states them, in the old keys and the new."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from tfaigc.errors import ConfigError, suggestion
from tfaigc.families.family import Settings, read_value
from tfaigc.layers.rotary import RotarySettings, rotary_frequencies, rotary_settings

_COMMON = ("rope_theta", "partial_rotary_factor", "rope_type", "type")
# What each kind of scaling reads besides; what it must have comes first.
_KEYS: Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "default": ((), ("factor", "original_max_position_embeddings")),
    "linear": (("factor",), ("original_max_position_embeddings",)),
    "dynamic": (("factor",), ("original_max_position_embeddings",)),
    "llama3": (
        ("factor", "low_freq_factor", "high_freq_factor"),
        ("original_max_position_embeddings",),
    ),
    "yarn": (
        ("factor",),
        (
            "original_max_position_embeddings",
            "attention_factor",
            "beta_fast",
            "beta_slow",
            "mscale",
            "mscale_all_dim",
            "truncate",
        ),
    ),
}


def read_rotary(
    stated: Settings,
    *,
    head_size: int,
    max_positions: int,
    theta_key: str = "rope_theta",
    share_key: str = "partial_rotary_factor",
    share: float | None = None,
) -> RotarySettings:
    """Reads the rotary positions of a stack in which all layers have the same.

    Args:
        stated: The parsed ``config.json``.
        head_size: Width of a head.
        max_positions: Number of positions.
        theta_key: Old key of the base of the wavelengths.
        share_key: Old key of the share of a head's numbers that are turned.
        share: That share, where nothing states it; None: it must be all of them.

    Returns:
        The settings. For ``"dynamic"`` they hold up to ``max_positions``, where it scales nothing.

    Raises:
        ConfigError: The kind of scaling or one of its keys is not known, or a value is no number.
    """
    entries = _entries(stated)
    kind = entries.get("rope_type", entries.get("type", "default"))
    if kind == "yarn":
        original = entries.get("original_max_position_embeddings", max_positions)
        entries.setdefault("factor", max_positions / original)
    _check(entries, kind)
    theta = _number(entries, "rope_theta", read_value(stated, theta_key, 10_000.0))
    turned = _number(entries, "partial_rotary_factor", read_value(stated, share_key, share or 1.0))
    if share is None and turned != 1:
        raise ConfigError(
            f"{share_key} in a {stated.get('model_type')} config.json must be 1. "
            f"Received: {turned}. Take another checkpoint."
        )
    size = int(head_size * turned)
    frequencies = rotary_frequencies(size, theta)
    original = stated.get("original_max_position_embeddings") or entries.get(
        "original_max_position_embeddings", max_positions
    )
    if kind == "linear":
        return rotary_settings(frequencies / np.float32(entries["factor"]))
    if kind == "llama3":
        return rotary_settings(_scale_by_wavelength(frequencies, entries, original))
    if kind == "yarn":
        mixed = _mix_by_wavelength(frequencies, entries, theta=theta, original=original)
        return rotary_settings(mixed, _attention_factor(entries))
    return rotary_settings(frequencies)


def _entries(stated: Settings) -> dict[str, Any]:
    """Returns the stated entries but for those without a value."""
    entries = stated.get("rope_scaling") or stated.get("rope_parameters") or {}
    if not isinstance(entries, Mapping):
        raise ConfigError(
            f"rope_parameters in config.json must be an object. Received: {entries!r}. "
            "Correct config.json."
        )
    return {key: value for key, value in entries.items() if value is not None}


def _check(entries: Mapping[str, Any], kind: Any) -> None:
    if kind not in _KEYS:
        raise ConfigError(
            f"rope_type in config.json must be one of {', '.join(_KEYS)}. Received: {kind!r}."
            f"{suggestion(str(kind), _KEYS)} Take another checkpoint."
        )
    required, optional = _KEYS[kind]
    missing = [key for key in required if key not in entries]
    unknown = sorted(set(entries) - {*required, *optional, *_COMMON})
    if missing or unknown:
        fault = f"Missing: {', '.join(missing)}" if missing else f"Unknown: {', '.join(unknown)}"
        raise ConfigError(
            f"rope_parameters of rope_type {kind!r} in config.json must have "
            f"{', '.join(required) or 'nothing more'}, and may have "
            f"{', '.join(('rope_theta', *optional))}. {fault}. Take another checkpoint."
        )
    for key in (*required, *optional):
        if key != "truncate":
            _number(entries, key, 1.0)


def _number(entries: Mapping[str, Any], key: str, default: float) -> float:
    value = entries.get(key, default)
    if isinstance(value, bool) or not isinstance(value, (int, float)) or value <= 0:
        raise ConfigError(
            f"{key} in config.json must be a number above 0. Received: {value!r}. "
            "Correct config.json."
        )
    return float(value)


def _scale_by_wavelength(
    frequencies: np.ndarray, entries: Mapping[str, Any], original: float
) -> np.ndarray:
    """Slows long waves down, and leaves short ones as they are (Llama 3.1, arXiv:2407.21783)."""
    factor, low, high = (
        float(entries[key]) for key in ("factor", "low_freq_factor", "high_freq_factor")
    )
    turns = original * frequencies / (2 * math.pi)
    # 0 where waves are as long as the original texts allowed, 1 where they are short.
    shortness = np.clip((turns - low) / max(high - low, 1e-12), 0, 1).astype("float32")
    scaled: np.ndarray = (1 - shortness) * frequencies / np.float32(factor)
    return scaled + shortness * frequencies


def _mix_by_wavelength(
    frequencies: np.ndarray, entries: Mapping[str, Any], *, theta: float, original: float
) -> np.ndarray:
    """Slows waves down by how often they turn within the original length (arXiv:2309.00071)."""
    size = 2 * len(frequencies)

    def place(turns: float) -> float:
        """Returns which pair turns that often, as a fraction."""
        return size * math.log(original / (turns * 2 * math.pi)) / (2 * math.log(theta))

    first = place(float(entries.get("beta_fast", 32)))
    last = place(float(entries.get("beta_slow", 1)))
    if entries.get("truncate", True):
        first, last = math.floor(first), math.ceil(last)
    first, last = max(first, 0), min(last, size - 1)
    if first == last:
        last += 0.001
    ramp = (np.arange(len(frequencies), dtype="float32") - first) / (last - first)
    slowed = np.clip(ramp, 0, 1).astype("float32")
    mixed: np.ndarray = frequencies / np.float32(entries["factor"]) * slowed
    return mixed + frequencies * (1 - slowed)


def _attention_factor(entries: Mapping[str, Any]) -> float:
    """Returns what yarn multiplies queries and keys with, by default (arXiv:2309.00071, eq. 22)."""

    def default(weight: float) -> float:
        factor = float(entries["factor"])
        return 1.0 if factor <= 1 else 0.1 * weight * math.log(factor) + 1.0

    if "attention_factor" in entries:
        return float(entries["attention_factor"])
    if entries.get("mscale") and entries.get("mscale_all_dim"):
        return default(float(entries["mscale"])) / default(float(entries["mscale_all_dim"]))
    return default(1.0)

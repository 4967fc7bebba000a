"""The machine and the time of a measurement, in words that say nothing about whose it is."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
from pathlib import Path
from typing import Any

# What decides how fast matrix products are on an x86 processor.
_TELLING_FLAGS = ("avx2", "avx512f", "avx512_bf16", "avx512_vnni", "amx_bf16", "amx_int8")


def describe() -> dict[str, Any]:
    """Returns what a reader must know to judge the figures."""
    processor, flags = _processor()
    return {
        "processor": processor,
        "flags": [flag for flag in _TELLING_FLAGS if flag in flags],
        "cores": usable_cores(),
        "memory_gib": _memory_gib(),
        "accelerators": _accelerators(),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
    }


def in_words(machine: dict[str, Any]) -> str:
    """Takes what ``describe`` returned to one line.

    Example:
        >>> in_words({"processor": "P", "flags": [], "cores": 2, "memory_gib": 8,
        ...           "accelerators": [], "system": "Linux x86_64", "python": "3.11.7"})
        '2 cores of P, 8 GiB of memory, no accelerator, Linux x86_64, Python 3.11.7'
    """
    flags = f" ({', '.join(machine['flags'])})" if machine["flags"] else ""
    accelerators = ", ".join(machine["accelerators"]) or "no accelerator"
    return (
        f"{machine['cores']} cores of {machine['processor']}{flags}, "
        f"{machine['memory_gib']} GiB of memory, {accelerators}, "
        f"{machine['system']}, Python {machine['python']}"
    )


def usable_cores() -> int:
    """Returns the number of cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def load_average() -> float | None:
    """Returns the load of the last minute: high before a run means that others are at work."""
    return round(os.getloadavg()[0], 2) if hasattr(os, "getloadavg") else None


def _processor() -> tuple[str, set[str]]:
    listing = Path("/proc/cpuinfo")
    if not listing.is_file():
        return platform.processor() or platform.machine(), set()
    entries: dict[str, str] = {}
    for line in listing.read_text(encoding="utf-8").splitlines():
        key, _, value = line.partition(":")
        entries.setdefault(key.strip(), value.strip())
    name = entries.get("model name", platform.machine())
    return name, set(entries.get("flags", "").split())


def _memory_gib() -> int | None:
    try:
        return round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30)
    except (AttributeError, OSError, ValueError):
        return None


def _accelerators() -> list[str]:
    if shutil.which("nvidia-smi") is None:
        return []
    query = ["nvidia-smi", "--query-gpu=name", "--format=csv,noheader"]
    done = subprocess.run(query, capture_output=True, text=True, check=False)
    return done.stdout.split("\n")[:-1] if done.returncode == 0 else []

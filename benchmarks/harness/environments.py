"""One virtual environment for each set of requirements, made once and used again."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

from harness.contenders import CHECKOUT, Contender


def python_of(environment: Path) -> Path:
    """Returns the path of an environment's interpreter."""
    return environment / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def ensure(contender: Contender) -> Path:
    """Makes a contender's environment, unless it is there and its requirements are the same.

    Args:
        contender: Whose environment.

    Returns:
        The path of its interpreter.

    Raises:
        subprocess.CalledProcessError: A package cannot be installed; pip has said why.
    """
    environment = contender.environment
    python = python_of(environment)
    stamp = environment / ".installed"
    wanted = _fingerprint(contender)
    if stamp.is_file() and stamp.read_text(encoding="utf-8") == wanted:
        return python
    print(f"Installing {contender.title} (a few minutes the first time)", flush=True)
    shutil.rmtree(environment, ignore_errors=True)
    environment.parent.mkdir(parents=True, exist_ok=True)
    subprocess.run([sys.executable, "-m", "venv", str(environment)], check=True)
    packages = ["--requirement", str(contender.requirements_file)]
    if contender.from_checkout:
        packages += ["--editable", str(CHECKOUT)]
    # Older pips take many minutes to choose versions.
    for arguments in (["--upgrade", "pip"], packages):
        pip = [str(python), "-m", "pip", "install", "-qq", "--disable-pip-version-check"]
        subprocess.run([*pip, *arguments], check=True)
    stamp.write_text(wanted, encoding="utf-8")
    return python


def _fingerprint(contender: Contender) -> str:
    """Tells environments apart: Python's version and all that pip reads."""
    files = [contender.requirements_file]
    if contender.from_checkout:
        files += [CHECKOUT / "setup.cfg", CHECKOUT / "pyproject.toml"]
    digest = hashlib.sha256(sys.version.encode())
    for file in files:
        digest.update(file.read_bytes())
    return digest.hexdigest()

"""Loading TensorFlow without the notices that it prints whatever its log level is."""

from __future__ import annotations

import gc
import importlib
import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext

from tfaigc.workflows.screen import Screen

SILENT = "3"
"""The ``TF_CPP_MIN_LOG_LEVEL`` that asks for no notices at all."""


def load_tensorflow(screen: Screen) -> None:
    """Imports TensorFlow, without its notices where its log level asks for none.

    Args:
        screen: Where a note is shown meanwhile.
    """
    if "tensorflow" in sys.modules:
        return
    silent = os.environ.get("TF_CPP_MIN_LOG_LEVEL") == SILENT
    with screen.waiting("Loading TensorFlow"), _stderr_set_aside() if silent else nullcontext():
        # What is loaded stays: to look for garbage among it takes a tenth of the time, here and
        # later.
        gc.disable()
        try:
            importlib.import_module("tensorflow")
        finally:
            gc.freeze()
            gc.enable()


@contextmanager
def _stderr_set_aside() -> Iterator[None]:
    """Keeps what native code writes to stderr, and writes it out only if the block fails."""
    sys.stderr.flush()
    with tempfile.TemporaryFile() as kept:
        stderr = os.dup(2)
        os.dup2(kept.fileno(), 2)
        try:
            yield
        except BaseException:
            _copy(kept.fileno(), stderr)
            raise
        finally:
            os.dup2(stderr, 2)
            os.close(stderr)


def _copy(source: int, target: int) -> None:
    os.lseek(source, 0, os.SEEK_SET)
    while part := os.read(source, 65536):
        os.write(target, part)

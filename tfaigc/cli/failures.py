"""What the command line says about an exception, and the exit status it ends with."""

from __future__ import annotations

import errno
import sys
from dataclasses import dataclass

from tfaigc.errors import TfaigcError

BAD_INPUT = 2
BUG = 1
INTERRUPTED = 130  # 128 + SIGINT, as shells count
BROKEN_PIPE = 141  # 128 + SIGPIPE


@dataclass(frozen=True)
class Failure:
    """How a command ends badly.

    Attributes:
        message: For stderr; empty where nobody is left to read it.
        status: The exit status.
    """

    message: str
    status: int


def describe(error: BaseException) -> Failure:
    """Puts an exception into words.

    Args:
        error: What ended the command.

    Returns:
        Its message and exit status.

    Example:
        >>> describe(ValueError("odd")).status
        1
    """
    if isinstance(error, TfaigcError):
        return Failure(f"error: {error}", BAD_INPUT)
    if isinstance(error, KeyboardInterrupt):
        return Failure(f"stopped: {error}" if str(error) else "stopped.", INTERRUPTED)
    if isinstance(error, BrokenPipeError):
        return Failure("", BROKEN_PIPE)
    if isinstance(error, OSError) or _is_full_disk(error):
        return Failure(f"error: {_system_message(error)}", BAD_INPUT)
    if isinstance(error, MemoryError) or _is_exhausted(error):
        return Failure(
            "error: There must be enough memory for a batch. Received: "
            f"{_first_line(error)}. Lower batch_size or max_length.",
            BAD_INPUT,
        )
    return Failure(
        f"error: {type(error).__name__}: {_first_line(error)}. This is a bug in tfaigc. "
        "Run the command again with --debug to see where it happened.",
        BUG,
    )


def _first_line(error: BaseException) -> str:
    lines = str(error).strip().splitlines()
    return lines[0].rstrip(".") if lines else type(error).__name__


def _is_exhausted(error: BaseException) -> bool:
    # An error of TensorFlow's can only come from a TensorFlow that is loaded.
    tensorflow = sys.modules.get("tensorflow")
    return tensorflow is not None and isinstance(error, tensorflow.errors.ResourceExhaustedError)


def _is_full_disk(error: BaseException) -> bool:
    return _is_exhausted(error) and "No space left" in str(error)


def _system_message(error: BaseException) -> str:
    code = error.errno if isinstance(error, OSError) else errno.ENOSPC
    reason = (error.strerror if isinstance(error, OSError) else None) or _first_line(error)
    moves = {
        errno.ENOSPC: "Free some space, or write to another disk.",
        errno.EDQUOT: "Free some space, or write to another disk.",
        errno.EACCES: "Check who may read and write there.",
        errno.EPERM: "Check who may read and write there.",
        errno.EROFS: "Write to another place.",
        errno.ENOENT: "Check the path.",
        errno.ENOTDIR: "Check the path.",
        errno.EISDIR: "Name a file in it.",
        errno.EEXIST: "Choose another path.",
    }
    move = moves.get(code or 0, "Run the command again with --debug to see where it happened.")
    if isinstance(error, OSError) and error.filename is not None:
        return f"{reason}: {str(error.filename)!r}. {move}"
    return f"{reason}. {move}"

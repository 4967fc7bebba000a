"""Writes a SavedModel that is published only after it has answered as the model did."""

from __future__ import annotations

import contextlib
import errno
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from tfaigc.errors import ExportError
from tfaigc.export.comparing import SignatureCheck, first_difference
from tfaigc.export.contract import (
    DEFAULT_SIGNATURE,
    EXAMPLE_CALLS,
    concrete_signatures,
    require_checks,
)
from tfaigc.export.fresh_process import DEFAULT_TIMEOUT, run_questions
from tfaigc.export.inspection import (
    check_ops,
    check_variables,
    describe_signatures,
    op_names,
    read_meta_graph,
)
from tfaigc.export.metadata import write_metadata
from tfaigc.export.model_card import write_model_card
from tfaigc.export.recorded import first_rows, write_recorded
from tfaigc.export.verifier import as_array
from tfaigc.export.versions import publish, staging
from tfaigc.export.warm_up import write_warm_up
from tfaigc.version import __version__

_NO_SPACE = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


def export_saved_model(
    directory: str | Path,
    *,
    module: Any,
    signatures: Mapping[str, Any],
    checks: Sequence[SignatureCheck],
    metadata: Mapping[str, Any],
    timeout: float | None = DEFAULT_TIMEOUT,
) -> Path:
    """Exports a module as the next version of a served model.

    The version is written under a hidden name, loaded in a fresh process that has TensorFlow and
    tensorflow_text only, asked the checks' questions there, and renamed into place when every
    answer is as expected. Otherwise nothing is left behind. Beside the model stand
    `model_card.md`, `signatures.json`, requests for a server to warm up with, and some of the
    checks, for `tfaigc check`.

    Args:
        directory: The model's directory; the version becomes its next integer.
        module: A `tf.Module` that holds the variables and tables of the signatures, no others.
        signatures: `tf.function`s with an input signature or concrete functions, by name;
            `serving_default` among them. Each returns a dict of dense, batch-first tensors.
        checks: Questions with their expected answers; at least one for each signature.
        metadata: What JSON can hold; it becomes `assets.extra/tfaigc.json`. The key `export` is
            added: versions, signatures and the ops that a server must have.
        timeout: Seconds that the fresh process may take; None for no limit.

    Returns:
        The version's directory.

    Raises:
        ExportError: The directory holds other files, a signature breaks the server's contract,
            the disk is full, or the SavedModel does not answer as expected.
    """
    directory = Path(directory)
    functions = concrete_signatures(signatures)
    require_checks(list(functions), checks)
    with _explained(directory), staging(directory) as temporary:
        _save(module, signatures, temporary)
        meta_graph = read_meta_graph(temporary)
        check_ops(meta_graph)
        check_variables(temporary, meta_graph)
        told = {**metadata, "export": _description(meta_graph)}
        write_metadata(temporary, told)
        main = next(check for check in checks if check.signature == DEFAULT_SIGNATURE)
        write_warm_up(temporary, main)
        write_model_card(temporary, told, main, name=directory.absolute().name)
        # Outputs that are padded to the longest row may be narrower without the other rows, so
        # what is recorded is asked as it will be asked again.
        questions = [first_rows(check) for check in checks]
        answers = verify(temporary, checks, further=questions, timeout=timeout)
        write_recorded(
            temporary,
            [
                SignatureCheck(*question, answer, check.atol)
                for check, question, answer in zip(checks, questions, answers, strict=False)
            ],
        )
        return publish(temporary, directory)


def verify(
    version: Path,
    checks: Sequence[SignatureCheck],
    *,
    further: Sequence[tuple[str, Mapping[str, Any]]] = (),
    timeout: float | None = DEFAULT_TIMEOUT,
) -> list[dict[str, np.ndarray]]:
    """Asks a SavedModel the checks' questions in a fresh process.

    Args:
        version: The directory with `saved_model.pb`.
        checks: Questions with their expected answers.
        further: Questions without: pairs of a signature's name and its inputs.
        timeout: Seconds that the process may take; None for no limit.

    Returns:
        The answers to the further questions.

    Raises:
        ExportError: It cannot be run, or an answer is not as expected.
    """
    questions = [(check.signature, check.inputs) for check in checks]
    answers = run_questions(version, [*questions, *further], timeout=timeout)
    for check, answer in zip(checks, answers, strict=False):
        difference = _batch_fault(check, answer) or first_difference(check, answer)
        if difference:
            raise ExportError(
                "The SavedModel must answer as the model did. "
                f"Received, in a fresh process: {difference}. "
                "Nothing was exported; mend the exported functions, or loosen the check."
            )
    return answers[len(checks) :]


def _save(module: Any, signatures: Mapping[str, Any], temporary: Path) -> None:
    """Lets TensorFlow write the SavedModel."""
    import tensorflow as tf

    if not isinstance(module, tf.Module):
        raise ExportError(
            f"module must be a tf.Module. Received: {type(module).__name__}. "
            "Hold the variables of the signatures in a tf.Module."
        )
    try:
        # Gradients are for training on; a served model would carry them for nothing.
        options = tf.saved_model.SaveOptions(experimental_custom_gradients=False)
        tf.saved_model.save(module, str(temporary), signatures=dict(signatures), options=options)
    except (AssertionError, ValueError, TypeError) as error:
        # TensorFlow reports a resource that the module does not hold as an AssertionError.
        raise ExportError(
            "The module must hold every variable and table that its signatures use, and nothing "
            f"that cannot be saved. Received: {error!s:.500}. Make them attributes of the module."
        ) from error
    calls = sorted(set(EXAMPLE_CALLS) & set(signatures))
    if calls:
        _mark_calls(temporary, calls)


def _mark_calls(version: Path, calls: Sequence[str]) -> None:
    """Gives signatures on tf.Example the method names that strict servers look for."""
    from tensorflow.compat.v1 import saved_model

    updater = saved_model.signature_def_utils.MethodNameUpdater(str(version))
    for call in calls:
        updater.replace_method_name(
            signature_key=call,
            method_name=getattr(saved_model, f"{call.upper()}_METHOD_NAME"),
            tags="serve",
        )
    updater.save()


def _description(meta_graph: Any) -> dict[str, Any]:
    """Collects what a server's keeper needs to know."""
    return {
        "tfaigc_version": __version__,
        "tensorflow_version": meta_graph.meta_info_def.tensorflow_version,
        "signatures": describe_signatures(meta_graph),
        "ops": op_names(meta_graph),
    }


def _batch_fault(check: SignatureCheck, answer: Mapping[str, np.ndarray]) -> str | None:
    """Tells where an output has another number of rows than the inputs."""
    sizes = {name: len(as_array(values)) for name, values in check.inputs.items()}
    for name, array in sorted(answer.items()):
        if len(array) not in sizes.values():
            return (
                f"signature {check.signature!r}, output {name!r}: "
                f"{len(array)} rows for inputs of {sizes}"
            )
    return None


@contextlib.contextmanager
def _explained(directory: Path) -> Iterator[None]:
    """Turns failures of the file system into errors that say what to do."""
    import tensorflow as tf

    try:
        yield
    except (OSError, tf.errors.OpError) as error:
        full = getattr(error, "errno", None) in _NO_SPACE or "No space left" in str(error)
        rule = "There must be room on the disk" if full else "The directory must be writable"
        move = "Free some space, or pass another directory"
        raise ExportError(
            f"{rule} for an export to {directory}. Received: {error}. {move}."
        ) from error

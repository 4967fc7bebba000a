"""The page that tells people what an exported SavedModel is, and how to ask it."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from tfaigc.export.comparing import SignatureCheck
from tfaigc.export.weights import describe_weights

CARD, SIGNATURES = "model_card.md", "signatures.json"
_LONGEST = 1000


def write_model_card(
    version: Path, metadata: Mapping[str, Any], check: SignatureCheck, *, name: str
) -> None:
    """Writes `model_card.md` and `signatures.json` beside `saved_model.pb`.

    Args:
        version: The version directory.
        metadata: What `assets.extra/tfaigc.json` holds.
        check: Questions to the default signature, with their answers; the first is shown.
        name: What the served model is called.
    """
    signatures = metadata["export"]["signatures"]
    text = json.dumps(signatures, indent=2, ensure_ascii=False)
    (version / SIGNATURES).write_text(text + "\n", encoding="utf-8")
    card = model_card(metadata, check, name=name)
    (version / CARD).write_text(card, encoding="utf-8")


def model_card(metadata: Mapping[str, Any], check: SignatureCheck, *, name: str) -> str:
    """Writes the page; see ``write_model_card``.

    Returns:
        Markdown.
    """
    export = metadata["export"]
    instance = {key: _plain(values[0]) for key, values in check.inputs.items()}
    request = {"instances": [_only(instance)]}
    answer = {key: _plain(values[0]) for key, values in sorted(check.outputs.items())}
    facts = {key: value for key, value in metadata.items() if key not in ("export", "weights")}
    weights = metadata.get("weights")
    lines = [
        f"# {name}",
        "",
        f"A SavedModel for TensorFlow Serving {_minor(export['tensorflow_version'])} or newer; "
        f"exported by tfaigc {export['tfaigc_version']}.",
        "",
        *[f"- {key}: {_shown(value)}" for key, value in facts.items()],
        *([f"- weights: {describe_weights(weights)}"] if weights else []),
        "",
        "## Signatures",
        "",
        "| signature | | tensor | type | shape |",
        "| --- | --- | --- | --- | --- |",
        *[
            f"| `{signature}` | {side} | `{tensor}` | {each['dtype']} | {_shape(each['shape'])} |"
            for signature, sides in export["signatures"].items()
            for side in ("inputs", "outputs")
            for tensor, each in sides[side].items()
        ],
        "",
        "## Asking it",
        "",
        "```sh",
        f"curl http://localhost:8501/v1/models/{name}:predict -d \\",
        f"  {_quoted(_shortened(json.dumps(request, ensure_ascii=False)))}",
        "```",
        "",
        "answers, in `predictions`:",
        "",
        "```json",
        _shortened(json.dumps(_only(answer), ensure_ascii=False)),
        "```",
    ]
    return "\n".join(lines) + "\n"


def _only(tensors: Mapping[str, Any]) -> Any:
    """Takes the name from a single tensor, as the server does."""
    return next(iter(tensors.values())) if len(tensors) == 1 else tensors


def _plain(value: Any) -> Any:
    """Takes a row of a tensor to JSON, with floats as far as float32 tells them apart."""
    if isinstance(value, bytes):
        try:
            return value.decode("utf-8")
        except UnicodeDecodeError:
            return {"b64": base64.b64encode(value).decode()}
    if isinstance(value, np.ndarray | list):
        return [_plain(each) for each in value]
    if isinstance(value, float | np.floating):
        return float(f"{float(value):.7g}")
    return value.item() if isinstance(value, np.generic) else value


def _shown(value: Any) -> str:
    return _shortened(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False))


def _shortened(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]} …"


def _shape(shape: list[int | None]) -> str:
    sizes = ["batch" if index == 0 else "any" for index in range(len(shape))]
    known = [name if size is None else str(size) for name, size in zip(sizes, shape, strict=True)]
    return f"({', '.join(known)}{',' if len(known) == 1 else ''})"


def _minor(version: str) -> str:
    return ".".join(version.split(".")[:2])


def _quoted(text: str) -> str:
    """Quotes a text for a shell."""
    escaped = text.replace("'", "'\\''")
    return f"'{escaped}'"

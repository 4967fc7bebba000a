"""The page at ``/``: models, versions and signatures, and a form to ask one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from starlette.responses import Response

from tfaigc.serving.manager import Manager, ModelSpec
from tfaigc.serving.results import check_classification, check_regression
from tfaigc.serving.statuses import RequestError
from tfaigc.serving.tensors import Signature, TensorSpec, shape_text

# What the page is made of; it says nothing about the models, so that anyone may have it.
PUBLIC = {"/": ("page.html", "text/html"), "/page.js": ("page.js", "text/javascript")}
MODELS = "/models.json"

_HEADERS = {
    "content-security-policy": (
        "default-src 'none'; script-src 'self'; style-src 'unsafe-inline'; connect-src 'self'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "x-content-type-options": "nosniff",
    "cache-control": "no-cache",
}


def page(path: str) -> Response:
    """Makes the response with a part of the page.

    Args:
        path: One of `PUBLIC`.

    Returns:
        The response. It allows the browser no scripts but its own, and no other servers.
    """
    name, kind = PUBLIC[path]
    content = Path(__file__).with_name(name).read_bytes()
    return Response(content, headers=_HEADERS, media_type=kind)


def describe_models(manager: Manager) -> dict[str, Any]:
    """Describes all models for the page.

    Args:
        manager: The loaded models.

    Returns:
        For each model its name, versions, and the signatures of the newest that is loaded.
    """
    return {"models": [_model(manager, name) for name in manager.names()]}


def _model(manager: Manager, name: str) -> dict[str, Any]:
    try:
        statuses = manager.statuses(ModelSpec(name))
    except RequestError:
        statuses = {}
    try:
        with manager.lent(ModelSpec(name)) as servable:
            signatures = [_signature(each) for each in servable.signatures.values()]
    except RequestError:
        signatures = []
    return {
        "name": name,
        "versions": [
            {"version": str(version), "state": found.state.name, "error": found.message}
            for version, found in statuses.items()
        ],
        "signatures": sorted(signatures, key=lambda each: str(each["name"])),
    }


def _signature(signature: Signature) -> dict[str, Any]:
    return {
        "name": signature.name,
        "call": _call(signature),
        "inputs": [_tensor(spec) for spec in signature.inputs.values()],
        "outputs": [_tensor(spec) for spec in signature.outputs.values()],
    }


def _call(signature: Signature) -> str:
    """Which call suits a signature: those on examples, where it can answer them."""
    if any(spec.dtype != "string" for spec in signature.inputs.values()):
        return "predict"
    for call, check in (("classify", check_classification), ("regress", check_regression)):
        try:
            check(signature)
        except RequestError:
            continue
        return call
    return "predict"


def _tensor(spec: TensorSpec) -> dict[str, str]:
    return {"name": spec.name, "dtype": spec.dtype, "shape": shape_text(spec.shape)}

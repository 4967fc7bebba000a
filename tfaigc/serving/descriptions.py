"""What the server tells about its models: the states of versions, and signatures."""

from __future__ import annotations

from typing import Any

from tfaigc.serving.manager import Manager, ModelSpec


def status(manager: Manager, spec: ModelSpec) -> dict[str, Any]:
    """Describes the states of a model's versions.

    Args:
        manager: The loaded models.
        spec: The model, and maybe one version.

    Returns:
        The JSON of `GetModelStatusResponse`, the highest version first.

    Raises:
        RequestError: There is no such model or version.
    """
    return {
        "model_version_status": [
            {
                "version": str(version),
                "state": found.state.name,
                "status": {"error_code": found.code.name, "error_message": found.message},
            }
            for version, found in manager.statuses(spec).items()
        ]
    }


def metadata(manager: Manager, spec: ModelSpec) -> dict[str, Any]:
    """Describes the signatures of a loaded version.

    Args:
        manager: The loaded models.
        spec: The model, and maybe a version or a label.

    Returns:
        The JSON of `GetModelMetadataResponse`.

    Raises:
        RequestError: There is no such version.
    """
    with manager.lent(spec) as servable:
        signatures = {
            name: signature_json(proto)
            for name, proto in sorted(servable.model.signature_protos.items())
        }
        version = str(servable.version)
    return {
        "model_spec": {"name": spec.name, "signature_name": "", "version": version},
        "metadata": {"signature_def": {"signature_def": signatures}},
    }


def signature_json(proto: Any) -> dict[str, Any]:
    """Writes a signature as the official server does: every field, by its proto name.

    Args:
        proto: A `SignatureDef`.

    Returns:
        Its JSON.
    """
    from google.protobuf.json_format import MessageToDict

    return MessageToDict(
        proto, preserving_proto_field_name=True, always_print_fields_with_no_presence=True
    )

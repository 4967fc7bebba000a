"""TensorFlow Serving's model config file: models, version policies and labels."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tfaigc.errors import ServingError
from tfaigc.serving.versions import ModelConfig, VersionPolicy


def read_model_config(path: Path) -> list[ModelConfig]:
    """Reads a model config file.

    Args:
        path: Text form of a `ModelServerConfig`, as for `--model_config_file` there.

    Returns:
        The models.

    Raises:
        ServingError: The file cannot be read, or the official server would refuse it.
    """
    from google.protobuf import text_format
    from tensorflow_serving.config.model_server_config_pb2 import ModelServerConfig

    try:
        proto = text_format.Parse(path.read_text(encoding="utf-8"), ModelServerConfig())
    except (OSError, ValueError, text_format.ParseError) as error:
        raise ServingError(
            f"A model config file must be a ModelServerConfig in text form. Received: {path}: "
            f"{error}. Mend it."
        ) from error
    if proto.WhichOneof("config") != "model_config_list":
        raise ServingError(
            f"A model config file must have a model_config_list. Received: {path}, which has "
            "none. Write model_config_list { config { ... } }."
        )
    models = [_model(path, config) for config in proto.model_config_list.config]
    names = [model.name for model in models]
    if repeated := sorted({name for name in names if names.count(name) > 1}):
        raise _wrong(path, repeated[0], "a name of its own", "the name twice")
    return models


def _model(path: Path, config: Any) -> ModelConfig:
    if not config.name:
        raise _wrong(path, "", "a name", "none")
    if not config.base_path.startswith("/"):
        raise _wrong(path, config.name, "an absolute base_path", repr(config.base_path))
    if config.model_platform != "tensorflow" and config.model_type != 1:
        raise _wrong(path, config.name, 'model_platform: "tensorflow"', repr(config.model_platform))
    return ModelConfig(
        name=config.name,
        base_path=Path(config.base_path),
        policy=_policy(path, config),
        labels=dict(config.version_labels),
    )


def _policy(path: Path, config: Any) -> VersionPolicy:
    policy = config.model_version_policy
    choice = policy.WhichOneof("policy_choice")
    if choice == "all":
        return VersionPolicy(latest=None)
    if choice == "specific":
        if not policy.specific.versions:
            raise _wrong(path, config.name, "versions in a specific policy", "none")
        return VersionPolicy(specific=tuple(policy.specific.versions))
    return VersionPolicy(latest=policy.latest.num_versions or 1)


def _wrong(path: Path, name: str, rule: str, came: str) -> ServingError:
    return ServingError(f"{path}: model {name!r} must have {rule}. Received: {came}. Mend it.")

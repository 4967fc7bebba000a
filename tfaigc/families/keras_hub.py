"""The networks of KerasHub behind our backbone's interface."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import keras

from tfaigc.checkpoints.keras_h5 import check_hdf5
from tfaigc.errors import CheckpointError, ConfigError
from tfaigc.families.backbone import Backbone
from tfaigc.families.keras_hub_networks import (
    as_sequence,
    make_family,
    name_outputs,
    read_config,
    to_network,
)
from tfaigc.layers import LayerFactory

# Modules whose classes a preset may name; KerasHub was called keras_nlp before.
_TRUSTED = ("keras_hub", "keras_nlp", "keras")


class KerasHubBackbone(Backbone):
    """A network of KerasHub, with our names for what goes in and what comes out.

    Inputs are those of ``Backbone`` that the network has; ``segment_ids`` are ignored where it
    tells no segments apart, and masks and segments may be absent. Inputs that only single networks
    have, such as Whisper's ``encoder_features``, keep KerasHub's names. Outputs are
    ``sequence_output``, ``pooled_output`` where there is a pooler, ``encoder_sequence_output`` and
    ``decoder_sequence_output`` of encoder-decoders, and KerasHub's own for the rest. A map of an
    image's features is laid out as a sequence: (batch, height by width, channels).

    Args:
        network: A ``keras_hub.models.Backbone``.
        seed: Seed of the fresh weights of heads.

    Attributes:
        network: The same.
    """

    def __init__(self, network: Any, *, seed: int = 0, name: str = "backbone") -> None:
        keras.Model.__init__(self, name=name, dtype=network.dtype_policy)
        self.network = network
        stated = keras.saving.serialize_keras_object(network)
        self.stated_config = json.dumps(stated)
        self.config = read_config(network)
        self.family = make_family(network)
        self.factory = LayerFactory(seed=seed, dtype=network.dtype_policy.name)
        self.encoder_decoder = None
        self.pooler = None
        self.build(None)

    @classmethod
    def from_directory(
        cls, directory: Path, *, seed: int = 0, dtype: str | None = None
    ) -> KerasHubBackbone:
        """Loads a preset.

        Args:
            directory: A preset's files, as ``save_to_preset`` writes them.
            seed: Seed of the fresh weights of heads.
            dtype: Name of a Keras dtype policy, or None for the global one.

        Returns:
            The backbone, with every weight from the preset.

        Raises:
            CheckpointError: A file is missing or broken, or names code that is not KerasHub's.
        """
        import keras_hub

        _check_preset(directory)
        options = {} if dtype is None else {"dtype": dtype}
        try:
            network = keras_hub.models.Backbone.from_preset(str(directory), **options)
        # What KerasHub raises for a broken preset is of any kind.
        except Exception as error:
            raise CheckpointError(
                f"{directory} must be a preset that KerasHub {keras_hub.__version__} loads. "
                f"Received: {type(error).__name__}: {_first_line(error)}. Fetch the preset again, "
                "or save it with save_to_preset of this version."
            ) from error
        return cls(network, seed=seed)

    def build(self, input_shape: Any) -> None:
        """Nothing: KerasHub has built the network."""

    def call(
        self, inputs: Mapping[str, Any], training: bool = False, remove_padding: bool = False
    ) -> dict[str, Any]:
        """Runs the network.

        Args:
            inputs: See the class.
            training: Whether dropout is active.
            remove_padding: Ignored: KerasHub computes padding.

        Returns:
            See the class.

        Raises:
            ConfigError: An input is missing, or the network has none of its name.
        """
        outputs = self.network(to_network(self.network, inputs), training=training)
        return {name: as_sequence(output) for name, output in name_outputs(outputs).items()}

    @property
    def takes_packs(self) -> bool:
        """No: KerasHub's networks have no attention within texts alone."""
        return False

    @property
    def token_table(self) -> Any:
        """The table of token embeddings, (vocabulary, width)."""
        return self.network.token_embedding.embeddings

    def save_pretrained(self, directory: str | Path) -> None:
        """Writes the network in Hugging Face layout, where KerasHub can.

        Args:
            directory: Where to; made if need be.

        Raises:
            ConfigError: KerasHub cannot write this network so.
        """
        try:
            self.network.export_to_transformers(str(directory))
        except (AttributeError, NotImplementedError, ValueError) as error:
            raise ConfigError(
                f"KerasHub cannot write a {type(self.network).__name__} in Hugging Face layout "
                f"({_first_line(error)}). Write it in KerasHub's layout with "
                "backbone.network.save_to_preset(directory)."
            ) from error

    def hugging_face_config(self) -> dict[str, Any]:
        """Returns KerasHub's own description: there is no ``config.json`` of this network."""
        return dict(json.loads(self.stated_config))

    def fresh_copy(self, dtype: str) -> KerasHubBackbone:
        """Returns a backbone of the same shape, with fresh weights, under another dtype policy."""
        settings = {**self.network.get_config(), "dtype": dtype}
        return KerasHubBackbone(type(self.network).from_config(settings))

    def get_config(self) -> dict[str, Any]:
        """Returns what a new backbone of the same shape is made from."""
        return {"network": keras.saving.serialize_keras_object(self.network), "name": self.name}

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> KerasHubBackbone:
        """Makes a backbone of the same shape, with fresh weights."""
        network = keras.saving.deserialize_keras_object(config["network"])
        return cls(network, name=config["name"])


def is_keras_hub(stated: Mapping[str, Any]) -> bool:
    """Says whether a parsed ``config.json`` is that of a KerasHub preset."""
    return "registered_name" in stated and "class_name" in stated


def _check_preset(directory: Path) -> None:
    """Refuses presets that would run code from elsewhere, or read other files."""
    for path in sorted(directory.glob("*.json")):
        try:
            content = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise CheckpointError(
                f"{path} cannot be read as JSON: {error}. Fetch it again."
            ) from error
        _check_modules(content, path)
    for path in sorted(directory.glob("*.weights.h5")):
        check_hdf5(path)


def _check_modules(content: Any, path: Path) -> None:
    """Looks through serialized objects for the modules that they name."""
    if isinstance(content, list):
        for item in content:
            _check_modules(item, path)
    if not isinstance(content, Mapping):
        return
    module = content.get("module") if "class_name" in content else None
    if module is not None and str(module).partition(".")[0] not in _TRUSTED:
        raise CheckpointError(
            f"A preset must name classes of keras_hub and keras alone. Received: {path.name}, "
            f"which names {module}. Nothing was run. Do not use it unless you trust where it "
            "comes from."
        )
    for item in content.values():
        _check_modules(item, path)


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or ["no message"])[0]

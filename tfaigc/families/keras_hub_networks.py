"""What a network of KerasHub says of itself: its inputs, outputs, sizes, and heads that fit it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import keras
from keras import ops

from tfaigc.errors import ConfigError
from tfaigc.families.family import Family, Head
from tfaigc.layers import SummarySettings
from tfaigc.models import TransformerConfig

# Most of KerasHub's networks with rotary positions state no longest input.
NO_LIMIT = 1 << 20
# What KerasHub calls an input in some networks, and what we call it in all.
_OUR_NAMES = {"pixel_values": "images"}
_SOLE_INPUT = "images"
_TEXT_HEADS = {
    "text_classification": "ForSequenceClassification",
    "token_classification": "ForTokenClassification",
    "question_answering": "ForQuestionAnswering",
}
_HEAD_DROPOUT = 0.1


def to_network(network: Any, inputs: Any) -> Any:
    """Takes our inputs to those of a network.

    Args:
        network: A ``keras_hub.models.Backbone``.
        inputs: Tensors by our names.

    Returns:
        Tensors by KerasHub's names, with masks of ones and segments of zeros where none were
        given; or the sole tensor that the network takes.

    Raises:
        ConfigError: An input is missing, or the network has none of its name.
    """
    names = input_names(network)
    given = dict(inputs) if isinstance(inputs, Mapping) else {}
    fed = {theirs: given[ours] for ours, theirs in names.items() if ours in given}
    for ours, theirs in names.items():
        token_ids = given.get(ours.replace("padding_mask", "token_ids"))
        if ours.endswith("padding_mask") and theirs not in fed and token_ids is not None:
            fed[theirs] = ops.ones_like(token_ids)
    if "segment_ids" in names and "token_ids" in given:
        fed.setdefault(names["segment_ids"], ops.zeros_like(given["token_ids"]))
    unknown = set(given) - set(names) - {"segment_ids", "padding_mask"}
    if len(fed) < len(names) or unknown:
        raise ConfigError(
            f"The inputs of a {type(network).__name__} must be a dict with {', '.join(names)}; "
            f"masks and segments may be absent. Received: {', '.join(given) or 'none of them'}."
        )
    return fed if isinstance(network.input, Mapping) else fed[_SOLE_INPUT]


def input_names(network: Any) -> dict[str, str]:
    """Maps our names of a network's inputs to KerasHub's; a sole tensor is an image."""
    if not isinstance(network.input, Mapping):
        return {_SOLE_INPUT: _SOLE_INPUT}
    names = map(str, network.input)
    return {_OUR_NAMES.get(name, name): name for name in names}


def name_outputs(outputs: Any) -> dict[str, Any]:
    """Gives a network's outputs our names.

    Args:
        outputs: What the network returned.

    Returns:
        Tensors by name; a sole tensor is ``sequence_output``, or ``pooled_output`` where it has
        one row for each example.
    """
    if isinstance(outputs, Mapping):
        return dict(outputs)
    if isinstance(outputs, (list, tuple)):
        return {f"output_{index}": output for index, output in enumerate(outputs)}
    return {"pooled_output" if len(outputs.shape) == 2 else "sequence_output": outputs}


def as_sequence(features: Any) -> Any:
    """Lays a map of an image's features out as a sequence; leaves others as they are.

    Args:
        features: float, (batch, height, width, channels) or (batch, length, channels).

    Returns:
        float, (batch, length, channels).
    """
    if len(features.shape) != 4:
        return features
    if keras.config.image_data_format() == "channels_first":
        features = ops.transpose(features, (0, 2, 3, 1))
    batch, height, width, channels = ops.shape(features)
    return ops.reshape(features, (batch, height * width, channels))


def read_config(network: Any) -> TransformerConfig:
    """Takes what a network says of itself to our settings; sizes that it does not state are 1."""
    outputs = name_outputs(network.output)
    sequence = outputs.get("decoder_sequence_output", outputs.get("sequence_output"))
    hidden_size = 1 if sequence is None else int(sequence.shape[_channels_axis(sequence)])
    table = getattr(network, "token_embedding", None)
    num_heads = _size(network, "num_heads", "num_query_heads")
    return TransformerConfig(
        vocabulary_size=1 if table is None else int(table.input_dim),
        hidden_size=hidden_size,
        num_layers=_size(network, "num_layers"),
        num_heads=num_heads,
        head_size=_size(network, "head_dim") if hidden_size % num_heads else 0,
        intermediate_size=_size(network, "intermediate_dim"),
        max_positions=_size(network, "max_sequence_length", otherwise=NO_LIMIT),
        num_segments=_size(network, "num_segments") if "segment_ids" in input_names(network) else 0,
        causal=is_causal(network),
    )


def is_causal(network: Any) -> bool:
    """Says whether KerasHub builds a language model on this network that looks back only."""
    import keras_hub

    kinds = [keras_hub.models.CausalLM]
    for kind in kinds:
        kinds.extend(kind.__subclasses__())
    return any(getattr(kind, "backbone_cls", None) is type(network) for kind in kinds)


def make_family(network: Any) -> Family:
    """Describes a network as families are: which heads fit it; its weights have no names."""
    outputs = name_outputs(network.output)
    inputs = input_names(network)
    name = type(network).__name__
    heads = {}
    if "sequence_output" in outputs and "token_ids" in inputs:
        text = "last" if is_causal(network) else "first"
        sources = {"text_classification": "pooler" if "pooled_output" in outputs else text}
        heads = {
            task: _head(name + suffix, sources.get(task, "tokens"))
            for task, suffix in _TEXT_HEADS.items()
        }
    elif "sequence_output" in outputs and "images" in inputs:
        heads = {"image_classification": _head(f"{name}ForImageClassification", "mean")}
    return Family(
        model_type=f"KerasHub's {name.removesuffix('Backbone')}",
        prefix="",
        architecture=name,
        config_keys=(),
        check_config=lambda _: {},
        backbone=(),
        heads=heads,
    )


def _head(architecture: str, source: str) -> Head:
    return Head(
        architecture=architecture,
        read_summary=lambda _: SummarySettings(source=source, last_dropout=_HEAD_DROPOUT),
        num_outputs=2 if architecture.endswith("QuestionAnswering") else None,
    )


def _size(network: Any, *names: str, otherwise: int = 1) -> int:
    """Returns the first of some attributes that is a positive number."""
    for name in names:
        value = getattr(network, name, None)
        if isinstance(value, int) and value > 0:
            return value
    return otherwise


def _channels_axis(features: Any) -> int:
    is_map = len(features.shape) == 4
    return 1 if is_map and keras.config.image_data_format() == "channels_first" else -1

"""What Llama and its nearest descendants have in common."""

from __future__ import annotations

from typing import Any

from tfaigc.checkpoints.names import Rename
from tfaigc.errors import ConfigError
from tfaigc.families.family import ConfigKey, Head, Settings, read_value
from tfaigc.families.rope import read_rotary
from tfaigc.layers import SummarySettings, VocabularySettings

SIZE_KEYS = (
    ConfigKey("vocabulary_size", "vocab_size", 32000),
    ConfigKey("hidden_size", "hidden_size", 4096),
    ConfigKey("num_layers", "num_hidden_layers", 32),
    ConfigKey("num_heads", "num_attention_heads", 32),
    ConfigKey("intermediate_size", "intermediate_size", 11008),
    ConfigKey("max_positions", "max_position_embeddings", 2048),
    ConfigKey("activation", "hidden_act", "silu"),
    ConfigKey("norm_epsilon", "rms_norm_eps", 1e-6),
    ConfigKey("attention_dropout", "attention_dropout", 0.0),
    ConfigKey("initializer_range", "initializer_range", 0.02),
    ConfigKey("tied_output", "tie_word_embeddings", False),
)

# Fields of TransformerConfig that hold in every decoder here.
DECODER = {
    "num_segments": 0,
    "causal": True,
    "skip_padding": True,
    "embedding_norm": False,
    "pre_norm": True,
}

_BLOCK = "encoder/block_{i}/"
_LAYER = "layers.{i}."

BACKBONE = (
    Rename("encoder/embeddings/token", "embed_tokens"),
    Rename(_BLOCK + "attention/query", _LAYER + "self_attn.q_proj"),
    Rename(_BLOCK + "attention/key", _LAYER + "self_attn.k_proj"),
    Rename(_BLOCK + "attention/value", _LAYER + "self_attn.v_proj"),
    Rename(_BLOCK + "attention/output", _LAYER + "self_attn.o_proj"),
    Rename(_BLOCK + "attention/query_norm", _LAYER + "self_attn.q_norm"),
    Rename(_BLOCK + "attention/key_norm", _LAYER + "self_attn.k_norm"),
    Rename(_BLOCK + "attention_norm", _LAYER + "input_layernorm"),
    Rename(_BLOCK + "feed_forward/inner", _LAYER + "mlp.gate_proj"),
    Rename(_BLOCK + "feed_forward/gate", _LAYER + "mlp.up_proj"),
    Rename(_BLOCK + "feed_forward/outer", _LAYER + "mlp.down_proj"),
    Rename(_BLOCK + "feed_forward_norm", _LAYER + "post_attention_layernorm"),
    Rename("encoder/final_norm", "norm"),
)

OTHER_HEADS = ("lm_head.", "score.", "qa_outputs.")


def read_stack(
    stated: Settings, *, head_size: int | None = None, key_value_heads: int | None = None
) -> dict[str, Any]:
    """Reads what a Llama's ``config.json`` states besides ``SIZE_KEYS``, but for its biases.

    Args:
        stated: The parsed file.
        head_size: What an absent ``head_dim`` means; None: the heads share the hidden size.
        key_value_heads: What an absent ``num_key_value_heads`` means; None: each query has its
            own.

    Returns:
        Fields of ``TransformerConfig``.

    Raises:
        ConfigError: A value cannot be honoured.
    """
    num_heads = max(1, read_value(stated, "num_attention_heads", 32))
    size = read_optional(stated, "head_dim", head_size)
    rotary = read_rotary(
        stated,
        head_size=size or read_value(stated, "hidden_size", 4096) // num_heads,
        max_positions=read_value(stated, "max_position_embeddings", 2048),
    )
    return {
        **DECODER,
        "position_kind": "none",
        "norm_kind": "rms",
        "gated": True,
        "hidden_dropout": 0.0,
        "num_key_value_heads": read_optional(stated, "num_key_value_heads", key_value_heads) or 0,
        "head_size": size or 0,
        "rotary": (rotary,) * read_value(stated, "num_hidden_layers", 32),
    }


def read_windows(stated: Settings, kinds: list[str], window: int | None) -> dict[str, Any]:
    """Returns each layer's window.

    Args:
        stated: The parsed ``config.json``.
        kinds: Each layer's ``"full_attention"`` or ``"sliding_attention"``.
        window: How many tokens a sliding layer sees, the token itself among them.

    Returns:
        Fields of ``TransformerConfig``.

    Raises:
        ConfigError: A kind is not known, or a sliding layer has no window.
    """
    num_layers = read_value(stated, "num_hidden_layers", 32)
    known = {"full_attention", "sliding_attention"}
    if not isinstance(kinds, list) or len(kinds) != num_layers or set(kinds) - known:
        raise ConfigError(
            f"layer_types in config.json must name one of {', '.join(sorted(known))} for each of "
            f"the {num_layers} layers. Received: {kinds!r}. Correct config.json."
        )
    if "sliding_attention" in kinds and (window is None or window < 1):
        raise ConfigError(
            "sliding_window in config.json must be at least 1 where layers have sliding_attention. "
            f"Received: {window!r}. Correct config.json."
        )
    reach = (window or 1) - 1
    return {"windows": tuple(reach if kind == "sliding_attention" else None for kind in kinds)}


def read_optional(stated: Settings, name: str, absent: int | None = None) -> int | None:
    """Reads an int that may be null in ``config.json``.

    Args:
        stated: The parsed file.
        name: The key.
        absent: What an absent key means.

    Returns:
        The value; None for null.

    Raises:
        ConfigError: The value is neither an int nor null.
    """
    value = stated.get(name, absent)
    return None if value is None else int(read_value({name: value}, name, 0))


def heads(
    name: str,
    *,
    language_model: str = "ForCausalLM",
    output: str = "lm_head",
    table: str = "embed_tokens",
    tied: bool = False,
    padding_id: int | None = None,
) -> dict[str, Head]:
    """Returns the heads that decoders have.

    Args:
        name: What the names of the family's classes in ``transformers`` begin with.
        language_model: What the name of the language model's class ends with.
        output: Name of the language model's output layer.
        table: Name of the table of token embeddings.
        tied: What an absent ``tie_word_embeddings`` means.
        padding_id: What an absent ``pad_token_id`` means.
    """

    def read_vocabulary(stated: Settings) -> VocabularySettings:
        is_tied = read_value(stated, "tie_word_embeddings", tied)
        return VocabularySettings(tied=is_tied, use_bias=False)

    def read_last(stated: Settings) -> SummarySettings:
        padding = stated.get("pad_token_id", padding_id)
        return SummarySettings(source="last", padding_id=padding)

    return {
        "causal_lm": Head(
            architecture=name + language_model,
            renames=(Rename("output", output),),
            read_summary=lambda _: SummarySettings(source="tokens"),
            read_vocabulary=read_vocabulary,
            ties=((f"{output}.weight", f"{table}.weight"),),
        ),
        "text_classification": Head(
            architecture=f"{name}ForSequenceClassification",
            renames=(Rename("classifier", "score"),),
            read_summary=read_last,
            output_bias=False,
        ),
    }

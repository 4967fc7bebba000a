"""What BART and the encoder-decoders built like it have in common."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from tfaigc.checkpoints.names import Rename
from tfaigc.families import bert_tables as tables
from tfaigc.families import head_tables
from tfaigc.families.family import ConfigKey, Family, Head, Settings, read_value
from tfaigc.layers import SummarySettings, VocabularySettings
from tfaigc.models import TransformerConfig

_SIZE_KEYS = (
    ConfigKey("vocabulary_size", "vocab_size", 50265),
    ConfigKey("hidden_size", "d_model", 1024),
    ConfigKey("num_layers", "encoder_layers", 12),
    ConfigKey("num_heads", "encoder_attention_heads", 16),
    ConfigKey("intermediate_size", "encoder_ffn_dim", 4096),
    ConfigKey("max_positions", "max_position_embeddings", 1024),
    ConfigKey("activation", "activation_function", "gelu"),
    ConfigKey("hidden_dropout", "dropout", 0.1),
    ConfigKey("attention_dropout", "attention_dropout", 0.0),
    ConfigKey("feed_forward_inner_dropout", "activation_dropout", 0.0),
    ConfigKey("layer_drop", "encoder_layerdrop", 0.0),
    ConfigKey("initializer_range", "init_std", 0.02),
)
_TABLES = ("encoder.embed_tokens.weight", "decoder.embed_tokens.weight")


def _stack_names(stack: str) -> tuple[Rename, ...]:
    ours, theirs = f"encoder_decoder/{stack}/", f"{stack}."
    block, layer = f"{ours}block_{{i}}/", f"{theirs}layers.{{i}}."
    attention = [
        Rename(f"{block}{our_name}/{our_part}", f"{layer}{their_name}.{their_part}_proj")
        for our_name, their_name in (
            ("attention", "self_attn"),
            ("cross_attention", "encoder_attn"),
        )
        for our_part, their_part in (
            ("query", "q"),
            ("key", "k"),
            ("value", "v"),
            ("output", "out"),
        )
    ]
    return (
        Rename(f"{ours}embeddings/token", f"{theirs}embed_tokens"),
        Rename(f"{ours}embeddings/position", f"{theirs}embed_positions"),
        Rename(f"{ours}embeddings/norm", f"{theirs}layernorm_embedding"),
        *attention,
        Rename(f"{block}attention_norm", f"{layer}self_attn_layer_norm"),
        Rename(f"{block}cross_attention_norm", f"{layer}encoder_attn_layer_norm"),
        Rename(f"{block}feed_forward/inner", f"{layer}fc1"),
        Rename(f"{block}feed_forward/outer", f"{layer}fc2"),
        Rename(f"{block}feed_forward_norm", f"{layer}final_layer_norm"),
        Rename(f"{ours}final_norm", f"{theirs}layer_norm"),
    )


def _shares_table(stated: Settings) -> bool:
    """Says whether encoder and decoder have one table of token embeddings."""
    return read_value(stated, "tie_word_embeddings", True) and _has_shared_table(stated)


def _has_shared_table(stated: Settings) -> bool:
    """Says whether there is a table for both, which is used only where embeddings are tied."""
    return bool(read_value(stated, "share_encoder_decoder_embeddings", True))


def _check_config(width: int, fields: dict[str, Any]) -> Callable[[Settings], Settings]:
    def check(stated: Settings) -> dict[str, Any]:
        for key, supported in (("is_encoder_decoder", True), ("is_decoder", False)):
            tables.refuse_other(stated, key, supported)
        is_scaled = read_value(stated, "scale_embedding", False)
        is_shared = _shares_table(stated)
        return {
            "num_segments": 0,
            "norm_epsilon": 1e-5,
            "embedding_scale": read_value(stated, "d_model", width) ** 0.5 if is_scaled else 1.0,
            "separate_tables": not is_shared,
            "spare_table": not is_shared and _has_shared_table(stated),
            **fields,
        }

    return check


def _read_decoder(config: TransformerConfig, stated: Settings) -> TransformerConfig:
    vocabulary_size = config.vocabulary_size
    if config.separate_tables and stated.get("decoder_vocab_size"):
        vocabulary_size = read_value(stated, "decoder_vocab_size", vocabulary_size)
    return replace(
        config,
        vocabulary_size=vocabulary_size,
        num_layers=read_value(stated, "decoder_layers", 12),
        num_heads=read_value(stated, "decoder_attention_heads", 16),
        intermediate_size=read_value(stated, "decoder_ffn_dim", 4096),
        layer_drop=read_value(stated, "decoder_layerdrop", 0.0),
        causal=True,
        cross_attention=True,
    )


def _adapt(family: Family, stated: Settings) -> Family:
    if _shares_table(stated):
        return family
    # A file of the time when the tables were shared all the same has only one.
    copies = tuple(("shared.weight", name) for name in _TABLES)
    head = family.heads["seq2seq_lm"]
    ties = (("lm_head.weight", _TABLES[1]),) if read_tie(stated).tied else ()
    heads = {**family.heads, "seq2seq_lm": replace(head, ties=ties)}
    return replace(family, heads=heads, copies=copies if _has_shared_table(stated) else ())


def read_tie(stated: Settings) -> VocabularySettings:
    """Returns an output with biases that are never trained, tied unless ``config.json`` says no."""
    tied = read_value(stated, "tie_word_embeddings", True)
    return VocabularySettings(tied=tied, use_bias=False, fixed_bias=True)


def _read_end(stated: Settings) -> SummarySettings:
    """Returns the summary of heads on the decoder's state where the text's last end stands."""
    share = read_value(stated, "classifier_dropout", 0.0)
    return SummarySettings(
        source="last",
        token_id=read_value(stated, "eos_token_id", 2),
        activation="tanh",
        first_dropout=share,
        last_dropout=share,
    )


def text_heads(class_name: str, decoder_text: str) -> dict[str, Head]:
    """Returns the heads of models whose two stacks read one text.

    Args:
        class_name: What the names of the family's classes in ``transformers`` begin with.
        decoder_text: One of ``DECODER_TEXTS``.
    """
    return {
        "text_classification": Head(
            architecture=f"{class_name}ForSequenceClassification",
            renames=(
                Rename("summary/dense", "classification_head.dense"),
                Rename("classifier", "classification_head.out_proj"),
            ),
            read_summary=_read_end,
            decoder_text=decoder_text,
        ),
        "question_answering": replace(
            head_tables.span_finder(class_name), decoder_text=decoder_text
        ),
    }


def like_bart(
    model_type: str,
    class_name: str,
    *,
    language_model: str = "ForConditionalGeneration",
    start_token_id: int | None = 2,
    fresh_start: str = "eos_token_id",
    heads: Mapping[str, Head] | None = None,
    defaults: dict[str, Any] | None = None,
    **fields: Any,
) -> Family:
    """Returns a family with BART's names.

    Args:
        model_type: The value of ``model_type`` in ``config.json``.
        class_name: What the names of the family's classes in ``transformers`` begin with.
        language_model: What the name of its language model's class ends with.
        start_token_id: See ``Head``.
        fresh_start: See ``Head``.
        heads: Its heads besides the language model's.
        defaults: Other meanings of absent keys of ``config.json``.
        **fields: Fields of ``TransformerConfig`` that hold for every such checkpoint.
    """
    keys = tables.with_defaults(_SIZE_KEYS, **(defaults or {}))
    return Family(
        model_type=model_type,
        prefix="model.",
        architecture=f"{class_name}Model",
        config_keys=keys,
        check_config=_check_config(1024, fields),
        read_decoder=_read_decoder,
        adapt=_adapt,
        backbone=(
            Rename("encoder_decoder/token", "shared"),
            *_stack_names("encoder"),
            *_stack_names("decoder"),
        ),
        copies=tuple((name, "shared.weight") for name in _TABLES),
        heads={
            "seq2seq_lm": Head(
                architecture=f"{class_name}{language_model}",
                renames=(
                    Rename("output", "lm_head"),
                    Rename("fixed_bias", "final_logits_bias", is_tensor=True),
                ),
                read_summary=lambda _: SummarySettings(source="tokens"),
                read_vocabulary=read_tie,
                ties=(("lm_head.weight", "shared.weight"),),
                states_tie=False,
                start_token_id=start_token_id,
                fresh_start=fresh_start,
            ),
            **(heads or {}),
        },
        other_heads=("final_logits_bias", "classification_head.", "qa_outputs."),
        buffers=("encoder.version", "decoder.version"),
    )

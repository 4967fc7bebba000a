"""One row for each encoder-decoder that is held against `transformers`."""

from __future__ import annotations

from batteries import FamilyCase

_TINY_T5 = {
    "vocab_size": 101,
    "d_model": 24,
    "d_kv": 5,
    "num_heads": 4,
    "d_ff": 36,
    "num_layers": 2,
    "decoder_start_token_id": 0,
    # Scores are not scaled: larger weights make rounding errors of both sides exceed 1e-5.
    "initializer_factor": 0.3,
}

_TINY_BART = {
    "vocab_size": 101,
    "d_model": 24,
    "encoder_layers": 2,
    "decoder_layers": 1,
    "encoder_attention_heads": 4,
    "decoder_attention_heads": 3,
    "encoder_ffn_dim": 36,
    "decoder_ffn_dim": 20,
    "max_position_embeddings": 40,
    "pad_token_id": 1,
}
_SCALED = {"scale_embedding": True, "activation_function": "swish"}
_UNTIED = {"tie_word_embeddings": False}
_APART = {"share_encoder_decoder_embeddings": False, "decoder_vocab_size": 103}


def _text_heads(class_name: str) -> dict[str, str]:
    return {
        "seq2seq_lm": f"{class_name}ForConditionalGeneration",
        "text_classification": f"{class_name}ForSequenceClassification",
        "question_answering": f"{class_name}ForQuestionAnswering",
    }


SEQ2SEQ_CASES = {
    case.name: case
    for case in [
        FamilyCase(
            name="t5",
            config="T5Config",
            settings=_TINY_T5,
            backbone="T5Model",
            heads={"seq2seq_lm": "T5ForConditionalGeneration"},
            head_variants=[
                ("seq2seq_lm", {"tie_word_embeddings": False, "feed_forward_proj": "gated-gelu"}),
            ],
            variants={
                "version 1.0": {},
                "version 1.1": {"feed_forward_proj": "gated-gelu", "tie_word_embeddings": False},
                "other layers": {
                    "num_decoder_layers": 3,
                    "num_layers": 1,
                    "feed_forward_proj": "gated-silu",
                    "relative_attention_num_buckets": 7,
                    "relative_attention_max_distance": 9,
                    "layer_norm_epsilon": 0.1,
                },
                "other activation": {"feed_forward_proj": "gelu", "d_kv": 6},
            },
        ),
        FamilyCase(
            name="mt5",
            config="MT5Config",
            settings=_TINY_T5,
            backbone="MT5Model",
            heads={"seq2seq_lm": "MT5ForConditionalGeneration"},
            variants={"defaults": {}, "one decoder layer": {"num_decoder_layers": 1}},
        ),
        FamilyCase(
            name="bart",
            config="BartConfig",
            settings=_TINY_BART,
            backbone="BartModel",
            heads=_text_heads("Bart"),
            head_variants=[
                ("seq2seq_lm", _UNTIED),
                ("text_classification", {"eos_token_id": 5, "decoder_start_token_id": 7}),
            ],
            variants={"defaults": {}, "scaled": _SCALED, "untied": _UNTIED},
        ),
        FamilyCase(
            name="mbart",
            config="MBartConfig",
            settings=_TINY_BART,
            backbone="MBartModel",
            heads=_text_heads("MBart"),
            variants={"defaults": {}, "scaled": _SCALED},
        ),
        FamilyCase(
            name="marian",
            config="MarianConfig",
            settings={**_TINY_BART, "decoder_start_token_id": 1},
            backbone="MarianModel",
            heads={"seq2seq_lm": "MarianMTModel"},
            head_variants=[
                ("seq2seq_lm", _APART),
                ("seq2seq_lm", {**_APART, **_UNTIED}),
                ("seq2seq_lm", _UNTIED),
            ],
            variants={"defaults": {}, "scaled": _SCALED, "apart": _APART},
        ),
        FamilyCase(
            name="pegasus",
            config="PegasusConfig",
            settings=_TINY_BART,
            backbone="PegasusModel",
            heads={"seq2seq_lm": "PegasusForConditionalGeneration"},
            variants={"defaults": {}, "scaled": {**_SCALED, "encoder_layers": 1}},
        ),
    ]
}

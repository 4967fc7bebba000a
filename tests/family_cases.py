"""One row for each family that is held against `transformers`."""

from __future__ import annotations

from typing import Any

from batteries import FamilyCase
from decoder_cases import DECODER_CASES

TINY = {
    "vocab_size": 101,
    "hidden_size": 24,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "intermediate_size": 36,
    "max_position_embeddings": 40,
}
ODD_SIZES = {"hidden_size": 30, "num_attention_heads": 3, "intermediate_size": 7}
NARROW = {"embedding_size": 10}


_HEADS = {
    "text_classification": "ForSequenceClassification",
    "token_classification": "ForTokenClassification",
    "question_answering": "ForQuestionAnswering",
    "multiple_choice": "ForMultipleChoice",
    "masked_lm": "ForMaskedLM",
}
_UNTIED = ("masked_lm", {"tie_word_embeddings": False})


def _encoder_heads(class_name: str) -> dict[str, str]:
    return {head: class_name + suffix for head, suffix in _HEADS.items()}


def _like_roberta(name: str, class_name: str, variants: dict[str, Any]) -> FamilyCase:
    return FamilyCase(
        name=name,
        config=f"{class_name}Config",
        settings={**TINY, "pad_token_id": 1},
        backbone=f"{class_name}Model",
        heads=_encoder_heads(class_name),
        variants=variants,
    )


CASES = {
    case.name: case
    for case in [
        FamilyCase(
            name="bert",
            config="BertConfig",
            settings=TINY,
            backbone="BertModel",
            heads={
                **_encoder_heads("Bert"),
                "next_sentence": "BertForNextSentencePrediction",
            },
            head_variants=[_UNTIED],
            others=["BertForPreTraining"],
            variants={
                "defaults": {},
                "gelu_new": {"hidden_act": "gelu_new"},
                "relu": {"hidden_act": "relu"},
                "quick_gelu": {"hidden_act": "quick_gelu"},
                "epsilon": {"layer_norm_eps": 0.1},
                "odd sizes": ODD_SIZES,
                "one segment": {"type_vocab_size": 1},
                "one layer": {"num_hidden_layers": 1},
                "causal": {"is_decoder": True},
                "other padding id": {"pad_token_id": 3},
            },
        ),
        _like_roberta(
            "roberta",
            "Roberta",
            {
                "defaults": {"type_vocab_size": 1},
                "other padding id": {"pad_token_id": 7, "layer_norm_eps": 0.1},
                "causal": {"is_decoder": True, "hidden_act": "relu", **ODD_SIZES},
            },
        ),
        _like_roberta("xlm-roberta", "XLMRoberta", {"defaults": {}}),
        _like_roberta("camembert", "Camembert", {"defaults": {}}),
        FamilyCase(
            name="distilbert",
            config="DistilBertConfig",
            settings={
                "vocab_size": 101,
                "dim": 24,
                "n_layers": 2,
                "n_heads": 4,
                "hidden_dim": 36,
                "max_position_embeddings": 40,
            },
            backbone="DistilBertModel",
            heads=_encoder_heads("DistilBert"),
            variants={
                "defaults": {},
                "relu": {"activation": "relu", "dim": 30, "n_heads": 3, "hidden_dim": 7},
                "sinusoidal": {"sinusoidal_pos_embds": True},
            },
        ),
        FamilyCase(
            name="electra",
            config="ElectraConfig",
            settings={**TINY, **NARROW},
            backbone="ElectraModel",
            heads={**_encoder_heads("Electra"), "replaced_token": "ElectraForPreTraining"},
            head_variants=[_UNTIED],
            variants={
                "defaults": {},
                "equal widths": {"embedding_size": 24, "layer_norm_eps": 0.1},
                "causal": {"is_decoder": True, "hidden_act": "gelu_new", **ODD_SIZES},
            },
        ),
        FamilyCase(
            name="albert",
            config="AlbertConfig",
            settings={**TINY, **NARROW},
            backbone="AlbertModel",
            heads=_encoder_heads("Albert"),
            others=["AlbertForPreTraining"],
            variants={
                "defaults": {},
                "equal widths": {"embedding_size": 24, "hidden_act": "relu"},
                "groups": {"num_hidden_layers": 5, "num_hidden_groups": 3},
                "blocks in groups": {"num_hidden_groups": 2, "inner_group_num": 2, **ODD_SIZES},
            },
        ),
        FamilyCase(
            name="mpnet",
            config="MPNetConfig",
            settings=TINY,
            backbone="MPNetModel",
            heads=_encoder_heads("MPNet"),
            variants={
                "defaults": {},
                "spare rows": {"relative_attention_num_buckets": 35, "pad_token_id": 4},
                "odd sizes": {"layer_norm_eps": 0.1, "hidden_act": "relu", **ODD_SIZES},
            },
        ),
        FamilyCase(
            name="deberta-v2",
            config="DebertaV2Config",
            settings={
                **TINY,
                "relative_attention": True,
                "pos_att_type": ["p2c", "c2p"],
                "position_buckets": 6,
                "norm_rel_ebd": "layer_norm",
                "share_att_key": True,
                "position_biased_input": False,
            },
            backbone="DebertaV2Model",
            heads=_encoder_heads("DebertaV2"),
            head_variants=[
                ("text_classification", {"pooler_hidden_act": "tanh"}),
                ("masked_lm", {"legacy": False}),
            ],
            variants={
                "version 3": {},
                "own projections": {"share_att_key": False, "norm_rel_ebd": "none"},
                "content to position": {
                    "pos_att_type": "c2p",
                    "position_buckets": -1,
                    "num_attention_heads": 1,
                },
                "position to content": {
                    "pos_att_type": ["p2c"],
                    "max_relative_positions": 5,
                    "position_buckets": -1,
                    "share_att_key": False,
                },
                "absolute": {
                    "relative_attention": False,
                    "norm_rel_ebd": "none",
                    "position_biased_input": True,
                    "type_vocab_size": 2,
                    "layer_norm_eps": 0.1,
                    **ODD_SIZES,
                },
            },
        ),
        FamilyCase(
            name="longformer",
            config="LongformerConfig",
            settings={**TINY, "attention_window": 4, "pad_token_id": 1},
            backbone="LongformerModel",
            heads=_encoder_heads("Longformer"),
            variants={
                "one window": {},
                "windows": {"attention_window": [4, 8], "pad_token_id": 4, "layer_norm_eps": 0.1},
            },
        ),
        FamilyCase(
            name="xlnet",
            config="XLNetConfig",
            settings={
                "vocab_size": 101,
                "d_model": 24,
                "n_layer": 2,
                "n_head": 4,
                "d_inner": 36,
            },
            backbone="XLNetModel",
            heads={
                **_encoder_heads("XLNet"),
                "question_answering": "XLNetForQuestionAnsweringSimple",
                "masked_lm": "XLNetLMHeadModel",
            },
            head_variants=[
                _UNTIED,
                ("text_classification", {"summary_type": "cls_index", "summary_use_proj": False}),
                ("multiple_choice", {"summary_activation": "", "summary_last_dropout": 0.3}),
            ],
            others=["XLNetForQuestionAnswering"],
            variants={
                "defaults": {},
                "near distances": {"clamp_len": 3, "ff_activation": "relu", "layer_norm_eps": 0.1},
                "odd sizes": {"d_model": 30, "n_head": 3, "d_inner": 7},
                "one head": {"d_model": 2, "n_head": 1},
            },
            pads_left=True,
        ),
        FamilyCase(
            name="modernbert",
            config="ModernBertConfig",
            settings={
                **TINY,
                "num_hidden_layers": 4,
                "local_attention": 6,
                "pad_token_id": 0,
                "bos_token_id": 1,
                "eos_token_id": 2,
                "cls_token_id": 1,
                "sep_token_id": 2,
            },
            backbone="ModernBertModel",
            heads=_encoder_heads("ModernBert"),
            head_variants=[
                (
                    "text_classification",
                    {"classifier_pooling": "mean", "classifier_activation": "silu"},
                ),
                (
                    "token_classification",
                    {"classifier_bias": True, "norm_bias": True, "norm_eps": 0.1},
                ),
                ("masked_lm", {"decoder_bias": False}),
            ],
            variants={
                "defaults": {},
                "biases": {"norm_bias": True, "attention_bias": True, "mlp_bias": True},
                "other layers": {
                    "layer_types": ["sliding_attention", "full_attention"],
                    "num_hidden_layers": 2,
                    "hidden_activation": "silu",
                    "norm_eps": 0.1,
                    "rope_parameters": {
                        "full_attention": {"rope_type": "default", "rope_theta": 50.0},
                        "sliding_attention": {"rope_type": "default", "rope_theta": 7.0},
                    },
                },
            },
        ),
        *DECODER_CASES,
    ]
}

"""BERT (Devlin et al., arXiv:1810.04805)."""

from __future__ import annotations

from dataclasses import replace

from tfaigc.checkpoints.names import Rename
from tfaigc.families import bert_tables as tables
from tfaigc.families import head_tables
from tfaigc.families.family import Family, Head

_NEXT_SENTENCE = Head(
    architecture="BertForNextSentencePrediction",
    renames=(Rename("classifier", "cls.seq_relationship"),),
    needs_pooler=True,
    num_outputs=2,
)

BERT = Family(
    model_type="bert",
    prefix="bert.",
    architecture="BertModel",
    config_keys=tables.SIZE_KEYS,
    check_config=tables.check_direction,
    backbone=(
        *tables.EMBEDDINGS,
        *tables.ATTENTION,
        *tables.FEED_FORWARD,
        *tables.POOLER,
    ),
    heads={
        "text_classification": Head(
            architecture="BertForSequenceClassification",
            renames=(Rename("classifier", "classifier"),),
            needs_pooler=True,
            read_summary=tables.pooled_summary,
        ),
        "token_classification": head_tables.token_classifier("Bert"),
        "question_answering": head_tables.span_finder("Bert"),
        "multiple_choice": head_tables.choice("Bert"),
        "masked_lm": head_tables.language_model(
            "BertForMaskedLM",
            dense="cls.predictions.transform.dense",
            norm="cls.predictions.transform.LayerNorm",
            bias="cls.predictions",
            output="cls.predictions.decoder",
        ),
        "next_sentence": _NEXT_SENTENCE,
    },
    sentence_heads={"next_sentence": replace(_NEXT_SENTENCE, architecture="BertForPreTraining")},
)

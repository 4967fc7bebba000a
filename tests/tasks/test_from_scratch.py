"""Models that start from nothing: they learn, and `transformers` loads what is saved."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tiny_seq2seq import PAIRS

import tfaigc
from tfaigc.errors import ConfigError
from tfaigc.tasks.task import Task
from tfaigc.tokenizers.training import usual_kind

TEXTS = [pair["source"] for pair in PAIRS] * 2
SIZES: dict[str, dict[str, Any]] = {
    "roberta": {
        "hidden_size": 16,
        "num_hidden_layers": 1,
        "num_attention_heads": 2,
        "intermediate_size": 16,
        "max_position_embeddings": 34,
    },
    "gpt2": {"n_embd": 48, "n_layer": 2, "n_head": 2, "n_positions": 32},
    "t5": {"d_model": 48, "d_kv": 12, "num_heads": 2, "d_ff": 96, "num_layers": 1},
    "bart": {
        "d_model": 16,
        "encoder_layers": 1,
        "decoder_layers": 1,
        "max_position_embeddings": 32,
        **dict.fromkeys(("encoder_attention_heads", "decoder_attention_heads"), 2),
        **dict.fromkeys(("encoder_ffn_dim", "decoder_ffn_dim"), 16),
    },
}
ROWS: dict[str, tuple[type[Task], str, list[Any]]] = {
    "roberta": (tfaigc.MaskedLM, "AutoModelForMaskedLM", TEXTS),
    "gpt2": (tfaigc.CausalLM, "AutoModelForCausalLM", TEXTS),
    "t5": (tfaigc.Seq2SeqLM, "AutoModelForSeq2SeqLM", PAIRS),
    "bart": (tfaigc.Seq2SeqLM, "AutoModelForSeq2SeqLM", PAIRS),
}


def fresh(family: str, **arguments: Any) -> Task:
    texts = [text for pair in PAIRS for text in pair.values()]
    tokenizer = tfaigc.Tokenizer.train(
        texts, kind=usual_kind(family), vocabulary_size=300, family=family
    )
    return ROWS[family][0].from_scratch(
        {"model_type": family, **SIZES[family]}, tokenizer, max_length=16, **arguments
    )


@pytest.mark.parametrize("family", ROWS)
def test_it_starts_as_in_transformers_and_is_loaded_there(family: str, tmp_path: Path) -> None:
    import transformers

    _, auto, records = ROWS[family]
    model = fresh(family)
    start = model.network.stored_arrays()
    model.compile(learning_rate=1e-2)
    model.fit(records, batch_size=12, epochs=1, verbose=0)
    model.save_pretrained(tmp_path)
    reference, loaded = getattr(transformers, auto).from_pretrained(
        tmp_path, output_loading_info=True
    )
    assert not loaded["missing_keys"]
    assert not loaded["unexpected_keys"]
    tokenizer = transformers.AutoTokenizer.from_pretrained(tmp_path)
    assert tokenizer(TEXTS)["input_ids"] == model.tokenizer.encode(TEXTS)
    again = type(reference)(reference.config)
    for name, tensor in again.named_parameters():
        values = tensor.detach().numpy()
        if values.ndim > 1 and values.size > 1000:
            assert np.std(start[name]) == pytest.approx(np.std(values), rel=0.15), name
    if not isinstance(model, tfaigc.MaskedLM):
        inputs = tokenizer(TEXTS[:1], return_tensors="pt", return_token_type_ids=False)
        rows = reference.generate(**inputs, max_new_tokens=5, do_sample=False)
        begun = 1 if records is PAIRS else inputs["input_ids"].shape[1]
        expected = tokenizer.decode(rows[0][begun:], skip_special_tokens=True)
        assert model.generate(TEXTS[:1], max_new_tokens=5) == [expected]


def test_a_checkpoints_settings_are_taken_without_its_weights(tiny_classifier: Path) -> None:
    tokenizer = tfaigc.Tokenizer.from_pretrained(tiny_classifier)
    stored = tfaigc.TextClassifier.from_pretrained(tiny_classifier)
    model = tfaigc.TextClassifier.from_scratch(tiny_classifier, tokenizer, labels=["a", "b", "c"])
    assert model.backbone.config == stored.backbone.config
    assert model.labels == ("a", "b", "c")
    ours, theirs = (each.backbone.token_table.numpy() for each in (model, stored))
    assert not np.allclose(ours, theirs)
    seeds = [
        tfaigc.TextClassifier.from_scratch(tiny_classifier, tokenizer, labels=["a", "b"], seed=seed)
        for seed in (1, 1, 2)
    ]
    tables = [each.backbone.token_table.numpy() for each in seeds]
    np.testing.assert_array_equal(tables[0], tables[1])
    assert not np.array_equal(tables[0], tables[2])


def test_what_does_not_fit_is_refused() -> None:
    tokenizer = tfaigc.Tokenizer.train(TEXTS, kind="wordpiece", vocabulary_size=60)
    make = tfaigc.Seq2SeqLM.from_scratch
    with pytest.raises(ConfigError, match=r"vocab_size must be at least .*Received: 9"):
        make({"model_type": "t5", "vocab_size": 9}, tokenizer)
    with pytest.raises(ConfigError, match=r"A bert checkpoint can be used for"):
        make({"model_type": "bert"}, tokenizer)
    with pytest.raises(ConfigError, match=r"its eos_token_id. Received: pad_token_id, sep_token_"):
        make({"model_type": "bart"}, tokenizer)

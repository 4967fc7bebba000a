"""TextClassifier on families that do not read a text's first token, against `transformers`."""

from __future__ import annotations

import json
from pathlib import Path

import batteries
import numpy as np
import pytest
from conftest import WORDS
from family_cases import CASES
from seq2seq_cases import SEQ2SEQ_CASES
from tokenizers import Tokenizer, models, pre_tokenizers, processors, trainers

import tfaigc

SPECIAL = ["<pad>", "<s>", "</s>", "<unk>", "<sep>", "<cls>"]
# How each family's tokenizer puts special tokens around a text.
TEMPLATES = {
    "gpt2": "$A",
    "llama": "<s> $A",
    "qwen2": "$A",
    "xlnet": "$A <sep> <cls>:2",
    "bart": "<s> $A </s>",
}
LABELS = {"id2label": {0: "negative", 1: "positive"}, "label2id": {"negative": 0, "positive": 1}}
TEXTS = ["the film", "a gorgeous and moving story of a great actor", "dull", "Not good; not bad."]


def write_tokenizer(directory: Path, template: str) -> int:
    """Writes a small byte-level tokenizer, and returns the number of its tokens."""
    rust = Tokenizer(models.BPE())
    rust.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(
        vocab_size=330, special_tokens=SPECIAL, initial_alphabet=alphabet, show_progress=False
    )
    rust.train_from_iterator([WORDS] * 3, trainer)
    rust.post_processor = processors.TemplateProcessing(
        single=template, special_tokens=list(zip(SPECIAL, range(len(SPECIAL)), strict=True))
    )
    rust.save(str(directory / "tokenizer.json"))
    config = {"tokenizer_class": "PreTrainedTokenizerFast", "pad_token": "<pad>"}
    (directory / "tokenizer_config.json").write_text(json.dumps(config))
    return int(rust.get_vocab_size())


@pytest.mark.parametrize("name", TEMPLATES)
def test_learns_answers_and_saves(name: str, tmp_path: Path, reviews: list[dict[str, str]]) -> None:
    case = {**CASES, **SEQ2SEQ_CASES}[name]
    class_name = case.heads["text_classification"]
    source, saved = tmp_path / "theirs", tmp_path / "ours"
    source.mkdir()
    vocabulary_size = write_tokenizer(source, TEMPLATES[name])
    layers = {} if name == "bart" else {"num_hidden_layers": 1}
    reference = batteries.make_reference(
        case, class_name, source, vocab_size=vocabulary_size, pad_token_id=0, **layers, **LABELS
    )
    model = tfaigc.TextClassifier.from_pretrained(source)
    check_each_text(model, reference)
    model.compile(learning_rate=1e-3)
    history = model.fit(reviews, batch_size=16, epochs=2, verbose=0).history
    assert history["loss"][1] < history["loss"][0]
    model.save_pretrained(saved)
    trained = type(reference).from_pretrained(saved).eval()
    check_each_text(model, trained)


def check_each_text(model: tfaigc.TextClassifier, reference: object) -> None:
    """Compares the answers to several texts with what `transformers` says to each alone."""
    found = model.predict(TEXTS)
    for text, logits in zip(TEXTS, found, strict=True):
        encoded = model.tokenizer.encode_arrays([text])
        inputs = {"token_ids": encoded.token_ids[None]}
        if model.backbone.config.num_segments:
            inputs["segment_ids"] = encoded.segment_ids[None]
        expected = batteries.run_reference(reference, inputs).logits.numpy()
        np.testing.assert_allclose(logits, expected[0], atol=batteries.ATOL, rtol=0)

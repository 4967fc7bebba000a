"""Tiny encoder-decoders, as `transformers` itself writes them, with tokenizers of their own."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from seq2seq_cases import SEQ2SEQ_CASES

from tfaigc import Tokenizer

WORDS = ("good", "bad", "fine", "dull")
PAIRS = [
    {"source": f"the {word} {thing}", "target": f"{thing}: {word}"}
    for word in WORDS
    for thing in ("film", "plot", "story")
]


def train_tiny_tokenizer(name: str) -> Tokenizer:
    """Makes the tokenizer of a family from the pairs."""
    texts = [text for pair in PAIRS for text in pair.values()]
    kind = "unigram" if name == "t5" else "wordpiece"
    return Tokenizer.train([*texts, "say: "], kind=kind, vocabulary_size=100, family=name)


def write_tiny_seq2seq(name: str, directory: Path, **settings: Any) -> Path:
    """Writes a family's checkpoint with its tokenizer; returns its directory."""
    import torch
    import transformers

    tokenizer = train_tiny_tokenizer(name)
    tokenizer.save_pretrained(directory)
    case = SEQ2SEQ_CASES[name]
    torch.manual_seed(3)
    still = {"dropout": 0.0, "dropout_rate": 0.0}
    special = {
        f"{each}_token_id": getattr(tokenizer, f"{each}_token_id") for each in ("pad", "eos")
    }
    size = {"vocab_size": tokenizer.vocabulary_size}
    config = getattr(transformers, case.config)(
        **{**case.settings, **still, **special, **size, **settings}
    )
    getattr(transformers, case.heads["seq2seq_lm"])(config).save_pretrained(directory)
    return directory

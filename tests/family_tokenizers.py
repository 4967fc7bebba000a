"""The tokenizer of each family's checkpoints, small, as `transformers` itself builds it."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any

import transformers
from tokenizer_battery import hard_strings, train_wordpiece, unigram_vocabulary
from tokenizers import Tokenizer as RustTokenizer
from tokenizers import models, normalizers, pre_tokenizers, trainers

from tfaigc.tokenizers import Tokenizer

BYTES = [f"<0x{byte:02X}>" for byte in range(256)]


@lru_cache
def _merges(*, bytes_in_words: bool) -> tuple[dict[str, int], list[tuple[str, str]]]:
    """Trains byte-pair merges: of bytes, or of characters with bytes for those not known."""
    rust = RustTokenizer(models.BPE())
    if bytes_in_words:
        rust.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
        alphabet, special = pre_tokenizers.ByteLevel.alphabet(), ["<s>", "<pad>", "</s>", "<unk>"]
    else:
        rust.pre_tokenizer = pre_tokenizers.Metaspace()
        alphabet, special = [], ["<unk>", "<s>", "</s>", *BYTES]
    trainer = trainers.BpeTrainer(
        vocab_size=900,
        limit_alphabet=400,
        initial_alphabet=alphabet,
        special_tokens=special,
        show_progress=False,
    )
    texts = (text.replace("\0", "") for text in hard_strings(700, seed=3))
    rust.train_from_iterator(texts, trainer)
    model = json.loads(rust.to_str())["model"]
    return model["vocab"], [tuple(merge) for merge in model["merges"]]


def _wordpiece(*special: str) -> dict[str, Any]:
    trained = train_wordpiece(normalizers.BertNormalizer(), vocabulary_size=900)
    tokens = dict.fromkeys([*special, *trained.spec["model"]["vocab"]])
    return {"vocab": {token: index for index, token in enumerate(tokens)}}


def _unigram(*special: str) -> dict[str, Any]:
    pieces = dict(json.loads(unigram_vocabulary()))
    pieces = {**dict.fromkeys(special, 0.0), **pieces, **dict.fromkeys(special, 0.0)}
    return {"vocab": list(pieces.items())}


def _byte_pairs() -> dict[str, Any]:
    vocabulary, merges = _merges(bytes_in_words=True)
    return {"vocab": vocabulary, "merges": merges}


def _character_pairs() -> dict[str, Any]:
    vocabulary, merges = _merges(bytes_in_words=False)
    return {"vocab": vocabulary, "merges": merges}


_FAIRSEQ = ("<s>", "<pad>", "</s>", "<unk>")
_DEBERTA = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")

# Each class of `transformers`: the kind of its model, and what a small one is made from.
CLASSES: dict[str, tuple[str, Callable[..., dict[str, Any]], Sequence[str]]] = {
    "BertTokenizer": ("WordPiece", _wordpiece, ()),
    "MPNetTokenizer": ("WordPiece", _wordpiece, _FAIRSEQ),
    "RobertaTokenizer": ("byte-level BPE", _byte_pairs, ()),
    "GPT2Tokenizer": ("byte-level BPE", _byte_pairs, ()),
    "GPTNeoXTokenizer": ("byte-level BPE", _byte_pairs, ()),
    "Qwen2Tokenizer": ("byte-level BPE", _byte_pairs, ()),
    "LlamaTokenizer": ("BPE", _character_pairs, ()),
    "XLMRobertaTokenizer": ("Unigram", _unigram, _FAIRSEQ),
    "CamembertTokenizer": ("Unigram", _unigram, _FAIRSEQ),
    "MBartTokenizer": ("Unigram", _unigram, _FAIRSEQ),
    "AlbertTokenizer": ("Unigram", _unigram, ("<pad>", "<unk>", "[CLS]", "[SEP]", "[MASK]")),
    "DebertaV2Tokenizer": ("Unigram", _unigram, _DEBERTA),
    "XLNetTokenizer": ("Unigram", _unigram, ("<unk>", "<s>", "</s>", "<cls>", "<sep>", "<pad>")),
    "T5Tokenizer": ("Unigram", _unigram, ("<pad>", "</s>", "<unk>")),
    "PegasusTokenizer": ("Unigram", _unigram, ("<pad>", "</s>", "<mask_1>", "<mask_2>", "<unk>")),
}

# Not here: images have no tokens; Marian's tokenizer is written in Python and has no
# tokenizer.json.
OF_FAMILY = {
    "bert": "BertTokenizer",
    "roberta": "RobertaTokenizer",
    "xlm-roberta": "XLMRobertaTokenizer",
    "camembert": "CamembertTokenizer",
    "distilbert": "BertTokenizer",
    "electra": "BertTokenizer",
    "albert": "AlbertTokenizer",
    "mpnet": "MPNetTokenizer",
    "deberta-v2": "DebertaV2Tokenizer",
    "modernbert": "GPTNeoXTokenizer",
    "longformer": "RobertaTokenizer",
    "xlnet": "XLNetTokenizer",
    "t5": "T5Tokenizer",
    "mt5": "T5Tokenizer",
    "bart": "RobertaTokenizer",
    "mbart": "MBartTokenizer",
    "pegasus": "PegasusTokenizer",
    "gpt2": "GPT2Tokenizer",
    "llama": "LlamaTokenizer",
    "mistral": "LlamaTokenizer",
    "qwen2": "Qwen2Tokenizer",
    "qwen3": "Qwen2Tokenizer",
    "gpt_neox": "GPTNeoXTokenizer",
    "opt": "GPT2Tokenizer",
}


def make_tokenizer(class_name: str) -> Tokenizer:
    """Lets a class of `transformers` write the tokenizer.json of a small vocabulary."""
    _, make, special = CLASSES[class_name]
    built = getattr(transformers, class_name)(**make(*special))
    return Tokenizer(built.backend_tokenizer.to_str())

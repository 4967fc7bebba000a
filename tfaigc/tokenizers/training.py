"""Tokenizers that are made from texts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tfaigc.errors import ConfigError, TokenizerError, suggestion

# The class of transformers that uses tokenizer.json as it is.
_CLASS = "PreTrainedTokenizerFast"


@dataclass(frozen=True)
class Style:
    """Which special tokens a family of models has, and where they go.

    Args:
        tokens: Their names in tokenizer_config.json, in the order of their ids.
        single: A text with them; ``$A`` is the text.
        pair: Two texts with them.
        kind: The kind of tokenizer that its checkpoints have, as far as it can be trained.
    """

    tokens: Mapping[str, str]
    single: str
    pair: str
    kind: str = "bpe"


_BERT = Style(
    {
        "pad_token": "[PAD]",
        "unk_token": "[UNK]",
        "cls_token": "[CLS]",
        "sep_token": "[SEP]",
        "mask_token": "[MASK]",
    },
    "[CLS] $A [SEP]",
    "[CLS] $A [SEP] $B:1 [SEP]:1",
    "wordpiece",
)
_ROBERTA = Style(
    {
        "bos_token": "<s>",
        "pad_token": "<pad>",
        "eos_token": "</s>",
        "unk_token": "<unk>",
        "cls_token": "<s>",
        "sep_token": "</s>",
        "mask_token": "<mask>",
    },
    "<s> $A </s>",
    "<s> $A </s> </s> $B </s>",
)
_T5 = Style(
    {"pad_token": "<pad>", "eos_token": "</s>", "unk_token": "<unk>"},
    "$A </s>",
    "$A </s> $B </s>",
    "unigram",
)
_GPT = Style(
    {
        "pad_token": "<pad>",
        "unk_token": "<unk>",
        "bos_token": "<|endoftext|>",
        "eos_token": "<|endoftext|>",
    },
    "$A",
    "$A $B",
)
_LLAMA = Style(
    {"pad_token": "<pad>", "unk_token": "<unk>", "bos_token": "<s>", "eos_token": "</s>"},
    "<s> $A",
    "<s> $A <s>:1 $B:1",
)
_BY_FAMILY = {
    **dict.fromkeys(("bert", "distilbert", "electra", "albert", "deberta-v2", "modernbert"), _BERT),
    **dict.fromkeys(
        ("roberta", "xlm-roberta", "camembert", "longformer", "mpnet", "bart", "mbart"), _ROBERTA
    ),
    **dict.fromkeys(("t5", "mt5", "marian", "pegasus"), _T5),
    **dict.fromkeys(("gpt2", "gpt_neox", "qwen2", "qwen3", "opt"), _GPT),
    **dict.fromkeys(("llama", "mistral"), _LLAMA),
}
_USUAL_FAMILY = {"wordpiece": "bert", "bpe": "gpt2", "unigram": "t5"}


def usual_kind(family: str) -> str:
    """Returns the kind of tokenizer that a family's checkpoints have, as far as can be trained.

    Example:
        >>> usual_kind("bert"), usual_kind("t5"), usual_kind("gpt2")
        ('wordpiece', 'unigram', 'bpe')
    """
    return _style(family).kind


def train_tokenizer(
    texts: Iterable[str],
    *,
    kind: str,
    vocabulary_size: int,
    family: str | None,
    lowercase: bool,
    special_tokens: Sequence[str],
) -> tuple[str, dict[str, Any]]:
    """Makes a tokenizer; see ``Tokenizer.train``.

    Returns:
        tokenizer.json, as text, and tokenizer_config.json.
    """
    if kind not in _BUILDERS:
        raise ConfigError(
            f"kind must be one of {', '.join(_BUILDERS)}. Received: {kind!r}."
            f"{suggestion(kind, _BUILDERS)}"
        )
    style = _style(family or _USUAL_FAMILY[kind])
    special = [_added(token) for token in (*dict.fromkeys(style.tokens.values()), *special_tokens)]
    rust, trainer = _BUILDERS[kind](style, vocabulary_size, special, lowercase)
    rust.train_from_iterator(_checked(texts), trainer)
    found = rust.get_vocab_size()
    if found > vocabulary_size:
        raise ConfigError(
            f"vocabulary_size must be at least {found} for a {kind} tokenizer of these texts, "
            f"which have so many characters and special tokens. Received: {vocabulary_size}. Pass "
            f"vocabulary_size={2 * found}."
        )
    rust.post_processor = _template(style, rust)
    config: dict[str, Any] = {"tokenizer_class": _CLASS, **style.tokens}
    if special_tokens:
        config["additional_special_tokens"] = list(special_tokens)
    return rust.to_str(), config


def _wordpiece(style: Style, size: int, special: list[Any], lowercase: bool) -> tuple[Any, Any]:
    """Takes words apart by the longest pieces (Schuster & Nakajima, 2012)."""
    from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers

    rust = Tokenizer(models.WordPiece(unk_token=style.tokens["unk_token"]))
    rust.normalizer = normalizers.BertNormalizer(lowercase=lowercase)
    rust.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    rust.decoder = decoders.WordPiece(cleanup=False)
    return rust, trainers.WordPieceTrainer(
        vocab_size=size, special_tokens=special, show_progress=False
    )


def _bpe(style: Style, size: int, special: list[Any], lowercase: bool) -> tuple[Any, Any]:
    """Merges pairs of bytes (Sennrich et al., arXiv:1508.07909), as GPT-2 does."""
    from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers

    rust = Tokenizer(models.BPE())
    if lowercase:
        rust.normalizer = normalizers.Lowercase()
    rust.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    rust.decoder = decoders.ByteLevel()
    return rust, trainers.BpeTrainer(
        vocab_size=size,
        special_tokens=special,
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
        show_progress=False,
    )


def _unigram(style: Style, size: int, special: list[Any], lowercase: bool) -> tuple[Any, Any]:
    """Takes the likeliest pieces (Kudo, arXiv:1804.10959), as SentencePiece does."""
    from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers

    rust = Tokenizer(models.Unigram())
    steps = [normalizers.NFKC(), *([normalizers.Lowercase()] if lowercase else [])]
    rust.normalizer = normalizers.Sequence(steps)
    rust.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.WhitespaceSplit(), pre_tokenizers.Metaspace()]
    )
    rust.decoder = decoders.Metaspace()
    return rust, trainers.UnigramTrainer(
        vocab_size=size,
        special_tokens=special,
        unk_token=style.tokens["unk_token"],
        show_progress=False,
    )


_BUILDERS = {"wordpiece": _wordpiece, "bpe": _bpe, "unigram": _unigram}


def _style(family: str) -> Style:
    if family not in _BY_FAMILY:
        raise ConfigError(
            f"A tokenizer can be trained for {', '.join(_BY_FAMILY)}. Received: {family!r}."
            f"{suggestion(family, _BY_FAMILY)}"
        )
    return _BY_FAMILY[family]


def _added(token: str) -> Any:
    from tokenizers import AddedToken

    # A mask takes the place of a word, with the space before it.
    return AddedToken(token, lstrip=token == "<mask>", normalized=False, special=True)


def _checked(texts: Iterable[str]) -> Iterator[str]:
    """Gives the texts, and refuses what is none."""
    if isinstance(texts, str):
        raise TokenizerError("texts must be a list of strings. Received: one string. Pass [text].")
    count = 0
    for text in texts:
        if not isinstance(text, str):
            raise TokenizerError(
                f"texts[{count}] must be a string. Received: {type(text).__name__}."
            )
        count += 1
        yield text
    if not count:
        raise TokenizerError("There must be at least one text. Received: none.")


def _template(style: Style, rust: Any) -> Any:
    from tokenizers import processors

    ids = {token: rust.token_to_id(token) for token in style.tokens.values()}
    used = [(token, index) for token, index in ids.items() if token in style.pair]
    return processors.TemplateProcessing(single=style.single, pair=style.pair, special_tokens=used)

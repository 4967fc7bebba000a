"""tokenizer_config.json brought into line with tokenizer.json.

`transformers` builds some tokenizers anew from tokenizer_config.json and takes only the vocabulary
from tokenizer.json. Where the two disagree it follows the former, and tfaigc the latter.
"""

from __future__ import annotations

import copy
import json
import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

_LOGGER = logging.getLogger(__name__)

# The class of transformers that uses tokenizer.json as it is.
_GENERIC = "PreTrainedTokenizerFast"
_BERT = ("BertTokenizer", "BertTokenizerFast")
# tokenizer_config.json's names for BertNormalizer's options.
_BERT_OPTIONS = {
    "do_lower_case": "lowercase",
    "strip_accents": "strip_accents",
    "tokenize_chinese_chars": "handle_chinese_chars",
}
_SPECIAL_TOKENS = {
    "pad_token": "[PAD]",
    "unk_token": "[UNK]",
    "cls_token": "[CLS]",
    "sep_token": "[SEP]",
    "mask_token": "[MASK]",
}


def matching_config(spec: Mapping[str, Any], config: Mapping[str, Any]) -> dict[str, Any]:
    """Writes a tokenizer_config.json with which transformers gives the ids of tokenizer.json.

    Args:
        spec: tokenizer.json, parsed, every option explicit.
        config: tokenizer_config.json, parsed; may be empty.

    Returns:
        The config to save.

    Example:
        >>> matching_config({"added_tokens": []}, {})
        {'tokenizer_class': 'PreTrainedTokenizerFast'}
    """
    matching = copy.deepcopy(dict(config))
    if matching.get("tokenizer_class") in _BERT and _is_plain_bert(spec):
        normalizer = spec["normalizer"]
        for name, option in _BERT_OPTIONS.items():
            matching[name] = normalizer[option]
        return matching
    if matching.get("tokenizer_class", _BERT[0]) in _BERT:
        matching["tokenizer_class"] = _GENERIC
        present = {token["content"] for token in spec["added_tokens"] if token["special"]}
        for name, token in _SPECIAL_TOKENS.items():
            if token in present:
                matching.setdefault(name, token)
    return matching


def warn_of_disagreement(text: str, config: Mapping[str, Any], directory: Path) -> None:
    """Logs where tokenizer_config.json contradicts tokenizer.json, which wins.

    Args:
        text: tokenizer.json, as text.
        config: tokenizer_config.json, parsed.
        directory: Where both come from.
    """
    if '"BertNormalizer"' not in text:
        return
    normalizer = json.loads(text).get("normalizer") or {}
    for name, option in _BERT_OPTIONS.items():
        stated, actual = config.get(name), normalizer.get(option)
        if isinstance(stated, bool) and isinstance(actual, bool) and stated != actual:
            _LOGGER.warning(
                "%s: tokenizer_config.json says %s=%s, tokenizer.json %s=%s. "
                "tokenizer.json is used.",
                *(directory, name, stated, option, actual),
            )


def _is_plain_bert(spec: Mapping[str, Any]) -> bool:
    """Tells whether transformers' own BertTokenizer, built anew, equals this tokenizer."""
    model, normalizer = spec["model"], spec["normalizer"] or {}
    post_processor = spec["post_processor"] or {}
    return (
        normalizer.get("type") == "BertNormalizer"
        and normalizer["clean_text"]
        and spec["pre_tokenizer"] == {"type": "BertPreTokenizer"}
        and model["type"] == "WordPiece"
        and model["continuing_subword_prefix"] == "##"
        and model["max_input_chars_per_word"] == 100
        and _parts(post_processor.get("single")) == ["[CLS]", "A0", "[SEP]"]
        and _parts(post_processor.get("pair")) == ["[CLS]", "A0", "[SEP]", "B1", "[SEP]"]
    )


def _parts(template: Any) -> list[str]:
    """Writes a template as short names, such as ["[CLS]", "A0", "[SEP]"]."""
    names = []
    for part in template or []:
        sequence = part.get("Sequence")
        special = part.get("SpecialToken", {})
        names.append(f"{sequence['id']}{sequence['type_id']}" if sequence else special["id"])
    return names

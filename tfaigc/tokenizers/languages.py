"""Tokens that say which language a text is in, as mBART's tokenizers add them."""

from __future__ import annotations

import copy
import re
from collections.abc import Iterator, Mapping
from typing import Any

from tfaigc.errors import TokenizerError, suggestion

# en_XX, deu_Latn
_CODE = re.compile(r"[a-z]{2,3}_[A-Z][A-Za-z]{1,3}")


def with_language(
    spec: Mapping[str, Any], code: str, vocabulary: Mapping[str, int]
) -> dict[str, Any]:
    """Puts a language's token where a template has that of another.

    Args:
        spec: tokenizer.json, parsed.
        code: The language's token, such as ``de_DE``.
        vocabulary: Ids by token, added ones included.

    Returns:
        The changed tokenizer.json.

    Raises:
        TokenizerError: No template has a language's token, or this one is not known.
    """
    codes = sorted(token for token in vocabulary if _CODE.fullmatch(token))
    if code not in codes:
        raise TokenizerError(
            f"A language must be one of the tokenizer's: {', '.join(codes) or 'it has none'}. "
            f"Received: {code!r}.{suggestion(code, codes)}"
        )
    changed = copy.deepcopy(dict(spec))
    named: dict[str, Any] = {}
    for template in _templates(changed.get("post_processor")):
        old = [token for token in template["special_tokens"] if token in codes]
        for part in (*template["single"], *template["pair"]):
            if part.get("SpecialToken", {}).get("id") in old:
                part["SpecialToken"]["id"] = code
        named = {code: {"id": code, "ids": [vocabulary[code]], "tokens": [code]}} if old else named
        kept = {
            token: each for token, each in template["special_tokens"].items() if token not in old
        }
        template["special_tokens"] = kept | named
    if not named:
        raise TokenizerError(
            "A tokenizer of several languages must add the token of one to each text. Received: "
            f"{code!r} for a tokenizer that adds none. Leave the language out."
        )
    return changed


def _templates(processor: Any) -> Iterator[dict[str, Any]]:
    """Finds the templates of a post-processor."""
    parts = [processor] if processor else []
    if processor and processor["type"] == "Sequence":
        parts = processor["processors"]
    yield from (part for part in parts if part["type"] == "TemplateProcessing")

"""The pre-tokenizers of tokenizer.json as TensorFlow operations."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from tfaigc.tokenizers import characters, strings
from tfaigc.tokenizers.registry import Registry, Spec

PreTokenizer = Callable[[Any], Any]
"""Maps string (n,) to a string RaggedTensor (n, None), without empty words."""

PRE_TOKENIZERS: Registry[PreTokenizer] = Registry("pre-tokenizer")


def chain(steps: Sequence[PreTokenizer]) -> PreTokenizer:
    """Makes one pre-tokenizer of several.

    Args:
        steps: The pre-tokenizers, in order; at least one.

    Returns:
        A pre-tokenizer that splits the words of each by the next.
    """

    def apply(texts: Any) -> Any:
        words = steps[0](texts)
        for step in steps[1:]:
            finer = words.with_flat_values(step(words.flat_values))
            words = finer.merge_dims(1, 2)
        return words

    return apply


@PRE_TOKENIZERS.register("Sequence", "pretokenizers")
def _sequence(spec: Spec) -> PreTokenizer:
    return chain([PRE_TOKENIZERS.build(part) for part in spec["pretokenizers"]])


@PRE_TOKENIZERS.register("BertPreTokenizer")
def _bert(spec: Spec) -> PreTokenizer:
    spaces = characters.expression(characters.whitespace())
    punctuation = characters.expression(characters.punctuation())
    return lambda texts: strings.split(
        texts, delimiters=f"{spaces}+|{punctuation}", kept=punctuation
    )


@PRE_TOKENIZERS.register("WhitespaceSplit")
def _whitespace_split(spec: Spec) -> PreTokenizer:
    spaces = characters.expression(characters.whitespace())
    return lambda texts: strings.split(texts, delimiters=f"{spaces}+")

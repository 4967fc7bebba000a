"""Models of whole words as TensorFlow operations."""

from __future__ import annotations

from typing import Any

import numpy as np
import tensorflow as tf

from tfaigc.errors import TokenizerError
from tfaigc.tokenizers import cuckoo
from tfaigc.tokenizers.models import MODELS, Model, Pieces, one_each
from tfaigc.tokenizers.registry import Spec


@MODELS.register("WordLevel", "vocab", "unk_token")
def _word_level(spec: Spec) -> Model:
    vocabulary: dict[str, int] = spec["vocab"]
    unknown: str = spec["unk_token"]
    if unknown not in vocabulary:
        raise TokenizerError(
            "unk_token must be in the vocabulary to run in the graph. "
            f"Received: {unknown!r}. Correct unk_token in tokenizer.json."
        )
    words = [word for word in vocabulary if word]
    find = cuckoo.lookup(words)
    # The lookup's -1 takes the last one.
    ids = np.array([vocabulary[word] for word in (*words, unknown)], np.int32)

    def apply(texts: Any) -> Pieces:
        found = find(texts)
        tokens = tf.gather(tf.constant(ids), tf.where(found < 0, len(words), found))
        return one_each(tokens, texts)

    return apply

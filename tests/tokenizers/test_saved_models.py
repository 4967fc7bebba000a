from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import tensorflow as tf
from tokenizer_battery import hard_strings, make_unigram, train_wordpiece
from tokenizers import Tokenizer as RustTokenizer
from tokenizers import models, normalizers, pre_tokenizers, trainers

from tfaigc.tokenizers import Tokenizer

KINDS = ("", "_segments", "_offsets")
FRESH = """
import sys
import numpy as np
import tensorflow as tf
import tensorflow_text
directory = sys.argv[1]
given = np.load(directory + "/given.npz", allow_pickle=True)
loaded = tf.saved_model.load(directory + "/model")
signature = loaded.signatures["serving_default"]
texts, pairs = (tf.constant(given[name].tolist()) for name in ("texts", "pairs"))
np.savez(directory + "/found.npz", **signature(text=texts, text_pair=pairs))
nothing = tf.constant([], tf.string)
assert signature(text=nothing, text_pair=nothing)["wordpiece"].shape[0] == 0
assert not {"tokenizers", "transformers", "tfaigc"} & set(sys.modules)
"""


def byte_level() -> Tokenizer:
    rust = RustTokenizer(models.BPE())
    rust.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(vocab_size=900, initial_alphabet=alphabet, show_progress=False)
    rust.train_from_iterator(hard_strings(900, seed=3), trainer)
    return Tokenizer(rust.to_str())


def test_saved_models_need_only_tensorflow(tmp_path: Path) -> None:
    tokenizers = {
        "wordpiece": train_wordpiece(normalizers.BertNormalizer()),
        "bpe": byte_level(),
        "unigram": make_unigram(normalizers.NFKC(), pre_tokenizer=pre_tokenizers.Metaspace()),
    }
    specs = [tf.TensorSpec([None], tf.string, name=name) for name in ("text", "text_pair")]

    @tf.function(input_signature=specs)
    def serve(text: tf.Tensor, text_pair: tf.Tensor) -> dict[str, tf.Tensor]:
        found = {}
        for name, tokenizer in tokenizers.items():
            parts = tokenizer.in_graph(
                text, text_pair, 24, return_segment_ids=True, return_offsets=True
            )
            found |= {
                name + kind: part.to_tensor() for kind, part in zip(KINDS, parts, strict=True)
            }
        return found

    tf.saved_model.save(tf.Module(), str(tmp_path / "model"), signatures=serve)
    given = {"texts": hard_strings(300), "pairs": hard_strings(300, seed=1)}
    encoded = {
        name: np.array([text.encode() for text in texts], object) for name, texts in given.items()
    }
    np.savez(tmp_path / "given.npz", **encoded)
    # Lower-casing in TensorFlow follows the locale; ours must not.
    environment = {**os.environ, "LC_ALL": "tr_TR.UTF-8", "LANG": "tr_TR.UTF-8"}
    command = [sys.executable, "-c", FRESH, str(tmp_path)]
    subprocess.run(command, check=True, env=environment, timeout=300)
    answered = np.load(tmp_path / "found.npz")
    for name, tokenizer in tokenizers.items():
        expected = tokenizer.encode_arrays(*given.values(), 24, return_offsets=True)
        values = (expected.token_ids, expected.segment_ids, expected.offsets)
        for kind, flat in zip(KINDS, values, strict=True):
            rows = tf.RaggedTensor.from_row_splits(flat, expected.row_splits).to_tensor()
            np.testing.assert_array_equal(answered[name + kind], rows, err_msg=name + kind)

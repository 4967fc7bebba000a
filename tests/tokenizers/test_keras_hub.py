"""KerasHub's tokenizers: the ids of its own preprocessors, in the graph and outside of it."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from conftest import wordpiece_vocabulary

from tfaigc.errors import ConfigError, DataError, TokenizerError
from tfaigc.tokenizers import Tokenizer
from tfaigc.tokenizers.keras_hub import KerasHubTokenizer

pytestmark = [
    # Keras warns so where it writes weights, and KerasHub leaves a vocabulary's file open.
    pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:.*vocabulary.spm:pytest.PytestUnraisableExceptionWarning"),
    pytest.mark.filterwarnings("ignore:unclosed file.*vocabulary.spm:ResourceWarning"),
]

SIZES = {"num_layers": 1, "hidden_dim": 8, "intermediate_dim": 8}
TEXTS = ["a good film", "", "Straße, film!  fine\n", "x" * 40, "the plot is bad bad bad"]
PAIRS = ["a story", "good", "", "the the the the", "one two"]


def bert(directory: Path) -> Any:
    from keras_hub import models

    tokenizer = models.BertTokenizer(wordpiece_vocabulary(), lowercase=True)
    models.BertBackbone(tokenizer.vocabulary_size(), num_heads=2, **SIZES).save_to_preset(
        str(directory)
    )
    tokenizer.save_to_preset(str(directory))
    return models.BertTextClassifierPreprocessor(
        tokenizer, sequence_length=12, _allow_python_workflow=False
    )


def gpt2(directory: Path) -> Any:
    from keras_hub import models

    characters = [chr(code) for code in range(33, 127)] + ["Ġ", "Ċ", "Ã", "Ł"]
    pieces = ["<|endoftext|>", *characters, "oo", "Ġf", "fi", "Ġb", "ad"]
    tokenizer = models.GPT2Tokenizer(
        {piece: index for index, piece in enumerate(pieces)}, ["o o", "Ġ f", "f i", "Ġ b", "a d"]
    )
    models.GPT2Backbone(
        tokenizer.vocabulary_size(), num_heads=2, max_sequence_length=64, **SIZES
    ).save_to_preset(str(directory))
    tokenizer.save_to_preset(str(directory))
    return models.GPT2CausalLMPreprocessor(tokenizer, sequence_length=11)


def gemma(directory: Path) -> Any:
    import sentencepiece
    from keras_hub import models

    proto = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(TEXTS * 3 + [chr(code) for code in range(33, 127)]),
        model_writer=proto,
        vocab_size=130,
        model_type="bpe",
        pad_id=0,
        eos_id=1,
        bos_id=2,
        unk_id=3,
        pad_piece="<pad>",
        eos_piece="<eos>",
        bos_piece="<bos>",
        unk_piece="<unk>",
        minloglevel=2,
    )
    tokenizer = models.GemmaTokenizer(proto.getvalue())
    models.GemmaBackbone(
        tokenizer.vocabulary_size(), num_query_heads=2, num_key_value_heads=1, head_dim=4, **SIZES
    ).save_to_preset(str(directory))
    tokenizer.save_to_preset(str(directory))
    return models.GemmaCausalLMPreprocessor(tokenizer, sequence_length=11)


def packed_by_keras_hub(preprocessor: Any, texts: Any) -> list[list[int]]:
    """Asks KerasHub's preprocessor inside a graph, and leaves padding out."""
    outputs: dict[str, Any] = {}

    @tf.function(autograph=False)
    def pack(*segments: Any) -> Any:
        return preprocessor(x=segments if len(segments) > 1 else segments[0])

    found = pack(*map(tf.constant, texts))
    if isinstance(found, tuple):
        # A language model's inputs lack the last token, which is a target alone; the layer packs
        # one token more for it.
        inputs, targets, counts = found
        ids = np.concatenate([inputs["token_ids"], targets[:, -1:]], axis=1)
        outputs["token_ids"] = np.asarray(ids)
        lengths = [1 + int(row.sum()) for row in np.asarray(counts)]
    else:
        outputs = found
        lengths = [int(row.sum()) for row in np.asarray(outputs["padding_mask"])]
    return [
        row[:length].tolist()
        for row, length in zip(np.asarray(outputs["token_ids"]), lengths, strict=True)
    ]


@pytest.mark.parametrize("make", [bert, gpt2, gemma])
def test_ids_equal_those_of_keras_hub(make: Any, tmp_path: Path) -> None:
    preprocessor = make(tmp_path)
    tokenizer = Tokenizer.from_pretrained(tmp_path)
    assert isinstance(tokenizer, KerasHubTokenizer)
    expected = packed_by_keras_hub(preprocessor, [TEXTS])
    assert tokenizer.encode(TEXTS, max_length=12) == expected
    traced = tf.function(lambda texts: tokenizer.in_graph(texts, max_length=12))
    assert traced(tf.constant(TEXTS)).to_list() == expected
    assert tokenizer.vocabulary_size == preprocessor.tokenizer.vocabulary_size()
    assert tokenizer.pad_token_id == preprocessor.tokenizer.pad_token_id
    assert tokenizer.encode([]) == []


def test_pairs(tmp_path: Path) -> None:
    preprocessor = bert(tmp_path)
    tokenizer = Tokenizer.from_pretrained(tmp_path)
    expected = packed_by_keras_hub(preprocessor, [TEXTS, PAIRS])
    assert tokenizer.encode(TEXTS, PAIRS, max_length=12) == expected
    encoded = tokenizer.encode_arrays(TEXTS, PAIRS, max_length=12)
    assert encoded.row_splits.tolist() == np.cumsum([0, *map(len, expected)]).tolist()
    assert set(encoded.segment_ids.tolist()) == {0, 1}
    assert tokenizer.num_special_tokens() == 2
    assert tokenizer.num_special_tokens(pair=True) == 3
    with pytest.raises(DataError):
        tokenizer.encode(TEXTS, PAIRS[:2])


def test_decoding_and_saving(tmp_path: Path) -> None:
    bert(tmp_path / "one")
    tokenizer = Tokenizer.from_pretrained(tmp_path / "one")
    assert tokenizer.decode(tokenizer.encode(["A good film", "bad"])) == ["a good film", "bad"]
    assert tokenizer.token_id("film") == wordpiece_vocabulary().index("film")
    assert tokenizer.token_id("nothing like it") is None
    bert(tmp_path / "two")
    again = Tokenizer.from_pretrained(tmp_path / "two")
    assert again.fingerprint == tokenizer.fingerprint
    tokenizer.save_pretrained(tmp_path / "three")
    assert (tmp_path / "three" / "assets" / "tokenizer" / "vocabulary.txt").exists()


def test_what_keras_hub_cannot_do(tmp_path: Path) -> None:
    gpt2(tmp_path)
    tokenizer = Tokenizer.from_pretrained(tmp_path)
    with pytest.raises(ConfigError, match="KerasHub packs no pairs of texts for a GPT2Tokenizer"):
        tokenizer.encode(TEXTS, PAIRS)
    with pytest.raises(TokenizerError, match="cannot tell which bytes a token stands for"):
        tokenizer.encode_arrays(TEXTS, return_offsets=True)
    with pytest.raises(ConfigError, match="max_length"):
        tokenizer.encode(TEXTS, max_length=1)


def test_a_network_without_a_tokenizer(tmp_path: Path) -> None:
    from keras_hub import models

    network = models.BertBackbone(10, num_heads=2, **SIZES)
    network.save_to_preset(str(tmp_path))
    (tmp_path / "tokenizer.json").write_text('{"registered_name": "keras_hub>BertTokenizer"}')
    with pytest.raises(TokenizerError, match="must have a tokenizer that KerasHub loads"):
        Tokenizer.from_pretrained(tmp_path)

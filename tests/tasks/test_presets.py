"""Classifiers on KerasHub's networks: trained, asked, saved and loaded again."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import wordpiece_vocabulary

import tfaigc
from tfaigc.errors import ConfigError
from tfaigc.families.keras_hub import KerasHubBackbone

# Keras warns so where it writes weights.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")

LABELS = ["negative", "positive"]


@pytest.fixture(scope="module")
def preset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A random network of KerasHub with its tokenizer."""
    import keras
    from keras_hub import models

    directory = tmp_path_factory.mktemp("preset")
    keras.utils.set_random_seed(0)
    tokenizer = models.BertTokenizer(wordpiece_vocabulary(), lowercase=True)
    network = models.BertBackbone(
        tokenizer.vocabulary_size(),
        num_layers=1,
        num_heads=2,
        hidden_dim=32,
        intermediate_dim=64,
        max_sequence_length=32,
    )
    network.save_to_preset(str(directory))
    tokenizer.save_to_preset(str(directory))
    return directory


def test_a_preset_is_trained_saved_and_loaded_again(
    preset: Path, tmp_path: Path, reviews: list[dict[str, Any]]
) -> None:
    model = tfaigc.TextClassifier.from_pretrained(f"keras_hub://{preset}", labels=LABELS)
    assert isinstance(model.backbone, KerasHubBackbone)
    assert model.max_length == 32
    before = [variable.numpy() for variable in model.trainable_variables]
    model.compile(learning_rate=0.01)
    history = model.fit(model.dataset(reviews, batch_size=16, shuffle=True), epochs=8, verbose=0)
    assert min(history.history["loss"]) < history.history["loss"][0]
    for former, variable in zip(before, model.trainable_variables, strict=True):
        # A key's bias adds the same to all scores of a query, which changes nothing.
        assert "key/bias" in variable.path or not np.array_equal(former, variable)
    texts = [record["text"] for record in reviews[:8]]
    expected = model.predict(texts)
    model.save_pretrained(tmp_path)
    again = tfaigc.TextClassifier.from_pretrained(tmp_path)
    assert again.labels == tuple(LABELS)
    np.testing.assert_allclose(again.predict(texts), expected, atol=1e-6)
    turned = tfaigc.TextClassifier.from_pretrained(tmp_path, labels=LABELS[::-1])
    np.testing.assert_allclose(turned.predict(texts), expected[:, ::-1], atol=1e-6)


def test_a_preset_without_a_head_needs_labels(preset: Path) -> None:
    with pytest.raises(ConfigError, match="labels must be given"):
        tfaigc.TextClassifier.from_pretrained(preset)


def test_networks_of_images_classify_no_texts(tmp_path: Path) -> None:
    from keras_hub import models

    models.ViTBackbone(
        image_shape=(8, 8, 3), patch_size=4, num_layers=1, num_heads=2, hidden_dim=8, mlp_dim=8
    ).save_to_preset(str(tmp_path))
    with pytest.raises(ConfigError, match="ViTBackbone can be used for image_classification"):
        tfaigc.TextClassifier.from_pretrained(tmp_path, labels=LABELS)


def test_an_export_takes_the_tables_of_the_tokenizer_along(tmp_path: Path) -> None:
    from keras_hub import models

    pieces = ["<|endoftext|>", *map(chr, range(33, 127)), "Ġ", "Ċ", "oo"]
    tokenizer = models.GPT2Tokenizer({piece: index for index, piece in enumerate(pieces)}, ["o o"])
    network = models.GPT2Backbone(
        tokenizer.vocabulary_size(),
        num_layers=1,
        num_heads=2,
        hidden_dim=8,
        intermediate_dim=8,
        max_sequence_length=32,
    )
    network.save_to_preset(str(tmp_path / "preset"))
    tokenizer.save_to_preset(str(tmp_path / "preset"))
    model = tfaigc.TextClassifier.from_pretrained(tmp_path / "preset", labels=LABELS)
    assert model.export(tmp_path / "export").name == "1"

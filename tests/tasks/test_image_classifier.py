"""ImageClassifier: images in; a class out, with its probability."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import tfaigc
from tfaigc.errors import ConfigError, DataError
from tfaigc.workflows.saved_models import ask_saved_model

CONFIG = {
    "hidden_size": 24,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "intermediate_size": 36,
    "image_size": 16,
    "patch_size": 4,
}


def records(count: int = 48) -> list[dict[str, Any]]:
    """Images whose left or right half is the brighter one, of many sizes."""
    random = np.random.default_rng(1)
    rows = []
    for number in range(count):
        height, width = 14 + number % 9, 12 + number % 7
        image = random.integers(0, 100, (height, width, 3), np.uint8)
        label = number % 2
        image[:, label * (width // 2) :][:, : width // 2] += 150
        rows.append({"image": image, "label": ("left", "right")[label]})
    return rows


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    import torch
    from transformers import DeiTConfig, DeiTModel
    from transformers.models.deit.image_processing_pil_deit import DeiTImageProcessorPil

    torch.manual_seed(3)
    directory = tmp_path_factory.mktemp("deit")
    DeiTModel(DeiTConfig(**CONFIG), add_pooling_layer=False).save_pretrained(directory)
    DeiTImageProcessorPil(
        size={"height": 18, "width": 18}, crop_size={"height": 16, "width": 16}
    ).save_pretrained(directory)
    return directory


@pytest.fixture(scope="module")
def trained(checkpoint: Path) -> tfaigc.ImageClassifier:
    model = tfaigc.ImageClassifier.from_pretrained(checkpoint, labels=["left", "right"])
    model.compile(learning_rate=3e-3, label_smoothing=0.05)
    model.fit(records(64), batch_size=8, epochs=12, verbose=0)
    return model


def test_learns_and_reports(trained: tfaigc.ImageClassifier, tmp_path: Path) -> None:
    report = trained.report(records())
    assert report.metrics["accuracy"] > 0.9
    measured = trained.evaluate(records(), verbose=0, return_dict=True)
    assert measured["accuracy"] == pytest.approx(report.metrics["accuracy"])
    wrong = [{**row, "label": "left"} for row in records(6)]
    trained.report(wrong).save(tmp_path)
    with Image.open(tmp_path / "errors.png") as shown:
        assert shown.width > 500
    assert "![images, each with" in (tmp_path / "report.md").read_text()
    assert trained.infer([]) == []


def test_the_files_are_those_of_transformers(
    trained: tfaigc.ImageClassifier, tmp_path: Path
) -> None:
    import torch
    from transformers import AutoModelForImageClassification
    from transformers.models.deit.image_processing_pil_deit import DeiTImageProcessorPil

    trained.save_pretrained(tmp_path)
    images = [row["image"] for row in records(5)]
    for number, image in enumerate(images):
        Image.fromarray(image).save(tmp_path / f"{number}.png")
    processor = DeiTImageProcessorPil.from_pretrained(tmp_path)
    reference = AutoModelForImageClassification.from_pretrained(tmp_path).eval()
    with torch.no_grad():
        read = processor([Image.fromarray(image) for image in images], return_tensors="pt")
        expected = reference(**read).logits
    again = tfaigc.ImageClassifier.from_pretrained(tmp_path)
    paths = [str(tmp_path / f"{number}.png") for number in range(5)]
    np.testing.assert_allclose(again.predict(paths), expected.numpy(), atol=1e-5)
    assert again.infer(paths) == again.infer([Path(path).read_bytes() for path in paths])
    assert again.settings() == trained.settings() == {"labels": ["left", "right"]}


def test_the_export_answers_as_the_model(trained: tfaigc.ImageClassifier, tmp_path: Path) -> None:
    version = trained.export(tmp_path)
    Image.fromarray(records(1)[0]["image"]).save(tmp_path / "a.png")
    [found] = ask_saved_model(str(version), [{"image": str(tmp_path / "a.png")}])
    [expected] = trained.infer([str(tmp_path / "a.png")])
    assert found["label"] == expected["label"]
    assert found["probabilities"] == pytest.approx(expected["probabilities"], abs=1e-5)
    metadata = json.loads((version / "assets.extra" / "tfaigc.json").read_text())
    signatures = metadata["export"]["signatures"]
    assert set(signatures) == {"serving_default", "pixels", "preprocess", "classify"}
    assert set(signatures["serving_default"]["inputs"]) == {"images"}


def test_starts_from_nothing() -> None:
    model = tfaigc.ImageClassifier.from_scratch(
        {"model_type": "vit", **CONFIG}, labels=["left", "right"], random_flip=True, random_crop=1
    )
    inputs, labels = next(iter(model.dataset(records(8), batch_size=4, shuffle=True)))
    assert inputs["images"].shape == (4, 16, 16, 3)
    assert model(inputs).shape == (4, 2)
    assert set(labels.numpy()) <= {0, 1}


def test_what_cannot_be_used_is_named(
    trained: tfaigc.ImageClassifier, tmp_path: Path, tiny_bert: Path
) -> None:
    broken = tmp_path / "broken.jpg"
    broken.write_bytes(b"\xff\xd8\xff no image")
    rows = [*records(2), {"image": str(broken), "label": "left"}]
    with pytest.raises(DataError, match=r"records\[2\]: image .*broken.jpg must be a whole JPEG"):
        trained.dataset(rows)
    with pytest.raises(DataError, match=r"records\[1\]: label"):
        trained.dataset([records(1)[0], {**records(1)[0], "label": "above"}])
    with pytest.raises(ConfigError, match="Features are kept of texts"):
        trained.dataset(rows, cache_features=True)
    with pytest.raises(ConfigError, match="keeps no texts apart"):
        trained.dataset(rows, packed=True)
    with pytest.raises(ConfigError, match="max_length must be None"):
        tfaigc.ImageClassifier.from_pretrained(tmp_path, max_length=3)  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match="image_classification"):
        tfaigc.ImageClassifier.from_pretrained(tiny_bert, labels=["a", "b"])

"""Images: to the pixel as `transformers` processes them, and reported where that cannot be."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image, ImageOps

from tfaigc.data import BatchOrder, read_records
from tfaigc.data.images import ImageProcessor, check_images, image_table
from tfaigc.data.images.batches import Augmentation, make_image_dataset
from tfaigc.data.images.decoding import encoded_or_array
from tfaigc.data.images.encoded import decode_colors
from tfaigc.data.images.resizing import resize
from tfaigc.errors import ConfigError, DataError

# None is made so much lower, and so little narrower, that Pillow 13 filters columns first.
SIZES = [(1, 1), (7, 3), (16, 24), (33, 50), (41, 200)]
NETWORK: dict[str, Any] = {"family": "vit", "image_size": (16, 24), "num_channels": 3}


def picture(height: int, width: int, mode: str = "RGB") -> Image.Image:
    random = np.random.default_rng(height * 1000 + width)
    channels = {"RGB": (3,), "L": (), "RGBA": (4,)}[mode]
    return Image.fromarray(random.integers(0, 256, (height, width, *channels), np.uint8))


def encoded(image: Image.Image, kind: str, **settings: Any) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **settings)
    return file.getvalue()


STATED: dict[str, tuple[str, dict[str, Any]]] = {
    "bilinear": ("vit", {"size": {"height": 16, "width": 24}}),
    "bicubic": ("vit", {"size": {"height": 16, "width": 24}, "resample": 3}),
    "cropped": ("deit", {"size": [21, 25], "crop_size": {"height": 16, "width": 24}}),
    "other numbers": (
        "vit",
        {
            "size": {"height": 16, "width": 24},
            "rescale_factor": 1 / 127,
            "image_mean": [0.4, 0.5, 0.6],
            "image_std": [0.1, 0.2, 0.3],
        },
    ),
    "not normalized": ("vit", {"size": {"height": 16, "width": 24}, "do_normalize": False}),
    "shortest edge": (
        "vit",
        {
            "size": {"shortest_edge": 24},
            "do_center_crop": True,
            "crop_size": {"height": 16, "width": 24},
        },
    ),
}


@pytest.mark.parametrize("name", STATED)
def test_images_are_processed_as_by_transformers(name: str) -> None:
    from transformers.models.deit.image_processing_pil_deit import DeiTImageProcessorPil
    from transformers.models.vit.image_processing_pil_vit import ViTImageProcessorPil

    family, stated = STATED[name]
    reference = {"vit": ViTImageProcessorPil, "deit": DeiTImageProcessorPil}[family]
    theirs = dict(stated)
    if isinstance(stated["size"], list):
        theirs["size"] = dict(zip(("height", "width"), stated["size"], strict=True))
    processor = ImageProcessor(stated, **{**NETWORK, "family": family})
    images = [picture(*size) for size in SIZES]
    files = [encoded(image, "PNG") for image in images]
    files += [encoded(image, "JPEG", subsampling=kind) for image in images for kind in (0, 2)]
    files += [encoded(picture(20, 30, "RGBA"), "PNG"), encoded(picture(9, 30, "L"), "JPEG")]
    opened = [Image.open(io.BytesIO(each)).convert("RGB") for each in files]
    expected = reference(**theirs)(opened, return_tensors="np")["pixel_values"]
    found = tf.function(processor.in_graph)(tf.constant(files))
    np.testing.assert_allclose(found, np.moveaxis(expected, 1, -1), atol=1e-6, rtol=1e-6)


def test_files_are_decoded_as_by_pillow() -> None:
    random = np.random.default_rng(5)
    colors = picture(9, 14)
    kinds = {
        "palette": encoded(colors.quantize(16), "PNG", transparency=3),
        "grey and transparent": encoded(
            Image.fromarray(random.integers(0, 256, (9, 14, 2), np.uint8), "LA"), "PNG"
        ),
        "black and white": encoded(colors.convert("1"), "PNG"),
        "CMYK": encoded(colors.convert("CMYK"), "JPEG"),
        "progressive": encoded(colors, "JPEG", progressive=True),
        "GIF": encoded(colors.quantize(16), "GIF"),
        "BMP": encoded(colors, "BMP"),
        "WebP": encoded(colors, "WEBP"),
    }
    for side in range(10):
        notes = Image.Exif()
        notes.endian = "<>"[side % 2]
        notes[0x010F], notes[0x0112] = "a camera", side
        # What comes before and after it is passed over.
        kinds[f"turned {side}"] = encoded(colors, "JPEG", exif=notes, comment=b"Exif", dpi=(9, 9))
    decode = tf.function(decode_colors, input_signature=[tf.TensorSpec((), tf.string)])
    for name, file in kinds.items():
        expected = ImageOps.exif_transpose(Image.open(io.BytesIO(file))).convert("RGB")
        np.testing.assert_array_equal(decode(file), expected, name)
    broken = kinds["turned 6"].replace(b"Exif\0\0II", b"Exif\0\0\xff\xff")
    np.testing.assert_array_equal(decode(broken), Image.open(io.BytesIO(broken)))
    deep = random.integers(0, 2**16, (9, 14), np.uint16)
    upper = np.repeat((deep >> 8).astype(np.uint8)[..., None], 3, axis=-1)
    np.testing.assert_array_equal(decode(encoded(Image.fromarray(deep), "PNG")), upper)


@pytest.mark.parametrize("resample", [2, 3])
def test_rows_are_filtered_before_columns(resample: int) -> None:
    ours = tf.function(
        lambda image: resize(image, 16, 24, resample=resample),
        input_signature=[tf.TensorSpec((None, None, 3), tf.uint8)],
    )
    for height, width in [*SIZES, (200, 41), (300, 7), (90, 90)]:
        image = picture(height, width)
        expected = image.resize((24, height), resample).resize((24, 16), resample)
        np.testing.assert_array_equal(ours(np.asarray(image)), expected)


def test_grey_is_that_of_pillow() -> None:
    processor = ImageProcessor.of_size(family="vit", image_size=(16, 24), num_channels=1)
    image = picture(16, 24)
    [found] = processor.in_graph([encoded(image, "PNG")])
    grey = np.asarray(image.convert("L"), np.float32)[..., None]
    np.testing.assert_allclose(found, grey / 255 * 2 - 1, atol=1e-6)


@pytest.mark.parametrize(
    ("stated", "message"),
    [
        ({"size": 16}, r"size, \(16, 24\)\. Received: size 16"),
        ({"size": [16, 24], "resample": 1}, "resample .* must be one of .*Received: 1"),
        ({"size": [16, 24], "image_mean": [0.5, 0.5]}, "image_mean .* must be numbers"),
        ({"size": [16, 24], "do_pad": True}, "do_pad .* must be false"),
        ({"size": {"shortest_edge": 16}}, "of the network's size"),
        ({"size": [8, 8], "do_center_crop": True, "crop_size": [16, 24]}, "network's size"),
        ({"size": {"depth": 1}}, "must be numbers"),
    ],
)
def test_what_cannot_be_honoured(stated: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        ImageProcessor(stated, **NETWORK)


def test_a_directory_has_a_directory_for_each_class(tmp_path: Path) -> None:
    for name in ("cats/b.png", "cats/deep/a.JPG", "dogs/c.gif", "dogs/notes.txt"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(encoded(picture(5, 6), "GIF"))
    table = read_records(str(tmp_path))
    assert [row["label"] for row in table.rows] == ["cats", "cats", "dogs"]
    assert table.location(1).endswith("file cats/deep/a.JPG")
    (tmp_path / "cats" / "b.png").write_bytes(b"no image")
    (tmp_path / "dogs" / "c.gif").write_bytes(encoded(picture(90, 90), "JPEG")[:900])
    with pytest.raises(DataError, match=r"2 bad rows of 3[\s\S]*file cats/b.png: image .*b.png mu"):
        check_images(table)
    kept = check_images(table, max_invalid_share=0.9)
    assert [Path(row["image"]).name for row in kept.rows] == ["a.JPG"]
    assert len(kept.rejected) == 2


def test_images_that_are_none_are_named() -> None:
    rows = [None, "missing.png", 3, np.zeros((2, 2, 2), np.uint8), np.full((2, 2), 0.5)]
    with pytest.raises(DataError) as caught:
        check_images(image_table([{"image": row} for row in rows]))
    for words in ("missing", "existing file", "path, bytes", "1 or 3 channels", "whole numbers"):
        assert words in str(caught.value)


def test_images_as_people_have_them(tmp_path: Path) -> None:
    notes = Image.Exif()
    notes[0x0112] = 8
    file = encoded(picture(5, 6), "JPEG", exif=notes)
    (tmp_path / "a.jpg").write_bytes(file)
    expected = np.asarray(decode_colors(file))
    for value in ({"bytes": file, "path": None}, {"bytes": None, "path": str(tmp_path / "a.jpg")}):
        assert encoded_or_array(value) == file
    opened = Image.open(tmp_path / "a.jpg")
    [row] = image_table([opened]).rows
    np.testing.assert_array_equal(encoded_or_array(row["image"]), expected)


def test_batches_are_changed_anew_in_each_epoch() -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (6, 16, 24, 3), np.uint8)
    processor = ImageProcessor.of_size(**NETWORK)
    order = BatchOrder(np.full(6, 5), 4, shuffle=True, sort=False)
    augmentation = Augmentation(flip=True, crop=2, seed=2**40)
    dataset = make_image_dataset(
        pixels, order, processor, labels=np.arange(6), augmentation=augmentation
    )
    epochs = []
    for _ in range(2):
        found = np.zeros((6, 16, 24, 3), np.float32)
        for inputs, labels in dataset:
            found[labels] = inputs["images"]
        epochs.append(found)
    assert not np.array_equal(*epochs)
    order.epoch = 0
    for inputs, labels in dataset:
        np.testing.assert_array_equal(inputs["images"], epochs[0][labels])
    # Each is a piece of its padded self, turned or not.
    both = np.concatenate([pixels, pixels[:, :, ::-1]])
    padded = processor.normalize(np.pad(both, [(0, 0), (2, 2), (2, 2), (0, 0)])).numpy()
    for place in range(6):
        pieces = [
            padded[at, top : top + 16, left : left + 24]
            for at in (place, place + 6)
            for top in range(5)
            for left in range(5)
        ]
        assert any(np.array_equal(epochs[0][place], piece) for piece in pieces)

"""ImageProcessor: encoded images to what a network reads, as a checkpoint's files say."""

from __future__ import annotations

import functools
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from tfaigc.errors import CheckpointError, ConfigError

if TYPE_CHECKING:
    from typing_extensions import Self

FILE = "preprocessor_config.json"
# What transformers assumes of processors that say nothing, by the family.
_USUAL: dict[str, dict[str, Any]] = {
    "vit": {"size": {"height": 224, "width": 224}, "resample": 2},
    "deit": {
        "size": {"height": 256, "width": 256},
        "resample": 3,
        "do_center_crop": True,
        "crop_size": {"height": 224, "width": 224},
    },
}
_COMMON: dict[str, Any] = {
    "do_resize": True,
    "do_center_crop": False,
    "do_rescale": True,
    "rescale_factor": 1 / 255,
    "do_normalize": True,
    "image_mean": [0.5, 0.5, 0.5],
    "image_std": [0.5, 0.5, 0.5],
}
_CLASSES = {"vit": "ViTImageProcessor", "deit": "DeiTImageProcessor"}


class ImageProcessor:
    """Decodes, resizes, crops and normalizes images in TensorFlow operations.

    It does to the number what the image processors of ``transformers`` do on Pillow before version
    13; later ones, of images that get much lower and less narrower, and those on torchvision round
    otherwise here and there, by a step of 255.

    Args:
        stated: What ``preprocessor_config.json`` says.
        family: The network's ``model_type``.
        image_size: The network's height and width.
        num_channels: Those that the network reads: 3, or 1 for grey.

    Raises:
        ConfigError: It asks for what cannot be honoured, or makes images of another size.
    """

    def __init__(
        self,
        stated: Mapping[str, Any],
        *,
        family: str,
        image_size: tuple[int, int],
        num_channels: int,
    ) -> None:
        self._stated = {
            "image_processor_type": _CLASSES[family],
            **_COMMON,
            **_USUAL[family],
            **{key: value for key, value in stated.items() if value is not None},
        }
        self.image_size = image_size
        self.num_channels = num_channels
        if num_channels not in (1, 3):
            raise ConfigError(
                "num_channels in config.json must be 1 or 3 for images that are read from files. "
                f"Received: {num_channels}. Compute with the Backbone."
            )
        self._check()

    @classmethod
    def of_size(cls, *, family: str, image_size: tuple[int, int], num_channels: int) -> Self:
        """Makes the processor of a network that has none: it resizes, to -1 to 1."""
        height, width = image_size
        half = [0.5] * num_channels
        stated = {
            "size": {"height": height, "width": width},
            "do_center_crop": False,
            "image_mean": half,
            "image_std": half,
        }
        return cls(stated, family=family, image_size=image_size, num_channels=num_channels)

    @classmethod
    def from_directory(cls, directory: Path, **network: Any) -> Self:
        """Reads ``preprocessor_config.json``; without one, see ``of_size``.

        Args:
            directory: A checkpoint.
            **network: What the class takes of the network.

        Raises:
            CheckpointError: The file is broken.
        """
        path = directory / FILE
        if not path.exists():
            return cls.of_size(**network)
        try:
            stated = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise CheckpointError(
                f"{path} cannot be read as JSON: {error}. Save it again."
            ) from error
        if not isinstance(stated, dict):
            raise CheckpointError(f"{path} must hold a JSON object. Save it again.")
        return cls(stated, **network)

    def save_pretrained(self, directory: str | Path) -> None:
        """Writes ``preprocessor_config.json``."""
        Path(directory).mkdir(parents=True, exist_ok=True)
        text = json.dumps(self._stated, indent=2, ensure_ascii=False)
        (Path(directory) / FILE).write_text(text + "\n", encoding="utf-8")

    @property
    def shape(self) -> tuple[int, int, int]:
        """Height, width and channels of what ``pixels`` returns."""
        return (*self.image_size, self.num_channels)

    def decode(self, encoded: Any) -> Any:
        """Decodes one image inside a graph; see ``decode_colors``.

        Args:
            encoded: string, ().

        Returns:
            uint8, (height, width, channels).
        """
        from tfaigc.data.images.encoded import decode_colors

        return self._with_channels(decode_colors(encoded))

    def pixels(self, image: Any) -> Any:
        """Resizes and crops one image inside a graph.

        Args:
            image: uint8, (height, width, channels).

        Returns:
            uint8, ``shape``.
        """
        import tensorflow as tf

        from tfaigc.data.images.resizing import resize

        if self._stated["do_resize"]:
            height, width = self._new_size(tf.shape(image)[0], tf.shape(image)[1])
            image = resize(image, height, width, resample=int(self._stated["resample"]))
        if self._stated["do_center_crop"]:
            height, width = self._pair("crop_size")
            top = (tf.shape(image)[0] - height) // 2
            left = (tf.shape(image)[1] - width) // 2
            image = image[top : top + height, left : left + width]
        return tf.ensure_shape(self._with_channels(image), self.shape)

    @functools.cached_property
    def read_encoded(self) -> Any:
        """Takes one encoded image, string, (), to uint8, ``shape``; traced once."""
        import tensorflow as tf

        return tf.function(
            lambda encoded: self.pixels(self.decode(encoded)),
            input_signature=[tf.TensorSpec((), tf.string)],
        )

    @functools.cached_property
    def read_array(self) -> dict[int, Any]:
        """What does the same of arrays, by their number of channels."""
        import tensorflow as tf

        specs = {channels: tf.TensorSpec((None, None, channels), tf.uint8) for channels in (1, 3)}
        return {
            channels: tf.function(self.pixels, input_signature=[spec])
            for channels, spec in specs.items()
        }

    def normalize(self, pixels: Any) -> Any:
        """Takes pixels, uint8, (batch, *shape), to a network's inputs, float32."""
        import tensorflow as tf

        images = tf.cast(pixels, tf.float64)
        if self._stated["do_rescale"]:
            images *= float(self._stated["rescale_factor"])
        images = tf.cast(images, tf.float32)
        if self._stated["do_normalize"]:
            images = (images - self._by_channel("image_mean")) / self._by_channel("image_std")
        return images

    def in_graph(self, encoded: Any) -> Any:
        """Takes encoded images, string, (batch,), to inputs, float32, (batch, *shape)."""
        import tensorflow as tf

        pixels = tf.map_fn(
            lambda each: self.pixels(self.decode(each)),
            tf.convert_to_tensor(encoded),
            fn_output_signature=tf.TensorSpec(self.shape, tf.uint8),
        )
        return self.normalize(pixels)

    def _with_channels(self, image: Any) -> Any:
        import tensorflow as tf

        found = image.shape[-1]
        if found == self.num_channels:
            return image
        if found == 1:
            return tf.repeat(image, 3, axis=-1)
        # Pillow's luma, in whole numbers (ITU-R BT.601).
        weights = tf.constant([19595, 38470, 7471])
        luma = tf.reduce_sum(tf.cast(image, tf.int32) * weights, axis=-1, keepdims=True)
        return tf.cast((luma + 0x8000) // 0x10000, tf.uint8)

    def _by_channel(self, key: str) -> np.ndarray:
        return np.broadcast_to(np.asarray(self._stated[key], np.float32), (self.num_channels,))

    def _pair(self, key: str) -> tuple[int, int]:
        """Reads a height and a width, which may be one number."""
        value = self._stated[key]
        if isinstance(value, int):
            return value, value
        if isinstance(value, Sequence) and len(value) == 2:
            return int(value[0]), int(value[1])
        return int(value["height"]), int(value["width"])

    @property
    def _shortest_edge(self) -> int | None:
        size = self._stated["size"]
        return size.get("shortest_edge") if isinstance(size, Mapping) else None

    def _new_size(self, height: Any, width: Any) -> tuple[Any, Any]:
        import tensorflow as tf

        edge = self._shortest_edge
        if edge is None:
            return self._pair("size")
        longer = edge * tf.maximum(height, width) // tf.minimum(height, width)
        return tf.where(height <= width, edge, longer), tf.where(height <= width, longer, edge)

    def _check(self) -> None:
        """Refuses what is not computed here, and other sizes than the network's."""
        from tfaigc.data.images.resizing import KERNELS

        stated = self._stated
        if stated["do_resize"] and stated["resample"] not in KERNELS:
            raise ConfigError(
                f"resample in {FILE} must be one of {sorted(KERNELS)}: bilinear or bicubic. "
                f"Received: {stated['resample']!r}. Correct it, or resize images beforehand."
            )
        if stated.get("do_pad"):
            raise ConfigError(f"do_pad in {FILE} must be false. Received: true. Correct it.")
        try:
            resized = None if self._shortest_edge else self._pair("size")
            made = self._pair("crop_size") if stated["do_center_crop"] else resized
            fits = resized is None or (made is not None and _is_within(made, resized))
            if self._shortest_edge and made is not None:
                fits = max(made) <= self._shortest_edge
            means = [len(self._by_channel(key)) for key in ("image_mean", "image_std")]
        except (KeyError, TypeError, ValueError) as error:
            raise ConfigError(
                f"size, crop_size, image_mean and image_std in {FILE} must be numbers: a height "
                f"and a width, and one for each channel. Received: {error!s:.100}. Correct it."
            ) from error
        if made != tuple(self.image_size) or not fits or not means:
            raise ConfigError(
                f"{FILE} must make images of the network's size, {self.image_size}. Received: "
                f"size {stated['size']!r}, crop_size {stated.get('crop_size')!r}. Correct it."
            )


def _is_within(inner: tuple[int, int], outer: tuple[int, int]) -> bool:
    return inner[0] <= outer[0] and inner[1] <= outer[1]

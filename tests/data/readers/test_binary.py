"""Parquet, TFRecord, ``tf.data.Dataset`` and TFDS: what was written is what is read."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow
import pyarrow.parquet
import pytest
import tensorflow as tf
import tensorflow_datasets as tfds

from tfaigc.data import read_records
from tfaigc.errors import DataError

ROWS = [
    {"text": "Schön.", "label": 1, "words": ["a", "b"], "score": 0.5},
    {"text": "", "label": 0, "words": ["c"], "score": None},
]


def test_parquet(tmp_path: Path) -> None:
    path = tmp_path / "rows.parquet"
    pyarrow.parquet.write_table(pyarrow.Table.from_pylist(ROWS), path)
    table = read_records(path, columns={"text_pair": "text"})
    assert table.column("text_pair") == ["Schön.", ""]
    assert [row["words"] for row in table.rows] == [["a", "b"], ["c"]]
    encoded = pyarrow.Table.from_pylist([{"text": "Schön.".encode(), "raw": [b"\xff", b"a"]}])
    pyarrow.parquet.write_table(encoded, tmp_path / "bytes.parquet")
    assert read_records(tmp_path / "bytes.parquet").rows == [
        {"text": "Schön.", "raw": [b"\xff", "a"]}
    ]
    assert table.location(1) == f"{path}, row 2"
    path.write_bytes(path.read_bytes()[:-9])
    with pytest.raises(DataError, match=r"rows\.parquet must be a whole Parquet file"):
        read_records(path)


def feature(value: Any) -> tf.train.Feature:
    values = value if isinstance(value, list) else [] if value is None else [value]
    if values and isinstance(values[0], float):
        return tf.train.Feature(float_list=tf.train.FloatList(value=values))
    if values and isinstance(values[0], int):
        return tf.train.Feature(int64_list=tf.train.Int64List(value=values))
    encoded = [each if isinstance(each, bytes) else each.encode() for each in values]
    return tf.train.Feature(bytes_list=tf.train.BytesList(value=encoded))


@pytest.mark.parametrize("compression", ["", "GZIP"])
def test_tfrecord(compression: str, tmp_path: Path) -> None:
    path = tmp_path / "rows.tfrecord"
    with tf.io.TFRecordWriter(str(path), tf.io.TFRecordOptions(compression)) as writer:
        for row in ROWS:
            features = {name: feature(value) for name, value in {**row, "raw": b"\xff"}.items()}
            example = tf.train.Example(features=tf.train.Features(feature=features))
            writer.write(example.SerializeToString())
        writer.write(b"\xff\xff no example")
    table = read_records(path, max_invalid_share=0.5)
    assert table.rows == [{**row, "raw": b"\xff"} for row in ROWS]
    assert "record 3" in table.rejected[0].location
    with pytest.raises(DataError, match=r"record 3: must be a serialized tf\.Example"):
        read_records(path)
    path.write_bytes(path.read_bytes()[:-3])
    with pytest.raises(DataError, match=r"must be a whole TFRecord file|record 3"):
        read_records(path)


def test_tf_dataset() -> None:
    images = np.arange(12).reshape(2, 2, 3)
    columns = {"text": ["Schön.", ""], "label": [1, 0], "words": [["a", "b"], ["c", "d"]]}
    dataset = tf.data.Dataset.from_tensor_slices({**columns, "image": images})
    table = read_records(dataset)
    assert table.column("words") == columns["words"]
    assert table.column("label") == columns["label"]
    np.testing.assert_array_equal(table.rows[1]["image"], images[1])
    assert table.location(1) == "tf.data.Dataset, element 1"
    with pytest.raises(DataError, match="dicts as elements"):
        read_records(tf.data.Dataset.from_tensor_slices(["a"]))


class TinyTaggedTexts(tfds.core.GeneratorBasedBuilder):  # type: ignore[misc]
    """Four sentences, with a class and tags."""

    VERSION = tfds.core.Version("1.0.0")

    def _info(self) -> Any:
        features = {
            "tokens": tfds.features.Sequence(tfds.features.Text()),
            "ner": tfds.features.Sequence(tfds.features.ClassLabel(names=["O", "B-PER"])),
            "label": tfds.features.ClassLabel(names=["dull", "fine"]),
            "answers": tfds.features.Sequence({"text": tfds.features.Text(), "start": np.int32}),
        }
        return self.dataset_info_from_configs(features=tfds.features.FeaturesDict(features))

    def _split_generators(self, _: Any) -> dict[str, Any]:
        return {"train": self._generate_examples(3), "test": self._generate_examples(1)}

    def _generate_examples(self, count: int) -> Iterator[tuple[int, dict[str, Any]]]:
        for number in range(count):
            yield (
                number,
                {
                    "tokens": ["Ada", "läuft"],
                    "ner": ["B-PER", "O"],
                    "label": "fine",
                    "answers": [{"text": "Ada", "start": 0}],
                },
            )


def test_tfds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tensorflow_datasets.core.constants.DATA_DIR", str(tmp_path))
    table = read_records("tiny_tagged_texts", columns={"words": "tokens", "tags": "ner"})
    assert len(table) == 3
    assert table.rows[0] == {
        "words": ["Ada", "läuft"],
        "tags": ["B-PER", "O"],
        "label": "fine",
        "answers": {"text": ["Ada"], "start": [0]},
    }
    assert len(read_records("tiny_tagged_texts[test]")) == 1
    assert len(read_records("tiny_tagged_texts[train[:2]]")) == 2
    with pytest.raises(DataError, match=r"splits train, test\. Received: dev"):
        read_records("tiny_tagged_texts[dev]")
    with pytest.raises(DataError, match="tiny_tagged_text must be an existing file"):
        read_records("tiny_tagged_text")


@pytest.mark.parametrize(
    ("name", "column", "kind"),
    [
        ("imdb_reviews", "label", str),
        ("conll2003[test]", "ner", list),
        ("squad[validation]", "answers", dict),
        ("glue/mrpc", "sentence2", str),
    ],
)
def test_published_names(name: str, column: str, kind: type) -> None:
    with tfds.testing.mock_data(num_examples=2):
        table = read_records(name)
    assert len(table) == 2
    assert isinstance(table.rows[0][column], kind)

"""What images are: of one class each."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from tfaigc.data import Table
from tfaigc.data.images import check_labelled_images
from tfaigc.workflows.targets import OneClass, Targets


class OneClassOfImages(OneClass):
    """A class in ``label``, of an ``image``."""

    columns: ClassVar[tuple[str, ...]] = ("image", "text", "label")

    def read(
        self, table: Table, *, names: Sequence[str] | None, max_invalid_share: float
    ) -> tuple[Table, Targets]:
        """Reads class numbers, int32, (records,)."""
        kept, encoded = check_labelled_images(
            table, labels=names, max_invalid_share=max_invalid_share
        )
        return kept, Targets(encoded.ids, encoded.names)

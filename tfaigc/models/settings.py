"""The settings of bricks that only some families have."""

from __future__ import annotations

from dataclasses import dataclass

from tfaigc.errors import ConfigError


@dataclass(frozen=True, kw_only=True)
class DisentangledSettings:
    """How attention looks at contents and distances apart (He et al., arXiv:2006.03654).

    Args:
        terms: Which of ``"c2p"`` and ``"p2c"`` scores consist of, besides content to content.
        has_table: Whether there are vectors for distances at all; without them scores are only
            scaled as if there were.
        num_buckets: Buckets of distances in each direction; 0: each distance has its own.
        max_distance: From this distance on, all distances share a bucket.
        shared: Whether distances are projected as contents are.
        norm: Whether the vectors are normed.

    Raises:
        ConfigError: There are too few distances for the buckets.
    """

    terms: tuple[str, ...]
    has_table: bool
    num_buckets: int
    max_distance: int
    shared: bool
    norm: bool

    def __post_init__(self) -> None:
        """Checks that far distances can be told from near ones."""
        near = self.num_buckets // 2
        if self.has_table and self.num_buckets and not 0 < near < self.max_distance - 1:
            raise ConfigError(
                "Half of the buckets of distances must be at least 1 and less than max_distance "
                f"- 1. Received: num_buckets={self.num_buckets}, max_distance={self.max_distance}."
            )


@dataclass(frozen=True, kw_only=True)
class ImageSettings:
    """How an encoder of images cuts them up.

    Args:
        image_size: Height and width of an image, in pixels.
        patch_size: Height and width of a patch, in pixels.
        num_channels: Channels of an image.
        distilled: Whether a second row of its own stands before the patches.

    Raises:
        ConfigError: A patch is larger than an image.
    """

    image_size: tuple[int, int]
    patch_size: tuple[int, int]
    num_channels: int
    distilled: bool = False

    def __post_init__(self) -> None:
        """Checks that there are patches."""
        if self.num_patches < 1 or self.num_channels < 1:
            raise ConfigError(
                "An image must have at least one patch and one channel. Received: "
                f"image_size={self.image_size}, patch_size={self.patch_size}, "
                f"num_channels={self.num_channels}."
            )

    @property
    def num_patches(self) -> int:
        """Patches of an image; what does not fill one is left out."""
        rows, columns = (
            size // patch for size, patch in zip(self.image_size, self.patch_size, strict=True)
        )
        return rows * columns

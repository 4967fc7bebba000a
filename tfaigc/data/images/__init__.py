"""Images: reading, decoding, resizing and normalizing them, and batches of them."""

from tfaigc.data.images.checks import check_images, check_labelled_images, image_table
from tfaigc.data.images.processor import ImageProcessor

__all__ = ["ImageProcessor", "check_images", "check_labelled_images", "image_table"]

"""Weight files to named arrays, and back."""

from tfaigc.checkpoints.readers import open_weights
from tfaigc.checkpoints.weight_file import WeightFile
from tfaigc.checkpoints.writer import write_weights

__all__ = ["WeightFile", "open_weights", "write_weights"]

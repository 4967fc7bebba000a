"""Weight files to named arrays, and back."""

from tfaigc.checkpoints.readers import open_weights, read_gguf_config
from tfaigc.checkpoints.weight_file import WeightFile
from tfaigc.checkpoints.writer import write_weights

__all__ = ["WeightFile", "open_weights", "read_gguf_config", "write_weights"]

"""Tokenizers: the Rust one for training, the same spec compiled to TensorFlow for serving."""

from tfaigc.tokenizers.encoded_texts import EncodedTexts
from tfaigc.tokenizers.tokenizer import Tokenizer

__all__ = ["EncodedTexts", "Tokenizer"]

"""Tokenizers: the Rust one for training, the same spec compiled to TensorFlow for serving."""

from tfaigc.tokenizers.tokenizer import EncodedTexts, Tokenizer

__all__ = ["EncodedTexts", "Tokenizer"]

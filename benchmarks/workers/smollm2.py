"""SmolLM2 in Hugging Face layout, out of the one GGUF file that packages carry."""

from __future__ import annotations

import json
import shutil
import tempfile
from pathlib import Path

import tfaigc


def convert(file: Path, directory: Path) -> None:
    """Writes weights, configuration and tokenizer as every contender loads them.

    Args:
        file: The GGUF file.
        directory: Where to; made if need be.
    """
    with tempfile.TemporaryDirectory() as scratch:
        whole = Path(scratch)
        shutil.copy(file, whole)
        _write_tokenizer(file, whole)
        tfaigc.CausalLM.from_pretrained(whole).save_pretrained(directory)


def _write_tokenizer(file: Path, directory: Path) -> None:
    """Writes ``tokenizer.json`` and its configuration.

    GGUF keeps the vocabulary and the merges; how texts are split before is what SmolLM2's own
    file says: digits one by one, then GPT-2's words.
    """
    from gguf import GGUFReader, TokenType
    from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers

    fields = GGUFReader(file).fields

    def read(name: str) -> list[object]:
        found: list[object] = fields[f"tokenizer.ggml.{name}"].contents()
        return found

    tokens = [str(token) for token in read("tokens")]
    merges = [tuple(str(merge).split(" ")) for merge in read("merges")]
    vocabulary = {token: number for number, token in enumerate(tokens)}
    tokenizer = Tokenizer(models.BPE(vocab=vocabulary, merges=merges))
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(False)]
    )
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens(
        [
            AddedToken(token, special=True, normalized=False)
            for token, kind in zip(tokens, read("token_type"), strict=True)
            if kind == TokenType.CONTROL
        ]
    )
    tokenizer.save(str(directory / "tokenizer.json"))
    end = tokens[int(str(read("eos_token_id")))]
    settings = {"tokenizer_class": "PreTrainedTokenizerFast", "eos_token": end, "pad_token": end}
    (directory / "tokenizer_config.json").write_text(json.dumps(settings), encoding="utf-8")

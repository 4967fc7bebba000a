"""What each token stands for inside a text, so that texts can be written token by token."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from tfaigc.errors import TokenizerError
from tfaigc.tokenizers import byte_level

Piece = Callable[[str], bytes]

_BYTE = re.compile("<0x([0-9A-F]{2})>")


def token_pieces(
    spec: Mapping[str, Any], tokens: Mapping[str, int], *, hidden: tuple[int, ...], size: int
) -> list[bytes]:
    """Lists the bytes of each token behind other tokens.

    Joined, those of a text's tokens are the text, but for what a decoder leaves out before its
    first token. Characters that lie in several tokens are whole in the joined bytes alone.

    Args:
        spec: tokenizer.json, parsed, every option explicit.
        tokens: Ids by token, added ones included.
        hidden: Ids of special tokens, which stand for nothing.
        size: The vocabulary's size.

    Returns:
        The bytes by id.

    Raises:
        TokenizerError: The decoder is of a kind that does more than to put tokens together.

    Example:
        >>> spec = {"decoder": {"type": "WordPiece", "prefix": "##", "cleanup": False}}
        >>> token_pieces(spec, {"a": 0, "##b": 1, "[SEP]": 2}, hidden=(2,), size=3)
        [b' a', b'b', b'']
    """
    pieces = [b""] * size
    read = _reader(spec.get("decoder"))
    for token, index in tokens.items():
        if index not in hidden:
            pieces[index] = read(token)
    return pieces


def first_pieces(
    spec: Mapping[str, Any], tokens: Mapping[str, int], pieces: Sequence[bytes]
) -> list[bytes]:
    """Lists the bytes of each token at the beginning of a text.

    Args:
        spec: tokenizer.json, parsed, every option explicit.
        tokens: Ids by token, added ones included.
        pieces: What ``token_pieces`` returned.

    Returns:
        The bytes by id.

    Example:
        >>> spec = {"decoder": {"type": "WordPiece", "prefix": "##", "cleanup": False}}
        >>> first_pieces(spec, {"a": 0, "##b": 1}, [b" a", b"b"])
        [b'a', b'##b']
    """
    found = list(pieces)
    decoder = spec["decoder"]
    for step in decoder["decoders"] if decoder["type"] == "Sequence" else [decoder]:
        if step["type"] == "Strip":
            cut = step["content"].encode()
            for _ in range(step["start"]):
                found = [piece.removeprefix(cut) for piece in found]
        left_out = ""
        if step["type"] == "Metaspace" and step["prepend_scheme"] != "never":
            left_out = step["replacement"]
        if left_out or step["type"] == "WordPiece":
            for token, index in tokens.items():
                found[index] = token.replace(left_out, "").encode() if pieces[index] else b""
    return found


def _reader(decoder: Mapping[str, Any] | None) -> Piece:
    steps = [decoder] if decoder is not None else []
    if decoder is not None and decoder["type"] == "Sequence":
        steps = decoder["decoders"]
    builders = [_BUILDERS.get(step["type"]) for step in steps]
    if not steps or None in builders:
        kinds = ", ".join(str(step["type"]) for step in steps) or "none"
        raise TokenizerError(
            f"Texts can be written with a decoder of the types {', '.join(_BUILDERS)}. "
            f"Received: {kinds}. Take a checkpoint with another tokenizer."
        )
    if steps[-1]["type"] == "ByteLevel":
        # The alphabet of bytes takes all the characters of a token, and must come last.
        *steps, _ = steps
        inner = [_BUILDERS[step["type"]](step) for step in steps]
        return lambda token: _as_bytes(_through(inner, token))
    inner = [builder(step) for builder, step in zip(builders, steps, strict=True) if builder]
    falls_back = any(step["type"] == "ByteFallback" for step in steps)

    def read(token: str) -> bytes:
        byte = _BYTE.fullmatch(token) if falls_back else None
        return bytes([int(byte[1], 16)]) if byte else _through(inner, token).encode()

    return read


def _through(steps: list[Callable[[str], str]], token: str) -> str:
    for step in steps:
        token = step(token)
    return token


def _as_bytes(token: str) -> bytes:
    found = byte_level.read(token)
    return token.encode() if found is None else found


def _replace(step: Mapping[str, Any]) -> Callable[[str], str]:
    pattern, content = step["pattern"], step["content"]
    if "String" not in pattern:
        raise TokenizerError(
            "A decoder that replaces must replace a string, so that texts can be written. "
            f"Received: {pattern}. Take a checkpoint with another tokenizer."
        )
    return lambda token: token.replace(pattern["String"], content)


def _wordpiece(step: Mapping[str, Any]) -> Callable[[str], str]:
    prefix = step["prefix"]
    if step.get("cleanup"):
        raise TokenizerError(
            "A WordPiece decoder must not clean spaces up, so that texts can be written. "
            "Received: cleanup=true. Take a checkpoint with another tokenizer."
        )
    return lambda token: token[len(prefix) :] if token.startswith(prefix) else f" {token}"


def _same(step: Mapping[str, Any]) -> Callable[[str], str]:
    return lambda token: token


_BUILDERS: Mapping[str, Callable[[Mapping[str, Any]], Callable[[str], str]]] = {
    "ByteLevel": _same,
    "Metaspace": lambda step: lambda token: token.replace(step["replacement"], " "),
    "Replace": _replace,
    "BPEDecoder": lambda step: lambda token: token.replace(step["suffix"], " "),
    "WordPiece": _wordpiece,
    "ByteFallback": _same,
    "Fuse": _same,
    # What it cuts off is at the edges of a whole text.
    "Strip": _same,
}

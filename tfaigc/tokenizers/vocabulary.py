"""What a tokenizer says about its tokens."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Any

from tfaigc.errors import TokenizerError

# tokenizer_config.json says 1e30 where there is no limit.
_NO_LIMIT = 10**9
_NAMED = ("pad", "bos", "eos", "sep")


class Vocabulary:
    """The tokens of a tokenizer, by name and number.

    Args:
        rust: The Rust tokenizer.
        config: tokenizer_config.json, parsed; may be empty.
    """

    spec: dict[str, Any]

    def __init__(self, rust: Any, config: dict[str, Any]) -> None:
        self._rust = rust
        self.config = config

    @cached_property
    def vocabulary_size(self) -> int:
        """One more than the largest id, added tokens included."""
        return max(self._rust.get_vocab(with_added_tokens=True).values(), default=-1) + 1

    @property
    def model_max_length(self) -> int | None:
        """The most tokens that tokenizer_config.json allows, or None where it states no limit."""
        limit = self.config.get("model_max_length")
        if not isinstance(limit, (int, float)) or limit >= _NO_LIMIT:
            return None
        return int(limit)

    @cached_property
    def pad_token_id(self) -> int | None:
        """The padding token's id, or None where the checkpoint has none."""
        return self._named_id("pad_token", "[PAD]", "<pad>")

    @cached_property
    def unknown_token_id(self) -> int | None:
        """The id of what the vocabulary lacks, or None where it can spell anything."""
        model = self.spec["model"]
        if model.get("unk_id") is not None:
            return int(model["unk_id"])
        token = model.get("unk_token")
        return self._rust.token_to_id(token) if token else None

    @cached_property
    def mask_token_id(self) -> int | None:
        """The mask's id, or None where the checkpoint has none."""
        return self._named_id("mask_token", "[MASK]", "<mask>")

    @cached_property
    def cls_token_id(self) -> int | None:
        """The id of the token that stands for a text, or None where the checkpoint has none."""
        return self._named_id("cls_token", "[CLS]", "<cls>")

    @cached_property
    def bos_token_id(self) -> int | None:
        """The id of the token that texts begin with, or None where the checkpoint has none."""
        return self._named_id("bos_token")

    @cached_property
    def eos_token_id(self) -> int | None:
        """The id of the token that ends a text, or None where the checkpoint has none."""
        return self._named_id("eos_token")

    @cached_property
    def named_ids(self) -> dict[str, int]:
        """The ids of the special tokens that ``config.json`` names too."""
        found = {f"{name}_token_id": self._named_id(f"{name}_token") for name in _NAMED}
        return {name: token for name, token in found.items() if token is not None}

    @cached_property
    def special_token_ids(self) -> tuple[int, ...]:
        """The ids of special tokens, which decoding leaves out."""
        added = self._rust.get_added_tokens_decoder()
        return tuple(sorted(index for index, token in added.items() if token.special))

    @cached_property
    def affixes(self) -> tuple[int, int]:
        """How many special tokens `encode` puts before a text, and how many behind it."""
        added = self._rust.encode("a").special_tokens_mask
        before = added.index(0)
        return before, self.num_special_tokens() - before

    @cached_property
    def pair_affixes(self) -> tuple[int, int]:
        """How many special tokens `encode` puts before the second text of a pair, and behind it.

        Raises:
            TokenizerError: The second text does not stand behind the first.
        """
        if self._rust.post_processor is None:
            return 0, 0
        # By itself, for the tokenizer may have been told to cut texts.
        texts = [self._rust.encode("a", add_special_tokens=False) for _ in range(2)]
        joined = self._rust.post_processor.process(*texts)
        places = [at for at, added in enumerate(joined.special_tokens_mask) if not added]
        first = places[len(texts[0])]
        if 1 not in joined.sequence_ids or joined.sequence_ids.index(1) != first:
            raise TokenizerError(
                "The second text of a pair must stand behind the first. Received: a tokenizer.json "
                "that puts it elsewhere. Correct its post_processor."
            )
        return first - len(texts[0]), len(joined) - 1 - places[-1]

    @cached_property
    def pieces(self) -> list[bytes]:
        """What each token stands for inside a text, by id; see ``pieces.token_pieces``.

        Raises:
            TokenizerError: The decoder does more than to put tokens together.
        """
        from tfaigc.tokenizers.pieces import token_pieces

        return token_pieces(
            self.spec,
            self._rust.get_vocab(with_added_tokens=True),
            hidden=self.special_token_ids,
            size=self.vocabulary_size,
        )

    @cached_property
    def first_pieces(self) -> list[bytes]:
        """What each token stands for where a text begins, by id; see ``pieces``."""
        from tfaigc.tokenizers.pieces import first_pieces

        return first_pieces(self.spec, self._rust.get_vocab(with_added_tokens=True), self.pieces)

    def token_id(self, token: str) -> int | None:
        """Looks a token up.

        Args:
            token: The token, as the vocabulary or the added tokens have it.

        Returns:
            Its id, or None where there is no such token.
        """
        found: int | None = self._rust.token_to_id(token)
        return found

    def token(self, token_id: int) -> str:
        """Returns a token as the vocabulary or the added tokens have it."""
        found: str = self._rust.id_to_token(token_id)
        return found

    def token_texts(self) -> list[str]:
        """Returns what each token stands for alone, special tokens included, by id."""
        rows = [[token_id] for token_id in range(self.vocabulary_size)]
        texts: list[str] = self._rust.decode_batch(rows, skip_special_tokens=False)
        return texts

    def _named_id(self, name: str, *usual: str) -> int | None:
        """Finds the token that tokenizer_config.json calls so, or else one that usually is."""
        candidates = (_content(self.config.get(name)), *usual)
        found = (self.token_id(token) for token in candidates if token)
        return next((token for token in found if token is not None), None)

    def num_special_tokens(self, *, pair: bool = False) -> int:
        """Counts the special tokens that `encode` adds.

        Args:
            pair: Whether texts come in pairs.

        Returns:
            The number of added tokens.
        """
        added: int = self._rust.num_special_tokens_to_add(pair)
        return added


def _content(token: Any) -> str | None:
    """Reads a special token of tokenizer_config.json, which is a string or an object."""
    content = token.get("content") if isinstance(token, Mapping) else token
    return content if isinstance(content, str) else None

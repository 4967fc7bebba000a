"""Texts with spans left out, as an encoder-decoder is pretrained on them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tfaigc.data import (
    SENTINELS,
    Noise,
    SpanCorruption,
    Table,
    TeacherForcing,
    cut_windows,
    tokenize_cached,
)
from tfaigc.errors import ConfigError
from tfaigc.tasks.examples import Examples
from tfaigc.tokenizers import Tokenizer


@dataclass(frozen=True)
class SpanEncoder:
    """Takes records to examples whose spans an encoder-decoder is to write.

    Args:
        tokenizer: The checkpoint's.
        noise: How much is left out.
        teach: Lays texts out for the network.
    """

    tokenizer: Tokenizer
    noise: Noise
    teach: TeacherForcing

    def examples(self, table: Table, *, cache: bool, seed: int, by_epoch: bool) -> Examples:
        """Tokenizes a table's texts, long ones as several examples.

        Args:
            table: Records with a ``source``.
            cache: Whether token ids are kept for the next run.
            seed: Of what is left out.
            by_epoch: Whether epochs differ in it.

        Raises:
            ConfigError: The tokenizer has too few tokens that stand for spans, or texts would be
                too short.
        """
        texts = [str(text) for text in table.column("source")]
        encoded = tokenize_cached(self.tokenizer, texts, max_length=None, enabled=cache)
        before, behind = affixes = self.tokenizer.affixes
        room = (self.teach.max_length - before - behind, self.teach.max_target_length - behind)
        longest = self.noise.longest(source=room[0], target=room[1])
        windows = cut_windows(encoded, max_length=longest + before + behind, affixes=affixes)[0]
        lengths = np.diff(windows.row_splits) - before - behind
        corruption = SpanCorruption(
            self.noise,
            self._sentinels(int(lengths.max())),
            affixes,
            self.teach,
            seed=seed,
            by_epoch=by_epoch,
        )
        written = sum(self.noise.lengths(int(length))[1] + behind for length in lengths)
        return Examples(windows, {"prepare": corruption}, float(written))

    def _sentinels(self, longest: int) -> np.ndarray:
        """Looks up the tokens that stand for the spans of texts."""
        found = [self.tokenizer.token_id(token) for token in SENTINELS]
        known = [token for token in found if token is not None]
        spans = self.noise.count(longest)[1]
        if len(known) < spans:
            raise ConfigError(
                f"The tokenizer must have {spans} tokens that stand for spans, {SENTINELS[0]} and "
                f"so on. Received: one with {len(known)}. Train one with "
                "special_tokens=tfaigc.data.SENTINELS, or pass a smaller max_length."
            )
        return np.asarray(known, np.int32)

"""Spans that are left out of texts: as many, as long, and in the order of T5's own procedure."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
import pytest

from tfaigc.data import Noise, SpanCorruption, TeacherForcing
from tfaigc.errors import ConfigError

END, FIRST = 1, 900
SENTINELS = np.arange(FIRST, FIRST + 50, dtype=np.int32)


def usual_counts(length: int, density: float, mean: float) -> tuple[int, int]:
    """Tokens and spans, as the example of `transformers` that pretrains T5 counts them."""
    tokens = min(max(int(np.round(length * density)), 1), length - 1)
    return tokens, max(int(np.round(tokens / mean)), 1)


def corrupt(texts: list[list[int]], *, seed: int = 0, epoch: int = 0, **noise: float) -> Any:
    """Runs texts through as a batch; gives the rows without their padding."""
    width = max(map(len, texts)) + 1
    token_ids = np.zeros((len(texts), width), np.int32)
    for row, text in enumerate(texts):
        token_ids[row, : len(text) + 1] = [*text, END]
    teach = TeacherForcing(start=0, pad_token_id=0, max_length=600, max_target_length=600)
    made = SpanCorruption(Noise(**noise), SENTINELS, (0, 1), teach, seed=seed)
    mask = (token_ids > 0).astype(np.int32)
    inputs, targets = made({"token_ids": token_ids, "padding_mask": mask}, epoch=epoch, step=3)
    sources = [
        ids[seen == 1].tolist()
        for ids, seen in zip(
            inputs["encoder_token_ids"], inputs["encoder_padding_mask"], strict=True
        )
    ]
    return inputs, sources, [row[row >= 0].tolist() for row in targets]


def put_back(source: list[int], target: list[int]) -> list[int]:
    """Puts each span back where its sentinel stands."""
    spans: dict[int, list[int]] = {}
    for token in target[:-1]:
        if token >= FIRST:
            spans[token] = []
        else:
            spans[next(reversed(spans))].append(token)
    return [each for token in source for each in spans.get(token, [token])]


@pytest.mark.parametrize(("density", "mean"), [(0.15, 3.0), (0.3, 2.0), (0.1, 5.0)])
def test_nothing_is_lost_and_all_is_counted_as_usual(density: float, mean: float) -> None:
    texts = [list(range(10, 10 + length)) for length in range(2, 300, 7)]
    _, sources, targets = corrupt(texts, density=density, mean_span_length=mean)
    for text, source, target in zip(texts, sources, targets, strict=True):
        assert put_back(source, target) == [*text, END]
        tokens, spans = usual_counts(len(text), density, mean)
        assert len(source) == len(text) - tokens + spans + 1
        assert len(target) == tokens + spans + 1
        # Sentinels stand in their order in both, and a text begins with what stays.
        expected = SENTINELS[:spans].tolist()
        assert [token for token in source if token >= FIRST] == expected
        assert [token for token in target if token >= FIRST] == expected
        assert source[0] == text[0]
        assert target[0] == FIRST
        assert source[-1] == target[-1] == END


def test_all_ways_to_cut_are_equally_likely() -> None:
    _, sources, _ = corrupt([list(range(10, 18))] * 6000, density=0.5, mean_span_length=2.0)
    # Four tokens stay and four go, either in two spans: three ways each.
    found = Counter(map(tuple, sources))
    assert len(found) == 9
    assert min(found.values()) / 6000 == pytest.approx(1 / 9, abs=0.02)


def test_what_is_left_out_is_drawn_anew_and_again() -> None:
    texts = [list(range(10, 110))] * 2
    first, second = (corrupt(texts, epoch=epoch)[1] for epoch in (0, 1))
    assert first != second
    assert first[0] != first[1]
    assert corrupt(texts, epoch=1)[1] == second
    assert corrupt(texts, seed=1)[1] != first


def test_short_texts_and_what_the_decoder_sees() -> None:
    inputs, sources, targets = corrupt([[], [10], [10, 11]])
    # As in T5, a single token counts as the first of two, of which the second goes.
    assert sources == [[END], [10, END], [10, FIRST, END]]
    assert targets == [[END], [FIRST, END], [FIRST, 11, END]]
    np.testing.assert_array_equal(inputs["decoder_token_ids"][2, :3], [0, FIRST, 11])


def test_lengths_are_those_that_t5_trains_with() -> None:
    # 512 tokens and 114, with the ends of both.
    assert Noise().longest(source=511, target=2**30) == 568
    assert Noise().lengths(568) == (511, 113)
    for noise in ({"density": 1.0}, {"density": 0.0}, {"mean_span_length": 0.5}):
        with pytest.raises(ConfigError, match="noise_density must be above 0 and below 1"):
            Noise(**noise)

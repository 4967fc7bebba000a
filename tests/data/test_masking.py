"""What is hidden of a batch: how much, by words, and the same again."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tfaigc.data import EncodedTexts, FoundMasks, Masking, cut_windows
from tfaigc.errors import ConfigError

MASK, SPECIAL, SIZE = 4, 5, 100
IS_SPECIAL = np.arange(SIZE) < SPECIAL


def batch(rows: int = 64, length: int = 64) -> dict[str, Any]:
    """Texts of ordinary tokens between two special ones, the second half of them shorter."""
    token_ids = np.random.default_rng(0).integers(SPECIAL, SIZE, (rows, length)).astype("int32")
    mask = np.ones_like(token_ids)
    mask[rows // 2 :, length // 2 :] = 0
    token_ids[:, 0] = token_ids[:, length // 2 - 1] = 1
    return {"token_ids": token_ids, "padding_mask": mask}


def test_shares_are_those_of_the_paper() -> None:
    inputs = batch()
    hidden, targets = Masking(MASK, IS_SPECIAL, probability=0.2)(inputs, epoch=0, step=0)
    real = targets >= 0
    positions = hidden["positions"]
    before, after = (
        np.take_along_axis(each["token_ids"], positions, axis=1)[real] for each in (inputs, hidden)
    )
    np.testing.assert_array_equal(targets[real], before)
    assert not IS_SPECIAL[before].any()
    assert np.take_along_axis(inputs["padding_mask"], positions, axis=1)[real].all()
    candidates = (inputs["padding_mask"] == 1) & ~IS_SPECIAL[inputs["token_ids"]]
    assert real.sum() / candidates.sum() == pytest.approx(0.2, abs=0.03)
    assert np.mean(after == MASK) == pytest.approx(0.8, abs=0.05)
    assert np.mean(after == before) == pytest.approx(0.1, abs=0.04)
    changed = hidden["token_ids"] != inputs["token_ids"]
    assert changed.sum() == np.sum(after != before)


def test_epochs_and_steps_differ_and_come_again() -> None:
    inputs = batch()
    masking = Masking(MASK, IS_SPECIAL, seed=3)
    first = masking(inputs, epoch=1, step=2)[0]["token_ids"]
    again = Masking(MASK, IS_SPECIAL, seed=3)(inputs, epoch=1, step=2)[0]["token_ids"]
    np.testing.assert_array_equal(first, again)
    for other in (
        masking(inputs, epoch=2, step=2),
        masking(inputs, epoch=1, step=3),
        Masking(MASK, IS_SPECIAL, seed=4)(inputs, epoch=1, step=2),
    ):
        assert (other[0]["token_ids"] != first).any()
    still = Masking(MASK, IS_SPECIAL, by_epoch=False)
    one, two = (still(inputs, epoch=epoch, step=0)[0]["token_ids"] for epoch in (0, 5))
    np.testing.assert_array_equal(one, two)


def test_words_are_hidden_as_a_whole() -> None:
    inputs = batch()
    # Every third number begins a word.
    starts = np.arange(SIZE) % 3 == 0
    masking = Masking(MASK, IS_SPECIAL, probability=0.3, starts_word=starts)
    hidden, targets = masking(inputs, epoch=0, step=0)
    chosen = np.zeros(inputs["token_ids"].shape, bool)
    rows, places = np.nonzero(targets >= 0)
    chosen[rows, hidden["positions"][rows, places]] = True
    begins = starts[inputs["token_ids"]] | IS_SPECIAL[inputs["token_ids"]]
    goes_on = ~begins[:, 1:] & (inputs["padding_mask"][:, 1:] == 1)
    goes_on &= ~IS_SPECIAL[inputs["token_ids"][:, :-1]]
    assert (chosen[:, 1:] == chosen[:, :-1])[goes_on].all()
    assert chosen.sum() > 300


def test_masks_that_texts_have_are_found() -> None:
    ids = np.array([[1, MASK, 7, MASK], [1, 7, 7, MASK]], "int32")
    mask = np.array([[1, 1, 1, 1], [1, 1, 1, 0]], "int32")
    inputs = {"token_ids": ids, "padding_mask": mask}
    found, targets = FoundMasks(MASK)(inputs, epoch=0, step=0)
    assert found["positions"][0, :2].tolist() == [1, 3]
    assert (targets >= 0).sum(axis=1).tolist() == [2, 0]


@pytest.mark.parametrize("probability", [0.0, 1.0, -0.1])
def test_a_chance_that_is_none_is_refused(probability: float) -> None:
    with pytest.raises(ConfigError, match="mlm_probability must be above 0 and below 1"):
        Masking(MASK, IS_SPECIAL, probability=probability)


@pytest.mark.parametrize("affixes", [(1, 1), (0, 0), (2, 1)])
def test_windows_lose_nothing(affixes: tuple[int, int]) -> None:
    random = np.random.default_rng(1)
    before, behind = affixes
    texts = [random.integers(10, 90, count).tolist() for count in (0, 1, 7, 8, 9, 30)]
    whole = [[1] * before + text + [2] * behind for text in texts]
    ids = np.array([token for row in whole for token in row], np.int32)
    splits = np.cumsum([0, *map(len, whole)])
    room = 8 - before - behind
    cut, places = cut_windows(EncodedTexts(ids, ids % 2, splits), max_length=8, affixes=affixes)
    np.testing.assert_array_equal(cut.segment_ids, cut.token_ids % 2)
    found: list[list[int]] = [[] for _ in texts]
    for place, row in zip(places, np.split(cut.token_ids, cut.row_splits[1:-1]), strict=True):
        assert row[:before].tolist() == [1] * before
        assert row[len(row) - behind :].tolist() == [2] * behind
        assert len(row) <= 8
        found[place] += row[before : len(row) - behind].tolist()
    assert found == texts
    assert np.bincount(places).tolist() == [max(1, -(-len(text) // room)) for text in texts]

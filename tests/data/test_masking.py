"""What is hidden of a batch: how much, by words, and the same again."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from tfaigc.data import MASK_UNITS, EncodedTexts, FoundMasks, Masking, cut_windows
from tfaigc.errors import ConfigError

MASK, SPECIAL, SIZE = 4, 5, 100
IS_SPECIAL = np.arange(SIZE) < SPECIAL
# Every third number begins a word.
STARTS_WORD = np.arange(SIZE) % 3 == 0
each_unit = pytest.mark.parametrize("unit", MASK_UNITS)


def batch(rows: int = 64, length: int = 64) -> dict[str, Any]:
    """Texts of ordinary tokens between two special ones, the second half of them shorter."""
    token_ids = np.random.default_rng(0).integers(SPECIAL, SIZE, (rows, length)).astype("int32")
    mask = np.ones_like(token_ids)
    mask[rows // 2 :, length // 2 :] = 0
    token_ids[:, 0] = token_ids[:, length // 2 - 1] = 1
    return {"token_ids": token_ids, "padding_mask": mask}


def masking(unit: str, **settings: Any) -> Masking:
    return Masking(MASK, IS_SPECIAL, unit=unit, starts_word=STARTS_WORD, **settings)


def chosen_of(masking: Masking, inputs: dict[str, Any]) -> tuple[Any, Any]:
    """What is hidden of a batch: bool, (batch, length), and its tokens afterwards."""
    hidden, targets = masking(inputs, epoch=0, step=0)
    chosen = np.zeros(inputs["token_ids"].shape, bool)
    rows, places = np.nonzero(targets >= 0)
    chosen[rows, hidden["positions"][rows, places]] = True
    return chosen, hidden["token_ids"]


@each_unit
def test_shares_are_those_of_the_paper(unit: str) -> None:
    inputs = batch()
    hidden, targets = masking(unit, probability=0.2)(inputs, epoch=0, step=0)
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
    assert np.mean(after == MASK) == pytest.approx(0.8, abs=0.06)
    assert np.mean(after == before) == pytest.approx(0.1, abs=0.04)
    changed = hidden["token_ids"] != inputs["token_ids"]
    assert changed.sum() == np.sum(after != before)


@each_unit
def test_epochs_and_steps_differ_and_come_again(unit: str) -> None:
    inputs = batch()
    first = masking(unit, seed=3)(inputs, epoch=1, step=2)[0]["token_ids"]
    again = masking(unit, seed=3)(inputs, epoch=1, step=2)[0]["token_ids"]
    np.testing.assert_array_equal(first, again)
    for other in (
        masking(unit, seed=3)(inputs, epoch=2, step=2),
        masking(unit, seed=3)(inputs, epoch=1, step=3),
        masking(unit, seed=4)(inputs, epoch=1, step=2),
    ):
        assert (other[0]["token_ids"] != first).any()
    still = masking(unit, by_epoch=False)
    one, two = (still(inputs, epoch=epoch, step=0)[0]["token_ids"] for epoch in (0, 5))
    np.testing.assert_array_equal(one, two)


@pytest.mark.parametrize("unit", ["words", "spans"])
def test_words_are_hidden_as_a_whole(unit: str) -> None:
    inputs = batch()
    chosen, _ = chosen_of(masking(unit, probability=0.3), inputs)
    begins = STARTS_WORD[inputs["token_ids"]] | IS_SPECIAL[inputs["token_ids"]]
    goes_on = ~begins[:, 1:] & (inputs["padding_mask"][:, 1:] == 1)
    goes_on &= ~IS_SPECIAL[inputs["token_ids"][:, :-1]]
    assert (chosen[:, 1:] == chosen[:, :-1])[goes_on].all()
    assert chosen.sum() > 300


def test_spans_have_the_lengths_of_the_paper_and_one_fate() -> None:
    ids = np.random.default_rng(1).integers(SPECIAL, SIZE, (32, 4096)).astype("int32")
    inputs = {"token_ids": ids, "padding_mask": np.ones_like(ids)}
    by_token = replace(masking("spans", probability=0.03), starts_word=np.ones(SIZE, bool))
    chosen, after = chosen_of(by_token, inputs)
    assert chosen.mean() == pytest.approx(0.03, rel=0.02)
    edges = np.diff(np.pad(chosen, ((0, 0), (1, 1))).astype(int), axis=1)
    (rows, begins), (_, stops) = (np.nonzero(edges == sign) for sign in (1, -1))
    shares = np.bincount(stops - begins, minlength=11)[1:11] / len(begins)
    # Few touch each other, and the last one of each row ends early.
    np.testing.assert_allclose(
        shares, 0.8 ** np.arange(10) / np.sum(0.8 ** np.arange(10)), atol=0.05
    )
    assert np.mean(stops - begins) == pytest.approx(3.8, abs=0.3)
    shown = np.where(after == MASK, "mask", np.where(after == ids, "same", "other"))
    fates = [np.unique(shown[row, i:j]) for row, i, j in zip(rows, begins, stops, strict=True)]
    assert np.mean([len(each) == 1 for each in fates]) > 0.9
    single = [fate[0] for fate in fates if len(fate) == 1]
    for fate, share in (("mask", 0.8), ("other", 0.1), ("same", 0.1)):
        assert np.mean(np.array(single) == fate) == pytest.approx(share, abs=0.04)


@pytest.mark.parametrize("length", [0, 1, 3])
def test_spans_of_short_texts_are_rare_rather_than_long(length: int) -> None:
    ids = np.full((4000, length + 2), 9, "int32")
    ids[:, [0, -1]] = 1
    chosen, _ = chosen_of(masking("spans"), {"token_ids": ids, "padding_mask": np.ones_like(ids)})
    assert chosen[:, 1:-1].sum() == pytest.approx(0.15 * 4000 * length, rel=0.15)
    assert chosen.sum(axis=1).max() == min(length, 1)
    assert not chosen[:, [0, -1]].any()


@each_unit
def test_a_batch_has_something_to_guess_if_it_can(unit: str) -> None:
    ids = np.array([[1, 9, 9, 2], [1, 2, 0, 0]], "int32")
    inputs = {"token_ids": ids, "padding_mask": (ids > 0).astype("int32")}
    rare = masking(unit, probability=1e-9)
    assert chosen_of(rare, inputs)[0].sum(axis=1).tolist() == [1, 0]
    inputs["token_ids"] = np.ones_like(ids)
    assert not chosen_of(rare, inputs)[0].any()


@pytest.mark.parametrize("unit", ["words", "spans"])
def test_units_end_with_the_texts_that_share_a_row(unit: str) -> None:
    # No token begins a word, none is special: each text is one.
    ids = np.full((4000, 4), 10, "int32")
    packs = np.tile(np.array([1, 1, 2, 2], "int32"), (4000, 1))
    inputs = {"token_ids": ids, "padding_mask": np.ones_like(ids), "pack_ids": packs}
    chosen, _ = chosen_of(masking(unit, probability=0.4), inputs)
    assert (chosen[:, 0] == chosen[:, 1]).all()
    assert np.mean(chosen[:, 1] == chosen[:, 2]) < 0.9


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

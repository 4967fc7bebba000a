import numpy as np
import pytest

from tfaigc.export import SignatureCheck
from tfaigc.export.comparing import first_difference

STRINGS = np.array([b"a\0", "ß".encode()], dtype=object)


def compare(expected, received, **options):
    check = SignatureCheck(
        signature="tokens", inputs={"text": ["one", "two"]}, outputs={"y": expected}, **options
    )
    return first_difference(check, {"y": received})


@pytest.mark.parametrize(
    ("expected", "received"),
    [
        ([1.0, 2.0], np.array([1.0, 2.000009], dtype="float32")),
        (np.array([np.nan, np.inf, -np.inf]), np.array([np.nan, np.inf, -np.inf])),
        (np.array([1, 2], dtype="int32"), np.array([1, 2], dtype="int32")),
        ([1, 2], np.array([1, 2], dtype="int32")),
        (["a\0", "ß"], STRINGS),
        (STRINGS, STRINGS),
        ([], np.zeros((0,), dtype="float32")),
        (np.zeros((0, 3), "float32"), np.zeros((0, 3), "float32")),
    ],
)
def test_equal(expected, received):
    assert compare(expected, received) is None


@pytest.mark.parametrize(
    ("expected", "received", "words"),
    [
        (np.array([1.0, 2.0]), np.array([1.0, 2.1]), "row 1: expected 2.0, received 2.1"),
        (np.array([1.0, 2.0]), np.array([1.0, np.nan]), "row 1: expected 2.0, received nan"),
        (np.array([np.nan]), np.array([1.0]), "row 0: expected nan, received 1.0"),
        (np.array([np.inf]), np.array([-np.inf]), "row 0: expected inf, received -inf"),
        (np.array([1, 2]), np.array([1, 3]), "row 1: expected 2, received 3 for text='two'"),
        (["a", "ß"], STRINGS, r"row 0: expected b'a', received b'a\\x00' for text='one'"),
        (np.array([[1, 2]]), np.array([[1, 5]]), r"row 0: expected 2, received 5 at \[1\]"),
        (np.zeros(2), np.zeros((2, 1)), r"expected shape \(2,\), received \(2, 1\)"),
        (np.zeros(2), np.zeros(2, "float32"), "expected dtype float64, received float32"),
        (["1"], np.array([1]), "expected dtype string, received int64"),
        ([1], np.array([1.0]), "expected dtype int64, received float64"),
    ],
)
def test_first_difference_is_named(expected, received, words):
    import re

    difference = compare(expected, received)
    assert difference.startswith("signature 'tokens', output 'y'")
    assert re.search(words, difference)


def test_tolerance_is_the_checks_own():
    assert compare([1.0], np.array([1.05]), atol=0.1) is None
    assert "(may differ by 0.01)" in compare([1.0], np.array([1.05]), atol=0.01)


def test_outputs_must_be_the_same():
    check = SignatureCheck(signature="tokens", inputs={}, outputs={"score": [1.0]})
    received = {"score": np.ones(1), "label": STRINGS}
    assert first_difference(check, received) == (
        "signature 'tokens': expected the outputs ['score'], received ['label', 'score']"
    )

"""What is said of tokens must not depend on how wide the batches are that they stand in."""

from __future__ import annotations

import keras
import numpy as np
import pytest

from tfaigc.training.token_losses import Perplexity, TokenAccuracy

RIGHT, WRONG = np.log([[0.5, 0.25, 0.25], [0.25, 0.5, 0.25]])


@pytest.mark.parametrize(
    ("metric", "expected"),
    [
        (Perplexity(), np.exp((3 * np.log(2) + np.log(4)) / 4)),
        (TokenAccuracy(), 0.75),
    ],
    ids=["perplexity", "accuracy"],
)
def test_tokens_of_wide_and_narrow_batches_count_alike(
    metric: keras.metrics.Metric, expected: float
) -> None:
    narrow = np.array([[0, 0]]), np.array([[RIGHT, RIGHT]], np.float32)
    wide = (
        np.array([[0, 0, *[-100] * 6]]),
        np.array([[RIGHT, *[WRONG] * 7]], np.float32),
    )
    for targets, logits in (narrow, wide):
        metric.update_state(targets, logits)
    np.testing.assert_allclose(metric.result(), expected, rtol=1e-6)

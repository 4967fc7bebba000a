"""Losses over vectors against their published formulas, in PyTorch."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from tfaigc.training import embedding_losses as losses

Formula = Callable[[Any, Any], Any]


def unit(vectors: Any) -> Any:
    import torch

    return torch.nn.functional.normalize(vectors, dim=-1)


def ranking(vectors: Any, targets: Any) -> Any:
    import torch

    others = torch.cat([vectors[:, column] for column in range(1, vectors.shape[1])])
    scores = unit(vectors[:, 0]) @ unit(others).T * 20
    return torch.nn.functional.cross_entropy(scores, torch.arange(len(vectors)))


def cosine(vectors: Any, targets: Any) -> Any:
    import torch

    found = torch.nn.functional.cosine_similarity(vectors[:, 0], vectors[:, 1])
    return torch.nn.functional.mse_loss(found, targets.float())


def contrastive(vectors: Any, targets: Any) -> Any:
    import torch

    distances = 1 - torch.nn.functional.cosine_similarity(vectors[:, 0], vectors[:, 1])
    far = torch.relu(0.5 - distances) ** 2
    return 0.5 * (targets * distances**2 + (1 - targets) * far).mean()


def triplet(vectors: Any, targets: Any) -> Any:
    import torch

    return torch.nn.functional.triplet_margin_loss(
        vectors[:, 0], vectors[:, 1], vectors[:, 2], margin=5.0, eps=0.0
    )


def supervised(vectors: Any, targets: Any) -> Any:
    """One text at a time: -1/|P| of the sum over P of log(exp(s_p) / sum over others)."""
    import torch

    scores = unit(vectors[:, 0]) @ unit(vectors[:, 0]).T / 0.1
    found = []
    for row, label in enumerate(targets.tolist()):
        others = [each for each in range(len(targets)) if each != row]
        same = [each for each in others if targets[each] == label]
        if same:
            total = torch.logsumexp(scores[row, others], 0)
            found.append((total - scores[row, same]).mean())
    return torch.stack(found).mean()


def matryoshka(vectors: Any, targets: Any) -> Any:
    return ranking(vectors, targets) + ranking(vectors[..., :3], targets)


@pytest.mark.parametrize(
    ("loss", "formula", "texts", "targets"),
    [
        (losses.MultipleNegativesRanking(), ranking, 2, [0] * 6),
        (losses.MultipleNegativesRanking(), ranking, 4, [0] * 6),
        (losses.CosineSimilarity(), cosine, 2, [0.1, -1.0, 0.5, 1.0, 0.0, 0.3]),
        (losses.Contrastive(), contrastive, 2, [1, 0, 1, 0, 0, 1]),
        (losses.Triplet(), triplet, 3, [0] * 6),
        (losses.SupervisedContrastive(), supervised, 1, [0, 1, 1, 2, 0, 0]),
        (losses.Matryoshka(losses.MultipleNegativesRanking(), [8, 3]), matryoshka, 2, [0] * 6),
    ],
    ids=lambda each: getattr(each, "name", None),
)
def test_a_loss_and_its_gradient_equal_the_formula(
    loss: keras.losses.Loss, formula: Formula, texts: int, targets: list[float]
) -> None:
    import torch

    values = np.random.default_rng(5).normal(size=(6, texts, 8)).astype("float32")
    theirs = torch.tensor(values, requires_grad=True)
    wanted = formula(theirs, torch.tensor(targets))
    wanted.backward()
    ours = tf.constant(values)
    with tf.GradientTape() as tape:
        tape.watch(ours)
        found = loss(tf.constant(targets), ours)
    np.testing.assert_allclose(found, wanted.detach(), rtol=1e-5)
    np.testing.assert_allclose(tape.gradient(found, ours), theirs.grad, atol=1e-5)

"""Ten steps of training take every task's loss where PyTorch's `transformers` take it."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from conftest import tiny_bert_config, write_tiny_tokenizer

import tfaigc
from tfaigc.tasks.task import Task

STEPS, BATCH_SIZE, WARMUP_STEPS = 10, 4, 3
LEARNING_RATE, WEIGHT_DECAY = 3e-3, 0.05
WORDS = ["good", "bad", "great", "dull", "fine", "poor", "film", "plot", "story", "scene"]
TEXTS = [f"a {WORDS[i % 10]} {WORDS[(3 * i + i // 7) % 10]} " * (1 + i % 3) for i in range(40)]


@dataclass(frozen=True)
class ParityCase:
    """A task, and what it is in `transformers`.

    Args:
        task: Our class.
        reference: The name of the class of `transformers`.
        records: Forty of them.
        config: Entries of the checkpoint's configuration.
        float_targets: Whether the reference wants its labels as floats.
    """

    task: type[Task]
    reference: str
    records: list[dict[str, Any]]
    config: dict[str, Any] = field(default_factory=dict)
    float_targets: bool = False


CASES = {
    "one class": ParityCase(
        tfaigc.TextClassifier,
        "BertForSequenceClassification",
        [{"text": text, "label": len(text) % 3} for text in TEXTS],
        {"num_labels": 3},
    ),
    "several classes": ParityCase(
        tfaigc.TextClassifier,
        "BertForSequenceClassification",
        [{"text": text, "labels": [0] * ("a" in text) + [1] * ("oo" in text)} for text in TEXTS],
        {"num_labels": 2, "problem_type": "multi_label_classification"},
        float_targets=True,
    ),
    "a number": ParityCase(
        tfaigc.TextRegressor,
        "BertForSequenceClassification",
        [{"text": text, "label": len(text) / 20} for text in TEXTS],
        {"num_labels": 1, "problem_type": "regression"},
        float_targets=True,
    ),
}


@pytest.fixture(params=CASES)
def case(request: pytest.FixtureRequest) -> ParityCase:
    return CASES[request.param]


def test_ten_steps_have_the_losses_of_transformers(case: ParityCase, tmp_path: Path) -> None:
    import torch
    import transformers

    write_tiny_tokenizer(tmp_path)
    torch.manual_seed(11)
    still = {"hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0}
    reference = getattr(transformers, case.reference)(tiny_bert_config(**still, **case.config))
    reference.save_pretrained(tmp_path)

    model = case.task.from_pretrained(tmp_path)
    batches = model.dataset(case.records, batch_size=BATCH_SIZE)
    ours = _our_losses(model, batches)
    theirs = _their_losses(reference.train(), batches, float_targets=case.float_targets)
    np.testing.assert_allclose(ours, theirs, atol=1e-4)
    # A curve of steps that change nothing would be equal, too.
    assert np.ptp(ours) > 0.01


def _our_losses(model: Task, batches: Any) -> list[float]:
    model.compile(learning_rate=LEARNING_RATE, weight_decay=WEIGHT_DECAY, warmup_steps=WARMUP_STEPS)
    means: list[float] = []
    watch = keras.callbacks.LambdaCallback(
        on_train_batch_end=lambda step, logs: means.append(logs["loss"] * (step + 1))
    )
    model.fit(batches, epochs=1, verbose=0, callbacks=[watch])
    return np.diff([0.0, *means]).tolist()


def _their_losses(reference: Any, batches: Any, *, float_targets: bool) -> list[float]:
    """Trains as the Trainer does, step by step."""
    import torch
    from transformers import get_linear_schedule_with_warmup

    named = list(reference.named_parameters())
    groups = [
        {"params": [p for _, p in named if p.ndim > 1], "weight_decay": WEIGHT_DECAY},
        {"params": [p for _, p in named if p.ndim <= 1], "weight_decay": 0.0},
    ]
    optimizer = torch.optim.AdamW(groups, lr=LEARNING_RATE)
    schedule = get_linear_schedule_with_warmup(optimizer, WARMUP_STEPS, STEPS)
    losses = []
    for inputs, targets in batches:
        tensors = {name: torch.tensor(values.numpy()).long() for name, values in inputs.items()}
        labels = torch.tensor(targets.numpy())
        if float_targets:
            labels = labels.float().squeeze(1) if labels.shape[-1] == 1 else labels.float()
        loss = reference(
            input_ids=tensors["token_ids"],
            attention_mask=tensors["padding_mask"],
            token_type_ids=tensors["segment_ids"],
            labels=labels if float_targets else labels.long(),
        ).loss
        loss.backward()
        torch.nn.utils.clip_grad_norm_(reference.parameters(), 1.0)
        optimizer.step()
        schedule.step()
        optimizer.zero_grad()
        losses.append(loss.item())
    assert len(losses) == STEPS
    return losses

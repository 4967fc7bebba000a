"""Ten steps of training take every task's loss where PyTorch's `transformers` take it."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from conftest import tiny_bert_config, write_tiny_tokenizer
from tiny_decoder import write_tiny_decoder
from tiny_seq2seq import PAIRS, write_tiny_seq2seq

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
        place: Takes inputs and our targets to the reference's; to a dict where these have several
            names.
        names: What the reference calls its labels; where there are several, our targets have as
            many columns.
        write: Writes the checkpoint; None: it is a tiny BERT.
        stack: What the names of the inputs begin with that the reference gets.
        label_smoothing: Of the loss.
        read: Takes inputs to the reference's, where these are no tokens.
        settings: What our class takes besides the checkpoint.
    """

    task: type[Task]
    reference: str
    records: list[dict[str, Any]]
    config: dict[str, Any] = field(default_factory=dict)
    float_targets: bool = False
    place: Callable[[Any, Any], Any] = lambda inputs, targets: targets
    names: tuple[str, ...] = ("labels",)
    write: Callable[[Path], Path] | None = None
    stack: str = ""
    label_smoothing: float = 0.0
    read: Callable[[Any], dict[str, Any]] | None = None
    settings: dict[str, Any] = field(default_factory=dict)


def at_positions(inputs: Any, targets: Any) -> Any:
    """Puts the targets of a masked language model where its tokens stand."""
    placed = np.full(inputs["token_ids"].shape, -100)
    rows, columns = np.nonzero(targets >= 0)
    placed[rows, inputs["positions"].numpy()[rows, columns]] = targets[rows, columns]
    return placed


def of_pairs(name: str) -> Callable[[Any, Any], dict[str, Any]]:
    """Puts targets of tokens where they stand, and gives those of pairs the reference's name."""
    return lambda inputs, targets: {
        "labels": at_positions(inputs, targets["tokens"]),
        name: targets["sentences"],
    }


def one_later(inputs: Any, targets: Any) -> Any:
    """Gives a causal language model its own tokens, each of which it compares with the next."""
    return np.concatenate([np.full_like(targets[:, :1], -100), targets[:, :-1]], axis=1)


def asked(number: int) -> dict[str, Any]:
    """Makes a question whose example has sixteen tokens: padding counts in `transformers`."""
    words = [WORDS[(number * (number + place) + place) % 10] for place in range(11)]
    first = 1 + number % 8
    start = len(" ".join([*words[:first], ""]))
    answer = " ".join(words[first : first + 1 + number % 3])
    answers = {"text": [answer], "answer_start": [start]}
    return {"question": "of two", "context": " ".join(words), "answers": answers}


def write_tiny_vit(directory: Path) -> Path:
    """Writes a ViT with a classifier of three classes."""
    from transformers import ViTConfig, ViTForImageClassification

    config = ViTConfig(
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=4,
        intermediate_size=64,
        image_size=16,
        patch_size=4,
        num_labels=3,
    )
    ViTForImageClassification(config).save_pretrained(directory)
    return directory


def write_tiny_albert(directory: Path) -> Path:
    """Writes an ALBERT with both heads that it is pretrained with."""
    from transformers import AlbertConfig, AlbertForPreTraining

    config = AlbertConfig(
        vocab_size=len(write_tiny_tokenizer(directory)),
        embedding_size=16,
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=4,
        intermediate_size=64,
        max_position_embeddings=128,
        classifier_dropout_prob=0.0,
    )
    AlbertForPreTraining(config).save_pretrained(directory)
    return directory


def channels_first(inputs: Any) -> dict[str, Any]:
    """Gives images the order of axes that `transformers` reads."""
    import torch

    return {"pixel_values": torch.tensor(np.moveaxis(inputs["images"].numpy(), -1, 1))}


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
    "tags": ParityCase(
        tfaigc.TokenClassifier,
        "BertForTokenClassification",
        [
            {"words": text.split(), "tags": [len(each) % 3 for each in text.split()]}
            for text in TEXTS
        ],
        {"num_labels": 3},
    ),
    "answers": ParityCase(
        tfaigc.QuestionAnswerer,
        "BertForQuestionAnswering",
        [asked(number) for number in range(40)],
        names=("start_positions", "end_positions"),
    ),
    "choices": ParityCase(
        tfaigc.MultipleChoice,
        "BertForMultipleChoice",
        [
            {
                "question": text,
                "choices": ["dull", "bad", "poor"][: i % 3] + ["great", text, "a"][: 3 - i % 3],
                "label": i % 3,
            }
            for i, text in enumerate(TEXTS)
        ],
    ),
    "images": ParityCase(
        tfaigc.ImageClassifier,
        "ViTForImageClassification",
        [
            {"image": np.random.default_rng(i).integers(0, 256, (16, 16, 3)), "label": i % 3}
            for i in range(40)
        ],
        write=write_tiny_vit,
        read=channels_first,
    ),
    "masked tokens": ParityCase(
        tfaigc.MaskedLM,
        "BertForMaskedLM",
        [{"text": text} for text in TEXTS],
        place=at_positions,
    ),
    "masked tokens and next sentences": ParityCase(
        tfaigc.MaskedLM,
        "BertForPreTraining",
        [{"text": f"{text}\nthe {text}"} for text in TEXTS[:24]],
        place=of_pairs("next_sentence_label"),
        settings={"sentence_task": "next_sentence"},
    ),
    "masked tokens and the order of sentences": ParityCase(
        tfaigc.MaskedLM,
        "AlbertForPreTraining",
        [{"text": f"{text}\nthe {text}"} for text in TEXTS],
        place=of_pairs("sentence_order_label"),
        write=write_tiny_albert,
        settings={"sentence_task": "sentence_order"},
    ),
    "next tokens": ParityCase(
        tfaigc.CausalLM,
        "LlamaForCausalLM",
        [{"text": text} for text in TEXTS],
        place=one_later,
        write=write_tiny_decoder,
    ),
    "texts for texts, smoothed": ParityCase(
        tfaigc.Seq2SeqLM,
        "T5ForConditionalGeneration",
        (PAIRS * 4)[:40],
        write=partial(write_tiny_seq2seq, "t5"),
        stack="encoder_",
        label_smoothing=0.1,
    ),
    "texts for texts": ParityCase(
        tfaigc.Seq2SeqLM,
        "BartForConditionalGeneration",
        (PAIRS * 4)[:40],
        write=partial(write_tiny_seq2seq, "bart"),
        stack="encoder_",
    ),
}


@pytest.fixture(params=CASES)
def case(request: pytest.FixtureRequest) -> ParityCase:
    return CASES[request.param]


def test_ten_steps_have_the_losses_of_transformers(case: ParityCase, tmp_path: Path) -> None:
    import torch
    import transformers

    torch.manual_seed(11)
    still = {"hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0}
    if case.write is None:
        write_tiny_tokenizer(tmp_path)
        reference = getattr(transformers, case.reference)(tiny_bert_config(**still, **case.config))
        reference.save_pretrained(tmp_path)
    else:
        case.write(tmp_path)
        reference = getattr(transformers, case.reference).from_pretrained(tmp_path)

    model = case.task.from_pretrained(tmp_path, **case.settings)
    batches = model.dataset(case.records, batch_size=BATCH_SIZE)
    ours = _our_losses(model, batches, case)
    theirs = _their_losses(reference.train(), batches, case)
    np.testing.assert_allclose(ours, theirs, atol=1e-4)
    # A curve of steps that change nothing would be equal, too.
    assert np.ptp(ours) > 0.01


def _our_losses(model: Task, batches: Any, case: ParityCase) -> list[float]:
    smoothing = {"label_smoothing": case.label_smoothing} if case.label_smoothing else {}
    model.compile(
        learning_rate=LEARNING_RATE,
        weight_decay=WEIGHT_DECAY,
        warmup_steps=WARMUP_STEPS,
        **smoothing,
    )
    means: list[float] = []
    watch = keras.callbacks.LambdaCallback(
        on_train_batch_end=lambda step, logs: means.append(logs["loss"] * (step + 1))
    )
    model.fit(batches, epochs=1, verbose=0, callbacks=[watch])
    return np.diff([0.0, *means]).tolist()


def _their_losses(reference: Any, batches: Any, case: ParityCase) -> list[float]:
    """Trains as the Trainer does, step by step."""
    import torch
    from transformers import get_linear_schedule_with_warmup
    from transformers.trainer_pt_utils import LabelSmoother

    named = list(reference.named_parameters())
    groups = [
        {"params": [p for _, p in named if p.ndim > 1], "weight_decay": WEIGHT_DECAY},
        {"params": [p for _, p in named if p.ndim <= 1], "weight_decay": 0.0},
    ]
    optimizer = torch.optim.AdamW(groups, lr=LEARNING_RATE)
    schedule = get_linear_schedule_with_warmup(optimizer, WARMUP_STEPS, STEPS)
    losses = []
    for inputs, targets in batches:
        placed = case.place(inputs, keras.tree.map_structure(np.asarray, targets))
        labels = _labels(placed, case)
        given = (case.read or partial(_tokens, case))(inputs)
        outputs = reference(**given, **labels)
        loss = outputs.loss
        if case.label_smoothing:
            loss = LabelSmoother(case.label_smoothing)(outputs, labels["labels"])
        loss.backward()
        torch.nn.utils.clip_grad_norm_(reference.parameters(), 1.0)
        optimizer.step()
        schedule.step()
        optimizer.zero_grad()
        losses.append(loss.item())
    assert len(losses) == STEPS
    return losses


def _tokens(case: ParityCase, inputs: Any) -> dict[str, Any]:
    import torch
    import transformers

    tensors = {name: torch.tensor(values.numpy()).long() for name, values in inputs.items()}
    taken = inspect.signature(getattr(transformers, case.reference).forward).parameters
    segments = {"token_type_ids": tensors.get("segment_ids")} if "token_type_ids" in taken else {}
    return {
        "input_ids": tensors[f"{case.stack}token_ids"],
        "attention_mask": tensors[f"{case.stack}padding_mask"],
        **segments,
    }


def _labels(placed: Any, case: ParityCase) -> dict[str, Any]:
    import torch

    if isinstance(placed, dict):
        return {name: torch.tensor(values).long() for name, values in placed.items()}
    labels = torch.tensor(placed)
    if case.float_targets:
        labels = labels.float().squeeze(1) if labels.shape[-1] == 1 else labels.float()
    else:
        labels = labels.long()
    return dict(zip(case.names, [labels] if len(case.names) == 1 else labels.T, strict=True))

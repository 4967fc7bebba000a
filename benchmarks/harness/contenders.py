"""Who takes part, with the worker script and the packages of each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

BENCHMARKS: Final = Path(__file__).resolve().parents[1]
CHECKOUT: Final = BENCHMARKS.parent
RESULTS: Final = BENCHMARKS / "results"


@dataclass(frozen=True)
class Contender:
    """One side of the comparison.

    Attributes:
        title: What tables call it.
        worker: File name under ``workers/``.
        requirements: File name, without its ending, under ``requirements/``.
        tasks: What the worker can do.
        from_checkout: Whether tfaigc is installed too, from this checkout.
        options: What the worker is told besides the common job.
    """

    title: str
    worker: str
    requirements: str
    tasks: tuple[str, ...] = ("text_classification",)
    from_checkout: bool = False
    options: Mapping[str, Any] = field(default_factory=dict)

    @property
    def requirements_file(self) -> Path:
        """The pinned packages."""
        return BENCHMARKS / "requirements" / f"{self.requirements}.txt"

    @property
    def environment(self) -> Path:
        """The virtual environment; contenders with equal requirements share one."""
        return RESULTS / "environments" / self.requirements


_CLASSIFICATION: Final = ("text_classification", "token_classification")


def _tfaigc(title: str, precision: str) -> Contender:
    return Contender(
        title,
        "tfaigc_fit.py",
        "tfaigc",
        tasks=(*_CLASSIFICATION, "causal_lm"),
        from_checkout=True,
        options={"precision": precision},
    )


def _sft(title: str, *, bf16: bool) -> Contender:
    # Its defaults, bf16 and checkpoints of activations, are meant for GPUs: the latter spare
    # memory, of which there is enough, at a third more work.
    options = {"bf16": bf16, "activation_checkpointing": False}
    return Contender(title, "trl_fit.py", "trl", tasks=("causal_lm",), options=options)


CONTENDERS: Final[Mapping[str, Contender]] = {
    # As recipes train unless told otherwise: in bfloat16 where the hardware multiplies in it.
    "tfaigc": _tfaigc("tfaigc", "auto"),
    "tfaigc_float32": _tfaigc("tfaigc, float32", "float32"),
    "trainer": Contender(
        "Hugging Face Trainer", "trainer_fit.py", "trainer", tasks=_CLASSIFICATION
    ),
    "trainer_bfloat16": Contender(
        "Hugging Face Trainer, group_by_length and bf16",
        "trainer_fit.py",
        "trainer",
        tasks=_CLASSIFICATION,
        options={"bf16": True, "train_sampling_strategy": "group_by_length"},
    ),
    "keras_hub": Contender("KerasHub", "keras_hub_fit.py", "keras_hub"),
    "trl": _sft("TRL", bf16=False),
    "trl_bfloat16": _sft("TRL, bf16", bf16=True),
}

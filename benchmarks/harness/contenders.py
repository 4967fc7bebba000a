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
        from_checkout: Whether tfaigc is installed too, from this checkout.
        options: What the worker is told besides the common job.
    """

    title: str
    worker: str
    requirements: str
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


CONTENDERS: Final[Mapping[str, Contender]] = {
    "tfaigc": Contender("tfaigc", "tfaigc_fit.py", "tfaigc", from_checkout=True),
    "trainer": Contender("Hugging Face Trainer", "trainer_fit.py", "trainer"),
    "keras_hub": Contender("KerasHub", "keras_hub_fit.py", "keras_hub"),
    "tfaigc_bfloat16": Contender(
        "tfaigc, bfloat16",
        "tfaigc_fit.py",
        "tfaigc",
        from_checkout=True,
        options={"precision": "bfloat16"},
    ),
    "trainer_bfloat16": Contender(
        "Hugging Face Trainer, group_by_length and bf16",
        "trainer_fit.py",
        "trainer",
        options={"bf16": True, "train_sampling_strategy": "group_by_length"},
    ),
}
# The side that ratios are taken of comes first.
DEFAULT: Final = ("tfaigc", "trainer", "keras_hub")

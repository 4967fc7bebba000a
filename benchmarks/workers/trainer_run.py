"""What workers share that train with the Hugging Face Trainer, or with one made from it."""

from __future__ import annotations

from typing import Any

import protocol
import torch
from transformers import TrainerCallback


class StepTimes(TrainerCallback):
    """Tells the clock when a step has ended."""

    def __init__(self, clock: protocol.Clock) -> None:
        self.clock = clock

    def on_step_end(self, *arguments: Any, **keyword_arguments: Any) -> None:
        """Is called by the Trainer after each optimizer step."""
        if torch.cuda.is_available():
            torch.cuda.synchronize()
        self.clock.step_ended()


def common_arguments(job: protocol.Job, directory: str) -> dict[str, Any]:
    """Returns what ``TrainingArguments`` are made from: the job, and that nothing is saved."""
    return {
        "output_dir": directory,
        "num_train_epochs": job.epochs,
        "per_device_train_batch_size": job.batch_size,
        "learning_rate": job.learning_rate,
        "seed": job.seed,
        "save_strategy": "no",
        "report_to": "none",
        # Without this, the Trainer takes bf16 for a wish for a GPU, and refuses.
        "use_cpu": not torch.cuda.is_available(),
        "disable_tqdm": True,
        **job.options,
    }


def notes(job: protocol.Job, model: Any) -> dict[str, Any]:
    """Returns what the run was set to in fact."""
    return {
        "threads": torch.get_num_threads(),
        "device": str(model.device),
        "precision": "bfloat16" if job.options.get("bf16") else str(model.dtype)[len("torch.") :],
        "optimizer": "adamw_torch_fused, linear decay, no warm-up, no weight decay, clip 1",
    }

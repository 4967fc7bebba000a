"""Training with cross-entropy, whose knobs all classifiers share."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tfaigc.tasks.labelled_task import LabelledTask


class CrossEntropyTask(LabelledTask):
    """A task whose problem's loss is cross-entropy."""

    problem: Any

    def compile(
        self,
        optimizer: Any = None,
        loss: Any = None,
        *,
        class_weights: Sequence[float] | None = None,
        label_smoothing: float = 0.0,
        focal_gamma: float = 0.0,
        **arguments: Any,
    ) -> None:
        """Prepares training: AdamW with warm-up and decay, cross-entropy and metrics.

        Args:
            optimizer: Keras's; it wins over the knobs of ``FineTunedModel.compile``.
            loss: Keras's; it wins over the three knobs below.
            class_weights: Factor on the loss of each class's examples, in the order of the labels.
            label_smoothing: Share of the target that is spread over all classes.
            focal_gamma: Exponent of the focal loss; 0: none.
            **arguments: Those of ``FineTunedModel.compile``.

        Raises:
            ConfigError: An argument is out of its range.
        """
        if loss is None:
            loss = self.problem.loss(
                class_weights=class_weights,
                label_smoothing=label_smoothing,
                focal_gamma=focal_gamma,
            )
        super().compile(optimizer, loss, **arguments)

"""One file per task: its records, head, loss, metrics and answers."""

from tfaigc.tasks.task import Task
from tfaigc.tasks.text_classifier import TextClassifier
from tfaigc.tasks.text_regressor import TextRegressor

__all__ = ["Task", "TextClassifier", "TextRegressor"]

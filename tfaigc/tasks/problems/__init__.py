"""What a row of logits means: one class, several classes, or numbers."""

from tfaigc.tasks.problems.multi_label import MultiLabel
from tfaigc.tasks.problems.problem import Problem
from tfaigc.tasks.problems.regression import Regression
from tfaigc.tasks.problems.single_label import SingleLabel

__all__ = ["MultiLabel", "Problem", "Regression", "SingleLabel"]

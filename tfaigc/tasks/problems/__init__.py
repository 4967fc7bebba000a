"""What logits mean: one class, several classes, numbers, or tags of words."""

from tfaigc.tasks.problems.multi_label import MultiLabel
from tfaigc.tasks.problems.problem import Labelling, Problem
from tfaigc.tasks.problems.regression import Regression
from tfaigc.tasks.problems.single_label import SingleLabel
from tfaigc.tasks.problems.tags import Entities, WordTags, make_tags

__all__ = [
    "Entities",
    "Labelling",
    "MultiLabel",
    "Problem",
    "Regression",
    "SingleLabel",
    "WordTags",
    "make_tags",
]

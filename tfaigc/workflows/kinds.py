"""The tasks of recipes and stored models: their targets, and the classes that learn them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tfaigc.recipe import Recipe
from tfaigc.workflows.image_targets import OneClassOfImages
from tfaigc.workflows.question_targets import Answers, Choices
from tfaigc.workflows.targets import Numbers, OneClass, SeveralClasses, Tags, TargetKind
from tfaigc.workflows.text_targets import OwnTokens, Pairs, WhatBelongsTogether, WhatFollows


@dataclass(frozen=True)
class TaskKind:
    """A task, known before TensorFlow loads.

    Attributes:
        class_name: Its class in ``tfaigc.tasks``.
        targets: What its records must say.
        loss_keys: The recipe's keys that ``compile`` takes beside those of every task, with the
            names that they have there.
        arguments: What ``from_pretrained`` takes beside labels, length, seed and dtype.
        model_keys: The recipe's keys that it takes too, with the names that they have there.
    """

    class_name: str
    targets: TargetKind
    loss_keys: Mapping[str, str]
    arguments: Mapping[str, Any]
    model_keys: Mapping[str, str] = field(default_factory=dict)

    def load_class(self) -> Any:
        """Imports the class, and TensorFlow with it."""
        from tfaigc import tasks

        return getattr(tasks, self.class_name)

    def model_arguments(self, recipe: Recipe) -> dict[str, Any]:
        """Returns what ``from_pretrained`` takes for this kind alone."""
        given = {name: getattr(recipe, key) for key, name in self.model_keys.items()}
        return {**self.arguments, **given}


_CLASSIFIER_KEYS = {
    "class_weights": "class_weights",
    "label_smoothing_factor": "label_smoothing",
    "focal_gamma": "focal_gamma",
}
ONE_CLASS = TaskKind("TextClassifier", OneClass(), _CLASSIFIER_KEYS, {"multi_label": False})
SEVERAL_CLASSES = TaskKind(
    "TextClassifier", SeveralClasses(), _CLASSIFIER_KEYS, {"multi_label": True}
)
NUMBERS = TaskKind("TextRegressor", Numbers(), {"huber_delta": "huber_delta"}, {})
TAGS = TaskKind("TokenClassifier", Tags(), _CLASSIFIER_KEYS, {}, {"label_all": "label_all"})
MASKED_TOKENS = TaskKind(
    "MaskedLM",
    OwnTokens(),
    {},
    {},
    {name: name for name in ("mlm_probability", "mask_unit", "sentence_task")},
)
EMBEDDINGS = TaskKind(
    "TextEmbedder",
    WhatBelongsTogether(),
    {"embedding_loss": "objective", "matryoshka_dims": "matryoshka_dims"},
    {},
)
NEXT_TOKENS = TaskKind("CausalLM", WhatFollows(), {}, {})
TEXTS_FOR_TEXTS = TaskKind(
    "Seq2SeqLM",
    Pairs(),
    {"label_smoothing_factor": "label_smoothing"},
    {"span_corruption": False},
    {
        "source_prefix": "prefix",
        **{name: name for name in ("max_target_length", "source_lang", "target_lang")},
    },
)
LEFT_OUT_SPANS = TaskKind(
    "Seq2SeqLM",
    OwnTokens(),
    {"label_smoothing_factor": "label_smoothing"},
    {"span_corruption": True},
    {name: name for name in ("max_target_length", "noise_density", "mean_noise_span_length")},
)


_QUESTION_KEYS = {
    name: name
    for name in ("doc_stride", "max_answer_length", "allow_no_answer", "null_score_diff_threshold")
}
ANSWERS = TaskKind("QuestionAnswerer", Answers(allow_no_answer=False), {}, {}, _QUESTION_KEYS)
ANSWERS_IF_ANY = TaskKind("QuestionAnswerer", Answers(allow_no_answer=True), {}, {}, _QUESTION_KEYS)
IMAGES = TaskKind(
    "ImageClassifier",
    OneClassOfImages(),
    _CLASSIFIER_KEYS,
    {},
    {name: name for name in ("random_flip", "random_crop")},
)
CHOICES = TaskKind("MultipleChoice", Choices(), {}, {})


_BY_TASK = {
    "text-regression": NUMBERS,
    "token-classification": TAGS,
    "masked-lm": MASKED_TOKENS,
    "causal-lm": NEXT_TOKENS,
    "question-answering": ANSWERS,
    "multiple-choice": CHOICES,
    "image-classification": IMAGES,
    "text-embedding": EMBEDDINGS,
    "seq2seq-lm": TEXTS_FOR_TEXTS,
}

# What the names of the classes in ``transformers`` end with.
_BY_ARCHITECTURE = {
    "ForMaskedLM": MASKED_TOKENS,
    "BertForPreTraining": MASKED_TOKENS,
    "AlbertForPreTraining": MASKED_TOKENS,
    "ForCausalLM": NEXT_TOKENS,
    "GPT2LMHeadModel": NEXT_TOKENS,
    "ForConditionalGeneration": TEXTS_FOR_TEXTS,
    "MarianMTModel": TEXTS_FOR_TEXTS,
    "ForTokenClassification": TAGS,
    "ForMultipleChoice": CHOICES,
    "ForImageClassification": IMAGES,
    "ForImageClassificationWithTeacher": IMAGES,
    # The model itself knows whether it must answer.
    "ForQuestionAnswering": ANSWERS_IF_ANY,
    "ForQuestionAnsweringSimple": ANSWERS_IF_ANY,
}


def kind_of_recipe(recipe: Recipe) -> TaskKind:
    """Returns the kind of task that a recipe asks for."""
    if recipe.task == "question-answering" and recipe.allow_no_answer:
        return ANSWERS_IF_ANY
    if recipe.task == "seq2seq-lm" and recipe.span_corruption:
        return LEFT_OUT_SPANS
    return _BY_TASK.get(recipe.task) or (SEVERAL_CLASSES if recipe.multi_label else ONE_CLASS)


def kind_of_model(directory: Path) -> TaskKind:
    """Returns the kind of task that a stored model has learnt.

    Args:
        directory: The model's directory.

    Returns:
        The kind that ``architectures`` or ``problem_type`` in ``config.json`` names, or that of
        vectors where there is a ``modules.json``. Without any of these, a head with a single
        output counts as one of numbers, as in ``transformers``.
    """
    try:
        stated = _read_json(directory / "config.json")
        problem = stated.get("problem_type")
        single = len(stated.get("id2label") or ()) == 1
        classes = [str(name) for name in stated.get("architectures") or ()]
        settings = _read_json(directory / "tfaigc.json")
    except (OSError, ValueError, AttributeError, TypeError):
        return ONE_CLASS  # Loading the model will say what is wrong.
    for ending, kind in _BY_ARCHITECTURE.items():
        if any(name.endswith(ending) for name in classes):
            is_pretrained = kind is TEXTS_FOR_TEXTS and settings.get("span_corruption")
            return LEFT_OUT_SPANS if is_pretrained else kind
    if (directory / "modules.json").exists():
        return EMBEDDINGS
    if problem == "regression" or (problem is None and single):
        return NUMBERS
    return SEVERAL_CLASSES if problem == "multi_label_classification" else ONE_CLASS


def _read_json(path: Path) -> dict[str, Any]:
    """Reads an object; empty where there is no such file."""
    return dict(json.loads(path.read_text(encoding="utf-8"))) if path.exists() else {}

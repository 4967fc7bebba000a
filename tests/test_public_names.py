"""The public names and their signatures are a contract with examples and users."""

from __future__ import annotations

import inspect

import pytest

import tfaigc


@pytest.mark.parametrize("name", sorted(tfaigc.__all__))
def test_every_public_name_resolves(name: str) -> None:
    value = getattr(tfaigc, name)
    assert value is getattr(tfaigc, name)
    if name != "__version__":
        assert inspect.getdoc(value)


def test_dir_lists_the_public_names() -> None:
    assert dir(tfaigc) == sorted(tfaigc.__all__)


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'TextClasifier'"):
        tfaigc.TextClasifier  # noqa: B018


@pytest.mark.parametrize(
    ("path", "parameters"),
    [
        ("Tokenizer.from_pretrained", ["source"]),
        ("Tokenizer.encode", ["texts", "pairs", "max_length"]),
        ("Tokenizer.decode", ["ids"]),
        ("Tokenizer.in_graph", ["texts", "pairs", "max_length"]),
        ("Backbone.from_pretrained", ["source"]),
        ("TextClassifier.from_pretrained", ["source", "labels", "max_length"]),
        ("TextClassifier.dataset", ["records", "batch_size", "shuffle"]),
        (
            "TextClassifier.compile",
            [
                *["learning_rate", "weight_decay", "warmup_steps", "lr_scheduler_type"],
                *["optimizer", "loss", "metrics"],
            ],
        ),
        ("TextClassifier.fit", ["validation_data", "epochs", "callbacks"]),
        ("TextClassifier.infer", []),
        ("TextClassifier.report", ["records"]),
        ("TextClassifier.save_pretrained", ["directory"]),
        ("TextClassifier.export", ["directory"]),
        ("callbacks.standard", ["directory"]),
    ],
)
def test_a_public_callable_takes_its_documented_arguments(path: str, parameters: list[str]) -> None:
    value = tfaigc
    for part in path.split("."):
        value = getattr(value, part)
    taken = inspect.signature(value).parameters
    swallows = any(each.kind is each.VAR_KEYWORD for each in taken.values())
    missing = [name for name in parameters if name not in taken]
    assert not missing or swallows, f"{path} lacks {missing}"


def test_the_task_and_the_backbone_are_keras_models() -> None:
    import keras

    assert issubclass(tfaigc.TextClassifier, keras.Model)
    assert issubclass(tfaigc.Backbone, keras.Model)

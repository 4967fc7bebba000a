"""The tokenizers of all families run in the graph, with equal ids."""

from __future__ import annotations

import pytest
from family_tokenizers import CLASSES, OF_FAMILY, make_tokenizer
from tokenizer_battery import check_graph_equals_rust, hard_strings
from transformers.models.auto.tokenization_auto import TOKENIZER_MAPPING_NAMES

from tfaigc.families import FAMILIES

TEXTS = hard_strings(50, seed=23, extras=["<s>", "</s>", "[SEP]", "<mask>", "▁a", "it's 1234"])


@pytest.mark.parametrize("class_name", CLASSES)
def test_graph_equals_rust(class_name: str) -> None:
    check_graph_equals_rust(make_tokenizer(class_name), TEXTS)


def test_families_have_the_tokenizers_of_transformers() -> None:
    without = set(FAMILIES) - set(OF_FAMILY)
    assert without == {"marian", "vit", "deit"}
    assert TOKENIZER_MAPPING_NAMES["marian"] == "MarianTokenizer"
    for name, class_name in OF_FAMILY.items():
        # Where transformers names no class, tokenizer.json says all there is.
        stated = TOKENIZER_MAPPING_NAMES.get(name, "TokenizersBackend")
        assert stated in (class_name, "TokenizersBackend"), name

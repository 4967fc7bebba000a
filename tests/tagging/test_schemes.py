"""Schemes of tags: found out, read and written."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from tfaigc.tagging import find_spans, schemes, split_words, tag_names, write_tags
from tfaigc.tagging.schemes import BILOU, BIO, BIOES, BMES, IO, IOB1, Scheme

SENTENCE = ["B-PER", "I-PER", "I-PER", "O", "B-LOC", "B-LOC", "O", "B-PER", "B-LOC"]
WRITTEN = {
    BIO: SENTENCE,
    IOB1: ["I-PER", "I-PER", "I-PER", "O", "I-LOC", "B-LOC", "O", "I-PER", "I-LOC"],
    BIOES: ["B-PER", "I-PER", "E-PER", "O", "S-LOC", "S-LOC", "O", "S-PER", "S-LOC"],
    BMES: ["B-PER", "M-PER", "E-PER", "O", "S-LOC", "S-LOC", "O", "S-PER", "S-LOC"],
    BILOU: ["B-PER", "I-PER", "L-PER", "O", "U-LOC", "U-LOC", "O", "U-PER", "U-LOC"],
}


@pytest.mark.parametrize("scheme", WRITTEN, ids=lambda scheme: scheme.name)
def test_each_scheme_is_found_out_read_and_written(scheme: Scheme) -> None:
    tags = WRITTEN[scheme]
    assert schemes.detect_scheme([["O"], tags]) is scheme
    spans = find_spans(tags)
    assert spans == find_spans(SENTENCE)
    assert len(spans) == 5
    assert write_tags(spans, len(tags), scheme) == tags
    assert schemes.ill_formed(tags, scheme) == []
    labels = tag_names(["LOC", "PER"], scheme)
    assert schemes.scheme_of_labels(labels) in (scheme, IO if scheme is IOB1 else scheme)


def test_every_sequence_is_read_as_seqeval_reads_it() -> None:
    from seqeval.metrics.sequence_labeling import get_entities

    names = ["O", "B-X", "I-X", "I-Y", "E-X", "S-Y"]
    for tags in itertools.product(names, repeat=4):
        expected = [(label, start, end + 1) for label, start, end in get_entities(list(tags))]
        assert [(span.label, span.start, span.end) for span in find_spans(tags)] == expected


@pytest.mark.parametrize(
    ("sentences", "name"),
    [
        ([["O", "O"]], None),
        ([["DET", "NN", "O"]], None),
        ([["NN"] * 9 + ["B-NP"]], None),
        # One misspelt tag makes no parts of speech of entities.
        ([["B-PER", "I-PER", "PER"]], "BIO"),
        ([["I-PER", "I-PER"]], "IO"),
        ([["B", "M", "E", "S"]], "BMES"),
    ],
)
def test_tags_of_entities_are_told_from_others(
    sentences: list[list[str]], name: str | None
) -> None:
    scheme = schemes.detect_scheme(sentences)
    assert (scheme and scheme.name) == name


def test_random_spans_survive_every_scheme() -> None:
    random = np.random.default_rng(0)
    for tags in random.choice(SENTENCE, (200, 7)).tolist():
        for scheme in WRITTEN:
            written = write_tags(find_spans(tags), 7, scheme)
            assert find_spans(written) == find_spans(tags)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", []),
        (" \t\n", []),
        ("New York, NY.", ["New", "York", ",", "NY", "."]),
        ("Obama\u2019s don't O'Brien", ["Obama", "\u2019s", "don", "'t", "O'Brien"]),
        ("«...» (a-b)", ["«", ".", ".", ".", "»", "(", "a-b", ")"]),
        ("@me #tag 5% $7", ["@me", "#tag", "5%", "$7"]),
        ("他在北京,NLP实验室。", ["他在北京", ",", "NLP", "实验室", "。"]),
        ("สวัสดี ok", ["สวัสดี", "ok"]),
        ("''", ["'", "'"]),
    ],
)
def test_texts_are_cut_into_words(text: str, words: list[str]) -> None:
    assert [text[start:end] for start, end in split_words(text)] == words

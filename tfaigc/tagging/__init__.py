"""What tags of words mean: schemes of entities, spans, and the words of a text."""

from tfaigc.tagging.schemes import (
    BIO,
    Scheme,
    detect_scheme,
    ill_formed,
    inside_tag,
    scheme_of_labels,
    tag_names,
    write_tags,
)
from tfaigc.tagging.spans import OUTSIDE, Span, Tag, find_spans, parse_tag
from tfaigc.tagging.words import split_words

__all__ = [
    "BIO",
    "OUTSIDE",
    "Scheme",
    "Span",
    "Tag",
    "detect_scheme",
    "find_spans",
    "ill_formed",
    "inside_tag",
    "parse_tag",
    "scheme_of_labels",
    "split_words",
    "tag_names",
    "write_tags",
]

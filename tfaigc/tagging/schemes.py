"""Schemes: how the words of an entity are tagged."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from tfaigc.tagging.spans import NO_TYPE, OUTSIDE, Span, find_spans, parse_tag


@dataclass(frozen=True)
class Scheme:
    """A way to tag the words of an entity.

    Attributes:
        name: What it is called.
        first: The prefix of an entity's first word.
        inside: That of an inner word.
        last: That of its last word.
        single: That of an only word.
        behind_another: That of a first word right behind an entity of the same type.
    """

    name: str
    first: str = "B"
    inside: str = "I"
    last: str = "I"
    single: str = "B"
    behind_another: str | None = None

    def prefixes(self, length: int, *, behind_another: bool = False) -> list[str]:
        """Lists the prefixes of an entity's words.

        Args:
            length: Number of its words.
            behind_another: Whether an entity of the same type stands right before it.

        Returns:
            One prefix for each word.
        """
        found = [self.single] if length == 1 else [self.first, *self.inside * (length - 2)]
        if length > 1:
            found.append(self.last)
        if behind_another and self.behind_another:
            found[0] = self.behind_another
        return found


BIO = Scheme("BIO")
IOB1 = Scheme("IOB1", first="I", single="I", behind_another="B")
IO = Scheme("IO", first="I", single="I")
BIOES = Scheme("BIOES", last="E", single="S")
BMES = Scheme("BMES", inside="M", last="E", single="S")
BILOU = Scheme("BILOU", last="L", single="U")


def write_tags(spans: Iterable[Span], length: int, scheme: Scheme) -> list[str]:
    """Writes entities as tags.

    Args:
        spans: The entities, in their order.
        length: Number of words of the sentence.
        scheme: How to tag them.

    Returns:
        A tag for each word.

    Example:
        >>> write_tags([Span(0, 2, "PER"), Span(3, 4, "LOC")], 4, BIOES)
        ['B-PER', 'E-PER', 'O', 'S-LOC']
    """
    tags = [OUTSIDE.prefix] * length
    before = Span(0, -1, "")
    for span in spans:
        adjacent = before.end == span.start and before.label == span.label
        prefixes = scheme.prefixes(span.end - span.start, behind_another=adjacent)
        tags[span.start : span.end] = [_name(prefix, span.label) for prefix in prefixes]
        before = span
    return tags


def tag_names(types: Iterable[str], scheme: Scheme) -> tuple[str, ...]:
    """Lists the tags of entity types.

    Args:
        types: The types.
        scheme: How entities are tagged.

    Returns:
        "O", then each type's tags.

    Example:
        >>> tag_names(["LOC", "PER"], BIO)
        ('O', 'B-LOC', 'I-LOC', 'B-PER', 'I-PER')
    """
    letters = dict.fromkeys((scheme.first, scheme.inside, scheme.last, scheme.single))
    return (OUTSIDE.prefix, *(_name(letter, label) for label in types for letter in letters))


def inside_tag(name: str, scheme: Scheme) -> str:
    """Says how the further tokens of a word are tagged.

    Args:
        name: The word's tag.
        scheme: How entities are tagged.

    Returns:
        The tag of an inner word where the word begins an entity; otherwise the word's own.

    Example:
        >>> inside_tag("B-PER", BIO), inside_tag("I-PER", BIO), inside_tag("O", BIO)
        ('I-PER', 'I-PER', 'O')
    """
    tag = parse_tag(name)
    if tag is None or tag.prefix not in "BS":
        return name
    return _name(scheme.inside, tag.label)


def detect_scheme(sentences: Sequence[Sequence[str]]) -> Scheme | None:
    """Finds out in which scheme sentences are tagged.

    Args:
        sentences: The tags of each.

    Returns:
        The scheme; None for tags that are none of entities, such as parts of speech.

    Example:
        >>> detect_scheme([["I-PER", "I-PER", "O"], ["O", "I-LOC", "B-LOC"]]).name
        'IOB1'
        >>> detect_scheme([["DET", "NOUN"]]) is None
        True
    """
    counts = Counter(tag for tags in sentences for tag in tags if tag != OUTSIDE.prefix)
    known = {tag: count for tag, count in counts.items() if parse_tag(tag)}
    # A misspelt tag among thousands must not make parts of speech of entities.
    if not known or 2 * sum(known.values()) <= counts.total():
        return None
    scheme = _by_prefixes(known)
    if scheme is not BIO:
        return scheme
    return min((BIO, IOB1), key=lambda each: sum(len(ill_formed(tags, each)) for tags in sentences))


def scheme_of_labels(labels: Iterable[str]) -> Scheme | None:
    """Finds out which scheme a model's labels are of.

    Args:
        labels: Its labels.

    Returns:
        The scheme; None for labels that are none of entities.

    Example:
        >>> scheme_of_labels(["O", "B-PER", "I-PER"]).name
        'BIO'
    """
    names = [label for label in labels if label != OUTSIDE.prefix]
    if not names or not all(map(parse_tag, names)):
        return None
    return _by_prefixes(names)


def ill_formed(tags: Sequence[str], scheme: Scheme) -> list[int]:
    """Finds the words whose tags break their scheme's rules.

    Args:
        tags: A tag for each word.
        scheme: Their scheme.

    Returns:
        The words' places.

    Example:
        >>> ill_formed(["O", "I-PER", "I-PER"], BIO)
        [1]
    """
    right = write_tags(find_spans(tags), len(tags), scheme)
    return [place for place, pair in enumerate(zip(tags, right, strict=True)) if len({*pair}) > 1]


def _by_prefixes(names: Iterable[str]) -> Scheme:
    prefixes = {name[0] for name in names}
    if "M" in prefixes:
        return BMES
    if prefixes & {"L", "U"}:
        return BILOU
    if prefixes & {"E", "S"}:
        return BIOES
    return BIO if "B" in prefixes else IO


def _name(prefix: str, label: str) -> str:
    return prefix if label == NO_TYPE else f"{prefix}-{label}"

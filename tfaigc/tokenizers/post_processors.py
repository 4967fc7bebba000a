"""The post-processors of tokenizer.json: which special tokens go where."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from tfaigc.errors import TokenizerError
from tfaigc.tokenizers.registry import Registry, Spec


@dataclass(frozen=True)
class Special:
    """Special tokens that are added.

    Attributes:
        token_ids: Their ids.
        segment_id: The segment that they belong to.
    """

    token_ids: tuple[int, ...]
    segment_id: int


@dataclass(frozen=True)
class Text:
    """The place of a text.

    Attributes:
        index: 0 for the text, 1 for its pair.
        segment_id: The segment that it belongs to.
    """

    index: int
    segment_id: int


Template = tuple[Special | Text, ...]


@dataclass(frozen=True)
class Templates:
    """What is put together for a text alone, and for a text and its pair.

    Attributes:
        single: The parts for a text alone.
        pair: The parts for a text and its pair.
        trims: How often spaces at the edges of tokens are left out of what these stand for, and
            each time whether a text's first token keeps those that it begins with; None where that
            is done behind special tokens, which are not followed here.
    """

    single: Template
    pair: Template
    trims: tuple[bool, ...] | None = ()

    def choose(self, *, pair: bool) -> Template:
        """Picks the template.

        Args:
            pair: Whether texts come in pairs.

        Returns:
            The parts.
        """
        return self.pair if pair else self.single

    def count_added(self, *, pair: bool) -> int:
        """Counts the special tokens that are added.

        Args:
            pair: Whether texts come in pairs.

        Returns:
            Their number.
        """
        parts = self.choose(pair=pair)
        return sum(len(part.token_ids) for part in parts if isinstance(part, Special))


POST_PROCESSORS: Registry[Templates] = Registry("post-processor")

NOTHING_ADDED = Templates(single=(Text(0, 0),), pair=(Text(0, 0), Text(1, 1)))
"""What happens without a post-processor."""


@POST_PROCESSORS.register("TemplateProcessing", "single", "pair", "special_tokens")
def _template(spec: Spec) -> Templates:
    def read(parts: Sequence[Spec], texts: int) -> Template:
        return tuple(_read_part(part, spec["special_tokens"], texts=texts) for part in parts)

    return Templates(single=read(spec["single"], 1), pair=read(spec["pair"], 2))


@POST_PROCESSORS.register("BertProcessing", "sep", "cls")
def _bert(spec: Spec) -> Templates:
    start, end, pair_end = (
        Special((spec["cls"][1],), 0),
        Special((spec["sep"][1],), 0),
        Special((spec["sep"][1],), 1),
    )
    single = (start, Text(0, 0), end)
    return Templates(single=single, pair=(*single, Text(1, 1), pair_end))


@POST_PROCESSORS.register("RobertaProcessing", "sep", "cls", "trim_offsets", "add_prefix_space")
def _roberta(spec: Spec) -> Templates:
    start, end = Special((spec["cls"][1],), 0), Special((spec["sep"][1],), 0)
    single = (start, Text(0, 0), end)
    return Templates(single, (*single, end, Text(1, 0), end), _trims(spec))


@POST_PROCESSORS.register("ByteLevel", "add_prefix_space", "trim_offsets", "use_regex")
def _byte_level(spec: Spec) -> Templates:
    return replace(NOTHING_ADDED, trims=_trims(spec))


@POST_PROCESSORS.register("Sequence", "processors")
def _sequence(spec: Spec) -> Templates:
    built = [POST_PROCESSORS.build(part) for part in spec["processors"]]
    adding = [templates for templates in built if _adds(templates)]
    if len(adding) > 1:
        kinds = ", ".join(str(part["type"]) for part in spec["processors"])
        raise TokenizerError(
            "A post-processor of type 'Sequence' must add special tokens at most once to run in "
            f"the graph. Received: {kinds}. Use encode, or put them into one template."
        )
    return replace(adding[0] if adding else NOTHING_ADDED, trims=_joined_trims(spec, built))


def _adds(templates: Templates) -> bool:
    return replace(templates, trims=()) != NOTHING_ADDED


def _trims(spec: Spec) -> tuple[bool, ...]:
    return (spec["add_prefix_space"],) if spec["trim_offsets"] else ()


def _joined_trims(spec: Spec, built: Sequence[Templates]) -> tuple[bool, ...] | None:
    """Puts the trims of a sequence together, if none comes behind tokens added to a text itself."""
    found: tuple[bool, ...] = ()
    inside = False
    for part, templates in zip(spec["processors"], built, strict=True):
        if templates.trims is None or (templates.trims and inside):
            return None
        found += templates.trims
        inside |= _adds(templates) and part["type"] != "TemplateProcessing"
    return found


def _read_part(part: Spec, special_tokens: Spec, *, texts: int) -> Special | Text:
    kind, content = next(iter(part.items()))
    segment_id = int(content["type_id"])
    if kind == "SpecialToken":
        return Special(tuple(special_tokens[content["id"]]["ids"]), segment_id)
    index = {"A": 0, "B": 1}.get(content["id"], texts)
    if kind != "Sequence" or index >= texts:
        raise TokenizerError(
            "A template must consist of special tokens and sequences, A alone or A and B in a pair."
            f" Received: {dict(part)}. Correct post_processor in tokenizer.json."
        )
    return Text(index, segment_id)

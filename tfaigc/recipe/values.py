"""YAML text into flat entries that remember how and where each value was written.

The scalars follow YAML 1.2: ``3e-5`` is a number and ``no`` is a word, so that a learning rate and
a label need no quotes.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import yaml


@dataclass(frozen=True)
class Entry:
    """One value as it was written.

    Attributes:
        value: What YAML makes of it: None, a bool, an int, a float, a string or a list of these.
        raw: The characters themselves, one string per item for a list; ``labels: [0, 1]`` keeps
            its names this way.
        where: Where it stands, for messages: ``line 3``; empty where that says nothing.
    """

    value: object
    raw: str | tuple[str, ...]
    where: str = ""

    @classmethod
    def of(cls, value: object, where: str = "") -> Entry:
        """Wraps a Python value as if it had been written down."""
        if isinstance(value, Sequence) and not isinstance(value, str):
            return cls(list(value), tuple(str(item) for item in value), where)
        return cls(value, str(value), where)


class NotFlatError(ValueError):
    """A value is a mapping, or a list within a list."""


class _Loader(yaml.SafeLoader):
    """A safe loader with YAML 1.2's core scalars."""


_Loader.yaml_implicit_resolvers = {}
_Loader.add_implicit_resolver("tag:yaml.org,2002:null", re.compile(r"^(~|null|Null|NULL|)$"), None)
_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:bool", re.compile(r"^(true|True|TRUE|false|False|FALSE)$"), list("tTfF")
)
_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:int", re.compile(r"^[-+]?[0-9]+$"), list("-+0123456789")
)
_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:float",
    re.compile(
        r"^([-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?"
        r"|[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN))$"
    ),
    list("-+.0123456789"),
)


def _scalar(node: yaml.Node) -> tuple[object, str]:
    if not isinstance(node, yaml.ScalarNode):
        raise NotFlatError
    raw = str(node.value)
    kind = node.tag.rsplit(":", 1)[-1]
    if kind == "null":
        return None, raw
    if kind == "bool":
        return raw.lower() == "true", raw
    try:
        if kind == "int":
            return int(raw), raw
        if kind == "float":
            # YAML writes infinity with a dot in front, Python without.
            word = raw.lower()
            return float(word.replace(".", "") if word.endswith(("inf", "nan")) else word), raw
    except ValueError:  # an explicit tag in front of something else: !!int many
        pass
    return raw, raw


def _entry(node: yaml.Node, where: str) -> Entry:
    if isinstance(node, yaml.SequenceNode):
        items = [_scalar(item) for item in node.value]
        return Entry([value for value, _ in items], tuple(raw for _, raw in items), where)
    value, raw = _scalar(node)
    return Entry(value, raw, where)


def _compose(text: str) -> yaml.Node | None:
    loader: Any = _Loader(text)
    try:
        node: yaml.Node | None = loader.get_single_node()
        return node
    finally:
        loader.dispose()


def read_mapping(text: str) -> tuple[Mapping[str, Entry], list[str]]:
    r"""Reads a flat mapping and collects what is wrong with its shape.

    Args:
        text: The YAML text.

    Returns:
        The entries by key, and one line per fault.

    Raises:
        yaml.YAMLError: The text is not YAML.

    Example:
        >>> entries, faults = read_mapping("learning_rate: 3e-5\nlabels: [no, yes]\n")
        >>> entries["learning_rate"].value, entries["labels"].value, faults
        (3e-05, ['no', 'yes'], [])
    """
    node = _compose(text)
    if node is None:
        return {}, []
    if not isinstance(node, yaml.MappingNode):
        return {}, ["line 1: a recipe must hold lines of the form 'key: value'."]
    entries: dict[str, Entry] = {}
    faults: list[str] = []
    for key_node, value_node in node.value:
        line = f"line {key_node.start_mark.line + 1}"
        if not isinstance(key_node, yaml.ScalarNode):
            faults.append(f"{line}: a key must be one plain word.")
            continue
        key = str(key_node.value)
        if key in entries:
            faults.append(
                f"{line}, {key}: stands twice, first in {entries[key].where}. Keep one of the two."
            )
            continue
        try:
            entries[key] = _entry(value_node, line)
        except NotFlatError:
            faults.append(
                f"{line}, {key}: a recipe is flat, and this value has keys or lists inside. "
                f"Write every key at the margin, and headings as comments: '# {key}'."
            )
    return entries, faults


def read_value(text: str, where: str) -> Entry:
    """Reads the value of an override; what is not YAML is taken as it stands.

    Args:
        text: The characters behind the equals sign.
        where: Where it came from, for messages.

    Returns:
        The entry.

    Raises:
        NotFlatError: The value is a mapping, or a list within a list.

    Example:
        >>> read_value("3e-5", "").value, read_value("@text", "").value
        (3e-05, '@text')
    """
    try:
        node = _compose(text)
    except yaml.YAMLError:
        return Entry(text, text, where)
    if node is None:
        return Entry(None, "", where)
    if isinstance(node, yaml.MappingNode) and not text.lstrip().startswith("{"):
        # "Review: text" is a column's name, not a mapping.
        return Entry(text, text, where)
    return _entry(node, where)

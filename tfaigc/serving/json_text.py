"""JSON as TensorFlow Serving reads it, and as it quotes it in error messages."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any, NoReturn

from tfaigc.serving.statuses import invalid

# What the server quotes of a value; the rest would only fill logs.
_MOST_QUOTED_BYTES = 256
_DEEPEST_QUOTED = _MOST_QUOTED_BYTES

# Numbers that may not fit a double, and the short names of infinity, are rare: only a body that
# has something of their form is read with more care. Digits are counted from the first of a run
# only, and a string that does not end matches to the end of the text: else both searches would
# begin anew at each character, and hold up the whole process.
_LARGE_NUMBER = re.compile(r"[eE]\+?[0-9]{3}|[0-9](?<![0-9]{2})[0-9]{308}")
_STRING_OR_INF = re.compile(r'"(?:[^"\\]|\\.)*(?:"|\\?\Z)|\bInf\b', re.DOTALL)

_decoder = json.JSONDecoder()


def parse_object(body: bytes) -> dict[str, Any]:
    """Reads the JSON object that a request's body begins with.

    NaN, Infinity and Inf are numbers; what follows the object is ignored.

    Args:
        body: UTF-8, with or without a byte order mark.

    Returns:
        The object.

    Raises:
        RequestError: The body is not UTF-8, not JSON, or no object.

    Example:
        >>> parse_object(b'{"instances": [1.5, NaN]} and more')
        {'instances': [1.5, nan]}
    """
    try:
        text = body.decode("utf-8-sig").lstrip(" \t\r\n")
    except UnicodeDecodeError as error:
        raise invalid(f"JSON Parse error: Invalid UTF-8 at offset: {error.start}") from None
    if not text:
        raise invalid("JSON Parse error: The document is empty")
    value = _parse(text)
    if not isinstance(value, dict):
        raise invalid(f"JSON Value: {quoted(value)} Is not object")
    return value


def _parse(text: str) -> Any:
    decoder = _decoder
    if _LARGE_NUMBER.search(text):
        decoder = json.JSONDecoder(parse_float=_finite, parse_int=_finite_integer)
    try:
        try:
            return decoder.raw_decode(text)[0]
        except json.JSONDecodeError:
            if "Inf" not in text:
                raise
            spelled = _STRING_OR_INF.sub(_spell_infinity, text)
            return decoder.raw_decode(spelled)[0]
    except json.JSONDecodeError as error:
        offset = len(text[: error.pos].encode("utf-8", "surrogatepass"))
        raise invalid(f"JSON Parse error: {error.msg} at offset: {offset}") from None
    except RecursionError:
        raise invalid("JSON Parse error: The document is nested too deeply") from None


def _spell_infinity(found: re.Match[str]) -> str:
    return "Infinity" if found[0] == "Inf" else found[0]


def _finite(digits: str) -> float:
    number = float(digits)
    if number in (float("inf"), float("-inf")):
        _refuse_number()
    return number


def _finite_integer(digits: str) -> int | float:
    # 20 characters hold every 64-bit integer; larger numbers are floats to the server.
    return int(digits) if len(digits) <= 20 else _finite(digits)


def _refuse_number() -> NoReturn:
    raise invalid("JSON Parse error: Number too big to be stored in double.")


def type_name(value: Any) -> str:
    """Names a JSON value's type.

    Args:
        value: What the JSON parser made.

    Returns:
        The name that the server uses.

    Example:
        >>> [type_name(value) for value in (None, True, 1, 1.5, "a", [], {})]
        ['Null', 'True', 'Number', 'Number', 'String', 'Array', 'Object']
    """
    if isinstance(value, bool):
        return str(value)
    names = {dict: "Object", list: "Array", str: "String", int: "Number", float: "Number"}
    return names.get(type(value), "Null")


def quoted(value: Any) -> str:
    """Writes a JSON value for an error message, cut where it grows long.

    Args:
        value: What the JSON parser made.

    Returns:
        Arrays on one line, objects with a line for each key.

    Example:
        >>> quoted([1, "a", None])
        '[1, "a", null]'
    """
    text = ""
    for piece in _pieces(value, 0):
        text += piece
        if len(text) >= _MOST_QUOTED_BYTES:
            break
    return text[: 2 * _MOST_QUOTED_BYTES]


def _pieces(value: Any, depth: int) -> Iterator[str]:
    """Writes a value piece by piece, so that a long one is never written whole."""
    if isinstance(value, list) and depth < _DEEPEST_QUOTED:
        yield "["
        for number, item in enumerate(value):
            yield ", " if number else ""
            yield from _pieces(item, depth)
        yield "]"
    elif isinstance(value, dict) and value and depth < _DEEPEST_QUOTED:
        indent = "    " * (depth + 1)
        yield "{\n"
        for number, (key, item) in enumerate(value.items()):
            yield f"{',' + chr(10) if number else ''}{indent}{json.dumps(key[:512])}: "
            yield from _pieces(item, depth + 1)
        yield f"\n{'    ' * depth}}}"
    elif isinstance(value, str):
        yield json.dumps(value[: 2 * _MOST_QUOTED_BYTES], ensure_ascii=False)
    else:
        yield json.dumps(value) if not isinstance(value, (list, dict)) else "{}"

"""Writing TOML: the complete document of an instance as a file that reads back the same."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

_BARE = re.compile(r"[A-Za-z0-9_-]+")


def toml_of(document: Mapping[str, Any]) -> str:
    """Write a document: tables under headings of their own, lists in one line.

    Examples
    --------
    >>> print(toml_of({"a": {"b": 1, "c.d": {"e": [0.5, True]}}, "f": [{"g": "h"}]}), end="")
    [a]
    b = 1
    <BLANKLINE>
    [a."c.d"]
    e = [0.5, true]
    <BLANKLINE>
    [[f]]
    g = "h"
    """
    return "\n".join("\n".join(block) + "\n" for block in _blocks(document, ()))


def _blocks(table: Mapping[str, Any], at: tuple[str, ...]) -> Iterator[list[str]]:
    """Give the lines of each heading."""
    own = {key: value for key, value in table.items() if not _has_headings(value)}
    if own or not table:
        head = [f"[{'.'.join(map(_key, at))}]"] if at else []
        yield [*head, *(f"{_key(key)} = {_value(value)}" for key, value in own.items())]
    for key, value in table.items():
        if isinstance(value, Mapping):
            yield from _blocks(value, (*at, key))
        elif _has_headings(value):
            name = ".".join(map(_key, (*at, key)))
            for entry in value:
                yield [f"[[{name}]]", *(f"{_key(k)} = {_value(v)}" for k, v in entry.items())]


def _has_headings(value: Any) -> bool:
    """Whether a value stands under headings: a table, or a list of nothing but tables."""
    if isinstance(value, Mapping):
        return True
    is_list = isinstance(value, list) and bool(value)
    return is_list and all(isinstance(entry, Mapping) for entry in value)


def _key(key: str) -> str:
    return key if _BARE.fullmatch(key) else _text(key)


def _value(value: Any) -> str:
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{_key(k)} = {_value(v)}" for k, v in value.items()) + " }"
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(map(_value, value)) + "]"
    if isinstance(value, bool):
        return "true" if value else "false"
    return repr(value) if isinstance(value, (int, float)) else _text(str(value))


def _text(text: str) -> str:
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")

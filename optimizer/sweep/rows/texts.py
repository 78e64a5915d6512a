"""How points, rows and bases are written as text in the store, and read back."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, fields
from typing import Any

from models.build import Column
from optimizer.highs import Options
from optimizer.sweep.points import Json


def text_of(value: Json) -> str:
    """Write JSON with its keys in the order in which they came, which tables keep.

    Numbers of numpy are numbers; what is no number is null, as tables leave it empty.

    Examples
    --------
    >>> text_of({"mw": 1.0, "gap": math.inf, "racks": [1, True, "é"]})
    '{"mw":1.0,"gap":null,"racks":[1,true,"é"]}'
    """
    return json.dumps(_plain(value), separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def _plain(value: Any) -> Json:
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if hasattr(value, "item"):
        value = value.item()
    return None if isinstance(value, float) and not math.isfinite(value) else value


#: Longest text of a setting in a line of words.
LONGEST = 24


def setting(value: Json) -> str:
    """Write what an axis is set to.

    Examples
    --------
    >>> setting(0.8500000000000001), setting(360), setting("wet"), setting(None)
    ('0.85', '360', 'wet', 'as base')
    """
    if value is None:
        return "as base"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        return f"{value:.6g}"
    text = value if isinstance(value, str) else text_of(value)
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"


def settings(held: Mapping[str, Json]) -> str:
    """Write what all axes of a case are set to.

    Examples
    --------
    >>> settings({"capex": 360, "firm": 1.2}), settings({})
    ('capex 360, firm 1.2', 'the base itself')
    """
    told = ", ".join(f"{axis} {setting(value)}" for axis, value in held.items())
    return told or "the base itself"


def options_text(options: Options) -> str:
    """Write options; a limit that is infinite is null."""
    return text_of(asdict(options))


def options_of(text: str) -> Options:
    """Read options back; those that an older program did not know are as they are by default.

    Examples
    --------
    >>> options_of(options_text(Options(gap=0.01))) == Options(gap=0.01)
    True
    """
    known = {field.name for field in fields(Options)}
    found = {key: value for key, value in json.loads(text).items() if key in known}
    limit = found.get("time_limit")
    return Options(**{**found, "time_limit": math.inf if limit is None else limit})


def start_text(start: Mapping[Column, float] | None) -> str | None:
    """Write a plan of the base, where there is one."""
    if start is None:
        return None
    return json.dumps([[name, index, float(value)] for (name, index), value in start.items()])


def start_of(text: str | None) -> dict[Column, float] | None:
    """Read it back, to the last bit.

    Examples
    --------
    >>> start = {("racks", ("n0", ("hall", 2), "s21")): 0.1}
    >>> start_of(start_text(start)) == start
    True
    """
    if text is None:
        return None
    return {(name, _tuples(index)): value for name, index, value in json.loads(text)}


def _tuples(value: Sequence[Any]) -> tuple[Any, ...]:
    return tuple(_tuples(item) if isinstance(item, list) else item for item in value)

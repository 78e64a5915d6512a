"""Blocks of a sweep file as they are read: every complaint at its line, in the reader's words."""

from __future__ import annotations

import math
import types
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, TypeVar, Union, get_args, get_origin

from pydantic import TypeAdapter, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from models.instance import Block, Name
from optimizer.errors import Problem, Report, did_you_mean, listed, nearest
from optimizer.keys import Key, Places, declared, dotted, keys_of, limits_of
from optimizer.load.blocks import as_typed

#: What is said of a file that is not there, or cannot be.
NO_FILE = "there is no such file"

B = TypeVar("B", bound=Block)

_NAME = TypeAdapter(Name)
_WORDS: Mapping[Any, str] = {
    float: "a number", int: "a whole number", bool: "true or false", str: "text",
}  # fmt: skip
_RANGE = {"greater_than", "greater_than_equal", "less_than", "less_than_equal"}
_SAID = {
    "missing": "the key is missing",
    "extra_forbidden": "unknown key",
    "finite_number": "the value is not a finite number",
    "literal_error": "the value is none of the words allowed",
    "string_pattern_mismatch": "this cannot be a name",
    "string_too_long": "the text is too long",
    "too_short": "the list is empty",
}

#: Keys that people try, and what to write instead.
_INSTEAD: Mapping[str, str] = {
    "range": "write values = { from = ..., to = ..., count = ... }",
    "distribution": 'write it inside values, scale or delta: { distribution = "normal", ... }',
    "file": "name the files under prices",
    "min": "write `from`", "max": "write `to`", "start": "write `from`", "stop": "write `to`",
    "min_value": "write `least`", "std": "write `sd`", "sigma": "write `sd`", "n": "write `count`",
    "time_limit": "write `time_limit_s`", "memory": "write `memory_mb`",
    "plan": "a plan has a table of its own, [plan]",
}  # fmt: skip


def takes(info: FieldInfo) -> str:
    """Say what a key takes, its range among it."""
    said = declared(info, "takes")
    words = [str(said) if said else _of_type(info.annotation), *limits_of(info)]
    return ", ".join(word for word in words if word)


def _of_type(annotation: Any) -> str:
    choices = choices_of(annotation)
    if get_origin(annotation) is list:
        inner = listed(choices) if choices else _of_type(get_args(annotation)[0])
        return f"a list of {inner.removeprefix('a ')}" + ("s" if inner == "a number" else "")
    if choices:
        return listed(choices)
    if get_origin(annotation) in (Union, types.UnionType):
        return _of_type(get_args(annotation)[0])
    if get_origin(annotation) is not None and hasattr(annotation, "__metadata__"):
        return _of_type(get_args(annotation)[0])
    return _WORDS.get(annotation, "")


def choices_of(annotation: Any) -> tuple[str, ...]:
    """Words that a key may hold; none where it is not one of some words."""
    if get_origin(annotation) is Literal:
        return tuple(map(str, get_args(annotation)))
    return next((found for arg in get_args(annotation) if (found := choices_of(arg))), ())


def file_at(folder: Path, typed: str) -> Path | None:
    """Find a file that a sweep names; None where there is none, or can be none of that name."""
    try:
        path = (folder / typed).resolve()
        return path if path.is_file() else None
    except (OSError, ValueError):
        return None


def tables_beside(folder: Path, typed: str) -> list[str]:
    """Names of the CSV files that lie where a file should."""
    try:
        return sorted(path.name for path in (folder / typed).parent.glob("*.csv"))
    except (OSError, ValueError):
        return []


@dataclass
class Reading:
    """What is found in a file as it is read.

    Attributes
    ----------
    report : Report
        Takes the problems.
    places : Places
        Where every key stands.
    lost : set of Key
        Keys with a problem already; no more is said about them.
    """

    report: Report
    places: Places
    lost: set[Key] = field(default_factory=set)

    def complain(
        self, key: Key, message: str, found: str = "", allowed: str = "", hint: str = "",
    ) -> None:  # fmt: skip
        """Report a problem with a key, once."""
        if not any(key[:size] in self.lost for size in range(1, len(key) + 1)):
            self.lost.add(key)
            place = self.places.of(key)
            self.report.add(
                Problem(message, place.file, place.line, dotted(key), found, allowed, hint)
            )

    def warn(self, key: Key, message: str, found: str = "", hint: str = "") -> None:
        """Report what is doubtful."""
        place = self.places.of(key)
        self.report.add(
            Problem(message, place.file, place.line, dotted(key), found, "", hint, "warning")
        )

    def wrong_type(self, key: Key, held: Any, allowed: str, hint: str = "") -> None:
        """Report a value of another type."""
        self.complain(key, "the value has the wrong type", as_typed(held), allowed, hint)

    def file(self, key: Key, folder: Path, typed: str, hint: str = "") -> Path | None:
        """Find a file that a key names; None, and a problem, where there is none."""
        path = file_at(folder, typed)
        if path is None:
            there = listed(tables_beside(folder, typed))
            hint = hint or (f"the folder has {there}" if there else "")
            self.complain(key, NO_FILE, as_typed(typed), hint=hint)
        return path

    def name(self, key: Key, name: Any) -> bool:
        """Whether the last part of a key can be a name; reports where not."""
        try:
            _NAME.validate_python(name)
        except ValidationError:
            allowed = "letters, digits, dot, dash and underscore, at most 64"
            self.complain(key, "this cannot be a name", as_typed(name), allowed)
            return False
        return True

    def number(self, key: Key, held: Any) -> bool:
        """Whether a value is a finite number; reports where not."""
        if isinstance(held, bool) or not isinstance(held, (int, float)):
            hint = "write numbers without quotes" if isinstance(held, str) else ""
            self.wrong_type(key, held, "a number", hint)
            return False
        if not math.isfinite(held) or abs(held) > 1e300:
            self.complain(key, "the value is not a finite number", as_typed(held))
            return False
        return True

    def tables(self, key: Key, held: Any) -> Iterator[tuple[str, Any]]:
        """Walk a table of named entries; reports where it is none."""
        if not isinstance(held, dict):
            self.wrong_type(key, held, "a table of named tables")
            return
        yield from held.items()

    def block(self, key: Key, block: type[B], held: Any) -> B | None:
        """Read a table as a block of the format; None, and its problems, where it is none."""
        if not isinstance(held, dict):
            self.wrong_type(key, held, "a table")
            return None
        try:
            return block.model_validate(held)
        except ValidationError as refused:
            self._refuse(key, block, refused.errors(include_url=False))
        return None

    def _refuse(self, key: Key, block: type[Block], errors: list[ErrorDetails]) -> None:
        """Report pydantic's complaints about a block, those about single keys first."""
        for error in sorted(errors, key=lambda e: (e["type"] == "missing", not e["loc"])):
            parts = error["loc"][:2] if _is_item(error["loc"]) else error["loc"][:1]
            at = (*key, *parts)
            if not parts and any(lost[: len(key)] == key for lost in self.lost):
                continue
            if error["type"] == "missing" and self._is_misspelt(at):
                continue
            self.complain(at, *_told(block, str(parts[0]) if parts else "", error))

    def _is_misspelt(self, at: Key) -> bool:
        """Whether a key that is missing was told as an unknown one."""
        beside = [str(lost[-1]) for lost in self.lost if lost[:-1] == at[:-1]]
        meant = any(_INSTEAD.get(word) == f"write `{at[-1]}`" for word in beside)
        return meant or nearest(str(at[-1]), beside) is not None


def _is_item(location: tuple[int | str, ...]) -> bool:
    return len(location) > 1 and isinstance(location[1], int)


def _told(block: type[Block], name: str, error: ErrorDetails) -> tuple[str, str, str, str]:
    """Message, what was found, what is allowed and a hint for one of pydantic's complaints."""
    kind, info, value = error["type"], keys_of(block).get(name), error["input"]
    if kind == "extra_forbidden":
        hint = did_you_mean(name, keys_of(block)) or _INSTEAD.get(name, "")
        return _SAID[kind], name, listed(keys_of(block), 40), hint
    if kind == "missing":
        return (
            _SAID[kind],
            "",
            takes(info) if info else "",
            (info.description or "") if info else "",
        )
    allowed = takes(info) if info else ""
    if kind in _RANGE:
        return "the value is outside its range", as_typed(value), allowed, ""
    if kind == "literal_error":
        choices = choices_of(info.annotation) if info else ()
        return _SAID[kind], as_typed(value), listed(choices), did_you_mean(str(value), choices)
    if kind in _SAID:
        return _SAID[kind], as_typed(value), allowed, ""
    if kind.endswith(("_type", "_from_float", "_parsing")):
        return "the value has the wrong type", as_typed(value), allowed, _type_hint(allowed, value)
    return error["msg"][:1].lower() + error["msg"][1:], "", "", ""


def _type_hint(allowed: str, value: Any) -> str:
    if isinstance(value, str) and "number" in allowed and not allowed.startswith("a list"):
        return "write numbers without quotes"
    if isinstance(value, str) and allowed.startswith("a list"):
        return f'write ["{value[:40]}"]'
    if isinstance(value, str) and "true or false" in allowed:
        return "write true or false without quotes"
    return ""

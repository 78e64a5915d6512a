"""From what was typed to the blocks of the format, with every complaint in the reader's words."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from pydantic import TypeAdapter, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from models.instance import TABLES, Block, Growth, Instance, Name, Step
from optimizer.checks.draft import Draft
from optimizer.checks.plausible import LARGEST, UNITLESS, band_of, slip
from optimizer.errors import Problem, Report, did_you_mean, listed, nearest
from optimizer.keys import (
    Key,
    Kind,
    Places,
    dotted,
    kind_at,
    kinds_of,
    limits_of,
    unit_of,
    value_at,
)
from optimizer.load.catalogue import SHELVES

_NAME = TypeAdapter(Name)
_REQUIRED = ("instance", "horizon", "finance", "bitcoin", "sites", "halls")

_IN_WORDS: Mapping[str, str] = {
    "number": "a number", "count": "a whole number", "flag": "true or false", "text": "text",
    "month": 'a month as text, as "2027-04"', "names": 'a list of names, as ["a", "b"]',
    "block": "a table", "blocks": "a list of tables", "table": "a table of named tables",
    "numbers": "a table of named numbers",
    "path": "a number, { start, growth_per_month }, a list of { from, value }, "
    "or the name of a column of paths.csv",
    "steps": "a number, a list of { from, value }, or the name of a column of paths.csv",
}  # fmt: skip


def allowed_for(kind: Kind, info: FieldInfo) -> str:
    """Write what a key may hold: its type, range and unit."""
    if kind.what == "choice":
        return listed(kind.choices)
    what = "steps" if kind.what == "path" and not kind.grows else kind.what
    words = [_IN_WORDS.get(what, ""), *limits_of(info)]
    unit = unit_of(info)
    text = ", ".join(word for word in words if word)
    return f"{text}, in {unit}" if unit and unit not in UNITLESS else text


# --- unknown keys --------------------------------------------------------------------------


@dataclass
class Straightener:
    """Reports keys that the format does not have, and goes on with what was probably meant.

    A key that is near a valid one takes its name, so that it is not reported as missing as well;
    nothing more is said about its value.
    """

    places: Places
    report: Report
    lost: set[Key]
    homes: dict[str, str] = field(default_factory=dict)

    def straighten(self, held: Any, block: type[Block] = Instance, key: Key = ()) -> None:
        """Walk a table and what is in it."""
        if not isinstance(held, dict):
            return
        kinds = kinds_of(block)
        for name in [name for name in held if name not in kinds and not _is_use(name, key)]:
            self._unknown(held, name, kinds, key)
        for name, kind in kinds.items():
            if name in held:
                self._inside(held[name], kind, (*key, name))

    def _inside(self, held: Any, kind: Kind, key: Key) -> None:
        if kind.what == "block" and kind.block:
            self.straighten(held, kind.block, key)
        elif kind.what == "path":
            self.straighten(held, Growth, key)
            for position, step in enumerate(held if isinstance(held, list) else ()):
                self.straighten(step, Step, (*key, position))
        elif kind.what == "table" and kind.block and isinstance(held, dict):
            for name, entry in held.items():
                self.straighten(entry, kind.block, (*key, name))
        elif kind.what == "blocks" and kind.block and isinstance(held, list):
            for position, entry in enumerate(held):
                self.straighten(entry, kind.block, (*key, position))

    def _unknown(
        self, held: dict[str, Any], name: str, kinds: Mapping[str, Kind], key: Key
    ) -> None:
        place = self.places.of((*key, name))
        allowed = [other for other, kind in kinds.items() if kind.what != "planned"]
        near = (other for other in allowed if _may_hold(kinds[other], held[name]))
        meant = nearest(name, near) if name != "use" else None
        hint = f"did you mean `{meant}`?" if meant else self._home(name)
        self.report.add(
            Problem(
                "unknown key", place.file, place.line, dotted((*key, name)), name,
                listed(allowed, 40), hint,
            )
        )  # fmt: skip
        value = held.pop(name)
        if meant and meant not in held:
            held[meant] = value
            self.places.rename((*key, name), (*key, meant))
            if kinds[meant].what not in ("block", "blocks", "table"):
                self.lost.add((*key, meant))

    def _home(self, name: str) -> str:
        if not self.homes:
            for top, kind in kinds_of(Instance).items():
                for inner in kinds_of(kind.block) if kind.block else ():
                    self.homes.setdefault(inner, top)
        if name == "use":
            return f"only {listed(map(dotted, SHELVES))} have a catalogue"
        home = self.homes.get(name)
        return f"`{name}` is a key of {home}; does it stand under its header?" if home else ""


def _may_hold(kind: Kind, held: Any) -> bool:
    """Whether a key takes a value of this make at all: a table, a list, or neither."""
    if isinstance(held, dict):
        return kind.what in ("block", "table", "numbers", "path")
    if isinstance(held, list):
        return kind.what in ("blocks", "names", "path")
    return kind.what not in ("block", "blocks", "table", "numbers")


def _is_use(name: str, key: Key) -> bool:
    return name == "use" and key[:-1] in SHELVES


# --- blocks --------------------------------------------------------------------------------


def instance_of(blocks: Mapping[Key, Block]) -> Instance:
    """Put blocks together that have all read well."""
    inside: dict[str, dict[str | int, Block]] = {}
    for key, block in blocks.items():
        if len(key) == 2:
            inside.setdefault(str(key[0]), {})[key[1]] = block
    tables: dict[str, Any] = {}
    for name, kind in kinds_of(Instance).items():
        if kind.what == "block" and (name,) in blocks:
            tables[name] = blocks[(name,)]
        elif kind.what == "table":
            tables[name] = inside.get(name, {})
        elif kind.what == "blocks":
            tables[name] = list(inside.get(name, {}).values())
    return Instance(**tables)


@dataclass
class Reader:
    """Turns what was typed into blocks, reporting all that does not read.

    Attributes
    ----------
    lost : set of Key
        Keys with a problem already; no more is said about them.
    unread : set of Key
        Tables that are not whole, so that no name is missed in them.
    blocks : dict
        The blocks that read well.
    """

    document: dict[str, Any]
    places: Places
    report: Report
    lost: set[Key]
    unread: set[Key]
    blocks: dict[Key, Block] = field(default_factory=dict)

    def read(self) -> None:
        """Read every block of the document."""
        for name in _REQUIRED:
            held = self.document.get(name)
            if held is None or (name in TABLES and not held):
                self._absent(name)
                self.unread.add((name,))
        for name, kind in kinds_of(Instance).items():
            held = self.document.get(name)
            if kind.what == "planned" and name in self.document:
                self._complain(
                    (name,), "this key has its place but is not built yet", "take it out"
                )
            elif kind.block and (held is not None or name not in _REQUIRED):
                self._read_top((name,), kind, kind.block, held)

    def draft(self, known: Mapping[Key, frozenset[str]]) -> Draft:
        """Give what was read, for the checks."""
        return Draft(
            self.document,
            self.blocks,
            self.places,
            frozenset(self.lost),
            frozenset(self.unread),
            known,
        )

    def instance(self) -> Instance:
        """Put the blocks together; every one of them has read well."""
        return instance_of(self.blocks)

    def _absent(self, name: str) -> None:
        if (name,) in self.unread:
            return
        kind = kinds_of(Instance)[name]
        entry = f"[{name}]" if kind.what == "block" else f"[{name}.<name>]"
        hint = f"add {entry}"
        self._complain((name,), f"the block {name} is missing", hint)

    def _complain(
        self, key: Key, message: str, hint: str = "", found: str = "", allowed: str = ""
    ) -> None:
        place = self.places.of(key)
        self.lost.add(key)
        self.report.add(
            Problem(message, place.file, place.line, dotted(key), found, allowed, hint)
        )

    def _read_top(self, key: Key, kind: Kind, block: type[Block], held: Any) -> None:
        if kind.what == "block":
            self._read_block(key, block, {} if held is None else held)
        elif kind.what == "table":
            self._read_entries(key, block, {} if held is None else held)
        else:
            self._read_items(key, block, [] if held is None else held)

    def _read_entries(self, key: Key, block: type[Block], held: Any) -> None:
        if not isinstance(held, dict):
            self._complain(key, "the value has the wrong type", allowed=_IN_WORDS["table"])
            return
        for name, entry in held.items():
            self._check_name((*key, name))
            self._read_block((*key, name), block, entry)

    def _read_items(self, key: Key, block: type[Block], held: Any) -> None:
        if not isinstance(held, list):
            self._complain(key, "the value has the wrong type", allowed=_IN_WORDS["blocks"])
            return
        for position, entry in enumerate(held):
            self._read_block((*key, position), block, entry)

    def _check_name(self, key: Key) -> None:
        try:
            _NAME.validate_python(key[-1])
        except ValidationError:
            allowed = "letters, digits, dot, dash and underscore, at most 64"
            self._complain(key, "this cannot be a name", found=repr(key[-1])[:80], allowed=allowed)

    def _read_block(self, key: Key, block: type[Block], held: Any) -> None:
        if not isinstance(held, dict):
            found, allowed = as_typed(held), _IN_WORDS["block"]
            self._complain(key, "the value has the wrong type", found=found, allowed=allowed)
            return
        try:
            self.blocks[key] = block.model_validate(held)
        except ValidationError as refused:
            self._refuse_all(key, block, held, refused.errors(include_url=False))
        self._read_inner(key, block, held)

    def _read_inner(self, key: Key, block: type[Block], held: dict[str, Any]) -> None:
        """Keep the good blocks inside a block, for checks that look at them alone."""
        for name, kind in kinds_of(block).items():
            inside = held.get(name)
            pairs: Any = ()
            if kind.what == "table" and isinstance(inside, dict):
                pairs = inside.items()
            elif kind.what == "blocks" and isinstance(inside, list):
                pairs = enumerate(inside)
            for part, entry in pairs if kind.block else ():
                try:
                    self.blocks[(*key, name, part)] = kind.block.model_validate(entry)  # type: ignore[union-attr]
                except ValidationError:
                    continue

    def _refuse_all(
        self, key: Key, block: type[Block], held: dict[str, Any], errors: list[ErrorDetails]
    ) -> None:
        """Report pydantic's complaints about a block, each once.

        A path has several forms, and pydantic complains about each. What is said of the form
        that was typed counts; where a path has no such form, its type is wrong.
        """
        located = [(*_plain_location(error["loc"], held), error) for error in errors]
        for inner, fits, error in located:
            if fits:
                self._refuse((*key, *inner), kind_at(inner, block), error)
        for inner, _, error in located:
            at = (*key, *inner)
            if not any(lost[: len(at)] == at for lost in self.lost):
                wrong: ErrorDetails = {
                    **error,
                    "type": "float_type",
                    "input": value_at(held, inner),
                }
                self._refuse(at, kind_at(inner, block), wrong)

    def _refuse(self, at: Key, found: tuple[Kind, FieldInfo] | None, error: ErrorDetails) -> None:
        if any(at[:size] in self.lost for size in range(1, len(at) + 1)):
            return
        if error["type"] in _OF_A_WHOLE and any(lost[: len(at)] == at for lost in self.lost):
            return
        self.lost.add(at)
        self.report.add(_problem(at, found, error, self.places))


#: Complaints about a block as a whole; where one of its keys has a problem, they only echo it.
_OF_A_WHOLE = {
    "one_of", "machines", "gpu_rack", "asic", "asic_reuse", "pue", "project", "mw", "racks",
    "gpu_rate", "take_or_pay", "sign_by", "latest", "ramp", "months",
    "credits", "credits_promise", "package", "pooled", "company", "mixed_fitout", "standby",
    "standby_ready",
}  # fmt: skip

#: How pydantic names the forms of a path, and how each is told from the value typed.
_FORMS: tuple[tuple[str, Callable[[Any], bool]], ...] = (
    ("float", lambda held: not isinstance(held, (dict, list))),
    ("Growth", lambda held: isinstance(held, dict)),
    ("function-after[", lambda held: isinstance(held, list)),
)


def _plain_location(location: tuple[int | str, ...], held: Any) -> tuple[Key, bool]:
    """Drop the names of forms from a location, and say whether it is the form that was typed."""
    key: Key = ()
    for part in location:
        here = value_at(held, key)
        form = next(
            (fits for name, fits in _FORMS if isinstance(part, str) and part.startswith(name)),
            None,
        )
        if form is None or (isinstance(here, dict) and part in here):
            key = (*key, part)
        elif not form(here):
            return key, False
    return (key[:-1] if key[-1:] == ("[key]",) else key), True


# --- complaints in words -------------------------------------------------------------------

_RANGE = {"greater_than", "greater_than_equal", "less_than", "less_than_equal"}
_TYPES = {
    "float_type", "int_type", "int_from_float", "bool_type", "string_type", "list_type",
    "dict_type", "model_type", "model_attributes_type", "int_parsing", "float_parsing",
}  # fmt: skip


def _problem(
    key: Key, found: tuple[Kind, FieldInfo] | None, error: ErrorDetails, places: Places
) -> Problem:
    """Translate one of pydantic's complaints."""
    place = places.of(key)
    kind, info = found if found else (Kind("text"), None)
    allowed = allowed_for(kind, info) if info else _IN_WORDS["block"]
    message, shown, hint = _message(error), as_typed(error["input"]), ""
    if error["type"] == "missing":
        hint, shown = (info.description or "") if info else "", ""
    elif error["type"] in _TYPES:
        hint = _type_hint(kind, error["input"])
    elif error["type"] in _RANGE and info:
        hint = _range_hint(error["input"], info)
    elif error["type"] == "literal_error":
        hint = did_you_mean(str(error["input"]), kind.choices)
    elif error["type"] == "not_built":
        hint, shown, allowed = _instead(info), "", ""
    elif error["type"] in _OF_A_WHOLE or error["type"] == "steps":
        shown, allowed = "", ""
    return Problem(message, place.file, place.line, dotted(key), shown, allowed, hint)


def _instead(info: FieldInfo | None) -> str:
    """What to do about a key that is not built yet."""
    extra = info.json_schema_extra if info else None
    return str(extra["instead"]) if isinstance(extra, dict) else "take it out"


def _message(error: ErrorDetails) -> str:
    kind = error["type"]
    if kind in _RANGE:
        return "the value is outside its range"
    if kind in _TYPES:
        return "the value has the wrong type"
    words = {
        "missing": "the key is missing",
        "finite_number": "the value is not a finite number",
        "literal_error": "the value is none of the words allowed",
        "string_pattern_mismatch": "this cannot be a name",
        "string_too_long": "the text is too long",
    }
    message = words.get(kind, error["msg"])
    return message[:1].lower() + message[1:]


def as_typed(value: Any) -> str:
    """Write a value as it was typed, cut where it is long.

    Examples
    --------
    >>> as_typed(True), as_typed("east"), as_typed([1, 2])
    ('true', "'east'", '[1, 2]')
    """
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, (datetime.date, datetime.time)):
        return value.isoformat()
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


def _type_hint(kind: Kind, value: Any) -> str:
    if isinstance(value, datetime.date) and kind.what == "month":
        return f'write "{value:%Y-%m}"'
    if isinstance(value, str) and kind.what in ("number", "count"):
        return "write numbers without quotes, with a decimal point, and no unit"
    if isinstance(value, str) and kind.what == "flag":
        return "write true or false without quotes"
    if isinstance(value, str) and kind.what == "names":
        return f'write ["{value[:40]}"]'
    if isinstance(value, float) and kind.what == "count" and value.is_integer():
        return f"write {int(value)}"
    if isinstance(value, int) and abs(value) > LARGEST:
        return "the number is too large"
    if isinstance(value, (dict, list)) and kind.what == "number":
        return "this value does not change over time"
    return ""


def _range_hint(value: Any, info: FieldInfo) -> str:
    if not isinstance(value, (int, float)) or abs(value) > 1e300:
        return ""
    low, high = 0.0, float("inf")
    for limit in info.metadata:
        low = getattr(limit, "ge", getattr(limit, "gt", low))
        high = getattr(limit, "le", high)
    return slip(float(value), unit_of(info), band_of(info) or (low, high))

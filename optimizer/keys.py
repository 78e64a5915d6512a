"""The keys of the format, read off the blocks of :mod:`models.instance`, and where they stand.

Reading, checking and the generated pages all walk the format the same way: a block has keys, a
key has a :class:`Kind`. Nothing about the format is written twice.
"""

from __future__ import annotations

import functools
import types
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import AfterValidator
from pydantic.fields import FieldInfo

from models.instance import Block, Growth, Instance, Month, Step

#: A key as its parts: ``("halls", "north", "it_mw")``; list items by their position from 0.
Key = tuple[str | int, ...]

What = Literal[
    "number", "count", "flag", "text", "month", "choice", "names", "block", "blocks", "table",
    "numbers", "path", "planned",
]  # fmt: skip


def dotted(key: Key) -> str:
    """Write a key as a person types it.

    Examples
    --------
    >>> dotted(("commitments", "racks", 0, "hall"))
    'commitments.racks.0.hall'
    """
    return ".".join(map(str, key))


@dataclass(frozen=True)
class Kind:
    """What a key holds.

    Attributes
    ----------
    what : str
        One number, count, flag, text, month or choice; a list of names; one block, a list of
        blocks, a table of named blocks or of named numbers; a path; or a planned key.
    block : type of Block, optional
        Of block, blocks and table.
    choices : tuple of str
        Of a choice.
    grows : bool
        Whether a path may be given as start and growth.
    """

    what: What
    block: type[Block] | None = None
    choices: tuple[str, ...] = ()
    grows: bool = False


@functools.cache
def keys_of(block: type[Block]) -> Mapping[str, FieldInfo]:
    """Give the keys of a block as they are typed, with what is declared about each."""
    return {info.alias or name: info for name, info in block.model_fields.items()}


@functools.cache
def kinds_of(block: type[Block]) -> Mapping[str, Kind]:
    """Give the kind of each key of a block."""
    return {name: _kind(info) for name, info in keys_of(block).items()}


def declared(info: FieldInfo, what: str) -> Any:
    """Look up what was declared beside a key: its unit, plausible band, or ``planned``."""
    extra = info.json_schema_extra
    return extra.get(what) if isinstance(extra, dict) else None


def unit_of(info: FieldInfo) -> str:
    """Give the unit of a key, empty where it has none."""
    return str(declared(info, "unit") or "")


def limits_of(info: FieldInfo) -> tuple[str, ...]:
    """Write the range of a key, as ``('above 0', 'at most 1')``."""
    words = (("ge", "at least"), ("gt", "above"), ("le", "at most"))
    return tuple(
        f"{said} {getattr(limit, name):,.10g}"
        for limit in info.metadata
        for name, said in words
        if hasattr(limit, name)
    )


def _kind(info: FieldInfo) -> Kind:
    if declared(info, "planned"):
        return Kind("planned")
    if not info.metadata:
        return _kind_of_type(info.annotation)
    return _kind_of_type(Annotated[info.annotation, *info.metadata])


_SCALARS: Mapping[Any, What] = {float: "number", int: "count", bool: "flag", str: "text"}


def _kind_of_type(annotation: Any) -> Kind:
    origin, args = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return Kind("month") if _is_month(args[1:]) else _kind_of_type(args[0])
    if origin in (Union, types.UnionType):
        return _kind_of_union([arg for arg in args if arg is not type(None)])
    if origin is Literal:
        return Kind("choice", choices=tuple(map(str, args)))
    if origin in (list, dict):
        return _kind_of_container(_kind_of_type(args[-1]), named=origin is dict)
    if isinstance(annotation, type) and issubclass(annotation, Block):
        return Kind("block", block=annotation)
    return Kind(_SCALARS[annotation])


def _is_month(metadata: Sequence[Any]) -> bool:
    check = get_args(Month)[1].func
    return any(isinstance(item, AfterValidator) and item.func is check for item in metadata)


def _kind_of_union(members: list[Any]) -> Kind:
    if len(members) == 1:
        return _kind_of_type(members[0])
    return Kind("path", grows=Growth in members)


def _kind_of_container(inside: Kind, *, named: bool) -> Kind:
    if inside.what == "block":
        return Kind("table" if named else "blocks", block=inside.block)
    return Kind("numbers" if named else "names")


def kind_at(key: Key, block: type[Block] = Instance) -> tuple[Kind, FieldInfo] | None:
    """Look up the kind of a dotted key and what is declared about it.

    Returns None where the format has no such key, or where the key names a whole entry of a
    table or list.
    """
    if not key or key[0] not in kinds_of(block):
        return None
    name, rest = str(key[0]), key[1:]
    kind, info = kinds_of(block)[name], keys_of(block)[name]
    if kind.what in ("table", "blocks") and rest:
        rest = rest[1:]
        if not rest:
            return None
    if not rest or kind.what in ("numbers", "names"):
        return kind, info
    inner = kind.block or _path_block(rest)
    return kind_at(rest[1:] if kind.what == "path" and len(rest) > 1 else rest, inner)


def _path_block(rest: Key) -> type[Block]:
    return Step if isinstance(rest[0], int) else Growth


# --- where things stand --------------------------------------------------------------------


@dataclass(frozen=True)
class Place:
    """A line of a file."""

    file: str
    line: int | None = None


@dataclass
class Places:
    """Where every key was typed."""

    known: dict[Key, Place] = field(default_factory=dict)
    root: Place = Place("instance.toml")

    def put(self, key: Key, place: Place) -> None:
        """Note where a key stands."""
        self.known[key] = place

    def of(self, key: Key) -> Place:
        """Find where a key stands; else the nearest table that would hold it."""
        for length in range(len(key), 0, -1):
            place = self.known.get(key[:length])
            if place is not None:
                return place
        return self.root

    def rename(self, old: Key, new: Key) -> None:
        """Let the keys under ``old`` be found under ``new`` too."""
        size = len(old)
        moved = {new + k[size:]: p for k, p in self.known.items() if k[:size] == old}
        self.known.update(moved)


# --- walking what was typed ----------------------------------------------------------------

_Found = Iterator[tuple[Key, Any]]


def entries(document: Any, at: Key) -> Iterator[tuple[Key, dict[str, Any]]]:
    """Walk the entries of a table, or the items of a list, that are themselves tables."""
    held = value_at(document, at)
    pairs: Any = ()
    if isinstance(held, dict):
        pairs = held.items()
    elif isinstance(held, list):
        pairs = enumerate(held)
    for name, entry in list(pairs):
        if isinstance(entry, dict):
            yield (*at, name), entry


def value_at(document: Any, key: Key) -> Any:
    """Look up what was typed under a key; None where nothing was."""
    for part in key:
        if isinstance(document, dict):
            document = document.get(part)
        elif isinstance(document, list) and isinstance(part, int) and part < len(document):
            document = document[part]
        else:
            return None
    return document


@dataclass(frozen=True)
class Reference:
    """A key that names an entry of another table.

    ``at`` is a key with ``*`` for any entry of a table or list; ``named`` by its value, by the
    items of its list, or by the names of a table's entries.
    """

    at: Key
    to: Key
    named: Literal["value", "items", "names"] = "value"


#: Every place where one block names another.
REFERENCES: tuple[Reference, ...] = (
    Reference(("racks", "*", "machine"), ("machines",)),
    Reference(("racks", "*", "converts_to", "rack"), ("racks",)),
    Reference(("gpu_cloud",), ("racks",), "names"),
    Reference(("sites", "*", "power"), ("power",)),
    Reference(("projects", "*", "site"), ("sites",)),
    Reference(("projects", "*", "adds_halls", "hall"), ("halls",)),
    Reference(("halls", "*", "site"), ("sites",)),
    Reference(("halls", "*", "fitout"), ("fitouts",)),
    Reference(("halls", "*", "fitouts"), ("fitouts",), "items"),
    Reference(("halls", "*", "package"), ("uptime", "packages")),
    Reference(("fleet", "*", "hall"), ("halls",)),
    Reference(("fleet", "*", "rack"), ("racks",)),
    Reference(("contracts", "*", "racks"), ("racks",), "items"),
    Reference(("contracts", "*", "sites"), ("sites",), "items"),
    Reference(("commitments", "racks", "*", "hall"), ("halls",)),
    Reference(("commitments", "racks", "*", "rack"), ("racks",)),
    Reference(("commitments", "works", "*", "hall"), ("halls",)),
    Reference(("commitments", "works", "*", "fitout"), ("fitouts",)),
    Reference(("commitments", "works", "*", "package"), ("uptime", "packages")),
    Reference(("commitments", "contracts", "*", "contract"), ("contracts",)),
    Reference(("uptime", "subsystems", "*", "components"), ("uptime", "components"), "items"),
    Reference(("uptime", "subsystems", "*", "feed"), ("uptime", "components")),
    Reference(("uptime", "subsystems", "*", "sites"), ("sites",), "items"),
    Reference(("sites", "*", "plant"), ("uptime", "subsystems"), "names"),
    Reference(("sites", "*", "plant", "*", "component"), ("uptime", "components")),
    Reference(("uptime", "packages", "*", "units"), ("uptime", "subsystems"), "names"),
    Reference(("uptime", "packages", "*", "units", "*", "component"), ("uptime", "components")),
    Reference(("policy", "keep_sites"), ("sites",), "items"),
    Reference(("finance", "capex_budget_by_site_musd"), ("sites",), "names"),
)


def references(document: Any) -> Iterator[tuple[Key, str, Key]]:
    """Walk all references that were typed: the key, the name, and the table it must be in."""
    for reference in REFERENCES:
        for key, held in _matches(document, reference.at):
            for where, name in _names(reference, key, held):
                if isinstance(name, str):
                    yield where, name, reference.to


def _names(reference: Reference, key: Key, held: Any) -> _Found:
    if reference.named == "value":
        yield key, held
    elif reference.named == "items" and isinstance(held, list):
        yield from (((*key, position), name) for position, name in enumerate(held))
    elif reference.named == "names" and isinstance(held, dict):
        yield from (((*key, name), name) for name in held)


def _matches(document: Any, at: Key, done: Key = ()) -> _Found:
    if not at:
        yield done, document
        return
    head, rest = at[0], at[1:]
    if head == "*":
        pairs = document.items() if isinstance(document, dict) else (
            enumerate(document) if isinstance(document, list) else ()
        )  # fmt: skip
        for name, held in pairs:
            yield from _matches(held, rest, (*done, name))
    elif isinstance(document, dict) and head in document:
        yield from _matches(document[head], rest, (*done, head))

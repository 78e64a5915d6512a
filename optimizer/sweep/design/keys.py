"""Dotted keys with wildcards: what they name in an instance, and putting values there.

A part of a key that names an entry of a table, or an item of a list, may be a pattern: ``*`` for
any, ``pecos-*`` for some. Keys of the format itself are typed out. Names may hold dots: the
longest name of the table that fits is meant.
"""

from __future__ import annotations

import fnmatch
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from pydantic.fields import FieldInfo

from models.instance import Block, Growth, Instance, Step
from optimizer.errors import listed, nearest
from optimizer.keys import Key, Kind, dotted, keys_of, kinds_of
from optimizer.sweep.points import Json

#: Stands for a key that nobody typed.
ABSENT: Final = object()
_WILD = frozenset("*?[")


@dataclass(frozen=True)
class Found:
    """A key of the instance that a pattern names.

    Attributes
    ----------
    key : Key
        Its parts.
    kind : Kind
        What it holds.
    info : FieldInfo
        What the format declares about it.
    held : object
        What the instance holds there; ``ABSENT`` where nobody typed it.
    lacks : tuple of Key
        Keys that a block not given yet would need besides this one.
    """

    key: Key
    kind: Kind
    info: FieldInfo
    held: Any
    lacks: tuple[Key, ...] = ()

    @property
    def text(self) -> str:
        """The key as a person types it."""
        return dotted(self.key)

    @property
    def base(self) -> Any:
        """What holds in the base: what was typed, else the default of the format."""
        if self.held is not ABSENT:
            return self.held
        if self.info.is_required() or self.info.default is None:
            return ABSENT
        return self.info.default


@dataclass(frozen=True)
class Miss:
    """Why a pattern names nothing: how far it was followed, and what is there instead."""

    depth: int
    message: str
    found: str = ""
    allowed: str = ""
    hint: str = ""


@dataclass
class _Walk:
    """Follows one pattern through a document."""

    pattern: str
    misses: list[Miss] = field(default_factory=list)

    def block(
        self, block: type[Block], held: Any, rest: str, key: Key, lacks: tuple[Key, ...] = ()
    ) -> Iterator[Found]:
        """Follow a key of a block."""
        name, _, rest = rest.partition(".")
        kinds = kinds_of(block)
        if name not in kinds:
            self._no_key(block, name, rest, key)
            return
        kind, info = kinds[name], keys_of(block)[name]
        inside = held.get(name, ABSENT) if isinstance(held, dict) else ABSENT
        yield from self._inside(kind, info, inside, rest, (*key, name), lacks)

    def _inside(
        self, kind: Kind, info: FieldInfo, held: Any, rest: str, key: Key, lacks: tuple[Key, ...]
    ) -> Iterator[Found]:
        if kind.what == "planned":
            self._miss(key, "this key has its place but is not built yet", str(key[-1]))
        elif not rest and kind.what in ("block", "table", "numbers"):
            inner = listed(kinds_of(kind.block), 20) if kind.what == "block" and kind.block else ""
            message = "this names a whole table, not a value in it"
            hint = "go on with a dot and a name, or * for all" if not inner else ""
            self._miss(key, message, dotted(key), inner, hint)
        elif not rest:
            yield Found(key, kind, info, held, lacks)
        elif kind.what == "block" and kind.block:
            missing = _required(kind.block, key) if held is ABSENT and len(key) > 1 else ()
            yield from self.block(kind.block, held, rest, key, (*lacks, *missing))
        elif kind.what in ("table", "blocks") and kind.block:
            for name, further in self._names(held, rest, key):
                if further:
                    yield from self.block(kind.block, held[name], further, (*key, name), lacks)
                else:
                    inner = listed(kinds_of(kind.block), 20)
                    message = "this names a whole entry, not a value in it"
                    self._miss((*key, name), message, dotted((*key, name)), inner)
        elif kind.what == "numbers":
            yield from self._numbers(info, held, rest, key, lacks)
        elif kind.what == "path":
            yield from self._path(held, rest, key)
        else:
            self._miss(key, "the key holds a value, and nothing inside it", rest)

    def _names(self, held: Any, rest: str, key: Key) -> Iterator[tuple[Any, str]]:
        """Names of a table, or places of a list, that the next part names, and what follows."""
        names = _names_of(held)
        exact = _longest(names, rest)
        if exact is not None:
            yield names[exact], rest[len(exact) + 1 :]
            return
        head, _, further = rest.partition(".")
        matched = [name for name in names if fnmatch.fnmatchcase(name, head)]
        if not matched:
            message = f"the base has no {dotted(key)} of that name"
            if not names:
                message = f"the base has no {dotted(key)}"
            elif _WILD & set(head):
                message = f"the wildcard matches none of {dotted(key)}"
            self._miss(key, message, head, listed(names), self._instead(head, names, further))
        for name in matched:
            yield names[name], further

    def _numbers(
        self, info: FieldInfo, held: Any, rest: str, key: Key, lacks: tuple[Key, ...]
    ) -> Iterator[Found]:
        table = held if isinstance(held, dict) else {}
        names = [rest] if not _WILD & set(rest) else fnmatch.filter(table, rest)
        if not names:
            message = f"the wildcard matches none of {dotted(key)}"
            self._miss(key, message, rest, listed(table))
        for name in names:
            # The default of the table is no default of a number in it.
            entry = FieldInfo(annotation=float, json_schema_extra=info.json_schema_extra)
            yield Found((*key, name), Kind("number"), entry, table.get(name, ABSENT), lacks)

    def _path(self, held: Any, rest: str, key: Key) -> Iterator[Found]:
        """Follow a key into a value over time: its start and growth, or the value of a step."""
        if isinstance(held, list):
            for name, further in self._names(held, rest, key):
                if further in ("value", "from"):
                    kind, info = kinds_of(Step)[further], keys_of(Step)[further]
                    yield Found((*key, name, further), kind, info, held[name][further])
                else:
                    self._miss((*key, name), "a step has no such key", further, "value, from")
        elif isinstance(held, dict) and rest in held:
            yield Found((*key, rest), kinds_of(Growth)[rest], keys_of(Growth)[rest], held[rest])
        else:
            allowed = ", ".join(held) if isinstance(held, dict) else ""
            message = "the base gives this value in another form"
            hint = f"sweep {dotted(key)} as a whole" if not allowed else ""
            self._miss(key, message, rest, allowed, hint)

    def _no_key(self, block: type[Block], name: str, rest: str, key: Key) -> None:
        known = [other for other, kind in kinds_of(block).items() if kind.what != "planned"]
        hint = self._instead(name, known, rest)
        if not hint and not key and not rest:
            homes = _homes(name)
            hint = f"did you mean `{homes[0]}`?" if homes else ""
        if _WILD & set(name):
            hint = "a wildcard stands for names of entries; type the keys of the format out"
        self._miss(key, "the format has no such key", name or "nothing", listed(known, 40), hint)

    def _instead(self, word: str, words: Iterable[str], rest: str) -> str:
        """Write the pattern with the word that was probably meant."""
        near, tail = nearest(word, words), f".{rest}" if rest else ""
        before = self.pattern[: len(self.pattern) - len(word) - len(tail)]
        return f"did you mean `{before}{near}{tail}`?" if near and word else ""

    def _miss(
        self, key: Key, message: str, found: str = "", allowed: str = "", hint: str = ""
    ) -> None:
        self.misses.append(Miss(len(key), message, found, allowed, hint))


def _names_of(held: Any) -> dict[str, Any]:
    """Names of a table or places of a list, by how a person types them."""
    if isinstance(held, dict):
        return {name: name for name in held}
    return {str(place): place for place in range(len(held))} if isinstance(held, list) else {}


def _longest(names: Mapping[str, Any], text: str) -> str | None:
    """Find the longest name with which a text begins, up to a dot or its end."""
    if text in names:
        return text
    for at in range(len(text) - 1, 0, -1):
        if text[at] == "." and text[:at] in names:
            return text[:at]
    return None


def _required(block: type[Block], key: Key) -> tuple[Key, ...]:
    """Keys that a block cannot be without."""
    return tuple((*key, name) for name, info in keys_of(block).items() if info.is_required())


def _homes(name: str) -> list[str]:
    """Dotted keys of the format whose last part is near a word."""
    homes: dict[str, str] = {}
    for top, kind in kinds_of(Instance).items():
        for inner in kinds_of(kind.block) if kind.block else ():
            path = f"{top}.{inner}" if kind.what == "block" else f"{top}.*.{inner}"
            homes.setdefault(inner, path)
    near = nearest(name, homes, likeness=0.8)
    return [homes[near]] if near else []


def find(document: Mapping[str, Any], pattern: str) -> tuple[list[Found], Miss | None]:
    """Find all keys that a pattern names.

    Parameters
    ----------
    document : mapping
        The complete document of an instance.
    pattern : str
        A dotted key, wildcards allowed where names stand.

    Returns
    -------
    found : list of Found
        In the order of the document.
    miss : Miss or None
        Why there are none.

    Examples
    --------
    >>> document = {"sites": {"a": {"firm_mw": 5}, "b": {"firm_mw": 7}}}
    >>> [(found.text, found.held) for found in find(document, "sites.*.firm_mw")[0]]
    [('sites.a.firm_mw', 5), ('sites.b.firm_mw', 7)]
    """
    walk = _Walk(pattern)
    found = list(walk.block(Instance, document, pattern, ()))
    miss = max(walk.misses, key=lambda miss: miss.depth, default=None)
    return found, None if found else miss


def parts_of(document: Mapping[str, Any], text: str) -> Key:
    """Split a dotted key of an instance into its parts, names with dots whole.

    Raises
    ------
    KeyError
        Where the instance has no place for such a key.

    Examples
    --------
    >>> parts_of({"racks": {"s21.5-lot": {"kw": 3}}}, "racks.s21.5-lot.kw")
    ('racks', 's21.5-lot', 'kw')
    """
    found, _ = find(document, text)
    if len(found) != 1:
        raise KeyError(text)
    return found[0].key


def changed(document: Mapping[str, Any], changes: Mapping[str, Json]) -> dict[str, Any]:
    """Put values into a document.

    Parameters
    ----------
    document : mapping
        The complete document of an instance, which is left as it is.
    changes : mapping of str to JSON
        The value of every key that differs, as in :class:`optimizer.sweep.points.Point`.

    Returns
    -------
    dict
        A document of its own along the keys that change; all else is shared with the one given,
        and is not to be written to.

    Raises
    ------
    KeyError
        Where the document has no place for a key.

    Examples
    --------
    >>> document = {"finance": {"capex_budget_musd": 5, "discount_per_year": 0.1}}
    >>> changed(document, {"finance.capex_budget_musd": 7.5})
    {'finance': {'capex_budget_musd': 7.5, 'discount_per_year': 0.1}}
    >>> document["finance"]["capex_budget_musd"]
    5
    """
    new = dict(document)
    own: dict[Key, Any] = {(): new}
    for text, value in changes.items():
        key = parts_of(document, text)
        for length in range(1, len(key)):
            if key[:length] not in own:
                own[key[:length]] = _opened(own[key[: length - 1]], key[length - 1])
        own[key[:-1]][key[-1]] = value
    return new


def _opened(holder: Any, part: str | int) -> Any:
    """Replace what stands under a part by a copy that may be written to."""
    held = holder[part] if isinstance(part, int) else holder.get(part, {})
    holder[part] = list(held) if isinstance(held, list) else dict(held)
    return holder[part]

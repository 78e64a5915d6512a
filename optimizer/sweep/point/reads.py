"""Which figures a calculation reads, so that it need not be repeated where none of them moved.

A calculation that reads only figures which are the same gives the same answer: so what was
worked out for the base of a sweep holds for every point that moves none of what it read. What it
reads is not declared but seen, by running it once on figures that take note of who looks.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from contextlib import contextmanager
from dataclasses import fields
from functools import lru_cache
from typing import Any
from weakref import WeakValueDictionary

from models.given import Given
from models.instance import Block, Growth, Instance, Step
from optimizer.checks import Draft
from optimizer.keys import Key, keys_of

#: Most answers of a calculation that are kept beside that of the base.
KEPT = 128
#: What stands for the names and texts of a document, its figures left out, where keys are noted.
WORDS: Key = ("words",)
#: What is read as a whole: asking for any of these looks at every figure below.
_WHOLE = frozenset(
    {"__dict__", "model_fields_set", "model_dump", "model_copy", "model_dump_json", "__iter__"}
)


class Noted:
    """What was looked at while somebody took note.

    Attributes
    ----------
    keys : set of Key
        Figures of the instance, by attribute names.
    tables : set of str
        Tables of the given numbers.
    """

    def __init__(self) -> None:
        self.keys: set[Key] = set()
        self.tables: set[str] = set()
        self._listening = False
        #: By identity, each as long as somebody else holds it.
        self._forgetting: WeakValueDictionary[int, Given] = WeakValueDictionary()

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Take note meanwhile, from an empty sheet."""
        self.keys, self.tables = set(), set()
        for copy in self._forgetting.values():
            copy.__dict__.clear()
        self._listening = True
        try:
            yield
        finally:
            self._listening = False

    def forgets(self, copy: Given) -> None:
        """Empty a copy whenever a sheet is begun: what was seen before is to be seen again."""
        self._forgetting[id(copy)] = copy

    def key(self, key: Key) -> None:
        """Note a figure, or a block that was looked at as a whole."""
        if self._listening:
            self.keys.add(key)

    def table(self, name: str) -> None:
        """Note a table."""
        if self._listening:
            self.tables.add(name)


@lru_cache(4096)
def attributes(key: Key) -> Key:
    """Name a key of the format by the attributes of the instance that hold it.

    Examples
    --------
    >>> attributes(("bitcoin", "btc_price_usd", 0, "from"))
    ('bitcoin', 'btc_price_usd', 0, 'from_')
    """
    block: type[Block] | None = Instance
    found: Key = ()
    for part in key:
        if block is not None and isinstance(part, str) and part in keys_of(block):
            names = [
                name for name, info in block.model_fields.items() if (info.alias or name) == part
            ]
            found = (*found, names[0])
            block = _inner(block, names[0])
        else:
            found = (*found, part)
    return found


def _inner(block: type[Block], name: str) -> type[Block] | None:
    """Block that a field holds, in a table or a list or alone; None where it holds figures."""
    held = _blocks_of(block.model_fields[name].annotation)
    plain = [kind for kind in held if kind is not Growth]
    return plain[0] if plain else (held[0] if held else None)


def _blocks_of(annotation: Any) -> list[type[Block]]:
    if isinstance(annotation, type) and issubclass(annotation, Block):
        return [annotation]
    found: list[type[Block]] = []
    for part in getattr(annotation, "__args__", ()):
        found += _blocks_of(part)
    return found


# --- the instance --------------------------------------------------------------------------


class Watching:
    """Makes blocks that note which of their figures are looked at.

    Blocks of a base are copied once: nearly all of a point's are the same objects.

    Parameters
    ----------
    noted : Noted
        Where they note it.
    """

    def __init__(self, noted: Noted) -> None:
        self._noted = noted
        #: Blocks by identity and key, each held so that no other object takes that.
        self._known: dict[tuple[int, Key], tuple[Block, Block]] = {}
        #: Classes that note: one for all points, since caches by class hold whatever they meet.
        self._classes: dict[tuple[type[Block], Key, frozenset[str]], type[Block]] = {}

    def instance(self, instance: Instance, *, base: bool = False) -> Instance:
        """Copy an instance; ``base`` says that its blocks come again."""
        copy = instance.model_copy()
        for name in Instance.model_fields:
            value = self._inside(getattr(instance, name), (name,), base=base)
            copy.__dict__[name] = value
        self._watch(copy, ())
        return copy

    def _inside(self, held: Any, key: Key, *, base: bool) -> Any:
        if isinstance(held, Block):
            return self.block(held, key, base=base)
        if isinstance(held, Mapping):
            return {name: self._inside(one, (*key, name), base=base) for name, one in held.items()}
        if isinstance(held, (tuple, list)):
            return type(held)(
                self._inside(one, (*key, i), base=base) for i, one in enumerate(held)
            )
        return held

    def block(self, block: Block, key: Key, *, base: bool = False) -> Block:
        """Copy a block that stands under a key."""
        known = self._known.get((id(block), key))
        if known is not None:
            return known[1]
        copy = block.model_copy(deep=True)
        self._watch_all(copy, key)
        if base:
            self._known[id(block), key] = block, copy
        return copy

    def draft(self, draft: Draft, instance: Instance, *, base: bool = False) -> Draft:
        """Copy a draft, of which an instance was made.

        Whoever looks at the document itself may see anything. Words are the same in every point
        that adds no key, and the names of blocks in every point.
        """
        blocks = {
            key: self.block(block, attributes(key), base=base)
            for key, block in draft.blocks.items()
        }
        held = (draft.document, blocks, draft.places, draft.doubtful, draft.unread, draft.known)
        copy = _WatchedDraft(*held)
        copy.__dict__["whole"] = self.instance(instance, base=base)
        object.__setattr__(copy, "plain", draft)
        object.__setattr__(copy, "noted", self._noted)
        return copy

    def _watch_all(self, held: Any, key: Key) -> None:
        if isinstance(held, Block):
            for name in type(held).model_fields:
                self._watch_all(getattr(held, name), (*key, name))
            self._watch(held, key)
        elif isinstance(held, Mapping):
            for name, inside in held.items():
                self._watch_all(inside, (*key, name))
        elif isinstance(held, (tuple, list)):
            for position, inside in enumerate(held):
                self._watch_all(inside, (*key, position))

    def _watch(self, block: Block, key: Key) -> None:
        """Have a block note what is read of it."""
        kind = type(block)
        leaves = frozenset(
            name for name in kind.model_fields if not _holds_blocks(getattr(block, name))
        )
        like = kind, key, leaves
        if like not in self._classes:
            self._classes[like] = _watching(kind, key, leaves, self._noted)
        object.__setattr__(block, "__class__", self._classes[like])


def _watching(kind: type[Block], key: Key, leaves: AbstractSet[str], noted: Noted) -> type[Block]:
    """Make a class that reads as its kind does, and notes what is read of the block at a key."""
    keys = {name: (*key, name) for name in leaves}
    read = kind.__getattribute__

    def __getattribute__(self: Any, name: str) -> Any:  # noqa: N807
        if name in keys:
            noted.key(keys[name])
        elif name in _WHOLE:
            noted.key(key)
        return read(self, name)

    # A class of the plain kind: pydantic would build a schema for each.
    return type.__new__(type(kind), kind.__name__, (kind,), {"__getattribute__": __getattribute__})


class _WatchedDraft(Draft):
    """A draft that notes who looks at its document; see :meth:`Watching.draft`."""

    __slots__ = ("noted", "plain")
    noted: Noted
    plain: Draft

    def __getattribute__(self, name: str) -> Any:
        if name == "document":
            self.noted.key(())
        elif name == "words":
            self.noted.key(WORDS)
            return self.plain.words
        return super().__getattribute__(name)

    def names(self, *table: str) -> set[str]:
        return self.plain.names(*table)


def _holds_blocks(value: Any) -> bool:
    """Whether a field only leads on to blocks, whose names no point may change."""
    if isinstance(value, (Growth, Step)):
        return False
    if isinstance(value, Block):
        return True
    inside = value.values() if isinstance(value, Mapping) else value
    if not isinstance(value, (Mapping, tuple, list)):
        return False
    first = next(iter(inside), None)
    return isinstance(first, Block) and not isinstance(first, Step)


# --- given numbers -------------------------------------------------------------------------

TABLES = frozenset(field.name for field in fields(Given))


def watched_given(given: Given, noted: Noted) -> Given:
    """Copy given numbers into ones that note which of their tables are looked at.

    A table is put in as it is first asked for, so that only this costs anything.
    """
    copy = object.__new__(_WatchedGiven)
    object.__setattr__(copy, "plain", given)
    object.__setattr__(copy, "noted", noted)
    noted.forgets(copy)
    return copy


class _WatchedGiven(Given):
    """Given numbers whose tables are noted as they are asked for; see :func:`watched_given`."""

    # Beside what is kept of the tables, which is forgotten whenever somebody begins to listen.
    __slots__ = ("noted", "plain")
    noted: Noted
    plain: Given

    def __getattr__(self, name: str) -> Any:
        if name not in TABLES:
            raise AttributeError(name)
        self.noted.table(name)
        self.__dict__[name] = table = getattr(self.plain, name)
        return table


# --- touching ------------------------------------------------------------------------------


def touched(read: frozenset[Key], moved: Key) -> bool:
    """Whether a figure that moved was read, alone or in a block that was read as a whole."""
    return any(one[: len(moved)] == moved or moved[: len(one)] == one for one in read)


class Read:
    """What one run of a calculation looked at; another that finds the same there answers alike."""

    def __init__(self, keys: AbstractSet[Key], tables: AbstractSet[str]) -> None:
        self.keys = frozenset(keys)
        self.tables = tuple(sorted(tables))
        self._among = frozenset(tables)
        self._has: dict[Key, bool] = {}

    def label(
        self, moved: Mapping[Key, Any], base: Mapping[str, Any], given: Mapping[str, Any]
    ) -> tuple[Any, tuple[Any, ...]]:
        """Tell what of this has moved, and to what; with the tables that the label is of."""
        keys = frozenset((key, value) for key, value in moved.items() if self.has(key))
        names = [name for name in self.tables if given[name] is not base[name]]
        tables = tuple(given[name] for name in names)
        # By name too: empty tables, and small numbers, are one object wherever they stand.
        return (keys, tuple(zip(names, map(id, tables), strict=True))), tables

    def is_apart(self, tables: AbstractSet[str]) -> bool:
        """Whether none of some tables is among this."""
        return self._among.isdisjoint(tables)

    def has(self, key: Key) -> bool:
        """Whether a figure is among this."""
        if key not in self._has:
            self._has[key] = touched(self.keys, key)
        return self._has[key]


class Remembered:
    """A calculation: its answers, each with what it read on the way to it.

    A figure that moved may lead it to others, which it did not read on the base. So what it read
    is noted on every run, and an answer holds wherever all of that is the same.

    Parameters
    ----------
    answer : object
        Its answer on the base.
    keys, tables : set
        What it read there.
    kept : int
        Most answers that are kept beside; the one that was asked for longest ago goes.
    ways : int
        Most sets of what was read that are kept beside.
    """

    def __init__(
        self,
        answer: Any,
        keys: AbstractSet[Key],
        tables: AbstractSet[str],
        *,
        kept: int = KEPT,
        ways: int = 16,
    ) -> None:
        self.answer = answer
        self._base = Read(keys, tables)
        self._kept, self._ways = kept, ways
        self._reads: dict[tuple[frozenset[Key], tuple[str, ...]], Read] = {}
        self._answers: dict[Any, tuple[Any, Any]] = {}

    def untouched(self, tables: AbstractSet[str]) -> bool:
        """Whether the answer on the base holds where some tables differ and no figure does."""
        return self._base.is_apart(tables)

    def after(
        self,
        moved: Mapping[Key, Any],
        base: Mapping[str, Any],
        given: Mapping[str, Any],
        again: Callable[[], Any],
        noted: Noted,
    ) -> Any:
        """Give the answer where some figures moved: an old one, if all that it read is the same.

        Parameters
        ----------
        moved : mapping
            Figures that moved, by attribute names, each with a text of its new value.
        base, given : mapping
            Tables of the base and of the point; a table that is the same is the same object.
        again : callable
            Works it out, on figures and tables that take note.
        noted : Noted
            Where they do.
        """
        (keys, tables), _ = self._base.label(moved, base, given)
        if not keys and not tables:
            return self.answer
        for way, read in self._reads.items():
            label = way, read.label(moved, base, given)[0]
            if label in self._answers:
                self._answers[label] = self._answers.pop(label)
                return self._answers[label][0]
        with noted.listening():
            answer = again()
        self._keep(answer, Read(noted.keys, noted.tables), moved, base, given)
        return answer

    def _keep(self, answer: Any, read: Read, *told: Mapping[Any, Any]) -> None:
        way = read.keys, read.tables
        if way not in self._reads and len(self._reads) >= self._ways:
            gone = next(iter(self._reads))
            del self._reads[gone]
            self._answers = {one: held for one, held in self._answers.items() if one[0] != gone}
        read = self._reads.setdefault(way, read)
        if len(self._answers) >= self._kept:
            self._answers.pop(next(iter(self._answers)))
        label, tables = read.label(*told)
        # The tables are held, so that no other object takes their identities.
        self._answers[way, label] = answer, tables

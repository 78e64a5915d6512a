"""The catalogues that ship: entries taken by ``use``, or brought along where they are named.

A key typed beside ``use`` overrides the entry's. Where two keys exclude each other, typing one
takes the other away. Every figure that an entry gives is listed as a default, with its source.
"""

from __future__ import annotations

import functools
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Any

from pydantic.fields import FieldInfo

from models.instance import Block, Instance
from optimizer.errors import Problem, Report, did_you_mean, listed
from optimizer.keys import (
    Key,
    Kind,
    Places,
    declared,
    dotted,
    entries,
    keys_of,
    kinds_of,
    references,
)

#: Where the entries of each catalogue go in an instance.
SHELVES: Mapping[Key, str] = {
    ("machines",): "machines",
    ("racks",): "racks",
    ("fitouts",): "fitouts",
    ("power",): "power",
    ("gpu_cloud",): "gpu_cloud",
    ("contracts",): "contracts",
    ("uptime", "packages"): "packages",
    ("uptime", "components"): "components",
}

#: Ways of saying one thing, by table: typing a key of one way takes away those of the others.
WAYS: Mapping[Key, tuple[tuple[str, ...], ...]] = {
    ("machines",): (("j_per_th",), ("watt",)),
    ("racks",): (("machine", "machines_per_rack"), ("gpus_per_rack",)),
    ("fitouts",): (("it_share_of_present",), ("m2_per_mw",)),
    ("uptime", "components"): (("availability",), ("failures_per_year",)),
    ("power",): (("prices",), ("duration",), ("flat_usd_per_mwh",)),
    ("contracts",): (
        ("rate_usd_per_kw_month",), ("rate_usd_per_gpu_hour", "take_or_pay_share"),
    ),
}  # fmt: skip


@dataclass(frozen=True)
class Default:
    """A figure that nobody typed: from a catalogue, or from the format.

    Attributes
    ----------
    key : str
        Dotted key in the instance.
    value : object
        The value that was taken.
    source : str
        Catalogue and entry with the figure's own source; ``format`` for the format's default.
    """

    key: str
    value: object
    source: str


@dataclass(frozen=True)
class Catalogue:
    """All entries by catalogue and name, each with its ``sources``; files lie in ``folder``."""

    entries: Mapping[str, Mapping[str, Mapping[str, Any]]]
    folder: Traversable

    @classmethod
    def read(cls, folder: Traversable) -> Catalogue:
        """Read ``machines.toml`` and its like from a folder; an absent one is empty."""
        shelves = {}
        for name in SHELVES.values():
            page = folder / f"{name}.toml"
            shelves[name] = (
                tomllib.loads(page.read_text(encoding="utf-8")) if page.is_file() else {}
            )
        return cls(shelves, folder)

    def names(self, table: Key) -> Mapping[str, Mapping[str, Any]]:
        """Give the entries that a table of the instance may use."""
        return self.entries.get(SHELVES.get(table, ""), {})


@functools.cache
def packaged() -> Catalogue:
    """Read the catalogues that ship with the package."""
    return Catalogue.read(files("optimizer") / "catalogue")


@dataclass
class Shopping:
    """What an instance takes from the catalogues.

    Attributes
    ----------
    document : dict
        What was typed; entries are merged into it.
    lost : set of Key
        Takes the blocks whose entry is not known; what they lack is not reported as missing.
    defaults : list of Default
        Every figure taken.
    borrowed : set of Key
        Keys whose value came from a catalogue.
    """

    document: dict[str, Any]
    places: Places
    report: Report
    catalogue: Catalogue
    lost: set[Key]
    defaults: list[Default] = field(default_factory=list)
    borrowed: set[Key] = field(default_factory=set)

    def take_used(self) -> None:
        """Merge the entry into every block that says ``use``."""
        for table in SHELVES:
            for key, block in entries(self.document, table):
                if "use" in block:
                    self._use(table, key, block)

    def _use(self, table: Key, key: Key, block: dict[str, Any]) -> None:
        name = block.pop("use")
        known = self.catalogue.names(table)
        if isinstance(name, str) and name in known:
            self._merge(table, key, block, name)
            return
        self.lost.add(key)
        place = self.places.of((*key, "use"))
        hint = did_you_mean(name, known) if isinstance(name, str) else ""
        self.report.add(
            Problem(
                "there is no such entry in the catalogue", place.file, place.line,
                dotted((*key, "use")), str(name), listed(known), hint,
            )
        )  # fmt: skip

    def _merge(self, table: Key, key: Key, block: dict[str, Any], name: str) -> None:
        entry = dict(self.catalogue.names(table)[name])
        sources = entry.pop("sources", {})
        taken_away = _other_ways(table, block)
        for part, value in entry.items():
            if part in taken_away:
                continue
            if isinstance(value, dict) and isinstance(block.get(part), dict):
                block[part] = {**value, **block[part]}
            elif part not in block:
                block[part] = value
                self.borrowed.add((*key, part))
                origin = f"catalogue {SHELVES[table]}/{name}"
                said = sources.get(part, "")
                source = f"{origin}: {said}" if said else origin
                self.defaults.append(Default(dotted((*key, part)), value, source))

    def bring_along(self) -> None:
        """Add the catalogue entries that are named and not defined, and what those name."""
        while self._bring_once():
            pass

    def _bring_once(self) -> bool:
        brought = False
        for key, name, table in list(self._named()):
            if name not in self.catalogue.names(table):
                continue
            held = self._table(table)
            if held is None or name in held:
                continue
            held[name] = {}
            self.places.put((*table, name), self.places.of(key))
            self._merge(table, (*table, name), held[name], name)
            brought = True
        return brought

    def _named(self) -> Iterator[tuple[Key, str, Key]]:
        yield from references(self.document)
        for key, block in entries(self.document, ("sites",)):
            if "power" not in block:
                yield key, str(key[-1]), ("power",)

    def _table(self, table: Key) -> dict[str, Any] | None:
        held: Any = self.document
        for part in table:
            if not isinstance(held, dict):
                return None
            held = held.setdefault(part, {})
        return held if isinstance(held, dict) else None


def _other_ways(table: Key, block: Mapping[str, Any]) -> set[str]:
    """List the keys that what was typed takes away from an entry."""
    ways = WAYS.get(table, ())
    typed = [way for way in ways if any(key in block for key in way)]
    return {key for way in ways if typed and way not in typed for key in way}


#: Zeros of the format that a planner should know of: what costs nothing, is new or comes at once.
ZEROS = frozenset({
    "adder_usd_per_mwh", "age_months", "ai_entry_cost_musd", "delivery_months", "due_musd",
    "fee_share", "interest_musd", "minimum_cash_musd", "opex_usd_per_kw_year",
    "overhead_musd_per_year", "resale_usd_per_th", "split_cost_company_musd_per_year",
    "split_cost_site_musd_per_year", "staff_musd_per_year", "staff_usd_per_kw_month",
})  # fmt: skip


def format_defaults(document: Mapping[str, Any]) -> list[Default]:
    """List the figures that the format gives to the blocks that were typed.

    Zeros are listed where they matter. The like of several items of a list are told once, as
    ``fleet.*.age_months``.
    """
    found: dict[tuple[Key, float], list[Key]] = {}
    for key, value in _taken((), document, Instance):
        starred = tuple("*" if isinstance(part, int) else part for part in key)
        found.setdefault((starred, value), []).append(key)
    return [
        Default(dotted(keys[0]), value, "format")
        if len(keys) == 1
        else Default(dotted(starred), value, f"format: in {len(keys)} of the items")
        for (starred, value), keys in found.items()
    ]


def _taken(key: Key, typed: Mapping[str, Any], block: type[Block]) -> Iterator[tuple[Key, float]]:
    """Walk the figures that a block takes from the format, and those of all blocks in it."""
    for name, kind in kinds_of(block).items():
        at, info, held = (*key, name), keys_of(block)[name], typed.get(name)
        if name not in typed and _is_told(name, info):
            yield at, info.default
        for inner, inside in _inside(at, kind, held, always=not key) if kind.block else ():
            yield from _taken(inner, inside, kind.block)  # type: ignore[arg-type]


def _is_told(name: str, info: FieldInfo) -> bool:
    value = info.default
    is_figure = isinstance(value, (int, float)) and not isinstance(value, bool)
    return is_figure and bool(declared(info, "unit")) and bool(value or name in ZEROS)


def _inside(
    at: Key, kind: Kind, held: Any, *, always: bool
) -> Iterator[tuple[Key, Mapping[str, Any]]]:
    """Walk the blocks that were typed under a key; a block at the top is there in any case."""
    if kind.what == "block" and (always or held is not None):
        yield at, held if isinstance(held, dict) else {}
    elif kind.what == "table" and isinstance(held, dict):
        yield from (((*at, name), entry) for name, entry in held.items())
    elif kind.what == "blocks" and isinstance(held, list):
        yield from (((*at, place), entry) for place, entry in enumerate(held))

"""The base of a sweep as a worker holds it: read once, its points read as changes of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from models.build import Column
from models.hours import Hours
from models.instance import Instance
from optimizer.case import Case
from optimizer.commands.ready import policy_pins
from optimizer.errors import InputRefused
from optimizer.keys import Key, value_at
from optimizer.load.catalogue import packaged
from optimizer.load.folder import Loaded, Reading
from optimizer.pins import pins_of, read_actions
from optimizer.sweep.again import Again
from optimizer.sweep.keys import changed, parts_of
from optimizer.sweep.points import Base, Point, canonical
from optimizer.sweep.reads import attributes

#: Keys of a block of power, and of a currency, that say which hours are read and in which money.
HOURLY = frozenset({"prices", "duration", "flat_usd_per_mwh", "currency", "usd_per_unit"})
#: Name of the actions of a plan among a base's files of it.
ACTIONS = "actions.csv"


@dataclass(frozen=True, eq=False)
class Changed:
    """A point as an instance.

    Attributes
    ----------
    instance : Instance
        With the values of the point.
    hours : mapping of str to Hours
        Priced hours by name of the power block.
    moved : mapping or None
        Figures that differ from the base, by attribute names, each with a text of its value; None
        where names or hours differ too, so that nothing of the base may be kept.
    """

    instance: Instance
    hours: Mapping[str, Hours]
    moved: Mapping[Key, str] | None


class Opened:
    """A base, read.

    Parameters
    ----------
    base : Base
        Files of the instance, and price files that points name.

    Raises
    ------
    InputRefused
        With every problem of the instance.
    """

    def __init__(self, base: Base) -> None:
        # Removed with this object.
        self._home = TemporaryDirectory(prefix="rackwatt-sweep-")
        self.folder = Path(self._home.name)
        for name, data in base.files.items():
            path = self.folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
        self._reading = Reading(self.folder, packaged())
        loaded = self._reading.run({})
        if loaded is None:
            raise InputRefused(self._reading.problems())
        self.loaded: Loaded = loaded
        self._plan = base.plan
        self._again = Again(self._reading, loaded.instance, loaded.hours)

    def pins(self, case: Case) -> Mapping[Column, float]:
        """Decisions that the instance's own policy takes."""
        return policy_pins(self.loaded, case).values

    def planned(self, case: Case) -> Mapping[Column, float] | None:
        """Decisions of the plan that is evaluated in every case; None where there is none."""
        if not self._plan:
            return None
        path = self.folder / "plan" / ACTIONS
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(self._plan[ACTIONS])
        return pins_of(case, read_actions(path, ACTIONS))

    def after(self, point: Point) -> Changed:
        """Read a point.

        Raises
        ------
        InputRefused
            With every problem of the changed instance.
        """
        document = self._reading.document
        keys = [parts_of(document, text) for text in point.changes]
        moved = self._moved(keys, point)
        new = changed(document, point.changes)
        if moved is not None:
            instance, hours = self._again.after(new, moved), self.loaded.hours
            if instance is None:
                instance, _ = self._reading.again(new, hours=hours)
            return Changed(instance, hours, {attributes(key): v for key, v in moved.items()})
        prices = {site: self.folder / name for site, name in point.prices.items()}
        instance, hours = self._reading.again(deepcopy(new), prices, renamed=True)
        return Changed(instance, hours, None)

    def _moved(self, keys: list[Key], point: Point) -> dict[Key, str] | None:
        """Figures that move, by their keys as typed, where only figures do."""
        document, moved = self._reading.document, dict[Key, str]()
        if point.prices:
            return None
        for key, value in zip(keys, point.changes.values(), strict=True):
            hourly = key[0] in ("power", "currencies") and not HOURLY.isdisjoint(key)
            if hourly or not isinstance(value_at(document, key[:-1]), (dict, list)):
                return None
            figures = list(_figures(key, value_at(document, key), value))
            if None in figures:
                return None
            moved |= {key: canonical(v) for key, v in filter(None, figures)}
        return moved


def _figures(key: Key, now: Any, then: Any) -> Iterator[tuple[Key, Any] | None]:
    """Walk the figures that differ between two values of a key; None where more than figures do.

    The parts of a path stand alone, so that what reads only its start is worked out only then.
    """
    if isinstance(now, dict) and isinstance(then, dict) and list(now) == list(then):
        for name in now:
            yield from _figures((*key, name), now[name], then[name])
    elif isinstance(now, list) and isinstance(then, list) and len(now) == len(then):
        for position, (before, after) in enumerate(zip(now, then, strict=True)):
            yield from _figures((*key, position), before, after)
    elif any(isinstance(value, (dict, list, str)) for value in (now, then)):
        if now != then:
            yield None
    elif now is not then:
        yield key, then

"""The base of a sweep as a worker holds it: read once, its points read as changes of it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import suppress
from copy import deepcopy
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from typing import Any

from models.build import Column
from models.hours import Hours
from models.instance import Instance
from optimizer.case import Case
from optimizer.errors import InputRefused
from optimizer.keys import Key, value_at
from optimizer.load.catalogue import packaged
from optimizer.load.folder import Loaded, Reading
from optimizer.pins import only, pins_of, read_actions, refuse_excess
from optimizer.policy import policy_pins, refuse_clash
from optimizer.sweep.design.keys import changed, parts_of
from optimizer.sweep.point.again import Again
from optimizer.sweep.point.home import Home
from optimizer.sweep.point.reads import attributes
from optimizer.sweep.points import Base, Point, canonical

#: Keys of a block of power, and of a currency, that say which hours are read and in which money.
HOURLY = frozenset({"prices", "duration", "flat_usd_per_mwh", "currency", "usd_per_unit"})
#: Names among a base's files of a plan: its actions, and how they are taken.
ACTIONS, RULES = "actions.csv", "rules.json"


@dataclass(frozen=True)
class Rules:
    """How a plan is evaluated in every case.

    Attributes
    ----------
    only : bool
        Whether nothing is done beyond it.
    regret : bool
        Whether the best plan of each case is found too.
    """

    only: bool = False
    regret: bool = True

    def files(self, actions: bytes) -> dict[str, bytes]:
        """Give the files of a base that hold a plan and these rules."""
        return {ACTIONS: actions, RULES: canonical(asdict(self)).encode()}

    @classmethod
    def of(cls, files: Mapping[str, bytes] | None) -> Rules:
        """Read them back; as they are by default where nobody wrote any."""
        held = (files or {}).get(RULES)
        return cls() if held is None else cls(**json.loads(held))


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
        self._home = Home(base.files)
        self.folder = self._home.path
        self._reading = Reading(self.folder, packaged())
        loaded = self._reading.run({})
        if loaded is None:
            raise InputRefused(self._reading.problems())
        self.loaded: Loaded = loaded
        self._plan = base.plan
        self.rules = Rules.of(base.plan)
        self._again = Again(self._reading, loaded.instance, loaded.hours)

    def pins(self, case: Case) -> Mapping[Column, float]:
        """Decisions that the instance's own policy takes in a case.

        Raises
        ------
        InputRefused
            With every line that names what the case does not have or cannot do.
        """
        return policy_pins(replace(self.loaded, instance=case.instance), case).values

    def planned(self, case: Case, policy: Mapping[Column, float]) -> Mapping[Column, float] | None:
        """Decisions of the plan that is evaluated in every case; None where there is none.

        Parameters
        ----------
        case : Case
            The case.
        policy : mapping
            Decisions that the instance's own policy takes; they are among what is given back.

        Raises
        ------
        InputRefused
            With every line that names what the case does not have or cannot do.
        """
        if not self._plan:
            return None
        plan = pins_of(case, self._actions)
        refuse_clash(policy, plan, ACTIONS)
        pins = {**policy, **plan}
        if self.rules.only:
            pins = only(case, pins)
            refuse_excess(case, pins, ACTIONS)
        return pins

    @cached_property
    def _actions(self) -> Any:
        path = self._home.put(f"plan/{ACTIONS}", (self._plan or {})[ACTIONS])
        return read_actions(path, ACTIONS)

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
        return self.whole(point)

    def whole(self, point: Point) -> Changed:
        """Read a point as a folder of its own, whatever it changes.

        Raises
        ------
        InputRefused
            With every problem of the changed instance.
        """
        new = deepcopy(changed(self._reading.document, point.changes))
        prices = {site: self.folder / name for site, name in point.prices.items()}
        instance, hours = self._reading.again(new, prices, renamed=True)
        return Changed(instance, hours, None)

    # --- as a document of its own ----------------------------------------------------------

    def document(self, point: Point) -> dict[str, Any]:
        """Give the complete document of a point, valid or not; it is the caller's own.

        Where a site's prices are replaced, its block of power names them as ``SITE=FILE``.
        """
        new = deepcopy(changed(self._reading.document, point.changes))
        prices = {site: self.folder / name for site, name in point.prices.items()}
        with suppress(InputRefused):
            self._reading.again(new, prices, renamed=True)
        return new

    def held(self, text: str) -> Any:
        """What the base holds under a dotted key; None where nobody typed it."""
        return value_at(self._reading.document, parts_of(self._reading.document, text))

    def is_borrowed(self, key: Key) -> bool:
        """Whether a price file that a point names is one of the catalogue."""
        is_new = key[1] not in self._reading.document.get(str(key[0]), {})
        return key in self._reading.borrowed or is_new

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

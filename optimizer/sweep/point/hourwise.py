"""Hours of a sweep's points, grouped again only where what they follow from has moved."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np

from models.allocation import Family
from models.context import Context
from models.given import Given, Site
from models.hours import Hours
from optimizer.bands import priced_hours
from optimizer.case import Case
from optimizer.followed import READINGS, Places, Reading, places
from optimizer.grouped import Grouped, Rows, simple
from optimizer.layout import Layout
from optimizer.rows import Assembly, read_rows
from optimizer.rows import Rows as Readings
from optimizer.sweep.point.reads import KEPT, TABLES, Noted, Remembered, watched_given

#: Names beside those of tables: hours by site as they were read, and as they are priced.
HOURS, PRICED = "case.hours", "case.priced"
#: Bytes that hours of points may take which are remembered beside those of the base: real years
#: of every hour are large, and where they differ from case to case nobody asks for them again.
MOST_BYTES = 128 << 20
BySite = Mapping[Site, Grouped]


class Hourwise:
    """What dispatch reads of the base, and what a point changes of it.

    Parameters
    ----------
    case : Case
        The base.
    context : Context
        The same on unknowns.
    layout : Layout
        These unknowns.
    """

    def __init__(self, case: Case, context: Context, layout: Layout) -> None:
        self._context, self._layout = context, layout
        self._noted = Noted()
        given = case.given
        priced = _priced(given, case.hours)
        self._base = {name: getattr(given, name) for name in TABLES}
        self._base |= {HOURS: case.hours, PRICED: priced}
        watched = watched_given(given, self._noted)
        self._families = [
            (family, self._seen(partial(self._read, family), given, watched))
            for family in READINGS
        ]
        self._readings = Assembly([(f, r.answer) for f, r in self._families], layout.columns)
        self._places = self._seen(self._placed, given, watched)
        grouped = _grouped(given, priced)
        kept = _most(grouped)
        self._priced = self._seen(
            partial(_priced, hours=case.hours), given, watched, HOURS, kept=kept
        )
        self._priced.answer = priced
        self._hours = self._seen(partial(_grouped, rows=priced), given, watched, PRICED, kept=kept)
        self._hours.answer = grouped
        self._bands = self._seen(_in_bands, given, watched)

    def _seen(
        self,
        work: Callable[[Given], Any],
        given: Given,
        watched: Given,
        *more: str,
        kept: int = KEPT,
    ) -> Remembered:
        """Work something out, and note which tables are looked at."""
        with self._noted.listening():
            work(watched)
        return Remembered(work(given), set(), self._noted.tables | set(more), kept=kept)

    def _read(self, family: Family, given: Given) -> Readings:
        return read_rows(family, replace(self._context, given=given), self._layout.columns)

    def _placed(self, given: Given) -> Mapping[Site, Places]:
        return places(self._readings.checked, given, self._layout)

    def after(
        self, case: Case, tables: Mapping[str, Any]
    ) -> tuple[tuple[Reading, BySite, BySite], dict[str, object]]:
        """Give what a point's dispatch reads: numbers of plans, bands, and every hour.

        With what this is made of, by name: the same objects wherever it is the same; nothing where
        hours are not those of the base, which are too large to be held by who remembers them.
        """
        given, known = case.given, {**tables, HOURS: case.hours}
        watched = watched_given(given, self._noted)

        def after(remembered: Remembered, work: Callable[[Given], Any], *more: str) -> Any:
            def again() -> Any:
                for name in more:
                    self._noted.table(name)
                return work(watched)

            return remembered.after({}, self._base, known, again, self._noted)

        parts = [
            (family, after(remembered, partial(self._read, family)))
            for family, remembered in self._families
        ]
        known[PRICED] = after(self._priced, partial(_priced, hours=case.hours), HOURS)
        hours = after(self._hours, partial(_grouped, rows=known[PRICED]), PRICED)
        bands = after(self._bands, _in_bands)
        made_of: dict[str, object] = {family.name: rows for family, rows in parts}
        made_of |= {"bands": bands}
        checked = self._readings.after(parts)
        if checked is None:
            checked = Assembly(parts, self._layout.columns).checked
            where = places(checked, given, self._layout)
        else:
            where = after(self._places, self._placed)
        own = hours is self._hours.answer and case.hours is self._base[HOURS]
        return (Reading(checked, where), bands, hours), made_of if own else {}


def _priced(given: Given, hours: Mapping[Site, Hours]) -> Mapping[Site, Rows]:
    """Price every hour of the sites whose hours can be dispatched alone."""
    return {
        s: Rows.of([priced_hours(given, n, s, hours[s]) for n in given.nodes])
        for s in given.sites
        if simple(given, s)
    }


def _grouped(given: Given, rows: Mapping[Site, Rows]) -> BySite:
    return {s: Grouped.of(given, s, of_site) for s, of_site in rows.items()}


def _most(hours: BySite) -> int:
    """How many points' hours are remembered that are as many as those of the base."""
    held = [array for one in hours.values() for part in (one, one.rows) for array in _arrays(part)]
    return max(1, min(KEPT, MOST_BYTES // max(1, sum(array.nbytes for array in held))))


def _arrays(part: Grouped | Rows) -> list[np.ndarray[Any, Any]]:
    return [array for array in vars(part).values() if isinstance(array, np.ndarray)]


def _in_bands(given: Given) -> BySite:
    return {
        s: Grouped.of(given, s, Rows.of_bands(given, s)) for s in given.sites if simple(given, s)
    }

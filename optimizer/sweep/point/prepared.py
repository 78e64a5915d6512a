"""The numbers of a case, worked out again only where what they follow from has moved."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import cached_property, partial
from typing import Any

from models import terms
from models.derive import PARTS, Derivation, halls, tree_of
from models.given import Given
from models.hours import Hours
from models.instance import Instance
from models.terms import Terms
from optimizer.case import Case, in_hours, prepare
from optimizer.keys import Key
from optimizer.sweep.point.reads import (
    TABLES,
    Noted,
    Remembered,
    Watching,
    watched_given,
)

#: Figures that moved, by attribute names, each with a text of its new value.
Moved = Mapping[Key, Any]


class Prepared:
    """A base case, and what each of its numbers follows from.

    Parameters
    ----------
    instance : Instance
        The base.
    supplies : mapping
        Priced hours by name of the power block; the same for every point.
    """

    def __init__(self, instance: Instance, supplies: Mapping[str, Hours]) -> None:
        self._supplies = supplies
        self.case = prepare(instance, supplies)
        self.tables = {name: getattr(self.case.given, name) for name in TABLES}
        self._watch(instance)

    # --- what is read ----------------------------------------------------------------------

    def _watch(self, instance: Instance) -> None:
        """Run every part once on figures that take note of who looks."""
        self.noted = noted = Noted()
        self.watching = Watching(noted)
        watched = self.watching.instance(instance, base=True)
        bare = Derivation(instance, tree_of(instance)).given()
        bare_tables = {name: getattr(bare, name) for name in TABLES}

        def listened(calculation: Callable[[Derivation], Any], answer: Any) -> Remembered:
            with noted.listening():
                calculation(Derivation(watched, tree_of(watched)))
            return Remembered(answer, noted.keys, noted.tables)

        self._parts = [
            (part, listened(part, self._named(part(Derivation(instance, tree_of(instance))))))
            for part in PARTS
        ]
        looking = _Looking(bare_tables, noted)
        self._parkable = listened(
            lambda _: halls.parkable(looking), {"halls_parkable": self.tables["halls_parkable"]}
        )
        seen = watched_given(bare, noted)
        self._bands = listened(lambda d: in_hours(d, seen, self._supplies), None)
        banded = in_hours(self.case.derivation, bare, self._supplies)
        self._bands.answer = {
            **self._named(banded.tables),
            "": (self.case.hours, self.case.limit_prices),
        }
        plain = Terms(self.case.derivation, self.case.given)
        dated = [(part, self._named(part(plain))) for part in terms.PARTS]
        self._unfilled_terms = {name: bare_tables[name] for _, tables in dated for name in tables}
        self._unfilled = {
            **self._unfilled_terms,
            **{name: bare_tables[name] for name in banded.tables},
        }
        filled = watched_given(replace(self.case.given, **self._unfilled_terms), noted)
        self._terms = [
            (part, listened(partial(_of_terms, part, filled), tables)) for part, tables in dated
        ]

    def _named(self, tables: Mapping[str, Any]) -> dict[str, Any]:
        """Tables of the base by name; those that are the same are the same object."""
        return {name: _same(table, self.tables[name]) for name, table in tables.items()}

    # --- a point ---------------------------------------------------------------------------

    def after(self, instance: Instance, moved: Moved) -> Case:
        """Derive a point's case.

        Parameters
        ----------
        instance : Instance
            The base with some figures moved, none of its names.
        moved : mapping
            These figures, by attribute names, each with a text of its new value.
        """
        return _Point(self, instance, moved).case()


class _Point:
    """One derivation of a case from figures that moved."""

    def __init__(self, base: Prepared, instance: Instance, moved: Moved) -> None:
        self.base = base
        self.instance = instance
        self.moved = moved
        # Those of the base until their part has been asked.
        self.tables: dict[str, Any] = dict(base.tables)
        self.noted = base.noted

    @cached_property
    def _watched(self) -> Instance:
        return self.base.watching.instance(self.instance)

    def _derivation(self) -> Derivation:
        """Facts of the point, of which nothing was read yet: each part is seen to read its own."""
        return Derivation(self._watched, tree_of(self._watched))

    def case(self) -> Case:
        base = self.base
        for part, remembered in base._parts[:-1]:
            self._fill(remembered, partial(self._derived, part))
        self._fill(base._parkable, self._parkable)
        banded = self._after(base._bands, self._in_hours)
        hours, prices = banded[""]
        self.tables |= {name: table for name, table in banded.items() if name}
        for dated, remembered in base._terms:
            self._fill(remembered, partial(self._of_dates, dated))
        derivation = Derivation(self.instance, tree_of(self.instance))
        return Case(self.instance, derivation, hours, Given(**self.tables), prices)

    def _parkable(self) -> dict[str, Any]:
        return {"halls_parkable": halls.parkable(_Looking(self.tables, self.noted))}

    def _derived(self, part: Callable[[Derivation], dict[str, Any]]) -> dict[str, Any]:
        return part(self._derivation())

    def _of_dates(self, part: Callable[[Terms], dict[str, Any]]) -> dict[str, Any]:
        given = Given(**{**self.tables, **self.base._unfilled_terms})
        return part(Terms(self._derivation(), watched_given(given, self.noted)))

    def _after(self, remembered: Remembered, again: Callable[[], Any]) -> Any:
        return remembered.after(self.moved, self.base.tables, self.tables, again, self.noted)

    def _fill(self, remembered: Remembered, again: Callable[[], dict[str, Any]]) -> None:
        self.tables |= self._after(remembered, lambda: self._kept(again()))

    def _kept(self, tables: Mapping[str, Any]) -> dict[str, Any]:
        """Tables that came out as they were on the base, as the base's own."""
        return {name: _same(table, self.base.tables[name]) for name, table in tables.items()}

    def _in_hours(self) -> dict[str, Any]:
        given = Given(**{**self.tables, **self.base._unfilled})
        seen = watched_given(given, self.noted)
        banded = in_hours(self._derivation(), seen, self.base._supplies)
        return {**self._kept(banded.tables), "": (banded.hours, banded.prices)}


def _of_terms(part: Callable[[Terms], Any], filled: Given, derivation: Derivation) -> Any:
    return part(Terms(derivation, filled))


class _Looking(dict[str, Any]):
    """Tables by name that note which of them are looked at."""

    def __init__(self, tables: Mapping[str, Any], noted: Noted) -> None:
        super().__init__(tables)
        self._noted = noted

    def __getitem__(self, name: str) -> Any:
        self._noted.table(name)
        return super().__getitem__(name)


def _same(found: Any, base: Any) -> Any:
    """The base's own table where what was found is the same, in the same order."""
    if found is base:
        return base
    alike = type(found) is type(base) and found == base
    if alike and isinstance(found, Mapping):
        alike = list(found) == list(base)
    return base if alike else found

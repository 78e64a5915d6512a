"""Limits that a plan presses against, by the keys that set them, and who gives them room."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from models.build import Row
from models.context import Context
from optimizer.answers.worth.more import Worth
from optimizer.case import Case
from optimizer.load import Loaded
from optimizer.origins import key_of
from optimizer.plan.binding import BindingRow, pressing, row_of
from optimizer.screen.sections import UNTOLD


@dataclass(frozen=True)
class Pressed:
    """One limit that binds, over all its periods.

    Attributes
    ----------
    limit, about, where : str
        Name of the family, what it is about, and site, hall, contract and so on.
    months : tuple of str
        First months of the periods in which it binds.
    least, most, unit : float, float, str
        What it allows in them.
    key, file, line : str, str, int or None
        Key of the instance that sets it, and where that was typed.
    rows : frozenset of Row
        Families and indices of its rows.
    """

    limit: str
    about: str
    where: str
    months: tuple[str, ...]
    least: float
    most: float
    unit: str
    key: str
    file: str
    line: int | None
    rows: frozenset[Row]

    def worths(self, worths: Sequence[Worth]) -> list[Worth]:
        """Which units give this limit more room."""
        return [one for one in worths if one.binds and not self.rows.isdisjoint(one.rows)]


def pressed(loaded: Loaded, case: Case, plan: Context) -> list[Pressed]:
    """List the limits that a plan presses against and a planner may lift.

    Parameters
    ----------
    loaded : Loaded
        Where everything was typed.
    case : Case
        What is given.
    plan : Context
        The plan.
    """
    groups: dict[tuple[str, str], list[tuple[BindingRow, Row]]] = {}
    for family, index, relation in pressing(plan):
        if family.name in UNTOLD:
            continue
        row = row_of(plan, family, index, relation)
        where = ", ".join(p for p in row.where.split(", ") if not p.startswith("band "))
        groups.setdefault((family.name, where), []).append((row, (family.name, index)))
    return list(_pressed(loaded, case, groups))


def _pressed(
    loaded: Loaded, case: Case, groups: dict[tuple[str, str], list[tuple[BindingRow, Row]]]
) -> Iterator[Pressed]:
    for (name, where), found in groups.items():
        first, row = found[0]
        key = key_of(case, row, None)
        file, line = loaded.where(key) if key else ("", None)
        limits = [one.limit_value for one, _ in found]
        yield Pressed(
            name, first.about, where, tuple(dict.fromkeys(one.month for one, _ in found)),
            min(limits), max(limits), first.unit, key, file, line,
            frozenset(at for _, at in found),
        )  # fmt: skip

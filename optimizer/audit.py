"""The audit: a plan put back into its instance, without solver and model object.

The families are read on floats. What a plan claims is believed when every limit holds, every
number follows from the decisions, every hour has been dispatched again, every promise of
availability is kept in exact arithmetic, the racks of every group split into whole halls, and
the plan is worth no less than doing nothing and no more than the proven bound.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from models.allocation import FAMILIES, Family, objective
from models.build import Column
from models.context import Context
from models.decisions import DECISIONS
from models.derive.reach import promise_of
from models.given import TENANT, Given, Place, Site
from models.indices import Index
from models.instance import month_text
from models.relation import Relation
from models.tree import Node
from optimizer.bands import priced_hours
from optimizer.case import Case
from optimizer.followed import Settled
from optimizer.hulls import faces
from optimizer.known import Known
from optimizer.reached import Reached
from optimizer.rows import TOLERANCE
from optimizer.settle import banded_margin, hourly_margin
from optimizer.splits import MOST_KNOWN, fillings_fit, split_halls

#: Breaches of racks that do not split: where what halls can hold can be written down, together or
#: one by one, and elsewhere.
SPLIT, TOO_MANY = "halls.split", "halls.fillings"
#: Largest relative difference between profit in bands and over all hours.
HOURS_TOLERANCE = 1e-9


@dataclass(frozen=True)
class Breach:
    """One thing that a plan gets wrong.

    Attributes
    ----------
    limit : str
        Name of the family or check.
    index : tuple
        Where: node, site, place and so on, in the order of the family.
    where : str
        The same in words.
    left, right : float
        Both sides.
    sense : str
        How they should compare.
    """

    limit: str
    index: tuple[Any, ...]
    where: str
    left: float
    right: float
    sense: str

    @property
    def amount(self) -> float:
        """By how much it is broken."""
        return abs(self.left - self.right)

    def __str__(self) -> str:
        return (
            f"{self.limit} at {self.where}: {self.left:.9g} should be "
            f"{self.sense} {self.right:.9g}"
        )


@dataclass(frozen=True)
class Audit:
    """What the audit found."""

    breaches: tuple[Breach, ...]
    value_musd: float
    banded_margin_musd: float
    hourly_margin_musd: float
    relations: int
    nothing_musd: float | None

    @property
    def passed(self) -> bool:
        """Whether the plan may be called one."""
        return not self.breaches

    @property
    def hours_difference(self) -> float:
        """Relative difference between mining profit in bands and over all hours."""
        return _relative(self.banded_margin_musd, self.hourly_margin_musd)


def audit(
    case: Case,
    plan: Context,
    *,
    claimed_musd: float | None = None,
    bound_musd: float | None = None,
    nothing_musd: float | None = None,
    gap: float = 0.0,
    settled: Settled | None = None,
) -> Audit:
    """Check a plan against its case.

    Parameters
    ----------
    case : Case
        What was given.
    plan : Context
        The plan on floats.
    claimed_musd, bound_musd, nothing_musd : float, optional
        Value that the solver claims, bound that it proved, value of doing nothing.
    gap : float
        Relative gap that was asked for: by so much the plan may fall short of doing nothing.
    settled : Settled, optional
        The same plan as arrays, into which its numbers are put in place of the families that are
        read on them.
    """
    if settled is None or not np.isfinite(settled.point).all():
        senseless = list(_not_numbers(plan))
        if senseless:
            return Audit(tuple(senseless), math.nan, math.nan, math.nan, 0, nothing_musd)
    relations, breaches = _relations(plan) if settled is None else _in_arrays(settled)
    if settled is None or not settled.in_domains():
        breaches += _domains(plan)
    breaches += _promises(case, plan)
    breaches += _shortfalls(case, plan)
    if settled is None:
        breaches += _splits(plan, plan.halls, Known(MOST_KNOWN))
    else:
        breaches += _splits(plan, settled.several("halls"), settled.by.splits)
    margins = _margins(case, plan) if settled is None else settled.by.margins(settled, case)
    banded, hourly, off_hours = _hours(plan, margins)
    breaches += off_hours
    # What is claimed was worked out from the same arrays: it is held against the plan itself.
    if settled is not None and claimed_musd is None:
        value = settled.by.value_musd(settled.point)
    else:
        value = float(objective(plan))
    breaches += _values(value, claimed_musd, bound_musd, nothing_musd, gap)
    return Audit(tuple(breaches), value, banded, hourly, relations, nothing_musd)


def _relations(plan: Context) -> tuple[int, list[Breach]]:
    """Read every family on a plan: how many relations there are, and those that do not hold."""
    breaches, count = list[Breach](), 0
    for family in FAMILIES:
        for index, relation in family.relations(plan):
            count += 1
            size = max(1.0, abs(float(relation.left)), abs(float(relation.right)))
            if not float(relation.excess()) <= TOLERANCE * size:
                breaches.append(_breach(plan, family, tuple(index), relation))
    return count, breaches


def _in_arrays(settled: Settled) -> tuple[int, list[Breach]]:
    """Put a plan into the relations as arrays; what is broken is read again, to be told."""
    breaches, checked, plan = [], settled.by.checked, settled.plan
    for name, index in checked.broken(settled.point):
        family = next(family for family in FAMILIES if family.name == name)
        breaches.append(_breach(plan, family, index, family.rule(plan, *index)))
    return len(checked.rows), breaches


def _breach(plan: Context, family: Family, index: Index, relation: Relation) -> Breach:
    where = describe_index(plan, family.letters, index)
    sides = float(relation.left), float(relation.right)
    return Breach(family.name, index, where, *sides, relation.sense)


def _not_numbers(plan: Context) -> Iterator[Breach]:
    for decision in DECISIONS:
        for index, value in getattr(plan, decision.name).items():
            if not math.isfinite(value):
                where = ", ".join(map(str, index))
                yield Breach(decision.name, index, where, value, 0.0, "a number, as")


def _domains(plan: Context) -> Iterator[Breach]:
    for decision in DECISIONS:
        for index, value in getattr(plan, decision.name).items():
            for right, sense in _outside(decision.domain, value):
                where = describe_index(plan, decision.letters, index)
                yield Breach(decision.name, index, where, value, right, sense)


def _outside(domain: str, value: float) -> Iterator[tuple[float, str]]:
    """Say what a number of a domain should be, where it is not."""
    if domain != "real" and value < -TOLERANCE:
        yield 0.0, ">="
    if domain == "binary" and value > 1 + TOLERANCE:
        yield 1.0, "<="
    if domain in ("integer", "binary") and value != round(value):
        yield round(value), "whole, as"


def _promises(case: Case, plan: Context) -> Iterator[Breach]:
    """Work out, in exact fractions, what every hall that serves a promise reaches."""
    reached = Reached(case, plan)
    promises = {x: promise_of(offer) for x, offer in case.instance.contracts.items()}
    for (n, x, p, k), mw in plan.hosting.items():
        if mw <= TOLERANCE:
            continue
        promise = promises[x]
        has = reached.availability(n, p, promise)
        if has < promise.exactly:
            where = f"{period_text(plan, n)}, {p}, {x}, {k}"
            yield Breach(
                "uptime.promise", (n, x, p, k), where, float(has), promise.availability, ">="
            )


def _shortfalls(case: Case, plan: Context) -> Iterator[Breach]:
    """Work out, in exact fractions, what mining is short of on units that it shares."""
    if not plan.curtailed:
        return
    reached = Reached(case, plan)
    for index, said in plan.curtailed.items():
        n, s, d, y, *rest = index
        load = plan.pool_load[index]
        has = float(reached.shortfall_kw(s, d, y, load)) if load else 0.0
        if not abs(said - has) <= TOLERANCE * max(1e-3, has):
            where = ", ".join((period_text(plan, n), s, d, y, *map(str, rest)))
            yield Breach("uptime.shortfall", index, where, said, has, "==")


def _splits(
    plan: Context, places: Iterable[tuple[Node, Place]], known: Known[bool]
) -> Iterator[Breach]:
    """Split what stands at some nodes and places into whole halls.

    Only ``halls.split`` sends the search back, with what those halls can hold written down. Where
    they are filled one by one already, or would take too large a model, the breach says so.
    """
    g, named = plan.given, dict[Place, tuple[str, str]]()
    for n, p in places:
        whole = round(plan.halls[n, p])
        stand = {k: round(plan.racks[n, p, k]) for k in g.racks_at.get(p, ())}
        stand = {k: number for k, number in stand.items() if number}
        if whole < 2 or not stand:
            # One hall needs no split, and tenants alone spread evenly.
            continue
        tenants = {
            x: mw
            for x in g.contracts_at.get((p, TENANT), ())
            if (mw := plan.hosting.get((n, x, p, TENANT), 0.0)) > 0
        }
        filled = [
            {k: int(number) for k, number in filling.items()}
            for w, filling in enumerate(g.fillings.get(p, ()))
            for _ in range(round(plan.filled[n, p, w]))
        ]
        key = (p, whole, *map(_pairs, (stand, tenants, *filled)))
        split = partial(split_halls, g, p, whole, stand, tenants, filled=filled)
        if not known.of(key, lambda split=split: split() is not None):  # type: ignore[misc]
            if p not in named:
                named[p] = _unsplit(g, p)
            limit, sense = named[p]
            where, racks = f"{period_text(plan, n)}, {p}", float(sum(stand.values()))
            yield Breach(limit, (n, p), where, racks, whole, sense)


def _pairs(numbers: Mapping[str, float]) -> tuple[tuple[str, float], ...]:
    return tuple(numbers.items())


def _unsplit(g: Given, p: Place) -> tuple[str, str]:
    """Name the breach of racks that do not split, and what it asks for."""
    if p in g.fillings:
        return "halls.tenants", "racks that leave tenants room in so many halls:"
    if fillings_fit(g, p) or (p not in g.mixes and faces(g, p)):
        return SPLIT, "racks that split into so many halls:"
    return TOO_MANY, (
        "racks that were seen to split into so many halls (racks so small fill a hall in too "
        "many ways for an exact model; larger lots or fewer rack types would allow one):"
    )


def _margins(case: Case, plan: Context) -> Iterator[tuple[int, Site, float, float]]:
    """Mining margin of every node and site, in bands and dispatched over every hour."""
    g = plan.given
    for n in g.nodes:
        for s in g.sites:
            priced = priced_hours(g, n, s, case.hours[s])
            yield n, s, banded_margin(plan, n, s), hourly_margin(plan, n, s, priced)


def _hours(
    plan: Context, margins: Iterable[tuple[int, Site, float, float]]
) -> tuple[float, float, list[Breach]]:
    banded = hourly = 0.0
    breaches: list[Breach] = []
    for n, s, in_bands, in_hours in margins:
        banded += in_bands
        hourly += in_hours
        if not abs(in_bands - in_hours) <= HOURS_TOLERANCE * max(1.0, abs(in_hours)):
            where = f"{period_text(plan, n)}, {s}"
            breaches.append(Breach("energy.dispatch", (n, s), where, in_bands, in_hours, "=="))
    return banded, hourly, breaches


def _values(
    value: float,
    claimed: float | None,
    bound: float | None,
    nothing: float | None,
    gap: float,
) -> Iterator[Breach]:
    slack = TOLERANCE * max(1.0, abs(value))
    if claimed is not None and not abs(value - claimed) <= slack:
        yield Breach("capital.value", (), "claim", claimed, value, "==")
    if bound is not None and not value <= bound + slack:
        yield Breach("capital.bound", (), "bound", value, bound, "<=")
    if nothing is not None and not value >= nothing - slack - gap * abs(nothing):
        yield Breach("capital.nothing", (), "doing nothing", value, nothing, ">=")


def period_text(plan: Context, n: int) -> str:
    """Name a node by its first month; by its number too where the tree branches."""
    tree = plan.given.tree
    text = month_text(tree.first_month(n))
    return text if len(tree.leaves) == 1 else f"{text} (node {n})"


def describe_index(plan: Context, letters: str, index: tuple[Any, ...]) -> str:
    """Write an index in words: nodes as months, the rest by name."""
    parts = [
        period_text(plan, part)
        if letter in "nlv"
        else f"band {part}"
        if letter == "b" and isinstance(part, int)
        else str(part)
        for letter, part in zip(letters, index, strict=True)
    ]
    return ", ".join(parts)


def values_of(plan: Context) -> dict[Column, float]:
    """Every number of a plan by name and index, as the model numbers its columns."""
    return {
        (decision.name, index): value
        for decision in DECISIONS
        for index, value in getattr(plan, decision.name).items()
    }


def _relative(one: float, other: float) -> float:
    size = max(abs(one), abs(other))
    return abs(one - other) / size if size else 0.0

"""What makes two plans differ: MW by use and site at the end of each year, and first actions.

Every measure is a sum of decisions in MW, so that it can be read off a plan as well as written
as a row of the model. The distance of two plans is

- the MW of each use at each site by which they differ at the end of a year, summed over uses and
  sites and averaged over the years, and
- the MW by which the actions of the first months differ, summed over actions.

So ten MW that mine at another site all the time count twenty (ten more here, ten less there), and
ten MW more of mining racks ordered now count ten. MW of use are those of racks at nameplate,
tenants' racks among them; a hall counts its IT MW as it comes out of its conversion, a project the
MW it adds, and what adds none (fibre, a unit of a plant) one MW a unit.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from models import indices
from models.build import Column
from models.given import TENANT, Given, Place, Site
from models.tree import Node
from optimizer.actions import UNITS, Verb
from optimizer.case import Case
from optimizer.errors import UsageRefused
from optimizer.matrix import Floats
from optimizer.words import period_of, state_of

#: What halls and racks are for, as a plan is compared.
USES = ("mining", "ai")
#: The kind of a measure that is no action, and the time of one that is.
STANDING, FIRST = "stands", "first"
#: MW that a unit counts that brings none: fibre, or part of a plant.
MW_OF_NONE = 1.0
#: Decisions by their column, each with its MW per unit.
Terms = tuple[tuple[Column, float], ...]


@dataclass(frozen=True)
class Measure:
    """One number in which plans may differ.

    Attributes
    ----------
    kind : str
        ``stands`` for MW of a use, else the action: sign, build, install, convert, order, sell,
        rebuild.
    site, subject : str
        Where; and which use, contract, project, unit, state or rack type.
    when : str
        Last period of the year, by its first month; ``first`` of an action.
    weight : float
        What a MW of it counts in the distance.
    terms : tuple
        Columns with their MW per unit.
    """

    kind: str
    site: str
    subject: str
    when: str
    weight: float
    terms: Terms

    def mw_at(self, values: Mapping[Column, float]) -> float:
        """MW of a plan."""
        return float(sum(mw * values[column] for column, mw in self.terms))


def measures_of(case: Case, now_months: int) -> tuple[Measure, ...]:
    """List what makes plans of a case differ.

    Parameters
    ----------
    case : Case
        What is given.
    now_months : int
        Actions count as first ones in periods that begin within so many months.
    """
    return (*_standing(case.given), *first_actions(case, now_months))


def measured(measures: Sequence[Measure], values: Mapping[Column, float]) -> Floats:
    """Read all measures off a plan, in MW; shape (measures,)."""
    return np.array([measure.mw_at(values) for measure in measures], float)


def distance_mw(measures: Sequence[Measure], one: Floats, other: Floats) -> float:
    """Distance of two plans in MW."""
    weights = np.array([measure.weight for measure in measures], float)
    return float(weights @ np.abs(one - other))


def first_nodes(g: Given, now_months: int) -> tuple[Node, ...]:
    """Periods that begin within so many months, the first in any case.

    Raises
    ------
    UsageRefused
        Where a tree branches and more than the first period is asked for: what is done on a
        branch is not decided now.
    """
    tree, months = g.tree, max(1, now_months)
    nodes = tuple(n for n in tree.nodes if tree.first_month(n) - tree.start < months)
    if len(tree.leaves) > 1 and len(nodes) > 1:
        raise UsageRefused(
            f"--now {now_months} reaches beyond the first period, but scenarios branch: what is "
            "done on a branch is no first action; leave --now out"
        )
    return nodes


# --- what stands ---------------------------------------------------------------------------


def year_ends(g: Given) -> tuple[Node, ...]:
    """Nodes whose period is the last of its calendar year."""
    tree = g.tree
    last: dict[int, int] = {}
    for n in tree.nodes:
        year = tree.first_month(n) // 12
        last[year] = max(last.get(year, 0), tree.period[n])
    ends = set(last.values())
    return tuple(n for n in tree.nodes if tree.period[n] in ends)


def _standing(g: Given) -> Iterator[Measure]:
    ends = year_ends(g)
    years = sum(g.probability[n] for n in ends)
    tenants = _tenants(g)
    for s in g.sites:
        for use in USES:
            places = [p for p, site in g.site_of.items() if site == s and g.workload_of[p] == use]
            for n in ends:
                terms = tuple(_mw_at(g, n, places, tenants))
                if terms:
                    weight = g.probability[n] / years
                    yield Measure(STANDING, s, use, period_of(g.tree, n), weight, terms)


def _tenants(g: Given) -> dict[tuple[Node, Place], list[Column]]:
    """MW of tenants' racks by node and place."""
    found = defaultdict[tuple[Node, Place], list[Column]](list)
    for n, x, p, k in indices.hosted(g):
        if k == TENANT:
            found[n, p].append(("hosting", (n, x, p, k)))
    return found


def _mw_at(
    g: Given, n: Node, places: Iterable[Place], tenants: Mapping[tuple[Node, Place], list[Column]]
) -> Iterator[tuple[Column, float]]:
    for p in places:
        for k in g.racks_at.get(p, ()):
            yield ("racks", (n, p, k)), g.rack_mw[k]
        for column in tenants.get((n, p), ()):
            yield column, 1.0


# --- first actions -------------------------------------------------------------------------


def first_actions(case: Case, now_months: int, *, counted: bool = False) -> Iterator[Measure]:
    """List the actions that may be taken within so many months, by site and subject.

    A move between halls of a site is none: its MW stay where they are.

    Parameters
    ----------
    case : Case
        What is given.
    now_months : int
        As in :func:`measures_of`.
    counted : bool
        Whether they are counted in their own unit, as halls and racks, and not in MW.
    """
    g = case.given
    nodes = first_nodes(g, now_months)
    sums = defaultdict[tuple[Verb, Site, str], list[tuple[Column, float]]](list)
    for verb, site, subject, column, mw in _deeds(case):
        if column[1][0] in nodes:
            sums[verb, site, subject].append((column, 1.0 if counted else mw))
    rank = {verb: position for position, verb in enumerate(UNITS)}
    for (verb, site, subject), terms in sorted(sums.items(), key=lambda item: rank[item[0][0]]):
        yield Measure(verb, site, subject, FIRST, 1.0, tuple(terms))


def _deeds(case: Case) -> Iterator[tuple[Verb, Site, str, Column, float]]:
    """Every action that may be taken: what, where, its column, and its MW per unit."""
    g, instance = case.given, case.instance
    for n, x in indices.signing(g):
        yield "sign", "", x, ("signed_mw", (n, x)), 1.0
    for n, j in indices.building(g):
        yield "build", instance.projects[j].site, j, ("builds", (n, j)), project_mw(case, j)
    for n, s, d, u in indices.plant_ordering(g):
        mw = instance.uptime.components[u].unit_mw or MW_OF_NONE
        yield "install", s, u, ("plant_orders", (n, s, d, u)), mw
    for n, p, q in indices.converting(g):
        mw = g.hall_mw[q] or g.hall_mw[p] or MW_OF_NONE
        yield "convert", g.site_of[q], state_of(q), ("conversions", (n, p, q)), mw
    for n, p, k in indices.ordering(g):
        yield "order", g.site_of[p], k, ("orders", (n, p, k)), g.rack_mw[k]
    for n, p, a, b in indices.transferring(g):
        if a != b:
            yield "rebuild", g.site_of[p], a, ("leaving", (n, p, a, b)), g.rack_mw[a]
    for n, p, k in indices.standing(g):
        yield "sell", g.site_of[p], k, ("sales", (n, p, k)), g.rack_mw[k]


def project_mw(case: Case, j: str) -> float:
    """MW that a unit of a project adds: to the grid, else of halls; one where it adds none."""
    project = case.instance.projects[j]
    grid = project.adds_firm_mw + project.adds_interruptible_mw
    halls = project.adds_halls
    shells = 0.0 if halls is None else halls.count * case.instance.halls[halls.hall].it_mw
    return grid or shells or MW_OF_NONE

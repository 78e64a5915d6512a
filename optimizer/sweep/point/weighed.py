"""What a plan reaches of the measures that fronts weigh, as columns of a sweep's table."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
from numpy.typing import NDArray

from models import grid, mining
from models.charges import KG_PER_TONNE, carbon_kg
from models.context import Context
from models.given import Site
from models.instance import Power
from models.tree import Node
from optimizer.bands import priced_hours, rows_of
from optimizer.case import Case
from optimizer.plan.energy import Draw, ai_draws, drawn_in
from optimizer.settle import operated
from optimizer.sweep.points import Json

Floats = NDArray[np.float64]
#: MW signed beyond this count as a contract; less is dust of the solver's arithmetic.
SIGNED_MW = 1e-6
MONTHS_A_YEAR = 12
#: Unit and meaning of each figure, in the order in which it comes.
WEIGHED: Mapping[str, tuple[str, str]] = {
    "mining_least_share": (
        "share", "mining of the IT MW in use, as policy counts it, in the period that has least",
    ),
    "mining_most_share": (
        "share", "mining of the IT MW in use, as policy counts it, in the period that has most",
    ),
    "least_promised_availability": (
        "share", "least availability promised by contracts signed within the horizon",
    ),
    "carbon_tonnes": ("t", "carbon of the energy that sites draw, where their power says it"),
    "carbon_most_tonnes_per_year": (
        "t/year", "carbon of the energy that a site draws in a year, of the site and year that "
        "has most",
    ),
}  # fmt: skip


def weighed(case: Case, plan: Context) -> Iterator[tuple[str, Json]]:
    """Give what a plan reaches of each measure, by name.

    Parameters
    ----------
    case : Case
        What was given.
    plan : Context
        A plan on floats.

    Yields
    ------
    mining_least_share, mining_most_share
        Mining of the IT MW in use, in the period of the plan in which it is least and largest,
        of those in which the policy's shares hold; None where nothing is in use.
    least_promised_availability
        Least availability promised by contracts signed within the horizon; None without any.
    carbon_tonnes, carbon_most_tonnes_per_year
        Carbon of the energy that sites draw, where their power says it: expected over the
        horizon, and of the site and year that has most, its months brought to twelve.
    """
    shares = [
        share for n in plan.given.share_nodes if (share := _mining_share(plan, n)) is not None
    ]
    yield "mining_least_share", min(shares, default=None)
    yield "mining_most_share", max(shares, default=None)
    yield "least_promised_availability", min(_promised(case, plan), default=None)
    if any(_power(case, s).carbon is not None for s in plan.given.sites):
        tonnes = _tonnes(case, plan)
        weight = plan.given.probability
        yield (
            "carbon_tonnes",
            None if tonnes is None else sum(weight[n] * mass for (n, _), mass in tonnes.items()),
        )
        yield (
            "carbon_most_tonnes_per_year",
            None if tonnes is None else max(_by_year(plan, tonnes), default=0.0),
        )


def _mining_share(plan: Context, n: Node) -> float | None:
    """Share of mining as the policy counts it: as it stands, AI as it is served."""
    g = plan.given
    mined = sum(float(mining.installed_mw(plan, n, s)) for s in g.sites)
    ai = (p for p, workload in g.workload_of.items() if workload == "ai")
    hosted = sum(float(load) for p in ai for load in grid.ai_loads(plan, n, p))
    return mined / (mined + hosted) if mined + hosted > 0 else None


def _promised(case: Case, plan: Context) -> Iterator[float]:
    for (_, x), mw in plan.signed_mw.items():
        if float(mw) > SIGNED_MW:
            yield case.instance.contracts[x].availability


# --- carbon --------------------------------------------------------------------------------


def _power(case: Case, s: Site) -> Power:
    return case.instance.power[case.instance.sites[s].power or s]


def _tonnes(case: Case, plan: Context) -> dict[tuple[Node, Site], float] | None:
    """Carbon of what each site draws in a node; None beside own generation, of which none says."""
    found: dict[tuple[Node, Site], float] = {}
    draws = ai_draws(case, plan)
    for s in plan.given.sites:
        power = _power(case, s)
        if power.carbon is None:
            continue
        if power.generation:
            return None
        kg = carbon_kg(case.hours[s], power.carbon)
        for n in plan.given.nodes:
            mwh = _drawn_mwh(case, plan, n, s, draws.get((n, s), {}))
            found[n, s] = float(kg[rows_of(plan.given, n, case.hours[s])] @ mwh) / KG_PER_TONNE
    return found


def _drawn_mwh(case: Case, plan: Context, n: Node, s: Site, draws: Mapping[str, Draw]) -> Floats:
    """Energy that a site draws in each hour of a node, its tenants' among it."""
    g = plan.given
    priced = priced_hours(g, n, s, case.hours[s])
    pue = np.array([g.pue[f] for f, _ in g.mining_classes.get(s, ())])
    drawn = operated(plan, n, s, priced).running @ pue + drawn_in(draws, ()).mw
    if priced.off is not None:
        own = [draws[x].mw if x in draws else 0.0 for x in g.sheddable.get(s, ())]
        drawn -= priced.off @ np.array(own)
    return np.asarray(priced.hours * drawn)


def _by_year(plan: Context, tonnes: dict[tuple[Node, Site], float]) -> Iterator[float]:
    """Tonnes a year of each site on every path, by the years in which a cap counts."""
    tree = plan.given.tree
    together = max(1, MONTHS_A_YEAR // tree.months)
    for leaf in tree.leaves:
        path = tree.path(leaf)
        for first in range(0, len(path), together):
            year = path[first : first + together]
            for s in dict.fromkeys(site for _, site in tonnes):
                mass = sum(tonnes[n, s] for n in year)
                yield mass * MONTHS_A_YEAR / (tree.months * len(year))

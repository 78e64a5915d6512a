"""What keeps AI running, place by place, against what its contracts promise."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from models.context import Context
from models.derive.uptime import Promise, promise_of
from models.given import Place
from optimizer.case import Case
from optimizer.reached import Reached
from optimizer.settle import DUST
from optimizer.words import state_of

MINUTES_PER_YEAR = 365.25 * 24 * 60


@dataclass(frozen=True)
class UptimeRow:
    """One promise kept by the halls of one AI state; a state that serves none has one row too.

    Attributes
    ----------
    site, hall, state, package, contract : str
        Where, what keeps it up, and whose promise.
    most_mw : float
        Most critical IT MW served there at any time.
    availability, promised : float
        Of the package, and of the contract (0: nothing is promised).
    down_minutes_per_year, allowed_minutes_per_year : float
        The same as minutes of downtime.
    """

    site: str
    hall: str
    state: str
    package: str
    contract: str
    most_mw: float
    availability: float
    promised: float
    down_minutes_per_year: float
    allowed_minutes_per_year: float


def uptime(case: Case, plan: Context) -> Iterator[UptimeRow]:
    """List AI states that are ever in service."""
    g = plan.given
    promised, sold = _most_hosted(plan), _most_sold(plan)
    for p in g.site_of:
        if g.workload_of[p] != "ai" or all(plan.halls[n, p] <= DUST for n in g.nodes):
            continue
        served = {x: mw for x in g.contracts if (mw := promised.get((p, x), 0.0)) > DUST}
        for x, mw in (served or {"": sold.get(p, 0.0)}).items():
            yield _row(case, plan, p, x, mw)


def _row(case: Case, plan: Context, p: Place, x: str, mw: float) -> UptimeRow:
    g, package = plan.given, plan.given.package_of[p]
    has = _least(Reached(case, plan), p, x) if x else _package(case, plan, p)
    promised = case.instance.contracts[x].availability if x else 0.0
    return UptimeRow(
        g.site_of[p], g.hall_of[p], state_of(p), package, x, mw, has, promised,
        down_minutes_per_year=(1.0 - has) * MINUTES_PER_YEAR,
        allowed_minutes_per_year=(1.0 - promised) * MINUTES_PER_YEAR,
    )  # fmt: skip


def _least(reached: Reached, p: Place, x: str) -> float:
    """Least availability of a place while it serves a contract."""
    promise = promise_of(reached.case.instance.contracts[x])
    serving = {
        n for (n, y, q, _), mw in reached.plan.hosting.items() if (y, q) == (x, p) and mw > DUST
    }
    return min(float(reached.availability(n, p, promise)) for n in serving)


def _package(case: Case, plan: Context, p: Place) -> float:
    """Availability of a place's package alone, where nothing is promised."""
    if not plan.given.package_of[p]:
        return 0.0
    return 1.0 - float(Reached(case, plan).package(p, Promise(0.0)))


def _most_hosted(plan: Context) -> dict[tuple[Place, str], float]:
    """Most MW of a contract in a place, at any time."""
    by_node: dict[tuple[int, Place, str], float] = {}
    for (n, x, p, _), mw in plan.hosting.items():
        by_node[n, p, x] = by_node.get((n, p, x), 0.0) + mw
    most: dict[tuple[Place, str], float] = {}
    for (_, p, x), mw in by_node.items():
        most[p, x] = max(most.get((p, x), 0.0), mw)
    return most


def _most_sold(plan: Context) -> dict[Place, float]:
    """Most MW sold by the GPU-hour in a place, at any time."""
    by_node: dict[tuple[int, Place], float] = {}
    for (n, p, _), mw in plan.cloud.items():
        by_node[n, p] = by_node.get((n, p), 0.0) + mw
    most: dict[Place, float] = {}
    for (_, p), mw in by_node.items():
        most[p] = max(most.get(p, 0.0), mw)
    return most

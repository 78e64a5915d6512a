"""What keeps AI running, place by place, against what its contracts promise."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from models.availability import minutes_per_year
from models.context import Context
from models.derive.reach import Promise
from models.given import Contract as Name
from models.given import Place
from optimizer.best import best_reach
from optimizer.kept import Kept, told
from optimizer.nine import Nine, next_nine
from optimizer.settle import DUST
from optimizer.words import month_of, state_of


@dataclass(frozen=True)
class Breaches:
    """Outages behind a promise in its worst period, and what they are expected to cost.

    Attributes
    ----------
    worst_month : str
        First month of the period in which least is reached.
    outages_per_year, hours_each : float or None
        How often AI stops, and for how long on average; None where a package is only stated.
    breached_month_probability, breached_year_probability : float or None
        That a month's availability falls below the promise; that a year holds such a month.
    credit_share : float or None
        Share of the rent that the value counts as credited, by the contract's schedule: for each
        part by itself, and nothing for a package that states no outages.
    together_credit_share : float or None
        The same of all parts together; None where the outages of one are not known.
    credit_musd_per_year : float or None
        What the value counts in M$, over the periods in which the contract is served there.
    uses : str
        Share of the downtime allowed that each subsystem uses up.
    """

    worst_month: str = ""
    outages_per_year: float | None = None
    hours_each: float | None = None
    breached_month_probability: float | None = None
    breached_year_probability: float | None = None
    credit_share: float | None = None
    together_credit_share: float | None = None
    credit_musd_per_year: float | None = None
    uses: str = ""


@dataclass(frozen=True)
class Beyond:
    """What could be promised at best, and what one more nine would cost.

    Attributes
    ----------
    best_availability : float or None
        Best that any design anywhere reaches for the contract.
    next_nine : float or None
        Availability with a tenth of the downtime promised.
    next_nine_musd, next_nine_usd_per_kw : float or None
        Extra capex of the cheapest design that reaches it, in all and per IT kW of the halls.
    next_nine_how : str
        That design, or what stands in its way.
    """

    best_availability: float | None = None
    next_nine: float | None = None
    next_nine_musd: float | None = None
    next_nine_usd_per_kw: float | None = None
    next_nine_how: str = ""


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
        Of package and plant in the worst period, and of the contract (0: nothing is promised).
    down_minutes_per_year, allowed_minutes_per_year : float
        The same as minutes of downtime.
    breaches : Breaches
        Outages, breaches and credits.
    beyond : Beyond
        What more could be promised.
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
    breaches: Breaches
    beyond: Beyond


def uptime(kept: Kept) -> Iterator[UptimeRow]:
    """List AI states that are ever in service."""
    plan, g = kept.plan, kept.plan.given
    sold = _most_sold(plan)

    @cache
    def best(x: Name) -> float | None:
        found = best_reach(kept.facts, kept.offers[x])
        return None if found is None else found.availability

    for p in g.site_of:
        if g.workload_of[p] != "ai" or all(plan.halls[n, p] <= DUST for n in g.nodes):
            continue
        served = [x for x in g.contracts if (x, p) in kept.hosted]
        if not served:
            yield _row(kept, p, "", sold.get(p, 0.0), _package(kept, p))
        for x in served:
            yield _served(kept, p, x, best(x))


def _served(kept: Kept, p: Place, x: Name, best: float | None) -> UptimeRow:
    """Tell of a place that serves a contract."""
    promise, n = kept.promise(x), kept.worst(x, p)
    down = kept.downtime(n, p, promise)
    parts = {part.subsystem: part.downtime.unavailability for part in kept.parts(n, p, promise)}
    breaches = Breaches(
        month_of(kept.plan.given.tree, n), down.outages_per_year, down.hours_each,
        down.breached_month(promise.availability), down.breached_year(promise.availability),
        kept.credit_share(n, x, p), down.credit_share(kept.schedule(x)),
        kept.credit_musd_per_year(x, p),
        told(parts, promise.availability),
    )  # fmt: skip
    has = float(kept.reached.availability(n, p, promise))
    beyond = _beyond(next_nine(kept, x, p), best)
    return _row(kept, p, x, max(kept.hosted[x, p].values()), has, breaches, beyond)


def _beyond(nine: Nine | None, best: float | None) -> Beyond:
    if nine is None:
        return Beyond(best)
    return Beyond(best, nine.availability, nine.musd, nine.usd_per_kw, nine.how)


def _row(
    kept: Kept, p: Place, x: Name, mw: float, has: float,
    breaches: Breaches = Breaches(), beyond: Beyond = Beyond(),
) -> UptimeRow:  # fmt: skip
    g = kept.plan.given
    promised = kept.offers[x].availability if x else 0.0
    return UptimeRow(
        g.site_of[p], g.hall_of[p], state_of(p), g.package_of[p], x, mw, has, promised,
        minutes_per_year(1.0 - has), minutes_per_year(1.0 - promised), breaches, beyond,
    )  # fmt: skip


def _package(kept: Kept, p: Place) -> float:
    """Availability of a place's package alone, where nothing is promised."""
    if not kept.plan.given.package_of[p]:
        return 0.0
    return 1.0 - float(kept.reached.package(p, Promise(0.0)))


def _most_sold(plan: Context) -> dict[Place, float]:
    """Most MW sold by the GPU-hour in a place, at any time."""
    by_node: dict[tuple[int, Place], float] = {}
    for (n, p, _), mw in plan.cloud.items():
        by_node[n, p] = by_node.get((n, p), 0.0) + mw
    most: dict[Place, float] = {}
    for (_, p), mw in by_node.items():
        most[p] = max(most.get(p, 0.0), mw)
    return most

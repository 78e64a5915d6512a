"""What one more nine would cost: a tenth of the downtime, from other packages and more units."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

from models import uptime
from models.availability import one_more_nine, series
from models.derive.facts import Place as FactsPlace
from models.derive.facts import place_name
from models.derive.reach import Bank, Promise
from models.given import Contract as Name
from models.given import Part as Subsystem
from models.given import Place, Site
from models.redundancy import Candidate, Design, frontier
from models.tree import Node
from models.units import KW_PER_MW, USD_PER_MUSD
from optimizer.best import STATED, Best, in_the_way
from optimizer.kept import Kept
from optimizer.reached import DUST_MW
from optimizer.words import percent


@dataclass(frozen=True)
class Nine:
    """The cheapest way to a tenth of the downtime, in capex on top of what the plan has.

    Attributes
    ----------
    availability : float
        What would be reached at least.
    musd, usd_per_kw : float or None
        Extra capex, in all and per IT kW of the halls; None where it is out of reach.
    how : str
        The design, or what stands in the way.
    """

    availability: float
    musd: float | None
    usd_per_kw: float | None
    how: str


@dataclass(frozen=True)
class _Way:
    """One way to build a part: what it adds to capex, and how often it is down."""

    label: str
    musd: float
    downtime: dict[str, float]

    @property
    def unavailability(self) -> float:
        return float(series(list(self.downtime.values())))


def next_nine(kept: Kept, x: Name, p: Place) -> Nine | None:
    """Find what one more nine would cost a contract in a place; None where nothing is promised.

    Halls that stand today pay for works from one package to another; what the plan builds is
    compared as if it were chosen at the outset, and pays for what it costs more. A plant pays for
    the units that it has more. The load is that of the
    period in which the place reaches least.
    """
    promise = kept.promise(x)
    if not 0.0 < promise.availability < 1.0:
        return None
    more = Promise(one_more_nine(promise.availability), promise.planned_work_excluded)
    n = kept.worst(x, p)
    if kept.reached.availability(n, p, promise) >= more.exactly:
        return Nine(more.availability, 0.0, 0.0, "kept already")
    return _cheapest(kept, n, x, p, more)


def _cheapest(kept: Kept, n: Node, x: Name, p: Place, more: Promise) -> Nine:
    """Take the cheapest design of the frontier that reaches a promise."""
    s = kept.plan.given.site_of[p]
    ways = [list(_packages(kept, n, p, more))]
    ways += [list(_plant(kept, n, s, d, x)) for d in kept.plan.given.plant_parts.get(s, ())]
    # Nobody buys experience: the company's own parts are down as they are by then.
    ways += [
        [_Way("", 0.0, {part.subsystem: part.downtime.unavailability})] for part in kept.company(n)
    ]
    designs = frontier([
        [Candidate((i,), (way.musd,), way.unavailability) for i, way in enumerate(own)]
        for own in ways
    ])  # fmt: skip
    allowed = -math.log(more.availability)
    found = next((design for design in designs if design.loss <= allowed), None)
    if found is None:
        best = _chosen(ways, min(designs, key=lambda design: design.loss))
        return Nine(more.availability, None, None, _out_of_reach(kept, p, best, more))
    chosen = _chosen(ways, found)
    musd = math.fsum(way.musd for way in chosen)
    how = "; ".join(way.label for way in chosen if way.label)
    return Nine(more.availability, musd, musd * USD_PER_MUSD / _kw(kept, n, p), how)


def _chosen(ways: list[list[_Way]], design: Design) -> list[_Way]:
    return [own[part.counts[0]] for own, part in zip(ways, design.parts, strict=True)]


def _out_of_reach(kept: Kept, p: Place, best: list[_Way], more: Promise) -> str:
    downtime = {part: u for way in best for part, u in way.downtime.items()}
    reach = 1.0 - float(series(list(downtime.values())))
    place = kept.places[p]
    way = in_the_way(Best(place.site, place.hall, reach, downtime), more.availability)
    return f"out of reach: best {percent(reach)}; of the downtime allowed {way}"


def _kw(kept: Kept, n: Node, p: Place) -> float:
    """IT kW of the halls of a place."""
    return float(kept.plan.halls[n, p]) * kept.places[p].it_mw * KW_PER_MW


def _packages(kept: Kept, n: Node, p: Place, more: Promise) -> Iterator[_Way]:
    """Packages that the halls could have: of those that stand today, what works lead to."""
    place, now = kept.places[p], kept.design(p)
    stands = kept.plan.given.halls_today.get(p, 0.0) > 0
    before = 0.0 if now is None else now.capex_usd_per_kw
    excluded = more.planned_work_excluded
    for name, design in kept.facts.designs.packages(place.it_mw).items():
        per_kw: float | None = design.capex_usd_per_kw - before
        if stands and name != place.package:
            per_kw = _upgrade(kept, place, name)
        if per_kw is None:
            continue
        if design.stated is not None:
            down = {STATED: 1.0 - design.stated}
        else:
            down = {bank.subsystem: _down(kept, bank, excluded) for bank in design.banks}
        musd = per_kw * _kw(kept, n, p) / USD_PER_MUSD
        yield _Way("" if name == place.package else name, musd, down)


def _upgrade(kept: Kept, place: FactsPlace, package: str) -> float | None:
    """Dollars per IT kW to give halls that stand another package; None where nothing does."""
    name = place_name(place.hall, place.fitout, package)
    other = kept.places.get(name)
    way = None if other is None else kept.facts.conversion(place, other)
    return None if way is None else way[1] / (place.it_mw * KW_PER_MW)


def _plant(kept: Kept, n: Node, s: Site, d: Subsystem, x: Name) -> Iterator[_Way]:
    """Ways of a part of the plant to carry what it carries for a contract."""
    g, promise = kept.plan.given, kept.promise(x)
    load = kept.load_mw(n, s, d, promise)
    excluded = promise.planned_work_excluded
    now = kept.reached.bank(n, s, d, promise)
    yield _Way("", 0.0, {d: _down(kept, now, excluded)})
    for option in kept.facts.plants.options[s, d]:
        if option.mw < load - DUST_MW or option.bank == now:
            continue
        musd = sum(
            max(0.0, count - float(uptime.installed(kept.plan, n, s, d, u)))
            * g.plant_cost.get((s, d, u), 0.0)
            for u, count in option.bank.counts
        )
        yield _Way(str(option.bank), musd, {d: _down(kept, option.bank, excluded)})


def _down(kept: Kept, bank: Bank, excluded: bool) -> float:
    return kept.outages.bank(bank, planned_work_excluded=excluded).unavailability

"""The designs that keep AI running: units by subsystem, in halls and in the plants of sites."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from models.availability import concurrently_maintainable, downtime_share
from models.derive.reach import Promise
from models.given import Contract as Name
from models.given import Place, Site
from models.tree import Node
from optimizer.kept import Kept, Part
from optimizer.words import month_of, state_of


@dataclass(frozen=True)
class DesignRow:
    """One part that a contract counts on, over the periods in which it is built so.

    Attributes
    ----------
    month_first, month_last : str
        First months of the first and of the last such period.
    contract, level, site, hall, state : str
        Whose, and where: of a site's plant, hall and state are empty.
    subsystem, units : str
        What, and what it is made of; a stated package is named.
    installed, needed : int
        Units that stand, in each hall or in the plant, and those that carry the load.
    concurrently_maintainable : bool
        Whether any one unit may be out while the load is held, on two paths: what a tier III asks
        of structure, whatever the percentage. Unknown of a stated package, and then false.
    it_mw, carries_mw : float
        Most critical IT MW behind it, of a hall at nameplate or of the site's AI, and the MW that
        go through it for them.
    down_minutes_per_year : float
        Minutes of downtime in a year.
    outages_per_year, hours_each : float or None
        How often it is down, and for how long.
    budget_share : float
        Share of the downtime that the contract allows.
    """

    month_first: str
    month_last: str
    contract: str
    level: str
    site: str
    hall: str
    state: str
    subsystem: str
    units: str
    installed: int
    needed: int
    concurrently_maintainable: bool
    it_mw: float
    carries_mw: float
    down_minutes_per_year: float
    outages_per_year: float | None
    hours_each: float | None
    budget_share: float


def designs(kept: Kept) -> Iterator[DesignRow]:
    """List the parts behind every contract that is served: of its halls, then of the plants."""
    site_of = kept.plan.given.site_of
    for x in kept.plan.given.contracts:
        promise = kept.promise(x)
        at = {p: list(nodes) for (y, p), nodes in kept.hosted.items() if y == x}
        for p, nodes in sorted(at.items()):
            for part in kept.hall(p, promise):
                it_mw = kept.places[p].it_mw
                yield _row(kept, x, part, nodes, it_mw, site_of[p], p)
        sites = dict.fromkeys(site_of[p] for p in sorted(at))
        for s in sites:
            serving = {n for p, nodes in at.items() if site_of[p] == s for n in nodes}
            yield from _plant(kept, x, s, sorted(serving), promise)


def _plant(
    kept: Kept, x: Name, s: Site, nodes: list[Node], promise: Promise
) -> Iterator[DesignRow]:
    """Parts of a site's plant, each over the periods in which it stands so."""
    periods: dict[Part, list[Node]] = {}
    for n in nodes:
        for part in (*kept.plant(n, s, promise), *kept.company(n)):
            periods.setdefault(part, []).append(n)
    for part, own in periods.items():
        it_mw = max(_carried(kept, x, s, n, part, promise) for n in own)
        yield _row(kept, x, part, own, it_mw, s)


def _carried(kept: Kept, x: Name, s: Site, n: Node, part: Part, promise: Promise) -> float:
    """MW on a part of the plant; what the contract is served at the site for the company's."""
    if part.level == "site":
        return kept.load_mw(n, s, part.subsystem, promise)
    at = kept.plan.given.site_of
    return sum(mw.get(n, 0.0) for (y, p), mw in kept.hosted.items() if y == x and at[p] == s)


def _load_share(kept: Kept, part: Part) -> float:
    """MW through a part per critical IT MW."""
    if part.bank is None:
        return 1.0
    return kept.case.instance.uptime.subsystems[part.subsystem].load_share


def _maintainable(kept: Kept, part: Part) -> bool:
    """Whether any one unit may be out and the load be held, as a tier III asks of structure."""
    bank = part.bank
    if bank is None:
        return False
    installed = sum(n for _, n in bank.counts)
    paths = kept.case.instance.uptime.subsystems[part.subsystem].paths
    return concurrently_maintainable(installed, bank.needed, paths)


def _units(kept: Kept, part: Part, package: str) -> str:
    """Say what a part is made of."""
    if part.bank is not None:
        return " and ".join(f"{n} {c}" for c, n in part.bank.counts)
    if part.level == "company":
        return kept.case.instance.uptime.subsystems[part.subsystem].components[0]
    return package


def _row(
    kept: Kept, x: Name, part: Part, nodes: list[Node], it_mw: float, s: Site, p: Place = ""
) -> DesignRow:
    g, down, bank = kept.plan.given, part.downtime, part.bank
    ordered = sorted(nodes, key=lambda n: g.tree.period[n])
    units = _units(kept, part, g.package_of[p] if p else "")
    return DesignRow(
        month_of(g.tree, ordered[0]), month_of(g.tree, ordered[-1]), x, part.level, s,
        g.hall_of[p] if p else "", state_of(p) if p else "", part.subsystem, units or "none",
        installed=1 if bank is None else sum(n for _, n in bank.counts),
        needed=1 if bank is None else bank.needed,
        concurrently_maintainable=_maintainable(kept, part),
        it_mw=it_mw, carries_mw=it_mw * _load_share(kept, part),
        down_minutes_per_year=down.minutes_per_year,
        outages_per_year=down.outages_per_year, hours_each=down.hours_each,
        budget_share=downtime_share(down.unavailability, kept.promise(x).availability),
    )  # fmt: skip

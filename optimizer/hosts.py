"""Which halls may ever serve which AI contract, from which state, and why not the others."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

from models.derive.facts import Place
from models.instance import Contract, Fitout
from optimizer.best import best_reach, in_the_way
from optimizer.case import Case


@dataclass(frozen=True)
class Host:
    """One hall group, seen from one contract.

    Attributes
    ----------
    contract, site, hall : str
        Whose halls for whom.
    fitout : str
        Fit-out from which it may be served; empty where it may not.
    package : str
        The cheapest uptime package that keeps the promise on the best plant of the site.
    why_not : str
        What stands in the way; empty where nothing does.
    needs : str
        What has to be built before; empty where nothing has.
    """

    contract: str
    site: str
    hall: str
    fitout: str
    package: str
    why_not: str
    needs: str


def hosts(case: Case) -> Iterator[Host]:
    """List every hall group for every contract."""
    d = case.derivation
    for x, offer in case.instance.contracts.items():
        serving = {p for p, _ in case.given.hosting_at[x]}
        for h, group in d.by_hall.items():
            site = case.instance.halls[h].site
            fit = [p for p in group if p.name in serving]
            if not fit:
                yield Host(x, site, h, "", "", _why_not(case, offer, h), "")
                continue
            least = min(fit, key=lambda place: _dollars(case, group[0], place))
            yield Host(x, site, h, least.fitout, least.package, "", _needs(case, site))


def _dollars(case: Case, today: Place, place: Place) -> tuple[float, str]:
    """What a hall in its present state costs to serve from another; nothing as it stands."""
    if place == today:
        return 0.0, place.name
    way = case.derivation.conversion(today, place)
    return (math.inf if way is None else way[1]), place.name


def _why_not(case: Case, offer: Contract, h: str) -> str:
    """Say what stands in the way, the least removable first."""
    i, d = case.instance, case.derivation
    places = [p for p in d.by_hall[h] if p.workload == "ai"]
    fitouts = {p.fitout: i.fitouts[p.fitout] for p in places}
    if not fitouts:
        return "cannot be fitted out for AI"
    if offer.sites is not None and i.halls[h].site not in offer.sites:
        return f"the contract is for {', '.join(offer.sites)}"
    cooled = {f: one for f, one in fitouts.items() if offer.cooling in (None, one.cooling)}
    if not cooled:
        found = ", ".join(dict.fromkeys(one.cooling for one in fitouts.values()))
        return f"needs cooling by {offer.cooling}, has {found}"
    dense = [f for f, one in cooled.items() if _holds(case, offer, f, one, places)]
    if not dense:
        return _too_dense(case, offer, cooled)
    best = best_reach(d, offer, hall=h)
    if best is None or best.availability <= 0.0:
        return "has no uptime package"
    way = in_the_way(best, offer.availability)
    reached = f"reaches {best.availability:.7g} at best, {offer.availability:.7g} is promised"
    return f"{reached} ({way} of the downtime allowed)" if way else reached


def _holds(case: Case, offer: Contract, f: str, fitout: Fitout, places: list[Place]) -> bool:
    """Whether racks of a contract can be cooled and powered in a fit-out."""
    if offer.racks_by == "tenant":
        return (offer.kw_per_rack or 0.0) <= (fitout.kw_per_rack_max or float("inf"))
    held = {k for p in places if p.fitout == f for k in case.derivation.racks_at[p.name]}
    return any(k in held for k in offer.racks)


def _too_dense(case: Case, offer: Contract, fitouts: dict[str, Fitout]) -> str:
    most = max((one.kw_per_rack_max or float("inf") for one in fitouts.values()), default=0.0)
    if offer.racks_by == "tenant":
        return f"takes racks up to {most:g} kW, the tenant's draw {offer.kw_per_rack:g} kW"
    drawn = ", ".join(f"{k} {case.derivation.rack_kw[k]:g} kW" for k in offer.racks)
    return f"holds none of its racks ({drawn})"


def _needs(case: Case, site: str) -> str:
    """Name what a site lacks today and may build."""
    if site not in case.given.needs_fibre:
        return ""
    lit = [j for j in case.given.projects.get(site, ()) if j in case.given.project_fibre]
    return f"{' or '.join(lit)} first" if lit else "fibre, which no project brings"

"""Why a case has no such action: the reason a planner would be given.

The index sets of a case leave out what cannot be (:mod:`models.derive`); whoever asks for it all
the same, in a list of actions, is told here what stands in the way and what could be asked.
"""

from __future__ import annotations

from models.given import Contract, Part, Place, Project, RackType, Site, Unit
from models.instance import month_index, month_text
from models.tree import Node
from models.units import KW_PER_MW
from optimizer.case import Case

#: A reason, and a way out.
Reason = tuple[str, str]


def no_order(case: Case, n: Node, p: Place, k: RackType) -> Reason:
    """Why racks of a type cannot be ordered for a place at a node."""
    g, rack = case.given, case.instance.racks[k]
    if k not in g.racks_at[p]:
        return no_room(case, p, k)
    if g.site_of[p] in g.sites_kept:
        return _kept(case, p)
    if not rack.buyable:
        return f"{k} cannot be bought", f"racks.{k}.buyable says so"
    if not g.tree.lands(n, g.rack_lag[k]):
        return _too_late(case, n, g.rack_lag[k], f"{k} would arrive")
    return _outside(case, n, f"{k} can be ordered", rack.buy_from, rack.buy_until)


def no_room(case: Case, p: Place, k: RackType) -> Reason:
    """Why racks of a type can never stand in a place."""
    g, rack = case.given, case.instance.racks[k]
    fitout = case.instance.fitouts.get(g.fitout_of[p])
    cannot = f"{k} cannot stand in {p}"
    if fitout is None:
        return f"{cannot}: a bare shell holds no racks", "convert the hall first"
    homes = _homes(case, k)
    if rack.workload != fitout.workload:
        return f"{cannot}: it is for {fitout.workload}, the rack for {rack.workload}", homes
    cooling = case.derivation.cooling(k)
    if cooling != fitout.cooling:
        return f"{cannot}: it cools by {fitout.cooling}, the rack needs {cooling}", homes
    kw = g.rack_mw[k] * KW_PER_MW
    return f"{cannot}: {kw:g} kW are too many for its racks or halls", homes


def no_conversion(case: Case, n: Node, p: Place, q: Place) -> Reason:
    """Why halls cannot be converted from one state to another at a node."""
    g = case.given
    if g.hall_of[p] != g.hall_of[q]:
        return "a conversion stays within its hall group", f"{p} is of {g.hall_of[p]}"
    if (p, q) in g.conversion_lag:
        return _too_late(case, n, g.conversion_lag[p, q], "the works would be finished")
    if g.site_of[p] in g.sites_kept:
        return _kept(case, p)
    ways = [to for start, to in g.conversion_lag if start == p]
    return f"{p} cannot become {q}", f"it can become {', '.join(ways) or 'nothing else'}"


def no_installation(case: Case, n: Node, s: Site, d: Part, u: Unit) -> Reason:
    """Why a unit of a site's plant cannot be ordered at a node."""
    g = case.given
    if s in g.sites_kept:
        return f"{s} stays as it is", "policy.keep_sites says so"
    if u not in g.plant_units.get((s, d), ()):
        return f"{d} at {s} is not made of {u}", "uptime.subsystems says what it can be made of"
    if not g.tree.lands(n, g.plant_lag[u]):
        return _too_late(case, n, g.plant_lag[u], f"{u} would be in service")
    return f"as many {u} stand at {s} today as any load needs", ""


def no_build(case: Case, n: Node, j: Project) -> Reason:
    """Why a project cannot be ordered at a node."""
    g, project = case.given, case.instance.projects[j]
    if project.site in g.sites_kept:
        return f"{project.site} stays as it is", "policy.keep_sites says so"
    if not g.tree.lands(n, g.project_lag[j]):
        return _too_late(case, n, g.project_lag[j], f"{j} would be finished")
    return _outside(case, n, f"{j} can be ordered", project.earliest, project.latest)


def no_signing(case: Case, x: Contract) -> Reason:
    """Why a contract cannot be signed at some node."""
    offer, tree = case.instance.contracts[x], case.given.tree
    if x in case.given.signed_today_mw:
        return f"{x} is signed already", "commitments.contracts holds it"
    end = tree.end_month(tree.leaves[0])
    if month_index(offer.start) >= end:
        return f"{x} starts in {offer.start}", f"the horizon ends before {month_text(end)}"
    return f"{x} can be signed until {offer.sign_by}", "the offer is gone by then"


def no_transfer(
    case: Case, n: Node, p: Place, a: RackType, b: RackType, stands: RackType
) -> Reason:
    """Why racks cannot leave a place, or come to it, to be moved or rebuilt at a node.

    ``stands`` is the one of the two types that would stand in the place.
    """
    g = case.given
    if (a, b) not in g.transfers.get(g.site_of[p], ()):
        if g.site_of[p] in g.sites_kept:
            return _kept(case, p)
        verb, key = ("moved", "move_usd") if a == b else ("rebuilt", "converts_to")
        return f"{a} cannot be {verb} at {g.site_of[p]}", f"racks.{a}.{key} would allow it"
    if stands not in g.racks_at[p]:
        return no_room(case, p, stands)
    return _too_late(case, n, g.transfer_lag[a, b], f"{b} would arrive")


def _homes(case: Case, k: RackType) -> str:
    homes = [p for p, types in case.given.racks_at.items() if k in types]
    return f"it can stand in {', '.join(homes[:6])}" if homes else "no state of any hall holds it"


def _kept(case: Case, p: Place) -> Reason:
    return f"{case.given.site_of[p]} stays as it is", "policy.keep_sites says so"


def _too_late(case: Case, n: Node, lag: int, what: str) -> Reason:
    tree = case.given.tree
    arrives = month_text(tree.first_month(n) + lag * tree.months)
    last = tree.periods - 1 - lag
    latest = month_text(tree.start + last * tree.months)
    hint = f"the last month to order is {latest}" if last >= 0 else "the horizon is too short"
    return f"{what} in {arrives}, beyond the horizon", hint


def _outside(case: Case, n: Node, what: str, first: str | None, last: str | None) -> Reason:
    span = f"{f' from {first}' if first else ''}{f' until {last}' if last else ''}"
    return f"{what}{span}", f"{month_text(case.given.tree.first_month(n))} lies outside"

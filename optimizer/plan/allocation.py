"""What stands where: halls by state, racks by type, tenants' racks, in MW, PH/s and GPUs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from models.context import Context
from models.given import TENANT, Place, RackType
from models.instance import month_index
from models.tree import Node
from optimizer.case import Case
from optimizer.settle import DUST
from optimizer.words import month_of, state_of


@dataclass(frozen=True)
class AllocationRow:
    """Racks of one type in one state of a hall group.

    Attributes
    ----------
    node, month : int, str
        Period and its first month.
    site, hall, state, workload : str
        Where, and what the halls are fitted out for.
    rack, contract : str
        Rack type; of racks that a tenant brings ``tenant``, and whose they are.
    racks, machines, ph_per_s, gpus : float or None
        Counts and hash rate; unknown for a tenant's racks.
    it_mw, utility_mw : float
        Critical IT MW at nameplate, and what the grid sees of it on the hottest hour.
    serving_mw : float
        Critical IT MW that earn a rent or GPU-hours; 0 for mining, see the energy table.
    """

    node: int
    month: str
    site: str
    hall: str
    state: str
    workload: str
    rack: str
    contract: str
    racks: float | None
    machines: float | None
    ph_per_s: float | None
    gpus: float | None
    it_mw: float
    utility_mw: float
    serving_mw: float


@dataclass(frozen=True)
class HallRow:
    """Halls of one group in one state.

    Attributes
    ----------
    node, month : int, str
        Period and its first month.
    site, hall, state, fitout, package, workload : str
        Where, and what they are fitted out for.
    halls, halls_in_works : float
        In service, and being converted into this state without income meanwhile.
    it_mw, used_mw : float
        Critical IT MW of the halls in service, and what stands in them at nameplate.
    """

    node: int
    month: str
    site: str
    hall: str
    state: str
    fitout: str
    package: str
    workload: str
    halls: float
    halls_in_works: float
    it_mw: float
    used_mw: float


def allocation(case: Case, plan: Context) -> Iterator[AllocationRow]:
    """List racks, owned ones first, then tenants'."""
    g = plan.given
    for n in g.nodes:
        for p in g.site_of:
            for k in g.racks_at.get(p, ()):
                if plan.racks[n, p, k] > DUST:
                    yield _owned(case, plan, n, p, k)
            for x in g.contracts_at.get((p, TENANT), ()):
                mw = plan.hosting.get((n, x, p, TENANT), 0.0)
                if mw > DUST:
                    yield _tenants(plan, n, p, x, mw)


def _owned(case: Case, plan: Context, n: Node, p: Place, k: RackType) -> AllocationRow:
    g, kind = plan.given, case.instance.racks[k]
    count = plan.racks[n, p, k]
    machines = count * (kind.machines_per_rack or 0)
    th_per_s = case.instance.machines[kind.machine].th_per_s if kind.machine else 0.0
    it_mw = count * g.rack_mw[k]
    serving = plan.cloud.get((n, p, k), 0.0) + sum(
        plan.hosting.get((n, x, p, k), 0.0) for x in g.contracts_at.get((p, k), ())
    )
    return AllocationRow(
        n, month_of(g.tree, n), g.site_of[p], g.hall_of[p], state_of(p), g.workload_of[p], k, "",
        racks=count, machines=machines, ph_per_s=machines * th_per_s / 1000.0,
        gpus=count * (kind.gpus_per_rack or 0), it_mw=it_mw,
        utility_mw=it_mw * g.pue_peak[g.fitout_of[p]], serving_mw=serving,
    )  # fmt: skip


def _tenants(plan: Context, n: Node, p: Place, x: str, mw: float) -> AllocationRow:
    g = plan.given
    return AllocationRow(
        n, month_of(g.tree, n), g.site_of[p], g.hall_of[p], state_of(p), g.workload_of[p],
        TENANT, x, racks=None, machines=None, ph_per_s=None, gpus=None, it_mw=mw,
        utility_mw=mw * g.pue_peak[g.fitout_of[p]], serving_mw=mw,
    )  # fmt: skip


def halls(case: Case, plan: Context) -> Iterator[HallRow]:
    """List hall groups by state, those under works among them."""
    g = plan.given
    for n in g.nodes:
        for p in g.site_of:
            count, works = plan.halls[n, p], in_works(case, plan, n, p)
            if count <= DUST and works <= DUST:
                continue
            yield HallRow(
                n, month_of(g.tree, n), g.site_of[p], g.hall_of[p], state_of(p), g.fitout_of[p],
                g.package_of[p], g.workload_of[p], halls=count, halls_in_works=works,
                it_mw=count * g.hall_mw[p], used_mw=standing_mw(plan, n, p),
            )  # fmt: skip


def standing_mw(plan: Context, n: Node, p: Place) -> float:
    """Critical IT MW at nameplate that stand in a place, tenants' racks among them."""
    g = plan.given
    owned = sum(g.rack_mw[k] * plan.racks[n, p, k] for k in g.racks_at.get(p, ()))
    tenants = sum(
        plan.hosting.get((n, x, p, TENANT), 0.0) for x in g.contracts_at.get((p, TENANT), ())
    )
    return float(owned + tenants)


def in_works(case: Case, plan: Context, n: Node, q: Place) -> float:
    """Halls on their way into a state: ordered on the path, or before it, and not yet there."""
    g, tree = plan.given, plan.given.tree
    ordered = sum(
        plan.conversions.get((m, p, q), 0.0)
        for p in g.places[g.hall_of[q]]
        for m in tree.path(n)
        if tree.period[m] + g.conversion_lag.get((p, q), 0) > tree.period[n]
    )
    owed = sum(
        work.halls
        for work in case.instance.commitments.works
        if (work.hall, work.fitout, work.package or "")
        == (g.hall_of[q], g.fitout_of[q], g.package_of[q])
        and month_index(work.ready) > tree.first_month(n)
    )
    return float(ordered + owed)

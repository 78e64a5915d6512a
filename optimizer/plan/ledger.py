"""Every dollar of a plan, once: where it moves, in which business, for what.

The algebra adds flows up before anyone asks whose they are. Here they are written down one by
one; finance, the bridge to the value and the returns are sums over this ledger. A ledger that
does not add up to the cash of the algebra is refused, so a technology that somebody adds to the
model cannot be left out of the accounts unnoticed.

Segments are ``mining``, ``hosting`` (AI by contract), ``cloud`` (GPU-hours without contract) and
``company`` (what no business causes alone: staff of sites, grid projects, overhead, the cost of
two businesses, entry into AI, debt). What AI halls and racks cost is shared between hosting and
cloud by the MW that each serves there over the plan.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from models import capital, commitments, energy, service_credits, uptime
from models.context import Context
from models.given import Place, RackType, Site
from models.hosting import signed
from models.tree import Node

MINING, HOSTING, CLOUD, COMPANY = SEGMENTS = ("mining", "hosting", "cloud", "company")
#: Stands for what belongs to no single site.
NO_SITE: Site = ""

#: What money moves for, at the start of a period, through it, and at the end of the horizon.
START = (
    "capex", "tenant_works", "racks_sold", "advances", "ai_entry", "loan_drawn", "loan_repaid",
)  # fmt: skip
THROUGH = (
    "revenue", "power", "upkeep", "staff", "overhead", "two_businesses", "damages",
    "advances_credited", "service_credits", "demand_charges", "agreements", "interest",
)  # fmt: skip
#: Those of these that stand on the power bill beside the price of an hour.
BILL = ("demand_charges", "agreements")
#: Those of these that belong to the loan and to debt from before.
LOAN = ("loan_drawn", "loan_repaid", "interest")
END = ("residual", "contracts_beyond", "debt_left")

#: Largest difference between the ledger and the algebra, relative to the flows.
TOLERANCE = 1e-9


@dataclass(frozen=True)
class Entry:
    """One flow of cash.

    Attributes
    ----------
    node : int
        Period in which it moves; a leaf for what remains at the horizon.
    site, segment, part : str
        Where, in which business, for what.
    musd : float
        M$ received, negative where paid. Of ``END`` the present value at the plan's start.
    """

    node: Node
    site: Site
    segment: str
    part: str
    musd: float


class LedgerGap(RuntimeError):
    """The ledger misses a flow that the algebra counts: a defect of ours."""


def ledger(plan: Context) -> tuple[Entry, ...]:
    """Write every flow of a plan down.

    Raises
    ------
    LedgerGap
        Where the entries of a node do not add up to the cash that moves in it.
    """
    shares = Shares(plan)
    entries = [
        *_mining(plan),
        *_hosting(plan),
        *_cloud(plan),
        *_bill(plan),
        *_halls(plan, shares),
        *_racks(plan, shares),
        *_projects(plan),
        *_plant(plan),
        *_contracts(plan),
        *_company(plan),
        *_loan(plan),
    ]
    for leaf in plan.given.tree.leaves:
        entries += _end(plan, shares, leaf)
    written = tuple(entry for entry in entries if entry.musd)
    _refuse_gaps(plan, written)
    return written


def _refuse_gaps(plan: Context, entries: tuple[Entry, ...]) -> None:
    sums: dict[tuple[Node, str], list[float]] = {}
    when = {part: t for t, parts in (("s", START), ("t", THROUGH), ("e", END)) for part in parts}
    for entry in entries:
        sums.setdefault((entry.node, when[entry.part]), []).append(entry.musd)
    expected = {(n, "s"): capital.start_flow(plan, n) for n in plan.given.nodes}
    expected |= {(n, "t"): capital.operating_flow(plan, n) for n in plan.given.nodes}
    expected |= {(leaf, "e"): capital.end_value(plan, leaf) for leaf in plan.given.tree.leaves}
    for key, flow in expected.items():
        found = sums.get(key, [])
        size = max(1.0, sum(map(abs, found)))
        if not abs(sum(found) - flow) <= TOLERANCE * size:
            raise LedgerGap(f"node {key[0]}, {key[1]}: {sum(found)!r} M$ written, {flow!r} moved")


class Shares:
    """How far AI places and racks serve contracts, and how far GPU-hours."""

    def __init__(self, plan: Context) -> None:
        self._workload = plan.given.workload_of
        self._served: dict[tuple[Place, RackType | None], dict[str, float]] = {}
        weight = plan.given.probability
        for (n, _, p, k), mw in plan.hosting.items():
            self._add(p, k, HOSTING, weight[n] * mw)
        for (n, p, k), mw in plan.cloud.items():
            self._add(p, k, CLOUD, weight[n] * mw)

    def _add(self, p: Place, k: RackType, segment: str, mw: float) -> None:
        for key in ((p, k), (p, None)):
            served = self._served.setdefault(key, {})
            served[segment] = served.get(segment, 0.0) + mw

    def __call__(self, p: Place, k: RackType | None = None) -> tuple[tuple[str, float], ...]:
        """Segments that a place, or a rack type in it, belongs to, with their shares."""
        if self._workload[p] != "ai":
            return ((MINING, 1.0),)
        served = self._served.get((p, k), {})
        whole = sum(served.values())
        if whole <= 0:
            return ((next(iter(served), HOSTING), 1.0),)
        return tuple((segment, mw / whole) for segment, mw in served.items() if mw)


def mined_it_mw(c: Context) -> dict[tuple[Node, Site, str, RackType, int], float]:
    """IT MW that mine in a band on average, less what shortfalls of shared units drop."""
    g = c.given
    mined = {key: float(mw) for key, mw in c.mining.items()}
    for n in g.nodes:
        for s in g.pooled_parts:
            for (f, k, b), mw in uptime.dropped_it_mw(c, n, s).items():
                mined[n, s, f, k, b] -= float(mw)
    return mined


# --- operation -----------------------------------------------------------------------------


def _mining(c: Context) -> Iterator[Entry]:
    g = c.given
    for (n, s, f, k, b), mw in mined_it_mw(c).items():
        price = g.price[n, s, b] + g.adder[s] + g.mining_adder[s]
        mwh = g.hours[n, s, b] * mw
        yield Entry(n, s, MINING, "revenue", mwh * g.mining_revenue[n, k])
        yield Entry(n, s, MINING, "power", -mwh * g.pue[f] * price)


def _hosting(c: Context) -> Iterator[Entry]:
    g = c.given
    for (n, x, p, k), mw in c.hosting.items():
        s = g.site_of[p]
        yield Entry(n, s, HOSTING, "revenue", mw * g.rent[n, x, k])
        yield Entry(n, s, HOSTING, "power", -mw * g.hosting_energy[n, x, p])
        yield Entry(n, s, HOSTING, "upkeep", -mw * g.hosting_service[n, x])


def _cloud(c: Context) -> Iterator[Entry]:
    g = c.given
    for (n, p, k), mw in c.cloud.items():
        s = g.site_of[p]
        yield Entry(n, s, CLOUD, "revenue", mw * g.cloud_revenue[n, k])
        yield Entry(n, s, CLOUD, "power", -mw * g.cloud_energy[n, p, k])


def _contracts(c: Context) -> Iterator[Entry]:
    g = c.given
    for (n, x), mw in c.shortfall.items():
        yield Entry(n, NO_SITE, HOSTING, "damages", -mw * g.delay_damages[n, x])
    for (n, x), credit in g.prepayment_credit.items():
        yield Entry(n, NO_SITE, HOSTING, "advances_credited", -credit * float(signed(c, n, x)))
    for n in g.nodes:
        for s in g.sites:
            credited = float(service_credits.expected_credits(c, n, s))
            yield Entry(n, s, HOSTING, "service_credits", credited)
        newcomer = float(service_credits.newcomer_credits(c, n))
        yield Entry(n, NO_SITE, HOSTING, "service_credits", newcomer)
    for (n, x), mw in c.signed_mw.items():
        yield Entry(n, NO_SITE, HOSTING, "advances", mw * g.prepayment[x])
        yield Entry(n, NO_SITE, HOSTING, "tenant_works", mw * g.tenant_works[x])


def _company(c: Context) -> Iterator[Entry]:
    g = c.given
    for n in g.nodes:
        yield Entry(n, NO_SITE, COMPANY, "overhead", -g.overhead[n])
        yield Entry(n, NO_SITE, COMPANY, "ai_entry", -float(capital.entry_spending(c, n)))
    for (n, s), musd in g.site_fixed.items():
        yield Entry(n, s, COMPANY, "staff", -musd)
    for (n, s), both in c.both.items():
        yield Entry(n, s, COMPANY, "two_businesses", -g.split_site[n] * both)
    for (n,), both in c.both_company.items():
        yield Entry(n, NO_SITE, COMPANY, "two_businesses", -g.split_company[n] * both)


def _bill(c: Context) -> Iterator[Entry]:
    """What no MWh causes alone: the highest MW of a month, and energy bought ahead."""
    g = c.given
    for n in g.nodes:
        for s in g.sites:
            charged = float(energy.demand_charges(c, n, s))
            yield Entry(n, s, COMPANY, "demand_charges", charged)
            agreed = energy.agreements_margin(c, n, s) + commitments.commitment_pay(c, n, s)
            yield Entry(n, s, COMPANY, "agreements", float(agreed))


# --- investment ----------------------------------------------------------------------------


def _halls(c: Context, shares: Shares) -> Iterator[Entry]:
    g = c.given
    for (n, p), opex in g.place_opex.items():
        for segment, share in shares(p):
            yield Entry(n, g.site_of[p], segment, "upkeep", -share * opex * c.halls[n, p])
    for (n, p, q), count in c.conversions.items():
        for segment, share in shares(q):
            paid = share * g.conversion_cost[p, q] * count
            yield Entry(n, g.site_of[q], segment, "capex", -paid)


def _racks(c: Context, shares: Shares) -> Iterator[Entry]:
    g = c.given
    for n, s, p, k, part, musd in _rack_flows(c):
        for segment, share in shares(p, k):
            yield Entry(n, s, segment, part, share * musd)
    for (n, s), owed in g.capex_owed.items():
        yield Entry(n, s, COMPANY, "capex", -owed)


def _rack_flows(c: Context) -> Iterator[tuple[Node, Site, Place, RackType, str, float]]:
    g = c.given
    for (n, p, k), count in c.orders.items():
        yield n, g.site_of[p], p, k, "capex", -g.rack_deposit[k] * count
    for n in g.nodes:
        for p, types in g.racks_at.items():
            for k in types:
                ordered = c.orders.get((g.tree.ancestor(n, g.rack_lag[k]), p, k), 0.0)
                yield n, g.site_of[p], p, k, "capex", -g.rack_due[k] * ordered
    for (n, p, a, b), count in c.leaving.items():
        yield n, g.site_of[p], p, a, "capex", -g.transfer_cost[a, b] * count
    for (n, p, k), count in c.sales.items():
        yield n, g.site_of[p], p, k, "racks_sold", g.resale[n, k] * count


def _projects(c: Context) -> Iterator[Entry]:
    g = c.given
    site_of = {j: s for s, projects in g.projects.items() for j in projects}
    for (n, j), units in c.builds.items():
        yield Entry(n, site_of[j], COMPANY, "capex", -g.project_cost[j] * units)


def _plant(c: Context) -> Iterator[Entry]:
    g = c.given
    for (n, s, d, u), units in c.plant_orders.items():
        yield Entry(n, s, HOSTING, "capex", -g.plant_cost[s, d, u] * units)
    for n in g.nodes:
        for s in g.plant_parts:
            yield Entry(n, s, HOSTING, "upkeep", float(uptime.plant_upkeep(c, n, s)))


def _loan(c: Context) -> Iterator[Entry]:
    g = c.given
    for (n,), drawn in c.draw.items():
        yield Entry(n, NO_SITE, COMPANY, "loan_drawn", (1.0 - g.loan_fee) * drawn)
    for (n,), repaid in c.repay.items():
        yield Entry(n, NO_SITE, COMPANY, "loan_repaid", -repaid)
    for n, principal in g.debt_principal.items():
        yield Entry(n, NO_SITE, COMPANY, "loan_repaid", -principal)
    for n in g.nodes:
        yield Entry(n, NO_SITE, COMPANY, "interest", -float(capital.interest(c, n)))


# --- what remains --------------------------------------------------------------------------


def _end(c: Context, shares: Shares, leaf: Node) -> Iterator[Entry]:
    g = c.given
    for key, worth in g.hall_residual.items():
        if key[0] == leaf:
            for segment, share in shares(key[2]):
                musd = share * worth * c.kept[key]
                yield Entry(leaf, g.site_of[key[2]], segment, "residual", musd)
    for unit, worth in g.plant_residual.items():
        if unit[0] == leaf:
            yield Entry(leaf, unit[1], HOSTING, "residual", worth * c.units_released[unit])
    site_of = {j: s for s, projects in g.projects.items() for j in projects}
    for (end, j, v, e), worth in g.project_residual.items():
        if end == leaf:
            musd = worth * c.released[leaf, j, v, e]
            yield Entry(leaf, site_of[j], COMPANY, "residual", musd)
    for p, k, musd in _racks_left(c, leaf):
        for segment, share in shares(p, k):
            left = g.discount_end[leaf] * share * musd
            yield Entry(leaf, g.site_of[p], segment, "residual", left)
    for (end, _, p, k), worth in ((key, w) for key, w in g.tail_margin.items() if key[0] == leaf):
        musd = worth * c.hosting[end, _, p, k]
        yield Entry(leaf, g.site_of[p], HOSTING, "contracts_beyond", musd)
    for (end, p, e), cost in g.lasting_opex.items():
        if end == leaf:
            musd = -cost * c.lasting[leaf, p, e]
            yield Entry(leaf, g.site_of[p], HOSTING, "contracts_beyond", musd)
    for stays, cost in g.lasting_unit_opex.items():
        if stays[0] == leaf:
            musd = -cost * c.units_lasting[stays]
            yield Entry(leaf, stays[1], HOSTING, "contracts_beyond", musd)
    credited = float(service_credits.tail_credits(c, leaf))
    yield Entry(leaf, NO_SITE, HOSTING, "contracts_beyond", credited)
    for (end, x), worth in g.tail_credit.items():
        if end == leaf:
            musd = -worth * float(signed(c, leaf, x))
            yield Entry(leaf, NO_SITE, HOSTING, "contracts_beyond", musd)
    owed = c.debt[leaf,] + g.debt_left
    yield Entry(leaf, NO_SITE, COMPANY, "debt_left", -g.discount_end[leaf] * owed)


def _racks_left(c: Context, leaf: Node) -> Iterator[tuple[Place, RackType, float]]:
    g = c.given
    for p, types in g.racks_at.items():
        for k in types:
            yield p, k, g.resale_end[leaf, k] * c.racks[leaf, p, k]
    for (end, x, p, k), mw in c.hosting.items():
        if end == leaf and (leaf, x, k) in g.rack_tail_loss:
            yield p, k, -g.rack_tail_loss[leaf, x, k] * mw

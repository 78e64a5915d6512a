"""The figures that a plan is known by, for the company and for each site."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from models import capital
from models.context import Context
from models.derive import Derivation
from models.mining import hashprice_from_network, subsidy_btc
from models.paths import daily_mean, first_day, value_in_month
from models.tree import Node
from models.units import USD_PER_MUSD
from optimizer.case import Case
from optimizer.plan.allocation import AllocationRow
from optimizer.plan.energy import EnergyRow
from optimizer.plan.finance import FinanceRow
from optimizer.plan.ledger import COMPANY, MINING, Entry, mined_it_mw
from optimizer.plan.value import (
    Flow,
    equity_flows,
    irr_per_year,
    lowest_cash,
    payback_months,
    peak_funding_musd,
    sign_changes,
)
from optimizer.settle import fit_to_run

#: Scope of what holds for all sites together.
ALL = "company"

#: Unit and meaning of figures that other tables show, too.
SHARED: Mapping[str, tuple[str, str]] = {
    "value_musd": ("M$", "present value of equity cash flows"),
    "nothing_value_musd": ("M$", "value of doing nothing"),
    "over_nothing_musd": ("M$", "value above that of doing nothing"),
    "capex_musd": ("M$", "capex over the horizon"),
    "lowest_cash_musd": ("M$", "least cash ever held"),
    "mining_it_mw": ("MW", "critical IT MW of mining, as it stands"),
    "ai_it_mw": ("MW", "critical IT MW of AI, as it is served"),
    "mining_share": (
        "share", "of the critical IT MW in use, as policy counts it: mining as it stands, AI as "
        "it is served",
    ),
    "hours_mined_share": ("share", "of the hours that machines could have run"),
}  # fmt: skip


@dataclass(frozen=True)
class MetricRow:
    """One figure; expected over scenarios unless its meaning says otherwise.

    Attributes
    ----------
    scope : str
        ``company``, or a site.
    metric, unit, meaning : str
        Name ending in its unit, the unit, what it is.
    value : float or None
        None where it does not exist.
    """

    scope: str
    metric: str
    value: float | None
    unit: str
    meaning: str


@dataclass(frozen=True, eq=False)
class Metrics:
    """Figures of one plan, from its tables."""

    case: Case
    plan: Context
    nothing_musd: float | None
    entries: Sequence[Entry]
    allocation: Sequence[AllocationRow]
    energy: Sequence[EnergyRow]
    finance: Sequence[FinanceRow]

    def rows(self) -> Iterator[MetricRow]:
        """List all figures, the company's first."""
        yield from self._worth()
        yield from self._cash()
        yield from self._mining()
        for scope in (ALL, *self.case.given.sites):
            yield from self._use(scope)

    # --- money -----------------------------------------------------------------------------

    def _worth(self) -> Iterator[MetricRow]:
        value, nothing = float(capital.value(self.plan)), self.nothing_musd
        over = None if nothing is None else value - nothing
        flows = equity_flows(self.plan, self.entries)
        yield _company("value_musd", value, *SHARED["value_musd"])
        yield _company("nothing_value_musd", nothing, *SHARED["nothing_value_musd"])
        yield _company("over_nothing_musd", over, *SHARED["over_nothing_musd"])
        yield self._irr(flows)
        yield _company(
            "payback_months", payback_months(flows[:-1]), "months",
            "until the equity flows have paid back for good, what remains not counted",
        )  # fmt: skip

    def _irr(self, flows: Sequence[Flow]) -> MetricRow:
        """Give the rate of return, unless the flows change sign so that it would mislead."""
        changes = sign_changes(flows, self.case.given.tree.months)
        first = next((musd for _, musd in flows if musd), 0.0)
        rate = irr_per_year(flows) if changes == 1 and first < 0 else None
        meaning = (
            "rate at which the equity flows are worth nothing, what remains counted at the horizon"
        )
        if changes != 1:
            often = "never change sign" if not changes else f"change sign {changes} times"
            meaning += f"; left empty: the flows by period {often}, so no one rate says it"
        elif first > 0:
            meaning += "; left empty: money comes in first, and nothing is invested"
        return _company("irr_per_year", rate, "1/year", meaning)

    def _cash(self) -> Iterator[MetricRow]:
        lowest, n = lowest_cash(self.plan)
        peak = peak_funding_musd(self.plan, self.entries)
        tree = self.case.given.tree
        capex = self._expected("capex_musd")
        yield _company("capex_musd", capex, *SHARED["capex_musd"])
        yield _company(
            "peak_funding_musd", peak, "M$",
            "most that free cash flow is ever short of since the start, on the worst path",
        )  # fmt: skip
        yield _company("lowest_cash_musd", lowest, *SHARED["lowest_cash_musd"])
        yield _company(
            "lowest_cash_after_months", float(tree.first_month(n) - tree.start), "months",
            "from the start to the period of the least cash",
        )  # fmt: skip
        yield _company(
            "net_debt_to_ebitda", self._net_debt_to_ebitda(), "ratio",
            "debt less cash at the horizon over the EBITDA of its last twelve months",
        )  # fmt: skip

    def _expected(self, column: str, segment: str | None = None) -> float:
        weight = self.case.given.probability
        flows = (
            weight[row.node] * getattr(row.money, column)
            for row in self.finance
            if segment in (None, row.segment)
        )
        return float(sum(flows))

    def _net_debt_to_ebitda(self) -> float | None:
        g, tree = self.case.given, self.case.given.tree
        periods = min(tree.periods, 12 // tree.months)
        last = [r for r in self.finance if tree.period[r.node] >= tree.periods - periods]
        ebitda = sum(g.probability[r.node] * r.money.ebitda_musd for r in last)
        yearly = ebitda * 12.0 / (periods * tree.months)
        net = sum(
            g.probability[row.node] * (row.debt_musd - row.cash_musd)
            for row in last
            if row.node in tree.leaves and row.debt_musd is not None and row.cash_musd is not None
        )
        return net / yearly if yearly > 0 else None

    # --- mining ----------------------------------------------------------------------------

    def _mining(self) -> Iterator[MetricRow]:
        days, power = self._ph_days, self._expected("power_musd", MINING)
        revenue = self._expected("revenue_musd", MINING)
        yield _company(
            "hashprice_usd_per_ph_day", _ratio(revenue * USD_PER_MUSD, days), "$/PH/day",
            "earned by the machines while they ran, after the pool's fee",
        )  # fmt: skip
        yield _company(
            "hash_cost_usd_per_ph_day", _ratio(power * USD_PER_MUSD, days), "$/PH/day",
            "power paid per PH/s and day while they ran",
        )  # fmt: skip
        btc = self._btc
        yield _company("btc_mined", btc, "BTC", "after the pool's fee; none without a price path")
        yield _company(
            "hash_cost_usd_per_btc", _ratio(power * USD_PER_MUSD, btc), "$/BTC", "power per BTC"
        )
        yield _company(
            "all_in_cost_usd_per_btc", _ratio(self._all_in_musd(power) * USD_PER_MUSD, btc),
            "$/BTC", "power, upkeep and capex of mining less resale, and its share by revenue of "
            "staff, overhead and two businesses",
        )  # fmt: skip
        first, last = self.case.given.tree.nodes[:1], self.case.given.tree.leaves
        yield _company("fleet_j_per_th_first", self._fleet(first), "J/TH", "in the first period")
        yield _company("fleet_j_per_th_last", self._fleet(last), "J/TH", "at the horizon")

    def _all_in_musd(self, power: float) -> float:
        revenue = self._expected("revenue_musd")
        share = self._expected("revenue_musd", MINING) / revenue if revenue > 0 else 1.0
        own = self._expected("opex_musd", MINING) + self._expected("capex_musd", MINING)
        common = self._expected("opex_musd", COMPANY) + self._expected("overhead_musd", COMPANY)
        return power + own - self._expected("racks_sold_musd", MINING) + share * common

    @cached_property
    def _ph_days_by_node(self) -> dict[Node, float]:
        g, derivation = self.case.given, self.case.derivation
        days = dict.fromkeys(g.nodes, 0.0)
        for (n, s, _, k, b), mw in mined_it_mw(self.plan).items():
            days[n] += g.hours[n, s, b] / 24.0 * mw * ph_per_mw(derivation, k)
        return days

    @property
    def _ph_days(self) -> float:
        weight = self.case.given.probability
        return sum(weight[n] * days for n, days in self._ph_days_by_node.items())

    @property
    def _btc(self) -> float | None:
        if self.case.instance.bitcoin.btc_price_usd is None:
            return None
        weight = self.case.given.probability
        keep = 1.0 - self.case.instance.bitcoin.pool_fee_share
        return keep * sum(
            weight[n] * days * btc_per_ph_day(self.case.derivation, n)
            for n, days in self._ph_days_by_node.items()
        )

    def _fleet(self, nodes: Iterable[Node]) -> float | None:
        rows = [row for row in self.allocation if row.node in set(nodes) and row.ph_per_s]
        weight = self.case.given.probability
        th = sum(weight[r.node] * (r.ph_per_s or 0.0) * 1000.0 for r in rows)
        return _ratio(sum(weight[r.node] * r.it_mw * 1e6 for r in rows), th)

    # --- use of sites ----------------------------------------------------------------------

    def _use(self, scope: str) -> Iterator[MetricRow]:
        for when, nodes in (("first", self.case.given.nodes[:1]), ("last", self._leaves)):
            standing = [
                row for row in self.allocation
                if row.node in nodes and scope in (ALL, row.site)
            ]  # fmt: skip
            mining = self._standing_mw(scope, "mining", when, standing)
            ai = self._standing_mw(scope, "ai", when, standing)
            yield from (mining, ai, *_shares(scope, when, mining, ai))
        mined = _ratio(*self._mined(scope))
        yield MetricRow(scope, "hours_mined_share", mined, *SHARED["hours_mined_share"])
        energy = [row for row in self.energy if scope in (ALL, row.site)]
        yield self._price(scope, "mining", energy)
        yield self._price(scope, "ai", energy)
        hours = [(row.hours, row.hours * row.market_usd_per_mwh) for row in energy]
        yield MetricRow(
            scope, "market_price_usd_per_mwh", _weighted(hours), "$/MWh",
            "mean of the hourly prices over all hours, before adders",
        )  # fmt: skip
        always = [(mwh, mwh * price) for mwh, price in self._always(energy)]
        yield MetricRow(
            scope, "mining_price_always_on_usd_per_mwh", _weighted(always), "$/MWh",
            "what mining would have paid for its energy, had it run in every hour",
        )  # fmt: skip

    def _always(self, energy: Iterable[EnergyRow]) -> Iterator[tuple[float, float]]:
        g = self.case.given
        for r in energy:
            fit = fit_to_run(self.plan, r.node, r.site)
            mw = sum(g.pue[f] * mw for (f, _), mw in fit.items())
            yield g.probability[r.node] * r.hours * mw, r.mining_usd_per_mwh

    @cached_property
    def _leaves(self) -> tuple[Node, ...]:
        return self.case.given.tree.leaves

    def _standing_mw(
        self, scope: str, workload: str, when: str, rows: Iterable[AllocationRow]
    ) -> MetricRow:
        weight = self.case.given.probability
        mw = sum(
            weight[r.node] * (r.it_mw if workload == "mining" else r.serving_mw)
            for r in rows
            if r.workload == workload
        )
        unit, what = SHARED[f"{workload}_it_mw"]
        name = f"{workload}_{when}_it_mw"
        return MetricRow(scope, name, mw, unit, f"{what}, in the {when} period")

    def _mined(self, scope: str) -> tuple[float, float]:
        g = self.case.given
        weight = g.probability
        ran = sum(
            weight[r.node] * r.hours * r.mining_it_mw
            for r in self.energy
            if scope in (ALL, r.site)
        )
        could = sum(
            weight[n]
            * sum(fit_to_run(self.plan, n, s).values())
            * sum(g.hours[n, s, b] for b in g.bands[n, s])
            for n in g.nodes
            for s in g.sites
            if scope in (ALL, s)
        )
        return ran, could

    def _price(self, scope: str, use: str, energy: Iterable[EnergyRow]) -> MetricRow:
        weight = self.case.given.probability
        bought = [
            (
                weight[r.node] * (r.mining_mwh if use == "mining" else r.ai_mwh - r.tenant_mwh),
                weight[r.node]
                * USD_PER_MUSD
                * (r.mining_power_musd if use == "mining" else r.ai_power_musd),
            )
            for r in energy
        ]
        name = f"{use}_price_usd_per_mwh"
        what = "mining" if use == "mining" else "AI, where the company pays for it"
        return MetricRow(
            scope, name, _weighted(bought), "$/MWh", f"paid for the energy of {what}, with adders"
        )


def _shares(scope: str, when: str, mining: MetricRow, ai: MetricRow) -> Iterator[MetricRow]:
    """Give the share of either business, counted as the policy's shares count it."""
    whole = (mining.value or 0.0) + (ai.value or 0.0)
    for use, row in (("mining", mining), ("ai", ai)):
        name = "mining" if use == "mining" else "AI"
        unit, what = SHARED["mining_share"]
        yield MetricRow(
            scope, f"{use}_{when}_share", _ratio(row.value or 0.0, whole), unit,
            f"{name} in the {when} period, {what}",
        )  # fmt: skip


def _company(metric: str, value: float | None, unit: str, meaning: str) -> MetricRow:
    return MetricRow(ALL, metric, value, unit, meaning)


def _ratio(part: float, whole: float | None) -> float | None:
    return part / whole if whole else None


def _weighted(pairs: Iterable[tuple[float, float]]) -> float | None:
    listed = list(pairs)
    return _ratio(sum(cost for _, cost in listed), sum(amount for amount, _ in listed))


def ph_per_mw(derivation: Derivation, k: str) -> float:
    """Hash rate per IT MW of a mining rack at its plug, in PH/s per MW."""
    rack = derivation.i.racks[k]
    assert rack.machine is not None
    th_per_s = derivation.i.machines[rack.machine].th_per_s * (rack.machines_per_rack or 0)
    return th_per_s / derivation.rack_kw[k]


def btc_per_ph_day(derivation: Derivation, n: Node) -> float:
    """BTC that a PH/s earns in a day, before the pool's fee, averaged over the days of a node.

    A hashprice in BTC is that in dollars at a price of one.
    """
    b, tree = derivation.i.bitcoin, derivation.tree
    network = b.network_eh_per_s
    assert network is not None
    fees = b.fee_share / (1.0 - b.fee_share) * subsidy_btc(first_day(tree.start))
    return daily_mean(
        lambda day: hashprice_from_network(
            144.0 * (subsidy_btc(day) + fees), 1.0,
            value_in_month(network, day.year * 12 + day.month - 1, tree.start),
        ),
        tree, n,
    )  # fmt: skip

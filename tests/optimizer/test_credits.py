"""Service credits of whole plans, summed once more from typed figures and from what is held.

The plans have two sites, branches, a discount, a ramp, an escalator, a contract signed before, GPU
hours, a plant that mining shares and a company that learns. Only how often a part fails is taken
from the engine; what that costs is worked out here, month by month.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from models import service_credits
from models.derive.outages import Downtime, Outages
from models.derive.reach import Reach, promise_of
from models.instance import Contract, month_index
from models.sla import Credit, expected_credit
from optimizer.case import Case
from optimizer.plan import Tables
from optimizer.solve import Solved
from tests.optimizer.plans import branching, chain

PlanOf = Callable[[], tuple[Case, Solved, Tables]]


class Paper:
    """Credits of a plan, from what is typed and what the plan holds."""

    def __init__(self, case: Case, solved: Solved) -> None:
        assert solved.plan is not None
        self.case, self.plan, self.tree = case, solved.plan, case.given.tree
        self.i = case.instance
        self.outages = Outages(Reach(case.instance))
        self.options = {
            (s, d, option.name): option.bank
            for (s, d), ways in case.derivation.plants.options.items()
            for option in ways
        }

    def share(self, offer: Contract, down: Downtime) -> float:
        if down.outages is None:
            return 0.0
        steps = [Credit(step.below, step.share) for step in offer.credits]
        return expected_credit(down.outages, steps)

    def month_shares(self, n: int, x: str, p: str, month: int) -> float:
        """Share of a month's rent that is credited in a place, all parts one by one."""
        offer, g = self.i.contracts[x], self.plan.given
        promise, s = promise_of(offer), g.site_of[p]
        excluded = promise.planned_work_excluded
        design = self.case.derivation.package(
            next(q for q in self.case.derivation.place_list if q.name == p)
        )
        assert design is not None
        parts = [self.outages.package(design, planned_work_excluded=excluded)]
        for d in g.plant_parts.get(s, ()):
            (held,) = [o for (m, t, e, o, q), on in self.plan.held.items()
                       if on > 0.5 and (m, t, e, q) == (n, s, d, promise.name)]  # fmt: skip
            bank = self.options[s, d, held]
            parts.append(self.outages.bank(bank, planned_work_excluded=excluded))
        crew = self.i.uptime.subsystems["crew"]
        parts.append(self.outages.company(crew, self.experience(n, month)))
        return sum(self.share(offer, part) for part in parts)

    def experience(self, n: int, month: int) -> float:
        """Months from the first AI hall in service, by the period; by the month beyond."""
        for m in self.tree.path(n):
            if any(self.plan.halls[m, p] > 0.5 for p, use in self.plan.given.workload_of.items()
                   if use == "ai"):  # fmt: skip
                first = self.tree.first_month(m)
                return float(max(month, self.tree.first_month(n)) - first)
        raise AssertionError("nothing serves")

    def rent(self, n: int, x: str, k: str, mw: float, month: int) -> float:
        """Rent of a month on what is due of the MW that stand."""
        offer = self.i.contracts[x]
        # Beyond the horizon as much is due as in its last month.
        since = min(month, self.tree.end_month(n) - 1) - month_index(offer.start)
        ramp = [step.share for step in offer.ramp if step.after_months <= since] or [1.0]
        most = self.plan.given.due_share[n, x]
        years = (month - month_index(offer.start)) // 12
        risen = (1 + offer.escalator_per_year) ** years * mw * ramp[-1] / most
        if offer.rate_usd_per_kw_month is not None:
            return float(risen * offer.rate_usd_per_kw_month / 1e3)
        assert offer.rate_usd_per_gpu_hour is not None
        days = (31, 28 + (month // 12 % 4 == 0), 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
        paid = max(offer.load_factor_share, offer.take_or_pay_share or 0.0)
        gpus = self.i.racks[k].gpus_per_rack or 0
        per_mw = gpus / ((self.i.racks[k].kw or 0.0) / 1e3)
        hours = 24.0 * days[month % 12]
        return float(risen * per_mw * hours * paid * offer.rate_usd_per_gpu_hour / 1e6)

    def served(self) -> Iterator[tuple[int, str, str, str, float]]:
        for (n, x, p, k), mw in self.plan.hosting.items():
            if mw > 1e-9 and self.i.contracts[x].credits:
                yield n, x, p, k, mw

    def within(self, n: int) -> float:
        """Credits of a node."""
        total = 0.0
        for m, x, p, k, mw in self.served():
            if m == n:
                offer, first = self.i.contracts[x], self.tree.first_month(n)
                months = range(
                    max(first, month_index(offer.start)),
                    min(self.tree.end_month(n), month_index(offer.start) + offer.months),
                )
                rent = sum(self.rent(n, x, k, mw, month) for month in months)
                total += rent * self.month_shares(n, x, p, first)
        return total

    def beyond(self, leaf: int) -> float:
        """Present value of the credits beyond the horizon."""
        total, end, start = 0.0, self.tree.end_month(leaf), self.tree.start
        rate = 1 + self.i.finance.discount_per_year
        for m, x, p, k, mw in self.served():
            offer = self.i.contracts[x]
            stop = month_index(offer.start) + offer.months
            for month in range(end, stop) if m == leaf else ():
                share = self.month_shares(leaf, x, p, month)
                worth = rate ** (-(month + 0.5 - start) / 12)
                total += worth * share * self.rent(leaf, x, k, mw, month)
        return total


@pytest.mark.parametrize("plan_of", [chain, branching])
def test_credits_are_those_of_the_typed_figures(plan_of: PlanOf) -> None:
    case, solved, table = plan_of()
    paper, g = Paper(case, solved), case.given
    assert solved.plan is not None
    ledger = table.finance.groupby("node")["service_credits_musd"].sum()
    for n in g.nodes:
        assert ledger[n] == pytest.approx(paper.within(n), rel=1e-6, abs=1e-9), n
    for leaf in g.tree.leaves:
        told = -float(service_credits.tail_credits(solved.plan, leaf))
        assert told == pytest.approx(paper.beyond(leaf), rel=1e-6, abs=1e-9)
        assert told > 1e-4
    served = {x for _, x, *_ in paper.served()}
    assert {"signed", "lease"} <= served, "both, signed before and now, should be served"
    by_contract = table.contracts.groupby("node")["service_credits_musd"].sum()
    assert by_contract.to_dict() == pytest.approx(ledger[by_contract.index].to_dict())
    # The table of promises tells the same money by the year.
    weights = {n: g.probability[n] * g.tree.months / 12 for n in g.nodes}
    promised = table.uptime[table.uptime["contract"] != ""]
    yearly = sum(
        row["credit_musd_per_year"] * sum(weights[n] for n in {
            m for m, x, p, *_ in paper.served()
            if (x, g.hall_of[p], g.package_of[p]) == (row["contract"], row["hall"], row["package"])
        })
        for row in promised.to_dict(orient="records")
    )  # fmt: skip
    assert yearly == pytest.approx(
        sum(g.probability[n] * paper.within(n) for n in g.nodes), rel=1e-6
    )

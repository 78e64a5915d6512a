"""Money by period and by calendar year, by business."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from models.context import Context
from models.given import Site
from models.tree import Node
from optimizer.plan.ledger import (
    CLOUD,
    COMPANY,
    HOSTING,
    MINING,
    NO_SITE,
    SEGMENTS,
    START,
    Entry,
)
from optimizer.words import month_of


@dataclass(frozen=True)
class Money:
    """The lines of an account in M$; income and cost are both written as positive numbers.

    Attributes
    ----------
    revenue_musd, service_credits_musd : float
        Income, and credits expected for promises of availability that are broken.
    power_musd, opex_musd : float
        Energy with demand charges, less what agreements bought ahead bring in; and upkeep and
        staff of sites, halls and contracts.
    noi_musd : float
        Net operating income: revenue less credits, power and opex.
    overhead_musd : float
        Company overhead and the cost of running two businesses.
    damages_musd : float
        Damages for late delivery.
    ebitda_musd : float
        NOI less overhead less damages.
    capex_musd, tenant_works_musd, racks_sold_musd, ai_entry_musd : float
        Spent on assets; works that tenants pay; resale of racks; one-time cost of entering AI.
    advances_musd : float
        Advances received less those credited against rent.
    free_cash_flow_musd : float
        EBITDA less capex and entry, plus tenants' works, racks sold and advances.
    loan_drawn_musd, loan_repaid_musd, interest_musd : float
        Flows of all debt; draws after their fee.
    """

    revenue_musd: float
    service_credits_musd: float
    power_musd: float
    opex_musd: float
    noi_musd: float
    overhead_musd: float
    damages_musd: float
    ebitda_musd: float
    capex_musd: float
    tenant_works_musd: float
    racks_sold_musd: float
    ai_entry_musd: float
    advances_musd: float
    free_cash_flow_musd: float
    loan_drawn_musd: float
    loan_repaid_musd: float
    interest_musd: float


@dataclass(frozen=True)
class FinanceRow:
    """One business at one site in one period.

    Attributes
    ----------
    node, month, year : int, str, int
        Period, its first month, and that month's calendar year.
    site, segment : str
        Where (empty: no single site) and which business.
    money : Money
        Flows of the period.
    cash_musd, debt_musd : float or None
        At the end of the period; for the company as a whole only.
    """

    node: int
    month: str
    year: int
    site: str
    segment: str
    money: Money
    cash_musd: float | None
    debt_musd: float | None


@dataclass(frozen=True)
class YearRow:
    """One business in one calendar year, expected over scenarios.

    Flows at the start of a period fall in its first month's year; what flows through a period is
    spread evenly over its months. Cash and debt are those at the end of the last period that
    begins in the year.

    Attributes
    ----------
    year, segment : int, str
        Calendar year, and which business.
    money : Money
        Flows of the year.
    cash_musd, debt_musd : float or None
        At its end; for the company as a whole only.
    """

    year: int
    segment: str
    money: Money
    cash_musd: float | None
    debt_musd: float | None


def account(parts: Mapping[str, float]) -> Money:
    """Sum signed parts of a ledger into the lines of an account.

    Examples
    --------
    >>> money = account({"revenue": 9.0, "power": -4.0, "staff": -1.0, "capex": -3.0})
    >>> money.noi_musd, money.capex_musd, money.free_cash_flow_musd
    (4.0, 3.0, 1.0)
    """

    def received(*names: str) -> float:
        return sum(parts.get(name, 0.0) for name in names)

    def paid(*names: str) -> float:
        return 0.0 - received(*names)

    revenue, opex = received("revenue"), paid("upkeep", "staff")
    power = paid("power", "demand_charges", "agreements")
    credited = paid("service_credits")
    noi = revenue - credited - power - opex
    overhead, damages = paid("overhead", "two_businesses"), paid("damages")
    ebitda = noi - overhead - damages
    capex, entry = paid("capex"), paid("ai_entry")
    works, sold = received("tenant_works"), received("racks_sold")
    advances = received("advances", "advances_credited")
    free = ebitda - capex - entry + works + sold + advances
    return Money(
        revenue, credited, power, opex, noi, overhead, damages, ebitda, capex, works, sold, entry,
        advances, free, received("loan_drawn"), paid("loan_repaid"), paid("interest"),
    )  # fmt: skip


def finance(plan: Context, entries: Iterable[Entry]) -> Iterator[FinanceRow]:
    """List every business at every site in every period."""
    g = plan.given
    sums: dict[tuple[Node, Site, str], dict[str, float]] = {}
    for entry in entries:
        parts = sums.setdefault((entry.node, entry.site, entry.segment), {})
        parts[entry.part] = parts.get(entry.part, 0.0) + entry.musd
    for n in g.nodes:
        for s, segment in accounts(plan):
            whole = (s, segment) == (NO_SITE, COMPANY)
            yield FinanceRow(
                n, month_of(g.tree, n), g.tree.first_month(n) // 12, s, segment,
                account(sums.get((n, s, segment), {})),
                cash_musd=plan.cash[n,] if whole else None,
                debt_musd=debt(plan, n) if whole else None,
            )  # fmt: skip


def accounts(plan: Context) -> list[tuple[Site, str]]:
    """Sites and businesses that a case can have at all, whatever a plan makes of them."""
    g = plan.given
    workloads = {(s, g.workload_of[p]) for p, s in g.site_of.items()}
    cloud = {g.site_of[p] for p, _ in g.cloud_at}
    listed: list[tuple[Site, str]] = []
    for s in g.sites:
        listed += [(s, MINING)] if (s, "mining") in workloads else []
        listed += [(s, HOSTING)] if (s, "ai") in workloads else []
        listed += [(s, CLOUD)] if s in cloud else []
        listed.append((s, COMPANY))
    contracts = [(NO_SITE, HOSTING)] if g.contracts else []
    return [*listed, *contracts, (NO_SITE, COMPANY)]


def debt(plan: Context, n: Node) -> float:
    """All debt outstanding at the end of a period: the loan, and principal owed from before."""
    g, tree = plan.given, plan.given.tree
    leaf = next(leaf for leaf in tree.leaves if n in tree.path(leaf))
    later = tree.path(leaf)[tree.period[n] + 1 :]
    return float(plan.debt[n,]) + sum(g.debt_principal.get(m, 0.0) for m in later) + g.debt_left


def by_year(plan: Context, entries: Iterable[Entry]) -> Iterator[YearRow]:
    """List every business in every calendar year."""
    g = plan.given
    sums: dict[tuple[int, str], dict[str, float]] = {}
    for entry in entries:
        for year, share in _years(plan, entry):
            parts = sums.setdefault((year, entry.segment), {})
            expected = g.probability[entry.node] * share * entry.musd
            parts[entry.part] = parts.get(entry.part, 0.0) + expected
    for year in range(g.tree.start // 12, (g.tree.end_month(g.tree.leaves[0]) - 1) // 12 + 1):
        for segment in SEGMENTS:
            whole = segment == COMPANY
            yield YearRow(
                year, segment, account(sums.get((year, segment), {})),
                cash_musd=_at_end(plan, year, plan.cash) if whole else None,
                debt_musd=_at_end(plan, year, {(n,): debt(plan, n) for n in g.nodes})
                if whole else None,
            )  # fmt: skip


def _years(plan: Context, entry: Entry) -> Iterator[tuple[int, float]]:
    tree = plan.given.tree
    if entry.part in START:
        yield tree.first_month(entry.node) // 12, 1.0
        return
    for month in range(tree.first_month(entry.node), tree.end_month(entry.node)):
        yield month // 12, 1.0 / tree.months


def _at_end(plan: Context, year: int, balance: Mapping[tuple[Node], float]) -> float:
    g, tree = plan.given, plan.given.tree
    last = max(tree.period[n] for n in g.nodes if tree.first_month(n) // 12 <= year)
    return sum(g.probability[n] * balance[n,] for n in g.nodes if tree.period[n] == last)

"""A plan as tables: tidy, in a fixed order, with the unit in the name of every column."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING

from optimizer.case import Case
from optimizer.kept import Kept
from optimizer.plan.allocation import AllocationRow, HallRow, allocation, halls
from optimizer.plan.binding import BindingRow, binding
from optimizer.plan.contracts import ContractRow, contracts
from optimizer.plan.designs import DesignRow, designs
from optimizer.plan.energy import EnergyRow, energy
from optimizer.plan.finance import FinanceRow, YearRow, by_year, finance
from optimizer.plan.frames import frame
from optimizer.plan.ledger import ledger
from optimizer.plan.metrics import MetricRow, Metrics
from optimizer.plan.uptime import UptimeRow, uptime
from optimizer.plan.value import BridgeRow, bridge
from optimizer.solve import Solved

if TYPE_CHECKING:
    from pandas import DataFrame

    from optimizer.actions import Lists


@dataclass(frozen=True, eq=False)
class Tables:
    """All tables of a plan; the classes named here say what their columns mean.

    Attributes
    ----------
    actions : DataFrame
        What to order, convert, build, sign and sell, by date (:mod:`optimizer.actions`).
    allocation, halls : DataFrame
        What stands where (:class:`AllocationRow`, :class:`HallRow`).
    energy : DataFrame
        What runs in which hours (:class:`EnergyRow`).
    finance, finance_by_year : DataFrame
        Money by period and by year (:class:`FinanceRow`, :class:`YearRow`).
    contracts, uptime : DataFrame
        What is signed and what is promised (:class:`ContractRow`, :class:`UptimeRow`).
    designs : DataFrame
        What keeps AI running, part by part (:class:`DesignRow`).
    metrics, value : DataFrame
        Figures of the plan, and the parts of its value (:class:`MetricRow`, :class:`BridgeRow`).
    binding : DataFrame
        Limits that the plan presses against (:class:`BindingRow`).
    """

    actions: DataFrame
    allocation: DataFrame
    halls: DataFrame
    energy: DataFrame
    finance: DataFrame
    finance_by_year: DataFrame
    contracts: DataFrame
    uptime: DataFrame
    designs: DataFrame
    metrics: DataFrame
    value: DataFrame
    binding: DataFrame

    def items(self) -> Iterator[tuple[str, DataFrame]]:
        """Names and tables, in the order in which they are written."""
        return ((field.name, getattr(self, field.name)) for field in fields(self))


def tables(case: Case, solved: Solved, lists: Lists | None = None) -> Tables:
    """Lay a plan out as tables.

    Parameters
    ----------
    case : Case
        What was given.
    solved : Solved
        What came of the solve; it must hold a plan.
    lists : Lists, optional
        Decisions that were taken before it; the actions then say which of them they hold.

    Raises
    ------
    ValueError
        Where there is no plan.
    LedgerGap
        Where the accounts do not add up to the cash of the algebra.
    """
    from optimizer.actions import actions_of

    plan = solved.plan
    if plan is None:
        raise ValueError(f"a solve that ended '{solved.status}' holds no plan")
    entries = ledger(plan)
    # Under limits on a year's energy a plan has bands of its own.
    case = replace(case, given=plan.given)
    kept = Kept(case, plan)
    racks, hours = list(allocation(case, plan)), list(energy(case, plan))
    money = list(finance(plan, entries))
    nothing = None if solved.audit is None else solved.audit.nothing_musd
    figures = Metrics(case, plan, nothing, entries, racks, hours, money)
    return Tables(
        actions=actions_of(case, plan, lists),
        allocation=frame(AllocationRow, racks),
        halls=frame(HallRow, halls(case, plan)),
        energy=frame(EnergyRow, hours),
        finance=frame(FinanceRow, money),
        finance_by_year=frame(YearRow, by_year(plan, entries)),
        contracts=frame(ContractRow, contracts(case, plan)),
        uptime=frame(UptimeRow, uptime(kept)),
        designs=frame(DesignRow, designs(kept)),
        metrics=frame(MetricRow, figures.rows()),
        value=frame(BridgeRow, bridge(plan, entries)),
        binding=frame(BindingRow, binding(plan)),
    )


__all__ = ["Tables", "tables"]

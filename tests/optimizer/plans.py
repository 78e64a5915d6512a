"""Plans to tabulate, write and show: the rich case as a chain, and on a tree of two branches."""

from __future__ import annotations

from functools import cache

from models.hours import flat
from models.instance import Instance, month_index
from models.tree import Tree
from optimizer.case import Case, prepare
from optimizer.highs import Options
from optimizer.plan import Tables, tables
from optimizer.solve import Solved, solve
from tests.optimizer.rich_case import TYPED, drawn_hours, rich_case

#: Good plans are enough here; the best ones take longer.
ROUGH = Options(gap=0.05, time_limit=60.0)

Told = tuple[Case, Solved, Tables]


@cache
def chain() -> Told:
    """A plan of six half-years."""
    return _told(rich_case(limited=True))


@cache
def branching() -> Told:
    """A plan of four half-years that branch after the first."""
    horizon = {"start": "2027-01", "periods": 4, "months_per_period": 6}
    instance = Instance.model_validate({**TYPED, "horizon": horizon})
    tree = Tree((None, 0, 0, 1, 2, 3, 4), (1.0, 0.4, 0.6, 0.4, 0.6, 0.4, 0.6),
                month_index("2027-01"), 6)  # fmt: skip
    return _told(
        prepare(
            instance,
            {"west": drawn_hours(), "east": flat(38.0), "south": drawn_hours()},
            tree=tree,
        )
    )


@cache
def idle() -> Told:
    """A plan of a company that has cash, a site, and nothing to do."""
    typed = {**TYPED, "fleet": [], "contracts": {}, "gpu_cloud": {}, "projects": {},
             "commitments": {}, "policy": {}}  # fmt: skip
    finance = {"discount_per_year": 0.1, "opening_cash_musd": 40.0, "capex_budget_musd": 0.0}
    instance = Instance.model_validate({**typed, "finance": finance})
    return _told(
        prepare(instance, {"west": flat(40.0), "east": flat(38.0), "south": drawn_hours()})
    )


def _told(case: Case) -> Told:
    solved = solve(case, ROUGH)
    return case, solved, tables(case, solved)

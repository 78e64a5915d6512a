"""Strategies that a plan is put beside: what each of them forbids.

A strategy is the case itself with some decisions held, or with a word of its policy changed.
Whatever it forbids, the free optimum may do as well: no strategy is worth more.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Literal, get_args

import numpy as np

from models import indices
from models.build import Column
from models.given import Given
from models.instance import Instance, month_text
from models.tree import Node
from optimizer.case import Case, prepare
from optimizer.compiled import Model, compile_case
from optimizer.highs import Budget, Options
from optimizer.load import Loaded
from optimizer.matrix import Floats, divided

Name = Literal[
    "as-is", "management", "mining-only", "ai-only", "half-of-each-site", "half-of-the-sites",
    "no-reuse", "optimum",
]  # fmt: skip

#: Every strategy, in the order in which they stand side by side.
NAMES: tuple[Name, ...] = get_args(Name)
#: What a column is headed.
TITLES: Mapping[Name, str] = {
    "as-is": "as is",
    "management": "management",
    "mining-only": "mining only",
    "ai-only": "AI only",
    "half-of-each-site": "half of each site",
    "half-of-the-sites": "half of the sites",
    "no-reuse": "no reuse",
    "optimum": "best plan",
}
#: What each of them means, in a line.
MEANINGS: Mapping[Name, str] = {
    "as-is": "keep what stands, order and sign nothing, mine when it pays",
    "management": "the actions of --plan, and what is best beside them",
    "mining-only": "nothing is signed, converted, bought or rebuilt for AI; what stands goes on",
    "ai-only": "mining ends in the first period in which AI can be served at all, for good",
    "half-of-each-site": "never more than half of a site fit for both is for AI, at the end half",
    "half-of-the-sites": "no such site ever runs both at once, at the end half of them run AI",
    "no-reuse": "no GPU is rebuilt, no mining hall made fit for AI, AI stands on new MW only",
    "optimum": "whatever is best",
}
#: AI of less than this, in MW, is dust of the solver's arithmetic.
DUST_MW = 1e-6
#: Most nodes of a search for a plan that serves AI in a period.
NODES_TO_REACH = 500


@dataclass(frozen=True, eq=False)
class Strategy:
    """A strategy on a case.

    Attributes
    ----------
    name : str
        Which one.
    case : Case
        The case, with the policy of the strategy.
    pins : mapping
        Decisions that are held, those of the instance's own policy among them.
    refusal : str
        Why it cannot be, where that shows before any solve.
    remark : str
        What is to be known about it.
    same_as_optimum : bool
        Whether it forbids nothing that the instance does not forbid itself.
    known : bool
        Whether a refusal is proved; else nothing was settled in time.
    """

    name: Name
    case: Case
    pins: Mapping[Column, float]
    refusal: str = ""
    remark: str = ""
    same_as_optimum: bool = False
    known: bool = True


def mining_only(case: Case, policy: Mapping[Column, float]) -> Strategy:
    """Nothing more of AI: what stands, and contracts signed before the horizon, go on."""
    return _held("mining-only", case, policy, dict.fromkeys(_steps_into_ai(case.given), 0.0))


def _steps_into_ai(g: Given) -> Iterator[Column]:
    """Decisions that bring AI to where it is not."""

    def is_ai(place: str) -> bool:
        return g.workload_of[place] == "ai"

    yield from (("signing", index) for index in indices.signing(g))
    yield from (
        ("conversions", (n, p, q))
        for n, p, q in g.conversions_allowed
        if is_ai(q) and not is_ai(p)
    )
    yield from (("orders", (n, p, k)) for n, p, k in g.orders_allowed if is_ai(p))
    yield from (
        ("arriving", (n, p, a, b)) for n, p, a, b in indices.transferred(g) if is_ai(p) and a != b
    )


def ai_only(
    case: Case, policy: Mapping[Column, float], budget: Budget, model: Model | None = None
) -> Strategy:
    """Mining ends in the first period in which AI can be served at all, and never comes back."""
    first = first_ai(case, model or compile_case(case, policy), budget)
    if first.open is not None:
        month = month_text(case.given.tree.first_month(first.open))
        why = f"whether AI can be served in {month} was not settled in time"
        return Strategy("ai-only", case, policy, refusal=why, known=False)
    if first.node is None:
        why = "no plan serves AI within the horizon"
        return Strategy("ai-only", case, policy, refusal=why)
    month = month_text(case.given.tree.first_month(first.node))
    ended = without_mining(case.given, first.node)
    return replace(_held("ai-only", case, policy, ended), remark=f"mining ends {month}")


def without_mining(g: Given, first: Node) -> dict[Column, float]:
    """Hold that no mining rack stands from a period on."""
    begins = g.tree.period[first]
    return {
        ("racks", (n, p, k)): 0.0
        for n, p, k in indices.standing(g)
        if g.workload_of[p] == "mining" and g.tree.period[n] >= begins
    }


@dataclass(frozen=True)
class First:
    """The first period in which AI can be served.

    Attributes
    ----------
    node : Node or None
        Its first node; None where it is proved that no plan serves AI, or where it is not known.
    open : Node or None
        Node for which it was not settled, with AI reached in no node before.
    """

    node: Node | None = None
    open: Node | None = None


def first_ai(case: Case, model: Model, budget: Budget) -> First:
    """Find the first period in which some plan that keeps to all limits serves AI.

    Parameters
    ----------
    case : Case
        What is given.
    model : Model
        The compiled case.
    budget : Budget
        Pays for the searches.

    Returns
    -------
    First
        The node, or the one that stayed open.
    """
    period = case.given.tree.period
    unsettled: Node | None = None
    for n in sorted(case.given.nodes, key=lambda n: (period[n], n)):
        if unsettled is not None and period[n] > period[unsettled]:
            break
        reached = _reached(model, n, budget)
        if reached:
            return First(node=n)
        if reached is None and unsettled is None:
            unsettled = n
    return First(open=unsettled)


def _reached(model: Model, n: Node, budget: Budget) -> bool | None:
    """Whether some plan serves AI in a node; False where that is proved not, None where open."""
    served: Floats = np.array(
        [float(name in ("hosting", "cloud") and index[0] == n)
         for name, index in model.built.columns]
    )  # fmt: skip
    upper = np.where(served > 0, model.matrix.column_upper, 0.0)
    if model.built.contradictions or not (upper > 0).any():
        return False
    aimed = replace(model.matrix, cost=served, offset=0.0)
    divisible = divided(aimed)
    left = Options(time_limit=budget.to_search, gap=1.0, nodes=NODES_TO_REACH, confirm=False)
    for matrix in (divisible, aimed):
        found = budget.run(matrix, left)
        if found.status == "infeasible" or (found.bound is not None and found.bound <= DUST_MW):
            return False
    return True if found.x is not None and float(served @ found.x) > DUST_MW else None


def halved(name: Name, loaded: Loaded, case: Case, policy: Mapping[Column, float]) -> Strategy:
    """Half of each site, or half of the sites, of those that could run both."""
    words = {"half-of-each-site": "of-each-site", "half-of-the-sites": "of-the-sites"}
    changed = _with_policy(loaded, case, {"halves": words[name]})
    sites = [*changed.given.largest_half_mw, *changed.given.one_business_sites]
    if not sites:
        why = "no site could run both businesses"
        return Strategy(name, changed, policy, refusal=why)
    remark = _not_asked(name, changed.given, sites)
    return Strategy(name, changed, policy, remark=remark)


def _not_asked(name: Name, g: Given, sites: list[str]) -> str:
    """Say of which sites nothing is asked, those of a single hall among them."""
    others = [s for s in g.sites if s not in sites]
    # Of one hall, no half may be missed by more than it: nothing is left to ask.
    single = [
        s for s in sites
        if name == "half-of-each-site"
        and s in g.largest_half_mw
        and sum(float(g.halls_most[h]) for h in g.halls[s]) <= 1
    ]  # fmt: skip
    said = [f"{s} (single hall)" for s in single] + [f"{s} (never both)" for s in others]
    return f"not asked of {', '.join(said)}" if said else ""


def no_reuse(loaded: Loaded, case: Case, policy: Mapping[Column, float]) -> Strategy:
    """Reuse of GPUs, halls and power switched off."""
    words = dict.fromkeys(("reuse_gpus", "reuse_halls", "reuse_power"), False)
    held = loaded.instance.policy
    same = all(getattr(held, word) is False for word in words)
    remark = "the policy of the instance" if same else ""
    changed = case if same else _with_policy(loaded, case, words)
    known = set(compile_columns(changed)) if policy else set()
    if any(column not in known for column in policy):
        why = "policy.pin decides what it forbids"
        return Strategy("no-reuse", changed, policy, refusal=why)
    return Strategy("no-reuse", changed, policy, remark=remark, same_as_optimum=same)


def compile_columns(case: Case) -> list[Column]:
    """Name the decisions that exist in a case."""
    from models.build import symbolic

    return symbolic(case.given)[1]


def _with_policy(loaded: Loaded, case: Case, words: Mapping[str, object]) -> Case:
    """Derive the case with other words of its policy."""
    instance: Instance = loaded.instance
    policy = instance.policy.model_copy(update=dict(words))
    changed = instance.model_copy(update={"policy": policy})
    return prepare(changed, loaded.hours, tree=case.given.tree)


def _held(
    name: Name, case: Case, policy: Mapping[Column, float], held: Mapping[Column, float]
) -> Strategy:
    """Hold decisions beside those of the instance's own policy, where these do not differ."""
    clash = any(policy.get(column, value) != value for column, value in held.items())
    why = "policy.pin decides what it forbids" if clash else ""
    return Strategy(name, case, {**held, **policy}, refusal=why)

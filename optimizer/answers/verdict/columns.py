"""What each strategy comes to: one column of figures, or the reason why it cannot be."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Literal

from models.build import Column
from models.context import Context
from models.instance import month_text
from optimizer.answers.verdict.strategies import (
    NAMES,
    Name,
    Strategy,
    ai_only,
    halved,
    mining_only,
    no_reuse,
    without_mining,
)
from optimizer.case import Case
from optimizer.compiled import Model, compile_case
from optimizer.elastic import Clash, clashing
from optimizer.evaluate import broken_limits
from optimizer.highs import Budget, Options
from optimizer.kept import Kept
from optimizer.load import Loaded
from optimizer.pins import only
from optimizer.plan.ledger import ledger
from optimizer.plan.uptime import UptimeRow, uptime
from optimizer.plan.value import peak_funding_musd
from optimizer.solve import Solved, do_nothing, solve
from optimizer.sweep.point.figures import figures_of
from optimizer.sweep.point.weighed import SIGNED_MW
from optimizer.words import counted, quantity

#: What came of a column: that of a solve, or that there was no time for it.
Status = Literal[
    "solved", "best-found", "infeasible", "unbounded", "no-plan", "audit-failed", "not-reached"
]
#: Most seconds that the reason of an infeasible strategy is looked for.
SECONDS_FOR_REASON = 60.0
#: How the reason begins where AI is proved to have no plan without mining.
NOT_ALONE = "AI cannot stand without mining: "
#: Decisions that make contracts and hall states of a plan.
PLANT = ("conversions", "builds", "plant_orders", "signing", "signed_mw")


@dataclass(frozen=True)
class Figures:
    """The figures of one plan.

    Attributes
    ----------
    capex_musd, lowest_cash_musd, peak_funding_musd : float
        Capex within the horizon, least cash ever held, most money short of before any loan.
    mining_mw, ai_mw : float
        Critical IT MW of both uses in the last period.
    mining_mw_by_site, ai_mw_by_site : mapping of str to float
        The same by site.
    halls_converted : float
        Conversions of halls over the horizon.
    signed_mw : mapping of str to float
        Critical IT MW signed, by contract.
    promised, reached : float or None
        Availability promised and reached where least is spare; None where nothing is promised.
    """

    capex_musd: float
    lowest_cash_musd: float
    peak_funding_musd: float
    mining_mw: float
    ai_mw: float
    mining_mw_by_site: Mapping[str, float]
    ai_mw_by_site: Mapping[str, float]
    halls_converted: float
    signed_mw: Mapping[str, float]
    promised: float | None = None
    reached: float | None = None


@dataclass(frozen=True, eq=False)
class Stood:
    """One column: a strategy, and what it comes to.

    Attributes
    ----------
    name : str
        The strategy.
    status : str
        What came of it.
    value_musd, bound_musd : float or None
        Audited value of its plan, and the proof that none of its kind is worth more.
    figures : Figures or None
        Of its plan.
    reason : str
        Why there is no plan.
    remark : str
        What is to be known about it.
    plan : Context or None
        The plan.
    solved : Solved or None
        What came of the solve.
    case : Case or None
        The case that was solved: the policy is the strategy's.
    """

    name: Name
    status: Status
    value_musd: float | None = None
    bound_musd: float | None = None
    figures: Figures | None = None
    reason: str = ""
    remark: str = ""
    plan: Context | None = field(default=None, repr=False)
    solved: Solved | None = field(default=None, repr=False)
    case: Case | None = field(default=None, repr=False)


@dataclass(frozen=True, eq=False)
class Apart:
    """AI without the mining that stands beside it in the best plan.

    Attributes
    ----------
    worth_musd : float or None
        What mining beside AI adds, at least that where it is not ``exact``; None where that is
        not known.
    alone_musd : float or None
        Value of the same contracts and hall states without mining.
    from_month : str
        First month without mining: that in which the plan first serves AI.
    reason : str
        Why it is not known.
    """

    worth_musd: float | None
    alone_musd: float | None = None
    from_month: str = ""
    reason: str = ""
    exact: bool = True


@dataclass(frozen=True)
class Mixing:
    """What both businesses are worth beside one.

    Attributes
    ----------
    worth_musd : float or None
        The best plan less the better pure strategy; None where nothing is proved of it.
    exact : bool
        Whether all three are solved, or proved impossible; else the mix is worth at least that.
    """

    worth_musd: float | None
    exact: bool


@dataclass(frozen=True, eq=False)
class Posed:
    """What is asked: a case, its policy, and a plan of one's own.

    Attributes
    ----------
    loaded : Loaded
        The instance as it was read.
    case : Case
        Its numbers.
    policy : mapping
        Decisions that the instance's own policy takes.
    plan : mapping or None
        Decisions of management's plan.
    options : Options
        Gap and limits of each solve.
    budget : Budget
        Pays for all of them.
    stop : threading.Event
        Setting it ends them.
    say : callable
        Hears which column is being solved.
    """

    loaded: Loaded
    case: Case
    policy: Mapping[Column, float]
    plan: Mapping[Column, float] | None
    options: Options
    budget: Budget
    stop: threading.Event = field(default_factory=threading.Event)
    say: Callable[[str], None] = lambda _: None


def columns_of(posed: Posed) -> tuple[Stood, ...]:
    """Solve every strategy, the free optimum last, from the best of the others.

    Returns
    -------
    tuple of Stood
        In the order in which they stand side by side; management's only where there is a plan.
    """
    model = compile_case(posed.case, posed.policy)
    stood: dict[str, Stood] = {"as-is": as_is(posed, model)}
    for name, made in _strategies(posed, model).items():
        posed.say(name)
        stood[name] = _searched(posed, name, made, len(stood))
    posed.say("optimum")
    stood["optimum"] = _best(posed, model, stood)
    if stood.get("no-reuse") is None:
        same = replace(stood["optimum"], name="no-reuse", remark="the policy of the instance")
        stood["no-reuse"] = same
    return tuple(stood[name] for name in NAMES if name in stood)


def _strategies(posed: Posed, model: Model) -> dict[Name, Callable[[], Strategy]]:
    """Strategies that are solved before the optimum, each made when its turn comes."""
    case, policy, loaded = posed.case, posed.policy, posed.loaded
    made: dict[Name, Callable[[], Strategy]] = {}
    if posed.plan is not None:
        plan = {**policy, **posed.plan}
        made["management"] = lambda: Strategy("management", case, plan)
    made["mining-only"] = lambda: mining_only(case, policy)
    made["ai-only"] = lambda: ai_only(case, policy, posed.budget, model)
    made["half-of-each-site"] = lambda: halved("half-of-each-site", loaded, case, policy)
    made["half-of-the-sites"] = lambda: halved("half-of-the-sites", loaded, case, policy)
    if not no_reuse(loaded, case, policy).same_as_optimum:
        made["no-reuse"] = lambda: no_reuse(loaded, case, policy)
    return made


def as_is(posed: Posed, model: Model) -> Stood:
    """Doing nothing, as every solve knows it."""
    if model.built.contradictions:
        return Stood("as-is", "infeasible", reason=_contradiction(posed.case))
    still = do_nothing(posed.case, model, budget=posed.budget, stop=posed.stop)
    if still is None:
        return _no_as_is(posed)
    plan = still.carried.plan
    return Stood("as-is", "solved", still.value_musd, still.value_musd,
                 figures_in(posed.case, plan), remark=_sold(plan), plan=plan,
                 case=posed.case)  # fmt: skip


def _sold(plan: Context) -> str:
    """Say what has to be sold for doing nothing to keep to all limits."""
    sold: dict[str, float] = {}
    for (_, _, rack), number in plan.sales.items():
        sold[rack] = sold.get(rack, 0.0) + float(number)
    named = [f"{counted(round(number), 'rack')} of {rack}" for rack, number in sold.items()
             if round(number)]  # fmt: skip
    return f"limits leave no other way than to sell {', '.join(named)}" if named else ""


def _no_as_is(posed: Posed) -> Stood:
    """Look for doing nothing with all means; say that it cannot be only where that is proved."""
    share = posed.budget.part(min(SECONDS_FOR_REASON, posed.budget.left))
    if posed.stop.is_set() or share.to_search <= 0:
        return Stood("as-is", "not-reached", reason="the time was over")
    kept = Strategy("as-is", posed.case, only(posed.case, posed.policy))
    # Racks may be sold, as in doing nothing itself.
    loose = {column: held for column, held in kept.pins.items()
             if column[0] != "sales" or column in posed.policy}  # fmt: skip
    timed = replace(posed.options, time_limit=share.to_search)
    found = solve(posed.case, timed, pinned=loose, stop=posed.stop)
    if found.plan is not None:
        return replace(_stood(kept, found, ""), remark=_sold(found.plan))
    if found.status != "infeasible":
        return Stood("as-is", "no-plan", reason="not settled in time")
    share = posed.budget.part(min(SECONDS_FOR_REASON, posed.budget.left))
    return Stood("as-is", "infeasible", reason=reason_of(kept, share, posed.stop))


def _searched(posed: Posed, name: Name, make: Callable[[], Strategy], done: int) -> Stood:
    """Solve a strategy with its share of the time that is left."""
    if posed.stop.is_set() or posed.budget.to_search <= 0:
        return Stood(name, "not-reached", reason="the time was over")
    # The best plan and what is taken away from it come after the strategies.
    share = posed.budget.part(posed.budget.left / max(2, len(NAMES) + 1 - done))
    strategy = make()
    if strategy.refusal:
        status: Status = "infeasible" if strategy.known else "no-plan"
        return Stood(strategy.name, status, reason=strategy.refusal)
    timed = replace(posed.options, time_limit=share.to_search)
    solved = solve(strategy.case, timed, pinned=strategy.pins, stop=posed.stop)
    reason = ""
    if solved.status == "infeasible":
        least = min(SECONDS_FOR_REASON, posed.budget.left)
        reason = reason_of(strategy, posed.budget.part(least), posed.stop)
    return _stood(strategy, solved, reason)


def _best(posed: Posed, model: Model, stood: Mapping[str, Stood]) -> Stood:
    """Solve the case itself, from the best plan that is known."""
    if posed.stop.is_set() or posed.budget.to_search <= 0:
        return Stood("optimum", "not-reached", reason="the time was over")
    known = [one for one in stood.values() if one.plan is not None]
    best = max(known, key=lambda one: one.value_musd or 0.0, default=None)
    timed = replace(posed.options, time_limit=posed.budget.to_search / 2)
    hint = {} if best is None or best.plan is None else whole_numbers(model, best.plan)
    strategy = Strategy("optimum", posed.case, posed.policy)
    solved = solve(posed.case, timed, pinned=posed.policy, model=model, hint=hint, stop=posed.stop)
    reason = ""
    if solved.status == "infeasible":
        least = min(SECONDS_FOR_REASON, posed.budget.left)
        reason = reason_of(strategy, posed.budget.part(least), posed.stop)
    return _stood(strategy, solved, reason)


def whole_numbers(model: Model, plan: Context) -> dict[Column, float]:
    """Whole numbers of a plan by column, to begin another search from; those the plan knows."""
    known: dict[Column, float] = {}
    whole = model.matrix.integer.tolist()
    for (name, index), is_whole in zip(model.built.columns, whole, strict=True):
        if not is_whole:
            continue
        value = getattr(plan, name).get(index)
        if value is not None:
            known[name, index] = float(value)
    return known


def _stood(strategy: Strategy, solved: Solved, reason: str) -> Stood:
    plan = None if solved.status == "audit-failed" else solved.plan
    return Stood(
        strategy.name,
        solved.status,
        solved.value_musd if plan is not None else None,
        solved.bound_musd,
        None if plan is None else figures_in(strategy.case, plan),
        reason or _without_plan(solved),
        strategy.remark,
        plan,
        solved,
        strategy.case,
    )


def _without_plan(solved: Solved) -> str:
    return {
        "no-plan": "no plan was found in time",
        "audit-failed": "the plan did not survive its audit",
        "unbounded": "a limit or a cost is missing",
    }.get(solved.status, "")


def reason_of(strategy: Strategy, budget: Budget, stop: threading.Event) -> str:
    """Say in words which limits leave a strategy no plan."""
    clashes: tuple[Clash, ...] = ()
    with suppress(KeyboardInterrupt):
        if strategy.name == "management":
            clashes = broken_limits(strategy.case, strategy.pins, budget=budget, stop=stop)
        else:
            clashes = clashing(strategy.case, pinned=strategy.pins, budget=budget, stop=stop)
    if not clashes:
        return "no plan keeps to all limits"
    return "; ".join(map(clash_words, clashes[:2]))


def clash_words(clash: Clash) -> str:
    """Say what would have to give, and by how much."""
    place = f" ({clash.where})" if clash.where else ""
    return f"{clash.about}{place}: short by {quantity(clash.amount, clash.unit)}"


def _contradiction(case: Case) -> str:
    return "; ".join(map(clash_words, clashing(case)[:2])) or "the data alone break a limit"


# --- figures -------------------------------------------------------------------------------


def figures_in(case: Case, plan: Context) -> Figures:
    """Take the figures of a plan."""
    told = dict(figures_of(plan))
    case = replace(case, given=plan.given)
    promises = [row for row in uptime(Kept(case, plan)) if row.promised > 0]
    worst = max(promises, key=_used_up, default=None)
    by_site = {
        use: {s: told[f"{use}_last_it_mw.{s}"] for s in plan.given.sites}
        for use in ("mining", "ai")
    }
    signed = {x: told[f"signed_mw.{x}"] for x in plan.given.contracts}
    return Figures(
        told["capex_musd"], told["lowest_cash_musd"], peak_funding_musd(plan, ledger(plan)),
        told["mining_last_it_mw"], told["ai_last_it_mw"], by_site["mining"], by_site["ai"],
        told["halls_converted"], {x: mw for x, mw in signed.items() if mw > SIGNED_MW},
        None if worst is None else worst.promised,
        None if worst is None else worst.availability,
    )  # fmt: skip


def _used_up(row: UptimeRow) -> float:
    """Share of the downtime allowed that is used up."""
    return row.down_minutes_per_year / max(1e-9, row.allowed_minutes_per_year)


# --- what mixing and flexibility are worth -------------------------------------------------


def mixing(columns: tuple[Stood, ...]) -> Mixing:
    """Value of the best plan less that of the better pure strategy, or what is proved of it.

    A pure strategy that was not solved to its gap may be worth as much as its bound.
    """
    best = next((one for one in columns if one.name == "optimum"), None)
    pure = [one for one in columns if one.name in ("mining-only", "ai-only")]
    can_be = [one for one in pure if one.status != "infeasible"]
    if best is None or best.value_musd is None or len(pure) < 2 or not can_be:
        return Mixing(None, exact=False)
    if best.status == "solved" and all(one.status == "solved" for one in can_be):
        values = [one.value_musd for one in can_be if one.value_musd is not None]
        return Mixing(best.value_musd - max(values), exact=True)
    bounds = [one.bound_musd for one in can_be]
    if None in bounds:
        return Mixing(None, exact=False)
    most = max(bound for bound in bounds if bound is not None)
    return Mixing(max(0.0, best.value_musd - most), exact=False)


def better_pure(columns: tuple[Stood, ...]) -> Stood | None:
    """The better of the two pure strategies; None where neither has a plan."""
    pure = [one for one in columns if one.name in ("mining-only", "ai-only")]
    known = [one for one in pure if one.value_musd is not None]
    return max(known, key=lambda one: one.value_musd or 0.0, default=None)


def flexibility(posed: Posed, best: Stood) -> Apart:
    """Take mining away from the best plan, with its contracts and hall states held."""
    plan = best.plan
    if plan is None or best.value_musd is None:
        return Apart(None, reason="there is no best plan")
    first = _first_served(plan)
    if first is None:
        return Apart(None, reason="the best plan serves no AI")
    month = month_text(plan.given.tree.first_month(first))
    if posed.stop.is_set() or posed.budget.to_search <= 0:
        return Apart(None, from_month=month, reason="the time was over")
    held = {
        (name, index): float(value)
        for name in PLANT
        for index, value in getattr(plan, name).items()
    }
    pins = {**posed.policy, **held, **without_mining(posed.case.given, first)}
    timed = replace(posed.options, time_limit=posed.budget.to_search / 2)
    alone = solve(posed.case, timed, pinned=pins, stop=posed.stop)
    if alone.value_musd is None or alone.status == "audit-failed":
        strategy = Strategy("ai-only", posed.case, pins)
        least = min(SECONDS_FOR_REASON, posed.budget.left)
        why = (reason_of(strategy, posed.budget.part(least), posed.stop)
               if alone.status == "infeasible" else _without_plan(alone))  # fmt: skip
        cannot = NOT_ALONE if alone.status == "infeasible" else ""
        return Apart(None, from_month=month, reason=f"{cannot}{why}")
    if best.status == "solved" and alone.status == "solved":
        return Apart(best.value_musd - alone.value_musd, alone.value_musd, month)
    if alone.bound_musd is None:
        return Apart(None, alone.value_musd, month, "the plan without mining is not proved")
    return Apart(best.value_musd - alone.bound_musd, alone.value_musd, month, exact=False)


def _first_served(plan: Context) -> int | None:
    """First node in which AI is served."""
    served = [
        index[0] for name in ("hosting", "cloud") for index, mw in getattr(plan, name).items()
        if float(mw) > SIGNED_MW
    ]  # fmt: skip
    return min(served, key=lambda n: plan.given.tree.period[n], default=None)

"""The main numbers of a plan, as columns of a sweep's table."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from models.context import Context
from models.given import TENANT, Site
from models.tree import Node
from optimizer.plan.allocation import standing_mw
from optimizer.plan.metrics import SHARED
from optimizer.plan.value import lowest_cash
from optimizer.settle import fit_to_run
from optimizer.sweep.point.weighed import WEIGHED
from optimizer.sweep.points import Json

#: Stand for the site and the contract that a figure is of.
SITE, CONTRACT = "<site>", "<contract>"


def _in(when: str, figure: str) -> tuple[str, str]:
    unit, meaning = SHARED[figure]
    return unit, f"{meaning}, in the {when} period"


#: Unit and meaning of every column that follows from a plan, in the order of the table.
FIGURES: Mapping[str, tuple[str, str]] = {
    "on_front": (
        "", "in a front, `no` where another plan of the same case is as good in both aims, "
        "`undecided` where one that is better in the other aim may be worth as much, as far as "
        "its bound tells, else `yes`",
    ),
    "nothing_value_musd": SHARED["nothing_value_musd"],
    "over_nothing_musd": SHARED["over_nothing_musd"],
    "beats_nothing": (
        "", "`yes` where the plan is worth more than doing nothing by more than the gap, `no` "
        "where the bound proves that no plan is, else `undecided`; empty where doing nothing "
        "breaks a limit",
    ),
    "capex_musd": SHARED["capex_musd"],
    "lowest_cash_musd": SHARED["lowest_cash_musd"],
    "peak_debt_musd": ("M$", "most debt ever owed"),
    "mining_first_it_mw": _in("first", "mining_it_mw"),
    "ai_first_it_mw": _in("first", "ai_it_mw"),
    "mining_first_share": _in("first", "mining_share"),
    "mining_last_it_mw": _in("last", "mining_it_mw"),
    "ai_last_it_mw": _in("last", "ai_it_mw"),
    "mining_last_share": _in("last", "mining_share"),
    f"mining_last_it_mw.{SITE}": ("MW", "the same at one site"),
    f"ai_last_it_mw.{SITE}": ("MW", "the same at one site"),
    "hours_mined_share": SHARED["hours_mined_share"],
    "halls_converted": ("halls", "conversions of halls over the horizon"),
    f"signed_mw.{CONTRACT}": ("MW", "critical IT MW that are signed of a contract"),
    **WEIGHED,
    "plan_status": ("", "what the plan of `[plan]` comes to in this case"),
    "plan_value_musd": ("M$", "what it is worth, completed unless `only` is set"),
    "regret_musd": ("M$", "what the best plan found has over it"),
    "regret_at_most_musd": ("M$", "what no plan can have more over it, by the bound"),
    "plan_is_best": (
        "", "`yes` where the bound proves that no plan beats it by more than the gap, `no` where "
        "one does, else `undecided`",
    ),
}  # fmt: skip


def meaning_of(column: str) -> str:
    """Say what a column means that follows from a plan; nothing where it is none.

    Examples
    --------
    >>> meaning_of("peak_debt_musd"), meaning_of("ai_last_it_mw.pecos"), meaning_of("gap")
    ('most debt ever owed', 'critical IT MW of AI, as it is served, in the last period', '')
    """
    name = column.partition(".")[0]
    found = FIGURES.get(name) or FIGURES.get(f"{name}.{CONTRACT}")
    return "" if found is None else found[1]


def figures_of(plan: Context) -> Iterator[tuple[str, Json]]:
    """Give the figures of a plan by name; expected over scenarios, as in its metrics.

    Names and meanings are those of :class:`optimizer.plan.metrics.Metrics`; after a dot stands
    the site or contract that a figure is of.
    """
    g = plan.given
    weight = g.probability
    yield "capex_musd", sum(weight[n] * float(plan.capex[n, s]) for n in g.nodes for s in g.sites)
    yield "lowest_cash_musd", lowest_cash(plan)[0]
    yield "peak_debt_musd", max(float(plan.debt[n,]) for n in g.nodes)
    for when, nodes in (("first", g.nodes[:1]), ("last", g.tree.leaves)):
        mining = {s: sum(weight[n] * _mining_mw(plan, n, s) for n in nodes) for s in g.sites}
        ai = {s: sum(weight[n] * _ai_mw(plan, n, s) for n in nodes) for s in g.sites}
        both = sum(mining.values()) + sum(ai.values())
        yield f"mining_{when}_it_mw", sum(mining.values())
        yield f"ai_{when}_it_mw", sum(ai.values())
        yield f"mining_{when}_share", sum(mining.values()) / both if both else None
        if when == "last":
            yield from ((f"mining_last_it_mw.{s}", mw) for s, mw in mining.items())
            yield from ((f"ai_last_it_mw.{s}", mw) for s, mw in ai.items())
    yield "hours_mined_share", _hours_mined(plan)
    yield (
        "halls_converted",
        sum(weight[index[0]] * float(count) for index, count in plan.conversions.items()),
    )
    for x in g.contracts:
        yield (
            f"signed_mw.{x}",
            float(sum(weight[n] * float(mw) for (n, c), mw in plan.signed_mw.items() if c == x)),
        )


def _mining_mw(plan: Context, n: Node, s: Site) -> float:
    """Critical IT MW of the mining racks that stand at a site."""
    g = plan.given
    places = (p for h in g.halls[s] for p in g.places[h] if g.workload_of[p] == "mining")
    return sum(standing_mw(plan, n, p) for p in places)


def _ai_mw(plan: Context, n: Node, s: Site) -> float:
    """Critical IT MW of AI that are served at a site."""
    g = plan.given
    return sum(
        _served_mw(plan, n, p) for h in g.halls[s] for p in g.places[h] if g.workload_of[p] == "ai"
    )


def _served_mw(plan: Context, n: Node, p: str) -> float:
    g = plan.given
    served = 0.0
    for k in (*g.racks_at.get(p, ()), TENANT):
        served += float(plan.cloud.get((n, p, k), 0.0))
        served += sum(
            float(plan.hosting.get((n, x, p, k), 0.0)) for x in g.contracts_at.get((p, k), ())
        )
    return served


def _hours_mined(plan: Context) -> float | None:
    """Share of the hours that machines could have run in which they did."""
    g = plan.given
    ran = sum(
        g.probability[n] * g.hours[n, s, b] * float(mw)
        for (n, s, _, _, b), mw in plan.mining.items()
    )
    could = sum(
        g.probability[n]
        * sum(fit_to_run(plan, n, s).values())
        * sum(g.hours[n, s, b] for b in g.bands[n, s])
        for n in g.nodes
        for s in g.sites
    )
    return ran / could if could else None

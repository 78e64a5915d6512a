"""What came of a solve, for a terminal: a screen that a planner can read aloud."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from models.instance import month_text
from optimizer.words import figure

if TYPE_CHECKING:
    from pandas import DataFrame

    from optimizer.case import Case
    from optimizer.elastic import Clash
    from optimizer.plan import Tables
    from optimizer.solve import Solved

#: Columns of figures that fit beside their labels on a hundred columns.
MOST_COLUMNS = 8
MOST_ACTIONS = 24
MOST_LIMITS = 10
MOST_BREACHES = 12
#: Width of a column of figures and of the labels beside them.
FIGURE_WIDTH, LABEL_WIDTH = 9, 27

#: Limits that bind in nearly every plan and tell a planner nothing.
UNTOLD = frozenset({
    "hosting.owner_racks_limit", "hosting.signing_once", "mining.mining_limit",
    "racks.end_of_life", "racks.whole_racks",
})  # fmt: skip
#: Money is told first, then power, contracts, the owner's wishes, floor.
ORDER = ("capital", "grid", "hosting", "policy", "halls", "racks")

HEADINGS: Mapping[str, tuple[str, str]] = {
    "solved": ("solved", "bold green"),
    "best-found": ("best plan found before the stop", "bold yellow"),
    "audit-failed": ("audit failed: this is no plan", "bold red"),
    "infeasible": ("infeasible: no plan keeps to every limit", "bold red"),
    "unbounded": ("unbounded: the value can grow without limit", "bold red"),
    "no-plan": ("stopped before any plan was found", "bold yellow"),
}


def screen(
    case: Case,
    solved: Solved,
    tables: Tables | None = None,
    *,
    defaults: int = 0,
    out: Path | None = None,
    clashes: Sequence[Clash] = (),
    width: int = 100,
) -> Group:
    """Lay out what came of a solve.

    Parameters
    ----------
    case : Case
        What was given.
    solved : Solved
        What came of it.
    tables : Tables, optional
        The plan's tables, where there is a plan.
    defaults : int
        How many figures nobody typed.
    out : Path, optional
        Where the run was written.
    clashes : sequence of Clash
        Limits that would have to give, where there is no plan.
    width : int
        Columns of the terminal.
    """
    parts: list[RenderableType] = [_title(case), Text(*HEADINGS[solved.status])]
    if solved.status == "audit-failed":
        parts += _breaches(solved)
    elif tables is not None:
        parts += _plan(case, solved, tables, width)
    elif solved.status == "infeasible":
        parts += _infeasible(solved, clashes)
    else:
        parts += [Text(_way_out(solved))]
    parts += _ending(defaults, out)
    return Group(*parts)


def _title(case: Case) -> Text:
    i = case.instance
    start = month_text(case.given.tree.start)
    many = f"{_count(len(i.sites), 'site')}, {_count(i.horizon.periods, 'period')}"
    span = f"{many} of {_count(i.horizon.months_per_period, 'month')} from {start}"
    about = f"\n{i.instance.summary}" if i.instance.summary else ""
    return Text.assemble((i.instance.name, "bold"), f"  {span}", (about, "dim"))


def _count(number: int, thing: str) -> str:
    return f"{number} {thing}" + ("" if number == 1 else "s")


def _ending(defaults: int, out: Path | None) -> Iterator[RenderableType]:
    told = [f"{_count(defaults, 'figure')} were not typed but taken from catalogues and defaults"]
    if out is not None:
        told = [f"{told[0]}: manifest.json lists them", f"run written to {out}"]
    yield Text("\n" + "; ".join(told), "dim") if defaults or out else Text()


# --- no plan -------------------------------------------------------------------------------


def _way_out(solved: Solved) -> str:
    if solved.status == "unbounded":
        return "A limit or a cost is missing: look for racks, MW or debt that cost nothing."
    bound = "" if solved.bound_musd is None else f" No plan is worth more than {_musd(solved)}."
    return f"Give it more time with --time-limit, or a wider --gap.{bound}"


def _musd(solved: Solved) -> str:
    return f"{figure(solved.bound_musd)} M$"


def _breaches(solved: Solved) -> Iterator[RenderableType]:
    breaches = solved.audit.breaches if solved.audit is not None else ()
    yield Text(f"{_count(len(breaches), 'breach')}; the plan is kept aside in rejected/")
    for breach in breaches[:MOST_BREACHES]:
        yield Text(f"  {breach}")
    if len(breaches) > MOST_BREACHES:
        yield Text(f"  and {len(breaches) - MOST_BREACHES} more")


def _infeasible(solved: Solved, clashes: Sequence[Clash]) -> Iterator[RenderableType]:
    if solved.contradictions:
        yield Text(f"The figures alone break: {', '.join(solved.contradictions[:MOST_LIMITS])}")
    if not clashes:
        yield Text("Which limits clash was not found in time; start with `rackwatt check`.")
        return
    yield Text("A plan exists if these limits give, the least that could be found:\n")
    table = _grid(("limit", "left"), ("where", "left"), ("when", "left"),
                  ("by", "right"), ("", "left"), ("set by", "left"))  # fmt: skip
    for clash in clashes[:MOST_LIMITS]:
        when = " to ".join(dict.fromkeys((clash.months[0], clash.months[-1])))
        about = clash.about if clash.typed else f"{clash.about} (decisions pinned contradict it)"
        table.add_row(about, clash.where, when, figure(clash.amount), clash.unit, clash.key)
    yield table
    yield Text(
        "\nEach gives by the amount at most in any period; amounts are weighed against the "
        "largest figure of the same unit. Other ways out may suit better."
    )


# --- a plan --------------------------------------------------------------------------------


def _plan(case: Case, solved: Solved, tables: Tables, width: int) -> Iterator[RenderableType]:
    most = max(2, min(MOST_COLUMNS, (width - LABEL_WIDTH) // FIGURE_WIDTH))
    figures = Figures.of(tables)
    yield from _worth(solved)
    yield Text("\n" + _headline(case, tables, figures))
    yield Text(_figures(figures))
    yield Text("\nWhat stands", "bold")
    yield _standing(case, tables, most)
    yield Text("\nWhat to do, and by when to commit", "bold")
    yield from _actions(tables)
    yield Text("\nMoney, M$", "bold")
    yield _money(tables, most)
    yield Text("\nWhat binds", "bold")
    yield from _binding(case, tables)


def _worth(solved: Solved) -> Iterator[Text]:
    gap = "" if solved.gap is None else f" (gap {solved.gap:.3%})"
    bound = f"no plan beats {figure(solved.bound_musd)} M${gap}"
    yield Text.assemble(("value ", ""), (f"{figure(solved.value_musd)} M$", "bold"), f"; {bound}")
    checked = solved.audit
    if checked is None:
        return
    if checked.nothing_musd is not None and solved.value_musd is not None:
        over = solved.value_musd - checked.nothing_musd
        nothing = f"doing nothing is worth {figure(checked.nothing_musd)} M$"
        yield Text(f"{nothing}; the plan adds {figure(over)} M$")
    else:
        yield Text("doing nothing is no way out: it breaks a limit")
    yield Text(
        f"audit {'passed' if checked.passed else 'failed'}: {checked.relations:,} relations hold; "
        f"mining earns {checked.banded_margin_musd:,.6f} M$ in bands, "
        f"{checked.hourly_margin_musd:,.6f} M$ hour by hour"
    )


@dataclass(frozen=True)
class Figures:
    """Metrics by scope and name."""

    values: Mapping[tuple[str, str], float]

    @classmethod
    def of(cls, tables: Tables) -> Figures:
        """Read the table of metrics."""
        m = tables.metrics
        return cls(dict(zip(zip(m["scope"], m["metric"], strict=True), m["value"], strict=True)))

    def __call__(self, metric: str, scope: str = "company") -> float | None:
        """One figure; None where it does not exist."""
        value = self.values.get((scope, metric))
        return None if value is None or value != value else float(value)

    def text(self, metric: str, digits: int = 1) -> str:
        """One figure of the company, as it is read."""
        return figure(self(metric), digits=digits)


def _headline(case: Case, tables: Tables, figures: Figures) -> str:
    tree = case.given.tree
    end = month_text(tree.end_month(tree.leaves[0]) - 1)
    now = f"{figures.text('mining_first_it_mw')} MW mining, {figures.text('ai_first_it_mw')} MW AI"
    then = f"{figures.text('mining_last_it_mw')} MW mining, {figures.text('ai_last_it_mw')} MW AI"
    after = figures("lowest_cash_after_months") or 0.0
    when = month_text(tree.start + int(after))
    told = [
        f"From {now} in {month_text(tree.start)} to {then} in {end} (critical IT).",
        *_deeds(case, tables.actions),
        f"Capex {figures.text('capex_musd')} M$; cash never below "
        f"{figures.text('lowest_cash_musd')} M$ ({when}; it must hold "
        f"{figure(case.given.minimum_cash)} M$).",
    ]
    return " ".join(told)


def _deeds(case: Case, actions: DataFrame) -> Iterator[str]:
    signed = actions[actions["action"] == "sign"]
    if len(signed):
        pairs = zip(signed["subject"], signed["amount"], strict=True)
        yield f"Signed: {', '.join(f'{x} {figure(mw)} MW' for x, mw in pairs)}."
    left = [x for x in dict.fromkeys(x for _, x in case.given.signing_allowed)
            if x not in set(signed["subject"])]  # fmt: skip
    if left:
        yield f"Not signed: {', '.join(left)}."
    built = actions[actions["action"] == "build"].groupby("subject", sort=False)["amount"].sum()
    if len(built):
        names = (f"{name}" if n == 1 else f"{n:.0f} × {name}" for name, n in built.items())
        yield f"Built: {', '.join(names)}."
    converted = actions.loc[actions["action"] == "convert", "amount"].sum()
    if converted:
        yield f"Converted: {_count(round(converted), 'hall')}."


def _figures(figures: Figures) -> str:
    mined, irr = figures("hours_mined_share"), figures("irr_per_year")
    told = [
        "" if irr is None else f"IRR of the equity flows {irr:.0%}",
        f"peak funding {figures.text('peak_funding_musd')} M$",
        _leverage(figures("net_debt_to_ebitda")),
        "" if mined is None else (
            f"machines run {mined:.0%} of the hours at {figures.text('mining_price_usd_per_mwh')} "
            f"$/MWh (always on: {figures.text('mining_price_always_on_usd_per_mwh')})"
        ),
        "" if figures("btc_mined") is None else (
            f"{figures.text('btc_mined', 0)} BTC for {figures.text('hash_cost_usd_per_btc', 0)} $ "
            f"of power each, {figures.text('all_in_cost_usd_per_btc', 0)} $ all-in"
        ),
        f"fleet {figures.text('fleet_j_per_th_first')} J/TH, then "
        f"{figures.text('fleet_j_per_th_last')}",
    ]  # fmt: skip
    whole = "; ".join(words for words in told if words)
    return whole[:1].upper() + whole[1:] + "."


def _leverage(ratio: float | None) -> str:
    if ratio is None:
        return ""
    return f"net debt {ratio:.1f} × EBITDA at the end" if ratio > 0 else "net cash at the end"


# --- tables --------------------------------------------------------------------------------

Side = Literal["left", "right"]


def _grid(*columns: tuple[str, Side]) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    for heading, side in columns:
        table.add_column(heading, justify=side, no_wrap=True, overflow="ellipsis")
    return table


def _spread(items: Sequence[Any], most: int) -> list[Any]:
    """Take at most so many of a sequence, evenly, the first and the last among them.

    Examples
    --------
    >>> _spread(range(10), 4), _spread("abc", 4)
    ([0, 3, 6, 9], ['a', 'b', 'c'])
    """
    if len(items) <= most:
        return list(items)
    step = (len(items) - 1) / (most - 1)
    return [items[round(i * step)] for i in range(most)]


def _moments(case: Case, most: int) -> list[tuple[str, int]]:
    """Periods to show, with their headings: all of them, else the first and each year's last."""
    tree = case.given.tree
    first = {tree.period[n]: tree.first_month(n) for n in tree.nodes}
    if len(first) <= most:
        return [(month_text(month), period) for period, month in first.items()]
    ends = {month // 12: period for period, month in first.items()}
    rest = _spread(list(ends.items()), most - 1)
    return [(month_text(tree.start), 0), *((f"end {year}", period) for year, period in rest)]


def _standing(case: Case, tables: Tables, most: int) -> Table:
    tree, weight = case.given.tree, case.given.probability
    moments = _moments(case, most)
    table = _grid(("site", "left"), ("use", "left"), *((head, "right") for head, _ in moments))
    stood, halls = tables.allocation, tables.halls
    share = stood["node"].map(weight)
    lines: list[tuple[str, DataFrame, Any]] = [
        ("mining MW", stood[stood["workload"] == "mining"], stood["it_mw"] * share),
        ("mining racks", stood[stood["workload"] == "mining"], stood["racks"] * share),
        ("AI MW", stood[stood["workload"] == "ai"], stood["serving_mw"] * share),
        ("AI racks owned", stood[(stood["workload"] == "ai") & (stood["rack"] != "tenant")],
         stood["racks"] * share),
        ("halls in works", halls, halls["halls_in_works"] * halls["node"].map(weight)),
    ]  # fmt: skip
    for site in (*case.given.sites, "all sites"):
        shown = site
        for use, rows, amount in lines:
            here = rows if site == "all sites" else rows[rows["site"] == site]
            period = here["node"].map(lambda n: tree.period[n])
            by_period = amount[here.index].groupby(period).sum()
            values = [float(by_period.get(p, 0.0)) for _, p in moments]
            if any(value > 1e-6 for value in values):
                whole = "MW" not in use
                table.add_row(shown, use, *(_cell(v, whole=whole) for v in values))
                shown = ""
    return table


def _cell(value: float, *, whole: bool = False) -> str:
    """Write a figure of a table; a dot where there is nothing."""
    if abs(value) < 0.05:
        return "·"
    return f"{value:,.0f}" if whole else f"{value:,.1f}"


def _actions(tables: Tables) -> Iterator[RenderableType]:
    actions = tables.actions
    if not len(actions):
        yield Text("nothing: keep what stands and mine when it pays")
        return
    shown = actions
    if len(actions) > MOST_ACTIONS:
        weighed = actions["irrevocable_musd"] + 1e6 * (actions["action"] == "sign")
        shown = actions.loc[weighed.nlargest(MOST_ACTIONS).index.sort_values()]
    table = _grid(("by", "left"), ("what", "left"), ("where", "left"), ("arrives", "left"),
                  ("M$ then", "right"), ("M$ in all", "right"))  # fmt: skip
    month = ""
    for row in shown.to_dict(orient="records"):
        by = "" if row["month"] == month else row["month"]
        month = row["month"]
        table.add_row(by, _deed(row), _place(row), row["arrives"],
                      _cell(row["capex_musd"]), _cell(row["irrevocable_musd"]))  # fmt: skip
    yield table
    if len(actions) > len(shown):
        yield Text(f"{len(actions) - len(shown)} smaller ones stand in actions.csv", "dim")


def _deed(row: Mapping[Any, Any]) -> str:
    """Say an action in words.

    Examples
    --------
    >>> _deed({"action": "convert", "amount": 2.0, "unit": "halls", "subject": "ai-air", "to": ""})
    'convert 2 halls to ai-air'
    """
    amount = figure(row["amount"], digits=0 if row["unit"] != "MW" else 1).removesuffix(".0")
    unit = row["unit"][:-1] if amount == "1" and row["unit"] != "MW" else row["unit"]
    link = {"convert": " to ", "sign": " with ", "build": " of "}.get(row["action"], " of ")
    return f"{row['action']} {amount} {unit}{link}{row['subject']}"


def _place(row: Mapping[Any, Any]) -> str:
    halls = [place.partition(":")[0] for place in (row["from"], row["to"]) if place]
    return " to ".join(dict.fromkeys(halls)) or row["site"]


def _money(tables: Tables, most: int) -> Table:
    years = sorted(set(tables.finance_by_year["year"]))
    size = -(-len(years) // (most - 1))
    spans = [years[i : i + size] for i in range(0, len(years), size)]
    heads = [str(s[0]) if len(s) == 1 else f"{s[0]}–{s[-1] % 100:02d}" for s in spans]
    table = _grid(("", "left"), *((head, "right") for head in (*heads, "total")))
    for label, amounts, balance in _lines(tables.finance_by_year):
        taken = [float(amounts.reindex(s).iloc[-1] if balance else amounts.reindex(s).sum())
                 for s in spans]  # fmt: skip
        if any(abs(value) >= 0.05 for value in taken):
            whole = "" if balance else _cell(sum(taken))
            style = "bold" if label in ("EBITDA", "free cash flow") else ""
            table.add_row(Text(label, style), *map(_cell, taken), whole)
    return table


def _lines(by_year: DataFrame) -> Iterator[tuple[str, Any, bool]]:
    """Lines of the account as they are read: label, M$ by year, and whether it is a balance."""
    for segment, label in (
        ("mining", "revenue, mining"), ("hosting", "revenue, AI hosting"),
        ("cloud", "revenue, GPU-hours"),
    ):  # fmt: skip
        rows = by_year[by_year["segment"] == segment]
        yield label, rows.groupby("year")["revenue_musd"].sum(), False
    sums = by_year.groupby("year").sum(numeric_only=True)
    yield "power", -sums["power_musd"], False
    yield "upkeep and staff", -sums["opex_musd"], False
    yield "overhead", -sums["overhead_musd"], False
    yield "damages for delay", -sums["damages_musd"], False
    yield "EBITDA", sums["ebitda_musd"], False
    yield "capex", -sums["capex_musd"], False
    yield "entry into AI", -sums["ai_entry_musd"], False
    yield "racks sold", sums["racks_sold_musd"], False
    yield "advances, tenants' works", sums["advances_musd"] + sums["tenant_works_musd"], False
    yield "free cash flow", sums["free_cash_flow_musd"], False
    yield "loan, drawn less repaid", sums["loan_drawn_musd"] - sums["loan_repaid_musd"], False
    yield "interest", -sums["interest_musd"], False
    company = by_year[by_year["segment"] == "company"].set_index("year")
    yield "debt at the end", company["debt_musd"], True
    yield "cash at the end", company["cash_musd"], True


# --- what binds ----------------------------------------------------------------------------


def _binding(case: Case, tables: Tables) -> Iterator[RenderableType]:
    told = tables.binding[~tables.binding["limit"].isin(UNTOLD)]
    if not len(told):
        yield Text("no limit: more money, power or halls would change nothing")
        return
    places = told["where"].map(lambda where: re.sub(r",? ?band \d+", "", where))
    groups = list(told.groupby([told["limit"], places], sort=False))
    groups.sort(key=lambda item: _rank(str(item[0][0])))
    periods = case.given.tree.periods
    table = _grid(("limit", "left"), ("where", "left"), ("when", "left"), ("at", "right"),
                  ("", "left"))  # fmt: skip
    for (_, where), rows in groups[:MOST_LIMITS]:
        table.add_row(rows["about"].iloc[0], str(where), _when(rows["month"], periods),
                      _range(rows["limit_value"]), rows["unit"].iloc[0])  # fmt: skip
    yield table
    if len(groups) > MOST_LIMITS:
        yield Text(f"{len(groups) - MOST_LIMITS} more stand in binding.csv", "dim")


def _rank(limit: str) -> int:
    return ORDER.index(limit.partition(".")[0])


def _when(months: Iterable[str], periods: int) -> str:
    listed = list(dict.fromkeys(months))
    if len(listed) == 1:
        return listed[0]
    if len(listed) == periods:
        return "throughout"
    return f"{listed[0]} to {listed[-1]}, {len(listed)} of {periods} periods"


def _range(values: Iterable[float]) -> str:
    listed = list(values)
    return " to ".join(dict.fromkeys(map(figure, (min(listed), max(listed)))))


__all__ = ["screen"]

"""The tables of the screen: what stands, what to do, money, what binds."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from models.instance import month_text
from optimizer.actions import ADDED, MARK, PLAN, POLICY
from optimizer.plan.ledger import BILL, LOAN, START, THROUGH
from optimizer.screen.grids import Kind, cell, figures, grid, most_columns, spread
from optimizer.words import counted, period_of, quantity

if TYPE_CHECKING:
    from pandas import DataFrame, Series

    from optimizer.case import Case
    from optimizer.plan import Tables

MOST_ACTIONS = 24
MOST_LIMITS = 12
ALL_SITES = "all sites"

#: Limits that bind in nearly every plan and tell a planner nothing.
UNTOLD = frozenset({
    "halls.fibre_limit", "hosting.owner_racks_limit", "hosting.signing_once",
    "mining.mining_limit", "racks.end_of_life", "racks.filled_halls", "racks.filling_limit",
    "racks.mix_limit", "racks.whole_racks",
})  # fmt: skip
#: Limits on what is spent or built over a span, which are counted at its last period.
SUMMED = frozenset({"capital.capex_budget", "grid.project_limit", "yearly.year_limit"})
_MONTH = re.compile(r"\d{4}-\d{2}( \(node \d+\))?")
#: Money is told first, then power, contracts, the owner's wishes, floor.
ORDER = (
    "capital",
    "grid",
    "yearly",
    "commitments",
    "hosting",
    "uptime",
    "policy",
    "halls",
    "racks",
)


# --- what stands ---------------------------------------------------------------------------


def standing(case: Case, tables: Tables, width: int) -> Table | Text:
    """Tell MW, racks and halls in works by site and use, over time."""
    moments = _moments(case, most_columns(width))
    table = grid(("site", "words"), ("", "words"), *figures(head for head, _ in moments))
    uses = dict(_uses(case, tables))
    for site in (*case.given.sites, *([ALL_SITES] if len(case.given.sites) > 1 else [])):
        shown = site
        for use, amounts in uses.items():
            values = [float(amounts.get((site, period), 0.0)) for _, period in moments]
            if any(value > 1e-6 for value in values):
                whole = not use.endswith("MW")
                table.add_row(shown, use, *(cell(value, whole=whole) for value in values))
                shown = ""
    return table if table.row_count else Text("no racks, and no AI")


def _moments(case: Case, most: int) -> list[tuple[str, int]]:
    """Periods to show, with their headings: all of them, else the first and each year's last."""
    tree = case.given.tree
    first = {tree.period[n]: tree.first_month(n) for n in tree.nodes}
    if len(first) <= most:
        return [(month_text(month), period) for period, month in first.items()]
    ends = {month // 12: period for period, month in first.items()}
    rest = spread(list(ends.items()), most - 2)
    return [(month_text(tree.start), 0), *((f"end {year}", period) for year, period in rest)]


def _uses(case: Case, tables: Tables) -> Iterator[tuple[str, Mapping[tuple[str, int], float]]]:
    """Amounts of each use by site and period, expected over scenarios."""
    stood, halls = tables.allocation, tables.halls
    mining, ai = (stood[stood["workload"] == workload] for workload in ("mining", "ai"))
    yield "mining MW", _by_period(case, mining, "it_mw")
    yield "mining racks", _by_period(case, mining, "racks")
    yield "AI MW", _by_period(case, ai, "serving_mw")
    yield "AI racks owned", _by_period(case, ai, "racks")
    yield "halls in works", _by_period(case, halls, "halls_in_works")


def _by_period(case: Case, rows: DataFrame, column: str) -> dict[tuple[str, int], float]:
    tree, weight = case.given.tree, case.given.probability
    sums: dict[tuple[str, int], float] = {}
    for node, site, amount in zip(rows["node"], rows["site"], rows[column], strict=True):
        for scope in (site, ALL_SITES) if amount == amount else ():
            key = (scope, tree.period[node])
            sums[key] = sums.get(key, 0.0) + weight[node] * amount
    return sums


# --- what to do ----------------------------------------------------------------------------


def actions(case: Case, tables: Tables) -> Iterator[RenderableType]:
    """Tell actions by date; of many the signatures and the dearest."""
    listed = tables.actions
    if not len(listed):
        yield Text("nothing: keep what stands, and mine when it pays")
        return
    weight = listed["irrevocable_musd"] + 1e6 * (listed["action"] == "sign")
    shown = listed.loc[weight.nlargest(MOST_ACTIONS).index.sort_values()]
    marked: tuple[tuple[str, Kind], ...] = (("from", "date"),) if MARK in listed else ()
    table = grid(("by", "date"), ("what", "words"), ("where", "words"), ("arrives", "date"),
                 ("M$ now", "figure"), ("M$ in all", "figure"), *marked)  # fmt: skip
    node = -1
    for row in shown.to_dict(orient="records"):
        by = "" if row["node"] == node else period_of(case.given.tree, row["node"])
        node = row["node"]
        paid, owed = cell(row["capex_musd"]), cell(row["irrevocable_musd"])
        mark = [row[MARK]] if marked else []
        table.add_row(by, deed(row), _place(row), row["arrives"], paid, owed, *mark)
    yield table
    if marked:
        yield Text(_completed(listed[MARK]))
    if len(listed) > len(shown):
        yield Text(f"{len(listed) - len(shown)} smaller ones stand in actions.csv", "dim")


def _completed(marks: Series[str]) -> str:
    """Count the actions of a plan that was handed in, and those that complete it.

    Examples
    --------
    >>> import pandas as pd
    >>> _completed(pd.Series(["plan", "added", "added"]))
    '1 action from the plan, 2 added to complete it'
    """
    counts = {name: int((marks == name).sum()) for name in (PLAN, POLICY, ADDED)}
    told = [f"{counted(counts[PLAN], 'action')} from the plan"]
    if counts[POLICY]:
        told.append(f"{counts[POLICY]} from policy.pin")
    return ", ".join([*told, f"{counts[ADDED]} added to complete it"])


def deed(row: Mapping[Any, Any]) -> str:
    """Say an action in words.

    Examples
    --------
    >>> deed({"action": "convert", "amount": 2.0, "unit": "halls", "subject": "ai-air"})
    'convert 2 halls to ai-air'
    >>> deed({"action": "build", "amount": 1.0, "unit": "units", "subject": "fibre"})
    'build 1 unit of fibre'
    """
    link = {"convert": "to", "sign": "with"}.get(row["action"], "of")
    return f"{row['action']} {quantity(row['amount'], row['unit'])} {link} {row['subject']}"


def _place(row: Mapping[Any, Any]) -> str:
    halls = [place.partition(":")[0] for place in (row["from"], row["to"]) if place]
    return " to ".join(dict.fromkeys(halls)) or row["site"]


# --- money ---------------------------------------------------------------------------------


def money(tables: Tables, width: int) -> Table:
    """Tell the account year by year, or by spans of years where they are many."""
    by_year = tables.finance_by_year
    years = sorted(set(by_year["year"]))
    size = -(-len(years) // (most_columns(width) - 1))
    spans = [years[i : i + size] for i in range(0, len(years), size)]
    heads = (str(s[0]) if len(s) == 1 else f"{s[0]}–{s[-1] % 100:02d}" for s in spans)
    table = grid(("", "words"), *figures((*heads, "total")))
    for label, amounts, balance in _lines(by_year):
        in_span = [amounts.reindex(span) for span in spans]
        values = [float(a.iloc[-1] if balance else a.sum()) for a in in_span]
        if any(abs(value) >= 0.05 for value in values):
            whole = "" if balance else cell(sum(values))
            style = "bold" if label in ("EBITDA", "free cash flow") else ""
            table.add_row(Text(label, style), *map(cell, values), whole)
    return table


def _lines(by_year: DataFrame) -> Iterator[tuple[str, Series[float], bool]]:
    """Lines of the account as they are read: label, M$ by year, and whether it is a balance."""
    for segment, label in (
        ("mining", "revenue, mining"), ("hosting", "revenue, AI hosting"),
        ("cloud", "revenue, GPU-hours"),
    ):  # fmt: skip
        rows = by_year[by_year["segment"] == segment]
        yield label, rows.groupby("year")["revenue_musd"].sum(), False
    sums = by_year.groupby("year").sum(numeric_only=True)
    yield "service credits", -sums["service_credits_musd"], False
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


# --- where the value comes from ------------------------------------------------------------

#: What the parts of the bridge say, and which segments and parts each sums.
PARTS: Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "mining, until the horizon": (("mining",), (*THROUGH, *START)),
    "AI, until the horizon, its capex in it": (("hosting", "cloud"), (*THROUGH, *START)),
    "company: staff, overhead, projects": (
        ("company",),
        tuple(part for part in (*THROUGH, *START) if part not in (*LOAN, *BILL)),
    ),
    "demand charges, agreements, programmes": (("company",), BILL),
    "loan and debt, with what is left": (("company",), (*LOAN, "debt_left")),
    "AI contracts beyond the horizon": (("hosting", "cloud"), ("contracts_beyond",)),
    "what halls, racks and projects are then worth": (
        ("mining", "hosting", "cloud", "company"),
        ("residual",),
    ),
}


def worths(tables: Tables) -> RenderableType:
    """Lay out where the value comes from, in present value; the parts add up to it."""
    table = grid(("", "words"), ("M$ today", "figure"))
    for label, (segments, parts) in PARTS.items():
        chosen = tables.value["segment"].isin(segments) & tables.value["part"].isin(parts)
        musd = tables.value.loc[chosen, "present_value_musd"].sum()
        if chosen.any():
            table.add_row(label, f"{musd:,.1f}")
    table.add_row("value", f"{tables.value['present_value_musd'].sum():,.1f}", style="bold")
    return table


# --- what binds ----------------------------------------------------------------------------


def binding(case: Case, tables: Tables) -> Iterator[RenderableType]:
    """Tell the limits that the plan presses against, over time."""
    told = tables.binding[~tables.binding["limit"].isin(UNTOLD)]
    if not len(told):
        yield Text("no limit that was typed: the decisions themselves hold this plan where it is")
        return
    places = told["where"].map(lambda where: re.sub(r",? ?band \d+$", "", where))
    groups = sorted(told.groupby([told["limit"], places], sort=False), key=_rank)
    table = grid(("limit", "words"), ("where", "words"), ("when (periods)", "date"),
                 ("at", "figure"))  # fmt: skip
    for (_, where), rows in groups[:MOST_LIMITS]:
        when = whenever(rows["limit"].iloc[0], _when(rows["month"], case.given.tree.periods))
        at = _span(rows["limit_value"], rows["unit"].iloc[0])
        table.add_row(rows["about"].iloc[0], str(where), when, at)
    yield table
    if len(groups) > MOST_LIMITS:
        yield Text(f"{len(groups) - MOST_LIMITS} more stand in binding.csv", "dim")


def _rank(group: tuple[Any, DataFrame]) -> int:
    limit: str = group[0][0]
    return ORDER.index(limit.partition(".")[0])


def whenever(limit: str, when: str) -> str:
    """Say when a limit holds; of one that sums up a span, only its last period is known.

    Examples
    --------
    >>> whenever("capital.capex_budget", "2030-10"), whenever("grid.interconnection", "2030-10")
    ('until 2030-10', '2030-10')
    """
    return f"until {when}" if limit in SUMMED and _MONTH.fullmatch(when) else when


def _when(months: Iterable[str], periods: int) -> str:
    listed = list(dict.fromkeys(months))
    if len(listed) == 1:
        return listed[0]
    if len(listed) == periods:
        return "throughout"
    return f"{listed[0]} to {listed[-1]} ({len(listed)})"


def _span(values: Iterable[float], unit: str) -> str:
    listed = list(values)
    least, most = quantity(min(listed), ""), quantity(max(listed), unit)
    return most if most.startswith(f"{least} ") else f"{least} to {most}"

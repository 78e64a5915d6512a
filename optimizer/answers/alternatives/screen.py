"""Alternatives for a terminal: what they cost, how they differ, and what is safe to do now."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from optimizer.answers.alternatives.told import FirstRow, SharedRow, Told
from optimizer.screen.grids import cell, figures, grid
from optimizer.words import counted, figure, quantity

if TYPE_CHECKING:
    from optimizer.answers.alternatives.found import Alternatives, Wanted
    from optimizer.case import Case

#: Columns of plans that fit beside their labels.
MOST_PLANS = 7
#: Lines of what differs, and of first actions; the rest stands in files.
MOST_LINES = 30
#: MW by which plans must differ for a line of their own.
SHOWN_MW = 0.05


def screen(case: Case, found: Alternatives, tables: Told, wanted: Wanted) -> Group:
    """Lay alternatives out."""
    return Group(*_parts(case, found, tables, wanted))


def loss_words(wanted: Wanted) -> str:
    """Say how much may be lost.

    Examples
    --------
    >>> from optimizer.answers.alternatives.found import Wanted
    >>> loss_words(Wanted(loss_share=0.01)), loss_words(Wanted(loss_share=0.025))
    ('1 %', '2.5 %')
    """
    return f"{100.0 * wanted.loss_share:g} %"


def _parts(
    case: Case, found: Alternatives, tables: Told, wanted: Wanted
) -> Iterator[RenderableType]:
    best = found.best.value_musd
    loss = loss_words(wanted)
    yield Text.assemble(
        (case.instance.instance.name, "bold"),
        f"  plans worth at least {figure(found.least_musd, digits=3)} M$: within {loss} of the "
        f"best found, {figure(best, digits=3)} M$",
    )
    yield Text("\nPlans, each as far as can be from all before it", "bold")
    yield _plans(tables)
    if found.exhausted:
        yield Text(f"no other plan within {loss} differs by {found.differs_mw:,.3g} MW or more, "
                   "proved")  # fmt: skip
    elif found.halted:
        yield Text(found.halted)
    if found.others:
        yield Text("\nMW from plan to plan", "bold")
        yield _distances(tables)
        yield Text("\nIT MW by site and use at the end of a year, where plans differ", "bold")
        yield from _standing(tables)
        yield Text("\nFirst actions", "bold")
        yield from _first(tables)
    yield Text("\nWhat plans share", "bold")
    yield from _shared(tables, loss, several=bool(found.others))


def _name(plan: int) -> str:
    return f"plan {plan}" if plan else "best"


def _heads(tables: Told) -> list[str]:
    return [_name(row.plan) for row in tables.plans[:MOST_PLANS]]


def _plans(tables: Told) -> Table:
    table = grid(("", "words"), *figures(("M$", "loss %", "MW away", "at most", "capex M$")),
                 ("signed", "words"))  # fmt: skip
    for row in tables.plans:
        away = "" if row.distance_mw is None else f"{row.distance_mw:,.1f}"
        most = "–" if row.most_mw is None else "proved" if row.proved else f"{row.most_mw:,.1f}"
        loss = f"{100.0 * row.loss_share:.2f}" if row.plan else ""
        most = most if row.plan else ""
        table.add_row(_name(row.plan), figure(row.value_musd, digits=2), loss, away, most,
                      cell(row.capex_musd), row.signed or "nothing")  # fmt: skip
    return table


def _distances(tables: Told) -> Table:
    apart = {(row.plan, row.other): row.distance_mw for row in tables.distances}
    numbers = [row.plan for row in tables.plans[:MOST_PLANS]]
    table = grid(("", "words"), *figures(_heads(tables)[:-1]))
    for i in numbers[1:]:
        cells = [f"{apart[i, j]:,.1f}" if j < i else "" for j in numbers[:-1]]
        table.add_row(_name(i), *cells)
    return table


def _standing(tables: Told) -> Iterator[RenderableType]:
    shown = range(min(len(tables.plans), MOST_PLANS))
    mw: dict[tuple[str, str, str], dict[int, float]] = {}
    for row in tables.standing:
        mw.setdefault((row.site, row.use, row.month), {})[row.plan] = row.mw
    lines = [
        (key, amounts) for key, amounts in mw.items()
        if max(amounts.values()) - min(amounts.values()) > SHOWN_MW
    ]  # fmt: skip
    if not lines:
        yield Text("the same in all of them")
        return
    table = grid(("site", "words"), ("use", "words"), ("end of", "date"),
                 *figures(_heads(tables)))  # fmt: skip
    before = ("", "")
    for (site, use, month), amounts in lines[:MOST_LINES]:
        shown_site = "" if site == before[0] else site
        shown_use = "" if (site, use) == before else "AI" if use == "ai" else use
        before = site, use
        cells = (cell(amounts.get(i, 0.0)) for i in shown)
        table.add_row(shown_site, shown_use, _year(month), *cells)
    yield table
    if len(lines) > MOST_LINES:
        yield Text(f"{len(lines) - MOST_LINES} more stand in standing.csv", "dim")


def _year(month: str) -> str:
    """Name the year that ends with a period; its node too where the tree branches.

    Examples
    --------
    >>> _year("2027-10"), _year("2027-10 (node 4)")
    ('2027', '2027 (node 4)')
    """
    return month[:4] + month[7:]


def _first(tables: Told) -> Iterator[RenderableType]:
    amounts: dict[tuple[str, str, str], dict[int, FirstRow]] = {}
    for row in tables.first_actions:
        amounts.setdefault((row.action, row.site, row.subject), {})[row.plan] = row
    if not amounts:
        yield Text("none in any of them")
        return
    table = grid(("what", "words"), ("where", "words"), *figures(_heads(tables)))
    for (action, site, subject), by_plan in list(amounts.items())[:MOST_LINES]:
        unit = next(iter(by_plan.values())).unit
        cells = (
            cell(by_plan[i].amount, whole=unit != "MW") if i in by_plan else "·"
            for i in range(min(len(tables.plans), MOST_PLANS))
        )
        table.add_row(f"{action} {subject}, {unit}", site, *cells)
    yield table
    if len(amounts) > MOST_LINES:
        yield Text(f"{len(amounts) - MOST_LINES} more stand in first_actions.csv", "dim")


# --- what is shared ------------------------------------------------------------------------


def _shared(tables: Told, loss: str, *, several: bool) -> Iterator[RenderableType]:
    """Tell what is proved of all plans, then what those shown have in common."""
    if not tables.decisions:
        yield Text("no first action, and no contract is open")
        return
    heads = {
        ("every plan", "first"): f"safe now: in every plan within {loss}, proved",
        ("every plan", "any time"): (
            f"contracts signed in every plan within {loss}, proved, which may wait"
        ),
        ("all shown", ""): "in all plans shown",
        ("some shown", ""): "in some of the plans shown",
        ("none shown", ""): "in none of the plans shown",
        ("no plan", ""): f"in no plan within {loss}, proved",
    }
    shown = [row for row in tables.decisions if several or row.sure in _HEADS]
    if not shown:
        yield Text(f"nothing is proved of every plan within {loss}")
    for (sure, when), head in heads.items():
        rows = [row for row in shown if row.sure == sure and when in ("", row.when)]
        if rows:
            yield Text(head, "italic")
            table = grid(("", "words"), (_HEADS.get(sure, ""), "figure"))
            table.show_header = sure in _HEADS
            for row in rows:
                table.add_row(f"  {_deed(row)}", _without(row))
            yield table
    open_ = sum(not row.decided for row in tables.decisions if row not in shown)
    if open_:
        yield Text(f"{counted(open_, 'decision')} of the best plan undecided in time", "dim")


#: What is told of a decision that is proved.
_HEADS = {"every plan": "M$ without it, at most", "no plan": "M$ with it, at most"}


def _without(row: SharedRow) -> str:
    if row.sure not in ("every plan", "no plan"):
        return "" if row.decided else "undecided"
    return "no plan" if row.without_musd is None else figure(row.without_musd, digits=2)


def _deed(row: SharedRow) -> str:
    """Say what is shared, and how much of it.

    Examples
    --------
    >>> _deed(SharedRow("sell", "milam", "lot", "racks", 6.0, 9.0, 4.0, "every plan", True,
    ...                 "first", 9.1))
    'sell at least 4 racks of lot at milam; 6 to 9 racks in the plans shown'
    >>> _deed(SharedRow("sign", "", "lease", "MW", 14.99998, 15.0, 1.0, "every plan", True,
    ...                 "first", None))
    'sign with lease; 15 MW in the plans shown'
    """
    # As many digits as are shown, so that what looks the same is told once.
    least, most = round(row.least_shown, 1), round(row.most_shown, 1)
    span = quantity(most, row.unit)
    span = span if least == most else f"{quantity(least, '')} to {span}"
    if row.action == "sign":
        return f"sign with {row.subject}" + (
            f"; {span} in the plans shown" if row.most_shown else ""
        )
    link = "to" if row.action == "convert" else "of"
    where = f"{link} {row.subject} at {row.site}"
    if row.sure != "every plan":
        return f"{row.action} {span} {where}"
    amount = quantity(row.every_plan, row.unit)
    if row.every_plan == row.least_shown == row.most_shown:
        return f"{row.action} at least {amount} {where}"
    return f"{row.action} at least {amount} {where}; {span} in the plans shown"

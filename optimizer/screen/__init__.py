"""What came of a solve, for a terminal: a screen that a planner can read aloud."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from rich.console import Group, RenderableType
from rich.text import Text

from models.instance import month_text
from optimizer.actions import MARK
from optimizer.screen.grids import grid
from optimizer.screen.running import running, served
from optimizer.screen.sections import actions, binding, money, standing, whenever, worths
from optimizer.screen.story import story, worth
from optimizer.words import counted, figure, not_below, quantity

if TYPE_CHECKING:
    from optimizer.case import Case
    from optimizer.elastic import Clash
    from optimizer.plan import Tables
    from optimizer.solve import Solved

MOST_BREACHES = 12
MOST_CLASHES = 12

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
    clashes: Sequence[Clash] = (),
    ways: Sequence[Sequence[Clash]] = (),
    notes: Sequence[str] = (),
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
    clashes : sequence of Clash
        Limits that would have to give, where there is no plan.
    ways : sequence of sequence of Clash
        Single limits that would be a way out alone.
    notes : sequence of str
        What was asked for beside the instance and changes the answer.
    width : int
        Columns of the terminal.
    """
    parts: list[RenderableType] = [_title(case), *map(Text, notes),
                                     Text(*HEADINGS[solved.status])]  # fmt: skip
    if solved.status == "audit-failed":
        parts += _breaches(solved)
    elif tables is not None:
        parts += _plan(case, solved, tables, width)
    elif solved.status == "infeasible":
        parts += _infeasible(solved, clashes, ways)
    else:
        parts.append(Text(_way_out(solved)))
    return Group(*parts)


def _title(case: Case) -> Text:
    i = case.instance
    start = month_text(case.given.tree.start)
    many = f"{counted(len(i.sites), 'site')}, {counted(i.horizon.periods, 'period')}"
    span = f"{many} of {counted(i.horizon.months_per_period, 'month')} from {start}"
    about = f"\n{i.instance.summary}" if i.instance.summary else ""
    return Text.assemble((i.instance.name, "bold"), f"  {span}", (about, "dim"))


def _plan(case: Case, solved: Solved, tables: Tables, width: int) -> Iterator[RenderableType]:
    yield from worth(solved, handed_in=MARK in tables.actions)
    yield from story(case, tables)
    yield Text("\nWhat stands", "bold")
    yield standing(case, tables, width)
    yield Text("\nWhat to do, and by when to commit", "bold")
    yield from actions(case, tables)
    if len(served(tables.uptime)):
        yield Text("\nWhat keeps AI running", "bold")
        yield from running(tables, width)
    yield Text("\nMoney in M$", "bold")
    yield money(tables, width)
    yield Text("\nWhere the value comes from", "bold")
    yield worths(tables)
    yield Text("\nWhat binds", "bold")
    yield from binding(case, tables)


def _breaches(solved: Solved) -> Iterator[RenderableType]:
    breaches = solved.audit.breaches if solved.audit is not None else ()
    yield Text(f"{counted(len(breaches), 'limit')} broken; the plan is kept aside in rejected/")
    for breach in breaches[:MOST_BREACHES]:
        yield Text(f"  {breach}")
    if len(breaches) > MOST_BREACHES:
        yield Text(f"  and {len(breaches) - MOST_BREACHES} more")


def _infeasible(
    solved: Solved, clashes: Sequence[Clash], ways: Sequence[Sequence[Clash]]
) -> Iterator[RenderableType]:
    if solved.contradictions:
        yield Text("The figures alone contradict each other, whatever is decided.")
    if not clashes:
        yield Text("Which limits clash was not found in time; `rackwatt explain` looks for them.")
        return
    yield Text("There is a plan if these limits give so much:\n")
    yield _gives([clashes])
    yield Text(
        "\nThis is the way out that asks least of every limit, as a share of the largest figure "
        "of the same unit. Others may suit better."
    )
    if ways:
        yield Text("\nThere is a plan, too, if one of these gives alone, each tried:\n")
        yield _gives(ways)


def _gives(ways: Sequence[Sequence[Clash]]) -> RenderableType:
    """Tabulate limits that give together; between ways stands an `or`."""
    table = grid(("limit", "words"), ("where", "words"), ("when", "date"), ("by", "figure"),
                 ("set by", "words"))  # fmt: skip
    for position, way in enumerate(ways):
        if position:
            table.add_row(Text("or", "dim"))
        for clash in way[:MOST_CLASHES]:
            when = " to ".join(dict.fromkeys((clash.months[0], clash.months[-1])))
            when = whenever(clash.limit, when)
            by = quantity(not_below(clash.amount), clash.unit)
            key = clash.key if clash.typed else "decisions taken"
            table.add_row(clash.about, clash.where, when, by, key)
    return table


def _way_out(solved: Solved) -> str:
    if solved.status == "unbounded":
        return "A limit or a cost is missing: look for racks, MW or debt that cost nothing."
    known = solved.bound_musd is not None
    bound = f" No plan is worth more than {figure(solved.bound_musd)} M$." if known else ""
    return f"Give it more time with --time-limit, or a wider --gap.{bound}"

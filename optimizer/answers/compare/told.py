"""A comparison as tables, and for a terminal."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, fields
from typing import TYPE_CHECKING, Any

from rich.console import Group, RenderableType
from rich.text import Text

from optimizer.answers.compare.given import ChangeRow
from optimizer.answers.compare.plans import ActionChange, ContractChange, StandingChange
from optimizer.answers.compare.waterfall import Line, Step
from optimizer.plan.frames import frame
from optimizer.screen.grids import cell, grid
from optimizer.screen.sections import deed
from optimizer.words import figure, quantity

if TYPE_CHECKING:
    from pandas import DataFrame

    from optimizer.answers.compare.side import Side

#: Most lines of each table on the screen; the rest stands in files.
MOST_LINES = 24
#: Blocks whose changes are shown first, and how often the same key may change on lines of its own.
FIRST_BLOCKS, MOST_ALIKE = ("finance", "sites", "halls", "contracts", "bitcoin"), 3
#: Most characters of a value on the screen.
LONGEST = 28
#: Changes below it are not shown.
SHOWN = 0.05


@dataclass(frozen=True, eq=False)
class Compared:
    """All that differs between two sides.

    Attributes
    ----------
    old, new : str
        What the sides are called.
    old_musd, new_musd : float
        What their plans are worth.
    input : tuple of ChangeRow
        What was given otherwise.
    standing, actions, contracts : tuples
        What is done otherwise.
    lines, flows : tuple of Line
        The change of value by line, and flow by flow.
    steps : tuple of Step
        The change of value by what was given, then by other decisions.
    """

    old: str
    new: str
    old_musd: float
    new_musd: float
    input: tuple[ChangeRow, ...]
    standing: tuple[StandingChange, ...]
    actions: tuple[ActionChange, ...]
    contracts: tuple[ContractChange, ...]
    lines: tuple[Line, ...]
    flows: tuple[Line, ...]
    steps: tuple[Step, ...]

    def as_json(self) -> dict[str, Any]:
        """Give a program all of it."""
        return {
            field.name: [asdict(row) for row in held] if isinstance(held, tuple) else held
            for field in fields(self)
            for held in [getattr(self, field.name)]
        }

    def frames(self) -> dict[str, DataFrame]:
        """Tables by name."""
        return {file: frame(kind, getattr(self, name)) for name, (file, kind) in _ROWS.items()}


#: The table and the rows of each field.
_ROWS: dict[str, tuple[str, type[Any]]] = {
    "input": ("input_changes", ChangeRow),
    "standing": ("standing_changes", StandingChange),
    "actions": ("action_changes", ActionChange),
    "contracts": ("contract_changes", ContractChange),
    "lines": ("value_by_line", Line),
    "flows": ("value_by_flow", Line),
    "steps": ("value_by_input", Step),
}


def screen(before: Side, after: Side, compared: Compared) -> Group:
    """Lay a comparison out for a terminal."""
    return Group(*_parts(before, after, compared))


def _parts(before: Side, after: Side, compared: Compared) -> Iterator[RenderableType]:
    more = compared.new_musd - compared.old_musd
    yield Text.assemble(
        (compared.old, "bold"), "  against  ", (compared.new, "bold"),
        f"\nvalue {figure(compared.old_musd, digits=3)} M$ against "
        f"{figure(compared.new_musd, digits=3)} M$: {more:+,.3f} M$",
    )  # fmt: skip
    for side in (before, after):
        if side.solved.status != "solved":
            yield Text(f"{side.label}: {side.solved.status}, its plan may not be the best")
    yield Text("\nWhat was given otherwise", "bold")
    yield from _input(compared.input)
    yield Text("\nWhat is done otherwise", "bold")
    yield from _plans(compared)
    yield Text("\nFrom value to value, by what was given", "bold")
    yield from _steps(compared)
    yield Text("\nFrom value to value, by where it comes from", "bold")
    yield _lines(compared)


def _short(text: str) -> str:
    """Cut a long value.

    Examples
    --------
    >>> _short("45"), _short("x" * 40) == "x" * 27 + "…"
    ('45', True)
    """
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"


def _input(rows: Sequence[ChangeRow]) -> Iterator[RenderableType]:
    if not rows:
        yield Text("nothing")
        return
    table = grid(("key", "words"), ("was", "words"), ("is", "words"))
    lines = list(together(rows))
    for key, old, new in lines[:MOST_LINES]:
        table.add_row(key, _short(old) or "·", _short(new) or "·")
    yield table
    if len(lines) > MOST_LINES:
        yield Text(f"{len(lines) - MOST_LINES} more stand in input_changes.csv", "dim")


def together(rows: Sequence[ChangeRow]) -> Iterator[tuple[str, str, str]]:
    """Lay changes out for a reader: what matters most first, the same key of many names once.

    Examples
    --------
    >>> prices = [ChangeRow("machines", f"machines.m{i}.price_usd_per_th", "changed", f"{10 + i}",
    ...                     f"{20 + i}") for i in range(5)]
    >>> budget = ChangeRow("finance", "finance.capex_budget_musd", "changed", "15", "5")
    >>> for line in together([*prices, budget]):
    ...     print(*line, sep=" | ")
    finance.capex_budget_musd | 15 | 5
    machines.*.price_usd_per_th, 5 of them | 10 to 14 | 20 to 24
    """
    alike: dict[tuple[str, str, str], list[ChangeRow]] = {}
    for row in sorted(rows, key=lambda row: (*FIRST_BLOCKS, row.group).index(row.group)):
        alike.setdefault((row.group, _pattern(row.key), row.what), []).append(row)
    for (_, pattern, _), same in alike.items():
        if len(same) <= MOST_ALIKE:
            yield from ((row.key, row.old, row.new) for row in same)
        else:
            yield (
                f"{pattern}, {len(same)} of them", _span([row.old for row in same]),
                _span([row.new for row in same]),
            )  # fmt: skip


def _pattern(key: str) -> str:
    """Put stars for the name in a table and for positions.

    Examples
    --------
    >>> _pattern("machines.s21.price_usd_per_th.0.value"), _pattern("finance.capex_budget_musd")
    ('machines.*.price_usd_per_th.*.value', 'finance.capex_budget_musd')
    """
    first, *inner = key.split(".")
    if len(inner) > 1:
        inner[0] = "*"
    return ".".join([first, *("*" if part.isdigit() else part for part in inner)])


def _span(values: Sequence[str]) -> str:
    """Tell many values by the least and the most, where they are numbers."""
    if len(set(values)) == 1:
        return values[0]
    try:
        numbers = sorted(values, key=float)
    except ValueError:
        return "several"
    return f"{numbers[0]} to {numbers[-1]}"


def _plans(compared: Compared) -> Iterator[RenderableType]:
    standing = [row for row in compared.standing if abs(row.more_mw) > SHOWN]
    contracts = [row for row in compared.contracts if abs(row.more_mw) > SHOWN]
    if not (standing or contracts or compared.actions):
        yield Text("nothing")
    if standing:
        yield _mw(standing)
    if contracts:
        table = grid(("contract", "words"), ("MW was", "figure"), ("is", "figure"))
        for row in contracts:
            table.add_row(row.contract, cell(row.old_mw), cell(row.new_mw))
        yield Text()
        yield table
    if compared.actions:
        yield Text()
        yield from _actions(compared.actions)


def _mw(rows: Sequence[StandingChange]) -> RenderableType:
    table = grid(("site", "words"), ("use", "words"), ("end of", "date"), ("MW was", "figure"),
                 ("is", "figure"), ("more", "figure"))  # fmt: skip
    before = ("", "")
    for row in rows[:MOST_LINES]:
        site = "" if row.site == before[0] else row.site
        use = "" if (row.site, row.use) == before else "AI" if row.use == "ai" else row.use
        before = row.site, row.use
        table.add_row(site, use, row.year, cell(row.old_mw), cell(row.new_mw),
                      f"{row.more_mw:+,.1f}")  # fmt: skip
    return table


def _actions(rows: Sequence[ActionChange]) -> Iterator[RenderableType]:
    table = grid(("", "words"), ("what", "words"), ("where", "words"), ("was", "date"),
                 ("is", "date"))  # fmt: skip
    for row in rows[:MOST_LINES]:
        amount = max(row.old_amount, row.new_amount)
        what = {"action": row.action, "amount": amount, "unit": row.unit, "subject": row.subject}
        table.add_row(row.what, _amounts(row) or deed(what), _where(row), row.old_month or "·",
                      row.new_month or "·")  # fmt: skip
    yield table
    if len(rows) > MOST_LINES:
        yield Text(f"{len(rows) - MOST_LINES} more stand in action_changes.csv", "dim")


def _amounts(row: ActionChange) -> str:
    """Tell an amount that changed."""
    if row.what not in ("more", "less"):
        return ""
    amounts = f"{quantity(row.new_amount, '')} for {quantity(row.old_amount, row.unit)}"
    return f"{row.action} {amounts}, {row.subject}"


def _where(row: ActionChange) -> str:
    halls = [place.partition(":")[0] for place in (row.from_place, row.to_place) if place]
    return " to ".join(dict.fromkeys(halls)) or row.site


def _steps(compared: Compared) -> Iterator[RenderableType]:
    table = grid(("", "words"), ("M$", "figure"), ("then", "figure"))
    table.add_row(compared.old, "", f"{compared.old_musd:,.3f}", style="bold")
    for step in compared.steps:
        name = f"{step.step}, plan held" if step.held else step.step
        name += "" if step.proved else ", best found"
        table.add_row(name, f"{step.change_musd:+,.3f}", f"{step.value_musd:,.3f}")
    table.add_row(compared.new, "", f"{compared.new_musd:,.3f}", style="bold")
    yield table
    if sum(len(step.groups.split(", ")) for step in compared.steps if step.groups) > 1:
        yield Text("taken over in this order; in another the parts would differ, not their sum",
                   "dim")  # fmt: skip
    if not all(step.proved for step in compared.steps):
        yield Text("best found: not proved, so it may be worth more than is told", "dim")
    for step in compared.steps:
        if step.why:
            said = "told together, as the plan could not be held at first"
            yield Text(f"{said}: {step.why}", "dim")


def _lines(compared: Compared) -> RenderableType:
    table = grid(("", "words"), ("M$ was", "figure"), ("is", "figure"), ("more", "figure"))
    for line in compared.lines:
        table.add_row(line.line, f"{line.old_musd:,.3f}", f"{line.new_musd:,.3f}",
                      f"{line.change_musd:+,.3f}")  # fmt: skip
    more = compared.new_musd - compared.old_musd
    table.add_row("value", f"{compared.old_musd:,.3f}", f"{compared.new_musd:,.3f}",
                  f"{more:+,.3f}", style="bold")  # fmt: skip
    return table

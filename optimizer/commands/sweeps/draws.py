"""What drawn cases come to together, in figures and in words."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from optimizer.commands.sweeps.tables import NOTHING, SHORT, figure_of, heading
from optimizer.screen.grids import figures, grid
from optimizer.sweep.rows.pivot import has_plan, value_of
from optimizer.sweep.rows.records import Entry
from optimizer.sweep.rows.statistics import (
    PERCENTILES,
    Spread,
    figures_of,
    spread_of,
    times_by_end,
)  # fmt: skip
from optimizer.words import counted

_MEANING = (
    "mean, standard deviation (sd) and percentiles are of the draws that have a plan and the "
    "figure, each as often as it was drawn; 5 % of these draws lie below P5"
)
_LEFT_OUT = "; draws without a plan are left out, so they are not of all draws"


def of_draws(entries: Sequence[Entry], columns: Sequence[str]) -> Iterator[RenderableType]:
    """Tell how figures spread over the draws, and which draws are left out."""
    yield Text("\nDraws that have a plan, together", "bold")
    spreads = spreads_of(entries, columns)
    if spreads:
        yield _table(spreads)
    yield from _in_words(entries, [column for column in columns if column not in spreads])
    ends = times_by_end(entries)
    draws, planned = sum(ends.values()), ends.pop("plan")
    told = f"{planned:,} of {counted(draws, 'draw')} {'has' if planned == 1 else 'have'} a plan"
    left = ", ".join(f"{n:,} {SHORT.get(s, s.replace('_', ' '))}" for s, n in ends.items())
    yield Text(f"{told}; left out: {left}" if left else told)
    if spreads:
        yield Text(_MEANING + (_LEFT_OUT if left else ""), "dim")


def spreads_of(entries: Sequence[Entry], columns: Sequence[str]) -> dict[str, Spread]:
    """Say how figures spread over the draws; columns without figures are left out."""
    found = {column: spread_of(figures_of(entries, column)) for column in columns}
    return {column: spread for column, spread in found.items() if spread is not None}


def as_fields(entries: Sequence[Entry], columns: Sequence[str]) -> dict[str, Any]:
    """Give a program what is told of draws: how many came to what, and how figures spread."""
    return {
        "draws": times_by_end(entries),
        "statistics": {
            column: {"draws": spread.draws, "mean": spread.mean, "sd": spread.sd,
                     **{f"p{p}": value for p, value in spread.percentiles.items()}}
            for column, spread in spreads_of(entries, columns).items()
        },
    }  # fmt: skip


def _table(spreads: dict[str, Spread]) -> Table:
    table = grid(("", "date"), *figures(["draws", "mean", "sd", *(f"P{p}" for p in PERCENTILES)]))
    for column, spread in spreads.items():
        sd = NOTHING if spread.sd is None else figure_of(column, spread.sd)
        told = [figure_of(column, n) for n in (spread.mean, *spread.percentiles.values())]
        table.add_row(Text(heading(column), "dim"), f"{spread.draws:,}", told[0], sd, *told[1:])
    return table


def _in_words(entries: Sequence[Entry], columns: Sequence[str]) -> Iterator[Text]:
    """Count words of columns that hold no figures."""
    for column in columns:
        found: Counter[str] = Counter()
        for entry in entries:
            value = value_of(entry, column)
            if value is not None and (has_plan(entry) or column == "status"):
                found[figure_of(column, value)] += entry.point.times
        if found:
            told = ", ".join(f"{number:,} {words}" for words, number in found.most_common())
            yield Text(f"{heading(column)}: {told}")

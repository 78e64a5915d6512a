"""Tables without lines, and how many columns of figures fit."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Literal, TypeVar

from rich.console import JustifyMethod
from rich.table import Table

Kind = Literal["words", "date", "figure"]
Item = TypeVar("Item")

#: Width of a column of figures, and of the labels beside them.
FIGURE_WIDTH, LABEL_WIDTH = 9, 27
MOST_COLUMNS = 8


def grid(*columns: tuple[str, Kind]) -> Table:
    """Start a table without lines: figures to the right, and only words give way."""
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    for heading, kind in columns:
        side: JustifyMethod = "right" if kind == "figure" else "left"
        table.add_column(heading, justify=side, no_wrap=kind != "words", overflow="fold")
    return table


def figures(heads: Iterable[str]) -> Iterator[tuple[str, Kind]]:
    """Give columns of figures their headings."""
    return ((head, "figure") for head in heads)


def most_columns(width: int) -> int:
    """How many columns of figures fit beside their labels.

    Examples
    --------
    >>> most_columns(100), most_columns(80), most_columns(300)
    (8, 5, 8)
    """
    return max(2, min(MOST_COLUMNS, (width - LABEL_WIDTH) // FIGURE_WIDTH))


def spread(items: Sequence[Item], most: int) -> list[Item]:
    """Take at most so many of a sequence, evenly, the first and the last among them.

    Examples
    --------
    >>> spread(range(10), 4), spread("abc", 4)
    ([0, 3, 6, 9], ['a', 'b', 'c'])
    """
    if len(items) <= most:
        return list(items)
    if most < 2:
        return [items[-1]]
    step = (len(items) - 1) / (most - 1)
    return [items[round(i * step)] for i in range(most)]


def cell(value: float, *, whole: bool = False) -> str:
    """Write a figure of a table; a dot where there is nothing.

    Examples
    --------
    >>> cell(1234.56), cell(-0.01), cell(3.0, whole=True)
    ('1,234.6', '·', '3')
    """
    if abs(value) < 0.05:
        return "·"
    return f"{value:,.0f}" if whole else f"{value:,.1f}"

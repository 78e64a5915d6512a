"""Tables without lines, and how many columns of figures fit."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, TypeVar

from rich.table import Table

Side = Literal["left", "right"]
Item = TypeVar("Item")

#: Width of a column of figures, and of the labels beside them.
FIGURE_WIDTH, LABEL_WIDTH = 10, 27
MOST_COLUMNS = 8


def grid(*columns: tuple[str, Side]) -> Table:
    """Start a table without lines; what does not fit is cut, never wrapped."""
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    for heading, side in columns:
        table.add_column(heading, justify=side, no_wrap=True, overflow="ellipsis")
    return table


def most_columns(width: int) -> int:
    """How many columns of figures fit beside their labels.

    Examples
    --------
    >>> most_columns(100), most_columns(80), most_columns(300)
    (7, 5, 8)
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

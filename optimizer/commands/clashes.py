"""Limits that clash, as a table that names what would have to give."""

from __future__ import annotations

from collections.abc import Sequence

from rich.table import Table
from rich.text import Text

from optimizer.elastic import Clash


def clash_table(clashes: Sequence[Clash]) -> Table | Text:
    """List the limits that clash: by how much, where, when, and which key sets them."""
    if not clashes:
        return Text("Which limits clash was not found within a minute.")
    title = "The least that would have to give for a plan to exist"
    table = Table(box=None, pad_edge=False, header_style="dim", title=title, title_justify="left")
    for column in ("limit", "where", "when", "by", "", "key"):
        justify = "right" if column == "by" else "left"
        table.add_column(column, justify=justify, overflow="fold")  # type: ignore[arg-type]
    for clash in clashes:
        about = clash.about if clash.typed else clash.meaning
        when = dict.fromkeys((clash.months[0], clash.months[-1]))
        amount = f"{clash.amount:,.6g}"
        cells = (about, clash.where, " to ".join(when), amount, clash.unit, clash.key)
        table.add_row(*map(Text, cells))
    return table

"""``rackwatt doctor``: whether this installation can be trusted."""

from __future__ import annotations

from dataclasses import asdict

from rich.table import Table
from rich.text import Text

from optimizer.commands.voice import Voice
from optimizer.doctor import Check, run_doctor


def examine_installation(voice: Voice) -> int:
    """Run the command and return its exit code."""
    checks = run_doctor()
    faults = sum(not check.ok for check in checks)
    voice.show(_table(checks), Text(_verdict(faults), "bold"))
    voice.answer(
        status="faulty" if faults else "healthy", checks=[asdict(check) for check in checks]
    )
    return 1 if faults else 0


def _table(checks: list[Check]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="dim")
    for column in ("", "looked at", "found", "what to do"):
        table.add_column(column, overflow="fold")
    for check in checks:
        mark = Text("ok", "green") if check.ok else Text("fault", "bold red")
        table.add_row(mark, Text(check.name), Text(check.found), Text(check.hint))
    return table


def _verdict(faults: int) -> str:
    return f"{faults} faults" if faults > 1 else "1 fault" if faults else "healthy"

"""How a plan fares that is evaluated in every case, and where it cannot be kept to."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from rich.text import Text

from optimizer.commands.sweeps.tables import PLAN_STATUS, PLAN_VALUE, SHORT
from optimizer.sweep.rows.pivot import has_plan, value_of
from optimizer.sweep.rows.records import Entry
from optimizer.words import counted

#: What the plan is worth, and what the best plan has over it.
PLANNED = (PLAN_VALUE, "regret_musd")
#: How a message tells what speaks against the plan, and how many cases of one reason are named.
_OF_PLAN, FEW = "the plan: ", 5
#: Most reasons that are told.
MOST_REASONS = 8
_SAID: Mapping[str, str] = {
    "infeasible": "its actions and the limits of the case contradict each other",
    "invalid": "it names what the case does not have",
    "timeout": "the time limit ended its search",
    "no-plan": "the limit of nodes ended its search",
    "audit-failed": "what was found for it did not survive the audit",
}


def columns_of_plan(known: Sequence[str]) -> tuple[str, ...]:
    """Give the columns that tell how the plan fares beside the best one; none without a plan."""
    return PLANNED if all(column in known for column in PLANNED) else ()


def told_of_plan(entries: Sequence[Entry], kept: Path) -> Iterator[Text]:
    """Say where the plan cannot be kept to though another plan can, each reason once.

    Parameters
    ----------
    entries : sequence of Entry
        The cases.
    kept : Path
        Database or sweep file, by which one of them is opened.
    """
    reasons: dict[tuple[str, str], list[int]] = {}
    for entry in entries:
        status = value_of(entry, PLAN_STATUS)
        if has_plan(entry) and status not in (None, "solved", "best-found"):
            held = reasons.setdefault((str(status), _reason(entry, str(status))), [])
            held.append(entry.point.number)
    for (status, why), numbers in list(reasons.items())[:MOST_REASONS]:
        which = ", ".join(map(str, numbers[:FEW])) + (", …" if len(numbers) > FEW else "")
        short = SHORT.get(status, status)
        yield Text(
            f"the plan is {short} in {counted(len(numbers), 'case')} ({which}): {why}", "dim"
        )
    rest = sum(len(numbers) for numbers in list(reasons.values())[MOST_REASONS:])
    if rest:
        yield Text(f"and in {rest:,} more for other reasons, which the export tells", "dim")
    for (_, why), (first, *_) in reasons.items():
        if why == _SAID["infeasible"]:
            opened = f"rackwatt sweep point {shlex.quote(str(kept))} {first} --instance DIR"
            yield Text(f"`{opened}`, and `evaluate` as it says, name these limits", "dim")


def _reason(entry: Entry, status: str) -> str:
    """Find why the plan comes to nothing: what the row says, else what its status says."""
    message = entry.row.message if entry.row else ""
    _, begins, told = message.partition(_OF_PLAN)
    return told if begins else _SAID.get(status, status)

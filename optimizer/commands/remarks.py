"""What is said beside a plan: on its screen what changed it, on stderr the talk around it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from optimizer.bands import hidden_by_steps
from optimizer.commands.ready import Ready, Wish
from optimizer.words import counted

if TYPE_CHECKING:
    from optimizer.plan import Tables


def notes(wish: Wish) -> list[str]:
    """Say what was asked for beside the instance and changes its prices."""
    return [
        f"prices of {site} are those of {path}, in place of the instance's"
        for site, path in wish.prices.items()
    ]


def remarks(ready: Ready, tables: Tables | None, out: Path | None) -> Iterator[str]:
    """Say what a planner should know around a plan: what nobody typed, and where it lies."""
    if tables is not None:
        yield from _bought(ready, tables)
        yield from _steps(ready)
    defaults = len(ready.defaults)
    if defaults:
        listed = "`rackwatt check --json`" if out is None else "manifest.json"
        figures = counted(defaults, "figure")
        yield f"{figures} came from catalogues and defaults; {listed} lists them"
    if out is not None:
        yield f"run written to {out}"


def _steps(ready: Ready) -> Iterator[str]:
    """Tell what a profile in steps may hide."""
    case = ready.case
    for s in dict.fromkeys(s for s, _ in case.given.ppa_profile):
        hidden = hidden_by_steps(case.given, s, case.hours[s])
        yield (
            f"own generation of {s} counts in twentieths of its MW: that changes what these "
            f"decisions earn within the horizon by {hidden:.2g} M$ at most"
        )


def _bought(ready: Ready, tables: Tables) -> Iterator[str]:
    """Tell of racks that a plan buys only because some of them stand there today."""
    orders = tables.actions[tables.actions["action"] == "order"]
    for rack in ready.loaded.racks_along():
        if rack in set(orders["subject"]):
            yield (
                f"{rack} is bought, and named in the fleet only; racks.{rack}.buyable = false "
                "would stop that"
            )

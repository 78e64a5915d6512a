"""What a benchmark reports: lines of seconds under a heading, as one table."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from rich.table import Table


@dataclass(frozen=True)
class Line:
    """One thing measured.

    Attributes
    ----------
    what : str
        What was done.
    seconds : float
        Processor seconds that it took.
    against : float or None
        Seconds to which these stand in a ratio.
    whole : float or None
        Seconds of which these are a share.
    total : bool
        Whether this is a sum, to be set apart.
    """

    what: str
    seconds: float
    against: float | None = None
    whole: float | None = None
    total: bool = False


@dataclass(frozen=True)
class Part:
    """One comparison."""

    heading: str
    lines: tuple[Line, ...]


def table(parts: Iterable[Part]) -> Table:
    """Lay several comparisons out as one table."""
    laid_out = Table(title="Processor seconds, and how they compare")
    laid_out.add_column("")
    for name in ("CPU s", "share", "ratio"):
        laid_out.add_column(name, justify="right")
    for part in parts:
        laid_out.add_row(f"[bold]{part.heading}[/bold]")
        for line in part.lines:
            laid_out.add_row(
                line.what if line.total else f"  {line.what}",
                f"{line.seconds:.3f}" if line.seconds < 10 else f"{line.seconds:.1f}",
                "" if line.whole is None else f"{line.seconds / line.whole:.1%}",
                "" if line.against is None else f"{line.seconds / line.against:.1f} ×",
                style="bold cyan" if line.total else "",
            )
        laid_out.add_section()
    return laid_out

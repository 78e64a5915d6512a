"""What commands of several files have typed: the options that all of them know, and examples."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from optimizer.highs import Options


def finite(value: float | None) -> float | None:
    """Refuse what is no finite number."""
    if value is not None and not math.isfinite(value):
        raise typer.BadParameter("a finite number is needed")
    return value


def by_site(pairs: list[str] | None) -> dict[str, Path]:
    """Read ``SITE=FILE`` pairs, each site once."""
    prices: dict[str, Path] = {}
    for pair in pairs or []:
        site, equals, file = pair.partition("=")
        if not (site and equals and file):
            raise typer.BadParameter(f"{pair!r} is not SITE=FILE", param_hint="--prices")
        if site in prices:
            raise typer.BadParameter(f"{site} is given two files", param_hint="--prices")
        prices[site] = Path(file)
    return prices


def solver_options(time_limit: float | None, **others: Any) -> Options:
    """Gather what a solve may take; without a time limit, as long as it needs."""
    from optimizer.highs import Options

    return Options(time_limit=math.inf if time_limit is None else time_limit, **others)


Instance = Annotated[
    Path, typer.Argument(metavar="INSTANCE", help="Folder that holds instance.toml.")
]
InstanceOrRun = Annotated[
    Path,
    typer.Argument(
        metavar="INSTANCE|RUN",
        help="Folder that holds instance.toml, or a run that keeps its inputs.",
    ),
]
TimeLimit = Annotated[
    float | None,
    typer.Option(
        min=0.0, callback=finite, metavar="SECONDS", help="Stop then, with the best plan so far."
    ),
]
Out = Annotated[Path | None, typer.Option(metavar="DIR", help="Run folder to write.")]
Threads = Annotated[int, typer.Option(min=1, max=1024, help="Threads; one repeats exactly.")]
Prices = Annotated[
    list[str] | None,
    typer.Option(metavar="SITE=FILE", help="Hourly prices in place of a site's; repeatable."),
]
Seed = Annotated[int, typer.Option(min=0, max=2**31 - 1, help="Random seed of the solver.")]

Overwrite = Annotated[
    bool, typer.Option("--overwrite", help="Replace an older run; what you changed is kept.")
]
Json = Annotated[bool, typer.Option("--json", help="One JSON object on stdout, nothing else.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="No talk on stderr but what is wrong.")]


def examples(*lines: str) -> str:
    """Write examples as the end of a help page, one a line."""
    return "\n".join(("[bold]Examples[/bold]", *(f"  [cyan]{line}[/cyan]" for line in lines)))

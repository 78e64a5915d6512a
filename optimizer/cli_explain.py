"""The command line of ``rackwatt explain``.

Nothing heavy is imported before the command runs, so that help comes at once.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Annotated

import typer

from optimizer.typed import Json, Overwrite, Quiet, examples

EXAMPLES = examples(
    "rackwatt explain instances/by_hand",
    "rackwatt explain instances/texas --time-limit 600 --out runs/texas-explained",
)


def explain(
    instance: Annotated[
        Path, typer.Argument(metavar="INSTANCE", help="Folder that holds instance.toml.")
    ],
    time_limit: Annotated[
        float | None,
        typer.Option(min=0.0, metavar="SECONDS", help="Answer what can be answered by then."),
    ] = None,
    run: Annotated[
        Path | None, typer.Option(metavar="RUN", help="Run folder whose plan to begin from.")
    ] = None,
    out: Annotated[Path | None, typer.Option(metavar="DIR", help="Run folder to write.")] = None,
    overwrite: Overwrite = False,
    quiet: Quiet = False,
    json: Json = False,
) -> None:
    """Say what binds, what one more unit is worth, and why not something else.

    Every value comes from solves of its own, each to a gap of 1e-6: the
    plan with one more MW, dollar, month or hall less the plan without. What
    was not chosen is told with the price at which it would be, proved on
    both sides; then the five defaults that move value most.

    Exit codes: 0 all is answered, 10 a limit ended the search before, and
    those of solve where there is no plan.
    """
    from optimizer.commands.explain_plan import explain_plan
    from optimizer.commands.ready import Wish, make_ready
    from optimizer.commands.voice import Voice
    from optimizer.highs import Options

    voice = Voice(json, quiet)
    limit = math.inf if time_limit is None else time_limit
    wish = Wish(instance, Options(gap=1e-6, time_limit=limit), out=out, overwrite=overwrite)
    raise typer.Exit(explain_plan(make_ready(wish, voice), wish, voice, run=run))

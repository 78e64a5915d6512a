"""The command line of verdicts: ``rackwatt verdict INSTANCE``.

Nothing heavy is imported before a command runs, so that help comes at once.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Annotated

import typer

from optimizer.typed import Json, Overwrite, Quiet, examples

#: Prices whose switching values may be asked for; that they are those of the machine is tested.
PRICES = (
    "hashprice", "ai-rate", "power-price", "ai-capex", "delay", "entry-cost", "split-cost",
    "discount-rate",
)  # fmt: skip
EXAMPLES = examples(
    "rackwatt verdict instances/texas --no-switching",
    "rackwatt verdict instances/hive --switching hashprice,ai-rate",
    "rackwatt verdict mine --plan actions.csv --time-limit 1800 --out runs/board",
)


def _prices(typed: str | None) -> tuple[str, ...]:
    """Read names of prices with commas between them."""
    from optimizer.errors import did_you_mean, listed

    if typed is None:
        return PRICES
    names = tuple(dict.fromkeys(filter(None, typed.replace(" ", "").split(","))))
    for name in names:
        if name not in PRICES:
            hint = did_you_mean(name, PRICES) or f"one of {listed(PRICES)}"
            raise typer.BadParameter(f"{name!r} is no price; {hint}", param_hint="--switching")
    if not names:
        raise typer.BadParameter("no price is named", param_hint="--switching")
    return names


def verdict(
    instance: Annotated[
        Path, typer.Argument(metavar="INSTANCE", help="Folder that holds instance.toml.")
    ],
    plan: Annotated[
        Path | None, typer.Option(metavar="CSV", help="Management's plan, as actions.")
    ] = None,
    only: Annotated[
        bool, typer.Option("--only", help="Do nothing beyond that plan; else complete it.")
    ] = False,
    switching: Annotated[
        str | None,
        typer.Option(
            metavar="KEYS", help=f"Prices to look for, with commas; else all: {', '.join(PRICES)}."
        ),
    ] = None,
    no_switching: Annotated[
        bool, typer.Option("--no-switching", help="Leave switching prices out.")
    ] = False,
    happened: Annotated[
        Path | None,
        typer.Option(metavar="CSV", help="Prices as they came: month, and a column for each key."),
    ] = None,
    gap: Annotated[
        float, typer.Option(min=0.0, max=1.0, help="Relative gap of each strategy.")
    ] = 1e-4,
    time_limit: Annotated[
        float | None,
        typer.Option(min=0.0, metavar="SECONDS", help="For everything; what is known by then."),
    ] = None,
    workers: Annotated[
        int | None,
        typer.Option(min=1, max=1024, metavar="N", help="Processes that look for prices."),
    ] = None,
    out: Annotated[Path | None, typer.Option(metavar="DIR", help="Folder to write.")] = None,
    overwrite: Overwrite = False,
    seed: Annotated[int, typer.Option(min=0, max=2**31 - 1, help="Seed of the solver.")] = 0,
    quiet: Quiet = False,
    json: Json = False,
) -> None:
    """Put strategies side by side, and find the prices at which the answer turns.

    As is, management's plan, mining only, AI only, half of each site, half of
    the sites, no reuse, and the best plan: value, capex, MW, uptime, lowest
    cash, peak funding, what is signed; or why it cannot be. Then, for each
    price and on each side, the nearest value at which the contracts signed or
    the hall states are others, between two solves at a gap of 1e-6.

    Switching prices take some ten solves each. Without a time limit all of
    them are looked for; with one, strategies take half of it at most.

    Exit codes: those of solve, of the best plan.
    """
    from optimizer.commands.ready import Wish
    from optimizer.commands.verdict import Question, give_verdict
    from optimizer.commands.voice import Voice
    from optimizer.highs import Options

    if switching is not None and no_switching:
        message = "give one of --switching and --no-switching"
        raise typer.BadParameter(message, param_hint="--switching")
    if only and plan is None:
        raise typer.BadParameter("it needs --plan", param_hint="--only")
    if not math.isfinite(gap) or (time_limit is not None and not math.isfinite(time_limit)):
        raise typer.BadParameter("a finite number is needed", param_hint="--gap, --time-limit")
    limit = math.inf if time_limit is None else time_limit
    options = Options(gap=gap, time_limit=limit, seed=seed)
    wish = Wish(instance, options, {}, plan, out, overwrite, workers)
    prices = () if no_switching else _prices(switching)
    raise typer.Exit(give_verdict(Question(wish, prices, only, happened), Voice(json, quiet)))

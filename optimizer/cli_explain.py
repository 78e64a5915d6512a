"""The command line of ``rackwatt explain``.

Nothing heavy is imported before a command runs, so that help comes at once.
"""

from __future__ import annotations

import math

import typer

from optimizer.typed import (
    Instance,
    Json,
    Out,
    Overwrite,
    Prices,
    Quiet,
    Seed,
    Threads,
    TimeLimit,
    by_site,
    examples,
)

explaining = typer.Typer(rich_markup_mode="rich")


@explaining.command(
    epilog=examples("rackwatt explain mine", "rackwatt explain mine --json --out runs/why")
)
def explain(
    instance: Instance,
    time_limit: TimeLimit = None,
    out: Out = None,
    overwrite: Overwrite = False,
    prices: Prices = None,
    threads: Threads = 1,
    seed: Seed = 0,
    quiet: Quiet = False,
    json: Json = False,
) -> None:
    """Say what is in the way of a plan, and the cheapest change of each kind.

    Of an instance without a plan: the smallest set of typed limits that
    clash, whole racks and halls included, and for each the least that would
    be enough alone, typed into the instance, solved and audited. Also of an
    instance that solve and check refuse because no plan can exist.

    Exit codes: 0 explained, 10 not settled before a stop, 3 input refused,
    2 a mistake in the command, 130 Ctrl-C before anything was found.
    """
    from optimizer.commands.explain import explain_instance
    from optimizer.commands.ready import Wish
    from optimizer.commands.voice import Voice
    from optimizer.highs import Options

    limit = math.inf if time_limit is None else time_limit
    options = Options(time_limit=limit, threads=threads, seed=seed)
    wish = Wish(instance, options, by_site(prices), out=out, overwrite=overwrite)
    raise typer.Exit(explain_instance(wish, Voice(json, quiet)))

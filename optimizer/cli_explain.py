"""The command line of ``rackwatt explain``.

Nothing heavy is imported before the command runs, so that help comes at once.
"""

from __future__ import annotations

import typer

from optimizer.typed import (
    InstanceOrRun,
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
    solver_options,
)

EXAMPLES = examples(
    "rackwatt explain instances/by_hand",
    "rackwatt explain runs/texas --time-limit 600 --out runs/texas-explained",
    "rackwatt explain mine --json --out runs/why",
)


def explain(
    instance: InstanceOrRun,
    time_limit: TimeLimit = None,
    out: Out = None,
    overwrite: Overwrite = False,
    prices: Prices = None,
    threads: Threads = 1,
    seed: Seed = 0,
    quiet: Quiet = False,
    json: Json = False,
) -> None:
    """Say why the plan is what it is; where there is none, what is in the way.

    Of an instance that has a plan: what binds, what one more MW, dollar,
    month or hall is worth by solves of its own, at which price what was not
    chosen would be, proved on both sides, and the five defaults that move
    value most.

    Of an instance without one, also where solve and check refuse it: the
    smallest set of typed limits that clash, whole racks and halls included,
    and for each about the least that would be enough alone, typed into the
    instance, solved and audited.

    Exit codes: 0 all is answered, 10 a limit or a stop ended it before, 3
    input refused, 2 a mistake in the command, 130 Ctrl-C before anything
    was found.
    """
    from optimizer.commands.explain import explain_instance
    from optimizer.commands.ready import Wish
    from optimizer.commands.voice import Voice

    options = solver_options(time_limit, gap=1e-6, threads=threads, seed=seed)
    wish = Wish(instance, options, by_site(prices), out=out, overwrite=overwrite)
    raise typer.Exit(explain_instance(wish, Voice(json, quiet)))

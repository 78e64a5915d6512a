"""The command line of alternatives: ``rackwatt alternatives INSTANCE``.

Nothing heavy is imported before a command runs, so that help comes at once.
"""

from __future__ import annotations

from typing import Annotated

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
    finite,
    solver_options,
)

EXAMPLES = examples(
    "rackwatt alternatives instances/texas --time-limit 600",
    "rackwatt alternatives instances/texas --loss 0.02 --count 3 --now 12",
    "rackwatt alternatives runs/texas-1a2b3c4d --json",
)


def alternatives(
    instance: InstanceOrRun,
    loss: Annotated[
        float,
        typer.Option(
            min=0.0,
            max=1.0,
            callback=finite,
            metavar="SHARE",
            help="How much less than the best a plan may be worth.",
        ),
    ] = 0.01,
    count: Annotated[int, typer.Option(min=1, max=20, metavar="N", help="Most alternatives.")] = 5,
    now: Annotated[
        int,
        typer.Option(
            min=1,
            max=1200,
            metavar="MONTHS",
            help="Actions begun within so many months are first actions. Not where scenarios "
            "branch.",
        ),
    ] = 1,
    gap: Annotated[
        float,
        typer.Option(
            min=0.0, max=1.0, callback=finite, help="Relative gap at which a distance is proved."
        ),
    ] = 0.01,
    time_limit: TimeLimit = None,
    out: Out = None,
    overwrite: Overwrite = False,
    prices: Prices = None,
    threads: Threads = 1,
    seed: Seed = 0,
    quiet: Quiet = False,
    json: Json = False,
) -> None:
    """Find plans nearly as good as the best and as different as possible.

    Each is as far as can be from all plans before it, is audited, and is
    worth no less than the loss leaves. Distance is in MW: IT MW of each use
    at each site by which two plans differ, on average over the ends of the
    years, and MW by which their first actions differ. Plans nearer than 1 %
    of the MW that stand in the best plan, and than 0.1 MW, are no
    alternatives: that there are no others is proved by the bound on the
    distance. What all plans within the loss do is proved, decision by
    decision: those are safe to take now. With --out every plan is written
    with its actions, as by solve, to DIR/plan-N; without it nothing is.
    Without a time limit, work is limited by nodes.

    Exit codes: 0 all distances and decisions are proved, 10 some are not,
    else those of solve.
    """  # fmt: skip
    from optimizer.answers.alternatives.found import MOST_GAP, Wanted
    from optimizer.commands.alternatives import Question, show_alternatives
    from optimizer.commands.ready import Wish
    from optimizer.commands.voice import Voice

    if loss < MOST_GAP:
        message = f"{MOST_GAP:g} at least: the best plan itself is only known to that"
        raise typer.BadParameter(message, param_hint="--loss")
    options = solver_options(time_limit, gap=gap, threads=threads, seed=seed)
    wish = Wish(instance, options, by_site(prices), out=out, overwrite=overwrite)
    question = Question(wish, Wanted(loss, count, now))
    raise typer.Exit(show_alternatives(question, Voice(json, quiet)))

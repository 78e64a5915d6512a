"""The command line of comparisons: ``rackwatt compare A B``.

Nothing heavy is imported before a command runs, so that help comes at once.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from optimizer.typed import (
    Json,
    Out,
    Overwrite,
    Quiet,
    Seed,
    Threads,
    TimeLimit,
    examples,
    finite,
    solver_options,
)

EXAMPLES = examples(
    "rackwatt compare runs/texas-before runs/texas-after",
    "rackwatt compare instances/texas mine --time-limit 300 --out runs/difference",
    "rackwatt compare runs/base runs/dear-power runs/cheap-power --json",
)


def compare(
    folders: Annotated[
        list[Path], typer.Argument(metavar="A B...", help="Runs, or instances to be solved first.")
    ],
    gap: Annotated[
        float,
        typer.Option(min=0.0, max=1.0, callback=finite, help="Relative gap of instances solved."),
    ] = 1e-4,
    time_limit: TimeLimit = None,
    out: Out = None,
    overwrite: Overwrite = False,
    threads: Threads = 1,
    seed: Seed = 0,
    quiet: Quiet = False,
    json: Json = False,
) -> None:
    """Say what differs: in what was given, what is done, and what it is worth.

    The change of value is told twice, in parts that add up: by where the
    value comes from, and by what was given, with the first plan held while
    one table after another is taken over, and then by other decisions.
    All others are held against the first. Files are written to --out only.

    Exit codes: 0 both plans are best ones, 10 one may not be, else those
    of solve.
    """
    from optimizer.commands.compare import Question, compare_folders
    from optimizer.commands.voice import Voice

    if len(folders) < 2:
        raise typer.BadParameter("two folders are needed at least", param_hint="A B")
    options = solver_options(time_limit, gap=gap, threads=threads, seed=seed)
    question = Question(tuple(folders), options, out, overwrite)
    raise typer.Exit(compare_folders(question, Voice(json, quiet)))

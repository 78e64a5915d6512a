"""The command line: options, help, and what becomes of whatever goes wrong.

Nothing heavy is imported before a command runs, so that help comes at once.
"""

from __future__ import annotations

import io
import math
import os
import sys
import traceback
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Literal

import typer

app = typer.Typer(
    name="rackwatt",
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    add_completion=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

DEBUG = "RACKWATT_DEBUG"
#: Power markets that ``init`` has a template for, so that help need not look for them.
GRIDS = ("alberta", "ercot", "quebec", "sweden")
#: Exit code of what Ctrl-C ended, as shells have it.
INTERRUPTED = 130


def _examples(*lines: str) -> str:
    """Write examples as the end of a help page, one a line."""
    return "\n".join(("[bold]Examples[/bold]", *(f"  [cyan]{line}[/cyan]" for line in lines)))


# --- options that several commands share ---------------------------------------------------


def _finite(value: float | None) -> float | None:
    if value is not None and not math.isfinite(value):
        raise typer.BadParameter("a finite number is needed")
    return value


def _by_site(pairs: list[str] | None) -> dict[str, Path]:
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


Instance = Annotated[
    Path, typer.Argument(metavar="INSTANCE", help="Folder that holds instance.toml.")
]
Gap = Annotated[
    float,
    typer.Option(
        min=0.0, max=1.0, callback=_finite, help="Relative gap at which a plan counts as best."
    ),
]
TimeLimit = Annotated[
    float | None,
    typer.Option(
        min=0.0, callback=_finite, metavar="SECONDS", help="Stop then, with the best plan so far."
    ),
]
Out = Annotated[Path | None, typer.Option(metavar="DIR", help="Run folder to write.")]
Overwrite = Annotated[
    bool, typer.Option("--overwrite", help="Replace an older run; what you changed is kept.")
]
Threads = Annotated[int, typer.Option(min=1, max=1024, help="Threads; one repeats exactly.")]
Seed = Annotated[int, typer.Option(min=0, max=2**31 - 1, help="Random seed of the solver.")]
Json = Annotated[bool, typer.Option("--json", help="One JSON object on stdout, nothing else.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="No talk on stderr but what is wrong.")]
Prices = Annotated[
    list[str] | None,
    typer.Option(metavar="SITE=FILE", help="Hourly prices in place of a site's; repeatable."),
]


def _version(wanted: bool) -> None:
    if wanted:
        from optimizer.write import PROGRAM, versions

        typer.echo(f"{PROGRAM} {versions()[PROGRAM]}")
        raise typer.Exit


@app.callback(
    epilog=_examples(
        "rackwatt init mine --grid ercot", "rackwatt check mine", "rackwatt solve mine"
    )
)
def rackwatt(
    _shown: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    """How many racks and MW to give to Bitcoin mining and to AI, site by site, when."""


# --- commands ------------------------------------------------------------------------------


@app.command(
    epilog=_examples(
        "rackwatt solve instances/texas",
        "rackwatt solve instances/texas --gap 0.01 --time-limit 60 --out runs/quick",
        "rackwatt solve instances/texas --prices pecos=west.csv --prices nolan=west.csv",
        "rackwatt solve instances/texas --plan runs/texas/actions.csv --json",
    )
)
def solve(
    instance: Instance,
    gap: Gap = 1e-4,
    time_limit: TimeLimit = None,
    out: Out = None,
    overwrite: Overwrite = False,
    plan: Annotated[
        Path | None, typer.Option(metavar="CSV", help="Actions that are taken as decided.")
    ] = None,
    prices: Prices = None,
    threads: Threads = 1,
    seed: Seed = 0,
    quiet: Quiet = False,
    json: Json = False,
) -> None:
    """Find the best plan, audit it, and write a run folder.

    The folder is runs/NAME-HASH unless --out names another. What is there
    is replaced only with --overwrite, and files that you edited or put
    there are kept. Ctrl-C gives the best plan so far, twice none.

    Exit codes: 0 solved, 10 best found before a stop, 3 input refused,
    4 infeasible, 5 unbounded, 6 stopped without a plan, 7 audit failed,
    130 Ctrl-C before anything was found, 2 a mistake in the command,
    1 a defect of ours.
    """
    from optimizer.commands.ready import Wish
    from optimizer.commands.solve import solve_instance
    from optimizer.commands.voice import Voice
    from optimizer.highs import Options

    limit = math.inf if time_limit is None else time_limit
    wish = Wish(instance, Options(gap=gap, time_limit=limit, threads=threads, seed=seed),
                _by_site(prices), plan, out, overwrite)  # fmt: skip
    raise typer.Exit(solve_instance(wish, Voice(json, quiet)))


@app.command(epilog=_examples("rackwatt check instances/texas", "rackwatt check mine --json"))
def check(
    instance: Instance, prices: Prices = None, quiet: Quiet = False, json: Json = False
) -> None:
    """Find every problem of an instance at once, before any solve.

    Exit codes: 0 it can be solved, 3 it is refused.
    """
    from optimizer.commands.check import check_instance
    from optimizer.commands.voice import Voice

    raise typer.Exit(check_instance(instance, _by_site(prices), Voice(json, quiet)))


@app.command(
    epilog=_examples(
        "rackwatt evaluate instances/texas --plan runs/texas/actions.csv",
        "rackwatt evaluate instances/texas --plan mine.csv --only --no-optimum",
    )
)
def evaluate(
    instance: Instance,
    plan: Annotated[Path, typer.Option(metavar="CSV", help="Actions, as solve writes them.")],
    only: Annotated[
        bool, typer.Option("--only", help="Do nothing beyond the plan; else complete it.")
    ] = False,
    optimum: Annotated[bool, typer.Option(help="Compare with the best plan, too.")] = True,
    gap: Gap = 1e-4,
    time_limit: TimeLimit = None,
    out: Out = None,
    overwrite: Overwrite = False,
    prices: Prices = None,
    threads: Threads = 1,
    seed: Seed = 0,
    quiet: Quiet = False,
    json: Json = False,
) -> None:
    """Say what a plan of your own is worth, and which limits it breaks.

    Actions in the plan are taken as decided. What it leaves open is decided
    as well as can be, or not done at all with --only. The value stands
    beside doing nothing and beside the best plan. A run folder of the
    completed plan is written to --out only.

    Exit codes: those of solve; 4 where the plan breaks limits.
    """
    from optimizer.commands.evaluate import Question, evaluate_plan
    from optimizer.commands.ready import Wish
    from optimizer.commands.voice import Voice
    from optimizer.highs import Options

    limit = math.inf if time_limit is None else time_limit
    wish = Wish(instance, Options(gap=gap, time_limit=limit, threads=threads, seed=seed),
                _by_site(prices), plan, out, overwrite)  # fmt: skip
    raise typer.Exit(evaluate_plan(Question(wish, only, optimum), Voice(json, quiet)))


@app.command(
    epilog=_examples("rackwatt init mine --grid ercot", "rackwatt init mine --grid alberta")
)
def init(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="New or empty folder.")],
    grid: Annotated[str, typer.Option(metavar="GRID", help=f"Power market: {', '.join(GRIDS)}.")],
    quiet: Quiet = False,
    json: Json = False,
) -> None:
    """Write an instance to start from: commented, and solvable as it is.

    What its catalogue entries hold stands in instances/README.md under
    Catalogue: every machine, rack, fit-out and power market with figures.
    """
    from optimizer.commands.init import init_folder
    from optimizer.commands.voice import Voice

    raise typer.Exit(init_folder(folder, grid, Voice(json, quiet)))


@app.command(
    epilog=_examples(
        "rackwatt export instances/texas --out texas.lp",
        "rackwatt export instances/texas --format mps --out texas.mps",
    )
)
def export(
    instance: Instance,
    out: Annotated[Path, typer.Option(metavar="FILE", help="File to write.")],
    form: Annotated[
        Literal["lp", "mps"] | None,
        typer.Option("--format", help="What to write; else as the file is called."),
    ] = None,
    plan: Annotated[
        Path | None, typer.Option(metavar="CSV", help="Actions that are taken as decided.")
    ] = None,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace the file that is there.")
    ] = False,
    prices: Prices = None,
    quiet: Quiet = False,
    json: Json = False,
) -> None:
    """Write the model as LP or MPS, with names that can be read."""
    from optimizer.commands.export import export_instance
    from optimizer.commands.ready import Wish
    from optimizer.commands.voice import Voice

    form = form or {".lp": "lp", ".mps": "mps"}.get(out.suffix)  # type: ignore[assignment]
    if form is None:
        raise typer.BadParameter("lp or mps is needed", param_hint="--format")
    wish = Wish(instance, prices=_by_site(prices), plan=plan, overwrite=overwrite)
    raise typer.Exit(export_instance(wish, out, form, Voice(json, quiet)))


@app.command(epilog=_examples("rackwatt doctor", "rackwatt doctor --json"))
def doctor(quiet: Quiet = False, json: Json = False) -> None:
    """Examine the installation: solver, sentinels, disk, and a self-test.

    Exit codes: 0 healthy, 1 something is not.
    """
    from optimizer.commands.doctor import examine_installation
    from optimizer.commands.voice import Voice

    raise typer.Exit(examine_installation(Voice(json, quiet)))


# --- the whole of it -----------------------------------------------------------------------


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line, and return its exit code.

    Parameters
    ----------
    arguments : sequence of str, optional
        What was typed after ``rackwatt``; that of the process unless given.
    """
    typed = list(sys.argv[1:] if arguments is None else arguments)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # A terminal that knows no dash shows a question mark, and the answer all the same.
            stream.reconfigure(errors="replace")
    try:
        app(typed, prog_name="rackwatt")
    except SystemExit as end:
        if end.code == INTERRUPTED:
            _stopped(end, json="--json" in typed)
        return end.code if isinstance(end.code, int) else int(bool(end.code))
    except Exception as error:
        return _told(error, json="--json" in typed)
    return 0


def _stopped(end: SystemExit, *, json: bool) -> None:
    """Say that nothing came of a command that was interrupted."""
    from optimizer.commands.stopping import was_abandoned
    from optimizer.commands.voice import NO_ANSWER, Voice

    voice, words = Voice(json), "stopped before anything was found; nothing is written"
    if not was_abandoned(end):
        voice.warn(words)
    voice.answer(status="interrupted", **NO_ANSWER, message=words)


def _told(error: Exception, *, json: bool) -> int:
    """Tell what went wrong, and return its exit code."""
    from optimizer.commands.voice import NO_ANSWER, Voice, refuse
    from optimizer.errors import RackwattError, UsageRefused

    voice = Voice(json)
    if isinstance(error, RackwattError):
        return refuse(voice, error)
    if isinstance(error, OSError) and error.filename is not None:
        return refuse(voice, UsageRefused(f"{error.filename}: {error.strerror}"))
    if os.environ.get(DEBUG):
        traceback.print_exception(error)
    voice.warn(_defect(error))
    voice.answer(status="defect", **NO_ANSWER, message=f"{type(error).__name__}: {error}")
    return 1


def _defect(error: Exception) -> str:
    last = traceback.extract_tb(error.__traceback__)[-1]
    where = f"{Path(last.filename).parent.name}/{Path(last.filename).name}:{last.lineno}"
    what = f"{type(error).__name__} at {where}"
    return (
        f"a defect of ours, not of your input: {what}. Please report it with the instance and "
        f"the output of `rackwatt doctor --json`; {DEBUG}=1 shows where it comes from."
    )


def command() -> None:
    """Run as a process of its own, and end it.

    Where HiGHS still works on a run that was given up, the system would call an ordinary end a
    crash; everything is written by then, so the process leaves at once.
    """
    code = main()
    highs = sys.modules.get("optimizer.highs")
    if highs is not None and highs.solver_left_behind():
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)
    sys.exit(code)


if __name__ == "__main__":
    command()

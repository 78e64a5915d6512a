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
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from optimizer.cli_alternatives import EXAMPLES as OF_ALTERNATIVES
from optimizer.cli_alternatives import alternatives
from optimizer.cli_compare import EXAMPLES as OF_COMPARE
from optimizer.cli_compare import compare
from optimizer.cli_explain import EXAMPLES as OF_EXPLAIN
from optimizer.cli_explain import explain
from optimizer.cli_sweep import sweeps
from optimizer.cli_verdict import EXAMPLES as OF_VERDICT
from optimizer.cli_verdict import verdict
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
    finite,
    solver_options,
)

if TYPE_CHECKING:
    from optimizer.prices.wish import ColumnMap, DateOrder, Stamping

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


# --- options that several commands share ---------------------------------------------------


def _positive(value: float | None) -> float | None:
    if value is not None and not 0.0 < value < math.inf:
        raise typer.BadParameter("a number above 0 is needed")
    return value


def _years(typed: list[str] | None) -> tuple[tuple[int, ...], bool]:
    """Read years, or ``all``."""
    every = typed is not None and "all" in typed
    if every and len(typed or []) > 1:
        raise typer.BadParameter("`all` stands alone", param_hint="--year")
    years = [] if every else typed or []
    for year in years:
        if not (len(year) == 4 and year.isascii() and year.isdigit()):
            raise typer.BadParameter(f"{year!r} is no year; 2024 is, or all", param_hint="--year")
    return tuple(int(year) for year in years), every


def _zone(name: str | None, option: str) -> str | None:
    from optimizer.prices.clock import zone

    if name is not None and zone(name) is None:
        message = f"{name!r} is no zone; America/Chicago is, or UTC"
        raise typer.BadParameter(message, param_hint=option)
    return name


def _code(currency: str | None) -> str | None:
    if currency is not None and not (len(currency) == 3 and currency.isalpha()):
        raise typer.BadParameter(f"{currency!r} is no code as EUR", param_hint="--currency")
    return currency.upper() if currency else None


def _column_map(
    time: str | None, date: str | None, hour: str | None, price: str | None, point: str | None,
    stamp: Stamping | None, minutes: int | None, order: DateOrder | None,
) -> ColumnMap | None:  # fmt: skip
    """Put a column map together; None where no column is named."""
    from optimizer.prices.wish import ColumnMap

    if not any((time, date, hour, price, point, stamp, minutes, order)):
        return None
    if price is None:
        raise typer.BadParameter("a column map needs it", param_hint="--price-column")
    if (time is None) == (date is None) or (date is None) != (hour is None):
        message = "either a column of time stamps, or --date-column and --hour-column"
        raise typer.BadParameter(message, param_hint="--time-column")
    if stamp is None or (stamp == "end" and time is None):
        message = "say what a time tells: start, end of a stamp, or hour-ending"
        raise typer.BadParameter(message, param_hint="--stamp")
    return ColumnMap(price, stamp, time, date, hour, point, minutes, order)


class Methods(StrEnum):
    """How a case may be searched."""

    auto = "auto"
    whole = "whole"
    by_site = "by-site"


Gap = Annotated[
    float,
    typer.Option(
        min=0.0, max=1.0, callback=finite, help="Relative gap at which a plan counts as best."
    ),
]
MethodOption = Annotated[
    Methods,
    typer.Option(help="Search the case as a whole, site by site, or as its size suggests."),
]
Workers = Annotated[
    int | None,
    typer.Option(
        min=1, max=1024, metavar="N",
        help="Processes that search sites; one for each processor, unless given.",
    ),
]  # fmt: skip
Scheduler = Annotated[
    str | None,
    typer.Option(metavar="ADDRESS", help="Dask scheduler that has the workers, instead."),
]


def _version(wanted: bool) -> None:
    if wanted:
        from optimizer.write import PROGRAM, versions

        typer.echo(f"{PROGRAM} {versions()[PROGRAM]}")
        raise typer.Exit


@app.callback(
    epilog=examples(
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
    epilog=examples(
        "rackwatt solve instances/texas",
        "rackwatt solve instances/texas --gap 0.01 --time-limit 60 --out runs/quick",
        "rackwatt solve instances/texas --prices pecos=west.csv --prices nolan=west.csv",
        "rackwatt solve instances/texas --plan runs/texas/actions.csv --json",
        "rackwatt solve mine --method by-site --workers 4",
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
    method: MethodOption = Methods.auto,
    workers: Workers = None,
    scheduler: Scheduler = None,
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

    options = solver_options(time_limit, gap=gap, threads=threads, seed=seed,
                             method=method.value)  # fmt: skip
    if workers is not None and scheduler is not None:
        message = "the scheduler has the workers; give one of --workers and --scheduler"
        raise typer.BadParameter(message, param_hint="--workers")
    wish = Wish(instance, options, by_site(prices), plan, out, overwrite, workers, scheduler)
    raise typer.Exit(solve_instance(wish, Voice(json, quiet)))


@app.command(epilog=examples("rackwatt check instances/texas", "rackwatt check mine --json"))
def check(
    instance: Instance, prices: Prices = None, quiet: Quiet = False, json: Json = False
) -> None:
    """Find every problem of an instance at once, before any solve.

    Exit codes: 0 it can be solved, 3 it is refused.
    """
    from optimizer.commands.check import check_instance
    from optimizer.commands.voice import Voice

    raise typer.Exit(check_instance(instance, by_site(prices), Voice(json, quiet)))


@app.command(
    epilog=examples(
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

    options = solver_options(time_limit, gap=gap, threads=threads, seed=seed)
    wish = Wish(instance, options, by_site(prices), plan, out, overwrite)
    raise typer.Exit(evaluate_plan(Question(wish, only, optimum), Voice(json, quiet)))


@app.command(
    epilog=examples(
        "rackwatt prices rpt.DAMLZHBSPP_2023.zip --point HB_WEST --out west.csv",
        "rackwatt prices GUI_ENERGY_PRICES.csv --point DE-LU --year 2025 --exchange 1.08",
        "rackwatt prices spot.csv --time-column when --price-column eur --stamp start "
        "--timezone Europe/Oslo --currency EUR",
    )
)
def prices(
    files: Annotated[
        list[Path], typer.Argument(metavar="FILE...", help="CSV, XLSX, Parquet, or ZIP of them.")
    ],
    out: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Price file to write for the engine.")
    ] = None,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace the file that is there.")
    ] = False,
    point: Annotated[
        str | None, typer.Option(help="Settlement point or area, where there are several.")
    ] = None,
    market: Annotated[
        str | None, typer.Option(help="Market, where there are several: day-ahead, real-time, ...")
    ] = None,
    year: Annotated[
        list[str] | None, typer.Option(help="Year to take; repeatable; `all` for all there is.")
    ] = None,
    fill: Annotated[
        Literal["previous-day", "previous-hour", "interpolate", "same-hour-mean"] | None,
        typer.Option(
            metavar="METHOD",
            help="previous-day, previous-hour, interpolate or "
            "same-hour-mean: how hours without a price get one; else they are refused.",
        ),
    ] = None,
    duplicates: Annotated[
        Literal["first", "last"] | None,
        typer.Option(
            metavar="WHICH",
            help="first or last: which of two prices of an interval counts; "
            "else they are refused.",
        ),
    ] = None,
    currency: Annotated[
        str | None, typer.Option(metavar="CODE", help="Currency, where the file does not tell.")
    ] = None,
    exchange: Annotated[
        float | None,
        typer.Option(callback=_positive, metavar="USD", help="USD per unit of that currency."),
    ] = None,
    timezone: Annotated[
        str | None, typer.Option(metavar="ZONE", help="Local zone, as America/Chicago.")
    ] = None,
    clock: Annotated[
        str | None, typer.Option(metavar="ZONE", help="Zone of times without an offset, as UTC.")
    ] = None,
    time_column: Annotated[
        str | None, typer.Option(help="Column of time stamps, for a layout of your own.")
    ] = None,
    date_column: Annotated[str | None, typer.Option(help="Column of dates, else.")] = None,
    hour_column: Annotated[str | None, typer.Option(help="Column of hours beside it.")] = None,
    price_column: Annotated[str | None, typer.Option(help="Column of prices.")] = None,
    point_column: Annotated[str | None, typer.Option(help="Column of points.")] = None,
    stamp: Annotated[
        Literal["start", "end", "hour-ending"] | None,
        typer.Option(
            metavar="WHAT",
            help="What a time tells: start, end, or hour-ending, the number "
            "of the hour from 1 to 24.",
        ),
    ] = None,
    interval_minutes: Annotated[
        int | None, typer.Option(min=1, max=60, help="Length of an interval.")
    ] = None,
    date_order: Annotated[
        Literal["mdy", "dmy"] | None, typer.Option(help="Order of dates without the year first.")
    ] = None,
    hashprice_usd_per_ph_day: Annotated[
        float, typer.Option(callback=_positive, help="Hashprice that machines are held against.")
    ] = 38.0,
    pue: Annotated[
        float, typer.Option(min=1.0, max=3.0, help="Facility power per IT power.")
    ] = 1.05,
    adder_usd_per_mwh: Annotated[
        float, typer.Option(callback=finite, help="What is paid on top of the price.")
    ] = 0.0,
    quiet: Quiet = False,
    json: Json = False,
) -> None:
    """Read real price files into the engine's hours.

    Known by their columns: ERCOT (NP4-180-ER, NP4-190-CD, NP6-785-ER),
    gridstatus frames, CAISO OASIS, Alberta, ENTSO-E; any other CSV with a
    column map. Times go through UTC, quarter-hours become hours, other
    currencies are converted at --exchange or stay. Gaps and prices given twice
    are listed and refused until --fill and --duplicates say what to do.

    Exit codes: 0 read or written, 3 refused and nothing written.
    """
    from optimizer.commands.prices import Asked, prices_of
    from optimizer.commands.voice import Voice
    from optimizer.prices.figures import Mining
    from optimizer.prices.wish import Wish

    years, every_year = _years(year)
    columns = _column_map(time_column, date_column, hour_column, price_column, point_column, stamp,
                          interval_minutes, date_order)  # fmt: skip
    wish = Wish(point, market, years, every_year, _zone(timezone, "--timezone"),
                _zone(clock, "--clock"), _code(currency), exchange, fill, duplicates,
                columns)  # fmt: skip
    mining = Mining(hashprice_usd_per_ph_day, pue, adder_usd_per_mwh)
    asked = Asked(tuple(files), wish, mining, out, overwrite)
    raise typer.Exit(prices_of(asked, Voice(json, quiet)))


@app.command(
    epilog=examples("rackwatt init mine --grid ercot", "rackwatt init mine --grid alberta")
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
    epilog=examples(
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
    wish = Wish(instance, prices=by_site(prices), plan=plan, overwrite=overwrite)
    raise typer.Exit(export_instance(wish, out, form, Voice(json, quiet)))


app.add_typer(sweeps, name="sweep")
app.command(epilog=OF_VERDICT)(verdict)
app.command(epilog=OF_EXPLAIN)(explain)
app.command(epilog=OF_ALTERNATIVES)(alternatives)
app.command(epilog=OF_COMPARE)(compare)


@app.command(epilog=examples("rackwatt doctor", "rackwatt doctor --json"))
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
    from optimizer.commands.stopping import was_abandoned, was_interrupted
    from optimizer.commands.voice import NO_ANSWER, Voice

    voice, words = Voice(json), "stopped before anything was found; nothing is written"
    if not was_interrupted(end):
        # The command heard it, ended as it should, and told so.
        return
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

"""The command line of sweeps: ``rackwatt sweep FILE``, and what looks at one.

Nothing heavy is imported before a command runs, so that help comes at once.
"""

from __future__ import annotations

import time
from copy import copy
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperCommand, TyperGroup

from optimizer.typed import Json, Overwrite, Quiet, examples

#: The command that is meant where the first word names none.
RUN = "run"
_HELP = ("-h", "--help")


class _FileFirst(TyperGroup):
    """A group whose first word may be a file: then the file is run."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Send what is no command of the group to the one that runs a file."""
        if args and args[0] not in (*self.commands, *_HELP):
            self._refuse_misspelt(ctx, args[0])
            args = [RUN, *args]
        return super().parse_args(ctx, args)

    def _refuse_misspelt(self, ctx: Any, word: str) -> None:
        from optimizer.errors import did_you_mean

        hint = did_you_mean(word, self.commands)
        if hint and not Path(word).exists():
            ctx.fail(f"{word!r} is neither a sweep file nor a command; {hint}")

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """Show what running a file takes beside the other commands."""
        shown = copy(self)
        shown.params = [*self.commands[RUN].params, *self.params]
        super(_FileFirst, shown).format_help(ctx, formatter)

    def collect_usage_pieces(self, ctx: Any) -> list[str]:  # noqa: ARG002
        """Write both ways of calling it."""
        return ["[OPTIONS] FILE", "|", "COMMAND ..."]


class _Unnamed(typer.Context):
    """The command that runs a file: nobody types its name, and no message tells it."""

    @property
    def command_path(self) -> str:
        """Call it as its user does."""
        return str(self.parent.command_path) if self.parent else super().command_path


class _Run(TyperCommand):
    """Runs a file."""

    context_class = _Unnamed


sweeps = typer.Typer(
    cls=_FileFirst,
    no_args_is_help=True,
    rich_markup_mode="rich",
    context_settings={"help_option_names": list(_HELP)},
)


def _statuses(typed: str | None) -> tuple[str, ...]:
    """Read statuses with commas between them."""
    from optimizer.errors import did_you_mean, listed
    from optimizer.sweep.points import RETRIABLE

    statuses = tuple(dict.fromkeys(filter(None, (typed or "").replace(" ", "").split(","))))
    for status in statuses:
        if status not in RETRIABLE:
            hint = did_you_mean(status, RETRIABLE) or f"one of {listed(RETRIABLE)}"
            message = f"{status!r} is not tried again; {hint}"
            raise typer.BadParameter(message, param_hint="--retry")
    return statuses


def _settings(pairs: list[str] | None) -> dict[str, str]:
    """Read ``AXIS=SETTING`` pairs."""
    found: dict[str, str] = {}
    for pair in pairs or []:
        axis, equals, setting = pair.partition("=")
        if not (axis and equals and setting):
            raise typer.BadParameter(f"{pair!r} is not AXIS=SETTING", param_hint="--where")
        found[axis] = setting
    return found


Kept = Annotated[
    Path, typer.Argument(metavar="DB|FILE", help="Database of a sweep, or the sweep file.")
]
Number = Annotated[
    int | None,
    typer.Option("--version", min=1, metavar="N", help="An older version of its results."),
]


@sweeps.callback(
    epilog=examples(
        "rackwatt sweep instances/sweeps/texas-capex-firm.toml --workers 2",
        "rackwatt sweep status instances/sweeps/texas-capex-firm.toml",
        "rackwatt sweep show instances/sweeps/texas-capex-firm.toml",
        "rackwatt sweep export runs/texas-capex-firm.sweep.db cases.csv",
    )
)
def sweep() -> None:
    """Solve many cases of one instance on all cores or a cluster; nothing done is lost.

    Every case that ends is stored at once. The same command goes on where
    it was stopped or killed, and adds cases that the file has gained.

    Exit codes: 0 every case is settled (a plan, or proof that there is
    none), 11 some cases failed and say why in their rows, 3 refused,
    130 Ctrl-C: the same command goes on, 2 a mistake in the command.
    """


@sweeps.command(
    RUN,
    cls=_Run,
    hidden=True,
    epilog=examples(
        "rackwatt sweep mine.toml --dry-run",
        "rackwatt sweep mine.toml --workers 8 --out mine.db",
        "rackwatt sweep mine.toml --retry error,timeout,worker_died",
        "rackwatt sweep mine.toml --scheduler tcp://node1:8786",
    ),
)
def run(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Sweep file, in TOML.")],
    workers: Annotated[
        int | None,
        typer.Option(min=1, max=4096, metavar="N", help="Processes; else one for each core."),
    ] = None,
    scheduler: Annotated[
        str | None,
        typer.Option(metavar="ADDRESS", help="Dask scheduler that has the workers, instead."),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(metavar="DB", help="Database to keep it in; else runs/NAME.sweep.db."),
    ] = None,
    retry: Annotated[
        str | None,
        typer.Option(
            metavar="STATUS,...", help="Try cases again that ended so: error,timeout,worker_died."
        ),
    ] = None,
    new_version: Annotated[
        bool,
        typer.Option(
            "--new-version",
            help="Inputs or engine have changed: solve all beside the old results, or go on "
            "with the version that had them.",
        ),
    ] = False,
    dry_run: Annotated[
        bool,
        typer.Option("--dry-run", help="Check, count and estimate; solve the base alone."),
    ] = False,
    backwards: Annotated[
        bool, typer.Option("--backwards", hidden=True, help="From the last case to the first.")
    ] = False,
    quiet: Quiet = False,
    json: Json = False,
) -> None:
    """Run a sweep file: the same as `rackwatt sweep FILE`."""
    began = time.monotonic()
    from optimizer.commands.sweeps.run import Asked, run_sweep
    from optimizer.commands.voice import Voice

    loading = time.monotonic() - began
    if workers is not None and scheduler is not None:
        message = "the scheduler has the workers; give one of --workers and --scheduler"
        raise typer.BadParameter(message, param_hint="--workers")
    asked = Asked(file, workers, scheduler, out, _statuses(retry), new_version=new_version,
                  dry_run=dry_run, backwards=backwards, loading=loading)  # fmt: skip
    raise typer.Exit(run_sweep(asked, Voice(json, quiet)))


@sweeps.command(
    epilog=examples("rackwatt sweep status mine.toml", "rackwatt sweep status runs/mine.sweep.db")
)
def status(kept: Kept, quiet: Quiet = False, json: Json = False) -> None:
    """Say how far a sweep is, also while it runs."""
    from optimizer.commands.sweeps.status import tell_status
    from optimizer.commands.voice import Voice

    raise typer.Exit(tell_status(kept, Voice(json, quiet)))


@sweeps.command(
    epilog=examples(
        "rackwatt sweep show mine.toml",
        "rackwatt sweep show mine.toml --value ai_last_it_mw --where hashprice=0.8",
        "rackwatt sweep show mine.toml --rows capex --value value_musd --value capex_musd",
    )
)
def show(
    kept: Kept,
    rows: Annotated[
        str | None, typer.Option(metavar="AXIS", help="Axis that goes down; else the first.")
    ] = None,
    columns: Annotated[
        str | None,
        typer.Option(metavar="AXIS", help="Axis that goes across; else the second of a grid."),
    ] = None,
    value: Annotated[
        list[str] | None,
        typer.Option(metavar="COLUMN", help="What is shown, as the export calls it; repeatable."),
    ] = None,
    where: Annotated[
        list[str] | None,
        typer.Option(metavar="AXIS=SETTING", help="Only these cases; repeatable."),
    ] = None,
    version: Number = None,
    quiet: Quiet = False,
    json: Json = False,
) -> None:
    """Show results as tables of one axis or two.

    A grid of two axes becomes one table of values; one axis, or a list of
    cases, a table with their main numbers. A case without a plan shows its
    status. A question mark says that the gap leaves open whether the plan
    beats doing nothing. One change at a time becomes a list with what each
    moves; draws get mean, standard deviation and percentiles. A plan stands
    beside the best with its regret. A front becomes a table of its plans by
    the other aim, which says of each whether it lies on the front.
    """
    from optimizer.commands.sweeps.show import Wanted, show_sweep
    from optimizer.commands.voice import Voice

    wanted = Wanted(kept, rows, columns, tuple(value or ()), _settings(where), version)
    raise typer.Exit(show_sweep(wanted, Voice(json, quiet)))


@sweeps.command(
    epilog=examples(
        "rackwatt sweep export mine.toml cases.csv",
        "rackwatt sweep export runs/mine.sweep.db cases.parquet --timings --overwrite",
    )
)
def export(
    kept: Kept,
    out: Annotated[Path, typer.Argument(metavar="OUT", help="File to write: .csv or .parquet.")],
    timings: Annotated[
        bool,
        typer.Option("--timings", help="Add what differs from run to run: CPU, worker, hour."),
    ] = False,
    version: Number = None,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace the file that is there.")
    ] = False,
    quiet: Quiet = False,
    json: Json = False,
) -> None:
    """Write one row a case, with settings, status, value and main numbers.

    The same results give the same bytes, whoever computed them and in
    whatever order. Columns are told in instances/README.md under Sweeps.
    """
    from optimizer.commands.sweeps.status import export_sweep
    from optimizer.commands.voice import Voice

    fields: dict[str, Any] = {"timings": timings, "version": version, "overwrite": overwrite}
    raise typer.Exit(export_sweep(kept, out, Voice(json, quiet), **fields))


@sweeps.command(
    epilog=examples(
        "rackwatt sweep point mine.toml 17",
        "rackwatt sweep point mine.toml 17 --out runs/case-17",
        "rackwatt sweep point runs/mine.sweep.db 4f0c2a --instance case && rackwatt solve case",
    )
)
def point(
    kept: Kept,
    case: Annotated[
        str, typer.Argument(metavar="ID", help="Number of the case, or the start of its id.")
    ],
    out: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Run folder to write; else runs/NAME-NUMBER."),
    ] = None,
    instance: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Write the case as an instance; nothing is solved."),
    ] = None,
    version: Number = None,
    overwrite: Overwrite = False,
    quiet: Quiet = False,
    json: Json = False,
) -> None:
    """Open one case: solve it again from the inputs that were kept, as `solve` would.

    Exit codes: those of solve.
    """
    from optimizer.commands.sweeps.point import Chosen, open_point
    from optimizer.commands.voice import Voice

    if out is not None and instance is not None:
        message = "an instance is written, or a run: give one of --instance and --out"
        raise typer.BadParameter(message, param_hint="--instance")
    chosen = Chosen(kept, case, out, instance, version, overwrite)
    raise typer.Exit(open_point(chosen, Voice(json, quiet)))

"""``rackwatt explain`` of an instance that has a plan: why the plan is what it is."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.text import Text

from models.context import Context
from optimizer.answers.worth.bench import Bench, TimeOver
from optimizer.answers.worth.explained import Explained, Told, explain
from optimizer.answers.worth.tables import objects_of, tables_of
from optimizer.answers.worth.told import told
from optimizer.commands.ready import Ready, Wish
from optimizer.commands.runs import kept_inputs, manifest_of
from optimizer.commands.stopping import HEARD_ANSWER, stoppable
from optimizer.commands.voice import NO_ANSWER, Voice
from optimizer.errors import UsageRefused
from optimizer.highs import Progress
from optimizer.pins import pins_of, read_actions
from optimizer.plan import tables
from optimizer.progress import Line, describe
from optimizer.solve import EXIT_CODES, Solved, solve
from optimizer.unsound import refusing_unsound
from optimizer.words import figure
from optimizer.write import refuse_taken, write_run

#: Exit code where time was over before every question was answered.
STOPPED = EXIT_CODES["best-found"]


def explain_plan(
    ready: Ready,
    wish: Wish,
    voice: Voice,
    *,
    run: Path | None = None,
) -> int:
    """Explain the best plan of an instance, and return the exit code.

    Parameters
    ----------
    ready : Ready
        The instance.
    wish : Wish
        Options, price files, and the run folder to write the plan and its explanation to. The
        time limit is for everything; the gap is no wider than that of
        :mod:`optimizer.answers.worth.bench`.
    voice : Voice
        Where to speak.
    run : Path, optional
        A run folder whose plan to begin from.

    Raises
    ------
    InputRefused
        With every problem of the instance, or of the run's actions.
    UsageRefused
        Where the folder to write to is taken, or the run holds no plan.
    """
    if wish.out is not None:
        refuse_taken(wish.out, overwrite=wish.overwrite)
    with (
        refusing_unsound(ready.loaded, ready.case),
        stoppable(HEARD_ANSWER) as stop,
        _telling(voice) as (tell, progress),
    ):
        bench = Bench(ready.loaded, wish.options, wish.prices, stop=stop, progress=progress)
        try:
            plan = None if run is None else _plan_of(run, ready, bench)
            found = explain(bench, plan, tell)
        except TimeOver:
            voice.warn("no time was left to find a plan; give it more with --time-limit")
            voice.answer(status="no-plan", **NO_ANSWER)
            return EXIT_CODES["no-plan"]
    own = None if run is None else manifest_of(run).get("value_musd")
    return _present(ready, found, wish, voice, own)


def _plan_of(run: Path, ready: Ready, bench: Bench) -> Context | None:
    """Carry out the actions of a run."""
    actions = run / "actions.csv"
    if not actions.is_file():
        raise UsageRefused(f"{run} holds no plan: there is no actions.csv in it")
    pins = pins_of(ready.case, read_actions(actions, str(actions)))
    pinned = {**ready.policy.values, **pins}
    bench.check()
    options = replace(bench.options, time_limit=bench.budget.to_search)
    solved = solve(ready.case, options, pinned=pinned, stop=bench.stop)
    return None if solved.status == "audit-failed" else solved.plan


def _present(
    ready: Ready, found: Explained, wish: Wish, voice: Voice, own: float | None = None
) -> int:
    """Show and write an explanation."""
    solved = found.best.solved
    if found.best.plan is None:
        voice.show(Text(f"there is no plan to explain: {solved.status}"))
        voice.answer(**_worth(solved), out=None)
        return EXIT_CODES[solved.status]
    laid_out = tables_of(ready.loaded, found)
    written = None
    if wish.out is not None:
        case, kept = found.best.posed.case, kept_inputs(ready, wish)
        written = write_run(
            wish.out, ready, case, solved, tables(case, solved), wish.options,
            overwrite=wish.overwrite, tell=voice.warn, beside=laid_out,
            inputs=None if kept is None else kept.of_run(),
        )  # fmt: skip
    voice.show(told(ready.loaded, found), *_beside(found, own))
    if written is not None:
        voice.say(f"run written to {written}")
    voice.answer(
        **_worth(solved), out=None if written is None else str(written),
        complete=found.is_whole,
        run_value_musd=own, **objects_of(laid_out),
    )  # fmt: skip
    return EXIT_CODES["solved"] if found.is_whole else STOPPED


def _worth(solved: Solved) -> dict[str, Any]:
    return {
        "status": solved.status, "value_musd": solved.value_musd,
        "bound_musd": solved.bound_musd, "gap": solved.gap,
    }  # fmt: skip


@contextmanager
def _telling(voice: Voice) -> Iterator[tuple[Told | None, Any]]:
    """Say on stderr what is being worked out."""
    if voice.quiet:
        yield None, None
        return
    with _Working(voice.talk) as line:
        yield line.tell, line.follow


class _Working(Line):
    """A line that says what is being worked out, and how its solve stands."""

    def __init__(self, console: Console) -> None:
        super().__init__(console)
        self._what = ""

    def tell(self, what: str, done: int) -> None:
        """Say what is being worked out, and how many of it are done."""
        began = not self._what.startswith(what)
        self._what = f"{what}, {done} done" if done else what
        if self._live is not None or began:
            self._show(self._what)

    def follow(self, progress: Progress) -> None:
        """Say how the solve stands, where the line lives."""
        if self._live is not None:
            self._show(f"{self._what}   {describe(progress)}")


def _beside(found: Explained, own: float | None) -> Iterator[Text]:
    """Say what a run's own plan is worth beside the best, of which all else is told."""
    best = found.best.value
    if own is None or best is None:
        return
    less = best - own
    if less > 1e-9 * max(1.0, abs(best)):
        yield Text(
            f"\nThe plan of the run is worth {figure(own)} M$, {figure(less)} M$ less: "
            "all of this is told of the best plan."
        )

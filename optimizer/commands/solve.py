"""``rackwatt solve``: from a folder to an audited plan in a run folder."""

from __future__ import annotations

import hashlib
import json
import os
import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

from models.build import Column
from optimizer.actions import Lists
from optimizer.commands.ready import Ready, Wish, make_ready
from optimizer.commands.remarks import notes, remarks
from optimizer.commands.runs import kept_inputs
from optimizer.commands.stopping import stoppable
from optimizer.commands.voice import Voice
from optimizer.decomposed.plan import MakeWorkshop
from optimizer.decomposed.workshop import Here, Processes
from optimizer.elastic import Clash, clashing
from optimizer.evaluate import beside_nothing
from optimizer.highs import Budget, Options
from optimizer.plan import tables
from optimizer.progress import progress_line
from optimizer.screen import screen
from optimizer.singles import SECONDS, single_ways
from optimizer.solve import EXIT_CODES, Solved, solve
from optimizer.unsound import refusing_unsound
from optimizer.write import PROGRAM, refuse_taken, versions, write_run

#: Where runs go unless told otherwise.
RUNS = Path("runs")


def solve_instance(wish: Wish, voice: Voice) -> int:
    """Run the command and return its exit code."""
    ready = make_ready(wish, voice)
    out = run_folder(wish, ready)
    refuse_taken(out, overwrite=wish.overwrite)
    with stoppable() as stop:
        found = _found(ready, wish, stop, voice)
        solved, clashes, ways = found.solved, found.clashes, found.ways
        written = present(ready, solved, wish, out, clashes, voice, ways)
    voice.answer(**answer(solved, written), clashes=[asdict(clash) for clash in clashes],
                 single_ways=[[asdict(clash) for clash in way] for way in ways])  # fmt: skip
    return EXIT_CODES[solved.status]


@dataclass(frozen=True, eq=False)
class _Found:
    """A solve, and what it is put beside."""

    solved: Solved
    clashes: tuple[Clash, ...] = ()
    ways: tuple[tuple[Clash, ...], ...] = ()


def _found(ready: Ready, wish: Wish, stop: threading.Event, voice: Voice) -> _Found:
    """Solve within the time limit, and look for what the answer is put beside."""
    budget = Budget(wish.options.time_limit, wish.options.grace)
    solved = search_plan(ready, ready.pins, wish.options, voice, workshop_of(wish))
    with refusing_unsound(ready.loaded, ready.case):
        if wish.plan is not None:
            policy = ready.policy.values
            solved = beside_nothing(ready.case, solved, policy, budget=budget, stop=stop)
        if solved.status != "infeasible":
            return _Found(solved)
        clashes: tuple[Clash, ...] = ()
        ways: tuple[tuple[Clash, ...], ...] = ()
        with suppress(KeyboardInterrupt):
            clashes = clashing(ready.case, pinned=ready.pins, budget=budget, stop=stop)
            if budget.left > 0 and not stop.is_set():
                seconds = min(SECONDS, budget.left)
                ways = single_ways(ready.case, clashes, pinned=ready.pins, seconds=seconds)
    return _Found(solved, clashes, ways)


def run_folder(wish: Wish, ready: Ready) -> Path:
    """Name the run folder: as asked, else after the instance and all that the answer hangs on."""
    if wish.out is not None:
        return wish.out
    options = {**asdict(wish.options), "time_limit": str(wish.options.time_limit)}
    sites = sorted(wish.prices)
    content = [sorted(ready.hashes.items()), options, sites, versions()[PROGRAM]]
    digest = hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:8]
    return RUNS / f"{ready.loaded.instance.instance.name}-{digest}"


def workshop_of(wish: Wish) -> MakeWorkshop:
    """Say who solves problems of sites: processes of this machine, or a cluster."""
    if wish.scheduler is not None:
        from optimizer.decomposed.cluster import Cluster

        return partial(Cluster, address=wish.scheduler)
    workers = wish.workers or os.cpu_count() or 1
    return Here if workers == 1 else partial(Processes, workers=workers)


def search_plan(
    ready: Ready,
    pins: Mapping[Column, float],
    options: Options,
    voice: Voice,
    workshop: MakeWorkshop = Here,
) -> Solved:
    """Solve a case with progress on stderr; Ctrl-C gives the best plan so far.

    Raises
    ------
    InputRefused
        Where the case holds numbers that no answer could be trusted on.
    """
    with (
        refusing_unsound(ready.loaded, ready.case),
        stoppable() as stop,
        progress_line(voice.talk, quiet=voice.quiet) as progress,
    ):
        solved = solve(
            ready.case, options, pinned=pins, progress=progress, stop=stop, workshop=workshop
        )
        if progress is not None and solved.outcome is not None:
            progress.end(solved.value_musd, solved.bound_musd, solved.gap, solved.outcome.nodes)
        return solved


def present(
    ready: Ready,
    solved: Solved,
    wish: Wish,
    out: Path | None,
    clashes: Sequence[Clash],
    voice: Voice,
    ways: Sequence[Sequence[Clash]] = (),
) -> Path | None:
    """Write the run folder and show what came of a solve.

    A plan that did not survive its audit is kept aside in the folder, and not as a plan. Without
    a plan, or a place for it, nothing is written and None returned.
    """
    laid_out = None if solved.plan is None else tables(ready.case, solved, lists_of(ready, wish))
    written = None
    if laid_out is not None and out is not None:
        kept = kept_inputs(ready, wish)
        if kept is None:
            voice.warn("files of the instance were changed meanwhile: the run keeps no inputs")
        written = write_run(out, ready, ready.case, solved, laid_out, wish.options,
                            overwrite=wish.overwrite, tell=voice.warn,
                            inputs=None if kept is None else kept.of_run())  # fmt: skip
    voice.show(screen(ready.case, solved, laid_out, clashes=clashes, ways=ways,
                      notes=notes(wish), width=voice.data.width))  # fmt: skip
    for words in remarks(ready, laid_out, written):
        voice.say(words)
    return written


def lists_of(ready: Ready, wish: Wish) -> Lists | None:
    """Give the decisions that were taken, where a plan was handed in to be completed."""
    return None if wish.plan is None else Lists(ready.plan.values, ready.policy.values)


def answer(solved: Solved, written: Path | None) -> dict[str, Any]:
    """Give a program what came of a solve."""
    fields: dict[str, Any] = {
        "status": solved.status,
        "value_musd": solved.value_musd,
        "bound_musd": solved.bound_musd,
        "gap": solved.gap,
        "out": None if written is None else str(written),
        "columns": solved.columns,
        "rows": solved.rows,
        "integers": solved.integers,
    }
    if solved.audit is not None:
        fields["nothing_musd"] = solved.audit.nothing_musd
        fields["breaches"] = [str(breach) for breach in solved.audit.breaches]
    return fields

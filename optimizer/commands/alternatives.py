"""``rackwatt alternatives``: plans nearly as good and as different as possible."""

from __future__ import annotations

import threading
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from rich.text import Text

from optimizer.answers.alternatives.found import Alternatives, Wanted, alternatives
from optimizer.answers.alternatives.measures import first_nodes
from optimizer.answers.alternatives.screen import screen
from optimizer.answers.alternatives.shared import Decision, shared
from optimizer.answers.alternatives.told import Told, solves, told
from optimizer.commands.ready import Ready, Wish, make_ready
from optimizer.commands.remarks import notes
from optimizer.commands.runs import as_wished, no_plan
from optimizer.commands.solve import answer, present
from optimizer.commands.stopping import stoppable
from optimizer.commands.voice import Voice
from optimizer.highs import Budget
from optimizer.plan import tables
from optimizer.progress import progress_line
from optimizer.solve import EXIT_CODES, Status
from optimizer.unsound import refusing_unsound
from optimizer.write import (
    manifest_json,
    plan_json,
    refuse_taken,
    write_folder,
    write_json,
    write_table,
)

#: What the file with all tables in one is called.
ANSWER = "alternatives.json"


@dataclass(frozen=True)
class Question:
    """What is asked for.

    Attributes
    ----------
    wish : Wish
        Instance or run, options, where to write.
    wanted : Wanted
        Loss, number of plans, and what counts as first actions.
    """

    wish: Wish
    wanted: Wanted


@dataclass(frozen=True, eq=False)
class _Answered:
    """Alternatives, what they share, and both as tables."""

    found: Alternatives
    decisions: tuple[Decision, ...] = ()
    told: Told | None = None


def show_alternatives(question: Question, voice: Voice) -> int:
    """Run the command and return its exit code."""
    folder = question.wish.instance
    question = replace(question, wish=as_wished(question.wish))
    wish = question.wish
    if wish.out is not None:
        refuse_taken(wish.out, overwrite=wish.overwrite)
    ready = make_ready(wish, voice)
    first_nodes(ready.case.given, question.wanted.now_months)
    with stoppable() as stop, refusing_unsound(ready.loaded, ready.case):
        answered = _answered(question, ready, stop, voice)
    found = answered.found
    if answered.told is None:
        message = no_plan(found.best, folder)
        if found.best.status == "infeasible":
            voice.show(Text(message))
        else:
            present(ready, found.best, wish, None, (), voice)
        voice.answer(**answer(found.best, None), message=message)
        return EXIT_CODES[found.best.status]
    status = _status(answered)
    written = _written(question, ready, answered, status, voice)
    voice.show(*map(Text, notes(wish)), screen(ready.case, found, answered.told, question.wanted))
    if written is not None:
        voice.say(f"run written to {written}")
    out = None if written is None else str(written)
    voice.answer(**_answer(question, answered, status), out=out)
    return EXIT_CODES[status]


def _answered(question: Question, ready: Ready, stop: threading.Event, voice: Voice) -> _Answered:
    options = question.wish.options
    budget = Budget(options.time_limit, options.grace)
    with progress_line(voice.talk, quiet=voice.quiet, label="best plan") as progress:
        ask = partial(alternatives, ready.case, question.wanted, options, pinned=ready.pins,
                      budget=budget, stop=stop)  # fmt: skip
        found, hunt = ask(progress=progress, tell=voice.say)
    if hunt is None:
        return _Answered(found)
    decisions = tuple(shared(found, hunt))
    return _Answered(found, decisions, told(found, hunt, decisions))


def _status(answered: _Answered) -> Status:
    """Say whether everything is proved: the best plan, each distance, and what is shared."""
    found = answered.found
    proved = (
        found.best.status == "solved"
        and not found.halted
        and all(other.proved for other in found.others)
        and all(decision.decided for decision in answered.decisions)
    )
    return "solved" if proved else "best-found"


def _answer(question: Question, answered: _Answered, status: Status) -> dict[str, Any]:
    assert answered.told is not None
    found, best = answered.found, answered.found.best
    return {
        "status": status,
        "value_musd": best.value_musd,
        "bound_musd": best.bound_musd,
        "gap": best.gap,
        "loss_share": question.wanted.loss_share,
        "least_musd": found.least_musd,
        "differs_mw": found.differs_mw,
        "exhausted": found.exhausted,
        "halted": found.halted,
        **answered.told.as_json(),
    }


def _written(
    question: Question, ready: Ready, answered: _Answered, status: Status, voice: Voice
) -> Path | None:
    """Write tables, and each plan with all that a run holds of it, in a folder of its own."""
    assert answered.told is not None
    laid_out, out = answered.told, question.wish.out
    if out is None:
        return None

    def fill(folder: Path) -> dict[str, Any]:
        write_json(folder / ANSWER, _answer(question, answered, status))
        for name, table in laid_out.frames().items():
            write_table(folder / name, table)
        for number, solved in enumerate(solves(answered.found)):
            home = folder / f"plan-{number}"
            home.mkdir()
            of_plan = tables(ready.case, solved)
            write_json(home / "plan.json", plan_json(ready.case, solved, of_plan))
            for name, table in of_plan.items():
                write_table(home / name, table)
        manifest = manifest_json(ready, ready.case, answered.found.best, question.wish.options)
        return {**manifest, "command": "alternatives", "status": status,
                "wanted": asdict(question.wanted)}  # fmt: skip

    return write_folder(out, fill, overwrite=question.wish.overwrite, tell=voice.warn)

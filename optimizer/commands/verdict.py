"""``rackwatt verdict``: which business, where, and at which prices the answer turns."""

from __future__ import annotations

import hashlib
import json
import math
import os
import threading
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from rich.text import Text

from models.build import Column
from optimizer.answers.verdict.columns import (
    Apart,
    Posed,
    Stood,
    columns_of,
    flexibility,
    whole_numbers,
)
from optimizer.answers.verdict.happened import replayed, says
from optimizer.answers.verdict.many import SIDES, Asked, Job, Looked, switches_of
from optimizer.answers.verdict.strategies import TITLES
from optimizer.answers.verdict.switching import GAP, Switch
from optimizer.answers.verdict.told import Verdict, screen, turn_cells
from optimizer.answers.verdict.written import as_json, write_verdict
from optimizer.commands.ready import Ready, Wish, make_ready
from optimizer.commands.remarks import remarks
from optimizer.commands.solve import RUNS
from optimizer.commands.stopping import HEARD_ANSWER, stoppable
from optimizer.commands.voice import Voice
from optimizer.compiled import compile_case
from optimizer.highs import Budget
from optimizer.pins import only, refuse_excess
from optimizer.solve import EXIT_CODES
from optimizer.sweep.base import base_of
from optimizer.sweep.design.spec import Sweep
from optimizer.unsound import refusing_unsound
from optimizer.write import PROGRAM, refuse_taken, versions

#: Part of a time limit that the strategies may take, where prices are looked for after them.
FOR_STRATEGIES = 0.5


@dataclass(frozen=True)
class Question:
    """What is asked.

    Attributes
    ----------
    wish : Wish
        Instance, options, management's plan, folder, processes.
    switching : sequence of str
        Prices whose switching values are sought.
    only : bool
        Nothing is done beyond management's plan.
    happened : Path or None
        Prices as they came, in place of the instance's.
    """

    wish: Wish
    switching: Sequence[str] = ()
    only: bool = False
    happened: Path | None = None


def give_verdict(question: Question, voice: Voice) -> int:
    """Run the command and return its exit code."""
    wish = question.wish
    if question.happened is not None:
        # Its folder goes with the object.
        home = replayed(wish.instance, question.happened)
        inner = replace(question, wish=replace(wish, instance=home.path), happened=None)
        note = f"prices are those of {question.happened}, in place of the instance's"
        return _given(inner, voice, says(wish.instance, question.happened), note)
    return _given(question, voice)


def _given(
    question: Question, voice: Voice, inputs: Mapping[str, str] | None = None, note: str = ""
) -> int:
    wish = question.wish
    ready = make_ready(wish, voice)
    out = wish.out or RUNS / _folder_name(question, ready)
    refuse_taken(out, overwrite=wish.overwrite)
    plan = _management(question, ready)
    budget = Budget(wish.options.time_limit, wish.options.grace)
    with stoppable(heard=HEARD_ANSWER) as stop, refusing_unsound(ready.loaded, ready.case):
        verdict = _verdict(question, ready, plan, budget, stop, voice)
    verdict = replace(verdict, inputs=inputs or says(wish.instance))
    options = {**asdict(wish.options), "time_limit": _finite(wish.options.time_limit),
               "switching": list(question.switching), "switching_gap": GAP}  # fmt: skip
    write_verdict(out, verdict, ready, options, overwrite=wish.overwrite, tell=voice.warn)
    voice.show(*screen(verdict), *([Text(f"\n{note}")] if note else []))
    for words in remarks(ready, None, out):
        voice.say(words)
    best = verdict.column("optimum")
    status = _status(verdict)
    voice.answer(status=status, value_musd=None if best is None else best.value_musd,
                 bound_musd=None if best is None else best.bound_musd, gap=_gap(best),
                 out=str(out), **as_json(verdict))  # fmt: skip
    return EXIT_CODES[status]


def _status(verdict: Verdict) -> str:
    """Status of the whole: solved only where nothing was left open."""
    best = verdict.column("optimum")
    status = "no-plan" if best is None or best.status == "not-reached" else best.status
    some = any(one.plan is not None for one in verdict.columns)
    if (status == "solved" and not verdict.complete) or (status == "no-plan" and some):
        return "best-found"
    return status


def _management(question: Question, ready: Ready) -> dict[Column, float] | None:
    """Decisions of management's plan, as evaluate reads them; None without one."""
    if question.wish.plan is None:
        return None
    if not question.only:
        return dict(ready.plan.values)
    pins = only(ready.case, ready.pins)
    refuse_excess(ready.case, pins, str(question.wish.plan))
    return pins


def _verdict(
    question: Question, ready: Ready, plan: dict[Column, float] | None, budget: Budget,
    stop: threading.Event, voice: Voice,
) -> Verdict:  # fmt: skip
    """Solve the strategies, then look for prices with the time that is left."""
    share = budget.part(budget.left * (FOR_STRATEGIES if question.switching else 1.0))
    posed = Posed(ready.loaded, ready.case, ready.policy.values, plan, question.wish.options,
                  share if budget.limited else budget, stop,
                  lambda name: voice.say(f"solving: {TITLES[name]}"))  # type: ignore[index]  # fmt: skip
    columns = columns_of(posed)
    best = columns[-1]
    apart = flexibility(posed, best)
    voice.say("strategies are solved" + (", now prices" if question.switching else ""))
    looked = _switches(question, ready, best, budget, stop, voice)
    about = ready.loaded.instance.instance
    return Verdict(about.name, about.summary or "", columns, apart, looked.switches,
                   question.wish.options.gap, looked.idle, looked.missed)  # fmt: skip


def _switches(
    question: Question, ready: Ready, best: Stood, budget: Budget, stop: threading.Event,
    voice: Voice,
) -> Looked:  # fmt: skip
    """Look for switching prices, where there is a plan whose answer could change."""
    wish = question.wish
    if best.plan is None or not question.switching:
        open_ = best.status in ("not-reached", "no-plan")
        jobs = [Job(price, side) for price in question.switching for side in SIDES]
        return Looked(missed=tuple(jobs) if open_ else ())
    sweep = Sweep(Path(), wish.instance, "verdict", gap=GAP)
    base = base_of(sweep, ready.loaded)
    options = replace(wish.options, gap=GAP, time_limit=math.inf)
    hint = whole_numbers(compile_case(ready.case, ready.policy.values), best.plan)
    asked = Asked(replace(base, options=options), hint, question.switching)
    workers = wish.workers or os.cpu_count() or 1
    return switches_of(asked, workers=workers, budget=budget, stop=stop,
                       say=lambda switch: voice.say(_told(switch)))  # fmt: skip


def _told(switch: Switch) -> str:
    """Say on one line what was found on one side of one price."""
    price, holds, far, words = turn_cells(switch)
    other = f", another at {far}" if far else ""
    return f"{price}: {holds}{other}: {words}"


def _folder_name(question: Question, ready: Ready) -> str:
    """Name the folder after the instance and all that the answer hangs on."""
    options = {
        **asdict(question.wish.options),
        "time_limit": str(question.wish.options.time_limit),
    }
    content = [sorted(ready.hashes.items()), options, list(question.switching), question.only,
               versions()[PROGRAM]]  # fmt: skip
    digest = hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:8]
    return f"{ready.loaded.instance.instance.name}-verdict-{digest}"


def _gap(best: Stood | None) -> float | None:
    if best is None or best.value_musd is None or best.bound_musd is None:
        return None
    return abs(best.bound_musd - best.value_musd) / max(1e-9, abs(best.value_musd))


def _finite(seconds: float) -> float | None:
    return seconds if math.isfinite(seconds) else None


__all__ = ["Apart", "Question", "give_verdict"]

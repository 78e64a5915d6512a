"""``rackwatt evaluate``: what a plan of one's own is worth, and where it breaks a limit."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from rich.table import Table
from rich.text import Text

from models.build import Column
from optimizer.actions import ADDED, MARK, PLAN, actions_of
from optimizer.commands.ready import Ready, Wish, make_ready
from optimizer.commands.solve import answer, lists_of, present, search_plan
from optimizer.commands.stopping import stoppable
from optimizer.commands.voice import Voice
from optimizer.compiled import compile_case
from optimizer.evaluate import Evaluation, evaluate
from optimizer.highs import Budget
from optimizer.pins import only, refuse_excess
from optimizer.solve import EXIT_CODES, Solved, do_nothing
from optimizer.unsound import refusing_unsound
from optimizer.words import figure
from optimizer.write import refuse_taken, rounded

#: Time for doing nothing, where it is asked for beside a plan that breaks limits.
SECONDS_FOR_NOTHING = 10.0


@dataclass(frozen=True)
class Question:
    """What is asked about a plan.

    Attributes
    ----------
    wish : Wish
        Instance, options, and the plan.
    only : bool
        Nothing is done beyond the plan.
    optimum : bool
        Compare with the best plan, too.
    """

    wish: Wish
    only: bool = False
    optimum: bool = True


def evaluate_plan(question: Question, voice: Voice) -> int:
    """Run the command and return its exit code."""
    wish = question.wish
    ready = make_ready(wish, voice)
    if wish.out is not None:
        refuse_taken(wish.out, overwrite=wish.overwrite)
    pins = ready.pins
    if question.only:
        pins = only(ready.case, ready.pins)
        refuse_excess(ready.case, pins, str(wish.plan))

    with stoppable() as stop:
        judged = _judged(question, ready, pins, stop, voice)
        written = present(ready, judged.planned, wish, wish.out, judged.broken, voice)
    for excess in judged.excesses:
        voice.show(Text(f"\n{excess}, and no line of it brings more"))
    if judged.planned.plan is not None:
        voice.show(Text("\nBeside other plans", "bold"), _comparison(judged))
    elif judged.broken:
        judged = replace(judged, nothing_musd=_nothing(ready))
        voice.show(Text(f"\n{_beside(judged.nothing_musd)}"))
    voice.answer(**_answer(judged, written), **_actions(ready, judged.planned, wish))
    return EXIT_CODES[judged.planned.status]


def _judged(
    question: Question, ready: Ready, pins: Mapping[Column, float], stop: threading.Event,
    voice: Voice,
) -> Evaluation:  # fmt: skip
    """Judge a plan within one time limit."""
    options = question.wish.options
    budget = Budget(options.time_limit, options.grace)

    def search(decided: Mapping[Column, float]) -> Solved:
        return search_plan(ready, decided, replace(options, time_limit=budget.left), voice)

    with refusing_unsound(ready.loaded, ready.case):
        return evaluate(ready.case, pins, ready.policy.values, search, optimum=question.optimum,
                        budget=budget, stop=stop)  # fmt: skip


def _nothing(ready: Ready) -> float | None:
    """Find what doing nothing is worth, where the plan itself is not possible."""
    model = compile_case(ready.case, ready.policy.values)
    found = do_nothing(ready.case, model, budget=Budget(SECONDS_FOR_NOTHING))
    return None if found is None else found.value_musd


def _beside(musd: float | None) -> str:
    if musd is None:
        return "doing nothing breaks a limit, too, or was not found in time"
    return f"doing nothing is worth {figure(musd)} M$"


def _comparison(judged: Evaluation) -> Table:
    """Put the plan beside doing nothing and beside the best plan."""
    value = judged.planned.value_musd
    table = Table(box=None, pad_edge=False, header_style="dim")
    table.add_column("")
    for column in ("value M$", "this plan less that, M$", "bound M$"):
        table.add_column(column, justify="right")
    bound = figure(judged.planned.bound_musd, digits=3)
    table.add_row("this plan", figure(value, digits=3), "", bound)
    best = judged.optimum
    others: list[tuple[str, float | None, float | None]] = [
        ("doing nothing", judged.nothing_musd, None)
    ]
    if best is not None:
        others.append(("best plan found", best.value_musd, best.bound_musd))
    for name, other, limit in others:
        more = None if value is None or other is None else value - other
        shown = "" if limit is None else figure(limit, digits=3)
        table.add_row(name, figure(other, digits=3), figure(more, digits=3), shown)
    return table


def _actions(ready: Ready, planned: Solved, wish: Wish) -> dict[str, Any]:
    """List the actions of the plan, each with the list that holds it, and count them."""
    if planned.plan is None:
        return {"actions": [], "actions_from_plan": 0, "actions_added": 0}
    listed = actions_of(ready.case, planned.plan, lists_of(ready, wish))
    rows = [{str(key): value for key, value in row.items()} for row in
            listed.to_dict(orient="records")]  # fmt: skip
    marks = Counter(row[MARK] for row in rows)
    return {"actions": rounded(rows), "actions_from_plan": marks[PLAN],
            "actions_added": marks[ADDED]}  # fmt: skip


def _answer(judged: Evaluation, written: Path | None) -> dict[str, Any]:
    best = judged.optimum
    return answer(judged.planned, written) | {
        "nothing_musd": judged.nothing_musd,
        "optimum_status": None if best is None else best.status,
        "optimum_musd": None if best is None else best.value_musd,
        "optimum_bound_musd": None if best is None else best.bound_musd,
        "broken": [asdict(clash) for clash in judged.broken],
        "excesses": [str(excess) for excess in judged.excesses],
    }

"""Judges of what is told of a planted conflict, each with solves of its own."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from optimizer.answers.conflict.edits import edited
from optimizer.answers.conflict.explained import Explained, explain
from optimizer.answers.conflict.limits import Limit
from optimizer.answers.conflict.questions import freed, opened
from optimizer.answers.conflict.repairs import Repair
from optimizer.case import prepare
from optimizer.errors import InputRefused
from optimizer.keys import Key, value_at
from optimizer.load import load
from optimizer.solve import solve
from tests.optimizer.answers.planted import ANY_PLAN, Planted, Typed, folder, has_plan

#: Figures between what is typed and what is proposed that are tried at most.
FIGURES = 3
#: By how much limits that cost something are loosened.
FACTORS = (1.3, 2.0, 5.0)


@dataclass(frozen=True)
class Judged:
    """What was found wrong with one answer, and what it took.

    Attributes
    ----------
    faults : tuple of str
        In words; empty where the answer holds.
    minimal : bool
        Whether the set is a smallest one.
    repairs, figures : int
        Repairs that were applied, and nearer figures of their kinds that were tried.
    ratio : float
        Time of the answer, of one solve of the base.
    """

    name: str
    width: int
    whole_only: bool
    faults: tuple[str, ...]
    minimal: bool
    repairs: int
    figures: int
    ratio: float


def judge(planted: Planted, at: Path) -> Judged:
    """Explain a planted conflict and hold everything that is told against solves."""
    home = folder(at / "instance", planted.typed)
    began = time.process_time()
    told = explain(opened(home))
    mid = time.process_time()
    solve(prepare(*_as_typed(planted.base)))
    ratio = (mid - began) / (time.process_time() - mid)
    faults = [*_status_faults(planted, told)]
    repairs = figures = 0
    minimal = bool(told.clashes)
    for mended in told.clashes:
        minimal = minimal and is_smallest(planted.typed, told.limits, mended.clash.limits)
        for repair in mended.repairs:
            if repair.limit.key in planted.tight and repair.found not in (
                "verified", "out-of-range"
            ):  # fmt: skip
                faults.append(f"{repair.limit.key}: {repair.found}")
            if repair.found == "verified":
                repairs += 1
                mended_typed = edited(planted.typed, repair.edits)
                if not loads_and_solves(mended_typed, at / f"repair-{repairs}"):
                    faults.append(f"{repair.limit.key} to {repair.then} leaves no plan")
                for nearer in nearer_figures(planted.typed, repair):
                    figures += 1
                    if has_plan(nearer) and loads_and_solves(nearer, at / "nearer"):
                        faults.append(f"{repair.limit.key}: less than {repair.by} is enough")
                        break
    return Judged(planted.name, planted.width, planted.whole_only, tuple(faults), minimal,
                  repairs, figures, ratio)  # fmt: skip


def _as_typed(typed: Typed) -> tuple[Any, Any]:
    from models.hours import flat
    from models.instance import Instance

    instance = Instance.model_validate(typed)
    return instance, {name: flat(40.0) for name in instance.power}


def _status_faults(planted: Planted, told: Explained) -> Iterator[str]:
    if told.status != "infeasible":
        yield f"told to be {told.status}"
    if len(told.clashes) != 1:
        yield f"{len(told.clashes)} clashes"
    keys = {limit.key for one in told.clashes for limit in one.clash.limits}
    missing = set(planted.tight) - keys
    if missing:
        yield f"true cause is not told: {', '.join(sorted(missing))} in {sorted(keys)}"
    if told.clashes and told.clashes[0].clash.whole_only != planted.whole_only:
        yield f"whole numbers only: {told.clashes[0].clash.whole_only}"


def is_smallest(typed: Typed, limits: tuple[Limit, ...], told: tuple[Limit, ...]) -> bool:
    """Whether limits clash with all others freed, and no smaller part of them does.

    A part does not clash where some plan keeps all of it: with the limits left as typed, or with
    them freed. Those that may cost something when freed are typed in many ways, too.
    """

    def leaves_plan(kept: tuple[Limit, ...]) -> bool:
        others = [x for x in limits if x not in kept]
        return any(has_plan(edited(typed, edits)) for edits in loosened(others))

    return not leaves_plan(told) and all(
        has_plan(edited(typed, one.free)) or leaves_plan(tuple(x for x in told if x is not one))
        for one in told
    )


def loosened(limits: list[Limit]) -> Iterator[dict[Key, Any]]:
    """Ways to free limits: those that cost nothing wholly, others by a little or by much."""
    base = freed(x for x in limits if x.relaxes)
    costly = [x for x in limits if not x.relaxes]
    yield {**base, **freed(costly)}
    if not costly:
        return
    yield base
    numbers = [x for x in costly if x.up and isinstance(x.held, (int, float))]
    for factor in FACTORS:
        more = {x: {x.parts: type(x.held)(math.ceil(x.held * factor) if x.whole
                                          else x.held * factor)} for x in numbers}  # fmt: skip
        together = {key: value for edits in more.values() for key, value in edits.items()}
        for edits in (together, *more.values()):
            yield {**base, **edits}
            yield {**base, **freed(x for x in costly if x not in more), **edits}


def loads_and_solves(typed: Typed, at: Path) -> bool:
    """Whether an instance is taken by the loader and has an audited plan."""
    try:
        loaded = load(folder(at, typed))
    except InputRefused:
        return False
    solved = solve(prepare(loaded.instance, loaded.hours), ANY_PLAN)
    return solved.status in ("solved", "best-found")


def nearer_figures(typed: Typed, repair: Repair) -> Iterator[Typed]:
    """Every change of the kind that is smaller than a repair, or some of many.

    Amounts by its step, from what was typed on; dates by the periods between; the nearest to the
    repair always among them.
    """
    limit = repair.limit
    held, then = limit.held, repair.edits.get(limit.parts)
    key: Key = limit.parts
    if limit.way in ("amount", "count") and isinstance(then, (int, float)):
        step = repair.step or 1.0
        count = math.ceil(abs(then - held) / step - 1e-6)
        places = range(1, count)
        some = sorted({*list(places)[-1:], *list(places)[:: max(1, count // FIGURES)]})
        sign = 1.0 if then > held else -1.0
        for place in some:
            value = then - sign * (count - place) * step
            yield edited(typed, _with_least(typed, limit, {key: type(held)(round(value, 9))}))
    elif limit.way in ("later", "earlier") and isinstance(then, str):
        horizon = typed["horizon"]
        year, step = int(horizon["start"][:4]), horizon["months_per_period"]
        months = [
            f"{year + (i * step) // 12:04d}-{(i * step) % 12 + 1:02d}"
            for i in range(horizon["periods"])
        ]
        low, high = sorted((held, then))
        for month in (m for m in months if low < m < high):
            yield edited(typed, _with_latest(typed, limit, month))
    elif limit.way == "nines" and isinstance(then, float):
        # A tenth of the downtime nearer to what was typed.
        nearer = 1.0 - (1.0 - then) * (1.15 if limit.up else 1.0 / 1.15)
        if (nearer - held) * (then - held) > 0:
            yield edited(typed, {key: nearer})


def _with_least(typed: Typed, limit: Limit, edits: Mapping[Key, Any]) -> dict[Key, Any]:
    """Let the least MW of a contract give with the MW that are signed."""
    both = dict(edits)
    if limit.key.startswith("commitments.contracts."):
        least: Key = ("contracts", limit.where, "min_mw")
        both[least] = min(both[limit.parts], value_at(typed, least))
    return both


def _with_latest(typed: Typed, limit: Limit, month: str) -> dict[Key, Any]:
    """Let the latest delivery of a contract never lie before its start."""
    both: dict[Key, Any] = {limit.parts: month}
    late: Key = (*limit.parts[:-1], "latest_delivery")
    typed_late = value_at(typed, late)
    if limit.parts[-1] == "start" and typed_late is not None and typed_late < month:
        both[late] = month
    return both

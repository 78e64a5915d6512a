"""From the value of one plan to that of another, in parts that add up.

By line, the parts are those that a plan's own value comes from. By what was given, the first plan
is held, as the actions that it takes, and what changed is taken over table after table; each time
the plan is worth something else. What is left is due to other decisions. Where the first plan is
no plan any more, that step is told together with the next.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace

import pandas as pd

from models.build import Column
from models.hours import Hours
from optimizer.actions import actions_of
from optimizer.answers.compare.given import GROUPS, same_hours
from optimizer.answers.compare.side import Document, Side
from optimizer.case import Case
from optimizer.errors import InputRefused
from optimizer.evaluate import broken_limits
from optimizer.highs import Budget, Options
from optimizer.pins import only, pins_of, refuse_excess
from optimizer.plan.ledger import ledger
from optimizer.plan.value import bridge
from optimizer.policy import refuse_clash
from optimizer.screen.sections import PARTS
from optimizer.solve import solve
from optimizer.words import not_below, quantity

#: By how much the parts of a waterfall may miss the difference, in M$.
ADDS_UP = 1e-9
#: What the step is called that is due to other decisions.
DECISIONS = "other decisions"
#: Gap at which a held plan is completed: little is left to decide.
HELD = 1e-9


class DoesNotAddUp(RuntimeError):
    """The parts of a waterfall are not the whole: a defect of ours."""


@dataclass(frozen=True)
class Line:
    """A line that the value of both plans comes from.

    Attributes
    ----------
    line : str
        What it is about.
    segment, part : str
        Business and kind of flow; empty for a line that sums several.
    old_musd, new_musd, change_musd : float
        Present values.
    """

    line: str
    segment: str
    part: str
    old_musd: float
    new_musd: float
    change_musd: float


@dataclass(frozen=True)
class Step:
    """A step from one plan's value to the other's.

    Attributes
    ----------
    step : str
        What changed.
    groups : str
        Tables of the instance that it takes over, with commas between them.
    held : bool
        Whether the first plan is still held after it.
    change_musd, value_musd : float
        By how much the value moves, and what it is then.
    why : str
        Where the plan could not be held any more, why.
    proved : bool
        Whether what a held plan leaves open is completed in the best way, proved; else it may be
        worth more. Of the last step, whether the second plan is a best one.
    """

    step: str
    groups: str
    held: bool
    change_musd: float
    value_musd: float
    why: str = ""
    proved: bool = True


# --- by line -------------------------------------------------------------------------------


def by_line(before: Side, after: Side) -> tuple[Line, ...]:
    """Compare where the values come from, line by line; the changes add up to the difference.

    Raises
    ------
    DoesNotAddUp
        Where they do not.
    """
    old, new = _flows(before), _flows(after)
    lines = []
    for label, (segments, parts) in PARTS.items():
        keys = [(s, p) for s in segments for p in parts if (s, p) in old or (s, p) in new]
        if keys:
            lines.append(_line(label, old, new, keys))
    _check([line.change_musd for line in lines], before, after)
    return tuple(lines)


def by_flow(before: Side, after: Side) -> tuple[Line, ...]:
    """Compare the same, flow by flow within each line."""
    old, new = _flows(before), _flows(after)
    lines = [
        replace(_line(label, old, new, [(s, p)]), segment=s, part=p)
        for label, (segments, parts) in PARTS.items()
        for s in segments for p in parts if (s, p) in old or (s, p) in new
    ]  # fmt: skip
    _check([line.change_musd for line in lines], before, after)
    return tuple(lines)


Flows = Mapping[tuple[str, str], float]


def _flows(side: Side) -> Flows:
    rows = bridge(side.plan, ledger(side.plan))
    return {(row.segment, row.part): row.present_value_musd for row in rows}


def _line(label: str, old: Flows, new: Flows, keys: list[tuple[str, str]]) -> Line:
    was = math.fsum(old.get(key, 0.0) for key in keys)
    is_ = math.fsum(new.get(key, 0.0) for key in keys)
    return Line(label, "", "", was, is_, is_ - was)


def _check(changes: list[float], before: Side, after: Side) -> None:
    difference = after.value_musd - before.value_musd
    if not abs(math.fsum(changes) - difference) <= ADDS_UP:
        raise DoesNotAddUp(f"parts of {math.fsum(changes)!r} M$, values apart by {difference!r}")


# --- by what was given ---------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class _Mixed:
    """Some tables of one instance, the others of another."""

    document: Document
    hours: Mapping[str, Hours]
    policy: Mapping[Column, float]


def by_input(
    before: Side,
    after: Side,
    options: Options | None = None,
    budget: Budget | None = None,
    tell: Callable[[str], None] = lambda _: None,
) -> tuple[Step, ...]:
    """Take over what changed, table after table, with the first plan held, then the decisions.

    Parameters
    ----------
    before, after : Side
        What is compared.
    options : Options, optional
        Gap, limits, seed of the solves that complete a held plan.
    budget : Budget, optional
        Pays for them; steps that it is too short for are told together.
    tell : callable, optional
        Hears of each step.

    Raises
    ------
    DoesNotAddUp
        Where the steps do not add up to the difference.
    """
    options, budget = options or Options(), budget or Budget()
    actions = actions_of(before.case, before.plan)
    steps: list[Step] = []
    value, mixed, waiting = before.value_musd, _Mixed(before.document, before.hours,
                                                      before.policy), list[str]()  # fmt: skip
    why = ""
    for group in _changed(before, after):
        mixed = _with(mixed, after, group)
        waiting.append(group)
        held = _held(before, mixed, actions, options, budget)
        why = held.why or why
        if held.value_musd is None:
            continue
        change = held.value_musd - value
        steps.append(Step(_words(waiting), ", ".join(waiting), True, change, held.value_musd, why,
                          held.proved))  # fmt: skip
        tell(f"{_words(waiting)}: {change:+,.3f} M$ with the plan held")
        value, waiting, why = held.value_musd, [], ""
    label = DECISIONS if not waiting else f"{_words(waiting)}, with {DECISIONS}"
    steps.append(Step(label, ", ".join(waiting), False, after.value_musd - value,
                      after.value_musd, why, after.solved.status == "solved"))  # fmt: skip
    _check([step.change_musd for step in steps], before, after)
    return tuple(steps)


def _changed(before: Side, after: Side) -> Iterator[str]:
    """Tables that differ, in the order in which they are taken over."""
    tables = dict.fromkeys((*GROUPS, *before.document, *after.document))
    for group in tables:
        differs = before.document.get(group) != after.document.get(group)
        if group == "power":
            names = before.hours.keys() | after.hours.keys()
            differs = differs or any(
                name not in before.hours or name not in after.hours
                or not same_hours(before.hours[name], after.hours[name])
                for name in names
            )  # fmt: skip
        if group == "policy":
            differs = differs or before.policy != after.policy
        if differs and group != "instance":
            yield group


def _with(mixed: _Mixed, after: Side, group: str) -> _Mixed:
    """Take over one table; with power its hours, with the policy its decisions."""
    document = {name: table for name, table in mixed.document.items() if name != group}
    if group in after.document:
        document[group] = after.document[group]
    hours = after.hours if group == "power" else mixed.hours
    policy = after.policy if group == "policy" else mixed.policy
    return _Mixed(document, hours, policy)


@dataclass(frozen=True)
class _Held:
    """Value of a plan under other figures; none, and why, where it is no plan there."""

    value_musd: float | None
    why: str = ""
    proved: bool = True


def _held(
    before: Side, mixed: _Mixed, actions: pd.DataFrame, options: Options, budget: Budget
) -> _Held:
    """Carry the actions of a plan out under other figures."""
    try:
        case = before.make_case(mixed.document, mixed.hours)
        pins = _pins(case, mixed.policy, actions)
    except InputRefused as refused:
        problem = next((p for p in refused.problems if p.severity == "error"), None)
        return _Held(
            None, "" if problem is None else f"{problem.key or problem.place}: {problem.message}"
        )
    asked = replace(options, gap=min(options.gap, HELD), time_limit=budget.left)
    found = solve(case, asked, pinned=pins)
    if found.plan is not None and found.audit is not None and found.audit.passed:
        return _Held(found.audit.value_musd, proved=found.status == "solved")
    if found.audit is not None and not found.audit.passed:
        return _Held(None, f"it did not pass its audit: {found.audit.breaches[0]}")
    if found.status != "infeasible":
        return _Held(None, "it could not be completed in time")
    return _Held(None, _broken(case, pins, budget))


def _broken(case: Case, pins: Mapping[Column, float], budget: Budget) -> str:
    """Name the limits that a plan breaks."""
    clashes = broken_limits(case, pins, budget=budget)
    if not clashes:
        return "it breaks a limit"
    first = clashes[0]
    where = f" at {first.where}" if first.where else ""
    return f"{first.about}{where}, short of {quantity(not_below(first.amount), first.unit)}"


def _pins(
    case: Case, policy: Mapping[Column, float], actions: pd.DataFrame
) -> Mapping[Column, float]:
    """Hold the actions of a plan, and nothing else."""
    plan = pins_of(case, actions)
    refuse_clash(policy, plan, "the plan")
    pins = only(case, {**policy, **plan})
    refuse_excess(case, pins, "the plan")
    return pins


def _words(groups: list[str]) -> str:
    return " and ".join(GROUPS.get(group, group) for group in groups)

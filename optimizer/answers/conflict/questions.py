"""Whether an instance with some keys different has a plan: each answer proved, or left open."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np
import pandas as pd

from models.build import Column, UnusableNumbers
from models.instance import Instance
from optimizer.answers.conflict.edits import REMOVED, Edits, edited
from optimizer.audit import audit
from optimizer.case import Case, prepare
from optimizer.compiled import Model, compile_case, polished
from optimizer.errors import InputRefused, Problem
from optimizer.highs import Budget, Options
from optimizer.keys import Key
from optimizer.limited import carried_out
from optimizer.load.catalogue import packaged
from optimizer.load.folder import Loaded, Reading
from optimizer.matrix import Matrix, MatrixRefused, costless, divided
from optimizer.pins import pins_of, read_actions
from optimizer.policy import policy_pins
from optimizer.solve import Solved, solve

#: What is known of a question: a plan was found and audited, none exists, or neither is proved.
Verdict = Literal["feasible", "infeasible", "undecided"]

#: Most nodes of each question: a limit that is the same on every machine.
NODES = 20_000
#: A gap that the first plan reaches.
ANY_PLAN = 1e9


class Opened(NamedTuple):
    """A folder, read whether or not it can have a plan.

    Attributes
    ----------
    reading : Reading
        Reads other documents in its place.
    loaded : Loaded
        The instance as it stands.
    impossible : tuple of Problem
        What the data alone show that no plan can do; the loader refuses the folder for it.
    """

    reading: Reading
    loaded: Loaded
    impossible: tuple[Problem, ...]


def opened(folder: Path, prices: Mapping[str, Path] | None = None) -> Opened:
    """Read an instance folder to explain it.

    Raises
    ------
    InputRefused
        With every problem of the folder, but where all of them are that no plan can exist.
    """
    reading = Reading(Path(folder), packaged())
    loaded = reading.run(prices or {})
    if loaded is not None:
        return Opened(reading, loaded, ())
    errors = tuple(problem for problem in reading.problems() if problem.severity == "error")
    lenient = Reading(Path(folder), packaged(), possible=False)
    loaded = lenient.run(prices or {})
    if loaded is None:
        raise InputRefused(reading.problems())
    return Opened(lenient, loaded, errors)


@dataclass(frozen=True, eq=False)
class Posed:
    """A question as a case, with the decisions that its policy takes."""

    case: Case
    model: Model
    pins: Mapping[Column, float]


class Questions:
    """Asks of one instance whether it has a plan with some keys different.

    Parameters
    ----------
    opened : Opened
        The instance.
    options : Options
        Time limit for all questions together, threads and seed.
    stop : threading.Event, optional
        Setting it leaves every further question open.
    """

    def __init__(
        self, opened: Opened, options: Options, stop: threading.Event | None = None
    ) -> None:
        self.document: Mapping[str, Any] = opened.reading.document
        self.loaded = opened.loaded
        self.budget = Budget(options.time_limit, options.grace)
        self.stop = stop or threading.Event()
        self.asked = 0
        self._reading = opened.reading
        self._options = replace(options, nodes=NODES)
        self._known: dict[str, Verdict] = {}
        self._actions = self._pinned_actions()

    @property
    def is_over(self) -> bool:
        """Whether there is no time for a further question, or nobody wants one."""
        return self.stop.is_set() or not self.budget.to_search

    def _pinned_actions(self) -> pd.DataFrame | None:
        name = self.loaded.instance.policy.pin
        if name is None:
            return None
        instance = self.loaded.instance
        policy_pins(self.loaded, prepare(instance, self.loaded.hours))
        return read_actions(self.loaded.folder / name, name)

    def pinned_lines(self) -> dict[int, str]:
        """Lines of the plan that is pinned, in words."""
        rows = self._actions
        if rows is None:
            return {}
        cells = ("action", "amount", "subject", "from", "to", "month")
        told = rows.to_dict(orient="index")
        return {
            int(str(line)): " ".join(str(row[c]) for c in cells if c in row and str(row[c]))
            for line, row in told.items()
        }

    def pinned_amount(self, line: int) -> float:
        """Amount of a line of the plan that is pinned."""
        assert self._actions is not None
        return float(str(self._actions.loc[line, "amount"]))

    # --- a question as a case --------------------------------------------------------------

    def posed(self, edits: Edits) -> Posed | None:
        """Derive and compile the instance with some keys different.

        Returns None where it cannot be read so, or a pinned action is none there.
        """
        typed, dropped = _apart(edits)
        try:
            instance = Instance.model_validate(edited(self.document, typed))
        except ValueError:
            return None
        return self._posed(instance, dropped)

    def _posed(self, instance: Instance, dropped: Mapping[int, Any]) -> Posed | None:
        case = prepare(instance, self.loaded.hours)
        pins: Mapping[Column, float] = {}
        if self._actions is not None:
            try:
                pins = pins_of(case, _without(self._actions, dropped))
            except InputRefused:
                return None
        try:
            return Posed(case=case, model=compile_case(case, pins), pins=pins)
        except (MatrixRefused, UnusableNumbers):
            return None

    def accepted(self, edits: Edits) -> Instance | None:
        """Read the instance with some keys different as a folder of its own.

        Returns None where the loader refuses it.
        """
        typed, _ = _apart(edits)
        try:
            document = edited(self.document, typed)
            instance, _ = self._reading.again(document, hours=self.loaded.hours)
        except InputRefused:
            return None
        return instance

    # --- answers ---------------------------------------------------------------------------

    def verdict(self, edits: Edits) -> Verdict:
        """Say whether a plan exists; asked twice, it is answered once."""
        name = repr(sorted(((key, _named(value)) for key, value in edits.items()), key=repr))
        if name not in self._known:
            if self.is_over:
                return "undecided"
            self.asked += 1
            self._known[name] = self._verdict(edits)
        return self._known[name]

    def _verdict(self, edits: Edits) -> Verdict:
        posed = self.posed(edits)
        if posed is None:
            return "undecided"
        if posed.model.built.contradictions:
            return "infeasible"
        if not posed.case.limit_prices:
            found = self._first(posed)
            if found is not None:
                return found
        return _told(self._solved(posed, ANY_PLAN))

    def _first(self, posed: Posed) -> Verdict | None:
        """Look for any point, and audit it; None where it has to be looked for otherwise."""
        matrix = posed.model.matrix
        quick = replace(self._timed(), gap=ANY_PLAN)
        outcome = self.budget.run(_doing_little(posed.model), quick, stop=self.stop)
        if outcome.x is None:
            return "infeasible" if outcome.status == "infeasible" else "undecided"
        point = polished(matrix, outcome.x, self.budget, posed.model.follows)
        done = carried_out(posed.case, posed.model, point, self.budget)
        checked = audit(posed.case, done.plan, settled=done.settled)
        return "feasible" if checked.passed else None

    def _solved(self, posed: Posed, gap: float) -> Solved:
        options = replace(self._timed(), gap=gap)
        return solve(posed.case, options, pinned=posed.pins, model=posed.model, stop=self.stop)

    def _timed(self) -> Options:
        return replace(self._options, time_limit=self.budget.to_search)

    def divisible(self, edits: Edits) -> bool | None:
        """Say whether a plan exists once racks, halls and all else may be divided."""
        posed = self.posed(edits)
        if posed is None or posed.model.built.contradictions:
            return None if posed is None else False
        outcome = self.budget.run(costless(divided(posed.model.matrix)), self._timed())
        if outcome.x is not None:
            return True
        return False if outcome.status == "infeasible" else None

    def solved(self, edits: Edits, gap: float, beside: Edits | None = None) -> Solved | None:
        """Solve the instance with some keys different, as the loader reads it then.

        Returns None where the loader refuses it. With limits of other clashes freed ``beside``,
        what those hold is no document that the loader would have to take.
        """
        if self.is_over:
            return None
        if beside:
            posed = self.posed({**beside, **edits})
        else:
            instance = self.accepted(edits)
            posed = None if instance is None else self._posed(instance, _apart(edits)[1])
        return None if posed is None else self._solved(posed, gap)


def _told(solved: Solved) -> Verdict:
    if solved.status in ("solved", "best-found"):
        return "feasible"
    return "infeasible" if solved.status == "infeasible" else "undecided"


def _doing_little(model: Model) -> Matrix:
    """A case whose best point acts least: of plans that are good for nothing else, soon found.

    On the shipped instances the first point comes in a third of the time that it takes where all
    points are alike, or where they are worth what their plans are.
    """
    cost = np.where(model.layout.actions, 1.0, 0.0)
    return replace(model.matrix, cost=cost, offset=0.0, maximise=False)


def _apart(edits: Edits) -> tuple[dict[Key, Any], dict[int, Any]]:
    """Set what is done to lines of a pinned plan apart from what is typed in the document."""
    typed = {key: value for key, value in edits.items() if key[:2] != ("policy", "pin")}
    lines = {int(key[2]): value for key, value in edits.items() if key[:2] == ("policy", "pin")}
    return typed, lines


def _without(actions: pd.DataFrame, lines: Mapping[int, Any]) -> pd.DataFrame:
    """Take lines of a plan out, or give them another amount."""
    rows = actions.copy()
    for line, amount in lines.items():
        if amount is not REMOVED:
            rows.loc[line, "amount"] = str(amount)
    rows = rows.drop([line for line, amount in lines.items() if amount is REMOVED])
    rows.attrs.update(actions.attrs)
    return rows


def _named(value: Any) -> str:
    return "gone" if value is REMOVED else repr(value)


def freed(limits: Iterable[Any]) -> dict[Key, Any]:
    """Edits under which none of some limits holds anybody back."""
    edits: dict[Key, Any] = {}
    for limit in limits:
        edits |= limit.free
    return edits

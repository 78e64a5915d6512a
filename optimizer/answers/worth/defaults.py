"""The defaults that move value most.

A default is moved to either side and the case solved again. Which of them can move value at all,
two linear programs tell before that: with the whole decisions of the plan held, the case is worth
at least so much, and with all decisions divisible at most. So those come first that may move it
most, and once five move it by more than any other can, the others need not be solved.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from optimizer.answers.worth.bench import Bench, Beside, Best, TimeOver
from optimizer.answers.worth.margin import same
from optimizer.errors import InputRefused
from optimizer.load import Default
from optimizer.matrix import Matrix, fix_integers
from optimizer.sweep.design.exact import times
from optimizer.sweep.design.keys import find
from optimizer.sweep.design.levers import moved
from optimizer.sweep.point.evaluate import Posed
from optimizer.sweep.points import Json

#: By which part of itself a default is moved.
SHARE = 0.1
#: How many are asked for.
MOST = 5

#: ``solved`` anew on both sides. ``no plan left``: none keeps to all limits on one side. ``less``:
#: proved to move value by less than those that are told. ``nothing``: it changes no number of the
#: case. ``refused``: no such instance may be on one side, and the other, if there is one, is
#: proved to move it less. ``not found``: a solve gave neither a plan nor a proof that none is.
Verdict = Literal[
    "solved", "no plan left", "less", "nothing", "refused", "not found", "not reached"
]
#: What is known of one side.
SideVerdict = Literal["open", "solved", "nothing", "no plan left", "refused", "not found"]


@dataclass(frozen=True)
class Side:
    """A default moved to one side.

    Attributes
    ----------
    value : JSON
        What it is then.
    musd : float or None
        By how much the best plan is then worth more, each from a solve of its own.
    at_most_musd : float
        How much its value can move at most; infinite where nothing tells.
    at_least_musd : float
        How much it is proved to move at least, either way.
    verdict : str
        See :data:`SideVerdict`.
    is_proved : bool
        Whether both its plan and the one it is compared with are proved to be the best.
    message : str
        Why it is not known.
    """

    value: Json
    musd: float | None = None
    at_most_musd: float = math.inf
    at_least_musd: float = 0.0
    verdict: SideVerdict = "open"
    is_proved: bool = True
    message: str = ""

    @property
    def moves(self) -> float:
        """By how much value moves, as far as that was solved: infinitely where no plan is left."""
        if self.verdict == "no plan left":
            return math.inf
        return 0.0 if self.musd is None else abs(self.musd)


@dataclass(frozen=True)
class Moves:
    """How far a default moves value.

    Attributes
    ----------
    default : Default
        What nobody typed.
    step : str
        How it was moved, in words.
    down, up : Side or None
        To either side; None where there is nothing on it.
    verdict : str
        See :data:`Verdict`.
    """

    default: Default
    step: str
    down: Side | None
    up: Side | None
    verdict: Verdict

    @property
    def sides(self) -> tuple[Side, ...]:
        """Those there are."""
        return tuple(side for side in (self.down, self.up) if side is not None)

    @property
    def moves(self) -> float:
        """By how much value moves at most, as far as that was solved."""
        return max((side.moves for side in self.sides), default=0.0)

    @property
    def may_move(self) -> float:
        """How much it can move at most."""
        return max((side.at_most_musd for side in self.sides), default=0.0)

    @property
    def moves_at_least(self) -> float:
        """How much it is proved to move at least."""
        return max((side.at_least_musd for side in self.sides), default=0.0)

    @property
    def is_proved(self) -> bool:
        """Whether what is said of it is proved."""
        if self.verdict in ("not reached", "not found"):
            return False
        return self.verdict != "solved" or all(side.is_proved for side in self.sides)

    @property
    def has_refused(self) -> bool:
        """Whether no such instance may be on one side."""
        return any(side.verdict == "refused" for side in self.sides)


class Defaults(Beside):
    """Finds which defaults move the value of a plan most."""

    def __init__(self, bench: Bench, base: Best) -> None:
        super().__init__(bench, base)
        self.months = int(bench.document["horizon"]["months_per_period"])

    def ranked(self, defaults: Sequence[Default]) -> list[Moves]:
        """Give how far each numeric default moves value, those first that move it most.

        Defaults of zero have no part by which they could be moved, and are left out.
        """
        asked: list[Moves] = []
        posed: dict[tuple[str, str], Posed] = {}
        over = False
        for default in defaults:
            for step, values in self._steps(default):
                if over:
                    asked.append(Moves(default, step, None, None, "not reached"))
                    continue
                try:
                    asked.append(self._bounded(default, step, values, posed))
                except TimeOver:
                    over = True
                    asked.append(Moves(default, step, None, None, "not reached"))
        told = list(self._solved(asked, posed))
        return sorted(told, key=lambda one: (-one.moves, one.default.key))

    # --- steps -----------------------------------------------------------------------------

    def _steps(self, default: Default) -> Iterator[tuple[str, tuple[Json, Json]]]:
        """How a default is moved, and what it is then; nothing where it holds no number."""
        value = default.value
        if isinstance(value, bool) or not isinstance(value, int | float | list | Mapping):
            return
        name = default.key.rpartition(".")[2]
        if isinstance(value, list | Mapping):
            if _is_path(value):
                yield "±10 %", (moved(value, times, 1 - SHARE), moved(value, times, 1 + SHARE))
            return
        if not value:
            return
        if name.endswith("_months") or name == "months":
            by = max(self.months, round(SHARE * value / self.months) * self.months)
            yield f"±{by:g} months", (int(value) - by, int(value) + by)
        elif name == "availability":
            down = 1.0 - float(value)
            yield "downtime ±10 %", (
                round(1.0 - down * (1 + SHARE), 12), round(1.0 - down * (1 - SHARE), 12)
            )  # fmt: skip
        elif self._is_count(default.key):
            by = max(1, round(SHARE * abs(value)))
            yield f"±{by:g}", (int(value) - by, int(value) + by)
        else:
            low, high = (times(float(value), 1 + sign * SHARE) for sign in (-1, 1))
            most = 1.0 if name.endswith("_share") and value <= 1.0 < high else high
            yield "±10 %", (low, min(high, most))

    def _is_count(self, key: str) -> bool:
        found, _ = find(self.bench.document, key)
        return bool(found) and found[0].kind.what == "count"

    # --- bounds ----------------------------------------------------------------------------

    def _bounded(
        self, default: Default, step: str, values: tuple[Json, Json],
        posed: dict[tuple[str, str], Posed],
    ) -> Moves:  # fmt: skip
        down, up = (
            self._side(default, side, value, posed)
            for side, value in zip(("down", "up"), values, strict=True)
        )
        one = Moves(default, step, down, up, "solved")
        if one.may_move:
            return one
        return replace(one, verdict="refused" if one.has_refused else "nothing")

    def _side(
        self, default: Default, side: str, value: Json, posed: dict[tuple[str, str], Posed]
    ) -> Side | None:
        self.bench.check()
        if value == default.value:
            return None
        targets, _ = find(self.bench.document, default.key)
        try:
            case = self.bench.at({target.text: value for target in targets})
        except InputRefused as refused:
            message = f"refused: {refused.reason}"
            return Side(value, None, 0.0, verdict="refused", message=message)
        matrix = case.model.matrix
        if same(self.base.posed.model.matrix, matrix):
            return Side(value, 0.0, 0.0, verdict="nothing")
        posed[default.key, side] = case
        return Side(value, None, self._most(case, matrix))

    def _most(self, case: Posed, matrix: Matrix) -> float:
        """How much value can move at most: less than with whole decisions held, more divisible."""
        above = self.bench.relaxed(case)
        if not math.isfinite(above):
            return math.inf
        least = -math.inf
        if case.model.built.columns == self.base.posed.model.built.columns:
            below = self.bench.run(fix_integers(matrix, self.base.point))
            least = -math.inf if below.objective is None else below.objective
        # The best plan of today may be worth as much as its bound.
        return max(above - self.value, self.bound - least)

    # --- solves ----------------------------------------------------------------------------

    def _solved(
        self, asked: Sequence[Moves], posed: Mapping[tuple[str, str], Posed]
    ) -> Iterator[Moves]:
        """Solve them, those first that may move value most, until five do move it more."""
        open_ones = [one for one in asked if one.verdict == "solved"]
        yield from (one for one in asked if one.verdict != "solved")
        open_ones.sort(key=lambda one: (-one.may_move, one.default.key))
        found: list[float] = []
        over = False
        for one in open_ones:
            fifth = sorted(found, reverse=True)[MOST - 1] if len(found) >= MOST else -math.inf
            if one.may_move < fifth:
                yield replace(one, verdict="refused" if one.has_refused else "less")
            elif over:
                yield replace(one, verdict="not reached")
            else:
                try:
                    done = self._both(one, posed)
                except TimeOver:
                    over = True
                    yield replace(one, verdict="not reached")
                    continue
                found.append(done.moves_at_least)
                yield done

    def _both(self, one: Moves, posed: Mapping[tuple[str, str], Posed]) -> Moves:
        sides: dict[str, Any] = {}
        for name, side in (("down", one.down), ("up", one.up)):
            case = posed.get((one.default.key, name))
            if side is None or case is None:
                continue
            sides[name] = self._judged(side, self.bench.best(case, self.base.plan))
        done = replace(one, **sides)
        for verdict in ("no plan left", "not found"):
            if any(side.verdict == verdict for side in done.sides):
                return replace(done, verdict=verdict)
        return done

    def _judged(self, side: Side, best: Best) -> Side:
        """Say what a solve proves of a side."""
        if best.solved.status == "infeasible":
            return replace(
                side, at_most_musd=math.inf, at_least_musd=math.inf, verdict="no plan left",
                message="no plan keeps to all limits",
            )  # fmt: skip
        if best.value is None:
            message = f"no plan was found ({best.solved.status})"
            return replace(side, verdict="not found", is_proved=False, message=message)
        return replace(
            side, musd=best.value - self.value,
            at_most_musd=min(side.at_most_musd, max(
                best.bound - self.value, self.bound - best.value, 0.0,
            )),
            at_least_musd=max(best.value - self.bound, self.value - best.bound, 0.0),
            verdict="solved", is_proved=best.is_proved and self.base.is_proved,
            message="" if best.is_proved else f"the search ended early ({best.solved.status})",
        )  # fmt: skip


def _is_path(value: Any) -> bool:
    if isinstance(value, Mapping):
        return "start" in value
    return bool(value) and all(isinstance(item, Mapping) and "value" in item for item in value)

"""What is said before the first case of a sweep: how many there are, and how long they take."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

from rich.text import Text

from optimizer.commands.voice import Voice
from optimizer.sweep.design.designs import Expansion
from optimizer.sweep.design.file import settings_of
from optimizer.sweep.design.measures import bounded
from optimizer.sweep.design.spec import Sweep
from optimizer.sweep.running.progress import clock
from optimizer.words import counted

_DESIGNS = {
    "grid": "a grid of", "list": "a list of", "one_at_a_time": "one at a time:",
    "latin_hypercube": "a Latin hypercube of", "sobol": "Sobol points of",
    "monte_carlo": "Monte Carlo draws of", "csv": "rows of",
}  # fmt: skip
#: What the base's own solve does not tell of a front.
_TIES = "; choosing among plans alike in value comes on top"


@dataclass(frozen=True)
class Count:
    """How many cases a sweep has, and how many of them are to be solved.

    Attributes
    ----------
    total : int
        Cases; before the ends of a front are known, at most.
    done : int
        Those with a row.
    again : int
        Those of them that are tried again.
    alike : int
        Cases that have the answer of an earlier one, and are not solved again.
    at_most : bool
        Whether the ends of a front are not known yet.
    """

    total: int
    done: int = 0
    again: int = 0
    alike: int = 0
    at_most: bool = False

    @property
    def wanted(self) -> int:
        """How many are to be solved."""
        return self.total - self.done + self.again - self.alike


@dataclass(frozen=True)
class Estimate:
    """How long a case takes.

    Attributes
    ----------
    seconds : float or None
        Of one case; None where nothing is known.
    ready : float
        Seconds until a worker has read the base.
    has_plan : bool
        Whether the base itself has a plan.
    of_base : bool
        Whether the base's own solve says so, and not the cases that are done.
    ties : bool
        Whether cases take a second search, which that solve did without.
    """

    seconds: float | None
    ready: float | None = None
    has_plan: bool = True
    ties: bool = False

    @property
    def of_base(self) -> bool:
        """Whether the base's own solve tells it."""
        return self.ready is not None

    def whole(self, wanted: int, workers: int) -> float | None:
        """Seconds that all cases take.

        Examples
        --------
        >>> Estimate(2.0, 1.0).whole(9, 2), Estimate(None).whole(9, 2)
        (11.0, None)
        """
        if self.seconds is None:
            return None
        return (self.ready or 0.0) + self.seconds * math.ceil(wanted / max(1, workers))


@dataclass(frozen=True)
class Opening:
    """Tells a sweep's cases, and what they will take.

    Attributes
    ----------
    sweep, cases : Sweep, Expansion
        The file, and its cases; of a front, those that have one each.
    workers : int
        How many compute.
    out : Path
        The database.
    voice : Voice
        Where it is told.
    is_answer : bool
        Whether that is all that was asked for, and not talk beside a run.
    """

    sweep: Sweep
    cases: Expansion
    workers: int
    out: Path
    voice: Voice
    is_answer: bool = False

    def tell(self, count: Count) -> None:
        """Say how many cases there are, and how many are done."""
        head = Text.assemble((self.sweep.name, "bold"), f"  {self.sweep.summary}".rstrip())
        self._say(head, self._made_of(count), self._standing(count))

    def tell_levels(self, expansion: Expansion) -> None:
        """Say between which levels a front lies."""
        if self.sweep.pareto is None:
            return
        measure = bounded(self.sweep.pareto.second)
        levels = list(dict.fromkeys(p.settings[measure.label] for p in expansion.points))
        ends = " to ".join(f"{level:,.9g}" for level in dict.fromkeys((levels[0], levels[-1])))
        told = f"{counted(len(levels), 'level')} of {measure.name}: {ends} {measure.unit}"
        self._say(told.rstrip())

    def tell_estimate(self, count: Count, estimate: Estimate) -> None:
        """Say how long it will take."""
        if count.wanted:
            self._say(self._long(count, estimate))

    def answer_dry_run(self, count: Count, estimate: Estimate | None) -> None:
        """End a run that solved no case."""
        seconds = None
        if estimate is not None:
            self.tell_estimate(count, estimate)
            seconds = estimate.whole(count.wanted, self.workers)
        self.voice.answer(
            status="dry-run", name=self.sweep.name, out=str(self.out), cases=count.total,
            merged=self._merged(count), done=count.done, wanted=count.wanted, workers=self.workers,
            seconds=None if seconds is None else round(seconds, 1),
        )  # fmt: skip

    def _say(self, *words: str | Text) -> None:
        """A run says it beside its answer; of a dry run it is the answer."""
        self.voice.lines(*words, is_answer=self.is_answer)

    def _levels(self, count: Count) -> int:
        """How many levels there are to a case."""
        return count.total // max(1, len(self.cases.points))

    def _merged(self, count: Count) -> int:
        times = self.cases.times
        return (sum(times.values()) - len(times)) * self._levels(count)

    def _made_of(self, count: Count) -> str:
        """Say what the cases are made of."""
        sweep = self.sweep
        made = _DESIGNS[sweep.design]
        if sweep.design == "csv":
            parts = sweep.cases_file
        elif sweep.is_drawn:
            parts = ", ".join(axis.name for axis in sweep.axes)
        else:
            joint = " × " if sweep.design == "grid" else ", "
            parts = joint.join(f"{axis.name} {len(settings_of(axis))}" for axis in sweep.axes)
        cases = f"{made} {parts}" if parts else ""
        if sweep.pareto is not None:
            levels = counted(self._levels(count), "level")
            front = f"{levels} of {bounded(sweep.pareto.second).name}"
            cases = f"{cases}, each at {front}" if cases else front
        most = "at most " if count.at_most else ""
        told = f"{most}{counted(count.total, 'case')} of {sweep.base.name}"
        told += f": {cases or 'the base itself'}"
        merged = self._merged(count)
        if merged:
            told += f"; {merged:,} more come to the same"
        if count.alike:
            told += f"; {count.alike:,} of them have the answer of an earlier one"
        return told

    def _standing(self, count: Count) -> str:
        told = f"{count.done:,} done already, " if count.done else ""
        again = f", {count.again:,} of them once more" if count.again else ""
        if not count.wanted:
            return f"all are done; rows are in {self.out}"
        hands = counted(self.workers, "worker")
        most = "at most " if count.at_most else ""
        return f"{told}{most}{count.wanted:,} to solve{again}, with {hands}; rows go to {self.out}"

    def _long(self, count: Count, estimate: Estimate) -> str:
        whole = estimate.whole(count.wanted, self.workers)
        if whole is None or estimate.seconds is None:
            return "how long it takes shows once some are done"
        if estimate.of_base:
            plan = "" if estimate.has_plan else ", and has no plan, so cases begin from nothing"
            why = f"the base itself took {_seconds(estimate.seconds)}{plan}"
            why += _TIES if estimate.ties else ""
        else:
            why = f"a case took {_seconds(estimate.seconds)} so far"
        more = " or more" if estimate.ties else ""
        return f"about {clock(max(1.0, whole))}{more} for all: {why}"


def _seconds(seconds: float) -> str:
    """Write how long one case takes.

    Examples
    --------
    >>> _seconds(12.345), _seconds(0.0432)
    ('12.3 s', '0.043 s')
    """
    return f"{seconds:.1f} s" if seconds >= 1 else f"{seconds:.2g} s"

"""What is said before the first case of a sweep: how many there are, and how long they take."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

from rich.text import Text

from optimizer.commands.voice import Voice
from optimizer.sweep.designs import Expansion
from optimizer.sweep.file import settings_of
from optimizer.sweep.progress import clock
from optimizer.sweep.spec import Sweep
from optimizer.words import counted

_DESIGNS = {
    "grid": "a grid of", "list": "a list of", "one_at_a_time": "one at a time:",
    "latin_hypercube": "a Latin hypercube of", "sobol": "Sobol points of",
    "monte_carlo": "Monte Carlo draws of", "csv": "rows of",
}  # fmt: skip


@dataclass(frozen=True)
class Count:
    """How many cases a sweep has, how many have a row, and how many of these are tried again."""

    total: int
    done: int = 0
    again: int = 0

    @property
    def wanted(self) -> int:
        """How many are to be solved."""
        return self.total - self.done + self.again


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
    """

    seconds: float | None
    ready: float | None = None
    has_plan: bool = True

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
    sweep, expansion : Sweep, Expansion
        The file, and its cases.
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
    expansion: Expansion
    workers: int
    out: Path
    voice: Voice
    is_answer: bool = False

    def tell(self, count: Count) -> None:
        """Say how many cases there are, and how many are done."""
        head = Text.assemble((self.sweep.name, "bold"), f"  {self.sweep.summary}".rstrip())
        self._say(head, self._cases(), self._standing(count))

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
            merged=self._merged, done=count.done, wanted=count.wanted, workers=self.workers,
            seconds=None if seconds is None else round(seconds, 1),
        )  # fmt: skip

    def _say(self, *words: str | Text) -> None:
        """A run says it beside its answer; of a dry run it is the answer."""
        self.voice.lines(*words, is_answer=self.is_answer)

    @property
    def _merged(self) -> int:
        times = self.expansion.times
        return sum(times.values()) - len(times)

    def _cases(self) -> str:
        """Say what the cases are made of."""
        sweep, number = self.sweep, len(self.expansion.points)
        made = _DESIGNS[sweep.design]
        if sweep.design == "csv":
            parts = sweep.cases_file
        elif sweep.is_drawn:
            parts = ", ".join(axis.name for axis in sweep.axes)
        else:
            joint = " × " if sweep.design == "grid" else ", "
            parts = joint.join(f"{axis.name} {len(settings_of(axis))}" for axis in sweep.axes)
        told = f"{counted(number, 'case')} of {sweep.base.name}"
        told += f": {made} {parts}" if parts else ": the base itself"
        return f"{told}; {self._merged:,} more come to the same" if self._merged else told

    def _standing(self, count: Count) -> str:
        told = f"{count.done:,} done already, " if count.done else ""
        again = f", {count.again:,} of them once more" if count.again else ""
        if not count.wanted:
            return f"all are done; rows are in {self.out}"
        hands = counted(self.workers, "worker")
        return f"{told}{count.wanted:,} to solve{again}, with {hands}; rows go to {self.out}"

    def _long(self, count: Count, estimate: Estimate) -> str:
        whole = estimate.whole(count.wanted, self.workers)
        if whole is None or estimate.seconds is None:
            return "how long it takes shows once some are done"
        if estimate.of_base:
            plan = "" if estimate.has_plan else ", and has no plan, so cases begin from nothing"
            why = f"the base itself took {_seconds(estimate.seconds)}{plan}"
        else:
            why = f"a case took {_seconds(estimate.seconds)} so far"
        return f"about {clock(max(1.0, whole))} for all: {why}"


def _seconds(seconds: float) -> str:
    """Write how long one case takes.

    Examples
    --------
    >>> _seconds(12.345), _seconds(0.0432)
    ('12.3 s', '0.043 s')
    """
    return f"{seconds:.1f} s" if seconds >= 1 else f"{seconds:.2g} s"

"""What is said before the first case of a sweep: how many there are, and how long they take."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.text import Text

from optimizer.commands.voice import Voice
from optimizer.errors import Problem
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


#: How many times as long as the base a case takes: on the whole, and where cases are hard.
USUAL, HARD = 2.0, 5.0


@dataclass(frozen=True)
class Hands:
    """Who computes: how many workers, and how many of them have a processor to themselves."""

    workers: int
    cores: int

    def at_once(self, wanted: int) -> int:
        """How many cases are under way at a time, each as fast as if it were alone."""
        return max(1, min(self.workers, self.cores, wanted))

    def crowding(self, wanted: int) -> float:
        """How many times slower workers are than alone, while all of them are busy."""
        return max(1, min(self.workers, wanted)) / self.at_once(wanted)


@dataclass(frozen=True)
class Estimate:
    """How long a case takes.

    Attributes
    ----------
    seconds : float or None
        Of one case, or of the base; None where nothing is known.
    ready : float
        Seconds until a worker has started and read the base.
    has_plan : bool
        Whether the base itself has a plan.
    ties : bool
        Whether cases take a second search, which the base's own solve did without.
    of_base : bool
        Whether the base's own solve says so, and not the cases that are done.
    limit : float
        Most seconds that a case may take.
    """

    seconds: float | None
    ready: float = 0.0
    has_plan: bool = True
    ties: bool = False
    of_base: bool = False
    limit: float = math.inf

    def whole(self, wanted: int, hands: Hands) -> float | None:
        """Seconds that all cases take, as far as can be told.

        Cases differ from their base, and most are harder: those whose plan is another one.

        Examples
        --------
        >>> done, base = Estimate(2.0, 1.0), Estimate(2.0, 1.0, of_base=True)
        >>> [one.whole(9, Hands(2, 2)) for one in (done, base, Estimate(None))]
        [11.0, 21.0, None]
        """
        return self._taking(USUAL if self.of_base else 1.0, wanted, hands)

    def at_most(self, wanted: int, hands: Hands) -> float | None:
        """Seconds that all cases take where they are hard.

        Examples
        --------
        >>> Estimate(2.0, 1.0, of_base=True, limit=6.0).at_most(9, Hands(4, 2))
        32.0
        """
        return self._taking(HARD if self.of_base else 1.0, wanted, hands)

    def _taking(self, times: float, wanted: int, hands: Hands) -> float | None:
        if self.seconds is None:
            return None
        each = max(self.seconds, min(times * self.seconds, self.limit))
        start = self.ready * hands.crowding(wanted)
        return start + each * math.ceil(wanted / hands.at_once(wanted))


@dataclass(frozen=True)
class Opening:
    """Tells a sweep's cases, and what they will take.

    Attributes
    ----------
    sweep, cases : Sweep, Expansion
        The file, and its cases; of a front, those that have one each.
    hands : Hands
        Who computes.
    out : Path
        The database.
    voice : Voice
        Where it is told.
    is_answer : bool
        Whether that is all that was asked for, and not talk beside a run.
    """

    sweep: Sweep
    cases: Expansion
    hands: Hands
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

    def tell_doubts(self, doubts: Sequence[Problem]) -> None:
        """Tell warnings that single cases have and the base has not."""
        self.voice.problems(tuple(doubts))

    def tell_estimate(self, count: Count, estimate: Estimate) -> None:
        """Say how long it will take."""
        if count.wanted:
            self._say(self._long(count, estimate))

    def tell_lending(self, lenders: int) -> None:
        """Say that some cases come first."""
        if lenders:
            self._say(f"{lenders} cases come first and lend the others their plans to begin from")

    def answer_dry_run(self, count: Count, estimate: Estimate | None) -> None:
        """End a run that solved no case."""
        seconds = at_most = None
        if estimate is not None:
            self.tell_estimate(count, estimate)
            seconds = estimate.whole(count.wanted, self.hands)
            at_most = estimate.at_most(count.wanted, self.hands)
        self.voice.answer(
            status="dry-run", name=self.sweep.name, out=str(self.out), cases=count.total,
            merged=self._merged(count), done=count.done, wanted=count.wanted,
            workers=self.hands.workers, seconds=None if seconds is None else round(seconds, 1),
            seconds_at_most=None if at_most is None else round(at_most, 1),
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
        if not count.wanted:
            return f"all are done; rows are in {self.out}"
        kept, new = count.done - count.again, count.wanted - count.again
        most = "at most " if count.at_most else ""
        parts = [f"{kept:,} done already"] if kept else []
        parts += [f"{most}{new:,} to solve"] if new else []
        parts += [f"{count.again:,} to try again"] if count.again else []
        hands = counted(self.hands.workers, "worker")
        return f"{', '.join(parts)}, with {hands}; rows go to {self.out}"

    def _long(self, count: Count, estimate: Estimate) -> str:
        whole = estimate.whole(count.wanted, self.hands)
        most = estimate.at_most(count.wanted, self.hands)
        if whole is None or most is None or estimate.seconds is None:
            return "how long it takes shows once some are done"
        if estimate.of_base:
            plan = "" if estimate.has_plan else ", and has no plan, so cases begin from nothing"
            why = f"the base itself took {_seconds(estimate.seconds)}{plan}"
            why += f"; up to {_clock(most)} where cases are harder"
            why += _TIES if estimate.ties else ""
        else:
            why = f"a case took {_seconds(estimate.seconds)} so far"
        more = " or more" if estimate.ties else ""
        return f"about {_clock(whole)}{more} for all: {why}"


def _clock(seconds: float) -> str:
    """Write an estimate, rounded up: of less than a second nothing can be told."""
    return clock(max(1.0, math.ceil(seconds)))


def _seconds(seconds: float) -> str:
    """Write how long one case takes.

    Examples
    --------
    >>> _seconds(12.345), _seconds(0.0432)
    ('12.3 s', '0.043 s')
    """
    return f"{seconds:.1f} s" if seconds >= 1 else f"{seconds:.2g} s"

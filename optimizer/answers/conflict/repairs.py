"""The cheapest change of each kind that makes a plan possible, each tried before it is told.

Amounts come of a program that gives as little as it can; what is no straight line is halved
between what is not enough and what is; dates, choices and availabilities are tried from the
nearest on. What is told has been typed into the instance, read by the loader, solved and audited.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from models.derive import tree_of
from models.derive.facts import Facts
from models.instance import month_index, month_text
from optimizer.answers.conflict.amounts import GAP as NEAR
from optimizer.answers.conflict.amounts import Least, least_amount
from optimizer.answers.conflict.edits import REMOVED, Edits
from optimizer.answers.conflict.limits import LEAST_MW, Limit, started
from optimizer.answers.conflict.questions import NODES, Questions
from optimizer.highs import Options
from optimizer.keys import Key, dotted, value_at
from optimizer.words import counted, figure, percent

#: What became of looking for a change of a kind: one that was tried; none that may be typed is
#: enough; one is not enough, whatever it be; or it was not settled.
Found = Literal["verified", "out-of-range", "not-alone", "undecided"]

#: How near to the best a plan is sought that shows a repair to be one.
GAP = 0.05
#: How often a figure that proves not to be enough is moved on by a step.
STEPS_ON = 4
#: Of how many nearer figures each is tried, where one that is nearer may be enough all the same.
FEW = 12
#: How often an amount is doubled until it is enough.
DOUBLINGS = 40
#: Amounts below this, of what is typed, are arithmetic.
DUST = 1e-6


@dataclass(frozen=True)
class Repair:
    """A change of one limit, or why there is none.

    Attributes
    ----------
    limit : Limit
        Which limit gives.
    found : str
        See :data:`Found`.
    edits : mapping of Key to object
        What is typed then; ``REMOVED`` where it is taken out.
    was, then, by : str
        What was typed, what is typed then, and the difference, in words.
    step : float or None
        Of an amount, the figure to which it is rounded outwards.
    least : float or None
        Of an amount, the least that is enough, before it is rounded.
    cheapest : bool
        Whether it is proved that no smaller step of the kind is enough.
    value_musd : float or None
        What the plan is worth that shows it, which need not be the best.
    """

    limit: Limit
    found: Found
    edits: Edits
    was: str
    then: str = ""
    by: str = ""
    step: float | None = None
    least: float | None = None
    cheapest: bool = False
    value_musd: float | None = None

    @property
    def changes(self) -> dict[str, Any]:
        """What is typed then, by dotted key; None where a key or an item is taken out."""
        return {
            dotted(key): None if value is REMOVED else value for key, value in self.edits.items()
        }


@dataclass(frozen=True)
class _Try:
    """One change that may be enough."""

    edits: Edits
    then: str
    by: str
    step: float | None = None
    least: float | None = None


class Mender:
    """Looks for the cheapest change of each limit of a clash.

    Parameters
    ----------
    questions : Questions
        Asks whether there is a plan.
    beside : mapping of Key to object
        What is changed besides: the mending of other clashes.
    """

    def __init__(self, questions: Questions, beside: Edits | None = None) -> None:
        self.questions = questions
        self.beside = dict(beside or {})
        self._is_open = False

    def repair(self, limit: Limit) -> Repair:
        """Find the cheapest change of a limit that alone makes a plan possible."""
        was = typed_text(limit, limit.held)
        alone = self._verdict(limit.free)
        if alone != "feasible" and limit.relaxes:
            found: Found = "not-alone" if alone == "infeasible" else "undecided"
            return Repair(limit, found, {}, was)
        self._is_open = False
        if limit.way in ("amount", "count"):
            mended = self._amount(limit, was)
        else:
            mended = self._nearest(limit, was, list(_choices(self.questions, limit)))
        if mended is None and limit.parts[:2] == ("commitments", "contracts"):
            released = _Try(limit.free, "not signed", "released")
            mended = self._nearest(limit, was, [released])
        if mended is not None:
            return mended
        if self._is_open or self.questions.is_over or alone == "undecided":
            return Repair(limit, "undecided", {}, was)
        return Repair(limit, "out-of-range" if alone == "feasible" else "not-alone", {}, was)

    def _verdict(self, edits: Edits) -> str:
        """Say whether a change is enough; what neither is nor is refused is left open."""
        verdict = self.questions.verdict({**self.beside, **edits})
        if verdict == "undecided" and self.questions.accepted(edits) is not None:
            self._is_open = True
        return verdict

    def _verified(self, limit: Limit, was: str, tried: _Try, *, cheapest: bool) -> Repair | None:
        """Type a change into the instance and solve it; None where that gives no plan."""
        solved = self.questions.solved(tried.edits, GAP, self.beside)
        if solved is None or solved.status not in ("solved", "best-found"):
            proved = solved is None or solved.status == "infeasible"
            self._is_open = self._is_open or not proved or self.questions.is_over
            return None
        return Repair(
            limit, "verified", tried.edits, was, tried.then, tried.by, tried.step, tried.least,
            cheapest, solved.value_musd,
        )  # fmt: skip

    # --- choices, the nearest first --------------------------------------------------------

    def _nearest(self, limit: Limit, was: str, tries: Sequence[_Try]) -> Repair | None:
        """Take the first change that is enough.

        Availabilities are halved between. Densities are not: with less, fewer racks fill a hall.
        """
        first = 0
        if limit.way == "nines":
            first = _first(len(tries), lambda i: self._verdict(tries[i].edits) == "feasible")
        proved = not first or self._verdict(tries[first - 1].edits) == "infeasible"
        for tried in tries[first:]:
            verdict = self._verdict(tried.edits)
            if verdict == "feasible":
                mended = self._verified(limit, was, tried, cheapest=proved)
                if mended is not None:
                    return mended
            if self.questions.is_over:
                return None
            proved = proved and (
                verdict == "infeasible" or self.questions.accepted(tried.edits) is None
            )
        return None

    # --- amounts ---------------------------------------------------------------------------

    def _amount(self, limit: Limit, was: str) -> Repair | None:
        least = self._least(limit)
        if least is not None and math.isinf(least.amount) and not limit.relaxes:
            return None
        if least is not None and math.isfinite(least.amount):
            figures = Figures(self.questions.document, limit, step_of(limit, least.amount))
            at = figures.beyond(least.amount)
            proved = least.proved
            mended = self._from(figures, at, was, cheapest=proved, least=least.amount)
            if mended is not None:
                return mended
        return self._halved(limit, was)

    def _least(self, limit: Limit) -> Least | None:
        """Find the least amount by a program, where the figure is a limit of rows and no more."""
        unit = 1.0 if limit.whole else max(1e-3, 1e-2 * _size(limit.held))
        moved = Figures(self.questions.document, limit, unit)
        edits = [moved.by(times * unit) for times in (0.0, 1.0, 2.0)]
        if any(one is None for one in edits):
            return None
        posed = [self.questions.posed({**self.beside, **(one or {})}) for one in edits]
        typed, once, twice = posed
        if typed is None or once is None or twice is None or typed.case.limit_prices:
            return None
        q = self.questions
        options = Options(gap=NEAR, time_limit=q.budget.to_search, nodes=NODES)
        return least_amount(
            typed, (once, twice), unit, whole=limit.whole, options=options, budget=q.budget,
            stop=q.stop,
        )  # fmt: skip

    def _from(
        self, figures: Figures, at: int, was: str, *, cheapest: bool, least: float | None = None
    ) -> Repair | None:
        """Try a figure, and those just beyond it where it proves not to be enough."""
        for on in range(STEPS_ON + 1):
            edits = figures.at(at + on)
            if edits is None or self.questions.is_over:
                return None
            if on:
                cheapest = cheapest and self._is_short(figures.at(at + on - 1))
            tried = _Try(edits, figures.text(edits), figures.difference(edits), figures.step,
                         least)  # fmt: skip
            mended = self._verified(figures.limit, was, tried, cheapest=cheapest)
            if mended is not None:
                return mended
        return None

    def _is_short(self, edits: Edits | None) -> bool:
        """Whether a change is proved not to be enough."""
        return edits is not None and self._verdict(edits) == "infeasible"

    def _halved(self, limit: Limit, was: str) -> Repair | None:
        """Halve between what is not enough and what is, down to a figure one would type."""
        enough = self._doubled(limit)
        if enough is None:
            return None
        figures = Figures(self.questions.document, limit, step_of(limit, enough / 2.0))
        most = figures.beyond(enough)
        at = _first(most, lambda i: self._verdict(figures.at(i) or {}) == "feasible")
        nearer = range(at - 1, at) if limit.relaxes else range(at)
        cheapest = at == 0 or (
            len(nearer) <= FEW and all(self._is_short(figures.at(i)) for i in nearer)
        )
        return self._from(figures, at, was, cheapest=cheapest)

    def _doubled(self, limit: Limit) -> float | None:
        """Find an amount that is enough, at most twice what is not."""
        amount = 1.0 if limit.whole else 1e-3 * max(1.0, _size(limit.held))
        figures = Figures(self.questions.document, limit, amount)
        for _ in range(DOUBLINGS):
            edits = figures.by(amount)
            if edits is None:
                amount = figures.room
                edits = figures.by(amount)
                assert edits is not None
                if self._verdict(edits) == "feasible":
                    return amount
                break
            if self._verdict(edits) == "feasible":
                return amount
            if self.questions.is_over:
                return None
            amount *= 2.0
        # Where more of it may cost something, what lies between was not tried.
        self._is_open = self._is_open or not (limit.relaxes or (limit.whole and amount <= 2.0))
        return None


class Figures:
    """Figures that somebody would type in place of one, the nearest first.

    Parameters
    ----------
    document : mapping
        The complete document of the instance.
    limit : Limit
        A number, a whole number, or a number by date, of which all dates move alike.
    step : float
        Figures are its multiples; of a number by date the amounts are.
    """

    def __init__(self, document: Mapping[str, Any], limit: Limit, step: float) -> None:
        self.limit = limit
        self.step = step
        self._document = document
        self._digits = max(0, -math.floor(math.log10(step) + 1e-9))
        self._sign = 1.0 if limit.up else -1.0
        self._is_dated = isinstance(limit.held, list)

    @property
    def room(self) -> float:
        """By how much the number may move; infinite where nothing ends it."""
        end = self.limit.free.get(self.limit.parts, REMOVED)
        if self.limit.parts[:2] == ("commitments", "contracts"):
            end = LEAST_MW
        if end is REMOVED or isinstance(end, list):
            return math.inf if self.limit.up else max(0.0, float(self.limit.held))
        held = [step["value"] for step in self.limit.held] if self._is_dated else [self.limit.held]
        return min(abs(float(end) - float(value)) for value in held)

    def by(self, amount: float) -> dict[Key, Any] | None:
        """Edits that move the number by an amount; None where it may not move so far."""
        if amount > self.room * (1.0 + 1e-12):
            return None
        if self._is_dated:
            moved: Any = [
                {**one, "value": self._clean(one["value"] + self._sign * amount, more=9)}
                for one in self.limit.held
            ]
        else:
            moved = self._clean(self.limit.held + self._sign * amount, more=9)
        return self._edits(moved)

    def at(self, place: int) -> dict[Key, Any] | None:
        """Edits that type the so manieth figure; None where it lies outside the range.

        The end of the range is a figure too, where the one before it lies inside.
        """
        amount = self._amount(place)
        if amount > self.room:
            inside = place == 0 or self._amount(place - 1) < self.room
            return self.by(self.room) if inside and math.isfinite(self.room) else None
        return self.by(amount)

    def beyond(self, amount: float) -> int:
        """Place of the first figure that moves the number by at least so much."""
        place = max(0, math.floor(amount / self.step) - 1)
        while self._amount(place) < amount - 1e-6 * self.step:
            place += 1
        return place

    def _amount(self, place: int) -> float:
        """By how much the so manieth figure differs from what is typed."""
        if self._is_dated:
            return (place + 1) * self.step
        held, step = float(self.limit.held), self.step
        if self.limit.up:
            base = math.floor(held / step + 1e-9)
            return float((base + place + 1) * step - held)
        base = math.ceil(held / step - 1e-9)
        return float(held - (base - place - 1) * step)

    def _clean(self, value: float, *, more: int = 0) -> float | int:
        if self.limit.whole:
            return round(value)
        return round(value, self._digits + more)

    def _edits(self, value: Any) -> dict[Key, Any]:
        """Type a value; a contract's least MW give way with the MW that are signed."""
        edits = {self.limit.parts: value}
        if self.limit.parts[:2] == ("commitments", "contracts"):
            least = ("contracts", self.limit.where, "min_mw")
            if value < value_at(self._document, least):
                edits[least] = value
        return edits

    def text(self, edits: Edits) -> str:
        """What is typed then, in words."""
        return typed_text(self.limit, edits[self.limit.parts])

    def difference(self, edits: Edits) -> str:
        """By how much that differs, in words."""
        then, held = edits[self.limit.parts], self.limit.held
        if self._is_dated:
            then, held = then[0]["value"], held[0]["value"]
        word = "more" if then > held else "less"
        return f"{_told(abs(then - held), self.limit.unit)} {word}"


def step_of(limit: Limit, amount: float) -> float:
    """Step of the figures that somebody would type: two digits of the amount.

    Examples
    --------
    An amount of 3.1416 M$ is told in tenths, one of 123 M$ in tens.
    """
    if limit.whole:
        return 1.0
    amount = max(amount, DUST * max(1.0, _size(limit.held)))
    return float(10.0 ** (math.floor(math.log10(amount) + 1e-9) - 1))


def _size(held: Any) -> float:
    """How large a number is, or the largest of those by date."""
    values = [one["value"] for one in held] if isinstance(held, list) else [held]
    return max(abs(float(value)) for value in values)


def _first(count: int, holds: Callable[[int], bool]) -> int:
    """Find the first of so many for which something holds, once it holds for all that follow."""
    low, high = 0, count
    while low < high:
        middle = (low + high) // 2
        if holds(middle):
            high = middle
        else:
            low = middle + 1
    return low


# --- dates and choices ----------------------------------------------------------------------


def _choices(questions: Questions, limit: Limit) -> Iterator[_Try]:
    """Changes of a limit that is no amount, the nearest first."""
    if limit.is_pin:
        yield from _shorter_lines(questions, limit)
    elif limit.way in ("later", "earlier"):
        yield from _dates(questions, limit)
    elif limit.way == "nines":
        yield from _promises(limit)
    elif limit.way == "density":
        yield from _densities(questions, limit)
    elif limit.way == "all":
        yield from _others(questions, limit)
    elif limit.way == "yes":
        yield _Try({limit.parts: True}, "yes", "allowed")
    else:
        yield _Try(limit.free, "gone", "taken out")


def _shorter_lines(questions: Questions, limit: Limit) -> Iterator[_Try]:
    """A line of the plan with a smaller amount, and without the line."""
    amount = questions.pinned_amount(int(limit.parts[2]))
    for less in range(math.ceil(amount) - 1, 0, -1):
        yield _Try({limit.parts: less}, f"{less:g}", f"{amount - less:g} less")
    yield _Try(limit.free, "gone", "line taken out")


def _dates(questions: Questions, limit: Limit) -> Iterator[_Try]:
    """Starts of the next periods, or of those before, as far as they make a difference."""
    horizon = questions.loaded.instance.horizon
    start, step = month_index(horizon.start), horizon.months_per_period
    last = start + (horizon.periods - 1) * step
    held = month_index(limit.held)
    later = limit.way == "later"
    end = last if later else start
    free = limit.free.get(limit.parts, REMOVED)
    if isinstance(free, str):
        end = month_index(free)
    months = [start + i * step for i in range(horizon.periods)]
    reached = [m for m in months if (held < m <= end if later else end <= m < held)]
    if isinstance(free, str) and end not in reached and (end > held) == later:
        reached.append(end)
    for count, month in enumerate(reached if later else reversed(reached), 1):
        word = "later" if later else "earlier"
        edits: Edits = {limit.parts: month_text(month)}
        if limit.parts[-1] == "start":
            edits = started(questions.document, limit.parts, month)
        by = f"{counted(abs(month - held), 'month')} {word}"
        yield _Try(edits, month_text(month), by, step=float(count))


def _promises(limit: Limit) -> Iterator[_Try]:
    """Availabilities with two digits of downtime, the nearest first."""
    held, end = float(limit.held), float(limit.free[limit.parts])
    down, last = 1.0 - held, 1.0 - end
    steps = [round(d * 10.0**-e, e + 1) for e in range(1, 10) for d in _tenths()]
    allowed = sorted({d for d in steps if min(down, last) < d <= max(down, last)} | {last})
    allowed = [d for d in allowed if abs(d - down) > 1e-6 * down]
    for d in allowed if limit.up is False else reversed(allowed):
        value = round(1.0 - d, 11)
        yield _Try({limit.parts: value}, typed_text(limit, value), _downtime(d, down))


def _tenths() -> list[float]:
    return [i / 10.0 for i in range(10, 100)]


def _downtime(then: float, held: float) -> str:
    word = "more" if then > held else "less"
    minutes = abs(then - held) * 365.0 * 24.0 * 60.0
    return f"{figure(minutes)} min/year {word}"


def _densities(questions: Questions, limit: Limit) -> Iterator[_Try]:
    """Densities that tell one rack or fit-out from another, the nearest first."""
    i = questions.loaded.instance
    facts = Facts(i, tree_of(i))
    tenants = [x.kw_per_rack for x in i.contracts.values() if x.kw_per_rack is not None]
    densest = [f.kw_per_rack_max for f in i.fitouts.values() if f.kw_per_rack_max is not None]
    racks = [facts.rack_kw[k] for k in i.racks]
    held = float(limit.held)
    if limit.up:
        values = sorted(kw for kw in {*racks, *tenants} if kw > held)
    else:
        values = sorted((kw for kw in set(densest) if kw < held), reverse=True)
    for kw in values:
        word = "more" if kw > held else "less"
        yield _Try(
            {limit.parts: kw}, _told(kw, limit.unit), f"{_told(abs(kw - held), limit.unit)} {word}"
        )


def _others(questions: Questions, limit: Limit) -> Iterator[_Try]:
    """One more of a list, or another of few; at last anything."""
    i, held = questions.loaded.instance, limit.held
    if isinstance(held, list):
        known = i.sites if limit.parts[-1] == "sites" else i.fitouts
        for name in known:
            if name not in held:
                listed = [*held, name]
                yield _Try({limit.parts: listed}, ", ".join(listed), f"{name} too")
    else:
        for name in dict.fromkeys(f.cooling for f in i.fitouts.values() if f.workload == "ai"):
            if name != held:
                yield _Try({limit.parts: name}, name, f"{name} instead")
    yield _Try(limit.free, "any", "left open")


# --- in words -------------------------------------------------------------------------------


def typed_text(limit: Limit, value: Any) -> str:
    """What is typed, in words.

    Of a number by date the first is told.
    """
    if limit.way == "nines":
        return percent(float(value))
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list) and value and isinstance(value[0], dict):
        return f"{_told(float(value[0]['value']), limit.unit)} at first"
    if isinstance(value, list):
        return ", ".join(map(str, value))
    if isinstance(value, (int, float)):
        return _told(float(value), limit.unit)
    return str(value)


def _told(number: float, unit: str) -> str:
    """Write a number with its unit, with the digits that were typed.

    Examples
    --------
    >>> _told(23.2, "M$"), _told(1.0, "halls"), _told(0.35, "share"), _told(1200.0, "MWh")
    ('23.2 M$', '1 hall', '35 %', '1,200 MWh')
    """
    if unit == "share":
        return f"{100.0 * number:.6g} %"
    text = f"{number:,.6f}".rstrip("0").rstrip(".")
    singular = unit.removesuffix("s") if text == "1" else unit
    return f"{text} {singular}".rstrip()

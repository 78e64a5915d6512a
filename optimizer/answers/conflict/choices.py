"""Changes of a limit that is no amount: dates, choices, availabilities, lines of a plan."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

from models.derive import tree_of
from models.derive.facts import Facts
from models.instance import month_index, month_text
from optimizer.answers.conflict.edits import REMOVED, Edits
from optimizer.answers.conflict.figures import amount_text, typed_text
from optimizer.answers.conflict.limits import Limit, started
from optimizer.answers.conflict.questions import Questions
from optimizer.words import counted, figure


@dataclass(frozen=True)
class Try:
    """One change that may be enough."""

    edits: Edits
    then: str
    by: str
    step: float | None = None
    least: float | None = None


def choices(questions: Questions, limit: Limit) -> Iterator[Try]:
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
        yield Try({limit.parts: True}, "yes", "allowed")
    else:
        yield Try(limit.free, "gone", "taken out")


def _shorter_lines(questions: Questions, limit: Limit) -> Iterator[Try]:
    """A line of the plan with a smaller amount, and without the line."""
    amount = questions.pinned_amount(int(limit.parts[2]))
    for less in range(math.ceil(amount) - 1, 0, -1):
        yield Try({limit.parts: less}, f"{less:g}", f"{amount - less:g} less")
    yield Try(limit.free, "gone", "line taken out")


def _dates(questions: Questions, limit: Limit) -> Iterator[Try]:
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
    # A period in which something holds from a month on is let off by the month after its first.
    begun = 1 if limit.parts[-1] == "shares_from" else 0
    months = [start + i * step + begun for i in range(horizon.periods)]
    reached = [m for m in months if (held < m <= end if later else end <= m < held)]
    if isinstance(free, str) and end not in reached and (end > held) == later:
        reached.append(end)
    for count, month in enumerate(reached if later else reversed(reached), 1):
        word = "later" if later else "earlier"
        edits: Edits = {limit.parts: month_text(month)}
        if limit.parts[-1] == "start":
            edits = started(questions.document, limit.parts, month)
        by = f"{counted(abs(month - held), 'month')} {word}"
        yield Try(edits, month_text(month), by, step=float(count))


def _promises(limit: Limit) -> Iterator[Try]:
    """Availabilities with two digits of downtime, the nearest first."""
    held, end = float(limit.held), float(limit.free[limit.parts])
    down, last = 1.0 - held, 1.0 - end
    steps = [round(d * 10.0**-e, e + 1) for e in range(1, 10) for d in _tenths()]
    allowed = sorted({d for d in steps if min(down, last) < d <= max(down, last)} | {last})
    allowed = [d for d in allowed if abs(d - down) > 1e-6 * down]
    for d in allowed if limit.up is False else reversed(allowed):
        value = round(1.0 - d, 11)
        yield Try({limit.parts: value}, typed_text(limit, value), _downtime(d, down))


def _tenths() -> list[float]:
    return [i / 10.0 for i in range(10, 100)]


def _downtime(then: float, held: float) -> str:
    word = "more" if then > held else "less"
    minutes = abs(then - held) * 365.0 * 24.0 * 60.0
    return f"{figure(minutes)} min/year {word}"


def _densities(questions: Questions, limit: Limit) -> Iterator[Try]:
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
        by = f"{amount_text(abs(kw - held), limit.unit)} {'more' if kw > held else 'less'}"
        yield Try({limit.parts: kw}, amount_text(kw, limit.unit), by)


def _others(questions: Questions, limit: Limit) -> Iterator[Try]:
    """One more of a list, or another of few; at last anything."""
    i, held = questions.loaded.instance, limit.held
    if isinstance(held, list):
        known = i.sites if limit.parts[-1] == "sites" else i.fitouts
        for name in known:
            if name not in held:
                listed = [*held, name]
                yield Try({limit.parts: listed}, ", ".join(listed), f"{name} too")
    else:
        for name in dict.fromkeys(f.cooling for f in i.fitouts.values() if f.workload == "ai"):
            if name != held:
                yield Try({limit.parts: name}, name, f"{name} instead")
    yield Try(limit.free, "any", "left open")

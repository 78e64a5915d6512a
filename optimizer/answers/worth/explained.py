"""A plan explained: what binds, what more is worth, why not something else, which defaults count.

The four questions share one time limit, of which each has its part; what a question leaves goes
to the next.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import TypeVar

from models.context import Context
from optimizer.answers.worth.bench import Bench, Best
from optimizer.answers.worth.chosen import Chosen, Turn
from optimizer.answers.worth.defaults import Defaults, Moves
from optimizer.answers.worth.limits import Pressed, pressed
from optimizer.answers.worth.more import OneMore, Worth
from optimizer.answers.worth.prices import not_chosen
from optimizer.answers.worth.units import units

#: Parts of the time left, after the plan itself: for one more unit, and of what is left after
#: that for what was not chosen.
FOR_UNITS, FOR_CHOSEN = 0.4, 0.5

Item = TypeVar("Item")
#: Hears what is being worked out, and how many of it are done.
Told = Callable[[str, int], None]


@dataclass(frozen=True, eq=False)
class Explained:
    """Why a plan is what it is.

    Attributes
    ----------
    best : Best
        The best plan; what follows is empty without one.
    pressed : list of Pressed
        Limits that bind.
    worths : list of Worth
        What one more unit of each limit is worth.
    turns : list of Turn
        What would have to be different for what was not chosen.
    moves : list of Moves
        How far defaults move value, those first that move it most.
    zeros : int
        Defaults of zero, which have no part by which to move them.
    """

    best: Best
    pressed: list[Pressed] = field(default_factory=list)
    worths: list[Worth] = field(default_factory=list)
    turns: list[Turn] = field(default_factory=list)
    moves: list[Moves] = field(default_factory=list)
    zeros: int = 0

    @property
    def is_whole(self) -> bool:
        """Whether every question was answered, and proved."""
        left = (
            *(not one.is_proved for one in self.worths),
            *(not one.is_proved for one in self.turns),
            *(not one.is_proved for one in self.moves),
        )
        return self.best.solved.status == "solved" and not any(left)


def explain(bench: Bench, start: Context | None = None, told: Told | None = None) -> Explained:
    """Explain the best plan of an instance.

    Parameters
    ----------
    bench : Bench
        The instance on the bench.
    start : Context, optional
        A plan to begin from.
    told : callable, optional
        Hears what is being worked out.
    """
    tell = told or (lambda _what, _done: None)
    tell("the plan itself", 0)
    best = bench.best(bench.at({}), start)
    if best.plan is None:
        return Explained(best)
    case, defaults = best.posed.case, bench.loaded.defaults
    limits = pressed(bench.loaded, case, best.plan)
    with bench.part(FOR_UNITS):
        more = OneMore(bench, best).worths(units(bench.document))
        worths = list(_counted("one more unit", more, tell))
    with bench.part(FOR_CHOSEN):
        things = not_chosen(bench, best.posed, best.plan)
        turns = list(_counted("what was not chosen", Chosen(bench, best).turns(things), tell))
    tell("defaults", 0)
    moves = Defaults(bench, best).ranked(defaults)
    zeros = sum(1 for one in defaults if one.value == 0 and not isinstance(one.value, bool))
    return Explained(best, limits, worths, turns, moves, zeros)


def _counted(what: str, items: Iterable[Item], tell: Told) -> Iterator[Item]:
    tell(what, 0)
    for number, item in enumerate(items):
        tell(what, number + 1)
        yield item

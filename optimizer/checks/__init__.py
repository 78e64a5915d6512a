"""What no single block shows: whether an instance makes sense as a whole, before any solve."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping

from models.hours import Hours
from optimizer.checks.ages import ages
from optimizer.checks.allowed import hours_allowed
from optimizer.checks.bills import bills, charges_known
from optimizer.checks.dates import dates
from optimizer.checks.draft import Draft, Span
from optimizer.checks.early import too_early
from optimizer.checks.fits import fits
from optimizer.checks.idle import idle_keys, lead_times, lives, unused_blocks
from optimizer.checks.impossible import IMPOSSIBLE, impossibilities
from optimizer.checks.limits import CONTRADICTIONS
from optimizer.checks.money import currencies
from optimizer.checks.plants import plants
from optimizer.checks.plausible import plausibility
from optimizer.checks.promises import promises_in_time
from optimizer.checks.references import names_known
from optimizer.errors import Problem

#: Checks that look at one thing each, and hold however much of the instance reads well.
CHECKS: tuple[Callable[[Draft], Iterator[Problem]], ...] = (
    names_known,
    dates,
    *CONTRADICTIONS,
    fits,
    plants,
    bills,
    currencies,
    idle_keys,
    lead_times,
    lives,
    ages,
)


#: Checks that only a sound instance is put to.
SOUND: tuple[Callable[[Draft], Iterable[Problem]], ...] = (
    unused_blocks,
    *IMPOSSIBLE,
    too_early,
    promises_in_time,
)


def problems_of(
    draft: Draft, hours: Mapping[str, Hours], *, sound: bool, possible: bool = True
) -> list[Problem]:
    """Find all problems of an instance.

    Parameters
    ----------
    draft : Draft
        The instance as far as it could be read.
    hours : mapping of str to Hours
        Those of each power block, as far as they could be read.
    sound : bool
        Whether no error was found so far. Only a sound instance is asked whether it is
        possible at all and what in it is of no use: on a broken one the answer would mislead.
    possible : bool
        Whether an instance that can have no plan is refused. Who asks what stands in its way reads
        it all the same.
    """
    found, calm = plausibility(draft)
    found += [problem for check in CHECKS for problem in check(calm)]
    found += [*charges_known(calm, hours), *hours_allowed(calm, hours)]
    if sound and all(problem.severity == "warning" for problem in found):
        found += unused_blocks(draft)
        if possible:
            found += [*impossibilities(draft), *too_early(draft), *promises_in_time(draft)]
    return found


__all__ = ["CHECKS", "SOUND", "Draft", "Span", "problems_of"]

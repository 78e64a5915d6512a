"""Two sides compared: see :func:`compare`."""

from __future__ import annotations

from collections.abc import Callable

from optimizer.answers.compare.given import changes
from optimizer.answers.compare.plans import action_changes, contract_changes, standing_changes
from optimizer.answers.compare.side import Side
from optimizer.answers.compare.told import Compared
from optimizer.answers.compare.waterfall import by_flow, by_input, by_line
from optimizer.highs import Budget, Options


def compare(
    before: Side,
    after: Side,
    options: Options | None = None,
    budget: Budget | None = None,
    tell: Callable[[str], None] = lambda _: None,
) -> Compared:
    """Compare what was given, what is done and what it is worth.

    Parameters
    ----------
    before, after, options, budget, tell
        As in :func:`optimizer.answers.compare.waterfall.by_input`.
    """
    return Compared(
        old=before.label,
        new=after.label,
        old_musd=before.value_musd,
        new_musd=after.value_musd,
        input=changes(before, after),
        standing=tuple(standing_changes(before, after)),
        actions=tuple(action_changes(before, after)),
        contracts=tuple(contract_changes(before, after)),
        lines=by_line(before, after),
        flows=by_flow(before, after),
        steps=by_input(before, after, options, budget, tell),
    )

"""The answer of a plan: contracts signed and hall states over time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from models.build import Column
from models.context import Context
from models.given import Given
from models.tree import Node
from optimizer.compiled import Model
from optimizer.sweep.point.weighed import SIGNED_MW
from optimizer.words import counted, period_of, state_of


@dataclass(frozen=True)
class Answer:
    """What a plan does with contracts and halls.

    Attributes
    ----------
    signed : frozenset of str
        Contracts signed on some path, however many MW.
    halls : tuple
        Halls in service by node and place, where there are any.
    """

    signed: frozenset[str] = frozenset()
    halls: tuple[tuple[tuple[Node, str], int], ...] = ()

    @classmethod
    def of(cls, plan: Context) -> Answer:
        """Read the answer of a plan."""
        signed = {x for (_, x), mw in plan.signed_mw.items() if float(mw) > SIGNED_MW}
        counts = ((index, round(float(count))) for index, count in plan.halls.items())
        halls = sorted((index, count) for index, count in counts if count)
        return cls(frozenset(signed), tuple(halls))

    def held(self, model: Model, pins: Mapping[Column, float]) -> dict[Column, float]:
        """Decisions that hold a plan of a case to this answer.

        A contract of the answer may be signed at any date and is not forced to be: a plan that
        leaves it out has another answer, and is then worth no less.
        """
        counts = dict(self.halls)
        held: dict[Column, float] = {}
        for name, index in model.built.columns:
            if name == "halls":
                held[name, index] = float(counts.get(index, 0))
            elif name == "signing" and index[1] not in self.signed:
                held[name, index] = 0.0
        return {**held, **pins}


def with_held(model: Model, held: Mapping[Column, float]) -> Model:
    """Hold decisions of a compiled case."""
    lower, upper = model.matrix.column_lower.copy(), model.matrix.column_upper.copy()
    place = model.layout.place
    for column, value in held.items():
        lower[place[column]] = upper[place[column]] = value
    matrix = replace(model.matrix, column_lower=lower, column_upper=upper)
    return replace(model, matrix=matrix)


def in_words(before: Answer, after: Answer, given: Given) -> str:
    """Say what is different in another answer: contracts first, then halls at the end.

    Where only dates differ, the first of them is named.
    """
    parts = [*_contracts(before, after), *_ends(before, after, given)]
    if not parts:
        parts = list(_dates(before, after, given))
    return "; ".join(parts) or "nothing"


def _contracts(before: Answer, after: Answer) -> Iterator[str]:
    gone, new = sorted(before.signed - after.signed), sorted(after.signed - before.signed)
    if new:
        yield f"{', '.join(new)} signed"
    if gone:
        yield f"{', '.join(gone)} not signed"


def _ends(before: Answer, after: Answer, given: Given) -> Iterator[str]:
    """Say which places have other numbers of AI halls at the end."""
    was, then = dict(before.halls), dict(after.halls)
    for leaf in given.tree.leaves:
        for p, workload in given.workload_of.items():
            one, other = was.get((leaf, p), 0), then.get((leaf, p), 0)
            if workload == "ai" and one != other:
                where = f"{given.hall_of[p]} {state_of(p)}"
                yield f"{where}: {counted(other, 'hall')} instead of {one}"


def _dates(before: Answer, after: Answer, given: Given) -> Iterator[str]:
    was, then = dict(before.halls), dict(after.halls)
    apart = sorted(
        (given.tree.period[n], n, p) for n, p in {*was, *then}
        if was.get((n, p), 0) != then.get((n, p), 0)
    )  # fmt: skip
    if apart:
        _, n, p = apart[0]
        other = then.get((n, p), 0)
        yield (
            f"{p}: {counted(other, 'hall')} instead of {was.get((n, p), 0)} in "
            f"{period_of(given.tree, n)}"
        )

"""What stands in the way: the least by which limits would have to give for a plan to exist.

Every limit that a planner typed may give, by one amount for all its periods; the amount costs
its share of the largest figure of the same unit in the case, and a hundred times that where halls
would have to hold more than they do. The cheapest way out names the limits that clash, and by
how much. What nobody can lift stays hard: machines that are not there
cannot run. Where even that leaves no plan, decisions that were pinned contradict the
bookkeeping, and its rows give too.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from scipy.sparse import csc_array, hstack

from models.allocation import FAMILIES, Family
from models.build import Column, Row, symbolic
from optimizer.case import Case
from optimizer.compiled import Model, compile_case
from optimizer.highs import Budget, Options, Outcome
from optimizer.matrix import Floats, Matrix, divided
from optimizer.origins import Labels, key_of
from optimizer.words import in_typed_unit, limit_words, period_of, sentence, whereabouts

#: Limits that are physics or logic: nobody can lift them.
HARD = frozenset(
    {
        "capital.loan_to_cost",
        "hosting.owner_racks_limit",
        "hosting.signing_once",
        "mining.mining_limit",
    }
)
#: What is promised: it gives as a whole, and the ramp with it.
DELIVERY = "hosting.delivery_balance"
#: What stands on the ground gives at so many times the price of money, grid and contracts.
GROUND = 100.0
#: A row of the bookkeeping gives at so many times the price of a limit.
BOOKKEEPING = 10_000.0
#: Most nodes of each run that looks for clashes, and the gap that is near enough for amounts.
NODES_FOR_CLASHES = 1000
GAP_FOR_CLASHES = 0.01
#: What gives less than this, in its own unit, is arithmetic.
DUST = 1e-6

_FAMILIES: Mapping[str, Family] = {family.name: family for family in FAMILIES}


@dataclass(frozen=True)
class Slack:
    """One column that lets a limit give, by the same amount in all its periods.

    Attributes
    ----------
    rows : tuple
        Family and index of each row.
    positions : tuple of int
        Where these rows stand in the matrix.
    signs : tuple of float
        What a unit of slack adds to each: +1 to lift it, -1 to lower it; of what is promised the
        share that is due.
    price : float
        What a unit costs.
    """

    rows: tuple[Row, ...]
    positions: tuple[int, ...]
    signs: tuple[float, ...]
    price: float


@dataclass(frozen=True)
class Clash:
    """A limit that would have to give.

    Attributes
    ----------
    limit, about, meaning : str
        Name of the family, what it is about, and what it demands.
    where : str
        Site, hall, contract and so on; empty where it holds for the whole company.
    months : tuple of str
        First months of the periods in which it would have to give.
    amount, unit : float, str
        By how much, at most in any of them.
    key : str
        Key of the instance that most likely sets it; empty where unknown.
    typed : bool
        False for bookkeeping that pinned decisions contradict.
    """

    limit: str
    about: str
    meaning: str
    where: str
    months: tuple[str, ...]
    amount: float
    unit: str
    key: str = ""
    typed: bool = True

    def __str__(self) -> str:
        when = " to ".join(dict.fromkeys((self.months[0], self.months[-1])))
        place = f", {self.where}" if self.where else ""
        return f"{self.about}{place}, {when}: would have to give {self.amount:.6g} {self.unit}"


def clashing(
    case: Case,
    *,
    pinned: Mapping[Column, float] | None = None,
    options: Options | None = None,
    budget: Budget | None = None,
    stop: threading.Event | None = None,
) -> tuple[Clash, ...]:
    """Name limits that clash, with the least by which each would have to give.

    Parameters
    ----------
    case : Case
        A case without a plan.
    pinned : mapping, optional
        Decisions that are taken already.
    options : Options, optional
        Limits of each run; a thousand nodes and a gap of a hundredth if absent.
    budget : Budget, optional
        Pays for it; unless given, the time limit of the options begins now.
    stop : threading.Event, optional
        Setting it ends the search with what is known by then.

    Returns
    -------
    tuple of Clash
        The dearest first; empty where the search found nothing before its end.
    """
    options = options or Options(gap=GAP_FOR_CLASHES, nodes=NODES_FOR_CLASHES)
    budget = budget or Budget(options.time_limit, options.grace)

    def attempt(matrix: Matrix) -> Outcome:
        timed = replace(options, time_limit=budget.left)
        return budget.run(matrix, timed, stop=stop)

    model = compile_case(case, pinned)
    if model.built.contradictions:
        return tuple(_clashes(case, _contradicted(case, model.built.contradictions)))
    for bookkeeping in (False, True):
        matrix, slacks = relax(model, bookkeeping=bookkeeping, shares=case.given.due_share)
        outcome = _cheapest(matrix, len(slacks), attempt)
        if outcome.x is not None:
            return named_gives(case, model.matrix, slacks, outcome.x)
        if outcome.status != "infeasible":
            break
    return ()


def _cheapest(matrix: Matrix, slacks: int, attempt: Callable[[Matrix], Outcome]) -> Outcome:
    """Find which limits give with everything divisible, then how much they must for whole plans.

    Only where those limits alone do not suffice for whole plans are all of them let go at once.
    """
    divisible = attempt(divided(matrix))
    if divisible.x is None:
        return divisible
    giving = divisible.x > DUST
    giving[:-slacks] = True
    held = replace(matrix, column_upper=np.where(giving, matrix.column_upper, 0.0))
    found = attempt(held)
    return found if found.x is not None else attempt(matrix)


def relax(
    model: Model,
    *,
    bookkeeping: bool = False,
    shares: Mapping[tuple[Any, ...], float] | None = None,
) -> tuple[Matrix, tuple[Slack, ...]]:
    """Let typed limits give, and let nothing else cost.

    Parameters
    ----------
    model : Model
        A compiled case.
    bookkeeping : bool
        Let the rows that only define a number give too, at a thousand times the price.
    shares : mapping, optional
        Share of a contract's MW that is due, by node and contract: a MW that is not promised is
        one less of the whole, and by the ramp in each period.

    Returns
    -------
    tuple of Matrix and tuple of Slack
        The matrix to minimise; its last columns are the slacks, in their order.
    """
    matrix = model.matrix
    slacks = tuple(_slacks(model, shares or {}, bookkeeping=bookkeeping))
    count, before = len(slacks), matrix.shape[1]
    signs = [sign for slack in slacks for sign in slack.signs]
    rows = [position for slack in slacks for position in slack.positions]
    of = np.repeat(np.arange(count), [len(slack.positions) for slack in slacks])
    columns = csc_array((signs, (rows, of)), shape=(matrix.shape[0], count))
    relaxed = replace(
        matrix,
        coefficients=csc_array(hstack([matrix.coefficients, columns])),
        column_lower=np.concatenate([matrix.column_lower, np.zeros(count)]),
        column_upper=np.concatenate([matrix.column_upper, np.full(count, np.inf)]),
        cost=np.concatenate([np.zeros(before), [slack.price for slack in slacks]]),
        offset=0.0,
        maximise=False,
        integer=np.concatenate([matrix.integer, np.zeros(count, bool)]),
        column_names=[*matrix.column_names, *(f"slack[{i}]" for i in range(count))],
        columns=(),
    )
    return relaxed, slacks


def _slacks(
    model: Model, shares: Mapping[tuple[Any, ...], float], *, bookkeeping: bool
) -> Iterator[Slack]:
    matrix, labels = model.matrix, Labels(model.built)
    rows = [labels.row(name) for name in matrix.row_names]
    sizes = _sizes(matrix, rows)
    gives: dict[tuple[str, str, float], list[int]] = {}
    for i, (name, index) in enumerate(rows):
        family = _FAMILIES[name]
        if (family.limit and name not in HARD) or bookkeeping:
            where = whereabouts(family.letters, index)
            if np.isfinite(matrix.row_upper[i]):
                gives.setdefault((name, where, -1.0), []).append(i)
            if np.isfinite(matrix.row_lower[i]):
                gives.setdefault((name, where, 1.0), []).append(i)
    for (name, _, sign), places in gives.items():
        typed = _FAMILIES[name].limit and name not in HARD
        dear = (GROUND if name.startswith("racks.") else 1.0) if typed else BOOKKEEPING
        price = dear / sizes[limit_words(name).unit]
        signs = [sign * (shares.get(rows[i][1], 1.0) if name == DELIVERY else 1.0) for i in places]
        yield Slack(tuple(rows[i] for i in places), tuple(places), tuple(signs), price)


def _sizes(matrix: Matrix, rows: Sequence[Row]) -> dict[str, float]:
    """Largest limit of each unit, at least one."""
    sizes: dict[str, float] = {}
    for (family, _), *limits in zip(rows, matrix.row_lower, matrix.row_upper, strict=True):
        unit = limit_words(family).unit
        largest = max((abs(float(x)) for x in limits if np.isfinite(x)), default=0.0)
        sizes[unit] = max(sizes.get(unit, 1.0), largest)
    return sizes


def named_gives(
    case: Case, matrix: Matrix, slacks: Sequence[Slack], x: Floats
) -> tuple[Clash, ...]:
    """Say in words which limits a point of the relaxed case lets give, the dearest first."""
    return tuple(_clashes(case, _given_way(matrix, slacks, x)))


#: Rows of one limit that give, the amount, and what that costs.
_Give = tuple[tuple[Row, ...], float, float]


def _given_way(matrix: Matrix, slacks: Sequence[Slack], x: Floats) -> Iterator[_Give]:
    """Read which limits gave, and in which of their periods they had to."""
    before = matrix.shape[1]
    activity = matrix.coefficients @ x[:before]
    for slack, taken in zip(slacks, x[before:].tolist(), strict=True):
        if taken <= DUST:
            continue
        broken = tuple(
            row
            for row, i, sign in zip(slack.rows, slack.positions, slack.signs, strict=True)
            if (matrix.row_lower[i] - activity[i] if sign > 0 else activity[i]
                - matrix.row_upper[i]) > DUST
        )  # fmt: skip
        yield broken or slack.rows, taken, slack.price * taken


def _contradicted(case: Case, rows: Iterable[Row]) -> Iterator[_Give]:
    """By how much the data alone break relations that hold no unknown."""
    wanted = set(rows)
    context, _ = symbolic(case.given)
    for name in dict.fromkeys(family for family, _ in wanted):
        for index, relation in _FAMILIES[name].relations(context):
            if (name, index) in wanted:
                excess = float(relation.excess())
                yield ((name, index),), excess, excess


def _clashes(case: Case, gives: Iterable[_Give]) -> Iterator[Clash]:
    """Say in words what gives, the dearest first."""
    for rows, amount, _ in sorted(gives, key=lambda give: -give[2]):
        name, index = rows[0]
        family, words = _FAMILIES[name], limit_words(name)
        at = family.letters.index("n")
        months = (period_of(case.given.tree, index[at]) for _, index in rows)
        much, unit = in_typed_unit(case.given, name, index, amount)
        yield Clash(
            name, words.phrase, sentence(family), whereabouts(family.letters, index),
            tuple(dict.fromkeys(months)), much, unit, key_of(case, rows[0], None),
            typed=family.limit,
        )  # fmt: skip


__all__ = ["Clash", "Slack", "clashing", "named_gives", "relax"]

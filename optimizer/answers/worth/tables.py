"""What a plan's explanation comes to, as tables for files and as objects for programs."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from optimizer.answers.worth.chosen import Turn
from optimizer.answers.worth.defaults import Moves, Side
from optimizer.answers.worth.explained import Explained
from optimizer.answers.worth.limits import Pressed
from optimizer.answers.worth.more import Worth
from optimizer.load import Loaded
from optimizer.plan.frames import frame

if TYPE_CHECKING:
    from pandas import DataFrame


#: Whether something holds, in words.
BINDS: Mapping[bool | None, str] = {None: "", True: "yes", False: "no"}


@dataclass(frozen=True)
class LimitRow:
    """One limit that binds, as a row.

    Attributes
    ----------
    limit, about, where : str
        Name of the family, what it is about, and site, hall, contract and so on.
    first_month, last_month, periods : str, str, int
        When it binds.
    least, most, unit : float, float, str
        What it allows then, in ``unit``.
    key, file, line : str, str, str
        Key that sets it, and where that was typed.
    """

    limit: str
    about: str
    where: str
    first_month: str
    last_month: str
    periods: int
    least: float
    most: float
    unit: str
    key: str
    file: str
    line: str


@dataclass(frozen=True)
class UnitRow:
    """What one more unit is worth, as a row.

    Attributes
    ----------
    key, what, where : str
        Key of the limit, what there is more of, and whose it is.
    amount, unit : float, str
        How much more.
    before, after : str
        What the key holds, as JSON.
    verdict : str
        See :data:`optimizer.answers.worth.more.Verdict`.
    resolved_musd : float
        Best plan with it less the best without, each from a solve of its own.
    at_least_musd, at_most_musd : float
        What both gaps leave open.
    is_proved : str
        ``yes`` where what is said of it is proved, else ``no``.
    margin_musd : float
        The same unit at the rate of its first step, whole decisions held.
    binds : str
        ``yes``, ``no``, or nothing where the change makes other unknowns.
    limits_in_the_solve : int
        How many limits the solve gave room to at once; none where nothing moves.
    file, line, message : str
        Where the key was typed, and why the value is not known.
    """

    key: str
    what: str
    where: str
    amount: float
    unit: str
    before: str
    after: str
    verdict: str
    resolved_musd: float | None
    at_least_musd: float | None
    at_most_musd: float | None
    is_proved: str
    margin_musd: float | None
    binds: str
    limits_in_the_solve: int
    file: str
    line: str
    message: str


@dataclass(frozen=True)
class ChosenRow:
    """What it would take for something to be chosen, as a row.

    Attributes
    ----------
    kind, name, key : str
        What, and the key of its price.
    unit : str
        Unit of the prices.
    price, chosen_at, not_chosen_at : float
        Its price today, one at which a plan with it is proved to be the best, and the nearest at
        which none is.
    verdict : str
        See :data:`optimizer.answers.worth.chosen.Verdict`.
    loss_musd : float
        What the best plan with it is worth less than the best, at today's price; nothing where
        one of the two plans is not proved.
    loss_at_least_musd, loss_at_most_musd : float
        What the bounds of both plans leave open of that.
    lacks_musd : float
        Where it is never chosen, what it would have to bring beyond the most welcome price.
    taken_then : float
        How often it is taken at ``chosen_at``; of a contract, the MW signed.
    file, line, message : str
        Where the price was typed, and why it cannot be.
    """

    kind: str
    name: str
    key: str
    unit: str
    price: float
    chosen_at: float | None
    not_chosen_at: float | None
    verdict: str
    loss_musd: float | None
    loss_at_least_musd: float | None
    loss_at_most_musd: float | None
    lacks_musd: float | None
    taken_then: float | None
    file: str
    line: str
    message: str


@dataclass(frozen=True)
class DefaultRow:
    """How far a default moves value, as a row.

    Attributes
    ----------
    key, value, step : str
        The default, what it is, and how it is moved.
    down, up : str
        What it is on either side.
    down_musd, up_musd : float
        By how much the best plan is then worth more.
    verdict : str
        See :data:`optimizer.answers.worth.defaults.Verdict`.
    is_proved : str
        ``yes`` where what is said of it is proved, else ``no``.
    moves_at_most_musd : float
        How much it can move value at most; nothing where nothing tells.
    source, message : str
        Where the default comes from, and why a side is not known.
    """

    key: str
    value: str
    step: str
    down: str
    up: str
    down_musd: float | None
    up_musd: float | None
    verdict: str
    is_proved: str
    moves_at_most_musd: float | None
    source: str
    message: str


def tables_of(loaded: Loaded, found: Explained) -> Mapping[str, DataFrame]:
    """Lay an explanation out as tables, by the names of their files."""
    return {
        "explain_limits": frame(LimitRow, map(_limit, found.pressed)),
        "explain_one_more_unit": frame(UnitRow, (_unit(loaded, one) for one in found.worths)),
        "explain_not_chosen": frame(ChosenRow, (_turn(loaded, one) for one in found.turns)),
        "explain_defaults": frame(DefaultRow, map(_moves, found.moves)),
    }


def objects_of(tables: Mapping[str, DataFrame]) -> dict[str, Any]:
    """Give the same tables as lists of objects."""
    return {
        name.removeprefix("explain_"): [
            {str(key): None if value != value else value for key, value in row.items()}
            for row in table.to_dict(orient="records")
        ]
        for name, table in tables.items()
    }


def _limit(one: Pressed) -> LimitRow:
    return LimitRow(
        one.limit, one.about, one.where, one.months[0], one.months[-1], len(one.months),
        one.least, one.most, one.unit, one.key, one.file, _line(one.line),
    )  # fmt: skip


def _unit(loaded: Loaded, one: Worth) -> UnitRow:
    unit = one.unit
    file, line = loaded.where(unit.key)
    return UnitRow(
        unit.key, unit.what, unit.where, unit.amount, unit.unit, json.dumps(unit.before),
        json.dumps(unit.after), one.verdict, one.musd, _finite(one.at_least_musd),
        _finite(one.at_most_musd), BINDS[one.is_proved], one.margin_musd, BINDS[one.binds],
        one.together, file, _line(line), one.message,
    )  # fmt: skip


def _turn(loaded: Loaded, one: Turn) -> ChosenRow:
    thing = one.thing
    file, line = loaded.where(thing.key)
    return ChosenRow(
        thing.kind, thing.name, thing.key, thing.unit, thing.price, one.price, one.not_at,
        one.verdict, one.loss_musd, _finite(one.loss_at_least_musd),
        _finite(one.loss_at_most_musd), one.lacks_musd, _finite(one.amount), file, _line(line),
        one.message,
    )  # fmt: skip


def _moves(one: Moves) -> DefaultRow:
    def value(side: Side | None) -> str:
        return "" if side is None else json.dumps(side.value)

    messages: Iterable[str] = dict.fromkeys(side.message for side in one.sides if side.message)
    most = one.may_move
    return DefaultRow(
        one.default.key, json.dumps(one.default.value), one.step, value(one.down), value(one.up),
        None if one.down is None else one.down.musd, None if one.up is None else one.up.musd,
        one.verdict, BINDS[one.is_proved], _finite(most), one.default.source,
        "; ".join(messages),
    )  # fmt: skip


def _finite(number: float | None) -> float | None:
    return None if number is None or not math.isfinite(number) else number


def _line(line: int | None) -> str:
    return "" if line is None else str(line)

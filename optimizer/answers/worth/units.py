"""What one more unit is, of everything that a planner limited: a MW, a dollar, a month, a hall.

Every change names the keys that it moves and what they hold before and after. Months count by
whole periods, as lead times round up to them.

What may clash is a catalogue of its own (:mod:`optimizer.answers.conflict.limits`): it words what
is typed and not what there is more of, in another order, and knows how a limit is freed. Which
keys stand in one of them alone is written down in a test.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from models.instance import month_index, month_text
from optimizer.keys import Key, dotted, value_at
from optimizer.sweep.design.keys import ABSENT, Found, find
from optimizer.sweep.points import Json


@dataclass(frozen=True)
class Unit:
    """One more unit of something that is limited.

    Attributes
    ----------
    key : str
        Dotted key of the limit.
    what : str
        What there is more of, in words.
    where : str
        Site, hall, contract and so on; empty where it holds for the company.
    before, after : JSON
        What the key holds.
    amount, unit : float, str
        How much more that is.
    changes : mapping of str to JSON
        Every key that is changed; none where a contract is offered once more.
    again : str
        Contract that is offered once more.
    """

    key: str
    what: str
    where: str
    before: Json
    after: Json
    amount: float
    unit: str
    changes: Mapping[str, Json]
    again: str = ""


#: By how much a value moves: the new value and the amount; None where it cannot.
Move = Callable[[Found, "Calendar"], tuple[Json, float] | None]


@dataclass(frozen=True)
class Calendar:
    """Months of a period, the first of the horizon, and the month after its last."""

    months: int
    start: int
    end: int

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> Calendar:
        """Read it off a document."""
        horizon = document["horizon"]
        start, months = month_index(horizon["start"]), int(horizon["months_per_period"])
        return cls(months, start, start + months * int(horizon["periods"]))


def by(step: float, *, least: float = -math.inf, most: float = math.inf) -> Move:
    """Move a number, or all values of a path, by a step as far as a limit lets it."""

    def moved(value: float) -> float:
        return min(most, max(least, round(value + step, 9)))

    def move(found: Found, _: Calendar) -> tuple[Json, float] | None:
        held = found.held
        if isinstance(held, list):
            return [{**item, "value": moved(float(item["value"]))} for item in held], abs(step)
        if not isinstance(held, int | float) or isinstance(held, bool):
            return None
        new = moved(float(held))
        amount = round(abs(new - float(held)), 9)
        if amount < 1e-9:
            return None
        return (int(new) if found.kind.what == "count" else new), amount

    return move


def _sooner(found: Found, calendar: Calendar) -> tuple[Json, float] | None:
    """Shorten a lead time by the months that make it one period less."""
    held = int(found.held)
    periods = -(-held // calendar.months)
    new = (periods - 1) * calendar.months
    return None if held <= 0 else (new, float(held - new))


def _month(sign: int, stop: str = "") -> Move:
    """Move a month by one period, up to the month that another key of the block holds."""

    def move(found: Found, calendar: Calendar) -> tuple[Json, float] | None:
        held = month_index(str(found.held))
        counts = calendar.start < held if sign < 0 else held < calendar.end
        if not counts:
            return None
        new = held + sign * calendar.months
        if stop:
            new = min(new, month_index(stop))
        return None if new == held else (month_text(new), float(abs(new - held)))

    return move


def _lifted(value: Json) -> Move:
    """Set a switch."""

    def move(found: Found, _: Calendar) -> tuple[Json, float] | None:
        return None if found.held == value else (value, 1.0)

    return move


@dataclass(frozen=True)
class Kind:
    """One kind of limit: where it stands, how it moves, and what that is called."""

    pattern: str
    what: str
    unit: str
    move: Move
    #: Whether it limits a plan where nobody typed it, too: by the default of the format.
    always: bool = False


#: Everything that a planner may limit, the dearest first.
KINDS: tuple[Kind, ...] = (
    Kind("finance.capex_budget_musd", "capex budget", "M$", by(1.0)),
    Kind("finance.capex_budget_by_period.*.musd", "capex budget of a span", "M$", by(1.0)),
    Kind("finance.capex_budget_by_site_musd.*", "capex budget of the site", "M$", by(1.0)),
    Kind("finance.minimum_cash_musd", "less cash that must be held", "M$", by(-1.0, least=0.0)),
    Kind("finance.opening_cash_musd", "cash at the start", "M$", by(1.0)),
    Kind("finance.loan.limit_musd", "limit of the loan", "M$", by(1.0)),
    Kind(
        "finance.loan.loan_to_cost_share",
        "share of capex that the loan pays",
        "share",
        by(0.01, most=1.0),
    ),
    Kind("finance.loan.draw_until", "later last draw of the loan", "months", _month(1)),
    Kind("sites.*.firm_mw", "firm grid MW", "MW", by(1.0)),
    Kind("sites.*.interruptible_mw", "interruptible grid MW", "MW", by(1.0)),
    Kind("sites.*.mining_mw_max", "grid MW granted to mining", "MW", by(1.0)),
    Kind("sites.*.ai_mw_max", "grid MW granted to AI", "MW", by(1.0)),
    Kind("sites.*.substation_mw", "MW of the substation", "MW", by(1.0)),
    Kind("sites.*.fibre", "fibre at the site", "", _lifted(True)),
    Kind("contracts.*.max_mw", "MW that the tenant takes", "MW", by(1.0)),
    Kind("contracts.*.min_mw", "lower least MW", "MW", by(-1.0, least=0.05)),
    Kind("contracts.*.sign_by", "later last month to sign", "months", _month(1)),
    Kind("contracts.*.latest_delivery", "later last delivery", "months", _month(1)),
    Kind("gpu_cloud.*.demand_limit_mw", "demand for GPU-hours", "MW", by(1.0)),
    Kind("projects.*.max_units", "units of the project", "units", by(1), always=True),
    Kind("projects.*.months", "shorter time to build", "months", _sooner),
    Kind("projects.*.earliest", "earlier first order", "months", _month(-1)),
    Kind("projects.*.latest", "later last order", "months", _month(1)),
    Kind("halls.*.count", "halls", "halls", by(1)),
    Kind("halls.*.it_mw", "IT MW in each hall", "MW", by(1.0)),
    Kind("halls.*.rack_positions", "rack positions in each hall", "positions", by(1.0)),
    Kind("halls.*.convertible", "halls that may be converted", "", _lifted(True)),
    Kind("fitouts.*.works_months", "shorter works", "months", _sooner),
    Kind("uptime.packages.*.works_months", "shorter works of the package", "months", _sooner),
    Kind("uptime.components.*.works_months", "shorter works of a unit", "months", _sooner),
    Kind("uptime.subsystems.*.spares_max", "spare units", "units", by(1), always=True),
    Kind("racks.*.delivery_months", "sooner delivery", "months", _sooner),
    Kind("racks.*.buyable", "racks that may be bought", "", _lifted(True)),
    Kind("racks.*.buy_from", "earlier first order", "months", _month(-1)),
    Kind("racks.*.buy_until", "later last order", "months", _month(1)),
    Kind("power.*.energy_cap_mwh_per_year", "energy of a year", "MWh", by(1000.0)),
    Kind("power.*.carbon.cap_tonnes_per_year", "carbon of a year", "t", by(1000.0)),
    Kind("power.*.programmes.*.mw", "MW that the programme pays for", "MW", by(1.0)),
    Kind("power.*.generation.*.mw", "MW of own generation", "MW", by(1.0)),
    Kind("power.*.generation.*.hours_per_year_max", "hours of own generation", "hours", by(10.0)),
    Kind("policy.mining_share_min", "lower least share of mining", "share", by(-0.01, least=0.0)),
    Kind("policy.mining_share_max", "most share of mining", "share", by(0.01, most=1.0)),
    Kind("policy.ai_share_min", "lower least share of AI", "share", by(-0.01, least=0.0)),
    Kind("policy.ai_share_max", "most share of AI", "share", by(0.01, most=1.0)),
    Kind("policy.reuse_gpus", "GPU racks may be rebuilt", "", _lifted(True)),
    Kind("policy.reuse_halls", "mining halls may become AI halls", "", _lifted(True)),
    Kind("policy.reuse_power", "AI may use the MW of today", "", _lifted(True)),
)


def units(document: Mapping[str, Any]) -> list[Unit]:
    """List one more unit of everything that a document limits.

    Parameters
    ----------
    document : mapping
        The complete document of an instance.

    Returns
    -------
    list of Unit
        In the order of :data:`KINDS`, then contracts that might be offered once more, and sites
        that might be let change.
    """
    calendar = Calendar.of(document)
    found = [unit for kind in KINDS for unit in _of_kind(document, kind, calendar)]
    return [*found, *_once_more(document), *_let_change(document)]


def _of_kind(document: Mapping[str, Any], kind: Kind, calendar: Calendar) -> Iterator[Unit]:
    for held in find(document, kind.pattern)[0]:
        if held.held is ABSENT and kind.always:
            held = replace(held, held=held.base)
        if held.held is ABSENT:
            continue
        moved = kind.move(held, calendar)
        if moved is not None and kind.pattern == "contracts.*.sign_by":
            moved = _month(1, value_at(document, (*held.key[:-1], "start")))(held, calendar)
        if moved is None:
            continue
        after, amount = moved
        yield Unit(held.text, kind.what, _where(held.key), held.held, after, amount, kind.unit,
                   {held.text: after})  # fmt: skip


def _where(key: Key) -> str:
    """Name whom a key is of: what stands between its table and its last part."""
    inner = [str(part) for part in key[1:-1] if str(part) not in ("loan", "carbon")]
    if key[:2] == ("finance", "capex_budget_by_site_musd"):
        return str(key[-1])
    return " ".join(inner[1:] if key[0] == "uptime" else inner)


def _once_more(document: Mapping[str, Any]) -> Iterator[Unit]:
    owed = document.get("commitments", {}).get("contracts", [])
    signed = {item["contract"] for item in owed}
    for name in document.get("contracts", {}):
        if name not in signed:
            yield Unit(f"contracts.{name}", "the same contract once more", name, 1, 2, 1.0,
                       "contracts", {}, again=name)  # fmt: skip


def _let_change(document: Mapping[str, Any]) -> Iterator[Unit]:
    kept = document.get("policy", {}).get("keep_sites", [])
    for site in kept:
        rest = [other for other in kept if other != site]
        key = dotted(("policy", "keep_sites"))
        yield Unit(key, "the site need not stay as it is", site, kept, rest, 1.0, "",
                   {key: rest})  # fmt: skip

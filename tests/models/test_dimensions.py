"""The algebra read on quantities with units: both sides of every relation agree.

MW, hours, millions of dollars, racks, halls and positions are base units here, unrelated to kW
or dollars, so that neither a conversion nor a coincidence can hide a mistake.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, replace
from typing import Any

import pint
import pytest

from models.allocation import FAMILIES, Family, objective
from models.context import Context
from models.decisions import DECISIONS
from models.given import Given
from models.relation import Relation
from tests.models.tiny import rich

UNITS = pint.UnitRegistry(None)
for unit in ("MW", "kW", "hour", "MUSD", "BUSD", "rack", "hall", "position", "unit"):
    UNITS.define(f"{unit} = [{unit}]")

RICH = rich()
#: Unit of every number that is given, and of every decision.
GIVEN_UNITS = {f.name: f.metadata["unit"] for f in fields(Given) if "float" in str(f.type)}
DECISION_UNITS = {decision.name: decision.unit for decision in DECISIONS}
#: Given numbers that no family reads: they have done their work when bands and terms are made.
UNREAD = {
    "price_growth",
    "exchange",
    "ai_adder",
    "charge",
    "ppa_size",
    "year_cap",
    "ppa_price",
    "ppa_fee",
    "ppa_offer",
    "ppa_fuel",
    "peak_floor",
}

Units = Mapping[str, str]


def with_unit(value: Any, unit: str) -> Any:
    """Put a unit on a number, or on every number of a table, however nested."""
    if isinstance(value, Mapping):
        return {key: with_unit(one, unit) for key, one in value.items()}
    if isinstance(value, tuple):
        return tuple(with_unit(one, unit) for one in value)
    return UNITS.Quantity(value, unit)


def context(given_units: Units = GIVEN_UNITS, decision_units: Units = DECISION_UNITS) -> Context:
    """Read the case that has everything on quantities."""
    tables = {name: with_unit(getattr(RICH, name), unit) for name, unit in given_units.items()}
    decided = {
        decision.name: {
            tuple(index): UNITS.Quantity(1.0, decision_units[decision.name])
            for index in decision.over(RICH)
        }
        for decision in DECISIONS
    }
    return Context(given=replace(RICH, **tables), **decided)


def agree(left: Any, right: Any) -> bool:
    """Whether two numbers have one dimension; a bare zero has every one."""
    bare = [x for x in (left, right) if not isinstance(x, pint.Quantity)]
    if any(x == 0 for x in bare):
        return True
    return bool(UNITS.Quantity(left).dimensionality == UNITS.Quantity(right).dimensionality)


def disagreements(family: Family, c: Context) -> list[str]:
    """Relations of a family whose sides, or terms, differ in dimension."""
    found: list[str] = []
    for index in family.over(RICH):
        try:
            relation: Relation = family.rule(c, *index)
        except pint.DimensionalityError as error:
            found.append(f"{family.name}{index}: {error}")
        else:
            if not agree(relation.left, relation.right):
                found.append(f"{family.name}{index}: {relation.left} {relation.right}")
    return found


def caught(c: Context) -> bool:
    """Whether some family or the objective notices a wrong unit."""
    if any(disagreements(family, c) for family in FAMILIES):
        return True
    try:
        return not agree(objective(c), UNITS.Quantity(1.0, "MUSD"))
    except pint.DimensionalityError:
        return True


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.name)
def test_both_sides_of_a_family_have_one_dimension(family: Family) -> None:
    assert list(family.over(RICH)), "the case must have such rows"
    assert disagreements(family, context()) == []


def test_the_objective_is_money() -> None:
    assert objective(context()).dimensionality == UNITS.Quantity(1.0, "MUSD").dimensionality


@pytest.mark.parametrize("name", sorted(set(GIVEN_UNITS) - UNREAD))
def test_a_wrong_unit_of_a_given_number_is_caught(name: str) -> None:
    wrong = {**GIVEN_UNITS, name: f"{GIVEN_UNITS[name] or 'dimensionless'} * rack"}
    assert caught(context(given_units=wrong))


@pytest.mark.parametrize("name", sorted(DECISION_UNITS))
def test_a_wrong_unit_of_a_decision_is_caught(name: str) -> None:
    wrong = {**DECISION_UNITS, name: f"{DECISION_UNITS[name] or 'dimensionless'} * rack"}
    assert caught(context(decision_units=wrong))


@pytest.mark.parametrize(
    ("name", "unit"),
    [
        ("hall_mw", "MW"),
        ("price", "MUSD/MW"),
        ("hours", ""),
        ("rent", "MUSD/MW/hour"),
        ("rack_mw", "position/rack"),
        ("tenant_positions", "MW/position"),
        ("resale_end", "MUSD"),
        ("loan_interest", "MUSD"),
    ],
)
def test_a_unit_mistaken_as_people_do_is_caught(name: str, unit: str) -> None:
    assert caught(context(given_units={**GIVEN_UNITS, name: unit}))


def test_units_that_no_family_reads_are_those_known() -> None:
    for name in UNREAD:
        assert not caught(context(given_units={**GIVEN_UNITS, name: "rack"}))


def test_a_forgotten_factor_is_caught() -> None:
    c = context()

    def without_hours(c: Context, n: int, s: str) -> Relation:
        earned = c.given.mining_revenue[n, "rig"] * c.racks[n, "h:mine", "rig"]
        return Relation(c.margin[n, s], "==", earned)

    forgetful = replace(
        next(f for f in FAMILIES if f.name == "capital.margin_balance"), rule=without_hours
    )
    assert disagreements(forgetful, c)

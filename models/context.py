"""What a family reads: the numbers that are given and the numbers that are decided."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from models.given import Given
from models.relation import Number

Values = Mapping[Any, Number]


@dataclass(frozen=True)
class Context:
    """Given and decided, in one reading: unknowns, floats, or quantities with units.

    The fields after ``given`` are the decisions of :mod:`models.decisions`, by their index.
    """

    given: Given
    halls: Values
    conversions: Values
    builds: Values
    racks: Values
    orders: Values
    sales: Values
    leaving: Values
    arriving: Values
    filled: Values
    mining: Values
    billed: Values
    unused: Values
    used: Values
    earned: Values
    committed: Values
    hosting: Values
    cloud: Values
    reserved: Values
    plant_orders: Values
    held: Values
    served: Values
    promised: Values
    began: Values
    fees: Values
    newcomer_fees: Values
    pool: Values
    pool_load: Values
    curtailed: Values
    signing: Values
    signed_mw: Values
    shortfall: Values
    hosts: Values
    mines: Values
    both: Values
    entered: Values
    both_company: Values
    capex: Values
    margin: Values
    cash: Values
    debt: Values
    draw: Values
    repay: Values
    kept: Values
    lasting: Values
    released: Values
    runs_on: Values
    held_on: Values
    units_lasting: Values
    units_released: Values

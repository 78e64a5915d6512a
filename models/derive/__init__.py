"""From what a person typed to the coherent numbers that the families read.

Units change here and nowhere else: kW to MW, dollars to millions, months to periods (rounded
up), J/TH and a hashprice to revenue per MWh. Whatever a case excludes by its nature (a rack
that a fit-out cannot cool, a contract that a package cannot promise, an order that would land
beyond the horizon) is left out of the index sets here, so that no row is needed to forbid it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from models.derive import (
    capital,
    energy,
    grid,
    halls,
    hosting,
    mining,
    racks,
    service_credits,
    uptime,
)
from models.derive.facts import (
    NO_PACKAGE,
    SHELL,
    Facts,
    Place,
    periods,
    place_name,
    tree_of,
)
from models.given import Given

__all__ = [
    "NO_PACKAGE",
    "SHELL",
    "Derivation",
    "Facts",
    "Place",
    "periods",
    "place_name",
    "tree_of",
]

#: Tables that need the bands' hours and prices; filled by :func:`models.terms.with_terms`.
_EMPTY_TERMS: Mapping[str, Any] = {
    "due_share": {},
    "may_slip": frozenset(),
    "rent": {},
    "delay_damages": {},
    "hosting_energy": {},
    "hosting_service": {},
    "prepayment_credit": {},
    "tail_margin": {},
    "tail_credit": {},
    "tail_months": {},
    "racks_lasting": {},
    "cloud_revenue": {},
    "cloud_energy": {},
    "residual_ends": {},
    "site_ends": {},
    "lasting_opex": {},
    "hall_residual": {},
    "project_residual": {},
    "plant_residual": {},
    "lasting_unit_opex": {},
    "fees_most": {},
    "tail_fees": {},
    "learning_tail": {},
    "rack_tail_loss": {},
    "ai_draw": {},
    "cloud_draw": {},
}


class Derivation(Facts):
    """Steps from an instance and its tree to :class:`models.given.Given`."""

    def given(self) -> Given:
        """All numbers but those that follow from hours and dates (:mod:`models.terms`)."""
        tables = {name: table for part in PARTS for name, table in part(self).items()}
        return Given(**tables, halls_parkable=halls.parkable(tables))


def _time(d: Derivation) -> dict[str, Any]:
    t = d.tree
    return {
        "tree": t,
        "discount_start": {n: d.discounted(t.first_month(n)) for n in t.nodes},
        "discount_mid": {n: d.discounted(t.first_month(n) + t.months / 2) for n in t.nodes},
        "discount_end": {n: d.discounted(t.end_month(n)) for n in t.leaves},
        "probability": dict(enumerate(t.probability)),
    }


def _without_terms(_: Derivation) -> dict[str, Any]:
    return dict(_EMPTY_TERMS)


#: What fills the tables, each part some of them, from the instance alone.
PARTS: tuple[Callable[[Derivation], dict[str, Any]], ...] = (
    _time,
    halls.tables,
    racks.tables,
    grid.tables,
    mining.tables,
    energy.tables,
    hosting.tables,
    uptime.tables,
    service_credits.tables,
    capital.tables,
    _without_terms,
)

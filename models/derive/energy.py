"""Numbers of :mod:`models.energy`: demand charges, and agreements with their months and prices."""

from __future__ import annotations

from typing import Any

from models.derive.facts import Facts
from models.given import PEAK_FLOOR
from models.instance import Ppa, month_index
from models.tree import Node
from models.units import KW_PER_MW, USD_PER_MUSD


def tables(d: Facts) -> dict[str, Any]:
    """Tables of the bill but those that come with the hours."""
    supply = {s: d.i.power[site.power or s] for s, site in d.i.sites.items()}
    agreements = {
        (s, str(i)): agreement
        for s, block in supply.items()
        for i, agreement in enumerate(block.ppa, 1)
    }
    programmes = {
        (s, f"offer-{i}"): programme
        for s, block in supply.items()
        for i, programme in enumerate(block.programmes, 1)
    }
    generators = {
        (s, f"gen-{i}"): generation
        for s, block in supply.items()
        for i, generation in enumerate(block.generation, 1)
    }
    floors = {
        s: block.coincident_peak.billing_floor_share
        for s, block in supply.items()
        if block.coincident_peak is not None and block.coincident_peak.billing_floor_share
    }
    billed = {s for s, block in supply.items() if block.demand_charge_usd_per_kw_month}
    return {
        "bill_months": {
            (n, s): tuple(month % 12 + 1 for month in _months(d, n))
            for n in d.tree.nodes
            for s in d.i.sites
            if s in billed
        },
        "bill_month": {},
        "demand_charge": {
            s: supply[s].demand_charge_usd_per_kw_month * KW_PER_MW / USD_PER_MUSD for s in billed
        },
        "billing_floor": {s: supply[s].billing_floor_share for s in billed},
        "ppas": {
            s: (
                *(a for t, a in (*agreements, *generators, *programmes) if t == s),
                *((PEAK_FLOOR,) if s in floors else ()),
            )
            for s in d.i.sites
        },
        "paid_to_stop": frozenset(s for s, _ in programmes),
        "ppa_offer": {
            key: programme.usd_per_mwh / USD_PER_MUSD
            for key, programme in programmes.items()
            if programme.usd_per_mwh is not None
        },
        "peak_floor": floors,
        "ppa_size": {
            key: block.mw for key, block in (agreements | generators | programmes).items()
        },
        "ppa_fuel": {
            key: generation.fuel_usd_per_mwh / USD_PER_MUSD
            for key, generation in generators.items()
        },
        "ppa_price": {
            (n, s, a, month % 12 + 1): _price(agreement, month, d.tree.start)
            for n in d.tree.nodes
            for month in _months(d, n)
            for (s, a), agreement in agreements.items()
            if _runs(agreement, month)
        },
        "ppa_fee": {
            key: agreement.sale_fee_usd_per_mwh / USD_PER_MUSD
            for key, agreement in agreements.items()
            if agreement.unused == "sold"
        },
        "ppa_mw": {},
        "ppa_loss": {},
        "ppa_gain": {},
        "charge": {},
    }


def _months(d: Facts, n: Node) -> range:
    return range(d.tree.first_month(n), d.tree.end_month(n))


def _runs(agreement: Ppa, month: int) -> bool:
    begun = agreement.from_ is None or month_index(agreement.from_) <= month
    return begun and (agreement.until is None or month <= month_index(agreement.until))


def _price(agreement: Ppa, month: int, start: int) -> float:
    """Price in M$/MWh, which rises at each anniversary of the first month."""
    first = start if agreement.from_ is None else month_index(agreement.from_)
    years = (month - first) // 12
    risen: float = (1.0 + agreement.escalator_per_year) ** years
    return agreement.price_usd_per_mwh * risen / USD_PER_MUSD

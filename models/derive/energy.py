"""Numbers of :mod:`models.energy`: demand charges, and agreements with their months and prices."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from models.charges import THOUSANDTHS, year_limited
from models.derive.facts import Facts
from models.given import PEAK_FLOOR
from models.instance import Generation, Power, Ppa, month_index
from models.tree import Node
from models.units import KW_PER_MW, USD_PER_MUSD

#: Blocks of power that are counted alike, by site and by a name of their own.
Blocks = dict[tuple[str, str], Any]


def tables(d: Facts) -> dict[str, Any]:
    """Tables of the bill but those that come with the hours."""
    supply = {s: d.i.power[site.power or s] for s, site in d.i.sites.items()}
    return {
        **_demand(d, supply),
        **_blocks(d, supply),
        **_years(d, supply),
        "ppa_mw": {},
        "ppa_loss": {},
        "ppa_gain": {},
        "charge": {},
        "stopped": {},
        "called": {},
        "commitment_pay": {},
    }


def _demand(d: Facts, supply: Mapping[str, Power]) -> dict[str, Any]:
    """Charges on the highest MW of a month."""
    billed = {s: b for s, b in supply.items() if b.demand_charge_usd_per_kw_month}
    return {
        "bill_months": {
            (n, s): tuple(month % 12 + 1 for month in _months(d, n))
            for n in d.tree.nodes
            for s in billed
        },
        "bill_month": {},
        "demand_charge": {
            s: block.demand_charge_usd_per_kw_month * KW_PER_MW / USD_PER_MUSD
            for s, block in billed.items()
        },
        "billing_floor": {s: block.billing_floor_share for s, block in billed.items()},
    }


def _blocks(d: Facts, supply: Mapping[str, Power]) -> dict[str, Any]:
    """Agreements bought ahead, and what is counted as they are."""
    agreements = _numbered(supply, "ppa", "")
    generators = _numbered(supply, "generation", "gen-")
    offers = _numbered(supply, "programmes", "offer-")
    programmes = {key: block for key, block in offers.items() if not block.commitment}
    committed = {key: block for key, block in offers.items() if block.commitment}
    floors = {
        s: block.coincident_peak.billing_floor_share
        for s, block in supply.items()
        if block.coincident_peak is not None and block.coincident_peak.billing_floor_share
    }
    known = agreements | generators | programmes
    return {
        "ppas": {
            s: (*(a for t, a in known if t == s), *((PEAK_FLOOR,) if s in floors else ()))
            for s in d.i.sites
        },
        "ppa_size": {key: block.mw for key, block in known.items()},
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
        "ppa_fuel": {
            key: generation.fuel_usd_per_mwh / USD_PER_MUSD
            for key, generation in generators.items()
        },
        "only_in_cuts": frozenset(
            key for key, generation in generators.items() if not generation.against_prices
        ),
        "ppa_profile": {
            key: generation.profile
            for key, generation in generators.items()
            if generation.profile is not None
        },
        "ppa_offer": {
            key: programme.usd_per_mwh / USD_PER_MUSD
            for key, programme in offers.items()
            if programme.usd_per_mwh is not None
        },
        "paid_to_stop": frozenset(s for s, _ in programmes),
        "commitments": {s: tuple(a for t, a in committed if t == s) for s in d.i.sites},
        "commitment_size": {key: block.mw for key, block in committed.items()},
        "peak_floor": floors,
    }


def _years(d: Facts, supply: Mapping[str, Power]) -> dict[str, Any]:
    """Limits on the energy of a year, in thousandths of each."""
    limited = {s for s, block in supply.items() if year_limited(block)}
    t = d.tree
    together = max(1, 12 // t.months)
    span = {
        (year[-1], s): tuple(year)
        for leaf in t.leaves
        for year in _chunks(t.path(leaf), together)
        for s in d.i.sites
        if s in limited
    }
    own_use = {
        (s, a): use
        for (s, a), generation in _numbered(supply, "generation", "gen-").items()
        if (use := _own_use(supply[s], generation))
    }
    return {
        "limited": frozenset(limited),
        "year_span": span,
        "year_limit": {
            key: THOUSANDTHS * len(nodes) * t.months / 12 for key, nodes in span.items()
        },
        "year_cap": {s: _cap(supply[s])[0] for s in limited},
        "year_unit": {s: _cap(supply[s])[1] for s in limited},
        "own_use": own_use,
        "stands_in": frozenset(key for key, use in own_use.items() if use < 0),
        "draw_use": {},
        "tangents": {},
        "tangent_bands": {},
        "tangent_price": {},
    }


def _cap(power: Power) -> tuple[float, str]:
    """Limit of a year as it was typed, and its unit."""
    if power.energy_cap_mwh_per_year is not None:
        return power.energy_cap_mwh_per_year, "MWh"
    if power.carbon is not None and power.carbon.cap_tonnes_per_year is not None:
        return power.carbon.cap_tonnes_per_year, "t"
    hours = (generation.hours_per_year_max for generation in power.generation)
    return next(most for most in hours if most is not None), "hours"


def _chunks(nodes: Sequence[Node], size: int) -> list[Sequence[Node]]:
    return [nodes[i : i + size] for i in range(0, len(nodes), size)]


def _own_use(power: Power, generation: Generation) -> float:
    """Thousandths of a year's limit that a MWh generated uses up, or spares."""
    if generation.hours_per_year_max is not None:
        return THOUSANDTHS / (generation.hours_per_year_max * generation.mw)
    if power.energy_cap_mwh_per_year is not None:
        return -THOUSANDTHS / power.energy_cap_mwh_per_year
    return 0.0


def _numbered(supply: Mapping[str, Power], key: str, prefix: str) -> Blocks:
    return {
        (s, f"{prefix}{i}"): block
        for s, power in supply.items()
        for i, block in enumerate(getattr(power, key), 1)
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

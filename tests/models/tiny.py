"""A case small enough for paper: one site, two hall groups, one mining rack, two GPU racks.

Its numbers are round. A mining rack draws 1 MW and costs 0.5 M$, a quarter of it at order; it
earns 100 $/MWh, and a MWh costs 40 $, 5 $ of wires and 2 $ more for mining, 3 $ more for AI. A
hall holds 4 MW of mining or 2 MW of AI. Periods are years of 8,760 hours. Every works and every
delivery takes a period.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from models.allowed import at_site
from models.called import ordered
from models.charges import charged
from models.derive import Derivation, tree_of
from models.given import Given, Site
from models.hours import Hours, flat
from models.instance import Instance
from models.terms import with_terms
from models.tree import Tree
from optimizer.bands import merge
from optimizer.yearly import in_tangents

Typed = dict[str, Any]

MINE, AI = "h:mine", "h:ai+n1"
BARN_MINE, BARN_AI = "barn:mine", "barn:ai+n1"
HOURS = 8760.0

BASE: Typed = {
    "instance": {"name": "tiny"},
    "horizon": {"start": "2029-01", "periods": 3, "months_per_period": 12},
    "finance": {"discount_per_year": 0.0, "opening_cash_musd": 100.0},
    "bitcoin": {"hashprice_usd_per_ph_day": 48.0, "pool_fee_share": 0.0},
    "machines": {
        "m": {
            "th_per_s": 100.0, "watt": 2000.0, "price_usd_per_th": 10.0, "cooling": "air",
            "life_months": 24, "resale_usd_per_th": 2.0, "availability_share": 0.9,
        },
    },
    "racks": {
        "rig": {
            "workload": "mining", "machine": "m", "machines_per_rack": 500,
            "deposit_share": 0.25, "delivery_months": 12,
        },
        "gpu": {
            "workload": "ai", "cooling": "liquid", "gpus_per_rack": 8, "kw": 100.0,
            "price_usd": 400_000.0, "delivery_months": 12, "life_months": 60,
            "resale_usd": 50_000.0,
        },
    },
    "fitouts": {
        "mine": {
            "workload": "mining", "cooling": "air", "it_share_of_present": 1.0,
            "capex_usd_per_kw": 300.0, "works_months": 12, "pue": 1.05, "pue_peak": 1.1,
            "opex_usd_per_kw_year": 10.0, "life_months": 60,
        },
        "ai": {
            "workload": "ai", "cooling": "liquid", "it_share_of_present": 0.5,
            "capex_usd_per_kw": 2000.0, "works_months": 12, "pue": 1.2, "pue_peak": 1.3,
            "opex_usd_per_kw_year": 50.0, "life_months": 120,
        },
    },
    "uptime": {
        "packages": {
            "n1": {
                "availability": 0.999, "capex_usd_per_kw": 500.0, "opex_usd_per_kw_year": 5.0,
            },
        },
    },
    "sites": {"a": {"firm_mw": 8.0, "interruptible_mw": 4.0}},
    "halls": {
        "h": {"site": "a", "count": 2, "it_mw": 4.0, "rack_positions": 10.0, "fitout": "mine"},
    },
    "fleet": [{"hall": "h", "rack": "rig", "racks": 6}],
    "power": {
        "a": {
            "flat_usd_per_mwh": 40.0, "adder_usd_per_mwh": 5.0, "mining_adder_usd_per_mwh": 2.0,
            "ai_adder_usd_per_mwh": 3.0,
        },
    },
}  # fmt: skip

#: A second hall group of one hall, so that racks have somewhere to move.
BARN: Typed = {"site": "a", "count": 1, "it_mw": 4.0, "fitout": "mine"}
#: A tenant's contract from the second period on, beyond the horizon by two years.
LEASE: Typed = {
    "racks_by": "tenant", "min_mw": 1.0, "max_mw": 3.0, "sign_by": "2029-06", "start": "2030-01",
    "months": 48, "rate_usd_per_kw_month": 100.0, "load_factor_share": 0.8,
    "staff_usd_per_kw_month": 5.0, "availability": 0.999,
}  # fmt: skip
#: The same, served by racks that the owner buys.
OWNED: Typed = {**LEASE, "racks_by": "owner", "racks": ["gpu"]}
#: A plant of chillers of 2 MW, each down 2 hours in ten thousand, under a hall of 99.95 %.
PLANT: Typed = {
    "packages": {"n1": {"availability": 0.9995}},
    "components": {
        "chiller": {
            "unit_mw": 2.0, "availability": 0.9998, "hours_to_repair": 4.0,
            "common_cause_share": 0.0, "capex_usd_per_kw": 400.0, "opex_usd_per_kw_year": 10.0,
            "works_months": 12, "life_months": 120,
        },
    },
    "subsystems": {"cool": {"level": "site", "components": ["chiller"], "spares_max": 1}},
}  # fmt: skip
#: Two blocks of 5 MW that AI and mining share, each down one hundredth of the time.
BLOCK: Typed = {
    "unit_mw": 5.0, "availability": 0.99, "hours_to_repair": 4.0, "common_cause_share": 0.0,
    "capex_usd_per_kw": 100.0, "works_months": 12, "life_months": 120,
}  # fmt: skip
POOLED: Typed = {
    "packages": {"n1": {"availability": 0.9995}},
    "components": {"block": BLOCK},
    "subsystems": {
        "blocks": {"level": "site", "components": ["block"], "spares_max": 0, "pooled": True},
    },
}
#: People who err an hour in ten thousand, three times as often at first, half as much more a
#: year later.
CREW: Typed = {
    "packages": {"n1": {"availability": 0.9995}},
    "components": {
        "people": {"availability": 0.9999, "hours_to_repair": 1.0, "newcomer_factor": 3.0,
                   "learning_months": 12.0},
    },
    "subsystems": {"crew": {"level": "company", "components": ["people"]}},
}  # fmt: skip
#: A second GPU rack, into which the first can be rebuilt in a year.
DENSE: Typed = {**BASE["racks"]["gpu"], "gpus_per_rack": 16, "price_usd": 600_000.0}
REBUILD: Typed = {"rack": "dense", "cost_usd": 20_000.0, "months": 12}


def tiny(**overrides: Any) -> Instance:
    """Build the small instance, with changes.

    A key reaches into blocks with a double underscore, as in ``tiny(sites__a__firm_mw=3.0)``;
    a dict is merged into what stands there, ``None`` removes it, anything else replaces it.
    """
    typed = BASE
    for key, value in overrides.items():
        change = value
        for name in reversed(key.split("__")):
            change = {name: change}
        typed = merged(typed, change)
    return Instance.model_validate(typed)


def merged(typed: Typed, change: Mapping[str, Any]) -> Typed:
    """Merge a change into typed blocks, without touching them."""
    result = dict(typed)
    for key, value in change.items():
        if value is None:
            result.pop(key, None)
        elif isinstance(value, dict):
            found = result.get(key, {})
            result[key] = merged(found if isinstance(found, dict) else {}, value)
        else:
            result[key] = value
    return result


def case(
    instance: Instance, tree: Tree | None = None, hours: Mapping[Site, Hours] | None = None
) -> Given:
    """Derive all numbers of an instance; prices are those it states flat, unless given."""
    derivation = Derivation(instance, tree or tree_of(instance))
    banded = merge(derivation.given(), supplied(derivation, hours))
    return with_terms(derivation, banded)


def supplied(
    derivation: Derivation, hours: Mapping[Site, Hours] | None = None
) -> dict[Site, Hours]:
    """Hours of each site, with what its bill, the grid and its contracts make of them."""
    found = {}
    for s, site in derivation.i.sites.items():
        own = derivation.i.power[site.power or s]
        priced = flat(own.flat_usd_per_mwh or 0.0) if hours is None else hours[s]
        allow = derivation.given().sheddable.get(s, ())
        found[s] = at_site(derivation, s, allow, ordered(charged(priced, own), own))
    return found


def rich() -> Given:
    """Derive a case of two branches in which every family has rows and every term appears."""
    instance = tiny(
        finance={
            "discount_per_year": 0.1,
            "minimum_cash_musd": 2.0,
            "overhead_musd_per_year": 1.5,
            "capex_budget_musd": 90.0,
            "ai_entry_cost_musd": 4.0,
            "split_cost_site_musd_per_year": 0.2,
            "split_cost_company_musd_per_year": 0.3,
            "loan": {"limit_musd": 20.0, "interest_per_year": 0.1, "fee_share": 0.02},
        },
        racks={
            "rig": {"move_usd": 1000.0},
            "gpu": {"converts_to": REBUILD},
            "dense": {**DENSE, "kw": 120.0, "positions": 3.0},
            "large": {"workload": "mining", "machine": "m", "machines_per_rack": 750},
        },
        sites__a={
            "mining_mw_max": 9.0,
            "ai_mw_max": 5.0,
            "substation_mw": 11.0,
            "fibre": False,
            "staff_musd_per_year": 0.6,
            "plant": {
                "cool": {"component": "chiller", "units": 1},
                "blocks": {"component": "block", "units": 1},
            },
        },
        halls__barn=BARN,
        projects__line={
            "site": "a",
            "adds_firm_mw": 2.0,
            "adds_interruptible_mw": 3.0,
            "adds_halls": {"hall": "barn", "count": 1},
            "adds_fibre": True,
            "capex_musd": 5.0,
            "months": 12,
            "life_months": 120,
        },
        contracts={
            "lease": {
                **LEASE,
                "kw_per_rack": 40.0,
                "sign_by": "2030-01",
                "prepayment_usd_per_kw": 240.0,
                "tenant_works_usd_per_kw": 100.0,
                "latest_delivery": "2031-01",
                "delay_usd_per_kw_month": 30.0,
                "credits": [{"below": 0.999, "share": 0.2}],
                "curtailable_hours_per_year": 40.0,
            },
            "own": {**OWNED, "racks": ["gpu", "dense"]},
            "old": OWNED,
        },
        gpu_cloud__gpu={
            "price_usd_per_gpu_hour": 2.0,
            "utilisation_share": 0.5,
            "demand_limit_mw": 1.0,
        },
        commitments={
            "racks": [
                {"hall": "h", "rack": "rig", "racks": 1, "delivery": "2030-01", "due_musd": 0.4},
                {"hall": "h", "rack": "gpu", "racks": 4, "delivery": "2031-01"},
            ],
            "works": [
                {"hall": "h", "halls": 1, "fitout": "ai", "package": "n1", "ready": "2030-01"}
            ],
            "debt": [
                {"name": "d", "month": "2030-07", "principal_musd": 3.0, "interest_musd": 0.5},
                {"name": "d", "month": "2033-07", "principal_musd": 3.0},
            ],
            "contracts": [{"contract": "old", "mw": 0.5}],
        },
        uptime=merged(merged(PLANT, POOLED), CREW),
        power__a={
            "coincident_peak": {"usd_per_kw_year": 12.0, "peaks": "4cp"},
            "carbon": {"usd_per_tonne": 5.0, "kg_per_mwh": 400.0},
            "demand_charge_usd_per_kw_month": 1.0,
            "billing_floor_share": 0.5,
            "ppa": [{"mw": 3.0, "price_usd_per_mwh": 30.0, "unused": "lost"}],
            "generation": [{"mw": 1.0, "fuel_usd_per_mwh": 50.0}],
            "energy_cap_mwh_per_year": 50_000.0,
            "programmes": [
                {"mw": 2.0, "usd_per_mwh": 5.0, "commitment": True, "called_hours_per_year": 100.0}
            ],
        },
        policy={
            "mining_share_min": 0.1,
            "mining_share_max": 0.9,
            "reuse_power": False,
            "halves": "of-the-sites",
        },
        uptime__packages__n0={"availability": 0.99, "capex_usd_per_kw": 0.0},
    )
    fillings = ({"rig": 4.0}, {"rig": 1.0, "large": 2.0})
    mixes = ({"rig": 0.25, "large": 0.375},)
    unworn = {(0, BARN_MINE, "rig"): 0.0}
    given = case(instance, fork(instance))
    hours = supplied(Derivation(instance, fork(instance)))
    # What hours earn is bounded in one of the last periods, and banded in the others.
    bounded = in_tangents(given, hours, {(given.nodes[-1], "a"): (1e-3,)})
    # Either halves are asked for in a case, never both.
    halved = {"a": 10.0}
    return replace(
        bounded, mixes={MINE: mixes}, fillings={MINE: fillings}, racks_unworn=unworn,
        largest_half_mw=halved,
        half_apart_mw={(n, "a"): 10.0 for n in given.nodes},
    )  # fmt: skip


def fork(instance: Instance) -> Tree:
    """Two branches after the first period: nodes 0; 1, 3, 5 … and 2, 4, 6 …, at 60 and 40 %."""
    line = tree_of(instance)
    later = range(2 * (line.periods - 1))
    return Tree(
        parent=(None, *(max(0, n - 1) for n in later)),
        probability=(1.0, *((0.6, 0.4)[n % 2] for n in later)),
        start=line.start,
        months=line.months,
    )

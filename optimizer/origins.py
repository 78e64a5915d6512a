"""From a row and a column of the matrix back to what a person typed.

A number that no answer could be trusted on is refused by the key of the instance that it most
likely came from: the term it stands in says so, else the limit, else the decision.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

from models.allocation import FAMILIES
from models.build import Built, Column, Row
from models.charges import year_limits
from models.decisions import DECISIONS
from models.instance import Instance
from optimizer.case import Case
from optimizer.matrix import Describe

#: Keys by the term that a family writes of a decision; an empty decision is the rest of the row.
BY_TERM: Mapping[tuple[str, str], str] = {
    ("capital.capex_balance", "orders"): "{price}",
    ("capital.capex_balance", "conversions"): "fitouts.{fitout}.capex_usd_per_kw",
    ("capital.capex_balance", "leaving"): "racks.{rack}",
    ("capital.capex_balance", ""): "commitments",
    ("capital.margin_balance", "halls"): "fitouts.{fitout}.opex_usd_per_kw_year",
    ("capital.margin_balance", ""): "sites.{site}.staff_musd_per_year",
    ("grid.reservation", "hosting"): "fitouts.{fitout}.pue_peak",
    ("grid.reservation", "cloud"): "fitouts.{fitout}.pue_peak",
    ("grid.mining_use_limit", ""): "sites.{site}.mining_mw_max",
    ("grid.ai_use_limit", ""): "sites.{site}.ai_mw_max",
    ("grid.substation_limit", ""): "sites.{site}.substation_mw",
    ("grid.interconnection", ""): "sites.{site}.firm_mw",
    ("grid.firm_reservation", ""): "sites.{site}.firm_mw",
    ("grid.interconnection", "hosting"): "fitouts.{fitout}.pue_peak",
    ("grid.firm_reservation", "hosting"): "fitouts.{fitout}.pue_peak",
    ("grid.new_power_reservation", "hosting"): "fitouts.{fitout}.pue_peak",
    ("grid.whole_reservation", ""): "sites.{site}.interruptible_mw",
    ("grid.project_limit", ""): "projects.{project}.max_units",
    ("hosting.signing_floor", "signing"): "contracts.{contract}.min_mw",
    ("hosting.signing_limit", "signing"): "contracts.{contract}.max_mw",
    ("hosting.cloud_demand_limit", ""): "gpu_cloud.{rack}.demand_limit_mw",
    ("racks.position_limit", "racks"): "racks.{rack}.positions",
    ("racks.position_limit", "halls"): "halls.{hall}.rack_positions",
    ("racks.space_limit", "racks"): "{draw}",
    ("racks.whole_racks", "halls"): "{draw}",
    ("hosting.owner_racks_limit", "racks"): "{draw}",
    ("mining.mining_limit", "racks"): "{draw}",
    ("commitments.installed_limit", "racks"): "{draw}",
    ("commitments.standing_limit", "racks"): "{draw}",
    ("mining.presence", "racks"): "{draw}",
    ("capital.debt_limit", ""): "finance.loan.limit_musd",
    ("capital.cash_floor", ""): "finance.minimum_cash_musd",
    ("capital.cash_after_capex", ""): "finance.opening_cash_musd",
}
#: Keys by the decision alone: what its numbers are mostly made of.
BY_DECISION: Mapping[str, str] = {
    "halls": "halls.{hall}.it_mw",
    "conversions": "fitouts.{fitout}.capex_usd_per_kw",
    "builds": "projects.{project}",
    "racks": "{resale}",
    "orders": "{price}",
    "sales": "{resale}",
    "leaving": "racks.{rack}",
    "arriving": "racks.{rack}",
    "mining": "{hashprice}",
    "billed": "power",
    "unused": "power",
    "used": "{year_limit}",
    "earned": "{year_limit}",
    "committed": "power",
    "hosting": "contracts.{contract}",
    "cloud": "gpu_cloud.{rack}.price_usd_per_gpu_hour",
    "plant_orders": "uptime.components.{unit}.capex_usd_per_kw",
    "held": "uptime.subsystems.{part}",
    "began": "uptime.components",
    "pool": "uptime.subsystems.{part}",
    "pool_load": "uptime.subsystems.{part}",
    "curtailed": "uptime.subsystems.{part}",
    "served": "contracts.{contract}",
    "promised": "contracts.{contract}",
    "signing": "contracts.{contract}",
    "signed_mw": "contracts.{contract}",
    "shortfall": "contracts.{contract}.delay_usd_per_kw_month",
    "both": "finance.split_cost_site_musd_per_year",
    "both_company": "finance.split_cost_company_musd_per_year",
    "entered": "finance.ai_entry_cost_musd",
    "debt": "finance.loan.interest_per_year",
    "draw": "finance.loan",
    "repay": "finance.loan",
    "kept": "fitouts.{fitout}.capex_usd_per_kw",
    "lasting": "fitouts.{fitout}.opex_usd_per_kw_year",
    "released": "projects.{project}",
    "fees": "contracts.{contract}.credits",
    "newcomer_fees": "contracts.{contract}.credits",
    "runs_on": "contracts",
    "held_on": "uptime.subsystems.{part}",
    "units_lasting": "uptime.components.{unit}.opex_usd_per_kw_year",
    "units_released": "uptime.components.{unit}.life_months",
}
#: Keys by the limit alone.
BY_FAMILY: Mapping[str, str] = {
    "capital.cash_balance": "finance",
    "capital.value": "finance",
    "capital.capex_budget": "{budget}",
    "capital.loan_to_cost": "finance.loan.loan_to_cost_share",
    "commitments.size_limit": "power",
    "commitments.installed_limit": "power",
    "commitments.running_floor": "power",
    "commitments.standing_limit": "power",
    "grid.new_power_reservation": "policy.reuse_power",
    "grid.whole_new_power": "policy.reuse_power",
    "halls.fibre_limit": "sites.{site}.fibre",
    "hosting.delivery_balance": "{promise}",
    "hosting.signing_floor": "contracts.{contract}.min_mw",
    "hosting.signing_limit": "contracts.{contract}.max_mw",
    "policy.kept_racks": "policy.keep_sites",
    "policy.half_of_site_floor": "policy.halves",
    "policy.half_of_site_limit": "policy.halves",
    "policy.one_business_at_site": "policy.halves",
    "policy.ai_site_floor": "policy.halves",
    "policy.half_of_sites_floor": "policy.halves",
    "policy.half_of_sites_limit": "policy.halves",
    "policy.mining_share_floor": "{least_mining}",
    "policy.mining_share_limit": "{most_mining}",
    "yearly.year_limit": "{year_limit}",
    "uptime.carrying_limit": "uptime.subsystems.{part}",
    "uptime.plant_reservation": "uptime.subsystems.{part}",
    "uptime.standing_units": "uptime.subsystems.{part}",
    "uptime.pool_units": "uptime.subsystems.{part}",
    "uptime.pool_reservation": "uptime.subsystems.{part}",
    "uptime.pool_limit": "uptime.subsystems.{part}",
    "uptime.curtailment": "uptime.components",
    "uptime.downtime_budget": "uptime.subsystems",
    "racks.end_of_life": "{life}",
    "racks.mix_limit": "halls.{hall}",
    "racks.filled_halls": "halls.{hall}",
    "racks.filling_limit": "halls.{hall}",
    "racks.leaving_limit": "racks.{rack}",
    "racks.position_limit": "halls.{hall}.rack_positions",
    "racks.space_limit": "halls.{hall}.it_mw",
    "racks.tail_life": "{life}",
    "racks.whole_racks": "halls.{hall}",
}
_LETTERS = {row.name: row.letters for row in FAMILIES} | {d.name: d.letters for d in DECISIONS}


class Labels:
    """What the names of Pyomo's rows and columns stand for."""

    def __init__(self, built: Built) -> None:
        self._rows: dict[str, list[Row]] = {}
        self._columns: dict[str, list[Column]] = {}
        for row in built.rows:
            self._rows.setdefault(row[0].replace(".", "_"), []).append(row)
        for column in built.columns:
            self._columns.setdefault(column[0], []).append(column)

    def row(self, name: str) -> Row:
        """Family and index of a row."""
        component, position = _component(name)
        return self._rows[component][position]

    def column(self, name: str) -> Column:
        """Decision and index of a column."""
        component, position = _component(name)
        return self._columns[component][position]


def _component(name: str) -> tuple[str, int]:
    component, _, position = name.removesuffix("]").partition("[")
    return component, int(position)


def origins_in(case: Case, built: Built) -> Describe:
    """Give the pre-flight the keys of a built case: by the names of a row and a column."""
    labels = cache(lambda: Labels(built))

    def describe(row: str | None, column: str | None) -> str:
        return key_of(
            case,
            None if row is None else labels().row(row),
            None if column is None else labels().column(column),
        )

    return describe


def key_of(case: Case, row: Row | None, column: Column | None) -> str:
    """Name the key of the instance that a number most likely came from; empty where unknown.

    Parameters
    ----------
    case : Case
        What is given.
    row : Row or None
        Family and index of the row; None for the objective.
    column : Column or None
        Decision and index of the column; None for the limit of a row.
    """
    family, decision = row[0] if row else "capital.value", column[0] if column else ""
    template = (
        BY_TERM.get((family, decision)) or BY_DECISION.get(decision) or BY_FAMILY.get(family) or ""
    )
    names = _names(case, row) | _names(case, column)
    try:
        return template.format_map(names)
    except KeyError:
        return template.partition(".{")[0] if "." in template else ""


def _names(case: Case, part: Row | Column | None) -> dict[str, str]:
    """Read an index by its letters; of two places or rack types the later one counts."""
    names = _single_keys(case.instance)
    if part is None or part[0] not in _LETTERS:
        return names
    for letter, value in zip(_LETTERS[part[0]], part[1], strict=False):
        names |= _named(case, letter, value)
    return names


def _named(case: Case, letter: str, value: Any) -> dict[str, str]:
    simple = {"f": "fitout", "j": "project", "d": "part", "u": "unit"}
    g = case.given
    if letter in ("c", "e"):
        return {"contract": value, "promise": _promise_key(case.instance, value)}
    if letter == "s":
        return {"site": value, "year_limit": _year_limit_key(case.instance, value)}
    if letter == "h":
        return {"hall": value, "site": case.instance.halls[value].site}
    if letter == "i":
        return {"budget": _budget_key(value)}
    if letter == "p" and value in g.site_of:
        return {"site": g.site_of[value], "hall": g.hall_of[value], "fitout": g.fitout_of[value]}
    if letter == "k" and value in case.instance.racks:
        return {"rack": value} | _rack_keys(case, value)
    return {simple[letter]: value} if letter in simple else {}


def _rack_keys(case: Case, k: str) -> dict[str, str]:
    """Keys of a rack's figures: its own, or its machines' where those weigh more."""
    rack = case.instance.racks[k]
    own = f"racks.{k}"
    if rack.machine is None:
        return {
            "price": f"{own}.price_usd",
            "draw": f"{own}.kw",
            "resale": f"{own}.resale_usd",
            "life": f"{own}.life_months",
        }
    machine = f"machines.{rack.machine}"
    mostly_own = rack.price_usd > case.derivation.price_usd(k) / 2
    draws = "watt" if case.instance.machines[rack.machine].watt is not None else "j_per_th"
    return {
        "price": f"{own}.price_usd" if mostly_own else f"{machine}.price_usd_per_th",
        "draw": f"{machine}.{draws}",
        "life": f"{own if rack.life_months is not None else machine}.life_months",
        "resale": f"{own}.resale_usd"
        if rack.resale_usd is not None
        else f"{machine}.resale_usd_per_th",
    }


def _promise_key(instance: Instance, contract: str) -> str:
    """Key of the MW that are owed under a contract: as signed, else as offered."""
    for position, signed in enumerate(instance.commitments.contracts):
        if signed.contract == contract:
            return f"commitments.contracts.{position}.mw"
    return f"contracts.{contract}"


def _year_limit_key(instance: Instance, site: str) -> str:
    """Key of the limit on a site's energy of a year."""
    name = instance.sites[site].power or site
    limits = year_limits(instance.power[name])
    return ".".join(map(str, ("power", name, *(limits[0] if limits else ()))))


def _budget_key(budget: str) -> str:
    """Key of a capex budget, by the name that the derivation gives it."""
    kind, _, of = budget.partition(" ")
    return {
        "site": f"finance.capex_budget_by_site_musd.{of}",
        "from": "finance.capex_budget_by_period",
    }.get(kind, "finance.capex_budget_musd")


def _single_keys(instance: Instance) -> dict[str, str]:
    """Keys that a person could type in one of two ways, as this one did."""
    hashprice = instance.bitcoin.hashprice_usd_per_ph_day is not None
    policy = instance.policy
    return {
        "hashprice": f"bitcoin.{'hashprice_usd_per_ph_day' if hashprice else 'btc_price_usd'}",
        "least_mining": "policy.ai_share_max"
        if policy.mining_share_min is None
        else "policy.mining_share_min",
        "most_mining": "policy.ai_share_min"
        if policy.mining_share_max is None
        else "policy.mining_share_max",
    }

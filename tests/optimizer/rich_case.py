"""A case with everything in it: three sites, moves, rebuilds, contracts, a loan, projects."""

from __future__ import annotations

from typing import Any

import numpy as np

from models.hours import Hours
from models.instance import Instance
from optimizer.case import Case, prepare

TYPED: dict[str, Any] = {
    "instance": {"name": "rich"},
    "horizon": {"start": "2027-01", "periods": 6, "months_per_period": 6},
    "finance": {
        "discount_per_year": 0.1, "opening_cash_musd": 40.0, "minimum_cash_musd": 5.0,
        "capex_budget_musd": 260.0, "capex_budget_by_site_musd": {"west": 170.0},
        "overhead_musd_per_year": 3.0, "ai_entry_cost_musd": 4.0,
        "split_cost_company_musd_per_year": 1.0, "split_cost_site_musd_per_year": 0.5,
        "loan": {"limit_musd": 120.0, "interest_per_year": 0.08, "loan_to_cost_share": 0.6,
                 "fee_share": 0.01, "draw_until": "2028-12"},
    },
    "commitments": {
        "racks": [{"hall": "w1", "rack": "s21", "racks": 4, "delivery": "2027-06",
                   "due_musd": 2.0}],
        "works": [{"hall": "e1", "halls": 1, "fitout": "ai", "package": "n1",
                   "ready": "2027-07", "due_musd": 5.0}],
        "debt": [{"name": "old", "month": "2028-03", "principal_musd": 3.0,
                  "interest_musd": 0.5}],
        "contracts": [{"contract": "signed", "mw": 2.0}],
    },
    "bitcoin": {"hashprice_usd_per_ph_day": {"start": 60.0, "growth_per_month": -0.002}},
    "machines": {
        "s19": {"th_per_s": 100.0, "watt": 3000.0, "price_usd_per_th": 6.0, "cooling": "air",
                "life_months": 48, "resale_usd_per_th": 1.0, "availability_share": 0.97},
        "s21": {"th_per_s": 200.0, "watt": 3500.0, "price_usd_per_th": 14.0, "cooling": "air",
                "life_months": 60, "resale_usd_per_th": 4.0},
    },
    "racks": {
        "s19": {"workload": "mining", "machine": "s19", "machines_per_rack": 250,
                "move_usd": 5000.0, "buyable": False},
        "s21": {"workload": "mining", "machine": "s21", "machines_per_rack": 280,
                "delivery_months": 6, "move_usd": 5000.0, "deposit_share": 0.4},
        "h100": {"workload": "ai", "cooling": "liquid", "gpus_per_rack": 32, "kw": 44.0,
                 "price_usd": 1.1e6, "delivery_months": 6, "life_months": 60,
                 "resale_usd": 2.0e5},
        "old-gpu": {"workload": "ai", "cooling": "liquid", "gpus_per_rack": 64, "kw": 20.0,
                    "buyable": False, "life_months": 48, "resale_usd": 1.0e4,
                    "converts_to": {"rack": "h100", "cost_usd": 8.0e5, "months": 6}},
    },
    "fitouts": {
        "air": {"workload": "mining", "cooling": "air", "it_share_of_present": 1.0,
                "capex_usd_per_kw": 300.0, "works_months": 3, "pue": 1.05, "pue_peak": 1.1,
                "life_months": 120},
        "ai": {"workload": "ai", "cooling": "liquid", "it_share_of_present": 0.5,
               "capex_usd_per_kw": 4000.0, "works_months": 9, "pue": 1.2, "pue_peak": 1.35,
               "opex_usd_per_kw_year": 40.0, "life_months": 180},
    },
    "uptime": {"packages": {
        "n1": {"availability": 0.9998, "capex_usd_per_kw": 700.0, "outages_per_year": 1.0},
        "2n": {"availability": 0.99999, "capex_usd_per_kw": 1500.0},
    }, "components": {
        "chiller": {"unit_mw": 2.0, "failures_per_year": 0.1, "hours_to_repair": 10.0,
                    "common_cause_share": 0.05, "capex_usd_per_kw": 300.0,
                    "opex_usd_per_kw_year": 10.0, "works_months": 6},
        "block": {"unit_mw": 11.0, "failures_per_year": 0.5, "hours_to_repair": 8.0,
                  "common_cause_share": 0.02, "capex_usd_per_kw": 50.0, "works_months": 6},
        "people": {"failures_per_year": 0.1, "hours_to_repair": 1.0, "newcomer_factor": 3.0},
    }, "subsystems": {
        "crew": {"level": "company", "components": ["people"]},
        "blocks": {"level": "site", "components": ["block"], "spares_max": 0, "pooled": True,
                   "sites": ["west"]},
        "cool": {"level": "site", "components": ["chiller"], "spares_max": 1, "sites": ["east"]},
    }},
    "sites": {
        "west": {"firm_mw": 24.0, "interruptible_mw": 20.0, "fibre": False,
                 "substation_mw": 44.0, "staff_musd_per_year": 1.0,
                 "plant": {"blocks": {"component": "block", "units": 3}}},
        "east": {"firm_mw": 22.0, "mining_mw_max": 16.0, "ai_mw_max": 12.0,
                 "plant": {"cool": {"component": "chiller", "units": 1}}},
        "south": {"firm_mw": 3.0},
    },
    "projects": {
        "west-fibre": {"site": "west", "adds_fibre": True, "capex_musd": 1.0, "months": 6,
                       "life_months": 240},
        "west-firm": {"site": "west", "adds_firm_mw": 6.0, "capex_musd": 3.0, "months": 12,
                      "max_units": 2, "life_months": 300},
        "east-shell": {"site": "east", "adds_halls": {"hall": "e2", "count": 1},
                       "capex_musd": 2.0, "months": 6, "life_months": 300},
    },
    "halls": {
        "w1": {"site": "west", "count": 3, "it_mw": 10.0, "fitout": "air",
               "rack_positions": 400.0},
        "w2": {"site": "west", "count": 1, "it_mw": 12.0, "fitout": "air",
               "convertible": False},
        "e1": {"site": "east", "count": 2, "it_mw": 10.0, "fitout": "air"},
        "e2": {"site": "east", "count": 0, "it_mw": 6.0, "fitouts": ["ai"]},
        "s1": {"site": "south", "count": 1, "it_mw": 4.0, "fitout": "air",
               "convertible": False},
    },
    "fleet": [
        {"hall": "w1", "rack": "s19", "racks": 25, "age_months": 30},
        {"hall": "w2", "rack": "s21", "racks": 10, "age_months": 6},
        {"hall": "e1", "rack": "s19", "racks": 12, "age_months": 36},
        {"hall": "s1", "rack": "s19", "racks": 3, "age_months": 24},
        {"hall": "e1", "rack": "old-gpu", "racks": 20, "age_months": 24},
    ],
    "power": {
        "west": {"prices": "drawn", "adder_usd_per_mwh": 5.0, "mining_adder_usd_per_mwh": 1.0,
                 "coincident_peak": {"usd_per_kw_year": 20.0, "peaks": "4cp"},
                 "carbon": {"usd_per_tonne": 3.0, "kg_per_mwh": 350.0}},
        "east": {"flat_usd_per_mwh": 38.0, "growth_per_year": 0.02,
                 "demand_charge_usd_per_kw_month": 1.5, "billing_floor_share": 0.3,
                 "ppa": [{"mw": 6.0, "price_usd_per_mwh": 33.0, "unused": "lost",
                          "until": "2029-06"}]},
        "south": {"prices": "drawn",
                  "emergency": {"hours_per_year": 20.0, "restart_hours": 2},
                  "programmes": [{"mw": 1.5, "usd_per_mwh": 25.0, "commitment": True,
                                  "called_hours_per_year": 200.0}]},
    },
    "contracts": {
        "signed": {"racks_by": "tenant", "min_mw": 1.0, "max_mw": 4.0, "sign_by": "2027-01",
                   "start": "2027-07", "months": 48, "rate_usd_per_kw_month": 160.0,
                   "availability": 0.999, "sites": ["east"],
                   "credits": [{"below": 0.999, "share": 0.5}]},
        "lease": {"racks_by": "tenant", "min_mw": 4.0, "max_mw": 9.5, "sign_by": "2027-07",
                  "start": "2028-07", "latest_delivery": "2029-01",
                  "delay_usd_per_kw_month": 30.0, "months": 96, "rate_usd_per_kw_month": 150.0,
                  "power_passed_through": True, "availability": 0.9999,
                  "curtailable_hours_per_year": 150.0,
                  "ramp": [{"after_months": 0, "share": 0.5}, {"after_months": 9, "share": 1.0}],
                  "prepayment_usd_per_kw": 300.0, "prepayment_credit_months": 24,
                  "tenant_works_usd_per_kw": 100.0, "sites": ["west"],
                  "credits": [{"below": 0.9999, "share": 0.1}, {"below": 0.99, "share": 0.3}],
                  "escalator_per_year": 0.03},
        "gpus": {"racks_by": "owner", "racks": ["h100"], "min_mw": 0.4, "max_mw": 1.3,
                 "sign_by": "2027-07", "start": "2028-01", "months": 36,
                 "rate_usd_per_gpu_hour": 2.6, "take_or_pay_share": 0.9,
                 "load_factor_share": 0.8, "availability": 0.999,
                 "curtailable_hours_per_year": 30.0,
                 "credits": [{"below": 0.995, "share": 0.2}]},
    },
    "gpu_cloud": {"h100": {"price_usd_per_gpu_hour": 2.4, "utilisation_share": 0.8,
                           "demand_limit_mw": 0.9},
                  "old-gpu": {"price_usd_per_gpu_hour": 0.25, "utilisation_share": 0.5}},
    "policy": {"mining_share_min": 0.4, "shares_from": "2028-01"},
}  # fmt: skip


def drawn_hours() -> Hours:
    """A year of 8,760 priced hours with spikes, negative hours and hours of curtailment."""
    rng = np.random.default_rng(7)
    days = np.array([31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31])
    month = np.repeat(np.arange(1, 13), days * 24)
    price = rng.lognormal(3.4, 0.5, 8760) - 8.0
    price[rng.integers(0, 8760, 120)] *= 20.0
    return Hours(month, np.ones(8760), price, price > 300.0, "drawn with seed 7")


#: MWh a year that one of its sites may draw.
CAP_MWH = 90_000.0


def rich_case(*, limited: bool = False) -> Case:
    """Derive the case, with a limit on the energy of a year or without."""
    east = TYPED["power"]["east"]
    power = {**TYPED["power"], "east": {**east, "energy_cap_mwh_per_year": CAP_MWH}}
    instance = Instance.model_validate({**TYPED, "power": power} if limited else TYPED)
    month_h = np.array([31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]) * 24.0
    flat = Hours(np.arange(1, 13), month_h, np.full(12, 38.0), np.zeros(12, bool), "flat")
    return prepare(instance, {"west": drawn_hours(), "east": flat, "south": drawn_hours()})

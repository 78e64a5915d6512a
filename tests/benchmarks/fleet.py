"""A fleet of any size, to measure on: same arguments, same instance."""

from __future__ import annotations

import numpy as np

from models.hours import Hours
from models.instance import Instance

MACHINES = {
    "s19j-pro": (100.0, 3050.0, 8.0),
    "s19-xp": (140.0, 3010.0, 10.0),
    "s21": (200.0, 3500.0, 14.0),
    "s21-xp": (270.0, 3645.0, 22.0),
}


def fleet(sites: int, periods: int, groups: int = 4) -> Instance:
    """State a fleet of so many sites, quarters and hall groups a site."""
    site_names = [f"site-{i}" for i in range(sites)]
    halls = {
        f"{s}-h{j}": {"site": s, "count": 4, "it_mw": 12.5, "fitout": "mining-air"}
        for s in site_names
        for j in range(groups)
    }
    return Instance.model_validate(
        {
            "instance": {"name": "fleet"},
            "horizon": {"start": "2027-01", "periods": periods, "months_per_period": 3},
            "finance": {
                "discount_per_year": 0.12,
                "opening_cash_musd": 100.0 * sites,
                "capex_budget_musd": 80.0 * sites,
            },
            "bitcoin": {"hashprice_usd_per_ph_day": {"start": 45.0, "growth_per_month": -0.004}},
            "machines": {
                name: {
                    "th_per_s": th,
                    "watt": watt,
                    "price_usd_per_th": usd,
                    "cooling": "air",
                    "life_months": 60,
                    "resale_usd_per_th": 2.0,
                }
                for name, (th, watt, usd) in MACHINES.items()
            },
            "racks": {
                **{
                    name: {
                        "workload": "mining",
                        "machine": name,
                        "machines_per_rack": 280,
                        "delivery_months": 3,
                    }
                    for name in MACHINES
                },
                "b200": {
                    "workload": "ai",
                    "cooling": "air",
                    "gpus_per_rack": 32,
                    "kw": 57.2,
                    "price_usd": 1.7e6,
                    "life_months": 60,
                    "delivery_months": 3,
                },
            },
            "fitouts": {
                "mining-air": {
                    "workload": "mining",
                    "cooling": "air",
                    "it_share_of_present": 1.0,
                    "capex_usd_per_kw": 300.0,
                    "works_months": 3,
                    "pue": 1.05,
                    "life_months": 120,
                },
                "ai-air": {
                    "workload": "ai",
                    "cooling": "air",
                    "it_share_of_present": 0.5,
                    "capex_usd_per_kw": 5000.0,
                    "works_months": 9,
                    "pue": 1.25,
                    "life_months": 180,
                },
            },
            "sites": {s: {"firm_mw": 110.0, "interruptible_mw": 110.0} for s in site_names},
            "halls": halls,
            "fleet": [
                {"hall": h, "rack": "s19j-pro", "racks": 50, "age_months": 24} for h in halls
            ],
            "power": {s: {"flat_usd_per_mwh": 40.0} for s in site_names},
            "contracts": {
                f"lease-{s}": {
                    "racks_by": "tenant",
                    "min_mw": 12.0,
                    "max_mw": 50.0,
                    "sign_by": "2028-01",
                    "start": "2028-07",
                    "months": 120,
                    "rate_usd_per_kw_month": 130.0,
                    "power_passed_through": True,
                    "sites": [s],
                    "availability": 0.999,
                }
                for s in site_names
            },
            "gpu_cloud": {"b200": {"price_usd_per_gpu_hour": 4.0, "utilisation_share": 0.7}},
            "uptime": {
                "packages": {"n-plus-1": {"availability": 0.9999, "capex_usd_per_kw": 800.0}}
            },
        }
    )


def priced_years(seed: int, rows: int = 8760) -> Hours:
    """A year of hourly prices with spikes and negative hours, drawn with a seed."""
    rng = np.random.default_rng(seed)
    days = np.array([31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31])
    month = np.repeat(np.arange(1, 13), days * 24)[:rows]
    price = rng.lognormal(3.3, 0.6, rows) - 5.0
    price[rng.integers(0, rows, rows // 100)] *= 30.0
    return Hours(month, np.ones(rows), price, np.zeros(rows, bool), f"drawn with seed {seed}")

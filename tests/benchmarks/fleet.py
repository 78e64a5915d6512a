"""Fleets of any size, to measure on, of like sites or drawn: same arguments, same instance."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np

from models.hours import Hours
from models.instance import Instance, month_index, month_text

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


# --- fleets drawn at random ------------------------------------------------------------------

#: Machines of a drawn fleet: TH/s, W, $/TH new, $/TH in resale. Only some are still made.
DRAWN_MACHINES = {
    "s19j-pro": (100.0, 3050.0, 15.0, 1.0),
    "s19-xp": (140.0, 3010.0, 20.0, 2.0),
    "s21": (200.0, 3500.0, 13.5, 4.0),
    "s21-xp": (270.0, 3645.0, 22.0, 7.0),
}
STILL_MADE = frozenset({"s21", "s21-xp"})
MACHINES_PER_RACK = 280
#: PUE and peak PUE of mines, of AI by air and of AI by liquid, where it is warm and where not.
CLIMATES = {
    "warm": ((1.05, 1.08), (1.20, 1.45), (1.15, 1.43)),
    "cold": ((1.03, 1.05), (1.12, 1.35), (1.10, 1.33)),
}
HALL_MW = (5.0, 8.0, 10.0, 12.5, 15.0, 20.0)
START = "2027-01"
MONTHS_PER_PERIOD = 6
#: Capex, cash at the start and least cash by MW that is asked for, of which a MW costs 4 to 10.
BUDGET, CASH, LEAST_CASH = 2.8, 0.6, 0.3

#: Sites among which offers of the shipped company are split in :func:`in_want`.
SHARED = {
    "regional-texas": ("milam", "nolan"),
    "regional-canada": ("sherbrooke", "saguenay", "brooks"),
    "energy-alberta": ("brooks", "peace-river"),
    "hyperscaler-texas": ("pecos", "milam", "hale"),
    "hyperscaler-north": ("saguenay", "becancour", "boden", "ange"),
    "neocloud": ("hale", "saguenay", "boden", "ange"),
    "laboratory": ("milam", "becancour", "boden"),
}

Typed = dict[str, Any]


def random_fleet(sites: int, periods: int, halls: int = 4, seed: int = 0) -> Instance:
    """Draw a fleet of unlike sites over half-years, short of money and of AI demand.

    Sites meet in capex, in cash, in offers that several of them may serve, and in the demand for
    GPU-hours. A halving is in it as soon as it lasts three half-years.

    Parameters
    ----------
    sites : int
        How many.
    periods : int
        Half-years, at least four: tenants begin in the fourth or later.
    halls : int
        Groups of identical halls at each site.
    seed : int
        Same arguments, same instance.
    """
    return Instance.model_validate(_Drawn(sites, periods, halls, seed).typed())


def in_want(company: Instance) -> Instance:
    """Leave the shipped company half of its cash, two thirds of its loan and less a year to spend.

    Sites may also share its offers. Money then decides in every quarter what can begin at all, and
    what a site serves of an offer hangs on all others: no search tried has left less than 7.9 %.
    """
    typed = company.model_dump(mode="json", exclude_unset=True)
    money = typed["finance"]
    money["opening_cash_musd"], money["loan"]["limit_musd"] = 200, 600
    released = zip(money["capex_budget_by_period"], (220, 400, 400, 350), strict=True)
    for year, musd in released:
        year["musd"] = musd
    for name, sites in SHARED.items():
        typed["contracts"][name]["sites"] = list(sites)
    return Instance.model_validate(typed)


def drawn_hours(instance: Instance, seed: int = 0, rows: int = 8760) -> dict[str, Hours]:
    """Give each block of power of a fleet a year of hourly prices of its own.

    Wind keeps one hour in twenty at the least price, so that no machine breaks even between the
    last few hours: what it earned there would be too small a number beside the others.
    """
    drawn = {
        name: priced_years(1000 * seed + number, rows)
        for number, name in enumerate(instance.power)
    }

    def least(h: Hours) -> float:
        return float(np.quantile(h.price_usd_per_mwh, 0.05))

    return {
        name: replace(h, price_usd_per_mwh=np.maximum(h.price_usd_per_mwh, least(h)))
        for name, h in drawn.items()
    }


class _Drawn:
    """A fleet as it is drawn, block by block, from one stream of numbers."""

    def __init__(self, sites: int, periods: int, halls: int, seed: int) -> None:
        self.rng = random.Random(f"fleet {sites} {periods} {halls} {seed}")
        self.name = f"fleet-{sites}x{halls}x{periods}-{seed}"
        self.periods = periods
        self.climate = {f"site-{i:02}": self.rng.choice(list(CLIMATES)) for i in range(sites)}
        self.halls = {f"{s}-h{j}": self._hall(s) for s in self.climate for j in range(halls)}

    def typed(self) -> Typed:
        """Give what a person would have to type; to be asked for once."""
        contracts = self._contracts()
        return {
            "instance": {"name": self.name},
            "horizon": {
                "start": START,
                "periods": self.periods,
                "months_per_period": MONTHS_PER_PERIOD,
            },
            "finance": self._finance(contracts),
            "bitcoin": {"hashprice_usd_per_ph_day": list(_hashprice())},
            "machines": {name: _machine(name) for name in DRAWN_MACHINES},
            "racks": _racks(),
            "fitouts": dict(_fitouts()),
            "sites": {s: self._site(s) for s in self.climate},
            "projects": {f"{s}-grid": self._project(s) for s in self.climate},
            "halls": self.halls,
            "fleet": [self._racks_in(h) for h in self.halls],
            "power": {s: self._power() for s in self.climate},
            "contracts": contracts,
            "gpu_cloud": self._cloud(),
            "uptime": {
                "packages": {
                    "n-plus-1": {
                        "availability": 0.9998,
                        "capex_usd_per_kw": 700.0,
                        "opex_usd_per_kw_year": 15.0,
                    },
                    "2n": {
                        "availability": 0.99995,
                        "capex_usd_per_kw": 2000.0,
                        "opex_usd_per_kw_year": 35.0,
                    },
                }
            },
        }

    # --- sites ---------------------------------------------------------------------------------

    def _hall(self, site: str) -> Typed:
        climate = self.climate[site]
        ways = (["air"], ["liquid"], ["air", "liquid"], [])
        chosen = self.rng.choices(ways, weights=(4, 4, 1, 4))[0]
        return {
            "site": site,
            "count": self.rng.randint(1, 4),
            "it_mw": self.rng.choice(HALL_MW),
            "fitout": f"mining-{climate}",
            "fitouts": [f"mining-{climate}", *(f"ai-{way}-{climate}" for way in chosen)],
        }

    def _site(self, site: str) -> Typed:
        """Connect what stands there, between a third and all of it firmly."""
        standing = sum(h["count"] * h["it_mw"] for h in self.halls.values() if h["site"] == site)
        (_, peak), *_ = CLIMATES[self.climate[site]]
        firm = round(standing * peak * self.rng.choice((0.35, 0.6, 0.8, 1.0)), 1)
        return {
            "firm_mw": firm,
            "interruptible_mw": round(1.01 * standing * peak - firm, 1),
            "staff_musd_per_year": round(self.rng.uniform(0.005, 0.015) * standing, 2),
        }

    def _project(self, site: str) -> Typed:
        adds = self.rng.choice((10.0, 20.0, 30.0))
        return {
            "site": site,
            "adds_firm_mw": adds,
            "capex_musd": round(adds * self.rng.uniform(0.35, 0.6), 2),
            "months": self.rng.choice((12, 18, 24)),
            "life_months": 360,
        }

    def _racks_in(self, hall: str) -> Typed:
        """Fill a group of halls with machines of one kind; a hall in eight stands half empty."""
        rack = self.rng.choices(list(DRAWN_MACHINES), weights=(3, 3, 4, 1))[0]
        _, watt, *_ = DRAWN_MACHINES[rack]
        group, full = self.halls[hall], self.rng.random() > 0.125
        each = int(group["it_mw"] / (watt * MACHINES_PER_RACK / 1e6) * (1.0 if full else 0.5))
        oldest = {"s19j-pro": 60, "s19-xp": 48, "s21": 30, "s21-xp": 12}[rack]
        age = MONTHS_PER_PERIOD * self.rng.randint(oldest // 12, oldest // MONTHS_PER_PERIOD)
        return {"hall": hall, "rack": rack, "racks": group["count"] * each, "age_months": age}

    def _power(self) -> Typed:
        """Price energy; hours take the place of the flat price, on top of which it is billed."""
        return {
            "flat_usd_per_mwh": 28.0,
            "adder_usd_per_mwh": round(self.rng.uniform(2.0, 24.0), 2),
            "growth_per_year": self.rng.choice((0.0, 0.01, 0.02)),
        }

    # --- demand and money ----------------------------------------------------------------------

    def _contracts(self) -> dict[str, Typed]:
        """Draw offers: to every second site one of its own, and some that several may serve."""
        names = list(self.climate)
        own = self.rng.sample(names, max(1, len(names) // 2))
        offers = {f"own-{s}": self._lease([s], (2.0, 5.0), (100.0, 145.0)) for s in sorted(own)}
        for number in range(max(1, len(names) // 3)):
            several = sorted(
                self.rng.sample(
                    names, min(len(names), self.rng.randint(2, max(2, len(names) // 2)))
                )
            )
            offers[f"open-{number}"] = self._lease(several, (5.0, 14.0), (120.0, 165.0))
        for number in range(max(1, len(names) // 6)):
            offers[f"gpus-{number}"] = self._rental()
        return offers

    def _lease(
        self, sites: list[str], least: tuple[float, float], rate: tuple[float, float]
    ) -> Typed:
        min_mw = round(self.rng.uniform(*least), 1)
        cooling = self.rng.choice(("air", "liquid"))
        dearer, months = (1.0, (60, 84, 120)) if cooling == "air" else (1.2, (120, 144))
        return {
            "racks_by": "tenant",
            "min_mw": min_mw,
            "max_mw": round(min_mw * self.rng.uniform(1.6, 3.0), 1),
            **self._dates(),
            "months": self.rng.choice(months),
            "rate_usd_per_kw_month": round(dearer * self.rng.uniform(*rate), 1),
            "power_passed_through": True,
            "load_factor_share": 0.8,
            "staff_usd_per_kw_month": self.rng.choice((5.0, 10.0, 15.0)),
            "sites": sites,
            "cooling": cooling,
            "availability": self.rng.choice((0.9998, 0.9999)),
        }

    def _rental(self) -> Typed:
        return {
            "racks_by": "owner",
            "racks": ["gb300"],
            "min_mw": 4.05,
            "max_mw": 12.15,
            **self._dates(),
            "months": 60,
            "rate_usd_per_kw_month": round(self.rng.uniform(720.0, 860.0), 1),
            "load_factor_share": 0.85,
            "staff_usd_per_kw_month": 60.0,
            "availability": 0.999,
        }

    def _dates(self) -> Typed:
        """Start in the first half of the horizon; sign one to one and a half years before."""
        last = max(3, self.periods // 2)
        start = self.rng.randint(3, last)
        return {
            "start": _month(start),
            "sign_by": _month(max(0, start - self.rng.choice((2, 3)))),
        }

    def _cloud(self) -> dict[str, Typed]:
        prices = {"b200": (4.8, 2.0), "gb300": (5.0, 3.0)}
        return {
            rack: {
                "price_usd_per_gpu_hour": {"start": price, "growth_per_month": -0.012},
                "utilisation_share": 0.7,
                "fee_share": 0.1,
                "demand_limit_mw": round(mw * self.rng.uniform(0.7, 1.3), 2),
            }
            for rack, (price, mw) in prices.items()
        }

    def _finance(self, contracts: dict[str, Typed]) -> Typed:
        """Give less than all tenants would cost, and little of it at the start."""
        demand = sum(offer["max_mw"] for offer in contracts.values())
        standing = sum(hall["count"] * hall["it_mw"] for hall in self.halls.values())
        return {
            "discount_per_year": 0.12,
            "opening_cash_musd": round(CASH * demand, 1),
            "minimum_cash_musd": round(LEAST_CASH * demand, 1),
            "capex_budget_musd": round(BUDGET * demand, 1),
            "overhead_musd_per_year": round(0.012 * standing, 1),
            "ai_entry_cost_musd": 4.0,
            "split_cost_site_musd_per_year": 0.3,
        }


def _hashprice() -> Iterator[Typed]:
    """Lose three tenths in each April of a halving, since weaker fleets leave, and little else."""
    value = 42.0
    for year in range(2027, 2051):
        yield {"from": f"{year}-01", "value": round(value, 3)}
        if year % 4 == 0:
            value *= 0.7
            yield {"from": f"{year}-04", "value": round(value, 3)}
        value *= 0.99


def _month(period: int) -> str:
    """First month of a period."""
    return month_text(month_index(START) + MONTHS_PER_PERIOD * period)


def _machine(name: str) -> Typed:
    th, watt, new, used = DRAWN_MACHINES[name]
    return {
        "th_per_s": th,
        "watt": watt,
        "price_usd_per_th": new,
        "cooling": "air",
        "life_months": 72,
        "resale_usd_per_th": [
            {"from": START, "value": used},
            {"from": "2028-07", "value": 0.6 * used},
            {"from": "2031-01", "value": 0.3 * used},
        ],
        "availability_share": 0.965,
    }


def _racks() -> dict[str, Typed]:
    """Give six types: lots of the four machines, a rack of GPUs by air, one by liquid."""
    mining = {
        name: {
            "workload": "mining",
            "machine": name,
            "machines_per_rack": MACHINES_PER_RACK,
            "price_usd": 20000.0,
            "delivery_months": 6,
            "buyable": name in STILL_MADE,
        }
        for name in DRAWN_MACHINES
    }
    gpus = {
        name: {
            "workload": "ai",
            "cooling": cooling,
            "gpus_per_rack": count,
            "kw": kw,
            "price_usd": usd,
            "delivery_months": 6,
            "life_months": 72,
            "resale_usd": [
                {"from": START, "value": 0.5 * usd},
                {"from": "2029-01", "value": 0.3 * usd},
                {"from": "2031-01", "value": 0.1 * usd},
            ],
        }
        for name, cooling, count, kw, usd in (
            ("b200", "air", 24, 42.9, 1.3e6),
            ("gb300", "liquid", 72, 135.0, 3.9e6),
        )
    }
    return {**mining, **gpus}


def _fitouts() -> Iterator[tuple[str, Typed]]:
    """Give mines, and AI by air and by liquid, in each climate."""
    for climate, (mine, air, liquid) in CLIMATES.items():
        dearer = 1.0 if climate == "warm" else 1.1
        yield (
            f"mining-{climate}",
            {
                "workload": "mining",
                "cooling": "air",
                "it_share_of_present": 1.0,
                "capex_usd_per_kw": 350.0 * dearer,
                "works_months": 6,
                "pue": mine[0],
                "pue_peak": mine[1],
                "opex_usd_per_kw_year": 30.0,
                "life_months": 120,
            },
        )
        for cooling, share, usd, (pue, peak) in (
            ("air", 0.5, 2900.0, air),
            ("liquid", 0.7, 7500.0, liquid),
        ):
            yield (
                f"ai-{cooling}-{climate}",
                {
                    "workload": "ai",
                    "cooling": cooling,
                    "it_share_of_present": share,
                    "capex_usd_per_kw": usd * dearer,
                    "works_months": 12,
                    "pue": pue,
                    "pue_peak": peak,
                    "opex_usd_per_kw_year": 60.0,
                    "life_months": 240,
                    "can_go_back": False,
                },
            )

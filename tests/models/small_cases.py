"""Random cases small enough to try every plan: a site or two, halls by ones and twos."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from models.derive import Derivation
from models.hours import Hours
from models.instance import Instance, month_index, month_text
from models.terms import with_terms
from models.tree import Tree
from optimizer.bands import merge
from optimizer.case import Case as Ready
from optimizer.hulls import faces
from optimizer.splits import fillings
from tests.models.cases import Case, Weather

Typed = dict[str, Any]

#: Blocks that hold entries by name, or nothing.
TABLES = (
    "machines", "racks", "fitouts", "sites", "halls", "power", "projects", "contracts",
    "gpu_cloud", "commitments", "policy",
)  # fmt: skip


def draw_case(seed: int, *, leaves: int = 1) -> Case:
    """Draw a case: a chain of periods, or a tree of two leaves."""
    rng = random.Random(f"case {seed} {leaves}")
    typed = Draw(rng).instance()
    instance = Instance.model_validate(typed)
    tree = _tree(rng, instance, leaves)
    hours = {s: draw_hours(rng) for s in instance.sites}
    return Case(instance, tree, hours, _weather(rng, tree) if leaves > 1 else Weather())


def ready(case: Case) -> Ready:
    """Derive the numbers of a case as the models do, its branches differing as drawn."""
    derivation, weather = Derivation(case.instance, case.tree), case.weather
    given = derivation.given()
    given = replace(
        given,
        mining_revenue=_scaled(given.mining_revenue, weather.mining),
        price_growth=_scaled(given.price_growth, weather.power),
        firm_mw=_scaled(given.firm_mw, weather.firm),
    )
    given = with_terms(derivation, merge(given, case.hours))
    given = replace(given, cloud_revenue=_scaled(given.cloud_revenue, weather.cloud))
    return Ready(case.instance, derivation, case.hours, given)


def _scaled(
    table: Mapping[tuple[int, str], float], factors: Mapping[int, float]
) -> dict[tuple[int, str], float]:
    return {(n, name): x * factors.get(n, 1.0) for (n, name), x in table.items()}


def filled(case: Ready) -> Ready:
    """The same case with halls filled one by one wherever racks of two types may mix."""
    places = {
        p: fillings(case.given, p) for p, types in case.given.racks_at.items() if len(types) > 1
    }
    return replace(case, given=replace(case.given, fillings=places))


def mixed(case: Ready) -> Ready:
    """The same case with mixes limited wherever racks of two types may mix."""
    places = {p: faces(case.given, p) for p in case.given.racks_at}
    limited = {p: rows for p, rows in places.items() if rows}
    return replace(case, given=replace(case.given, mixes=limited))


def _tree(rng: random.Random, instance: Instance, leaves: int) -> Tree:
    periods, horizon = instance.horizon.periods, instance.horizon
    start, months = month_index(horizon.start), horizon.months_per_period
    trunk = periods if leaves == 1 else rng.randint(1, periods - 1)
    parents: list[int | None] = [None, *range(trunk - 1)]
    chances = [1.0] * trunk
    if leaves > 1:
        likely = rng.choice([0.25, 0.4, 0.5, 0.7])
        for chance in (likely, 1.0 - likely):
            before = trunk - 1
            for _ in range(periods - trunk):
                parents.append(before)
                before = len(parents) - 1
                chances.append(chance)
    return Tree(tuple(parents), tuple(chances), start=start, months=months)


def _weather(rng: random.Random, tree: Tree) -> Weather:
    """Let the branches differ: hashprice, power, firm MW, price of GPU-hours."""
    later = [n for n in tree.nodes if tree.probability[n] < 1.0]
    firm = rng.choice([1.0, 1.0, 0.6])
    return Weather(
        mining={n: rng.choice([0.5, 0.8, 1.0, 1.6]) for n in later},
        power={n: rng.choice([0.6, 1.0, 1.5]) for n in later},
        firm=dict.fromkeys(later[: len(later) // 2], firm) if firm < 1 else {},
        cloud={n: rng.choice([0.4, 1.0, 1.5]) for n in later},
    )


def draw_hours(rng: random.Random, steps: int = 3) -> Hours:
    """A few steps of price a month: cheap, dear and sometimes cut or below zero."""
    months, weights, prices, cuts = [], [], [], []
    often_cut = rng.random() < 0.5
    for month in range(1, 13):
        days = (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)[month - 1]
        parts = [rng.uniform(0.5, 3.0) for _ in range(steps)]
        for i, part in enumerate(parts):
            months.append(month)
            weights.append(24.0 * days * part / sum(parts))
            low, high = ((-30, 30), (20, 60), (50, 300))[i % 3]
            prices.append(rng.uniform(low, high))
            cuts.append(i % 3 == 2 and often_cut and rng.random() < 0.7)
    return Hours(
        np.array(months), np.array(weights), np.array(prices), np.array(cuts), source="drawn"
    )


class Draw:
    """One random instance, feature by feature."""

    def __init__(self, rng: random.Random) -> None:
        self.rng = rng
        self.typed: Typed = {}
        self.months = rng.choice([3, 3, 6, 12])
        self.start = rng.choice(["2027-01", "2027-07", "2027-10", "2028-01", "2028-03"])
        self.halls = rng.choice([1, 1, 2, 2, 3])
        self.periods = rng.choice([2, 2, 3, 3, 4]) if self.halls < 3 else 2
        self.ranged = False
        self.lots = rng.choice([1, 2]) if self.halls * self.periods < 5 else 1

    def maybe(self, chance: float) -> bool:
        return self.rng.random() < chance

    def month(self, period: float, slack: int = 0) -> str:
        """Month of a (fractional) period, now and then a few months off its start."""
        offset = round(period * self.months)
        if slack and self.maybe(0.3):
            offset += self.rng.randint(-slack, slack)
        return month_text(month_index(self.start) + offset)

    def instance(self) -> Typed:
        """Everything."""
        rng = self.rng
        self.typed = {
            "instance": {"name": "small"},
            "horizon": {
                "start": self.start,
                "periods": self.periods,
                "months_per_period": self.months,
            },
            "finance": self._finance(),
            "bitcoin": self._bitcoin(),
            **{block: {} for block in TABLES},
            "fleet": [],
        }
        self._mining()
        self._renewal()
        self._places()
        tenant, owner = self._tenant, self._owner
        stories = [tenant] * 3 + [owner] * 3 + [self._cloud, self._miner, self._rebuild]
        rng.choice(stories)()
        extras: list[Callable[[], None]] = [
            self._project,
            self._hall_project,
            self._fibre,
            self._second_site,
            self._second_group,
            self._second_group,
            self._standing_order,
            self._works,
            self._old_debt,
            self._loan,
            self._use_limits,
        ]
        for extra in rng.sample(extras, rng.choice([1, 2, 2, 3])):
            extra()
        if self.maybe(0.25):
            self._policy()
        if self.ranged:
            self._make_ample()
        return {key: block for key, block in self.typed.items() if block}

    def _make_ample(self) -> None:
        """Let neither grid nor cash limit the MW of a contract that leaves them open."""
        for site in self.typed["sites"].values():
            site["firm_mw"] = 120.0
            for limit in ("mining_mw_max", "ai_mw_max", "substation_mw"):
                site.pop(limit, None)
        self.typed["finance"]["opening_cash_musd"] = 1000.0
        self.typed["finance"].pop("loan", None)
        self.typed["policy"].clear()

    # --- blocks ----------------------------------------------------------------------------

    def _finance(self) -> Typed:
        rng = self.rng
        finance: Typed = {
            "discount_per_year": rng.choice([0.0, 0.08, 0.12, 0.2]),
            "opening_cash_musd": rng.choice([1000.0, 1000.0, 60.0, 25.0]),
            "minimum_cash_musd": rng.choice([0.0, 5.0]),
            "overhead_musd_per_year": rng.choice([0.0, 1.5]),
        }
        if self.maybe(0.4):
            finance["ai_entry_cost_musd"] = rng.uniform(0.5, 8.0)
            finance["hosts_ai_already"] = self.maybe(0.2)
        if self.maybe(0.3):
            finance["split_cost_company_musd_per_year"] = rng.uniform(0.2, 3.0)
        if self.maybe(0.3):
            finance["split_cost_site_musd_per_year"] = rng.uniform(0.2, 3.0)
        if self.maybe(0.25):
            finance["capex_budget_musd"] = rng.uniform(5.0, 80.0)
        if self.maybe(0.25):
            until = self.month(rng.choice([1, 2]))
            finance["capex_budget_by_period"] = [
                {"from": self.month(0), "musd": rng.uniform(0.0, 60.0)},
                {"from": self.month(1), "to": until, "musd": rng.uniform(0.0, 12.0)},
            ]
            if self.maybe(0.4):
                looser = finance["capex_budget_by_period"][-1] | {"musd": 500.0}
                finance["capex_budget_by_period"].append(looser)
        return finance

    def _bitcoin(self) -> Typed:
        rng = self.rng
        start = rng.uniform(30.0, 80.0)
        if self.maybe(0.3):
            return {
                "btc_price_usd": {"start": 2000.0 * start, "growth_per_month": 0.01},
                "network_eh_per_s": {"start": 1000.0, "growth_per_month": 0.012},
                "fee_share": 0.05,
                "pool_fee_share": 0.01,
            }
        path: Any = {"start": start, "growth_per_month": rng.uniform(-0.02, 0.02)}
        if self.maybe(0.3):
            path = [
                {"from": self.month(0), "value": start},
                {"from": self.month(1.5), "value": start * rng.uniform(0.5, 1.5)},
            ]
        return {
            "hashprice_usd_per_ph_day": path,
            "halves": self.maybe(0.7),
            "fee_share": 0.02,
            "pool_fee_share": rng.choice([0.0, 0.02]),
        }

    def _mining(self) -> None:
        """Two machine generations, in lots that fill a hall by ones or twos."""
        rng, typed = self.rng, self.typed
        life = rng.choice([60, 36, 2 * self.months, self.months + 2])
        typed["machines"] = {
            "new": {
                "th_per_s": 200.0,
                "watt": 3500.0,
                "price_usd_per_th": rng.uniform(2.0, 12.0),
                "cooling": "air",
                "life_months": life,
                "resale_usd_per_th": {"start": rng.uniform(0.5, 1.8), "growth_per_month": -0.02},
                "availability_share": rng.choice([1.0, 0.97]),
            },
            "old": {
                "th_per_s": 100.0,
                "j_per_th": rng.uniform(26.0, 38.0),
                "price_usd_per_th": 9.0,
                "cooling": "air",
                "life_months": 60,
                "resale_usd_per_th": rng.choice([0.0, 0.8]),
            },
        }
        typed["racks"] = {
            "old-lot": {
                "workload": "mining",
                "machine": "old",
                "machines_per_rack": 2500 // self.lots,
                "buyable": False,
            },
        }

    def _renewal(self) -> None:
        """New lots that may be bought, and the fit-out that takes them."""
        rng, typed = self.rng, self.typed
        if self.maybe(0.6):
            typed["racks"]["new-lot"] = {
                "workload": "mining",
                "machine": "new",
                "machines_per_rack": 2800 // self.lots,
                "price_usd": rng.choice([0.0, 2e5]),
                "deposit_share": rng.choice([1.0, 0.3]),
                "delivery_months": rng.choice([0, 2, self.months, self.months + 1]),
            }
            if self.maybe(0.3):
                window = {"buy_from": self.month(0), "buy_until": self.month(1)}
                key = rng.choice(list(window))
                typed["racks"]["new-lot"][key] = window[key]
        typed["fitouts"]["mining-air"] = {
            "workload": "mining",
            "cooling": "air",
            "it_share_of_present": 1.0,
            "capex_usd_per_kw": 250.0,
            "works_months": rng.choice([1, self.months]),
            "pue": 1.06,
            "pue_peak": rng.choice([1.06, 1.15]),
            "opex_usd_per_kw_year": rng.choice([0.0, 8.0]),
            "life_months": 120,
        }

    def _places(self) -> None:
        rng = self.rng
        count = self.halls
        self.typed["sites"]["a"] = {
            "firm_mw": count * rng.choice([5.0, 8.0, 11.0, 14.0]),
            "interruptible_mw": rng.choice([0.0, 5.0, count * 8.0]),
            "staff_musd_per_year": rng.choice([0.0, 0.4]),
        }
        self.typed["power"]["a"] = self._power()
        self.typed["halls"]["h"] = {
            "site": "a",
            "count": count,
            "it_mw": 10.0,
            "fitout": "mining-air",
        }
        self._fleet("h", count)

    def _power(self) -> Typed:
        return {
            "flat_usd_per_mwh": 0.0,
            "adder_usd_per_mwh": self.rng.choice([0.0, 6.0]),
            "mining_adder_usd_per_mwh": self.rng.choice([0.0, 3.0]),
            "ai_adder_usd_per_mwh": self.rng.choice([0.0, 2.0]),
            "growth_per_year": self.rng.choice([0.0, 0.03]),
        }

    def _fleet(self, hall: str, count: int) -> None:
        racks = self.rng.randint(0, self.lots * count)
        age = self.rng.choice([6, 24, 60 - self.months, 60 - 2 * self.months, 55])
        if racks:
            self.typed["fleet"].append(
                {"hall": hall, "rack": "old-lot", "racks": racks, "age_months": age}
            )

    def _ai_fitout(self, name: str = "ai-air", cooling: str = "air") -> None:
        rng, typed = self.rng, self.typed
        self.share = rng.choice([0.5, 0.6])
        typed["fitouts"][name] = {
            "workload": "ai",
            "cooling": cooling,
            "it_share_of_present": self.share,
            "capex_usd_per_kw": rng.uniform(300.0, 4000.0),
            "works_months": rng.choice([0, 1, self.months, self.months + (self.periods > 2)]),
            "pue": 1.25,
            "pue_peak": rng.choice([1.25, 1.45]),
            "opex_usd_per_kw_year": rng.choice([0.0, 60.0]),
            "life_months": rng.choice([48, 180]),
            "can_go_back": self.maybe(0.7),
        }
        if self.maybe(0.3):
            typed["fitouts"][name] |= {"positions_per_mw": rng.choice([8.0, 20.0])}
        if self.maybe(0.2):
            typed["fitouts"][name] |= {"kw_per_rack_max": rng.choice([100.0, 8000.0, 8000.0])}
        if self.maybe(0.2):
            typed["fitouts"][name].pop("it_share_of_present")
            typed["fitouts"][name]["m2_per_mw"] = 100.0 / self.share
            typed["halls"]["h"]["floor_m2"] = 1000.0
        typed["uptime"] = {
            "packages": {
                "two": {
                    "availability": 0.9999,
                    "capex_usd_per_kw": rng.choice([0.0, 1200.0]),
                    "works_months": rng.choice([0, 1]),
                    "opex_usd_per_kw_year": 10.0,
                }
            }
        }
        if self.maybe(0.25):
            # Halls could be kept in works from one to the other, where these cost nothing.
            works = rng.choice([0, 1, 1])
            typed["uptime"]["packages"]["one"] = {"availability": 0.99, "works_months": works}
            typed["fitouts"][name]["opex_usd_per_kw_year"] = rng.choice([0.0, 60.0, 400.0])

    def _offer(self, size: float) -> Typed:
        rng = self.rng
        start = rng.choice([0, 1, 1, 1, self.periods - 1, self.periods - 1])
        offer: Typed = {
            "min_mw": size,
            "max_mw": size,
            "sign_by": self.month(rng.randint(0, min(1, start))),
            "start": self.month(start, slack=0),
            "months": rng.choice([6, 2 * self.months, 36, 120]),
            "escalator_per_year": rng.choice([0.0, 0.03]),
            "power_passed_through": self.maybe(0.5),
            "load_factor_share": rng.choice([1.0, 0.8]),
            "staff_usd_per_kw_month": rng.choice([0.0, 6.0]),
            "availability": rng.choice([0.0, 0.99, 0.999, 0.999, 0.9999, 0.9999, 0.99995]),
        }
        if self.maybe(0.3):
            later = month_index(offer["start"]) + rng.choice([1, 2])
            offer["start"] = month_text(later)
        if self.maybe(0.3):
            offer["prepayment_usd_per_kw"] = rng.uniform(100.0, 1500.0)
            if self.maybe(0.5):
                offer["prepayment_credit_months"] = rng.choice([12, 24, 60])
        if self.maybe(0.2):
            offer["tenant_works_usd_per_kw"] = rng.uniform(100.0, 3000.0)
        if self.maybe(0.25):
            offer["ramp"] = [
                {"after_months": 0, "share": 0.5},
                {"after_months": rng.choice([2, self.months, 60]), "share": 1.0},
            ]
        return offer

    # --- stories: which AI business there is -------------------------------------------------

    def _miner(self) -> None:
        """No AI at all; the fleet may be renewed."""
        self.typed["racks"].setdefault(
            "new-lot",
            {
                "workload": "mining",
                "machine": "new",
                "machines_per_rack": 2800 // self.lots,
                "delivery_months": self.rng.choice([0, 2]),
            },
        )
        if self.maybe(0.4):
            self.typed["halls"]["h"]["fitouts"] = ["mining-air"]
            self.typed["halls"]["h"].pop("fitout")
            self.typed["fleet"].clear()

    def _tenant(self) -> None:
        rng = self.rng
        self._ai_fitout(cooling=rng.choice(["air", "liquid"]))
        most = max(1, self.halls - 1)
        offer = self._offer(10.0 * self.share * rng.choice([0.5, 0.8, 1.0, 1.0, most]))
        offer |= {"racks_by": "tenant", "rate_usd_per_kw_month": rng.uniform(90.0, 400.0)}
        if self.maybe(0.3):
            offer["kw_per_rack"] = rng.choice([60.0, 130.0])
        if self.maybe(0.25):
            offer["max_mw"] = offer["min_mw"] * rng.uniform(1.2, 2.5)
            self.ranged = True
        elif self.maybe(0.5) and self.periods > 2:
            self._slip(offer)
        self.typed["contracts"]["anchor"] = offer
        if (
            self.maybe(0.3)
            and offer["max_mw"] == offer["min_mw"]
            and "latest_delivery" not in offer
        ):
            second = self._offer(10.0 * self.share * rng.choice([0.2, 0.5]))
            second |= {"racks_by": "tenant", "rate_usd_per_kw_month": rng.uniform(100.0, 400.0)}
            self.typed["contracts"]["second"] = second
        if self.maybe(0.2) and offer["max_mw"] == offer["min_mw"]:
            self._signed_before("anchor")

    def _slip(self, offer: Typed) -> None:
        """Let delivery slip, the more so where the works may come late."""
        offer |= {"start": self.month(1), "sign_by": self.month(0)}
        if self.maybe(0.5):
            self.typed["fitouts"]["ai-air"]["works_months"] = self.months + 1
        slack = self.rng.choice([self.months - 1, self.months, 2 * self.months])
        latest = month_index(offer["start"]) + min(slack, offer["months"] - 1)
        offer["latest_delivery"] = month_text(latest)
        offer["delay_usd_per_kw_month"] = self.rng.uniform(5.0, 90.0)

    def _signed_before(self, name: str) -> None:
        offer = self.typed["contracts"][name]
        self.typed["commitments"]["contracts"] = [{"contract": name, "mw": offer["min_mw"]}]

    def _gpus(self, name: str, price: float) -> None:
        rng = self.rng
        self.typed["racks"][name] = {
            "workload": "ai",
            "cooling": self.typed["fitouts"]["ai-air"]["cooling"],
            "gpus_per_rack": rng.choice([2500, 3200]),
            "kw": 1000.0 * round(10.0 * self.share * rng.choice([0.5, 0.97]), 2),
            "price_usd": price,
            "deposit_share": rng.choice([1.0, 0.4]),
            "delivery_months": rng.choice([0, self.months, self.months + (self.periods > 2)]),
            "life_months": rng.choice([2 * self.months, 36, 60, 84]),
            "resale_usd": {"start": 0.4 * price, "growth_per_month": -0.03},
            "positions": rng.choice([1.0, 40.0]),
        }

    def _owner(self) -> None:
        """Owner racks under a contract, now and then with GPU-hours beside it."""
        rng = self.rng
        self._ai_fitout()
        self._gpus("gpu", rng.uniform(3e6, 4e7))
        mw = self.typed["racks"]["gpu"]["kw"] / 1000
        offer = self._offer(mw * rng.choice([0.5, 1.0, 1.0]))
        if self.maybe(0.7):
            self.typed["fitouts"]["ai-air"]["works_months"] = rng.choice([0, 1])
            self.typed["racks"]["gpu"]["delivery_months"] = rng.choice([0, self.months])
            offer |= {"start": self.month(1), "sign_by": self.month(0), "availability": 0.999}
        lasting = rng.choice([6, 2 * self.months, 24, 30, 48])
        offer |= {"racks_by": "owner", "racks": ["gpu"], "months": lasting}
        if self.maybe(0.5):
            offer["rate_usd_per_gpu_hour"] = rng.uniform(0.8, 4.0)
            offer["take_or_pay_share"] = rng.choice([0.5, 0.9])
        else:
            offer["rate_usd_per_kw_month"] = rng.uniform(250.0, 1600.0)
        self.typed["contracts"]["lease"] = offer
        if self.maybe(0.4):
            self._sell_hours("gpu")
        elif self.maybe(0.2):
            self.typed["contracts"]["lease"]["max_mw"] = 2.5 * offer["min_mw"]
            self.ranged = True

    def _sell_hours(self, k: str) -> None:
        rng = self.rng
        sold: Typed = {
            "price_usd_per_gpu_hour": {
                "start": rng.uniform(0.5, 3.0),
                "growth_per_month": rng.uniform(-0.03, 0.0),
            },
            "utilisation_share": rng.uniform(0.4, 0.9),
            "load_factor_share": 0.8,
            "fee_share": 0.1,
        }
        if self.maybe(0.4):
            sold["demand_limit_mw"] = rng.uniform(2.0, 9.0)
        self.typed["gpu_cloud"][k] = sold

    def _cloud(self) -> None:
        self._ai_fitout()
        self._gpus("gpu", self.rng.uniform(3e6, 3e7))
        self._sell_hours("gpu")

    def _rebuild(self) -> None:
        """A hall full of aging GPUs, which may be rebuilt into the next generation."""
        rng, typed = self.rng, self.typed
        self._ai_fitout()
        for key in ("positions_per_mw", "kw_per_rack_max"):
            typed["fitouts"]["ai-air"].pop(key, None)
        self._gpus("gpu", 2e7)
        self._gpus("next", 4e7)
        typed["racks"]["gpu"] |= {"buyable": False, "kw": 2500.0, "positions": 1.0}
        typed["racks"]["next"] |= {"kw": 2500.0, "positions": 1.0}
        typed["racks"]["gpu"]["converts_to"] = {
            "rack": "next",
            "cost_usd": rng.uniform(1e6, 1e7),
            "months": rng.choice([1, self.months + 1]),
        }
        typed["halls"]["h"] = {
            "site": "a",
            "count": 1,
            "it_mw": 10.0,
            "fitout": "ai-air",
            "package": "two",
            "convertible": self.maybe(0.3),
            "floor_m2": 1000.0,
        }
        typed["fleet"] = [{"hall": "h", "rack": "gpu", "racks": 1, "age_months": 20}]
        typed["racks"].pop("new-lot", None)
        self._sell_hours("next")
        if self.maybe(0.4):
            typed["racks"]["next"]["buyable"] = False

    # --- extras ------------------------------------------------------------------------------

    def _project(self) -> None:
        rng = self.rng
        if isinstance(self.typed["sites"]["a"]["firm_mw"], float):
            self.typed["sites"]["a"]["firm_mw"] *= rng.choice([0.4, 0.7])
        self.typed["projects"]["line"] = {
            "site": "a",
            "adds_firm_mw": rng.choice([4.0, 8.0]),
            "adds_interruptible_mw": rng.choice([0.0, 4.0]),
            "capex_musd": rng.uniform(0.1, 3.0),
            "months": rng.choice([0, 2, self.months + 1]),
            "max_units": rng.choice([1, 2]),
            "life_months": rng.choice([24, 240]),
        }
        if self.maybe(0.3):
            self.typed["projects"]["line"]["earliest"] = self.month(1)

    def _hall_project(self) -> None:
        self.typed["halls"]["h"]["count"] = 1
        self.typed["projects"]["barn"] = {
            "site": "a",
            "adds_halls": {"hall": "h", "count": 1},
            "adds_interruptible_mw": self.rng.choice([0.0, 11.0]),
            "capex_musd": self.rng.uniform(0.2, 3.0),
            "months": self.rng.choice([2, self.months]),
            "life_months": 240,
            "latest": self.month(1),
        }
        self._shrink_fleet()

    def _shrink_fleet(self) -> None:
        for row in self.typed["fleet"]:
            if row["rack"] == "old-lot":
                halls = self.typed["halls"][row["hall"]]["count"]
                row["racks"] = min(row["racks"], self.lots * halls)

    def _fibre(self) -> None:
        self.typed["sites"]["a"]["fibre"] = False
        self.typed["projects"]["fibre"] = {
            "site": "a",
            "adds_fibre": True,
            "capex_musd": self.rng.uniform(0.2, 3.0),
            "months": self.rng.choice([0, 2]),
            "life_months": 120,
        }

    def _second_site(self) -> None:
        """Another site that only mines, under the same budget and company."""
        self.typed["sites"]["b"] = {
            "firm_mw": self.rng.choice([0.0, 4.0]),
            "interruptible_mw": 12.0,
            "power": "b",
        }
        self.typed["power"]["b"] = self._power()
        self.typed["halls"]["b1"] = {
            "site": "b",
            "count": 1,
            "it_mw": 10.0,
            "fitout": "mining-air",
            "convertible": False,
        }
        self._fleet("b1", 1)
        if self.maybe(0.3):
            self.typed["finance"]["capex_budget_by_site_musd"] = {"b": self.rng.uniform(0, 8)}
        if self.maybe(0.4):
            self.typed["policy"]["keep_sites"] = ["b"]
            if "ai-air" in self.typed["fitouts"] and self.maybe(0.7):
                self._kept_ai()

    def _kept_ai(self) -> None:
        """Let the site that stays as it is host AI, with racks or for who has signed before."""
        hall = self.typed["halls"]["b1"]
        hall |= {"fitout": "ai-air", "package": "two", "floor_m2": 1000.0}
        self.typed["sites"]["b"]["firm_mw"] = 12.0
        self.typed["fleet"] = [row for row in self.typed["fleet"] if row["hall"] != "b1"]
        sized = {"kw_per_rack_max", "positions_per_mw"} & set(self.typed["fitouts"]["ai-air"])
        if "gpu" in self.typed["racks"] and not sized:
            age = self.rng.choice([3, 20, self.months + 1])
            row = {"hall": "b1", "rack": "gpu", "racks": 1, "age_months": age}
            self.typed["fleet"].append(row)

    def _second_group(self) -> None:
        """A second hall group; racks may move there."""
        self.typed["halls"]["h"]["count"] = 1
        self._shrink_fleet()
        self.typed["halls"]["g"] = {
            "site": "a",
            "count": 1,
            "it_mw": 10.0,
            "fitout": "mining-air",
            "convertible": self.maybe(0.3),
            "fitouts": ["mining-air"],
            "rack_positions": self.rng.choice([1.0, 3.0]),
        }
        if self.maybe(0.7):
            self.typed["racks"]["old-lot"]["move_usd"] = self.rng.choice([0.0, 5e4])

    def _standing_order(self) -> None:
        if "new-lot" in self.typed["racks"] and self.typed["fleet"][:1]:
            self.typed["commitments"]["racks"] = [
                {
                    "hall": "h",
                    "rack": "new-lot",
                    "racks": 1,
                    "delivery": self.month(self.rng.choice([0.4, 1, 1.5])),
                    "due_musd": self.rng.uniform(0.1, 3.0),
                }
            ]
            if self.maybe(0.5):
                due = self.month(self.rng.choice([0, self.periods]))
                self.typed["commitments"]["racks"][0]["due"] = due

    def _works(self) -> None:
        hall = self.typed["halls"]["h"]
        if "ai-air" in self.typed["fitouts"] and hall["count"] > 1 and hall.get("fitout"):
            self.typed["commitments"]["works"] = [
                {
                    "hall": "h",
                    "halls": 1,
                    "fitout": "ai-air",
                    "package": "two",
                    "ready": self.month(self.rng.choice([0.5, 1])),
                    "due_musd": self.rng.uniform(0.0, 4.0),
                }
            ]
            for row in self.typed["fleet"]:
                row["racks"] = min(row["racks"], self.lots * (hall["count"] - 1))

    def _old_debt(self) -> None:
        self.typed["commitments"]["debt"] = [
            {
                "name": "bank",
                "month": self.month(period, slack=1),
                "principal_musd": self.rng.uniform(0.0, 4.0),
                "interest_musd": self.rng.uniform(0.0, 1.0),
            }
            for period in (0, 1.5, self.periods + 1)
        ]

    def _policy(self) -> None:
        rng = self.rng
        kind = rng.choice(["mining", "mining", "ai", "ai", "halls", "power", "gpus"])
        policy = self.typed["policy"]
        if kind == "mining":
            policy[rng.choice(["mining_share_min", "ai_share_max"])] = rng.choice([0.4, 0.7])
            policy["shares_from"] = self.month(self.periods - 1)
        elif kind == "ai":
            policy[rng.choice(["ai_share_min", "mining_share_max"])] = rng.choice([0.2, 0.5])
            policy["shares_from"] = self.month(self.periods - 1)
        elif kind == "halls":
            policy["reuse_halls"] = False
        elif kind == "power":
            policy["reuse_power"] = False
        elif kind == "gpus":
            policy["reuse_gpus"] = False

    def _loan(self) -> None:
        rng = self.rng
        self.typed["finance"]["loan"] = {
            "limit_musd": rng.uniform(5.0, 60.0),
            "interest_per_year": rng.choice([0.02, 0.09, 0.15]),
            "loan_to_cost_share": rng.choice([1.0, 0.6]),
            "fee_share": rng.choice([0.0, 0.02]),
        }
        self.typed["finance"]["opening_cash_musd"] = rng.choice([10.0, 40.0, 1000.0])
        if self.maybe(0.3):
            self.typed["finance"]["loan"]["draw_until"] = self.month(1)

    def _use_limits(self) -> None:
        site = self.typed["sites"]["a"]
        kind = self.rng.choice(["mining", "ai", "substation", "steps"])
        if kind == "mining":
            site["mining_mw_max"] = self.rng.uniform(4.0, 20.0)
        elif kind == "ai":
            site["ai_mw_max"] = self.rng.uniform(4.0, 12.0)
        elif kind == "substation":
            site["substation_mw"] = self.rng.uniform(10.0, 30.0)
        else:
            site["firm_mw"] = [
                {"from": self.month(0), "value": site["firm_mw"]},
                {"from": self.month(1.3), "value": site["firm_mw"] * 0.7},
            ]

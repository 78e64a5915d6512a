"""What a typed instance means, worked out a second time from the words of the problem.

Shares nothing with the models but the typed blocks, the hours and the shape of a tree.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import cache, cached_property, wraps
from typing import Any, TypeVar

from models.hours import Hours
from models.instance import Contract, Growth, Instance, Path, month_index
from models.tree import Tree

#: Days on which the block subsidy halves within any horizon drawn.
HALVINGS = (date(2028, 4, 11), date(2032, 4, 8))

#: A hall group with a fit-out and a package; no fit-out is a bare shell.
Place = tuple[str, str, str]
#: Racks of a type in a place.
Stock = tuple[Place, str]

Answer = TypeVar("Answer")

month_of = cache(month_index)


def remembered(method: Callable[..., Answer]) -> Callable[..., Answer]:
    """Keep the answers of a method on its object, which never changes."""

    @wraps(method)
    def ask(self: Any, *args: Any) -> Answer:
        answers = self.__dict__.setdefault("answers", {})
        key = method.__name__, args
        if key not in answers:
            answers[key] = method(self, *args)
        known: Answer = answers[key]
        return known

    return ask


@dataclass(frozen=True)
class Weather:
    """By what a node differs from what its instance says: factors by node, else one."""

    mining: Mapping[int, float] = field(default_factory=dict)
    power: Mapping[int, float] = field(default_factory=dict)
    firm: Mapping[int, float] = field(default_factory=dict)
    cloud: Mapping[int, float] = field(default_factory=dict)


def path_in_month(path: Path, month: int, start: int) -> float:
    """Value of a typed path in a month."""
    if isinstance(path, Growth):
        return float(path.start * (1 + path.growth_per_month) ** (month - start))
    if isinstance(path, list):
        holding = path[0].value
        for step in path:
            if month_of(step.from_) <= month:
                holding = step.value
        return holding
    return float(path)


def month_start(month: int) -> date:
    return date(month // 12, 1 + month % 12, 1)


def hours_in_month(month: int) -> float:
    return 24.0 * (month_start(month + 1) - month_start(month)).days


def whole(periods: float) -> int:
    """Round a lead time up to whole periods."""
    return math.ceil(periods - 1e-12)


@dataclass(frozen=True, eq=False)
class Case:
    """An instance on a tree, with priced hours of each site."""

    instance: Instance
    tree: Tree
    hours: Mapping[str, Hours]
    weather: Weather = Weather()

    # --- time ------------------------------------------------------------------------------

    @cached_property
    def start(self) -> int:
        return month_of(self.instance.horizon.start)

    @cached_property
    def step(self) -> int:
        """Months in a period."""
        return self.instance.horizon.months_per_period

    @cached_property
    def end(self) -> int:
        """Month after the horizon."""
        return self.start + self.instance.horizon.periods * self.step

    @cached_property
    def line(self) -> list[list[int]]:
        """Nodes from the root to each node."""
        lines: list[list[int]] = []
        for n, parent in enumerate(self.tree.parent):
            lines.append([n] if parent is None else [*lines[parent], n])
        return lines

    @cached_property
    def children(self) -> list[list[int]]:
        return [
            [m for m, parent in enumerate(self.tree.parent) if parent == n]
            for n in range(len(self.tree.parent))
        ]

    @remembered
    def period(self, n: int) -> int:
        return len(self.line[n]) - 1

    @remembered
    def month(self, n: int) -> int:
        """First month of a node."""
        return self.start + self.period(n) * self.step

    @remembered
    def months(self, n: int) -> range:
        return range(self.month(n), self.month(n) + self.step)

    @remembered
    def worth(self, month: float) -> float:
        """Present value of a dollar."""
        rate = self.instance.finance.discount_per_year
        return float((1 + rate) ** ((self.start - month) / 12))

    def lag(self, months: int) -> int:
        return whole(months / self.step)

    def lands(self, n: int, lag: int) -> bool:
        return self.period(n) + lag < self.instance.horizon.periods

    # --- things ----------------------------------------------------------------------------

    @remembered
    def watts(self, k: str) -> float:
        """Nameplate of a rack in W."""
        rack = self.instance.racks[k]
        if rack.machine is None:
            return 1000 * float(rack.kw or 0)
        machine = self.instance.machines[rack.machine]
        each = machine.watt or float(machine.j_per_th or 0) * machine.th_per_s
        return each * int(rack.machines_per_rack or 0)

    @remembered
    def mw(self, k: str) -> float:
        return self.watts(k) / 1e6

    def hashrate(self, k: str) -> float:
        """TH/s of a rack."""
        rack = self.instance.racks[k]
        if rack.machine is None:
            return 0.0
        return self.instance.machines[rack.machine].th_per_s * int(rack.machines_per_rack or 0)

    @remembered
    def price(self, k: str) -> float:
        """M$ of a rack with its machines."""
        rack = self.instance.racks[k]
        per_th = self.instance.machines[rack.machine].price_usd_per_th if rack.machine else 0.0
        return (rack.price_usd + per_th * self.hashrate(k)) / 1e6

    @remembered
    def resale(self, k: str, month: int) -> float:
        rack = self.instance.racks[k]
        if rack.resale_usd is not None:
            return path_in_month(rack.resale_usd, month, self.start) / 1e6
        if rack.machine is None:
            return 0.0
        per_th = self.instance.machines[rack.machine].resale_usd_per_th
        return path_in_month(per_th, month, self.start) * self.hashrate(k) / 1e6

    @remembered
    def life(self, k: str) -> int:
        rack = self.instance.racks[k]
        if rack.life_months is not None:
            return rack.life_months
        return self.instance.machines[str(rack.machine)].life_months

    def cooling(self, k: str) -> str:
        rack = self.instance.racks[k]
        return str(rack.cooling or self.instance.machines[str(rack.machine)].cooling)

    @remembered
    def site(self, p: Place) -> str:
        return self.instance.halls[p[0]].site

    @remembered
    def workload(self, p: Place) -> str:
        return self.instance.fitouts[p[1]].workload if p[1] else ""

    @remembered
    def hall_mw(self, p: Place) -> float:
        """IT MW of a hall in a state."""
        if not p[1]:
            return 0.0
        fitout, hall = self.instance.fitouts[p[1]], self.instance.halls[p[0]]
        if fitout.it_share_of_present is not None:
            return hall.it_mw * fitout.it_share_of_present
        return float(hall.floor_m2 or 0) / float(fitout.m2_per_mw or math.inf)

    @remembered
    def positions(self, p: Place) -> float:
        if not p[1]:
            return 0.0
        per_mw = self.instance.fitouts[p[1]].positions_per_mw
        if per_mw is not None:
            return per_mw * self.hall_mw(p)
        own = self.instance.halls[p[0]].rack_positions
        return math.inf if own is None else own

    def peak(self, p: Place) -> float:
        fitout = self.instance.fitouts[p[1]]
        return fitout.pue_peak or fitout.pue

    @remembered
    def per_hall(self, p: Place, k: str) -> int:
        """Whole racks of a type that a hall takes; none where it cannot hold one."""
        if not p[1]:
            return 0
        fitout, rack = self.instance.fitouts[p[1]], self.instance.racks[k]
        if fitout.workload != rack.workload or fitout.cooling != self.cooling(k):
            return 0
        if self.watts(k) > 1000 * (fitout.kw_per_rack_max or math.inf):
            return 0
        by_floor = self.positions(p) / rack.positions if rack.positions else math.inf
        return math.floor(min(self.hall_mw(p) / self.mw(k), by_floor) + 1e-9)

    @cached_property
    def states(self) -> dict[str, list[Place]]:
        """Every state of every hall group, today's first."""
        return {h: self._states(h) for h in self.instance.halls}

    def _states(self, h: str) -> list[Place]:
        hall, policy = self.instance.halls[h], self.instance.policy
        today = (h, hall.fitout or "", hall.package or "")
        found = [today]
        if hall.convertible and hall.site not in policy.keep_sites:
            names = self.instance.fitouts if hall.fitouts is None else hall.fitouts
            for f in names:
                packages = list(self.instance.uptime.packages)
                if self.instance.fitouts[f].workload == "mining" or not packages:
                    packages = [""]
                found += [(h, f, u) for u in packages]
        for work in self.instance.commitments.works:
            if work.hall == h:
                found.append((h, work.fitout, work.package or ""))
        return [p for p in dict.fromkeys(found) if not p[1] or self.hall_mw(p) > 0]

    @cached_property
    def stocks(self) -> list[Stock]:
        """Everything that can stand somewhere."""
        return [
            (p, k)
            for group in self.states.values()
            for p in group
            for k in self.instance.racks
            if self.per_hall(p, k) > 0
        ]

    def way(self, p: Place, q: Place) -> tuple[int, float] | None:
        """Lead time and M$ per hall of a conversion, where it is possible."""
        hall, fitouts = self.instance.halls[p[0]], self.instance.fitouts
        if p == q or not q[1] or not hall.convertible:
            return None
        if hall.site in self.instance.policy.keep_sites:
            return None
        if p[1] and p[1] != q[1] and not fitouts[p[1]].can_go_back:
            return None
        to_ai = self.workload(q) == "ai" and self.workload(p) == "mining"
        if to_ai and not self.instance.policy.reuse_halls:
            return None
        months, per_kw = 0, 0.0
        if p[1] != q[1]:
            months, per_kw = fitouts[q[1]].works_months, fitouts[q[1]].capex_usd_per_kw
        if q[2]:
            package = self.instance.uptime.packages[q[2]]
            months = max(months, package.works_months)
            per_kw += package.capex_usd_per_kw
        return self.lag(months), per_kw * self.hall_mw(q) / 1e3

    @cached_property
    def ways(self) -> dict[tuple[Place, Place], tuple[int, float]]:
        return {
            (p, q): way
            for group in self.states.values()
            for p in group
            for q in group
            if (way := self.way(p, q)) is not None
        }

    @cached_property
    def most_halls(self) -> dict[str, int]:
        """Halls a group can ever have."""
        most = {h: hall.count for h, hall in self.instance.halls.items()}
        for project in self.instance.projects.values():
            if project.adds_halls is not None:
                most[project.adds_halls.hall] += project.adds_halls.count * project.max_units
        return most

    # --- prices ----------------------------------------------------------------------------

    @cached_property
    def hashprice(self) -> list[float]:
        """Mean $/PH/day over the days of each node, before the pool's fee."""
        return [self._hashprice(n) for n in range(len(self.tree.parent))]

    @remembered
    def _hashprice(self, n: int) -> float:
        day, days, summed = month_start(self.month(n)), 0, 0.0
        after = month_start(self.month(n) + self.step)
        while day < after:
            summed += self._hashprice_on(day)
            days += 1
            day += timedelta(days=1)
        return summed / days * self.weather.mining.get(n, 1.0)

    def _hashprice_on(self, day: date) -> float:
        bitcoin, month = self.instance.bitcoin, day.year * 12 + day.month - 1
        begun = month_start(self.start)
        past = sum(1 for halving in HALVINGS if begun < halving <= day)
        if bitcoin.hashprice_usd_per_ph_day is not None:
            path = bitcoin.hashprice_usd_per_ph_day
            value = path_in_month(path, month, self.start)
            halved = bitcoin.fee_share + (1 - bitcoin.fee_share) / 2**past
            return value * halved if isinstance(path, Growth) and bitcoin.halves else value
        assert bitcoin.btc_price_usd is not None
        assert bitcoin.network_eh_per_s is not None
        before = sum(1 for halving in HALVINGS if halving <= begun)
        subsidy = 3.125 / 2**before
        fees = bitcoin.fee_share * subsidy / (1 - bitcoin.fee_share)
        coins = 144 * (subsidy / 2**past + fees)
        dollars = coins * path_in_month(bitcoin.btc_price_usd, month, self.start)
        return dollars / (1000 * path_in_month(bitcoin.network_eh_per_s, month, self.start))

    @remembered
    def mining_revenue(self, n: int, k: str) -> float:
        """$ per IT MWh that mines, after the pool's fee."""
        petahash_per_mw = self.hashrate(k) / 1000 / self.mw(k)
        kept = 1 - self.instance.bitcoin.pool_fee_share
        return kept * self.hashprice[n] / 24 * petahash_per_mw

    @remembered
    def rows(self, n: int, s: str) -> list[tuple[float, float, bool]]:
        """Hours of a node: weight, $/MWh before adders, whether interruptible load is cut."""
        hours = self.hours[s]
        power = self.instance.power[self.instance.sites[s].power or s]
        since = self.month(n) + self.step / 2 - self.start
        factor = (1 + power.growth_per_year) ** (since / 12) * self.weather.power.get(n, 1.0)
        calendar = {m % 12 + 1 for m in self.months(n)}
        return [
            (float(w), float(price) * factor, bool(cut))
            for month, w, price, cut in zip(
                hours.month, hours.weight_h, hours.price_usd_per_mwh, hours.cut, strict=True
            )
            if int(month) in calendar
        ]

    @remembered
    def ai_energy(self, n: int, s: str) -> tuple[float, float]:
        """M$ of a utility MW that AI draws through a node: by price, and by adders."""
        power = self.instance.power[self.instance.sites[s].power or s]
        added = power.adder_usd_per_mwh + power.ai_adder_usd_per_mwh
        rows = self.rows(n, s)
        return (
            sum(w * price for w, price, _ in rows) / 1e6,
            sum(w for w, _, _ in rows) * added / 1e6,
        )

    def least(self, path: Path, n: int) -> float:
        """Least value over the months of a node: what is there for the whole of it."""
        return min(path_in_month(path, m, self.start) for m in self.months(n))

    # --- contracts -------------------------------------------------------------------------

    def share(self, offer: Contract, month: int) -> float:
        """Share of the signed MW due in a month."""
        since = month - month_of(offer.start)
        if since < 0 or since >= offer.months:
            return 0.0
        share = 0.0 if offer.ramp else 1.0
        for step in offer.ramp:
            if step.after_months <= since:
                share = step.share
        return share

    @remembered
    def due(self, x: str, n: int) -> float:
        """Share that must stand through a node: the largest of its months."""
        return max(self.share(self.instance.contracts[x], m) for m in self.months(n))

    @remembered
    def within(self, x: str) -> float:
        """Largest share that is ever due within the horizon: what is paid at signing counts so."""
        offer = self.instance.contracts[x]
        return max(self.share(offer, m) for m in range(self.start, self.end))

    @remembered
    def rent(self, x: str, k: str, month: int) -> float:
        """M$ for a month of an IT MW."""
        offer = self.instance.contracts[x]
        rise = (1 + offer.escalator_per_year) ** ((month - month_of(offer.start)) // 12)
        if offer.rate_usd_per_kw_month is not None:
            return offer.rate_usd_per_kw_month * rise / 1000
        paid = max(offer.load_factor_share, offer.take_or_pay_share or 0)
        gpus = int(self.instance.racks[k].gpus_per_rack or 0) / self.mw(k)
        rate = float(offer.rate_usd_per_gpu_hour or 0)
        return rise * rate * paid * gpus * hours_in_month(month) / 1e6

    @remembered
    def credit(self, x: str, month: int) -> float:
        """M$ per MW of an advance that is credited in a month."""
        offer = self.instance.contracts[x]
        months = offer.prepayment_credit_months or offer.months
        start = month_of(offer.start)
        if not start <= month < start + months:
            return 0.0
        return self.within(x) * offer.prepayment_usd_per_kw / 1000 / months

    @remembered
    def homes(self, x: str) -> list[tuple[Place, str]]:
        """Where a contract can be served, and by which racks; none named for a tenant's own."""
        offer, found = self.instance.contracts[x], list[tuple[Place, str]]()
        for p in (p for group in self.states.values() for p in group):
            if self.workload(p) != "ai" or not self._suits(offer, p):
                continue
            if offer.racks_by == "owner":
                found += [(p, k) for k in offer.racks if self.per_hall(p, k) > 0]
            else:
                found.append((p, ""))
        return found

    def _suits(self, offer: Contract, p: Place) -> bool:
        fitout = self.instance.fitouts[p[1]]
        reached = self.instance.uptime.packages[p[2]].availability if p[2] else 0.0
        density = offer.kw_per_rack if offer.racks_by == "tenant" else None
        signed = any(self.instance.contracts[c.contract] is offer
                     for c in self.instance.commitments.contracts)  # fmt: skip
        return (
            (signed or self.site(p) not in self.instance.policy.keep_sites)
            and (reached >= offer.availability)
            and (offer.sites is None or self.site(p) in offer.sites)
            and (offer.cooling is None or offer.cooling == fitout.cooling)
            and (density or 0) <= (fitout.kw_per_rack_max or math.inf)
        )

    @remembered
    def draw(self, x: str, p: Place) -> float:
        """Utility MW that the owner pays for, per IT MW of a contract."""
        offer = self.instance.contracts[x]
        if offer.power_passed_through:
            return 0.0
        return self.instance.fitouts[p[1]].pue * offer.load_factor_share

    @remembered
    def upkeep(self, p: Place) -> float:
        """M$ per IT MW and month."""
        if not p[1]:
            return 0.0
        per_kw = self.instance.fitouts[p[1]].opex_usd_per_kw_year
        if p[2]:
            per_kw += self.instance.uptime.packages[p[2]].opex_usd_per_kw_year
        return per_kw / 1000 / 12

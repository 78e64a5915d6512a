"""What plans are worth, reckoned a second time from the words of the problem alone.

Plain bookkeeping over whole plans: every integer decision is tried, period after period and
branch after branch; what is left to decide is done in closed form, hour by hour. Nothing is
shared with the models but the typed instance, so that a mistake in their derivation, in a
family or in a band shows as a different best value.

Three things are left out because they never pay while resale lies below price, and the cases
drawn see to that: ordering more racks than the halls could ever hold, selling or moving a rack
in the period in which an order without lead time brings it, and converting a hall twice in one
period. What would need an optimisation of its own raises :class:`NotInClosedForm`.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from functools import cached_property

import numpy as np
from scipy.optimize import linprog

from models.hours import Hours
from models.instance import Contract, Growth, Instance, Path, month_index
from models.tree import Tree

TOLERANCE = 1e-9
NONE = -math.inf
#: Days on which the block subsidy halves within any horizon drawn.
HALVINGS = (date(2028, 4, 11), date(2032, 4, 8))

#: A hall group with a fit-out and a package; no fit-out is a bare shell.
Place = tuple[str, str, str]
#: Racks of a type in a place.
Stock = tuple[Place, str]


class NotInClosedForm(Exception):  # noqa: N818
    """The case leaves more to decide beside its integers than is worked out here."""


class TooMany(Exception):  # noqa: N818
    """The case has more plans than are worth trying."""


@dataclass(frozen=True)
class Weather:
    """By what a node differs from what its instance says: factors by node, else one."""

    mining: Mapping[int, float] = field(default_factory=dict)
    power: Mapping[int, float] = field(default_factory=dict)
    firm: Mapping[int, float] = field(default_factory=dict)
    cloud: Mapping[int, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Came:
    """Racks that came to a site: from when they count as new, and how many."""

    site: str
    rack: str
    month: int
    count: int


@dataclass(frozen=True)
class Vintage:
    """Halls converted: what each cost, when they came into service, how many."""

    place: Place
    month: int
    cost: float
    count: int


@dataclass(frozen=True)
class Standing:
    """What stands, is under way and is owed along one path."""

    halls: Mapping[Place, int]
    racks: Mapping[Stock, int]
    halls_coming: tuple[tuple[int, Place, int], ...] = ()
    racks_coming: tuple[tuple[int, Stock, int, float], ...] = ()
    rebuilds_coming: tuple[tuple[int, str, str, int], ...] = ()
    units: tuple[tuple[int, str, int], ...] = ()
    signed: Mapping[str, float] = field(default_factory=dict)
    cash: float = 0.0
    spent: tuple[tuple[int, str, float], ...] = ()
    came: tuple[Came, ...] = ()
    vintages: tuple[Vintage, ...] = ()
    entered: bool = False
    flows: tuple[tuple[float, float, float], ...] = ()


@dataclass(frozen=True)
class Choice:
    """Integer decisions of a node, and the MW of what is signed."""

    conversions: Mapping[tuple[Place, Place], int] = field(default_factory=dict)
    sales: Mapping[Stock, int] = field(default_factory=dict)
    moves: Mapping[tuple[Stock, Place], int] = field(default_factory=dict)
    rebuilds: Mapping[Stock, int] = field(default_factory=dict)
    landings: Mapping[Stock, int] = field(default_factory=dict)
    orders: Mapping[Stock, int] = field(default_factory=dict)
    builds: Mapping[str, int] = field(default_factory=dict)
    signing: Mapping[str, float] = field(default_factory=dict)

    def __str__(self) -> str:
        said = {name: {k: x for k, x in part.items() if x} for name, part in vars(self).items()}
        return str({name: part for name, part in said.items() if part})


@dataclass(frozen=True)
class Best:
    """The best plan below a node: its value and the choices that make it."""

    value: float
    choices: tuple[tuple[int, Choice], ...] = ()


def path_in_month(path: Path, month: int, start: int) -> float:
    """Value of a typed path in a month."""
    if isinstance(path, Growth):
        return float(path.start * (1 + path.growth_per_month) ** (month - start))
    if isinstance(path, list):
        holding = path[0].value
        for step in path:
            if month_index(step.from_) <= month:
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


@dataclass(frozen=True)
class Case:
    """An instance on a tree, with priced hours of each site."""

    instance: Instance
    tree: Tree
    hours: Mapping[str, Hours]
    weather: Weather = Weather()

    # --- time ------------------------------------------------------------------------------

    @cached_property
    def start(self) -> int:
        return month_index(self.instance.horizon.start)

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

    def period(self, n: int) -> int:
        return len(self.line[n]) - 1

    def month(self, n: int) -> int:
        """First month of a node."""
        return self.start + self.period(n) * self.step

    def months(self, n: int) -> range:
        return range(self.month(n), self.month(n) + self.step)

    def worth(self, month: float) -> float:
        """Present value of a dollar."""
        rate = self.instance.finance.discount_per_year
        return float((1 + rate) ** ((self.start - month) / 12))

    def lag(self, months: int) -> int:
        return whole(months / self.step)

    def lands(self, n: int, lag: int) -> bool:
        return self.period(n) + lag < self.instance.horizon.periods

    # --- things ----------------------------------------------------------------------------

    def watts(self, k: str) -> float:
        """Nameplate of a rack in W."""
        rack = self.instance.racks[k]
        if rack.machine is None:
            return 1000 * float(rack.kw or 0)
        machine = self.instance.machines[rack.machine]
        each = machine.watt or float(machine.j_per_th or 0) * machine.th_per_s
        return each * int(rack.machines_per_rack or 0)

    def mw(self, k: str) -> float:
        return self.watts(k) / 1e6

    def hashrate(self, k: str) -> float:
        """TH/s of a rack."""
        rack = self.instance.racks[k]
        if rack.machine is None:
            return 0.0
        return self.instance.machines[rack.machine].th_per_s * int(rack.machines_per_rack or 0)

    def price(self, k: str) -> float:
        """M$ of a rack with its machines."""
        rack = self.instance.racks[k]
        per_th = self.instance.machines[rack.machine].price_usd_per_th if rack.machine else 0.0
        return (rack.price_usd + per_th * self.hashrate(k)) / 1e6

    def resale(self, k: str, month: int) -> float:
        rack = self.instance.racks[k]
        if rack.resale_usd is not None:
            return path_in_month(rack.resale_usd, month, self.start) / 1e6
        if rack.machine is None:
            return 0.0
        per_th = self.instance.machines[rack.machine].resale_usd_per_th
        return path_in_month(per_th, month, self.start) * self.hashrate(k) / 1e6

    def life(self, k: str) -> int:
        rack = self.instance.racks[k]
        if rack.life_months is not None:
            return rack.life_months
        return self.instance.machines[str(rack.machine)].life_months

    def cooling(self, k: str) -> str:
        rack = self.instance.racks[k]
        return str(rack.cooling or self.instance.machines[str(rack.machine)].cooling)

    def site(self, p: Place) -> str:
        return self.instance.halls[p[0]].site

    def workload(self, p: Place) -> str:
        return self.instance.fitouts[p[1]].workload if p[1] else ""

    def hall_mw(self, p: Place) -> float:
        """IT MW of a hall in a state."""
        if not p[1]:
            return 0.0
        fitout, hall = self.instance.fitouts[p[1]], self.instance.halls[p[0]]
        if fitout.it_share_of_present is not None:
            return hall.it_mw * fitout.it_share_of_present
        return float(hall.floor_m2 or 0) / float(fitout.m2_per_mw or math.inf)

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

    def mining_revenue(self, n: int, k: str) -> float:
        """$ per IT MWh that mines, after the pool's fee."""
        petahash_per_mw = self.hashrate(k) / 1000 / self.mw(k)
        kept = 1 - self.instance.bitcoin.pool_fee_share
        return kept * self.hashprice[n] / 24 * petahash_per_mw

    def rows(self, n: int, s: str) -> list[tuple[float, float, bool]]:
        """Hours of a node: weight, $/MWh before adders, whether interruptible load is cut."""
        key = (n, s)
        if key not in self._rows:
            self._rows[key] = self._priced(n, s)
        return self._rows[key]

    @cached_property
    def _rows(self) -> dict[tuple[int, str], list[tuple[float, float, bool]]]:
        return {}

    def _priced(self, n: int, s: str) -> list[tuple[float, float, bool]]:
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

    def ai_energy(self, n: int, s: str) -> tuple[float, float]:
        """M$ of a utility MW that AI draws through a node: by price, and by adders."""
        power = self.instance.power[self.instance.sites[s].power or s]
        added = power.adder_usd_per_mwh + power.ai_adder_usd_per_mwh
        rows = self.rows(n, s)
        return (
            sum(w * price for w, price, _ in rows) / 1e6,
            sum(w for w, _, _ in rows) * added / 1e6,
        )

    # --- contracts -------------------------------------------------------------------------

    def share(self, offer: Contract, month: int) -> float:
        """Share of the signed MW due in a month."""
        since = month - month_index(offer.start)
        if since < 0 or since >= offer.months:
            return 0.0
        share = 0.0 if offer.ramp else 1.0
        for step in offer.ramp:
            if step.after_months <= since:
                share = step.share
        return share

    def due(self, x: str, n: int) -> float:
        """Share that must stand through a node: the largest of its months."""
        return max(self.share(self.instance.contracts[x], m) for m in self.months(n))

    def rent(self, offer: Contract, k: str, month: int) -> float:
        """M$ for a month of an IT MW."""
        rise = (1 + offer.escalator_per_year) ** ((month - month_index(offer.start)) // 12)
        if offer.rate_usd_per_kw_month is not None:
            return offer.rate_usd_per_kw_month * rise / 1000
        paid = max(offer.load_factor_share, offer.take_or_pay_share or 0)
        gpus = int(self.instance.racks[k].gpus_per_rack or 0) / self.mw(k)
        rate = float(offer.rate_usd_per_gpu_hour or 0)
        return rise * rate * paid * gpus * hours_in_month(month) / 1e6

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
        return (
            (reached >= offer.availability)
            and (offer.sites is None or self.site(p) in offer.sites)
            and (offer.cooling is None or offer.cooling == fitout.cooling)
            and (density or 0) <= (fitout.kw_per_rack_max or math.inf)
        )

    def draw(self, offer: Contract, p: Place) -> float:
        """Utility MW that the owner pays for, per IT MW."""
        if offer.power_passed_through:
            return 0.0
        return self.instance.fitouts[p[1]].pue * offer.load_factor_share

    def upkeep(self, p: Place) -> float:
        """M$ per IT MW and month."""
        if not p[1]:
            return 0.0
        per_kw = self.instance.fitouts[p[1]].opex_usd_per_kw_year
        if p[2]:
            per_kw += self.instance.uptime.packages[p[2]].opex_usd_per_kw_year
        return per_kw / 1000 / 12


@dataclass(frozen=True)
class Flexible:
    """An AI load that may be served in part: a contract that may slip, or GPU-hours."""

    peak: float
    margin: float
    most: float


def spread(limits: Mapping[object, int]) -> Iterator[dict[object, int]]:
    """Every way to choose whole numbers from zero to each limit."""
    for counts in itertools.product(*(range(most + 1) for most in limits.values())):
        yield dict(zip(limits, counts, strict=True))


def summed(pairs: Iterator[tuple[object, float]]) -> dict[object, float]:
    sums: dict[object, float] = {}
    for key, x in pairs:
        sums[key] = sums.get(key, 0) + x
    return sums


class Search:
    """Try every plan of a case.

    Parameters
    ----------
    case : Case
        What is given.
    most : int
        Nodes looked at before :class:`TooMany` is raised.
    """

    def __init__(self, case: Case, most: int = 20_000) -> None:
        self.case = case
        self.i = case.instance
        self.most = most
        self.looked = 0
        self.operated: dict[object, tuple[float, float] | None] = {}
        self.lines_worth: dict[object, float] = {}
        if self.i.finance.loan is not None and any(len(c) > 1 for c in case.children):
            raise NotInClosedForm("a loan on a tree")

    def best(self) -> Best:
        """The best of all plans; value minus infinity where none is feasible."""
        return self._best(0, self._opening())

    def _best(self, n: int, before: Standing) -> Best:
        top = Best(NONE)
        arrived, owed = self._arrive(n, before)
        for landed, landings in self._landed(n, arrived):
            for choice in self._choices(n, landed):
                self.looked += 1
                if self.looked > self.most:
                    raise TooMany
                found = self._onwards(n, landed, replace(choice, landings=landings), owed)
                if found.value > top.value:
                    top = found
        return top

    def _onwards(
        self, n: int, before: Standing, choice: Choice, owed: Mapping[str, float]
    ) -> Best:
        stepped = self._step(n, before, choice, owed)
        if stepped is None:
            return Best(NONE)
        after, value = stepped
        choices = [(n, choice)]
        for child in self.case.children[n]:
            below = self._best(child, after)
            if below.value == NONE:
                return below
            value += below.value
            choices += below.choices
        if not self.case.children[n]:
            value += self.case.tree.probability[n] * self._end_value(n, after)
        return Best(value, tuple(choices))

    # --- what comes by itself --------------------------------------------------------------

    def _served_from(self, month: str) -> int:
        """Period from which something that comes in a month is in service."""
        return max(0, whole((month_index(month) - self.case.start) / self.case.step))

    def _opening(self) -> Standing:
        case, owed = self.case, self.i.commitments
        halls = {case.states[h][0]: hall.count for h, hall in self.i.halls.items()}
        for work in owed.works:
            halls[case.states[work.hall][0]] -= work.halls
        racks: dict[Stock, int] = {}
        came: list[Came] = []
        for row in self.i.fleet:
            stock = self._home(row.hall, row.rack), row.rack
            racks[stock] = racks.get(stock, 0) + row.racks
            site = self.i.halls[row.hall].site
            came.append(Came(site, row.rack, case.start - row.age_months, row.racks))
        return Standing(
            halls=halls,
            racks=racks,
            halls_coming=tuple(
                (self._served_from(w.ready), (w.hall, w.fitout, w.package or ""), w.halls)
                for w in owed.works
            ),
            racks_coming=tuple(
                (self._served_from(o.delivery), (self._home(o.hall, o.rack), o.rack), o.racks, 0.0)
                for o in owed.racks
            ),
            signed={c.contract: c.mw for c in owed.contracts},
            cash=self.i.finance.opening_cash_musd,
            came=tuple(came),
        )

    def _home(self, h: str, k: str) -> Place:
        return next(p for p in self.case.states[h] if self.case.per_hall(p, k) > 0)

    def _arrive(self, n: int, s: Standing) -> tuple[Standing, dict[str, float]]:
        """Halls, racks and projects that come into service, and what falls due for them."""
        case, now = self.case, self.case.period(n)
        halls, racks, came = dict(s.halls), dict(s.racks), list(s.came)
        for period, place, count in s.halls_coming:
            if period == now:
                halls[place] = halls.get(place, 0) + count
        for period, stock, count, _ in s.racks_coming:
            if period == now:
                racks[stock] = racks.get(stock, 0) + count
                came.append(Came(case.site(stock[0]), stock[1], case.month(n), count))
        for period, j, _ in s.units:
            added = self.i.projects[j].adds_halls
            if period == now and added is not None:
                bare = case.states[added.hall][0]
                halls[bare] = halls.get(bare, 0) + added.count
        owed = dict.fromkeys(self.i.sites, 0.0)
        for period, stock, _, due in s.racks_coming:
            if period == now:
                owed[case.site(stock[0])] += due
        for site, due, month in self._dues():
            if max(0, (month_index(month) - case.start) // case.step) == now:
                owed[site] += due
        return replace(s, halls=halls, racks=racks, came=tuple(came)), owed

    def _dues(self) -> Iterator[tuple[str, float, str]]:
        for order in self.i.commitments.racks:
            yield self.i.halls[order.hall].site, order.due_musd, order.due or order.delivery
        for work in self.i.commitments.works:
            yield self.i.halls[work.hall].site, work.due_musd, work.due or work.ready

    def _landed(self, n: int, s: Standing) -> Iterator[tuple[Standing, dict[Stock, int]]]:
        """Every way to place the racks whose rebuild ends now."""
        now = self.case.period(n)
        coming = summed(((site, k), c) for p, site, k, c in s.rebuilds_coming if p == now)
        if not coming:
            yield s, {}
            return
        homes = {
            stock: int(coming[self.case.site(stock[0]), stock[1]])
            for stock in self.case.stocks
            if (self.case.site(stock[0]), stock[1]) in coming
        }
        for counts in spread(homes):
            if summed(((self.case.site(p), k), c) for (p, k), c in counts.items()) != coming:
                continue
            racks, came = dict(s.racks), list(s.came)
            for stock, count in counts.items():
                racks[stock] = racks.get(stock, 0) + count
                came.append(Came(self.case.site(stock[0]), stock[1], self.case.month(n), count))
            yield replace(s, racks=racks, came=tuple(came)), counts

    # --- what may be chosen ----------------------------------------------------------------

    def _choices(self, n: int, s: Standing) -> Iterator[Choice]:
        for builds in spread(self._buildable(n, s)):
            begun = replace(s, units=(*s.units, *self._units(n, builds)))
            for conversions in self._conversions(n, s):
                halls = self._halls_after(s, conversions)
                for leaving in self._leaving(n, s):
                    racks = self._racks_after(s, leaving)
                    if not self._may_stand(n, begun, halls, racks):
                        continue
                    chosen = replace(leaving, builds=builds, conversions=conversions)
                    for orders in spread(self._orderable(n)):
                        for signing in self._signings(n, s):
                            yield replace(chosen, orders=orders, signing=signing)

    def _units(self, n: int, builds: Mapping[str, int]) -> list[tuple[int, str, int]]:
        """Units of projects ordered at a node: period of service, project, month of payment."""
        units: list[tuple[int, str, int]] = []
        for j, count in builds.items():
            lag = self.case.lag(self.i.projects[j].months)
            if lag == 0 and self.i.projects[j].adds_halls is not None:
                raise NotInClosedForm("halls built without lead time")
            units += [(self.case.period(n) + lag, j, self.case.month(n))] * count
        return units

    def _conversions(self, n: int, s: Standing) -> Iterator[dict[tuple[Place, Place], int]]:
        limits = {
            (p, q): s.halls[p]
            for (p, q), (lag, _) in self.case.ways.items()
            if s.halls.get(p) and self.case.lands(n, lag)
        }
        for counts in spread(limits):
            begun = summed((p, count) for (p, _), count in counts.items())
            if all(count <= s.halls[p] for p, count in begun.items()):
                yield counts

    def _halls_after(
        self, s: Standing, conversions: Mapping[tuple[Place, Place], int]
    ) -> dict[Place, int]:
        halls = dict(s.halls)
        for (p, q), count in conversions.items():
            halls[p] -= count
            if self.case.ways[p, q][0] == 0:
                halls[q] = halls.get(q, 0) + count
        return halls

    def _leaving(self, n: int, s: Standing) -> Iterator[Choice]:
        """Racks sold, moved and taken out to be rebuilt."""
        standing = {stock: count for stock, count in s.racks.items() if count}
        moves = {(x, q): count for x, count in standing.items() for q in self._may_move(x)}
        rebuilds = {x: count for x, count in standing.items() if self._may_rebuild(n, x)}
        for sales in spread(standing):
            for moved in spread(moves):
                for rebuilt in spread(rebuilds):
                    gone = summed(
                        (stock, count)
                        for stock, count in (
                            *sales.items(),
                            *((x, count) for (x, _), count in moved.items()),
                            *rebuilt.items(),
                        )
                    )
                    if all(count <= standing[x] for x, count in gone.items()):
                        yield Choice(sales=sales, moves=moved, rebuilds=rebuilt)

    def _may_move(self, stock: Stock) -> list[Place]:
        place, k = stock
        kept = self.case.site(place) in self.i.policy.keep_sites
        if self.i.racks[k].move_usd is None or kept:
            return []
        return [
            p
            for p, r in self.case.stocks
            if r == k and p != place and self.case.site(p) == self.case.site(place)
        ]

    def _may_rebuild(self, n: int, stock: Stock) -> bool:
        to, site = self.i.racks[stock[1]].converts_to, self.case.site(stock[0])
        if to is None or not self.i.policy.reuse_gpus or site in self.i.policy.keep_sites:
            return False
        if not self.case.lands(n, self.case.lag(to.months)):
            return False
        if self.case.lag(to.months) == 0:
            raise NotInClosedForm("a rebuild without lead time")
        return any(k == to.rack and self.case.site(p) == site for p, k in self.case.stocks)

    def _racks_after(self, s: Standing, leaving: Choice) -> dict[Stock, int]:
        racks = dict(s.racks)
        for stock, count in (*leaving.sales.items(), *leaving.rebuilds.items()):
            racks[stock] -= count
        for ((place, k), q), count in leaving.moves.items():
            racks[place, k] -= count
            racks[q, k] = racks.get((q, k), 0) + count
        return racks

    def _orderable(self, n: int) -> dict[Stock, int]:
        return {
            (p, k): self.case.per_hall(p, k) * self.case.most_halls[p[0]]
            for p, k in self.case.stocks
            if self._may_order(n, p, k)
        }

    def _may_order(self, n: int, p: Place, k: str) -> bool:
        rack, month = self.i.racks[k], self.case.month(n)
        return (
            rack.buyable
            and self.case.site(p) not in self.i.policy.keep_sites
            and self.case.lands(n, self.case.lag(rack.delivery_months))
            and month >= (month_index(rack.buy_from) if rack.buy_from else 0)
            and month <= (month_index(rack.buy_until) if rack.buy_until else math.inf)
        )

    def _buildable(self, n: int, s: Standing) -> dict[str, int]:
        month = self.case.month(n)
        return {
            j: project.max_units - sum(1 for _, built, _ in s.units if built == j)
            for j, project in self.i.projects.items()
            if project.site not in self.i.policy.keep_sites
            and self.case.lands(n, self.case.lag(project.months))
            and month >= (month_index(project.earliest) if project.earliest else 0)
            and month <= (month_index(project.latest) if project.latest else math.inf)
        }

    def _signings(self, n: int, s: Standing) -> Iterator[dict[str, float]]:
        today = {c.contract for c in self.i.commitments.contracts}
        offers: dict[str, list[float]] = {
            x: [0.0, *self._signable_mw(x)]
            for x, offer in self.i.contracts.items()
            if x not in s.signed
            and x not in today
            and self.case.month(n) <= month_index(offer.sign_by)
            and month_index(offer.start) < self.case.end
        }
        for mw in itertools.product(*offers.values()):
            yield {x: q for x, q in zip(offers, mw, strict=True) if q}

    def _signable_mw(self, x: str) -> list[float]:
        """MW at which the value of a contract can turn: its limits, and whole halls and racks."""
        offer = self.i.contracts[x]
        if offer.min_mw == offer.max_mw:
            return [offer.min_mw]
        if len(self.i.contracts) > 1 or self.i.gpu_cloud or offer.latest_delivery:
            raise NotInClosedForm("a range of MW beside other AI")
        shares = {self.case.due(x, n) for n in range(len(self.case.tree.parent))} - {0.0}
        turns = {offer.min_mw, offer.max_mw}
        for p, k in self.case.homes(x):
            each = self.case.mw(k) if k else self.case.hall_mw(p)
            per_hall = self.case.per_hall(p, k) if k else 1
            turns |= {
                each * j / share
                for share in shares
                for j in range(1, per_hall * self.case.most_halls[p[0]] + 1)
            }
            if offer.kw_per_rack and not k and math.isfinite(self.case.positions(p)):
                each = self.case.positions(p) * offer.kw_per_rack / 1000
                turns |= {
                    each * j / share
                    for share in shares
                    for j in range(1, self.case.most_halls[p[0]] + 1)
                }
        return sorted(q for q in turns if offer.min_mw <= q <= offer.max_mw)

    # --- what must hold --------------------------------------------------------------------

    def _may_stand(
        self, n: int, s: Standing, halls: Mapping[Place, int], racks: Mapping[Stock, int]
    ) -> bool:
        """Whether racks fit their halls, have life left, and AI halls have fibre."""
        return self._fit(halls, racks, {}) and self._alive(n, s, racks) and self._lit(n, s, halls)

    def _fit(
        self,
        halls: Mapping[Place, int],
        racks: Mapping[Stock, int],
        tenants: Mapping[Place, tuple[float, float]],
    ) -> bool:
        mw = dict.fromkeys(halls, 0.0)
        floor = dict.fromkeys(halls, 0.0)
        for (p, k), count in racks.items():
            if count > self.case.per_hall(p, k) * halls.get(p, 0):
                return False
            if count:
                mw[p] += count * self.case.mw(k)
                floor[p] += count * self.i.racks[k].positions
        for p, (served, positions) in tenants.items():
            mw[p] += served
            floor[p] += positions
        return all(
            mw[p] <= count * self.case.hall_mw(p) + TOLERANCE
            and (not floor[p] or floor[p] <= count * self.case.positions(p) + TOLERANCE)
            for p, count in halls.items()
        )

    def _alive(self, n: int, s: Standing, racks: Mapping[Stock, int]) -> bool:
        """The oldest leave first: no more stand than have a whole period of life left."""
        after = self.case.month(n) + self.case.step
        young = summed(
            ((c.site, c.rack), c.count)
            for c in s.came
            if c.month + self.case.life(c.rack) >= after
        )
        standing = summed(((self.case.site(p), k), count) for (p, k), count in racks.items())
        return all(count <= young.get(key, 0) for key, count in standing.items())

    def _lit(self, n: int, s: Standing, halls: Mapping[Place, int]) -> bool:
        lit = {site for site, block in self.i.sites.items() if block.fibre}
        lit |= {
            self.i.projects[j].site
            for period, j, _ in s.units
            if period <= self.case.period(n) and self.i.projects[j].adds_fibre
        }
        return all(
            self.case.site(p) in lit
            for p, count in halls.items()
            if count and self.case.workload(p) == "ai"
        )

    # --- a node ----------------------------------------------------------------------------

    def _step(
        self, n: int, s: Standing, choice: Choice, owed: Mapping[str, float]
    ) -> tuple[Standing, float] | None:
        """What stands after a node and the present value of its cash, if it may be done."""
        after, capex = self._ordered(n, s, choice)
        for site, due in owed.items():
            capex[site] += due
        spent = (*s.spent, *((self.case.month(n), site, musd) for site, musd in capex.items()))
        if not self._may_stand(n, after, after.halls, after.racks) or self._overspent(n, spent):
            return None
        margin = self._operation(n, after)
        if margin is None:
            return None
        ai = any(x and self.case.workload(p) == "ai" for p, x in after.halls.items())
        finance = self.i.finance
        entry = 0.0
        if ai and not s.entered and not finance.hosts_ai_already:
            entry = finance.ai_entry_cost_musd
        total_capex = sum(capex.values())
        start = self._receipts(n, choice) - total_capex - entry - self._debt(n)[0]
        operating = margin - self._debt(n)[1]
        cash = s.cash + start, s.cash + start + operating
        if finance.loan is None and min(cash) < finance.minimum_cash_musd - TOLERANCE:
            return None
        months = self.case.month(n)
        value = self.case.worth(months) * start
        value += self.case.worth(months + self.case.step / 2) * operating
        flows = (*s.flows, (start, operating, total_capex))
        after = replace(after, cash=cash[1], spent=spent, entered=s.entered or ai, flows=flows)
        return after, value * self.case.tree.probability[n]

    def _ordered(self, n: int, s: Standing, choice: Choice) -> tuple[Standing, dict[str, float]]:
        """What stands after the choices of a node, and their capex by site."""
        case, now = self.case, self.case.period(n)
        halls, racks = self._halls_after(s, choice.conversions), self._racks_after(s, choice)
        halls_coming, racks_coming = list(s.halls_coming), list(s.racks_coming)
        rebuilds, vintages, came = list(s.rebuilds_coming), list(s.vintages), list(s.came)
        capex = dict.fromkeys(self.i.sites, 0.0)
        for (p, q), count in choice.conversions.items():
            lag, cost = case.ways[p, q]
            capex[case.site(p)] += count * cost
            if count:
                vintages.append(Vintage(q, case.month(n) + lag * case.step, cost, count))
                if lag:
                    halls_coming.append((now + lag, q, count))
        for (p, k), count in choice.orders.items():
            rack, lag = self.i.racks[k], case.lag(self.i.racks[k].delivery_months)
            due = count * case.price(k) * (1 - rack.deposit_share)
            capex[case.site(p)] += count * case.price(k) * rack.deposit_share
            if count and lag:
                racks_coming.append((now + lag, (p, k), count, due))
            elif count:
                capex[case.site(p)] += due
                racks[p, k] = racks.get((p, k), 0) + count
                came.append(Came(case.site(p), k, case.month(n), count))
        for ((p, k), _), count in choice.moves.items():
            capex[case.site(p)] += count * float(self.i.racks[k].move_usd or 0) / 1e6
        for (p, k), count in choice.rebuilds.items():
            to = self.i.racks[k].converts_to
            if to is not None and count:
                capex[case.site(p)] += count * to.cost_usd / 1e6
                rebuilds.append((now + case.lag(to.months), case.site(p), to.rack, count))
        for j, count in choice.builds.items():
            capex[self.i.projects[j].site] += count * self.i.projects[j].capex_musd
        after = replace(
            s,
            halls=halls,
            racks=racks,
            halls_coming=tuple(halls_coming),
            racks_coming=tuple(racks_coming),
            rebuilds_coming=tuple(rebuilds),
            units=(*s.units, *self._units(n, choice.builds)),
            signed={**s.signed, **choice.signing},
            vintages=tuple(vintages),
            came=tuple(came),
        )
        return after, capex

    def _overspent(self, n: int, spent: tuple[tuple[int, str, float], ...]) -> bool:
        finance, case = self.i.finance, self.case
        limits = [
            (musd, case.start, case.end, {site})
            for site, musd in finance.capex_budget_by_site_musd.items()
        ]
        if finance.capex_budget_musd is not None:
            limits.append((finance.capex_budget_musd, case.start, case.end, set(self.i.sites)))
        for span in finance.capex_budget_by_period:
            first = month_index(span.from_)
            after = month_index(span.to) + 1 if span.to else first + case.step
            limits.append((span.musd, first, after, set(self.i.sites)))
        return any(
            sum(x for month, site, x in spent if first <= month < after and site in sites)
            > musd + TOLERANCE
            for musd, first, after, sites in limits
        )

    def _receipts(self, n: int, choice: Choice) -> float:
        """Racks sold, advances and works paid by tenants."""
        sold = sum(
            count * self.case.resale(k, self.case.month(n))
            for (_, k), count in choice.sales.items()
        )
        advances = sum(
            mw
            * (
                self.i.contracts[x].prepayment_usd_per_kw
                + self.i.contracts[x].tenant_works_usd_per_kw
            )
            / 1000
            for x, mw in choice.signing.items()
        )
        return sold + advances

    def _debt(self, n: int) -> tuple[float, float]:
        """Principal and interest due in a node on debt that exists today."""
        due = [
            d
            for d in self.i.commitments.debt
            if max(0, (month_index(d.month) - self.case.start) // self.case.step)
            == self.case.period(n)
        ]
        return sum(d.principal_musd for d in due), sum(d.interest_musd for d in due)

    # --- operation of a node ---------------------------------------------------------------

    def _operation(self, n: int, s: Standing) -> float | None:
        """Operating cash of a node; None where a limit or a contract cannot be kept."""
        served = self._served(n, s)
        if served is None or not self._fit(s.halls, s.racks, self._tenants(served)):
            return None
        years = self.case.step / 12
        finance = self.i.finance
        margin = -finance.overhead_musd_per_year * years
        mining, hosting, hosted = set[str](), set[str](), sum(mw for _, _, _, mw in served)
        for site in self.i.sites:
            found = self._site(n, s, site, served)
            if found is None:
                return None
            margin += found[0] - self.i.sites[site].staff_musd_per_year * years
            hosted += found[1]
            if self._mining_mw(s, site) > 0:
                mining.add(site)
            if self._ai_halls(s, site):
                hosting.add(site)
        margin -= finance.split_cost_site_musd_per_year * years * len(mining & hosting)
        if mining and hosting:
            margin -= finance.split_cost_company_musd_per_year * years
        mined = sum(self._mining_mw(s, site) for site in self.i.sites)
        if not self._shares_kept(n, mined, hosted):
            return None
        return margin + self._contract_payments(n, s, served) - self._upkeep(s)

    def _served(self, n: int, s: Standing) -> list[tuple[str, Place, str, float]] | None:
        """MW of each contract that must be delivered now, and where."""
        served: list[tuple[str, Place, str, float]] = []
        for x, mw in s.signed.items():
            share = self.case.due(x, n)
            if share == 0 or self._may_slip(n, x):
                continue
            homes = self._open_homes(x, s)
            if not homes:
                return None
            if len(homes) > 1:
                raise NotInClosedForm("a contract with more than one place to serve it")
            place, k = homes[0]
            served.append((x, place, k, share * mw))
        for place, k in {(p, k) for _, p, k, _ in served if k}:
            load = sum(mw for _, p, r, mw in served if (p, r) == (place, k))
            if load > s.racks.get((place, k), 0) * self.case.mw(k) + TOLERANCE:
                return None
        return served

    def _open_homes(self, x: str, s: Standing) -> list[tuple[Place, str]]:
        return [
            (p, k)
            for p, k in self.case.homes(x)
            if s.halls.get(p) and (not k or s.racks.get((p, k)))
        ]

    def _may_slip(self, n: int, x: str) -> bool:
        latest = self.i.contracts[x].latest_delivery
        after = self.case.month(n) + self.case.step
        return latest is not None and after <= month_index(latest)

    def _tenants(
        self, served: list[tuple[str, Place, str, float]]
    ) -> dict[Place, tuple[float, float]]:
        """IT MW and rack positions that tenants' racks take."""
        taken: dict[Place, tuple[float, float]] = {}
        for x, p, k, mw in served:
            if not k:
                each = self.i.contracts[x].kw_per_rack
                before = taken.get(p, (0.0, 0.0))
                floor = mw * 1000 / each if each else 0.0
                taken[p] = before[0] + mw, before[1] + floor
        return taken

    def _mining_mw(self, s: Standing, site: str) -> float:
        """Nameplate IT MW of the mining racks at a site."""
        return sum(
            count * self.case.mw(k)
            for (p, k), count in s.racks.items()
            if self.case.site(p) == site and self.i.racks[k].machine is not None
        )

    def _ai_halls(self, s: Standing, site: str) -> int:
        return sum(
            count
            for p, count in s.halls.items()
            if self.case.site(p) == site and self.case.workload(p) == "ai"
        )

    def _shares_kept(self, n: int, mined: float, hosted: float) -> bool:
        policy = self.i.policy
        if policy.shares_from and self.case.month(n) < month_index(policy.shares_from):
            return True
        both = (mined + hosted) * (1 + TOLERANCE) + TOLERANCE
        bounds = (
            (mined, policy.mining_share_min, policy.mining_share_max),
            (hosted, policy.ai_share_min, policy.ai_share_max),
        )
        shared = [low is not None or high is not None for _, low, high in bounds]
        if any(shared) and self.i.gpu_cloud:
            raise NotInClosedForm("shares of the businesses beside GPU-hours")
        return all(
            (low is None or mw >= low * both - 3 * TOLERANCE)
            and (high is None or mw <= high * both + 3 * TOLERANCE)
            for mw, low, high in bounds
        )

    def _upkeep(self, s: Standing) -> float:
        return sum(
            count * self.case.hall_mw(p) * self.case.upkeep(p) * self.case.step
            for p, count in s.halls.items()
        )

    def _months_served(self, n: int, x: str) -> dict[int, float]:
        """Share of what stands for a contract that earns, by month of a node."""
        offer = self.i.contracts[x]
        return {m: self.case.share(offer, m) / self.case.due(x, n) for m in self.case.months(n)}

    def _contract_payments(
        self, n: int, s: Standing, served: list[tuple[str, Place, str, float]]
    ) -> float:
        """Rent less energy and service of what is served, damages, and credit of advances."""
        paid = sum(mw * self._earned(n, x, p, k) for x, p, k, mw in served)
        for x, mw in s.signed.items():
            paid -= mw * sum(self._credit(x, m) for m in self.case.months(n))
            if self.case.due(x, n) > 0 and self._may_slip(n, x):
                paid -= self.case.due(x, n) * mw * self._damages(n, x)
        return paid

    def _damages(self, n: int, x: str) -> float:
        """M$ per MW that is due through a node and not delivered."""
        months = sum(self._months_served(n, x).values())
        return months * self.i.contracts[x].delay_usd_per_kw_month / 1000

    def _earned(self, n: int, x: str, p: Place, k: str) -> float:
        """M$ per MW served through a node: rent less energy and service."""
        offer, months = self.i.contracts[x], self._months_served(n, x)
        rent = sum(w * self.case.rent(offer, k, m) for m, w in months.items())
        through = sum(months.values())
        energy = sum(self.case.ai_energy(n, self.case.site(p))) * self.case.draw(offer, p)
        service = offer.staff_usd_per_kw_month / 1000
        return rent - through * service - through / self.case.step * energy

    def _credit(self, x: str, month: int) -> float:
        """M$ per MW of an advance that is credited in a month."""
        offer = self.i.contracts[x]
        months = offer.prepayment_credit_months or offer.months
        start = month_index(offer.start)
        if not start <= month < start + months:
            return 0.0
        return offer.prepayment_usd_per_kw / 1000 / months

    def _flexible(
        self, n: int, s: Standing, site: str, served: list[tuple[str, Place, str, float]]
    ) -> list[Flexible]:
        """Loads that may be served in part: slipping contracts and GPU-hours."""
        loads = []
        for x, mw in s.signed.items():
            if self.case.due(x, n) == 0 or not self._may_slip(n, x):
                continue
            for p, k in self._open_homes(x, s):
                if self.case.site(p) == site:
                    room = self._room(s, p, k, x, served)
                    margin = self._earned(n, x, p, k) + self._damages(n, x)
                    most = min(room, self.case.due(x, n) * mw)
                    loads.append(Flexible(self.case.peak(p), margin, most))
        for (p, k), count in s.racks.items():
            if count and k in self.i.gpu_cloud and self.case.site(p) == site:
                loads.append(self._cloud(n, s, p, k, served))
        return [load for load in loads if load.most > TOLERANCE]

    def _room(
        self, s: Standing, p: Place, k: str, x: str, served: list[tuple[str, Place, str, float]]
    ) -> float:
        """IT MW that a place has left for a slipping contract."""
        if len(self._open_homes(x, s)) > 1 or self.i.gpu_cloud:
            raise NotInClosedForm("a contract that slips beside other AI")
        if any(q == p for _, q, _, _ in served):
            raise NotInClosedForm("a contract that slips beside another")
        if k:
            return s.racks[p, k] * self.case.mw(k)
        if any(count for (q, _), count in s.racks.items() if q == p):
            raise NotInClosedForm("a contract that slips beside racks")
        each = self.i.contracts[x].kw_per_rack
        by_floor = self.case.positions(p) * (each or math.inf) / 1000
        return s.halls[p] * min(self.case.hall_mw(p), by_floor)

    def _cloud(
        self, n: int, s: Standing, p: Place, k: str, served: list[tuple[str, Place, str, float]]
    ) -> Flexible:
        sold = self.i.gpu_cloud[k]
        used = sum(mw for _, q, r, mw in served if (q, r) == (p, k))
        most = s.racks[p, k] * self.case.mw(k) - used
        if sold.demand_limit_mw is not None:
            if sum(1 for (_, r), count in s.racks.items() if r == k and count) > 1:
                raise NotInClosedForm("demand for GPU-hours shared by two places")
            limit = path_in_month(sold.demand_limit_mw, self.case.month(n), self.case.start)
            most = min(most, limit)
        months = self.case.months(n)
        price = sum(
            path_in_month(sold.price_usd_per_gpu_hour, m, self.case.start) for m in months
        ) / len(months)
        price *= self.case.weather.cloud.get(n, 1.0)
        gpus = int(self.i.racks[k].gpus_per_rack or 0) / self.case.mw(k)
        hours = sum(hours_in_month(m) for m in months) * sold.utilisation_share
        revenue = price * (1 - sold.fee_share) * gpus * hours / 1e6
        pue = self.i.fitouts[p[1]].pue
        energy = sum(self.case.ai_energy(n, self.case.site(p))) * pue * sold.load_factor_share
        return Flexible(self.case.peak(p), revenue - energy, most)

    def _site(
        self, n: int, s: Standing, site: str, served: list[tuple[str, Place, str, float]]
    ) -> tuple[float, float] | None:
        """Margin of mining and of flexible AI at a site, and the MW of the latter."""
        flexible = self._flexible(n, s, site, served)
        if len(flexible) > 1:
            raise NotInClosedForm("two flexible loads at a site")
        installed = summed(
            ((p[1], k), count * self.case.mw(k))
            for (p, k), count in s.racks.items()
            if count and self.case.site(p) == site and self.i.racks[k].machine is not None
        )
        reserved = sum(
            mw * self.case.peak(p) for _, p, _, mw in served if self.case.site(p) == site
        )
        built = [self.i.projects[j] for period, j, _ in s.units if period <= self.case.period(n)]
        firm = sum(j.adds_firm_mw for j in built if j.site == site)
        flexed = sum(j.adds_interruptible_mw for j in built if j.site == site)
        key = n, site, tuple(sorted(installed.items())), reserved, firm, flexed, tuple(flexible)
        if key not in self.operated:
            power = SitePower(self.case, n, site, installed, firm, flexed)
            self.operated[key] = power.best(reserved, flexible[0] if flexible else None)
        return self.operated[key]

    # --- the end ---------------------------------------------------------------------------

    def _end_value(self, leaf: int, s: Standing) -> float:
        """Present value, given the leaf is reached, of what remains at the horizon."""
        case, end = self.case, self.case.end
        served = self._served(leaf, s) or []
        tails = [(x, p, k, mw) for x, p, k, mw in served if self._stop(leaf, x) > end]
        if any(self._may_slip(leaf, x) for x in s.signed if case.due(x, leaf) > 0):
            raise NotInClosedForm("a contract that slips at the horizon")
        if not self._outlived(s, tails):
            return NONE
        value = sum(mw * self._tail(leaf, x, p, k) for x, p, k, mw in tails)
        for x, mw in s.signed.items():
            for m in range(end, end + 1200):
                value -= mw * self._credit(x, m) * case.worth(m + 0.5)
        value += self._rack_residual(s, tails) + self._hall_residual(s, tails)
        for _, j, ordered in s.units:
            project = self.i.projects[j]
            came = ordered + case.lag(project.months) * case.step
            left = max(0.0, 1 - (end - came) / project.life_months)
            value += project.capex_musd * left * case.worth(end)
        debt = sum(
            d.principal_musd for d in self.i.commitments.debt if month_index(d.month) >= end
        )
        value -= debt * case.worth(end)
        return value + self._funding(s) if self.i.finance.loan is not None else value

    def _stop(self, leaf: int, x: str) -> int:
        """Month after a contract that still runs at the horizon."""
        offer = self.i.contracts[x]
        return month_index(offer.start) + offer.months if self.case.due(x, leaf) > 0 else 0

    def _outlived(self, s: Standing, tails: list[tuple[str, Place, str, float]]) -> bool:
        """Racks that serve beyond the horizon live until their contract ends."""
        for x, place, k, _ in tails:
            if not k:
                continue
            site, stop = self.case.site(place), self._stop(self._leaf, x)
            serving = sum(
                mw / self.case.mw(k)
                for y, p, r, mw in tails
                if r == k and self.case.site(p) == site and self._stop(self._leaf, y) >= stop
            )
            young = sum(
                c.count
                for c in s.came
                if (c.site, c.rack) == (site, k) and c.month + self.case.life(k) >= stop
            )
            if serving > young + TOLERANCE:
                return False
        return True

    @property
    def _leaf(self) -> int:
        """Any leaf: contracts run at the same dates on every branch."""
        return len(self.case.tree.parent) - 1

    def _tail(self, leaf: int, x: str, p: Place, k: str) -> float:
        """Present value per MW of a contract's margin beyond the horizon."""
        case, offer = self.case, self.i.contracts[x]
        held = case.share(offer, case.end - 1) / case.due(x, leaf)
        service = offer.staff_usd_per_kw_month / 1000
        value = 0.0
        for m in range(case.end, self._stop(leaf, x)):
            energy = case.draw(offer, p) * self._energy_beyond(leaf, case.site(p), m)
            earned = held * (case.rent(offer, k, m) - service - energy) - case.upkeep(p)
            value += earned * case.worth(m + 0.5)
        return value

    def _energy_beyond(self, leaf: int, site: str, month: int) -> float:
        """M$ of a utility MW for a month: that of the last year, grown in its price."""
        case = self.case
        year = case.line[leaf][-(12 // case.step) :]
        months = len(year) * case.step
        rate = self.i.power[self.i.sites[site].power or site].growth_per_year
        growth = (1 + rate) ** ((month + 0.5 - (case.end - months / 2)) / 12)
        priced = sum(case.ai_energy(n, site)[0] for n in year)
        added = sum(case.ai_energy(n, site)[1] for n in year)
        return (priced * growth + added) / months

    def _rack_residual(self, s: Standing, tails: list[tuple[str, Place, str, float]]) -> float:
        case, end = self.case, self.case.end
        value = sum(count * case.resale(k, end) for (_, k), count in s.racks.items())
        value *= case.worth(end)
        for x, _, k, mw in tails:
            if k:
                stop = self._stop(self._leaf, x)
                now, then = case.resale(k, end), case.resale(k, stop)
                value -= mw / case.mw(k) * (now * case.worth(end) - then * case.worth(stop))
        return value

    def _hall_residual(self, s: Standing, tails: list[tuple[str, Place, str, float]]) -> float:
        """Straight-line worth of converted halls, each vintage at the end that serves it best."""
        value = 0.0
        for place in dict.fromkeys(v.place for v in s.vintages):
            vintages = [v for v in s.vintages if v.place == place]
            serving: dict[int, float] = {}
            for x, p, _, mw in tails:
                if p == place:
                    stop = self._stop(self._leaf, x)
                    serving[stop] = serving.get(stop, 0.0) + mw / self.case.hall_mw(p)
            idle = s.halls.get(place, 0) - sum(serving.values())
            ends = ((self.case.end, max(0.0, idle)), *serving.items())
            value += self._kept(tuple(vintages), ends)
        return value

    def _kept(self, vintages: tuple[Vintage, ...], ends: tuple[tuple[int, float], ...]) -> float:
        """Hand halls of each vintage to ends, for the most worth."""
        life = self.i.fitouts[vintages[0].place[1]].life_months
        worth = [
            [
                v.cost * max(0.0, 1 - (end - v.month) / life) * self.case.worth(end)
                for end, _ in ends
            ]
            for v in vintages
        ]
        if len(ends) == 1 or len(vintages) == 1:
            return _greedy(worth, [v.count for v in vintages], [room for _, room in ends])
        key = vintages, ends
        if key not in self.lines_worth:
            self.lines_worth[key] = _transport(
                worth, [v.count for v in vintages], [room for _, room in ends]
            )
        return self.lines_worth[key]

    # --- the loan --------------------------------------------------------------------------

    def _funding(self, s: Standing) -> float:
        """Most that the loan adds to the value of a chain's cash flows; minus infinity if short.

        Unknowns are draws and repayments; cash and the loan outstanding follow.
        """
        loan, case, count = self.i.finance.loan, self.case, len(s.flows)
        assert loan is not None
        begin = [case.worth(case.month(n)) for n in case.line[-1]]
        middle = [case.worth(case.month(n) + case.step / 2) for n in case.line[-1]]
        rate = loan.interest_per_year * case.step / 12
        debt = np.tril(np.ones((count, count)))
        sums = debt.copy()
        owed = -rate * np.array(middle) @ debt
        owed[:] -= case.worth(case.end)
        drawn = (1 - loan.fee_share) * np.array(begin) + owed
        repaid = -np.array(begin) - owed
        cash_start = np.hstack(
            [
                (1 - loan.fee_share) * sums - rate * (sums - np.eye(count)) @ debt,
                -sums + rate * (sums - np.eye(count)) @ debt,
            ]
        )
        cash_end = np.hstack(
            [
                (1 - loan.fee_share) * sums - rate * sums @ debt,
                -sums + rate * sums @ debt,
            ]
        )
        start = np.array([flow[0] for flow in s.flows])
        operating = np.array([flow[1] for flow in s.flows])
        held = self.i.finance.opening_cash_musd - self.i.finance.minimum_cash_musd
        before = held + np.cumsum(start) + np.cumsum(operating) - operating
        after = held + np.cumsum(start + operating)
        outstanding = np.hstack([debt, -debt])
        found = linprog(
            -np.concatenate([drawn, repaid]),
            A_ub=np.vstack([-cash_start, -cash_end, outstanding, -outstanding]),
            b_ub=np.concatenate([before, after, np.full(count, loan.limit_musd), np.zeros(count)]),
            bounds=[self._most_drawn(s, t) for t in range(count)] + [(0, None)] * count,
        )
        return float(-found.fun) if found.status == 0 else NONE

    def _most_drawn(self, s: Standing, period: int) -> tuple[float, float]:
        loan, month = self.i.finance.loan, self.case.start + period * self.case.step
        assert loan is not None
        if loan.draw_until and month > month_index(loan.draw_until):
            return 0.0, 0.0
        return 0.0, loan.loan_to_cost_share * s.flows[period][2]


def _greedy(worth: list[list[float]], counts: list[int], rooms: list[float]) -> float:
    """Fill the most worthy pairs first: right where there is one vintage, or one end."""
    value, left, room = 0.0, [float(c) for c in counts], list(rooms)
    pairs = [(worth[v][e], v, e) for v in range(len(counts)) for e in range(len(rooms))]
    for each, v, e in sorted(pairs, reverse=True):
        kept = min(left[v], room[e])
        value += kept * each
        left[v] -= kept
        room[e] -= kept
    return value


def _transport(worth: list[list[float]], counts: list[int], rooms: list[float]) -> float:
    """Fill several ends from several vintages for the most worth."""
    vintages, ends = len(counts), len(rooms)
    rows = np.kron(np.eye(vintages), np.ones(ends))
    columns = np.kron(np.ones(vintages), np.eye(ends))
    found = linprog(
        -np.array(worth).ravel(),
        A_ub=np.vstack([rows, columns]),
        b_ub=np.concatenate([counts, rooms]),
    )
    return float(-found.fun)


@dataclass(frozen=True, eq=False)
class SitePower:
    """A site's connection through a node, and the mining racks behind it."""

    case: Case
    n: int
    site: str
    installed: Mapping[tuple[str, str], float]
    added_firm: float
    added_interruptible: float

    def best(self, reserved: float, flexible: Flexible | None) -> tuple[float, float] | None:
        """Most that mining and a flexible load earn beside AI's reservation, and its MW."""
        room = self._ai_room() - reserved
        if room < -TOLERANCE:
            return None
        if flexible is None:
            return self.mining(reserved), 0.0
        most = min(flexible.most, room / flexible.peak)
        return max(
            (self.mining(reserved + mw * flexible.peak) + mw * flexible.margin, mw)
            for mw in self._turns(reserved, flexible, most)
        )

    @cached_property
    def firm(self) -> float:
        """Firm MW of the node."""
        typed = self.case.instance.sites[self.site].firm_mw
        own = path_in_month(typed, self.case.month(self.n), self.case.start)
        return own * self.case.weather.firm.get(self.n, 1.0) + self.added_firm

    @cached_property
    def interruptible(self) -> float:
        """Interruptible MW of the node."""
        typed = self.case.instance.sites[self.site].interruptible_mw
        own = path_in_month(typed, self.case.month(self.n), self.case.start)
        return own + self.added_interruptible

    def _peak(self, fitout: str) -> float:
        block = self.case.instance.fitouts[fitout]
        return block.pue_peak or block.pue

    def _ai_room(self) -> float:
        """Utility MW that AI may reserve."""
        site, instance = self.case.instance.sites[self.site], self.case.instance
        limits = [self.firm]
        if site.ai_mw_max is not None:
            limits.append(site.ai_mw_max)
        if not instance.policy.reuse_power:
            limits.append(self.added_firm)
        if site.substation_mw is not None:
            nameplate = sum(mw * self._peak(f) for (f, _), mw in self.installed.items())
            limits.append(site.substation_mw - nameplate)
        return min(limits)

    def _turns(self, reserved: float, flexible: Flexible, most: float) -> list[float]:
        """MW of the flexible load at which what mining loses by it changes pace."""
        loads = [self._peak(f) * mw * self._ready(k) for (f, k), mw in self.installed.items()]
        used = [
            sum(part)
            for size in range(len(loads) + 1)
            for part in itertools.combinations(loads, size)
        ]
        granted = self.case.instance.sites[self.site].mining_mw_max
        used += [granted] if granted is not None else []
        turns = {
            (supply - reserved - mined) / flexible.peak
            for supply in (self.firm, self.firm + self.interruptible)
            for mined in used
        }
        return [0.0, most, *(mw for mw in turns if 0 < mw < most)]

    def _ready(self, k: str) -> float:
        """Share of a rack's machines that is fit to run."""
        machine = self.case.instance.racks[k].machine
        return self.case.instance.machines[str(machine)].availability_share

    def mining(self, reserved: float) -> float:
        """M$ of mining, hour by hour: what earns most per MW of the connection goes first."""
        case, site = self.case, self.case.instance.sites[self.site]
        power = case.instance.power[site.power or self.site]
        added = power.adder_usd_per_mwh + power.mining_adder_usd_per_mwh
        granted = math.inf if site.mining_mw_max is None else site.mining_mw_max
        earned = 0.0
        for hours, price, cut in case.rows(self.n, self.site):
            supply = self.firm + (0.0 if cut else self.interruptible)
            left = min(supply - reserved, granted)
            for worth, peak, mw in self._ranked(price + added):
                run = min(mw, left / peak)
                earned += hours * worth * run
                left -= run * peak
        return earned / 1e6

    def _ranked(self, energy: float) -> list[tuple[float, float, float]]:
        """$ per IT MWh, peak factor and MW fit to run of the classes that earn, best first."""
        earning = []
        for (f, k), mw in self.installed.items():
            worth = (
                self.case.mining_revenue(self.n, k) - self.case.instance.fitouts[f].pue * energy
            )
            if worth > 0:
                earning.append((worth, self._peak(f), mw * self._ready(k)))
        return sorted(earning, key=lambda c: c[0] / c[1], reverse=True)


def best_plan(case: Case, most: int = 20_000) -> Best:
    """The best of all plans of a case.

    Raises
    ------
    TooMany
        Where more than ``most`` nodes would have to be looked at.
    NotInClosedForm
        Where something beside integers is left to decide.
    """
    return Search(case, most).best()

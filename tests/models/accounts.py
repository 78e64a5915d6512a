"""What a period earns, reckoned hour by hour for whole racks and halls that stand.

Mining runs the class that earns most per MW of the connection first. AI under contract is
delivered as signed; one load a site that may be served in part (GPU-hours, or a contract that
may slip) is tried at every MW at which what mining loses by it changes pace.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import NamedTuple, TypeVar

from tests.models.cases import (
    Case,
    Place,
    Stock,
    hours_in_month,
    month_of,
    path_in_month,
    remembered,
)

TOLERANCE = 1e-9

Key = TypeVar("Key", bound=Hashable)
Amount = TypeVar("Amount", int, float)


class NotInClosedForm(Exception):
    """The case leaves more to decide beside its integers than is worked out here."""


class Came(NamedTuple):
    """Racks that came to a site: from when they count as new, and how many."""

    site: str
    rack: str
    month: int
    racks: int


class Vintage(NamedTuple):
    """Halls converted: from what to what, when they come to serve, what each cost, how many."""

    origin: Place
    place: Place
    month: int
    cost: float
    halls: int

    @property
    def fitted(self) -> bool:
        """Whether works brought a fit-out, and not a package alone."""
        return self.origin[1] != self.place[1]


class Unit(NamedTuple):
    """A unit of a project: period from which it serves, which, month of payment."""

    period: int
    project: str
    paid: int


class Served(NamedTuple):
    """MW of a contract, where, and on which racks; none named for a tenant's own."""

    contract: str
    place: Place
    rack: str
    mw: float


class Flexible(NamedTuple):
    """An AI load that may be served in part: M$ per MW, most and least MW, its peak factor."""

    peak: float
    margin: float
    most: float
    least: float = 0.0


@dataclass(frozen=True)
class Standing:
    """What stands, is under way and is owed along one path."""

    halls: Mapping[Place, int]
    racks: Mapping[Stock, int]
    halls_coming: tuple[tuple[int, Place, int], ...] = ()
    racks_coming: tuple[tuple[int, Stock, int, float | None], ...] = ()
    fresh: Mapping[tuple[str, str], int] = field(default_factory=dict)
    rebuilds_coming: tuple[tuple[int, tuple[str, str], int], ...] = ()
    units: tuple[Unit, ...] = ()
    signed: Mapping[str, float] = field(default_factory=dict)
    cash: float = 0.0
    spent: tuple[tuple[int, str, float], ...] = ()
    came: tuple[Came, ...] = ()
    vintages: tuple[Vintage, ...] = ()
    entered: bool = False
    flows: tuple[tuple[float, float, float], ...] = ()


def summed(pairs: Iterable[tuple[Key, Amount]]) -> dict[Key, Amount]:
    """Add up what belongs to the same key."""
    sums: dict[Key, Amount] = {}
    for key, x in pairs:
        sums[key] = sums[key] + x if key in sums else x
    return sums


def _rest(share: float | None) -> float | None:
    return None if share is None else 1 - share


class Accounts:
    """Operating cash of a node, and what must hold in it."""

    def __init__(self, case: Case) -> None:
        self.case = case
        self.i = case.instance

    # --- what must hold --------------------------------------------------------------------

    def may_stand(
        self, n: int, s: Standing, halls: Mapping[Place, int], racks: Mapping[Stock, int]
    ) -> bool:
        """Whether racks fit their halls, have life left, and AI halls have fibre."""
        return self.fit(halls, racks, ()) and self._alive(n, s, racks) and self._lit(n, s, halls)

    def fit(
        self, halls: Mapping[Place, int], racks: Mapping[Stock, int], served: Iterable[Served]
    ) -> bool:
        """Whether racks, the tenants' among them, fit the halls in each state."""
        mw, floor = dict[Place, float](), dict[Place, float]()
        standing = dict[Place, dict[str, int]]()
        for (p, k), count in racks.items():
            if count:
                mw[p] = mw.get(p, 0.0) + count * self.case.mw(k)
                floor[p] = floor.get(p, 0.0) + count * self.i.racks[k].positions
                standing.setdefault(p, {})[k] = count
        for x, p, k, load in served:
            if not k:
                each = self.i.contracts[x].kw_per_rack
                mw[p] = mw.get(p, 0.0) + load
                floor[p] = floor.get(p, 0.0) + (load * 1000 / each if each else 0.0)
        return (
            all(x <= halls.get(p, 0) * self.case.hall_mw(p) + TOLERANCE for p, x in mw.items())
            and all(
                x <= halls.get(p, 0) * self.case.positions(p) + TOLERANCE
                for p, x in floor.items()
                if x
            )
            and all(
                self._split(p, halls.get(p, 0), tuple(sorted(types.items())))
                for p, types in standing.items()
            )
        )

    @remembered
    def _split(self, p: Place, halls: int, racks: tuple[tuple[str, int], ...]) -> bool:
        """Whether whole racks split into whole halls: every way to fill the first is tried."""
        if not racks:
            return True
        if halls == 0:
            return False
        for counts in itertools.product(*(range(count + 1) for _, count in racks)):
            hall = [(k, put) for (k, _), put in zip(racks, counts, strict=True) if put]
            mw = sum(put * self.case.mw(k) for k, put in hall)
            floor = sum(put * self.i.racks[k].positions for k, put in hall)
            room = self.case.hall_mw(p), self.case.positions(p)
            if hall and mw <= room[0] + TOLERANCE and floor <= room[1] + TOLERANCE:
                left = [(k, c - put) for (k, c), put in zip(racks, counts, strict=True) if c > put]
                if self._split(p, halls - 1, tuple(left)):
                    return True
        return False

    def _alive(self, n: int, s: Standing, racks: Mapping[Stock, int]) -> bool:
        """The oldest leave first: no more stand than have a whole period of life left."""
        after = self.case.month(n) + self.case.step
        standing = summed(((self.case.site(p), k), count) for (p, k), count in racks.items())
        young = summed(
            ((c.site, c.rack), c.racks)
            for c in s.came
            if c.month + self.case.life(c.rack) >= after
        )
        return all(count <= young.get(key, 0) for key, count in standing.items())

    def _lit(self, n: int, s: Standing, halls: Mapping[Place, int]) -> bool:
        dark = {site for site, block in self.i.sites.items() if not block.fibre}
        for unit in s.units:
            project = self.i.projects[unit.project]
            if project.adds_fibre and unit.period <= self.case.period(n):
                dark.discard(project.site)
        return not dark or not any(
            count and self.case.workload(p) == "ai" and self.case.site(p) in dark
            for p, count in halls.items()
        )

    def _shares_kept(self, n: int, mined: float, hosted: float) -> bool:
        policy = self.i.policy
        bounds = (
            (mined, policy.mining_share_min, policy.mining_share_max),
            (hosted, policy.ai_share_min, policy.ai_share_max),
        )
        return not self._shares_count(n) or all(
            (low is None or mw >= low * (mined + hosted) - TOLERANCE)
            and (high is None or mw <= high * (mined + hosted) + TOLERANCE)
            for mw, low, high in bounds
        )

    def _shares_count(self, n: int) -> bool:
        policy = self.i.policy
        shares = (
            policy.mining_share_min,
            policy.mining_share_max,
            policy.ai_share_min,
            policy.ai_share_max,
        )
        early = policy.shares_from and self.case.month(n) < month_of(policy.shares_from)
        return not early and any(share is not None for share in shares)

    def _hosted_within(self, n: int, mined: float) -> tuple[float, float]:
        """Least and most MW of AI that the shares allow beside so many MW of mining."""
        policy, least, most = self.i.policy, [0.0], [math.inf]
        if self._shares_count(n):
            for share in (policy.mining_share_min, _rest(policy.ai_share_max)):
                most += [mined * (1 - share) / share] if share else []
            for share in (policy.mining_share_max, _rest(policy.ai_share_min)):
                if share is not None:
                    least.append(mined * (1 - share) / share if share else math.inf * mined)
        return max(least), min(most)

    # --- a node ----------------------------------------------------------------------------

    def operation(self, n: int, s: Standing) -> float | None:
        """Operating cash of a node in M$; None where a limit or a contract cannot be kept."""
        served = self.served(n, s)
        if served is None or not self.fit(s.halls, s.racks, served):
            return None
        finance, years = self.i.finance, self.case.step / 12
        margin = -finance.overhead_musd_per_year * years
        hosted = sum(load.mw for load in served)
        mined = summed(
            (self.case.site(p), count * self.case.mw(k))
            for (p, k), count in s.racks.items()
            if count and self.i.racks[k].machine is not None
        )
        flexible = {site: self._flexible(n, s, site, served) for site in self.i.sites}
        if self._shares_count(n):
            bounds = self._hosted_within(n, sum(mined.values()))
            flexible = self._bounded(flexible, *(mw - hosted for mw in bounds))
        for site, block in self.i.sites.items():
            found = self._site(n, s, site, served, flexible[site])
            if found is None:
                return None
            margin += found[0] - block.staff_musd_per_year * years
            hosted += found[1]
        hosting = {self.case.site(p) for p in self.ai_halls(s)}
        margin -= finance.split_cost_site_musd_per_year * years * len(hosting & set(mined))
        if mined and hosting:
            margin -= finance.split_cost_company_musd_per_year * years
        if not self._shares_kept(n, sum(mined.values()), hosted):
            return None
        return margin + self._contract_payments(n, s, served) - self._upkeep(s)

    def ai_halls(self, s: Standing) -> list[Place]:
        """Places with AI halls in service."""
        return [p for p, count in s.halls.items() if count and self.case.workload(p) == "ai"]

    def _upkeep(self, s: Standing) -> float:
        return sum(
            count * self.case.hall_mw(p) * self.case.upkeep(p) * self.case.step
            for p, count in s.halls.items()
            if count
        )

    def _bounded(
        self, flexible: dict[str, list[Flexible]], least: float, most: float
    ) -> dict[str, list[Flexible]]:
        """Hold the one load that may be served in part between two limits, for the company."""
        if sum(map(len, flexible.values())) > 1:
            raise NotInClosedForm("shares of the businesses beside two flexible loads")
        return {
            site: [x._replace(most=min(x.most, most), least=max(0.0, least)) for x in loads]
            for site, loads in flexible.items()
        }

    # --- contracts -------------------------------------------------------------------------

    def served(self, n: int, s: Standing) -> list[Served] | None:
        """MW of each contract that must be delivered now, and where; None where it cannot be."""
        served: list[Served] = []
        due = {
            x: self.case.due(x, n) * mw
            for x, mw in s.signed.items()
            if self.case.due(x, n) and not self.may_slip(n, x)
        }
        homes = {x: self._open_homes(x, s) for x in due}
        spread = [x for x in due if len(homes[x]) > 1]
        for x, mw in due.items():
            if not homes[x]:
                return None
            if x not in spread:
                served.append(Served(x, *homes[x][0], mw))
        for x in spread:
            self._check_spread(n, x, homes[x], alone=len(spread) == 1)
            served += self._spread(s, x, homes[x], due[x], served)
        if any(sum(load.mw for load in served if load.contract == x) < due[x] - TOLERANCE
               for x in spread):  # fmt: skip
            return None
        loads = summed(((load.place, load.rack), load.mw) for load in served if load.rack)
        fed = all(
            mw <= s.racks[p, k] * self.case.mw(k) + TOLERANCE for (p, k), mw in loads.items()
        )
        return served if fed else None

    def _check_spread(
        self, n: int, x: str, homes: list[tuple[Place, str]], *, alone: bool
    ) -> None:
        """Refuse places between which more than room decides who serves a contract."""
        alike = len({(self.case.site(p), p[1], k) for p, k in homes}) == 1
        offer = self.i.contracts[x]
        last = self.case.month(n) + self.case.step == self.case.end
        runs_on = last and month_of(offer.start) + offer.months > self.case.end
        if runs_on or not alike or not alone:
            raise NotInClosedForm("a contract with more than one place to serve it")

    def _spread(
        self, s: Standing, x: str, homes: list[tuple[Place, str]], mw: float, served: list[Served]
    ) -> list[Served]:
        """Fill one place after another: they differ in nothing but their room."""
        loads, each = list[Served](), self.i.contracts[x].kw_per_rack
        for p, k in homes:
            beside = [load for load in served if load.place == p]
            if k:
                room = s.racks[p, k] * self.case.mw(k) - sum(load.mw for load in beside)
            elif beside or any(count for (q, _), count in s.racks.items() if q == p):
                raise NotInClosedForm("a contract in several places beside other loads")
            else:
                floor = self.case.positions(p) * each / 1000 if each else math.inf
                room = s.halls[p] * min(self.case.hall_mw(p), floor)
            loads.append(Served(x, p, k, min(mw, max(0.0, room))))
            mw -= loads[-1].mw
        return [load for load in loads if load.mw > 0]

    def _open_homes(self, x: str, s: Standing) -> list[tuple[Place, str]]:
        return [
            (p, k)
            for p, k in self.case.homes(x)
            if s.halls.get(p) and (not k or s.racks.get((p, k)))
        ]

    @remembered
    def may_slip(self, n: int, x: str) -> bool:
        """Whether what is due in a node may still come late."""
        latest = self.i.contracts[x].latest_delivery
        after = self.case.month(n) + self.case.step
        return latest is not None and after < self.case.end and after <= month_of(latest)

    def _contract_payments(self, n: int, s: Standing, served: list[Served]) -> float:
        """Rent less energy and service of what is served, damages, and credit of advances."""
        paid = sum(mw * self._earned(n, x, p, k) for x, p, k, mw in served)
        for x, mw in s.signed.items():
            paid -= mw * self._credited(n, x)
            if self.case.due(x, n) > 0 and self.may_slip(n, x):
                paid -= self.case.due(x, n) * mw * self._damages(n, x)
        return paid

    @remembered
    def _months_served(self, n: int, x: str) -> dict[int, float]:
        """Share of what stands for a contract that earns, by month of a node."""
        offer, due = self.i.contracts[x], self.case.due(x, n)
        return {m: self.case.share(offer, m) / due for m in self.case.months(n)}

    @remembered
    def _damages(self, n: int, x: str) -> float:
        """M$ per MW that is due through a node and not delivered."""
        months = sum(self._months_served(n, x).values())
        return months * self.i.contracts[x].delay_usd_per_kw_month / 1000

    @remembered
    def _earned(self, n: int, x: str, p: Place, k: str) -> float:
        """M$ per MW served through a node: rent less energy and service."""
        offer, months = self.i.contracts[x], self._months_served(n, x)
        rent = sum(share * self.case.rent(x, k, m) for m, share in months.items())
        through = sum(months.values())
        energy = sum(self.case.ai_energy(n, self.case.site(p))) * self.case.draw(x, p)
        service = offer.staff_usd_per_kw_month / 1000
        return rent - through * service - through / self.case.step * energy

    @remembered
    def _credited(self, n: int, x: str) -> float:
        return sum(self.case.credit(x, m) for m in self.case.months(n))

    # --- a site ----------------------------------------------------------------------------

    def _site(
        self, n: int, s: Standing, site: str, served: list[Served], flexible: list[Flexible]
    ) -> tuple[float, float] | None:
        """Margin of mining and of flexible AI at a site, and the MW of the latter."""
        if len(flexible) > 1:
            raise NotInClosedForm("two flexible loads at a site")
        installed = summed(
            ((p[1], k), count * self.case.mw(k))
            for (p, k), count in s.racks.items()
            if count and self.case.site(p) == site and self.i.racks[k].machine is not None
        )
        reserved = sum(
            load.mw * self.case.peak(load.place)
            for load in served
            if self.case.site(load.place) == site
        )
        built = [self.i.projects[u.project] for u in s.units if u.period <= self.case.period(n)]
        firm = sum(j.adds_firm_mw for j in built if j.site == site)
        more = sum(j.adds_interruptible_mw for j in built if j.site == site)
        return self._connected(
            n, site, tuple(sorted(installed.items())), firm, more, reserved, tuple(flexible)
        )

    @remembered
    def _connected(
        self,
        n: int,
        site: str,
        installed: tuple[tuple[tuple[str, str], float], ...],
        added_firm: float,
        added_interruptible: float,
        reserved: float,
        flexible: tuple[Flexible, ...],
    ) -> tuple[float, float] | None:
        connection = Connection(
            self.case, n, site, dict(installed), added_firm, added_interruptible
        )
        return connection.best(reserved, flexible[0] if flexible else None)

    def _flexible(self, n: int, s: Standing, site: str, served: list[Served]) -> list[Flexible]:
        """Loads that may be served in part: slipping contracts and GPU-hours."""
        loads = []
        for x, mw in s.signed.items():
            if self.case.due(x, n) == 0 or not self.may_slip(n, x):
                continue
            for p, k in self._open_homes(x, s):
                if self.case.site(p) == site:
                    most = min(self._room(s, p, k, x, served), self.case.due(x, n) * mw)
                    margin = self._earned(n, x, p, k) + self._damages(n, x)
                    loads.append(Flexible(self.case.peak(p), margin, most))
        for (p, k), count in s.racks.items():
            if count and k in self.i.gpu_cloud and self.case.site(p) == site:
                most = min(self._unused(s, p, k, served), self._demanded(n, s, k))
                loads.append(Flexible(self.case.peak(p), self._sold(n, p, k), most))
        return [load for load in loads if load.most > TOLERANCE]

    def _room(self, s: Standing, p: Place, k: str, x: str, served: list[Served]) -> float:
        """IT MW that a place has for a slipping contract."""
        if len(self._open_homes(x, s)) > 1 or self.i.gpu_cloud:
            raise NotInClosedForm("a contract that slips beside other AI")
        if any(load.place == p for load in served):
            raise NotInClosedForm("a contract that slips beside another")
        if k:
            return s.racks[p, k] * self.case.mw(k)
        if any(count for (q, _), count in s.racks.items() if q == p):
            raise NotInClosedForm("a contract that slips beside racks")
        each = self.i.contracts[x].kw_per_rack
        by_floor = self.case.positions(p) * each / 1000 if each else math.inf
        return s.halls[p] * min(self.case.hall_mw(p), by_floor)

    def _unused(self, s: Standing, p: Place, k: str, served: list[Served]) -> float:
        """IT MW of owner racks that serve no contract."""
        used = sum(load.mw for load in served if (load.place, load.rack) == (p, k))
        return s.racks[p, k] * self.case.mw(k) - used

    def _demanded(self, n: int, s: Standing, k: str) -> float:
        """IT MW of GPU-hours that find customers."""
        limit = self.i.gpu_cloud[k].demand_limit_mw
        if limit is None:
            return math.inf
        if sum(1 for (_, r), count in s.racks.items() if r == k and count) > 1:
            raise NotInClosedForm("demand for GPU-hours shared by two places")
        return self.case.least(limit, n)

    @remembered
    def _sold(self, n: int, p: Place, k: str) -> float:
        """M$ per IT MW whose GPU-hours are sold through a node, less their energy."""
        sold, months = self.i.gpu_cloud[k], self.case.months(n)
        path = sold.price_usd_per_gpu_hour
        prices = [path_in_month(path, m, self.case.start) for m in months]
        price = sum(prices) / len(prices) * self.case.weather.cloud.get(n, 1.0)
        hours = sum(hours_in_month(m) for m in months) * sold.utilisation_share
        gpus = int(self.i.racks[k].gpus_per_rack or 0) / self.case.mw(k)
        revenue = price * (1 - sold.fee_share) * gpus * hours / 1e6
        pue = self.i.fitouts[p[1]].pue
        energy = sum(self.case.ai_energy(n, self.case.site(p)))
        return revenue - energy * pue * sold.load_factor_share


@dataclass(frozen=True, eq=False)
class Connection:
    """A site's grid connection through a node, and the mining racks behind it."""

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
        if most < flexible.least - TOLERANCE:
            return None
        return max(
            (self.mining(reserved + mw * flexible.peak) + mw * flexible.margin, mw)
            for mw in self._turns(reserved, flexible, most)
        )

    @cached_property
    def firm(self) -> float:
        """Firm MW of the node."""
        own = self.case.least(self.case.instance.sites[self.site].firm_mw, self.n)
        return own * self.case.weather.firm.get(self.n, 1.0) + self.added_firm

    @cached_property
    def interruptible(self) -> float:
        """Interruptible MW of the node."""
        own = self.case.least(self.case.instance.sites[self.site].interruptible_mw, self.n)
        return own + self.added_interruptible

    @cached_property
    def granted(self) -> float:
        """Utility MW that mining may take at most."""
        most = self.case.instance.sites[self.site].mining_mw_max
        return math.inf if most is None else most

    def _peak(self, fitout: str) -> float:
        block = self.case.instance.fitouts[fitout]
        return block.pue_peak or block.pue

    def _ready(self, k: str) -> float:
        """Share of a rack's machines that is fit to run."""
        machine = self.case.instance.racks[k].machine
        return self.case.instance.machines[str(machine)].availability_share

    def _ai_room(self) -> float:
        """Utility MW that AI may reserve."""
        site, policy = self.case.instance.sites[self.site], self.case.instance.policy
        nameplate = sum(mw * self._peak(f) for (f, _), mw in self.installed.items())
        substation = math.inf if site.substation_mw is None else site.substation_mw
        granted = math.inf if site.ai_mw_max is None else site.ai_mw_max
        new = math.inf if policy.reuse_power else self.added_firm
        return min(self.firm, granted, new, substation - nameplate)

    def _turns(self, reserved: float, flexible: Flexible, most: float) -> list[float]:
        """MW of the flexible load at which what mining loses by it changes pace."""
        loads = [self._peak(f) * mw * self._ready(k) for (f, k), mw in self.installed.items()]
        mined = [
            sum(part)
            for size in range(len(loads) + 1)
            for part in itertools.combinations(loads, size)
        ]
        turns = {
            (supply - reserved - used) / flexible.peak
            for supply in (self.firm, self.firm + self.interruptible)
            for used in (*mined, self.granted)
        }
        least = min(flexible.least, most)
        return [least, most, *(mw for mw in turns if least < mw < most)]

    def mining(self, reserved: float) -> float:
        """M$ of mining, hour by hour: what earns most per MW of the connection goes first."""
        site = self.case.instance.sites[self.site]
        power = self.case.instance.power[site.power or self.site]
        added = power.adder_usd_per_mwh + power.mining_adder_usd_per_mwh
        earned = 0.0
        for hours, price, cut in self.case.rows(self.n, self.site) if self.installed else ():
            supply = self.firm + (0.0 if cut else self.interruptible)
            left = min(supply - reserved, self.granted)
            for worth, peak, mw in self._ranked(price + added):
                run = min(mw, left / peak)
                earned += hours * worth * run
                left -= run * peak
        return earned / 1e6

    def _ranked(self, energy: float) -> list[tuple[float, float, float]]:
        """$ per IT MWh, peak factor and MW fit to run of the classes that earn, best first."""
        earning = []
        for (f, k), mw in self.installed.items():
            pue = self.case.instance.fitouts[f].pue
            worth = self.case.mining_revenue(self.n, k) - pue * energy
            if worth > 0:
                earning.append((worth, self._peak(f), mw * self._ready(k)))
        return sorted(earning, key=lambda c: c[0] / c[1], reverse=True)

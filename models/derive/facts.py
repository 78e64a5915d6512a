"""What the parts of a case are: racks, halls in a state, dates; one typed block at a time."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from datetime import date
from functools import cached_property

from models import instance as typed
from models.availability import DOWNTIME_PARTS
from models.derive.designs import Designs, adds_to, upgrade_usd_per_kw
from models.derive.reach import HallDesign, Promise, promise_of, weight_of
from models.derive.uptime import Plants
from models.instance import Contract, Instance, Rack, month_index, path_numbers
from models.mining import BLOCKS_PER_DAY, hashprice_from_network, subsidy_btc
from models.paths import daily_mean, first_day, halved_since, month_of, value_in_month
from models.tree import Node, Tree, chain, discount
from models.units import KW_PER_MW, ROUNDING, USD_PER_MUSD

SHELL = "shell"
NO_PACKAGE = ""


def place_name(hall: str, fitout: str, package: str) -> str:
    """Name a hall group in a state.

    Examples
    --------
    >>> place_name("north", "ai-liquid", "n-plus-1")
    'north:ai-liquid+n-plus-1'
    """
    return f"{hall}:{fitout}" + (f"+{package}" if package else "")


def tree_of(instance: Instance) -> Tree:
    """Build the tree of an instance: a chain until instances branch."""
    horizon = instance.horizon
    return chain(horizon.periods, month_index(horizon.start), horizon.months_per_period)


def periods(months: int, months_per_period: int) -> int:
    """Round a lead time up to whole periods.

    Examples
    --------
    >>> periods(4, 3), periods(3, 3), periods(0, 3)
    (2, 1, 0)
    """
    return math.ceil(months / months_per_period)


@dataclass(frozen=True)
class Place:
    """A hall group in a state, before it becomes a key of tables."""

    name: str
    site: str
    hall: str
    fitout: str
    package: str
    workload: str
    it_mw: float
    positions: float | None


@dataclass(frozen=True)
class Coming:
    """Racks that stand today or are on order: where, which, how many, and from which month."""

    place: str
    rack: str
    racks: int
    month: int


@dataclass(frozen=True)
class Facts:
    """What a case says of its parts, read off the instance and its tree."""

    i: Instance
    tree: Tree

    # --- what a rack is ----------------------------------------------------------------------

    @cached_property
    def rack_kw(self) -> dict[str, float]:
        """Nameplate kW per rack."""
        return {k: self._kw(rack) for k, rack in self.i.racks.items()}

    def _kw(self, rack: Rack) -> float:
        if rack.machine is None:
            assert rack.kw is not None
            return rack.kw
        machine = self.i.machines[rack.machine]
        assert rack.machines_per_rack is not None
        return rack.machines_per_rack * watt(machine) / 1000.0

    def cooling(self, k: str) -> str:
        """Cooling of a rack: its machine's, unless typed."""
        rack = self.i.racks[k]
        if rack.cooling is not None:
            return rack.cooling
        assert rack.machine is not None
        return self.i.machines[rack.machine].cooling

    def price_usd(self, k: str) -> float:
        """Price of a rack with its machines."""
        rack = self.i.racks[k]
        if rack.machine is None:
            return rack.price_usd
        machine = self.i.machines[rack.machine]
        assert rack.machines_per_rack is not None
        return (
            rack.price_usd + rack.machines_per_rack * machine.th_per_s * machine.price_usd_per_th
        )

    def life_months(self, k: str) -> int:
        """Life of a rack: its machines', unless typed."""
        rack = self.i.racks[k]
        if rack.life_months is not None:
            return rack.life_months
        assert rack.machine is not None
        return self.i.machines[rack.machine].life_months

    def resale_usd(self, k: str, month: int) -> float:
        """Resale of a rack at the start of a month."""
        rack = self.i.racks[k]
        if rack.resale_usd is not None:
            return value_in_month(rack.resale_usd, month, self.tree.start)
        if rack.machine is None:
            return 0.0
        machine = self.i.machines[rack.machine]
        assert rack.machines_per_rack is not None
        per_th = value_in_month(machine.resale_usd_per_th, month, self.tree.start)
        return rack.machines_per_rack * machine.th_per_s * per_th

    # --- what a place is ---------------------------------------------------------------------

    @cached_property
    def place_list(self) -> tuple[Place, ...]:
        """Every state that every hall group can take, present state first."""
        return tuple(place for h in self.i.halls for place in self._states(h))

    def _states(self, h: str) -> list[Place]:
        hall = self.i.halls[h]
        today = (hall.fitout or SHELL, hall.package or NO_PACKAGE)
        states = dict.fromkeys([today])
        if hall.convertible and not self.keeps(hall.site):
            wanted = hall.fitouts if hall.fitouts is not None else list(self.i.fitouts)
            for f in wanted:
                if self._fits(h, f):
                    for u in self._packages(h, f):
                        states[f, u] = None
        for work in self.i.commitments.works:
            if work.hall == h:
                states[work.fitout, work.package or NO_PACKAGE] = None
        return [self._place(h, f, u) for f, u in states]

    def _fits(self, h: str, f: str) -> bool:
        fitout, hall = self.i.fitouts[f], self.i.halls[h]
        if fitout.m2_per_mw is not None and hall.floor_m2 is None:
            return False
        if fitout.workload == "ai" and hall.fitout is not None and not self.i.policy.reuse_halls:
            return self.i.fitouts[hall.fitout].workload == "ai"
        return True

    def _packages(self, h: str, f: str) -> list[str]:
        if self.i.fitouts[f].workload == "mining":
            return [NO_PACKAGE]
        return list(self.designs.packages(self.hall_it_mw(h, f))) or [NO_PACKAGE]

    def hall_it_mw(self, h: str, f: str) -> float:
        """IT MW of a hall as a fit-out leaves it."""
        hall, fitout = self.i.halls[h], self.i.fitouts[f]
        if fitout.it_share_of_present is not None:
            return hall.it_mw * fitout.it_share_of_present
        assert fitout.m2_per_mw is not None
        assert hall.floor_m2 is not None
        return hall.floor_m2 / fitout.m2_per_mw

    def _place(self, h: str, f: str, u: str) -> Place:
        hall = self.i.halls[h]
        if f == SHELL:
            return Place(place_name(h, f, u), hall.site, h, f, u, "none", 0.0, 0.0)
        fitout, it_mw = self.i.fitouts[f], self.hall_it_mw(h, f)
        per_mw = fitout.positions_per_mw
        positions = hall.rack_positions if per_mw is None else per_mw * it_mw
        return Place(place_name(h, f, u), hall.site, h, f, u, fitout.workload, it_mw, positions)

    @cached_property
    def by_hall(self) -> dict[str, tuple[Place, ...]]:
        """Places of each hall group."""
        return {h: tuple(p for p in self.place_list if p.hall == h) for h in self.i.halls}

    def holds(self, p: Place, k: str) -> bool:
        """Whether a place can power and cool a rack type."""
        if p.workload == "none":
            return False
        fitout, rack = self.i.fitouts[p.fitout], self.i.racks[k]
        densest = fitout.kw_per_rack_max
        return (
            rack.workload == p.workload
            and self.cooling(k) == fitout.cooling
            and (densest is None or self.rack_kw[k] <= densest * (1 + ROUNDING))
            and self.rack_kw[k] <= p.it_mw * KW_PER_MW * (1 + ROUNDING)
        )

    @cached_property
    def racks_at(self) -> dict[str, tuple[str, ...]]:
        """Rack types that a place can hold and that can ever stand there."""
        return {
            p.name: tuple(k for k in self.i.racks if self.holds(p, k)) for p in self.place_list
        }

    def home(self, h: str, k: str) -> str:
        """Where a rack of today's fleet stands: the first place of its group that holds it."""
        return next(p.name for p in self.by_hall[h] if self.holds(p, k))

    def landing(self, h: str, k: str, period: int) -> str:
        """Where a rack on order lands: the first place that holds it and has halls by then.

        Halls stand in their present state, and from works under way once these are ready. Where
        none that holds the rack is there in time, it lands where such racks would stand today.
        """
        standing = (
            p.name for p in self.by_hall[h] if self.holds(p, k) and self._stands_by(p, period)
        )
        return next(standing, None) or self.home(h, k)

    def _stands_by(self, p: Place, period: int) -> bool:
        """Whether halls are in a state by a period, with what has been decided before today."""
        works = [work for work in self.i.commitments.works if work.hall == p.hall]
        if p == self.by_hall[p.hall][0] and self.i.halls[p.hall].count > sum(
            work.halls for work in works
        ):
            return True
        return any(
            (work.fitout, work.package or NO_PACKAGE) == (p.fitout, p.package)
            and self.ready_period(work.ready) <= period
            for work in works
        )

    def share_within(self, offer: Contract) -> float:
        """Largest share of a contract's MW that is ever due within the horizon.

        Advances and works paid at signing count by it: what stands beyond the horizon is no part
        of the case, and neither is what is paid for it.
        """
        end = self.tree.end_month(self.tree.leaves[0])
        return max(share_due(offer, month) for month in range(self.tree.start, end))

    # --- what keeps AI running ---------------------------------------------------------------

    @cached_property
    def designs(self) -> Designs:
        """Packages that halls can have."""
        return Designs(self.i)

    @cached_property
    def plants(self) -> Plants:
        """Plants that sites can have."""
        ai, pool = dict.fromkeys(self.i.sites, 0.0), dict.fromkeys(self.i.sites, 0.0)
        for h, group in self.by_hall.items():
            site, halls = self.i.halls[h].site, self.halls_most(h)
            loads = [p.it_mw for p in group if p.workload == "ai"]
            ai[site] += halls * max(loads, default=0.0)
            facility = [p.it_mw * self.pue_peak(p) for p in group if p.workload != "none"]
            pool[site] += halls * max(facility, default=0.0)
        connected = {s: min(mw, self.grid_mw_most(s)) for s, mw in pool.items()}
        return Plants(self.designs, ai, connected)

    def pue_peak(self, p: Place) -> float:
        """Facility over IT power of a place on the hottest hour."""
        fitout = self.i.fitouts[p.fitout]
        return fitout.pue if fitout.pue_peak is None else fitout.pue_peak

    def grid_mw_most(self, s: str) -> float:
        """Most MW that a site's connection may ever have."""
        site = self.i.sites[s]
        built = sum(
            (j.adds_firm_mw + j.adds_interruptible_mw) * j.max_units
            for j in self.i.projects.values()
            if j.site == s
        )
        return built + max(path_numbers(site.firm_mw)) + max(path_numbers(site.interruptible_mw))

    def package(self, p: Place) -> HallDesign | None:
        """What redundancy a place has."""
        return self.designs.packages(p.it_mw)[p.package] if p.package else None

    def package_weight(self, p: Place, promise: Promise) -> int:
        """Parts of a promise's downtime that a place's package uses up."""
        package = self.package(p)
        if package is None:
            return DOWNTIME_PARTS + 1
        excluded = promise.planned_work_excluded
        return weight_of(
            self.designs.reach.package(package, planned_work_excluded=excluded), promise
        )

    def hall_weight(self, p: Place, promise: Promise) -> int:
        """Parts of a promise's downtime that a package and an experienced company use up."""
        return self.package_weight(p, promise) + self.designs.company_weight(promise, None)

    def promised_at(self, s: str) -> bool:
        """Whether some contract that promises availability may be served at a site."""
        return any(
            offer.availability > 0 and (offer.sites is None or s in offer.sites)
            for offer in self.i.contracts.values()
        )

    def can_promise(self, p: Place, offer: Contract) -> bool:
        """Whether a place's package, on the site's best plant, keeps a contract's promise."""
        if offer.availability == 0.0:
            return True
        package, promise = self.package(p), promise_of(offer)
        if package is None:
            return False
        alone = not self.plants.parts[p.site] and not self.designs.of_company
        if package.stated is not None and alone:
            return package.stated >= offer.availability
        used = self.package_weight(p, promise) + self.plants.least_weight(p.site, promise)
        used += self.designs.company_weight(promise, self.experience_months(offer))
        return used <= DOWNTIME_PARTS

    def experience_months(self, offer: Contract) -> float | None:
        """Most months of AI behind the company when an offer is due; None for an old hand.

        An offer that may be late has to be served from the first period after that.
        """
        if not self.designs.learns:
            return None
        due = first_due(offer, self.tree.start) or self.tree.start
        late = month_index(offer.latest_delivery or offer.start) - self.tree.start
        return float(max(due - self.tree.start, self.lag(max(0, late)) * self.tree.months))

    def conversion(self, p: Place, q: Place) -> tuple[int, float] | None:
        """Months and dollars per hall from one state to another; None where there is no way."""
        hall = self.i.halls[p.hall]
        frozen = not hall.convertible or self.keeps(hall.site)
        if p == q or frozen or q.fitout == SHELL:
            return None
        if p.fitout != SHELL and p.fitout != q.fitout and not self.i.fitouts[p.fitout].can_go_back:
            return None
        if q.workload == "ai" and p.workload == "mining" and not self.i.policy.reuse_halls:
            return None
        months, per_kw = 0, 0.0
        if p.fitout != q.fitout:
            fitout = self.i.fitouts[q.fitout]
            months, per_kw = fitout.works_months, fitout.capex_usd_per_kw
        new = self.package(q)
        if new is not None:
            # Units that stand stay where the fit-out stays, and nobody takes them out.
            old = self.package(p) if p.fitout == q.fitout else None
            if old is not None and old.banks and new.banks and not adds_to(old, new):
                return None
            added = upgrade_usd_per_kw(self.designs, q.it_mw, old, new)
            months, per_kw = max(months, new.works_months), per_kw + added
        return months, per_kw * q.it_mw * KW_PER_MW

    def halls_most(self, h: str) -> int:
        """Halls a group can ever have."""
        added = sum(
            project.adds_halls.count * project.max_units
            for project in self.i.projects.values()
            if project.adds_halls is not None and project.adds_halls.hall == h
        )
        return self.i.halls[h].count + added

    def opex_per_mw_month(self, p: Place) -> float:
        """Upkeep of a place in M$ per IT MW and month."""
        if p.workload == "none":
            return 0.0
        per_kw_year = self.i.fitouts[p.fitout].opex_usd_per_kw_year
        package = self.package(p)
        if package is not None:
            per_kw_year += package.opex_usd_per_kw_year
        return per_kw_year * KW_PER_MW / USD_PER_MUSD / 12.0

    # --- what came before --------------------------------------------------------------------

    @cached_property
    def landings(self) -> tuple[Coming, ...]:
        """Today's racks and standing orders: where they stand, and since when or from when."""
        fleet = [
            Coming(self.home(row.hall, row.rack), row.rack, row.racks, -row.age_months)
            for row in self.i.fleet
        ]
        periods_of = [(o, self.ready_period(o.delivery)) for o in self.i.commitments.racks]
        orders = [
            Coming(
                self.landing(o.hall, o.rack, period), o.rack, o.racks, period * self.tree.months
            )
            for o, period in periods_of
        ]
        start = self.tree.start
        return tuple(replace(x, month=start + x.month) for x in (*fleet, *orders))

    def comings(self) -> list[tuple[str, str, int, int]]:
        """Site, type, number and first month of today's racks and of standing orders."""
        site = {p.name: p.site for p in self.place_list}
        return [(site[x.place], x.rack, x.racks, x.month) for x in self.landings]

    def usd_per_unit(self, s: str, month: int) -> float:
        """Exchange rate of a site's price file in a month."""
        currency = self.i.power[self.i.sites[s].power or s].currency
        if currency == typed.USD:
            return 1.0
        return value_in_month(self.i.currencies[currency].usd_per_unit, month, self.tree.start)

    def keeps(self, site: str) -> bool:
        """Whether a site stays as it is."""
        return site in self.i.policy.keep_sites

    # --- time --------------------------------------------------------------------------------

    def lag(self, months: int) -> int:
        """Lead time in whole periods."""
        return periods(months, self.tree.months)

    def month_node(self, month: str) -> list[Node]:
        """Nodes in whose period a month lies; those of the first period for earlier months."""
        period = max(0, (month_index(month) - self.tree.start) // self.tree.months)
        return [n for n in self.tree.nodes if self.tree.period[n] == period]

    def ready_period(self, month: str) -> int:
        """Period that starts in or first after a month: what comes then is whole from there on."""
        return max(0, periods(month_index(month) - self.tree.start, self.tree.months))

    def ready_nodes(self, month: str) -> list[Node]:
        """Nodes of that period."""
        period = self.ready_period(month)
        return [n for n in self.tree.nodes if self.tree.period[n] == period]

    def discounted(self, month: float) -> float:
        """Present value of a dollar at a month index."""
        return discount(self.i.finance.discount_per_year, month - self.tree.start)

    # --- what a PH/s earns -------------------------------------------------------------------

    def hashprice(self, n: Node) -> float:
        """Day-weighted mean hashprice of a node in $/PH/day, before the pool's fee."""
        return daily_mean(self.hashprice_on, self.tree, n)

    def hashprice_on(self, day: date) -> float:
        """Hashprice of a day in $/PH/day: as typed, or from price and network."""
        b, start = self.i.bitcoin, self.tree.start
        begin = first_day(start)
        path, price, network = b.hashprice_usd_per_ph_day, b.btc_price_usd, b.network_eh_per_s
        if path is not None:
            typed_value = value_in_month(path, month_of(day), start)
            if not (b.halves and isinstance(path, typed.Growth)):
                return typed_value
            return typed_value * (b.fee_share + (1.0 - b.fee_share) * halved_since(day, begin))
        assert price is not None
        assert network is not None
        fees = b.fee_share / (1.0 - b.fee_share) * subsidy_btc(begin)
        return hashprice_from_network(
            BLOCKS_PER_DAY * (subsidy_btc(day) + fees),
            value_in_month(price, month_of(day), start),
            value_in_month(network, month_of(day), start),
        )


def watt(machine: typed.Machine) -> float:
    """Draw of a machine at the wall, in W."""
    if machine.watt is not None:
        return machine.watt
    assert machine.j_per_th is not None
    return machine.j_per_th * machine.th_per_s


def share_due(offer: Contract, month: int) -> float:
    """Share of the signed MW due in a month; zero outside the term."""
    since = month - month_index(offer.start)
    if not 0 <= since < offer.months:
        return 0.0
    if not offer.ramp:
        return 1.0
    reached = [step.share for step in offer.ramp if step.after_months <= since]
    return reached[-1] if reached else 0.0


def first_due(offer: Contract, start: int) -> int | None:
    """First month from a start on in which some of a contract is due; None if none is."""
    begins = month_index(offer.start)
    months = range(max(begins, start), begins + offer.months)
    return next((month for month in months if share_due(offer, month) > 0), None)

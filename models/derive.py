"""From what a person typed to the coherent numbers that the families read.

Units change here and nowhere else: kW to MW, dollars to millions, months to periods (rounded
up), J/TH and a hashprice to revenue per MWh. Whatever a case excludes by its nature (a rack
that a fit-out cannot cool, a contract that a package cannot promise, an order that would land
beyond the horizon) is left out of the index sets here, so that no row is needed to forbid it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from models import instance as typed
from models.given import HORIZON, TENANT, Given
from models.instance import Contract, Instance, Rack, month_index
from models.mining import revenue_usd_per_mwh, subsidy_btc
from models.paths import (
    at_start,
    daily_mean,
    first_day,
    halved_since,
    mean_over,
    value_in_month,
)
from models.tree import Node, Tree, chain, discount

SHELL = "shell"
NO_PACKAGE = ""
USD_PER_MUSD = 1e6
KW_PER_MW = 1e3


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
class Derivation:
    """Steps from an instance and its tree to :class:`models.given.Given`."""

    i: Instance
    tree: Tree

    # --- what a rack is --------------------------------------------------------------------

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
        return rack.machines_per_rack * _watt(machine) / 1000.0

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

    # --- what a place is -------------------------------------------------------------------

    @cached_property
    def place_list(self) -> tuple[Place, ...]:
        """Every state that every hall group can take, present state first."""
        return tuple(place for h in self.i.halls for place in self._states(h))

    def _states(self, h: str) -> list[Place]:
        hall = self.i.halls[h]
        today = (hall.fitout or SHELL, hall.package or NO_PACKAGE)
        states = dict.fromkeys([today])
        if hall.convertible and hall.site not in self.i.policy.keep_sites:
            wanted = hall.fitouts if hall.fitouts is not None else list(self.i.fitouts)
            for f in wanted:
                if self._fits(h, f):
                    for u in self._packages(f):
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

    def _packages(self, f: str) -> list[str]:
        if self.i.fitouts[f].workload == "mining" or not self.i.uptime.packages:
            return [NO_PACKAGE]
        return list(self.i.uptime.packages)

    def _place(self, h: str, f: str, u: str) -> Place:
        hall = self.i.halls[h]
        if f == SHELL:
            return Place(place_name(h, f, u), hall.site, h, f, u, "none", 0.0, 0.0)
        fitout = self.i.fitouts[f]
        if fitout.it_share_of_present is not None:
            it_mw = hall.it_mw * fitout.it_share_of_present
        else:
            assert fitout.m2_per_mw is not None
            assert hall.floor_m2 is not None
            it_mw = hall.floor_m2 / fitout.m2_per_mw
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
            and (densest is None or self.rack_kw[k] <= densest)
            and self.rack_kw[k] <= p.it_mw * KW_PER_MW
        )

    @cached_property
    def racks_at(self) -> dict[str, tuple[str, ...]]:
        """Rack types that a place can hold and that can ever stand there."""
        return {
            p.name: tuple(k for k in self.i.racks if self.holds(p, k)) for p in self.place_list
        }

    # --- time ------------------------------------------------------------------------------

    def lag(self, months: int) -> int:
        """Lead time in whole periods."""
        return periods(months, self.tree.months)

    def month_node(self, month: str) -> list[Node]:
        """Nodes in whose period a month lies; those of the first period for earlier months."""
        period = max(0, (month_index(month) - self.tree.start) // self.tree.months)
        return [n for n in self.tree.nodes if self.tree.period[n] == period]

    def ready_nodes(self, month: str) -> list[Node]:
        """Nodes that start in or first after a month: what comes then is whole from there on."""
        period = max(0, periods(month_index(month) - self.tree.start, self.tree.months))
        return [n for n in self.tree.nodes if self.tree.period[n] == period]

    def discounted(self, month: float) -> float:
        """Present value of a dollar at a month index."""
        return discount(self.i.finance.discount_per_year, month - self.tree.start)

    def _time(self) -> dict[str, Any]:
        t = self.tree
        return {
            "tree": t,
            "discount_start": {n: self.discounted(t.first_month(n)) for n in t.nodes},
            "discount_mid": {n: self.discounted(t.first_month(n) + t.months / 2) for n in t.nodes},
            "discount_end": {n: self.discounted(t.end_month(n)) for n in t.leaves},
            "probability": dict(enumerate(t.probability)),
        }

    # --- halls -----------------------------------------------------------------------------

    def conversion(self, p: Place, q: Place) -> tuple[int, float] | None:
        """Months and dollars per hall from one state to another; None where there is no way."""
        hall = self.i.halls[p.hall]
        frozen = not hall.convertible or hall.site in self.i.policy.keep_sites
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
        if q.package:
            package = self.i.uptime.packages[q.package]
            months, per_kw = max(months, package.works_months), per_kw + package.capex_usd_per_kw
        return months, per_kw * q.it_mw * KW_PER_MW

    def _halls(self) -> dict[str, Any]:
        ways = {
            (p.name, q.name): way
            for group in self.by_hall.values()
            for p in group
            for q in group
            if (way := self.conversion(p, q)) is not None
        }
        lag = {pq: self.lag(months) for pq, (months, _) in ways.items()}
        return {
            "sites": tuple(self.i.sites),
            "halls": {
                s: tuple(h for h, hall in self.i.halls.items() if hall.site == s)
                for s in self.i.sites
            },
            "places": {h: tuple(p.name for p in group) for h, group in self.by_hall.items()},
            "site_of": {p.name: p.site for p in self.place_list},
            "hall_of": {p.name: p.hall for p in self.place_list},
            "fitout_of": {p.name: p.fitout for p in self.place_list},
            "package_of": {p.name: p.package for p in self.place_list},
            "workload_of": {p.name: p.workload for p in self.place_list},
            "halls_today": self._halls_today(),
            "halls_ready": self._halls_ready(),
            "halls_most": {h: float(self.halls_most(h)) for h in self.i.halls},
            "hall_mw": {p.name: p.it_mw for p in self.place_list},
            "hall_positions": {
                p.name: p.positions for p in self.place_list if p.positions is not None
            },
            "conversion_lag": lag,
            "conversion_cost": {pq: usd / USD_PER_MUSD for pq, (_, usd) in ways.items()},
            "conversions_allowed": tuple(
                (n, p, q)
                for n in self.tree.nodes
                for p, q in ways
                if self.tree.lands(n, lag[p, q])
            ),
            "place_opex": self._place_opex(),
            "needs_fibre": frozenset(s for s, site in self.i.sites.items() if not site.fibre),
        }

    def _halls_today(self) -> dict[str, float]:
        under_way: dict[str, int] = {}
        for work in self.i.commitments.works:
            under_way[work.hall] = under_way.get(work.hall, 0) + work.halls
        return {
            group[0].name: float(self.i.halls[h].count - under_way.get(h, 0))
            for h, group in self.by_hall.items()
        }

    def _halls_ready(self) -> dict[tuple[Node, str], float]:
        ready: dict[tuple[Node, str], float] = {}
        for work in self.i.commitments.works:
            place = place_name(work.hall, work.fitout, work.package or NO_PACKAGE)
            for n in self.ready_nodes(work.ready):
                ready[n, place] = ready.get((n, place), 0.0) + work.halls
        return ready

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
        if p.package:
            per_kw_year += self.i.uptime.packages[p.package].opex_usd_per_kw_year
        return per_kw_year * KW_PER_MW / USD_PER_MUSD / 12.0

    def _place_opex(self) -> dict[tuple[Node, str], float]:
        return {
            (n, p.name): cost * p.it_mw * self.tree.months
            for p in self.place_list
            if (cost := self.opex_per_mw_month(p))
            for n in self.tree.nodes
        }

    # --- racks -----------------------------------------------------------------------------

    def _racks(self) -> dict[str, Any]:
        types = self.i.racks
        deposit = {k: self.price_usd(k) * r.deposit_share for k, r in types.items()}
        t = self.tree
        return {
            "racks_at": self.racks_at,
            "rack_mw": {k: self.rack_kw[k] / KW_PER_MW for k in types},
            "rack_positions": {k: r.positions for k, r in types.items()},
            "rack_fit": self._rack_fit(),
            "racks_today": self._racks_today(),
            "racks_arriving": self._racks_arriving(),
            "racks_young": self._racks_young(),
            "rack_life": {k: self.life_months(k) // t.months for k in types},
            "rack_life_months": {k: self.life_months(k) for k in types},
            "rack_lag": {k: self.lag(r.delivery_months) for k, r in types.items()},
            "rack_deposit": {k: usd / USD_PER_MUSD for k, usd in deposit.items()},
            "rack_due": {k: (self.price_usd(k) - deposit[k]) / USD_PER_MUSD for k in types},
            "resale": {
                (n, k): self.resale_usd(k, t.first_month(n)) / USD_PER_MUSD
                for n in t.nodes
                for k in types
            },
            "resale_end": {
                (n, k): self.resale_usd(k, t.end_month(n)) / USD_PER_MUSD
                for n in t.leaves
                for k in types
            },
            "orders_allowed": tuple(
                (n, p, k)
                for n in t.nodes
                for p, ks in self.racks_at.items()
                for k in ks
                if self._may_order(n, p, k)
            ),
            "sites_kept": frozenset(self.i.policy.keep_sites),
            **self._transfers(),
        }

    def _rack_fit(self) -> dict[tuple[str, str], float]:
        fit: dict[tuple[str, str], float] = {}
        for p in self.place_list:
            for k in self.racks_at[p.name]:
                by_power = p.it_mw * KW_PER_MW / self.rack_kw[k]
                room = [by_power]
                if p.positions is not None and self.i.racks[k].positions:
                    room.append(p.positions / self.i.racks[k].positions)
                if math.floor(min(room) + 1e-9) < min(room) - 1e-9:
                    fit[p.name, k] = float(math.floor(min(room) + 1e-9))
        return fit

    def home(self, h: str, k: str) -> str:
        """Where a rack of today's fleet stands: the first place of its group that holds it."""
        return next(p.name for p in self.by_hall[h] if self.holds(p, k))

    def _racks_today(self) -> dict[tuple[str, str], float]:
        standing: dict[tuple[str, str], float] = {}
        for row in self.i.fleet:
            key = (self.home(row.hall, row.rack), row.rack)
            standing[key] = standing.get(key, 0.0) + row.racks
        return standing

    def _racks_arriving(self) -> dict[tuple[Node, str, str], float]:
        arriving: dict[tuple[Node, str, str], float] = {}
        for order in self.i.commitments.racks:
            place = self.home(order.hall, order.rack)
            for n in self.ready_nodes(order.delivery):
                key = (n, place, order.rack)
                arriving[key] = arriving.get(key, 0.0) + order.racks
        return arriving

    def comings(self) -> list[tuple[str, str, int, int]]:
        """Site, type, number and month of arrival of today's racks and of standing orders."""
        site = {h: hall.site for h, hall in self.i.halls.items()}
        start = self.tree.start
        return [
            (site[row.hall], row.rack, row.racks, start - row.age_months) for row in self.i.fleet
        ] + [
            (site[o.hall], o.rack, o.racks, max(month_index(o.delivery), start))
            for o in self.i.commitments.racks
        ]

    def _racks_young(self) -> dict[tuple[Node, str, str], float]:
        """Count today's racks and standing orders that have come and are not worn out by a node.

        Nodes at which none of a type is worn out yet are left out: nothing can bind there.
        """
        young: dict[tuple[Node, str, str], float] = {}
        worn: set[tuple[Node, str, str]] = set()
        for site, k, count, came in self.comings():
            for n in self.tree.nodes:
                first = self.tree.first_month(n)
                if came + self.life_months(k) <= first:
                    worn.add((n, site, k))
                elif came <= first:
                    young[n, site, k] = young.get((n, site, k), 0.0) + count
        aged = {
            (n, site, k)
            for n in self.tree.nodes
            for site, k in dict.fromkeys((s, k) for s, k, _, _ in self.comings())
            if (n, site, k) in worn
            or self.life_months(k) // self.tree.months <= self.tree.period[n]
        }
        return {key: young.get(key, 0.0) for key in sorted(aged)}

    def _may_order(self, n: Node, p: str, k: str) -> bool:
        rack, month = self.i.racks[k], self.tree.first_month(n)
        site = next(x.site for x in self.place_list if x.name == p)
        return (
            rack.buyable
            and site not in self.i.policy.keep_sites
            and self.tree.lands(n, self.lag(rack.delivery_months))
            and (rack.buy_from is None or month >= month_index(rack.buy_from))
            and (rack.buy_until is None or month <= month_index(rack.buy_until))
        )

    def _transfers(self) -> dict[str, Any]:
        pairs: dict[str, tuple[tuple[str, str], ...]] = {}
        lag: dict[tuple[str, str], int] = {}
        cost: dict[tuple[str, str], float] = {}
        for s in self.i.sites:
            if s in self.i.policy.keep_sites:
                continue
            homes = {
                k: [p for p in self.place_list if p.site == s and self.holds(p, k)]
                for k in self.i.racks
            }
            found = []
            for k, rack in self.i.racks.items():
                if rack.move_usd is not None and len(homes[k]) > 1:
                    found.append((k, k))
                    lag[k, k], cost[k, k] = 0, rack.move_usd / USD_PER_MUSD
                to = rack.converts_to
                if to is not None and self.i.policy.reuse_gpus and homes[k] and homes[to.rack]:
                    found.append((k, to.rack))
                    lag[k, to.rack] = self.lag(to.months)
                    cost[k, to.rack] = to.cost_usd / USD_PER_MUSD
            if found:
                pairs[s] = tuple(found)
        return {"transfers": pairs, "transfer_lag": lag, "transfer_cost": cost}

    # --- grid ------------------------------------------------------------------------------

    def _grid(self) -> dict[str, Any]:
        sites, projects, t = self.i.sites, self.i.projects, self.tree
        kept = self.i.policy.keep_sites
        lag = {j: self.lag(project.months) for j, project in projects.items()}
        return {
            "firm_mw": {
                (n, s): at_start(site.firm_mw, t, n) for n in t.nodes for s, site in sites.items()
            },
            "interruptible_mw": {
                (n, s): at_start(site.interruptible_mw, t, n)
                for n in t.nodes
                for s, site in sites.items()
            },
            "mining_mw_max": _present(sites, "mining_mw_max"),
            "ai_mw_max": _present(sites, "ai_mw_max"),
            "substation_mw": _present(sites, "substation_mw"),
            "projects": {
                s: tuple(j for j, project in projects.items() if project.site == s) for s in sites
            },
            "project_lag": lag,
            "project_cost": {j: project.capex_musd for j, project in projects.items()},
            "project_units": {j: float(project.max_units) for j, project in projects.items()},
            "project_firm_mw": {
                j: project.adds_firm_mw for j, project in projects.items() if project.adds_firm_mw
            },
            "project_interruptible_mw": {
                j: project.adds_interruptible_mw
                for j, project in projects.items()
                if project.adds_interruptible_mw
            },
            "project_halls": {
                (j, self._bare(project.adds_halls.hall)): float(project.adds_halls.count)
                for j, project in projects.items()
                if project.adds_halls is not None
            },
            "project_fibre": frozenset(j for j, x in projects.items() if x.adds_fibre),
            "builds_allowed": tuple(
                (n, j)
                for n in t.nodes
                for j, project in projects.items()
                if project.site not in kept and t.lands(n, lag[j]) and _open(project, t, n)
            ),
            "reuse_power": self.i.policy.reuse_power,
        }

    def _bare(self, h: str) -> str:
        """State in which a group's new halls come: its present one, or the bare shell."""
        return self.by_hall[h][0].name

    # --- energy and mining -----------------------------------------------------------------

    def _energy(self) -> dict[str, Any]:
        t = self.tree
        supply = {s: self.i.power[site.power or s] for s, site in self.i.sites.items()}
        classes = self._classes()
        return {
            "pue": {f: fitout.pue for f, fitout in self.i.fitouts.items()},
            "pue_peak": {f: x.pue_peak or x.pue for f, x in self.i.fitouts.items()},
            "bands": {},
            "hours": {},
            "price": {},
            "cut": {},
            "runs": {},
            "price_growth": {
                (n, s): (1.0 + block.growth_per_year)
                ** ((t.first_month(n) + t.months / 2 - t.start) / 12.0)
                for n in t.nodes
                for s, block in supply.items()
            },
            "adder": {s: b.adder_usd_per_mwh / USD_PER_MUSD for s, b in supply.items()},
            "mining_adder": {
                s: b.mining_adder_usd_per_mwh / USD_PER_MUSD for s, b in supply.items()
            },
            "ai_adder": {s: b.ai_adder_usd_per_mwh / USD_PER_MUSD for s, b in supply.items()},
            "mining_revenue": self._mining_revenue(),
            "mining_ready": {
                k: self.i.machines[rack.machine].availability_share if rack.machine else 1.0
                for k, rack in self.i.racks.items()
                if rack.workload == "mining"
            },
            "mining_classes": {
                s: tuple(dict.fromkeys((f, k) for x, f, k in classes if x == s))
                for s in self.i.sites
            },
            "places_of_class": {key: tuple(names) for key, names in classes.items()},
            "mining_mw_most": {
                s: sum(self._most_mining(h) for h, hall in self.i.halls.items() if hall.site == s)
                for s in self.i.sites
            },
        }

    def _classes(self) -> dict[tuple[str, str, str], list[str]]:
        classes: dict[tuple[str, str, str], list[str]] = {}
        for p in self.place_list:
            if p.workload == "mining":
                for k in self.racks_at[p.name]:
                    if self.i.racks[k].machine is not None:
                        classes.setdefault((p.site, p.fitout, k), []).append(p.name)
        return classes

    def _most_mining(self, h: str) -> float:
        mining = [p.it_mw for p in self.by_hall[h] if p.workload == "mining"]
        return self.halls_most(h) * max(mining, default=0.0)

    def hashprice(self, n: Node) -> float:
        """Day-weighted mean hashprice of a node in $/PH/day, before the pool's fee."""
        b, t = self.i.bitcoin, self.tree
        begin = first_day(t.start)
        if b.hashprice_usd_per_ph_day is not None:
            path = b.hashprice_usd_per_ph_day
            if not (isinstance(path, typed.Growth) and b.halves):
                return mean_over(path, t, n)
            return daily_mean(
                lambda day: (
                    value_in_month(path, day.year * 12 + day.month - 1, t.start)
                    * (b.fee_share + (1.0 - b.fee_share) * halved_since(day, begin))
                ),
                t,
                n,
            )
        price, network = b.btc_price_usd, b.network_eh_per_s
        assert price is not None
        assert network is not None
        fees = b.fee_share / (1.0 - b.fee_share) * subsidy_btc(begin)
        return daily_mean(
            lambda day: (
                144.0
                * (subsidy_btc(day) + fees)
                * value_in_month(price, day.year * 12 + day.month - 1, t.start)
                / (1000.0 * value_in_month(network, day.year * 12 + day.month - 1, t.start))
            ),
            t,
            n,
        )

    def _mining_revenue(self) -> dict[tuple[Node, str], float]:
        keep = 1.0 - self.i.bitcoin.pool_fee_share
        hashprice = {n: self.hashprice(n) for n in self.tree.nodes}
        return {
            (n, k): keep
            * revenue_usd_per_mwh(hashprice[n], _watt(machine) / machine.th_per_s)
            / USD_PER_MUSD
            for k, rack in self.i.racks.items()
            if rack.machine is not None and (machine := self.i.machines[rack.machine])
            for n in self.tree.nodes
        }

    # --- hosting ---------------------------------------------------------------------------

    def _hosting(self) -> dict[str, Any]:
        t, offers = self.tree, self.i.contracts
        at = {x: self._hosting_at(x, contract) for x, contract in offers.items()}
        contracts_at: dict[tuple[str, str], tuple[str, ...]] = {}
        for x, pairs in at.items():
            for pair in pairs:
                contracts_at[pair] = (*contracts_at.get(pair, ()), x)
        hosted: dict[str, tuple[str, ...]] = {}
        for p, k in contracts_at:
            hosted[p] = (*hosted.get(p, ()), k)
        cloud = tuple(
            (p.name, k)
            for p in self.place_list
            if p.workload == "ai"
            for k in self.racks_at[p.name]
            if k in self.i.gpu_cloud
        )
        return {
            "contracts": tuple(offers),
            "hosting_at": at,
            "contracts_at": contracts_at,
            "hosted_types": hosted,
            "signing_allowed": tuple(
                (n, x) for n in t.nodes for x, offer in offers.items() if self._may_sign(n, x)
            ),
            "signed_today_mw": {s.contract: s.mw for s in self.i.commitments.contracts},
            "contract_min_mw": {x: offer.min_mw for x, offer in offers.items()},
            "contract_max_mw": {x: offer.max_mw for x, offer in offers.items()},
            "tenant_positions": {
                x: KW_PER_MW / offer.kw_per_rack
                for x, offer in offers.items()
                if offer.racks_by == "tenant" and offer.kw_per_rack is not None
            },
            "prepayment": {
                x: offer.prepayment_usd_per_kw * KW_PER_MW / USD_PER_MUSD
                for x, offer in offers.items()
            },
            "tenant_works": {
                x: offer.tenant_works_usd_per_kw * KW_PER_MW / USD_PER_MUSD
                for x, offer in offers.items()
            },
            "cloud_at": cloud,
            "cloud_demand_mw": {
                (n, k): at_start(sold.demand_limit_mw, t, n)
                for k, sold in self.i.gpu_cloud.items()
                if sold.demand_limit_mw is not None
                for n in t.nodes
            },
        }

    def _hosting_at(self, x: str, offer: Contract) -> tuple[tuple[str, str], ...]:
        pairs: list[tuple[str, str]] = []
        for p in self.place_list:
            if p.workload != "ai" or not self.can_promise(p, offer):
                continue
            if offer.sites is not None and p.site not in offer.sites:
                continue
            fitout = self.i.fitouts[p.fitout]
            if offer.cooling is not None and offer.cooling != fitout.cooling:
                continue
            if offer.racks_by == "owner":
                pairs += [(p.name, k) for k in offer.racks if k in self.racks_at[p.name]]
            elif (offer.kw_per_rack or 0.0) <= (fitout.kw_per_rack_max or math.inf):
                pairs.append((p.name, TENANT))
        return tuple(pairs)

    def can_promise(self, p: Place, offer: Contract) -> bool:
        """Whether a place's package reaches the availability that a contract promises."""
        if not p.package:
            return offer.availability == 0.0
        return self.i.uptime.packages[p.package].availability >= offer.availability

    def _may_sign(self, n: Node, x: str) -> bool:
        offer = self.i.contracts[x]
        signed = any(s.contract == x for s in self.i.commitments.contracts)
        in_horizon = month_index(offer.start) < self.tree.end_month(self.tree.leaves[0])
        return not signed and in_horizon and self.tree.first_month(n) <= month_index(offer.sign_by)

    # --- money -----------------------------------------------------------------------------

    def _money(self) -> dict[str, Any]:
        f, t = self.i.finance, self.tree
        years = t.months / 12.0
        loan = f.loan
        last = t.end_month(t.leaves[0])
        return {
            "opening_cash": f.opening_cash_musd,
            "minimum_cash": f.minimum_cash_musd,
            **self._budgets(),
            "capex_owed": self._capex_owed(),
            "overhead": dict.fromkeys(t.nodes, f.overhead_musd_per_year * years),
            "site_fixed": {
                (n, s): site.staff_musd_per_year * years
                for n in t.nodes
                for s, site in self.i.sites.items()
            },
            "entry_cost": 0.0 if f.hosts_ai_already else f.ai_entry_cost_musd,
            "split_company": _nonzero(t.nodes, f.split_cost_company_musd_per_year * years),
            "split_site": _nonzero(t.nodes, f.split_cost_site_musd_per_year * years),
            "loan_limit": loan.limit_musd if loan else 0.0,
            "loan_interest": dict.fromkeys(
                t.nodes, (loan.interest_per_year if loan else 0.0) * years
            ),
            "loan_share": loan.loan_to_cost_share if loan else 0.0,
            "loan_fee": loan.fee_share if loan else 0.0,
            "draws_allowed": frozenset(
                n
                for n in t.nodes
                if loan is not None
                and loan.limit_musd > 0
                and (loan.draw_until is None or t.first_month(n) <= month_index(loan.draw_until))
            ),
            "debt_principal": self._dated_sum("principal_musd"),
            "debt_interest": self._dated_sum("interest_musd"),
            "debt_left": sum(
                d.principal_musd for d in self.i.commitments.debt if month_index(d.month) >= last
            ),
            "share_nodes": tuple(
                n
                for n in t.nodes
                if self.i.policy.shares_from is None
                or t.first_month(n) >= month_index(self.i.policy.shares_from)
            ),
            "mining_share_min": max(
                self.i.policy.mining_share_min or 0.0, 1.0 - _or(self.i.policy.ai_share_max, 1.0)
            ),
            "mining_share_max": min(
                _or(self.i.policy.mining_share_max, 1.0), 1.0 - (self.i.policy.ai_share_min or 0.0)
            ),
        }

    def _dated_sum(self, key: str) -> dict[Node, float]:
        sums: dict[Node, float] = {}
        for payment in self.i.commitments.debt:
            for n in self.month_node(payment.month):
                sums[n] = sums.get(n, 0.0) + getattr(payment, key)
        return {n: x for n, x in sums.items() if x}

    def _capex_owed(self) -> dict[tuple[Node, str], float]:
        owed: dict[tuple[Node, str], float] = {}
        dues = [(o.hall, o.due_musd, o.due or o.delivery) for o in self.i.commitments.racks] + [
            (w.hall, w.due_musd, w.due or w.ready) for w in self.i.commitments.works
        ]
        for hall, musd, month in dues:
            for n in self.month_node(month):
                key = (n, self.i.halls[hall].site)
                owed[key] = owed.get(key, 0.0) + musd
        return {key: x for key, x in owed.items() if x}

    def _budgets(self) -> dict[str, Any]:
        f, t = self.i.finance, self.tree
        musd: dict[str, float] = {}
        span: dict[tuple[str, Node], tuple[tuple[Node, str], ...]] = {}
        everywhere = tuple(self.i.sites)

        def add(name: str, limit: float, first: int, after: int, sites: tuple[str, ...]) -> None:
            musd[name] = limit
            for leaf in t.leaves:
                inside = [n for n in t.path(leaf) if first <= t.first_month(n) < after]
                if inside:
                    span[name, inside[-1]] = tuple((n, s) for n in inside for s in sites)

        last = t.end_month(t.leaves[0])
        if f.capex_budget_musd is not None:
            add("horizon", f.capex_budget_musd, t.start, last, everywhere)
        for site, limit in f.capex_budget_by_site_musd.items():
            add(f"site {site}", limit, t.start, last, (site,))
        for step in f.capex_budget_by_period:
            first = month_index(step.from_)
            after = month_index(step.to) + 1 if step.to else first + t.months
            add(f"from {step.from_}", step.musd, first, after, everywhere)
        return {"budget_musd": musd, "budget_span": span}

    def given(self) -> Given:
        """All numbers but those that follow from hours and dates (:mod:`models.terms`)."""
        return Given(
            **self._time(),
            **self._halls(),
            **self._racks(),
            **self._grid(),
            **self._energy(),
            **self._hosting(),
            **self._money(),
            **_EMPTY_TERMS,
        )


#: Tables that need the bands' hours and prices; filled by :func:`models.terms.with_terms`.
_EMPTY_TERMS: Mapping[str, Any] = {
    "due_share": {},
    "may_slip": frozenset(),
    "rent": {},
    "delay_damages": {},
    "hosting_energy": {},
    "hosting_service": {},
    "prepayment_credit": {},
    "tail_margin": {},
    "tail_credit": {},
    "tail_months": {},
    "racks_lasting": {},
    "cloud_revenue": {},
    "cloud_energy": {},
    "residual_ends": {},
    "hall_residual": {},
    "project_residual": {},
    "rack_tail_loss": {},
}


def _watt(machine: typed.Machine) -> float:
    if machine.watt is not None:
        return machine.watt
    assert machine.j_per_th is not None
    return machine.j_per_th * machine.th_per_s


def _present(sites: Mapping[str, typed.Site], key: str) -> dict[str, float]:
    return {s: getattr(site, key) for s, site in sites.items() if getattr(site, key) is not None}


def _open(project: typed.Project, tree: Tree, n: Node) -> bool:
    month = tree.first_month(n)
    after = project.earliest is None or month >= month_index(project.earliest)
    return after and (project.latest is None or month <= month_index(project.latest))


def _nonzero(nodes: tuple[Node, ...], cost: float) -> dict[Node, float]:
    return dict.fromkeys(nodes, cost) if cost else {}


def _or(value: float | None, default: float) -> float:
    return default if value is None else value

"""Terms that follow from dates: rents, ramps, energy of AI, tails beyond the horizon, residuals.

The bands give the hours and prices of each node; the calendar gives the months of each term.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from functools import cached_property
from typing import Any

from models.derive import SHELL, Derivation, Place
from models.derive.facts import share_due
from models.derive.service_credits import fees
from models.given import HORIZON, TENANT, Given, Site
from models.instance import Contract, month_index
from models.paths import first_day, mean_over
from models.tree import Node
from models.units import KW_PER_MW, USD_PER_MUSD


def with_terms(derivation: Derivation, given: Given) -> Given:
    """Complete a case whose bands are known."""
    return replace(given, **Terms(derivation, given).tables())


class Terms:
    """Tables of one case that need its bands."""

    def __init__(self, derivation: Derivation, given: Given) -> None:
        self.d = derivation
        self.g = given
        self.t = given.tree
        self.offers = derivation.i.contracts
        self.place = {p.name: p for p in derivation.place_list}
        self._last_years: dict[tuple[Node, Site, str], tuple[float, float, int]] = {}

    # --- the calendar of a contract --------------------------------------------------------

    def share_due(self, offer: Contract, month: int) -> float:
        """Share of the signed MW due in a month; zero outside the term."""
        return share_due(offer, month)

    def months(self, n: Node) -> range:
        """Month indices of a node."""
        return range(self.t.first_month(n), self.t.end_month(n))

    def due(self, offer: Contract, n: Node) -> float:
        """Largest share due in any month of a node: what must stand there."""
        return max(self.share_due(offer, m) for m in self.months(n))

    def rate_musd_per_mw(self, offer: Contract, k: str, month: int) -> float:
        """Rent of a month per delivered critical IT MW."""
        years = (month - month_index(offer.start)) // 12
        escalated = (1.0 + offer.escalator_per_year) ** years
        if offer.rate_usd_per_kw_month is not None:
            return escalated * offer.rate_usd_per_kw_month * KW_PER_MW / USD_PER_MUSD
        assert offer.rate_usd_per_gpu_hour is not None
        paid = max(offer.load_factor_share, offer.take_or_pay_share or 0.0)
        hours = paid * calendar_hours(month)
        return escalated * offer.rate_usd_per_gpu_hour * hours * self.gpus_per_mw(k) / USD_PER_MUSD

    def rent_musd_per_mw(self, offer: Contract, k: str, n: Node) -> float:
        """Rent of a node per critical IT MW that stands there."""
        weights = self.weights(offer, n)
        return sum(w * self.rate_musd_per_mw(offer, k, m) for m, w in weights.items() if w)

    def rent_beyond(self, offer: Contract, k: str, leaf: Node) -> dict[int, float]:
        """Present value of the rent of each month beyond the horizon, per MW at its end."""
        tail = self.tail(offer, leaf)
        if not tail:
            return {}
        served = self.share_due(offer, tail.start - 1) / self.due(offer, leaf)
        return {
            m: self.d.discounted(m + 0.5) * served * self.rate_musd_per_mw(offer, k, m)
            for m in tail
        }

    def gpus_per_mw(self, k: str) -> float:
        """GPUs per IT MW of a rack type."""
        gpus = self.d.i.racks[k].gpus_per_rack
        assert gpus is not None
        return gpus / self.d.rack_kw[k] * KW_PER_MW

    def weights(self, offer: Contract, n: Node) -> dict[int, float]:
        """For each month of a node, the share delivered of what must stand there."""
        due = self.due(offer, n)
        return {m: self.share_due(offer, m) / due for m in self.months(n)}

    @cached_property
    def due_nodes(self) -> list[tuple[Node, str]]:
        """Nodes in which a contract, if signed, is due."""
        return [
            (n, x)
            for n in self.t.nodes
            for x, offer in self.offers.items()
            if self.due(offer, n) > 0
        ]

    def energy_per_mw(self, n: Node, s: Site, x: str | None = None) -> float:
        """Cost of a utility MW drawn through the hours of a node for AI, in M$/MW.

        Of a contract the hours in which it is on: bands are cut where it goes off, so none is
        counted in part.
        """
        return self._priced(n, s, x) + self._added(n, s, x)

    def _on(self, n: Node, s: Site, x: str | None) -> list[tuple[Node, Site, int]]:
        """Bands in which a contract is on; all of them where none is named."""
        bands = ((n, s, b) for b in self.g.bands[n, s])
        return [at for at in bands if x not in self.g.off.get(at, ())]

    def _priced(self, n: Node, s: Site, x: str | None) -> float:
        g = self.g
        return sum(g.hours[at] * g.price[at] for at in self._on(n, s, x))

    def _charged(self, n: Node, s: Site, x: str | None) -> float:
        g = self.g
        return sum(g.hours[at] * g.charge[at] for at in self._on(n, s, x))

    def _added(self, n: Node, s: Site, x: str | None) -> float:
        g = self.g
        return sum(g.hours[at] for at in self._on(n, s, x)) * (g.adder[s] + g.ai_adder[s])

    # --- tables ----------------------------------------------------------------------------

    def tables(self) -> dict[str, Any]:
        """All of them."""
        return {name: table for part in PARTS for name, table in part(self).items()}

    def _contracts(self) -> dict[str, Any]:
        rent: dict[tuple[Node, str, str], float] = {}
        damages: dict[tuple[Node, str], float] = {}
        energy: dict[tuple[Node, str, str], float] = {}
        service: dict[tuple[Node, str], float] = {}
        for n, x in self.due_nodes:
            offer = self.offers[x]
            weights = self.weights(offer, n)
            in_service = sum(weights.values())
            for k in dict.fromkeys(k for _, k in self.g.hosting_at[x]):
                rent[n, x, k] = self.rent_musd_per_mw(offer, k, n)
            damages[n, x] = in_service * offer.delay_usd_per_kw_month * KW_PER_MW / USD_PER_MUSD
            service[n, x] = in_service * offer.staff_usd_per_kw_month * KW_PER_MW / USD_PER_MUSD
            for p in dict.fromkeys(p for p, _ in self.g.hosting_at[x]):
                energy[n, x, p] = (
                    self.draw(offer, self.place[p])
                    * in_service
                    / self.t.months
                    * self.energy_per_mw(n, self.place[p].site, x)
                )
        return {
            "due_share": {(n, x): self.due(self.offers[x], n) for n, x in self.due_nodes},
            "may_slip": frozenset(
                (n, x) for n, x in self.due_nodes if self._may_slip(n, self.offers[x])
            ),
            "rent": rent,
            "delay_damages": damages,
            "hosting_energy": energy,
            "hosting_service": service,
        }

    def draw(self, offer: Contract, p: Place) -> float:
        """Mean utility MW that the owner pays for per critical IT MW served, while it is on."""
        if offer.power_passed_through:
            return 0.0
        return self._drawn(offer, p)

    def _draws(self) -> dict[str, Any]:
        """Mean utility MW of AI, where agreements bought ahead or a year's limit count it."""
        counted = {(n, s) for n, s, _, _ in self.g.ppa_mw if s not in self.g.paid_to_stop}
        counted |= {(n, s) for n in self.t.nodes for s in self.g.limited}
        return {
            "ai_draw": {
                (n, x, p): self._drawn(self.offers[x], self.place[p])
                * sum(self.weights(self.offers[x], n).values())
                / self.t.months
                for n, x in self.due_nodes
                for p in dict.fromkeys(p for p, _ in self.g.hosting_at[x])
                if (n, self.place[p].site) in counted
            },
            "cloud_draw": {
                (p, k): self.d.i.fitouts[self.place[p].fitout].pue
                * self.d.i.gpu_cloud[k].load_factor_share
                for p, k in self.g.cloud_at
                if any(s == self.place[p].site for _, s in counted)
            },
        }

    def _drawn(self, offer: Contract, p: Place) -> float:
        """Mean utility MW drawn per critical IT MW served, whoever pays for it."""
        return self.d.i.fitouts[p.fitout].pue * offer.load_factor_share

    def _may_slip(self, n: Node, offer: Contract) -> bool:
        latest = offer.latest_delivery
        if latest is None or n in self.t.leaves:
            return False
        return self.t.end_month(n) <= month_index(latest)

    def _credited(self, offer: Contract) -> tuple[float, range]:
        """Advance per MW and month, and the months in which it is credited."""
        months = offer.prepayment_credit_months or offer.months
        start = month_index(offer.start)
        advance = self.d.share_within(offer) * offer.prepayment_usd_per_kw
        advance *= KW_PER_MW / USD_PER_MUSD
        return advance / months, range(start, start + months)

    def _credits(self) -> dict[str, Any]:
        inside: dict[tuple[Node, str], float] = {}
        beyond: dict[tuple[Node, str], float] = {}
        for x, offer in self.offers.items():
            monthly, months = self._credited(offer)
            if not monthly:
                continue
            for n in self.t.nodes:
                if credited := sum(monthly for m in self.months(n) if m in months):
                    inside[n, x] = credited
            for leaf in self.t.leaves:
                end = self.t.end_month(leaf)
                left = sum(monthly * self.d.discounted(m + 0.5) for m in months if m >= end)
                if left:
                    beyond[leaf, x] = left
        return {"prepayment_credit": inside, "tail_credit": beyond}

    def _cloud(self) -> dict[str, Any]:
        sold = self.d.i.gpu_cloud
        revenue = {
            (n, k): mean_over(sold[k].price_usd_per_gpu_hour, self.t, n)
            * sold[k].utilisation_share
            * (1.0 - sold[k].fee_share)
            * self.gpus_per_mw(k)
            * sum(calendar_hours(m) for m in self.months(n))
            / USD_PER_MUSD
            for k in dict.fromkeys(k for _, k in self.g.cloud_at)
            for n in self.t.nodes
        }
        energy = {
            (n, p, k): self.d.i.fitouts[self.place[p].fitout].pue
            * sold[k].load_factor_share
            * self.energy_per_mw(n, self.place[p].site)
            for p, k in self.g.cloud_at
            for n in self.t.nodes
        }
        return {"cloud_revenue": revenue, "cloud_energy": energy}

    # --- beyond the horizon ----------------------------------------------------------------

    def tail(self, offer: Contract, leaf: Node) -> range:
        """Months of a contract beyond the horizon, if it runs at its end."""
        end = self.t.end_month(leaf)
        stop = month_index(offer.start) + offer.months
        return range(end, stop) if self.due(offer, leaf) > 0 else range(end, end)

    def _tails(self) -> dict[str, Any]:
        margin: dict[tuple[Node, str, str, str], float] = {}
        months: dict[tuple[Node, str], int] = {}
        loss: dict[tuple[Node, str, str], float] = {}
        for leaf in self.t.leaves:
            for x, offer in self.offers.items():
                tail = self.tail(offer, leaf)
                if not tail:
                    continue
                months[leaf, x] = len(tail)
                for p, k in self.g.hosting_at[x]:
                    margin[leaf, x, p, k] = self._tail_margin(x, leaf, self.place[p], k)
                    if k != TENANT:
                        loss[leaf, x, k] = self._resale_lost(leaf, tail.stop, k)
        return {
            "tail_margin": margin,
            "tail_months": months,
            "rack_tail_loss": loss,
            "racks_lasting": self._lasting(months),
        }

    def _lasting(self, months: dict[tuple[Node, str], int]) -> dict[Any, float]:
        """Racks of today and of standing orders that outlive a contract beyond the horizon."""
        lasting: dict[tuple[Node, Site, str, str], float] = {}
        for (leaf, x), tail in months.items():
            end = self.t.end_month(leaf) + tail
            for site, k, count, came in self.d.comings():
                if came + self.d.life_months(k) >= end:
                    key = (leaf, site, x, k)
                    lasting[key] = lasting.get(key, 0.0) + count
        return lasting

    def _tail_margin(self, x: str, leaf: Node, p: Place, k: str) -> float:
        offer = self.offers[x]
        served = self.share_due(offer, self.t.end_month(leaf) - 1) / self.due(offer, leaf)
        service = offer.staff_usd_per_kw_month * KW_PER_MW / USD_PER_MUSD
        return sum(
            self.d.discounted(m + 0.5)
            * served
            * (
                self.rate_musd_per_mw(offer, k, m)
                - service
                - self.draw(offer, p) * self._energy_beyond(leaf, p.site, m, x)
                - self.g.demand_charge.get(p.site, 0.0) * self.g.pue_peak[p.fitout]
            )
            for m in self.tail(offer, leaf)
        )

    def _upkeep(self) -> dict[str, Any]:
        """Upkeep of a whole hall, and of a unit, beyond the horizon, from each end to the next."""
        halls: dict[tuple[Node, str, str], float] = {}
        units: dict[tuple[Node, str, str, str, str], float] = {}
        for leaf in self.t.leaves:
            for p, ends in self.ends_of.items():
                monthly = self.d.opex_per_mw_month(self.place[p]) * self.place[p].it_mw
                for e, paid in self._paid_until(leaf, ends) if monthly else ():
                    halls[leaf, p, e] = monthly * paid
            for (s, part, u), upkeep in self.g.plant_upkeep.items():
                for e, paid in self._paid_until(leaf, self.ends_at[s]) if upkeep else ():
                    units[leaf, s, part, u, e] = upkeep / self.t.months * paid
        return {"lasting_opex": halls, "lasting_unit_opex": units}

    def _paid_until(self, leaf: Node, ends: tuple[str, ...]) -> Iterator[tuple[str, float]]:
        """Present value of a dollar a month from the end before, or the horizon, to each end."""
        before = self.t.end_month(leaf)
        for e in ends:
            end = self._end(leaf, e)
            yield e, sum(self.d.discounted(m + 0.5) for m in range(before, end))
            before = end

    def _energy_beyond(self, leaf: Node, s: Site, month: int, x: str) -> float:
        """Cost of a utility MW in a month beyond the horizon: the last year's mean, grown.

        Of the hours in which a contract is on. The exchange rate follows its path.
        """
        market, added, months = self._last_year(leaf, s, x)
        middle = self.t.end_month(leaf) - months / 2
        power = self.d.i.power[self.d.i.sites[s].power or s]
        growth: float = (1.0 + power.growth_per_year) ** ((month + 0.5 - middle) / 12.0)
        growth *= self.d.usd_per_unit(s, month)
        return (market * growth + added) / months

    def _last_year(self, leaf: Node, s: Site, x: str) -> tuple[float, float, int]:
        """Cost of a MW drawn through the last year: what grows, what does not, and its months."""
        if (leaf, s, x) not in self._last_years:
            last_year = self.t.path(leaf)[-(12 // self.t.months) :]
            charged = {n: self._charged(n, s, x) for n in last_year}
            market = sum(
                (self._priced(n, s, x) - charged[n]) / self.g.exchange[n, s] for n in last_year
            )
            added = sum(charged[n] + self._added(n, s, x) for n in last_year)
            self._last_years[leaf, s, x] = market, added, len(last_year) * self.t.months
        return self._last_years[leaf, s, x]

    def _resale_lost(self, leaf: Node, stop: int, k: str) -> float:
        """Resale at the horizon less that at a contract's end, seen from the horizon, per MW."""
        end = self.t.end_month(leaf)
        later = self.d.discounted(stop) / self.d.discounted(end) * self.d.resale_usd(k, stop)
        return (self.d.resale_usd(k, end) - later) / USD_PER_MUSD / self.g.rack_mw[k]

    def _residuals(self) -> dict[str, Any]:
        ends = self.ends_of
        hall: dict[tuple[Node, str, str, Node, str], float] = {}
        project: dict[tuple[Node, str, Node, str], float] = {}
        for leaf in self.t.leaves:
            path = set(self.t.path(leaf))
            for v, p, q in self.g.conversions_allowed:
                if v in path:
                    for e in (HORIZON, *ends[q]):
                        worth = self._hall_worth(leaf, p, q, v, e)
                        if worth > 0:
                            hall[leaf, p, q, v, e] = worth
            hall |= self._fitouts_left(leaf, ends)
            for v, j in self.g.builds_allowed:
                for e in (HORIZON, *self._needed_until(j)) if v in path else ():
                    if (worth := self._project_worth(leaf, j, v, e)) > 0:
                        project[leaf, j, v, e] = worth
        return {
            "residual_ends": ends,
            "site_ends": self.ends_at,
            "hall_residual": hall,
            "project_residual": project,
            "plant_residual": self._plant_residuals(),
        }

    def _plant_residuals(self) -> dict[tuple[Node, str, str, str, Node, str], float]:
        kinds, lag, cost = self.d.i.uptime.components, self.g.plant_lag, self.g.plant_cost
        found: dict[tuple[Node, str, str, str, Node, str], float] = {}
        for leaf in self.t.leaves:
            path = set(self.t.path(leaf))
            for v, s, part, u in self.g.plant_orders_allowed:
                came = self.t.first_month(v) + lag[u] * self.t.months
                for e in (HORIZON, *self.ends_at[s]) if v in path else ():
                    end = self._end(leaf, e)
                    worth = straight_line(cost[s, part, u], end - came, kinds[u].life_months)
                    if worth > 0:
                        found[leaf, s, part, u, v, e] = worth * self.d.discounted(end)
        return found

    @cached_property
    def ends(self) -> dict[int, str]:
        """Months before which contracts end that outlast the horizon, each with its first."""
        named: dict[int, str] = {}
        for x, offer in self.offers.items():
            for leaf in self.t.leaves:
                if tail := self.tail(offer, leaf):
                    named.setdefault(tail.stop, x)
        return dict(sorted(named.items()))

    @cached_property
    def ends_of(self) -> dict[str, tuple[str, ...]]:
        """Ends of the contracts that a place may serve beyond the horizon, by date."""
        return {p: self._ends_where({p}) for p in self.g.site_of}

    @cached_property
    def ends_at(self) -> dict[Site, tuple[str, ...]]:
        """The same for all places of a site."""
        return {
            s: self._ends_where({p for p, at in self.g.site_of.items() if at == s})
            for s in self.g.sites
        }

    def _ends_where(self, places: set[str]) -> tuple[str, ...]:
        stops = {
            month_index(self.offers[x].start) + self.offers[x].months
            for x, homes in self.g.hosting_at.items()
            if any(p in places for p, _ in homes)
        }
        return tuple(x for stop, x in self.ends.items() if stop in stops)

    def _needed_until(self, j: str) -> tuple[str, ...]:
        """Ends until which AI may need what a project adds; mining needs nothing by then."""
        site = self.d.i.projects[j].site
        halls = any(project == j and self._grows(p) for project, p in self.g.project_halls)
        fibre = j in self.g.project_fibre and site in self.g.needs_fibre
        mw = j in self.g.project_firm_mw
        mw |= j in self.g.project_interruptible_mw and bool(self.g.interruptible_at.get(site))
        return self.ends_at[site] if mw or halls or fibre else ()

    def _grows(self, p: str) -> bool:
        """Whether halls of a place's group may serve beyond the horizon."""
        return any(self.ends_of[q] for q in self.g.places[self.g.hall_of[p]])

    def _hall_worth(self, leaf: Node, p: str, q: str, v: Node, e: str) -> float:
        if self.place[q].fitout == SHELL:
            return 0.0
        end = self._end(leaf, e)
        came = self.t.first_month(v) + self.g.conversion_lag[p, q] * self.t.months
        life = self.d.i.fitouts[self.place[q].fitout].life_months
        return straight_line(self.g.conversion_cost[p, q], end - came, life) * self.d.discounted(
            end
        )

    def _fitouts_left(
        self, leaf: Node, ends: Mapping[str, tuple[str, ...]]
    ) -> dict[tuple[Node, str, str, Node, str], float]:
        """Worth of the fit-out alone in halls that changed their package since it came.

        Keys name the place in which they stand twice, and the node at which works finished.
        """
        left: dict[tuple[Node, str, str, Node, str], float] = {}
        for q in dict.fromkeys(q for _, p, q in self.g.conversions_allowed if self._alike(p, q)):
            periods = {
                self.t.period[v] + self.g.conversion_lag[p, r]
                for v, p, r in self.g.conversions_allowed
                if self._alike(q, r) and not self._alike(p, r) and v in self.t.path(leaf)
            }
            for v in (self.t.path(leaf)[period] for period in sorted(periods)):
                for e in (HORIZON, *ends[q]):
                    worth = self._fitout_worth(leaf, q, v, e)
                    if worth > 0:
                        left[leaf, q, q, v, e] = worth
        return left

    def _alike(self, p: str, q: str) -> bool:
        """Whether two places are of one hall group in one fit-out."""
        one, other = self.place[p], self.place[q]
        return (one.hall, one.fitout) == (other.hall, other.fitout)

    def _fitout_worth(self, leaf: Node, q: str, v: Node, e: str) -> float:
        place = self.place[q]
        fitout = self.d.i.fitouts[place.fitout]
        cost = fitout.capex_usd_per_kw * place.it_mw * KW_PER_MW / USD_PER_MUSD
        end = self._end(leaf, e)
        worth = straight_line(cost, end - self.t.first_month(v), fitout.life_months)
        return worth * self.d.discounted(end)

    def _end(self, leaf: Node, e: str) -> int:
        """Month at which what serves an end last takes its residual."""
        end = self.t.end_month(leaf)
        if e == HORIZON:
            return end
        return max(end, month_index(self.offers[e].start) + self.offers[e].months)

    def _project_worth(self, leaf: Node, j: str, v: Node, e: str) -> float:
        end = self._end(leaf, e)
        came = self.t.first_month(v) + self.g.project_lag[j] * self.t.months
        life = self.d.i.projects[j].life_months
        return straight_line(self.g.project_cost[j], end - came, life) * self.d.discounted(end)


def straight_line(cost: float, age_months: float, life_months: float) -> float:
    """What an asset is worth by straight line.

    Examples
    --------
    >>> straight_line(12.0, 40, 120), straight_line(12.0, 130, 120)
    (8.0, 0.0)
    """
    return cost * max(0.0, 1.0 - age_months / life_months)


def calendar_hours(month: int) -> float:
    """Hours of a calendar month.

    Examples
    --------
    >>> calendar_hours(2028 * 12 + 1), calendar_hours(2027 * 12 + 1)
    (696.0, 672.0)
    """
    return (first_day(month + 1) - first_day(month)).days * 24.0


#: What fills these tables, each part some of them.
PARTS: tuple[Callable[[Terms], dict[str, Any]], ...] = (
    Terms._contracts,
    Terms._credits,
    Terms._cloud,
    Terms._draws,
    Terms._tails,
    fees,
    Terms._upkeep,
    Terms._residuals,
)

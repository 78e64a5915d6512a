"""The best plan of a small case, found by trying every one.

Every integer decision is tried, period after period and branch after branch; what a period then
earns follows in closed form (:mod:`tests.models.accounts`), what remains at the end in
:mod:`tests.models.horizon`. Nothing is shared with the models but the typed instance, so that a
mistake in their derivation, in a family or in a band shows as a different best value.

Left out is ordering more racks than the halls could hold when they come, and moving a rack in the
period in which an order without lead time brings it: neither pays while resale lies below price,
and the cases drawn see to that. Forbidden is that a rack which an order brings leaves in that
period, sold or taken out to be rebuilt, and that a hall which works bring is converted again in
the same one.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Hashable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import TypeVar

from models.instance import RackOrder
from tests.models.accounts import (
    TOLERANCE,
    Accounts,
    Came,
    NotInClosedForm,
    Standing,
    Unit,
    Vintage,
    summed,
)
from tests.models.cases import Case, Place, Stock, month_of, remembered, whole
from tests.models.horizon import NONE, Remains

Key = TypeVar("Key", bound=Hashable)


class TooMany(Exception):
    """The case has more plans than are worth trying."""


@dataclass(frozen=True)
class Choice:
    """What is decided at a node: whole numbers, and the MW of what is signed."""

    builds: Mapping[str, int] = field(default_factory=dict)
    conversions: Mapping[tuple[Place, Place], int] = field(default_factory=dict)
    sales: Mapping[Stock, int] = field(default_factory=dict)
    moves: Mapping[tuple[Stock, Place], int] = field(default_factory=dict)
    rebuilds: Mapping[Stock, int] = field(default_factory=dict)
    orders: Mapping[Stock, int] = field(default_factory=dict)
    signing: Mapping[str, float] = field(default_factory=dict)

    @property
    def acts(self) -> bool:
        """Whether anything is ordered, converted, moved or signed."""
        parts = self.builds, self.conversions, self.moves, self.rebuilds, self.orders, self.signing
        return any(parts)


@dataclass(frozen=True)
class Best:
    """The best plan below a node: its value, and what is chosen where."""

    value: float
    choices: tuple[tuple[int, Choice], ...] = ()


def best_plan(case: Case, most: int = 20_000) -> Best:
    """The best of all plans of a case; value minus infinity where none is feasible.

    Raises
    ------
    TooMany
        Where more than ``most`` choices would have to be tried.
    NotInClosedForm
        Where more than integers and the closed forms are left to decide.
    """
    return Search(case, most).best()


def spread(limits: Mapping[Key, int]) -> Iterator[dict[Key, int]]:
    """Every way to choose whole numbers from zero to each limit; zeros are left out."""
    for counts in itertools.product(*(range(most + 1) for most in limits.values())):
        yield {key: count for key, count in zip(limits, counts, strict=True) if count}


class Search:
    """All plans of a case, depth first."""

    def __init__(self, case: Case, most: int) -> None:
        self.case = case
        self.i = case.instance
        self.accounts = Accounts(case)
        self.remains = Remains(self.accounts)
        self.left = most
        if self.i.finance.loan is not None:
            self._check_loan()

    def _check_loan(self) -> None:
        """Refuse what a loan adds to decide: branches."""
        if any(len(below) > 1 for below in self.case.children):
            raise NotInClosedForm("a loan on a tree")

    def best(self) -> Best:
        """Try everything from the root on."""
        return self._best(0, self._opening())

    def _best(self, n: int, before: Standing) -> Best:
        top = Best(NONE)
        arrived, owed = self._arrive(n, before)
        for landed in self._landed(n, arrived):
            for choice in self._choices(n, landed):
                self.left -= 1
                if self.left < 0:
                    raise TooMany
                found = self._onwards(n, landed, choice, owed)
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
            value += self.case.tree.probability[n] * self.remains.value(n, after)
        return Best(value, tuple(choices))

    # --- what comes by itself --------------------------------------------------------------

    def _served_from(self, month: str) -> int:
        """Period from which something that comes in a month is in service."""
        return max(0, whole((month_of(month) - self.case.start) / self.case.step))

    def _period_of(self, month: str) -> int:
        """Period in which something of a month is paid; the first for what is overdue."""
        return max(0, (month_of(month) - self.case.start) // self.case.step)

    def _opening(self) -> Standing:
        case, owed = self.case, self.i.commitments
        halls = {case.states[h][0]: hall.count for h, hall in self.i.halls.items()}
        for work in owed.works:
            halls[case.states[work.hall][0]] -= work.halls
        fleet = [((self._home(row.hall, row.rack), row.rack), row) for row in self.i.fleet]
        return Standing(
            halls=halls,
            racks=summed((stock, row.racks) for stock, row in fleet),
            halls_coming=tuple(
                (self._served_from(w.ready), (w.hall, w.fitout, w.package or ""), w.halls)
                for w in owed.works
            ),
            racks_coming=tuple(
                (self._served_from(o.delivery), (self._lands(o), o.rack), o.racks, None)
                for o in owed.racks
            ),
            signed={c.contract: c.mw for c in owed.contracts},
            cash=self.i.finance.opening_cash_musd,
            came=tuple(
                Came(case.site(p), k, case.start - row.age_months, row.racks)
                for (p, k), row in fleet
            ),
        )

    def _home(self, h: str, k: str) -> Place:
        return next(p for p in self.case.states[h] if self.case.per_hall(p, k) > 0)

    def _lands(self, order: RackOrder) -> Place:
        """Where a rack on order lands: where it can stand and halls stand by then, if anywhere."""
        owed, states = self.i.commitments.works, self.case.states[order.hall]
        works = [w for w in owed if w.hall == order.hall]
        due = self._served_from(order.delivery)
        ready = {
            (w.hall, w.fitout, w.package or "") for w in works if self._served_from(w.ready) <= due
        }
        if self.i.halls[order.hall].count > sum(w.halls for w in works):
            ready.add(states[0])
        fits = [p for p in states if self.case.per_hall(p, order.rack) > 0]
        return next((p for p in fits if p in ready), fits[0])

    def _arrive(self, n: int, s: Standing) -> tuple[Standing, dict[str, float]]:
        """Halls, racks and projects that come into service, and what falls due by site."""
        case, now = self.case, self.case.period(n)
        halls, racks, came = dict(s.halls), dict(s.racks), list(s.came)
        fresh, owed = dict[tuple[str, str], int](), self._dues(now)
        for period, place, count in s.halls_coming:
            if period == now:
                halls[place] = halls.get(place, 0) + count
        for unit in s.units:
            added = self.i.projects[unit.project].adds_halls
            if unit.period == now and added is not None:
                bare = case.states[added.hall][0]
                halls[bare] = halls.get(bare, 0) + added.count
        for period, stock, count, due in s.racks_coming:
            if period == now:
                site = case.site(stock[0])
                racks[stock] = racks.get(stock, 0) + count
                came.append(Came(site, stock[1], case.month(n), count))
                if due is not None:
                    fresh[site, stock[1]] = fresh.get((site, stock[1]), 0) + count
                    owed[site] += due
        return replace(s, halls=halls, racks=racks, came=tuple(came), fresh=fresh), owed

    def _dues(self, now: int) -> dict[str, float]:
        """What is still to be paid, in a period, on orders and works from before the horizon."""
        owed = dict.fromkeys(self.i.sites, 0.0)
        for order in self.i.commitments.racks:
            if self._period_of(order.due or order.delivery) == now:
                owed[self.i.halls[order.hall].site] += order.due_musd
        for work in self.i.commitments.works:
            if self._period_of(work.due or work.ready) == now:
                owed[self.i.halls[work.hall].site] += work.due_musd
        return owed

    def _landed(self, n: int, s: Standing) -> Iterator[Standing]:
        """Every way to place the racks whose rebuild ends now."""
        now, site = self.case.period(n), self.case.site
        coming = summed((key, count) for period, key, count in s.rebuilds_coming if period == now)
        homes = {
            (p, k): int(coming[site(p), k]) for p, k in self.case.stocks if (site(p), k) in coming
        }
        for counts in spread(homes):
            if summed(((site(p), k), count) for (p, k), count in counts.items()) == coming:
                new = [Came(site(p), k, self.case.month(n), c) for (p, k), c in counts.items()]
                racks = summed((*s.racks.items(), *counts.items()))
                yield replace(s, racks=racks, came=(*s.came, *new))

    # --- what may be chosen ----------------------------------------------------------------

    def _choices(self, n: int, s: Standing) -> Iterator[Choice]:
        for builds in spread(self._buildable(n, s)):
            begun = replace(s, units=(*s.units, *self._units(n, builds)))
            for conversions in self._conversions(n, s):
                halls = self._halls_after(s, conversions)
                for leaving in self._leaving(n, s):
                    racks = self._racks_after(s, leaving)
                    if not self.accounts.may_stand(n, begun, halls, racks):
                        continue
                    for orders in spread(self._orderable(n, s, halls, conversions)):
                        for signing in self._signings(n, s):
                            yield Choice(
                                builds=builds,
                                conversions=conversions,
                                sales=leaving.sales,
                                moves=leaving.moves,
                                rebuilds=leaving.rebuilds,
                                orders=orders,
                                signing=signing,
                            )

    def _buildable(self, n: int, s: Standing) -> dict[str, int]:
        month = self.case.month(n)
        return {
            j: project.max_units - sum(1 for unit in s.units if unit.project == j)
            for j, project in self.i.projects.items()
            if project.site not in self.i.policy.keep_sites
            and self.case.lands(n, self.case.lag(project.months))
            and month >= (month_of(project.earliest) if project.earliest else 0)
            and month <= (month_of(project.latest) if project.latest else math.inf)
        }

    def _units(self, n: int, builds: Mapping[str, int]) -> list[Unit]:
        units: list[Unit] = []
        for j, count in builds.items():
            lag = self.case.lag(self.i.projects[j].months)
            if lag == 0 and self.i.projects[j].adds_halls is not None:
                raise NotInClosedForm("halls built without lead time")
            units += [Unit(self.case.period(n) + lag, j, self.case.month(n))] * count
        return units

    def _conversions(self, n: int, s: Standing) -> Iterator[dict[tuple[Place, Place], int]]:
        month = self.case.month(n)
        fresh = summed((v.place, v.halls) for v in s.vintages if v.month == month)
        free = {p: count - fresh.get(p, 0) for p, count in s.halls.items()}
        limits = {
            (p, q): free[p]
            for (p, q), (lag, _) in self.case.ways.items()
            if free.get(p) and self.case.lands(n, lag)
        }
        for counts in spread(limits):
            begun = summed((p, count) for (p, _), count in counts.items())
            if all(count <= free[p] for p, count in begun.items()):
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
        sold = {x: count - self._unworn(n, x) for x, count in standing.items()}
        moves = {(x, q): count for x, count in standing.items() for q in self._may_move(x)}
        rebuilds = {x: count for x, count in standing.items() if self._may_rebuild(n, x)}
        for sales in spread(sold):
            for moved in spread(moves):
                for rebuilt in spread(rebuilds):
                    leaving = Choice(sales=sales, moves=moved, rebuilds=rebuilt)
                    if s.fresh and not self._fresh_stay(s, leaving):
                        continue
                    if moved or rebuilt:
                        gone = self._racks_after(replace(s, racks=standing), leaving)
                        if min(gone.values()) < 0 or self._in_circles(moved):
                            continue
                    yield leaving

    def _fresh_stay(self, s: Standing, leaving: Choice) -> bool:
        """Whether as many racks of each type stay at a site as an order has just brought."""
        site, gone = self.case.site, (*leaving.sales.items(), *leaving.rebuilds.items())
        left = summed(((site(p), k), -count) for (p, k), count in gone)
        stay = summed((*left.items(), *(((site(p), k), c) for (p, k), c in s.racks.items())))
        return all(stay.get(key, 0) >= count for key, count in s.fresh.items())

    @remembered
    def _unworn(self, n: int, stock: Stock) -> int:
        """Racks that must stay where they are: those with life left, at a site that is kept."""
        place, k = stock
        if self.case.site(place) not in self.i.policy.keep_sites:
            return 0
        month, step = self.case.month(n), self.case.step
        owed = self.i.commitments.racks
        came = [(r.racks, -r.age_months) for r in self.i.fleet
                if r.rack == k and self._home(r.hall, k) == place]  # fmt: skip
        came += [(o.racks, step * self._served_from(o.delivery)) for o in owed
                 if o.rack == k and self._lands(o) == place]  # fmt: skip
        since = month - self.case.start
        return sum(
            count for count, at in came if at <= since and at + self.case.life(k) >= since + step
        )

    def _in_circles(self, moved: Mapping[tuple[Stock, Place], int]) -> bool:
        """Whether racks of a type come to the place that others of them leave."""
        left = {stock for stock, _ in moved}
        return any((q, k) in left for (_, k), q in moved)

    @remembered
    def _may_move(self, stock: Stock) -> list[Place]:
        place, k = stock
        site = self.case.site(place)
        if self.i.racks[k].move_usd is None or site in self.i.policy.keep_sites:
            return []
        return [p for p, r in self.case.stocks if r == k and self._beside(p, place)]

    def _beside(self, p: Place, q: Place) -> bool:
        return p != q and self.case.site(p) == self.case.site(q)

    @remembered
    def _may_rebuild(self, n: int, stock: Stock) -> bool:
        to, site = self.i.racks[stock[1]].converts_to, self.case.site(stock[0])
        if to is None or not self.i.policy.reuse_gpus or site in self.i.policy.keep_sites:
            return False
        if self.case.lag(to.months) == 0:
            raise NotInClosedForm("a rebuild without lead time")
        lands = self.case.lands(n, self.case.lag(to.months))
        return lands and any(
            k == to.rack and self.case.site(p) == site for p, k in self.case.stocks
        )

    def _racks_after(self, s: Standing, leaving: Choice) -> dict[Stock, int]:
        racks = dict(s.racks)
        for stock, count in (*leaving.sales.items(), *leaving.rebuilds.items()):
            racks[stock] -= count
        for ((place, k), q), count in leaving.moves.items():
            racks[place, k] -= count
            racks[q, k] = racks.get((q, k), 0) + count
        return racks

    def _orderable(
        self,
        n: int,
        s: Standing,
        halls: Mapping[Place, int],
        conversions: Mapping[tuple[Place, Place], int],
    ) -> dict[Stock, int]:
        """Racks that halls in service by the delivery could hold."""
        most: dict[Stock, int] = {}
        for p, k in self._allowed(n):
            lag = self.case.lag(self.i.racks[k].delivery_months)
            later = any(q == p and way[0] < lag for (_, q), way in self.case.ways.items())
            if later or len(self.i.projects):
                ready = self.case.most_halls[p[0]]
            else:
                now = self.case.period(n)
                ready = halls.get(p, 0)
                ready += sum(c for t, q, c in s.halls_coming if q == p and now < t <= now + lag)
                ready += sum(
                    count
                    for (o, q), count in conversions.items()
                    if q == p and 0 < self.case.ways[o, q][0] <= lag
                )
            most[p, k] = self.case.per_hall(p, k) * ready
        return {stock: count for stock, count in most.items() if count}

    @remembered
    def _allowed(self, n: int) -> list[Stock]:
        """What may be ordered at a node."""
        return [(p, k) for p, k in self.case.stocks if self._may_order(n, p, k)]

    def _may_order(self, n: int, p: Place, k: str) -> bool:
        rack, month = self.i.racks[k], self.case.month(n)
        return (
            rack.buyable
            and self.case.site(p) not in self.i.policy.keep_sites
            and self.case.lands(n, self.case.lag(rack.delivery_months))
            and month >= (month_of(rack.buy_from) if rack.buy_from else 0)
            and month <= (month_of(rack.buy_until) if rack.buy_until else math.inf)
        )

    def _signings(self, n: int, s: Standing) -> Iterator[dict[str, float]]:
        offers: dict[str, list[float]] = {
            x: [0.0, *self._signable_mw(x)]
            for x, offer in self.i.contracts.items()
            if x not in s.signed
            and self.case.month(n) <= month_of(offer.sign_by)
            and any(self.case.due(x, m) for m in range(len(self.case.tree.parent)))
        }
        for mw in itertools.product(*offers.values()):
            yield {x: q for x, q in zip(offers, mw, strict=True) if q}

    @remembered
    def _signable_mw(self, x: str) -> list[float]:
        """MW at which the value of a contract can turn: its limits, and whole halls and racks."""
        offer = self.i.contracts[x]
        if offer.min_mw == offer.max_mw:
            return [offer.min_mw]
        if len(self.i.contracts) > 1 or self.i.gpu_cloud or offer.latest_delivery:
            raise NotInClosedForm("a range of MW beside other AI")
        if not all(self._ample(site) for site in self.i.sites):
            raise NotInClosedForm("a range of MW where grid or cash may bind")
        shares = {self.case.due(x, n) for n in range(len(self.case.tree.parent))} - {0.0}
        turns = {offer.min_mw, offer.max_mw}
        for p, k in self.case.homes(x):
            halls = self.case.most_halls[p[0]]
            steps = [(self.case.hall_mw(p), halls)]
            if k:
                steps = [(self.case.mw(k), self.case.per_hall(p, k) * halls)]
            elif offer.kw_per_rack and math.isfinite(self.case.positions(p)):
                steps.append((self.case.positions(p) * offer.kw_per_rack / 1000, halls))
            turns |= {
                each * j / share
                for each, count in steps
                for j in range(1, count + 1)
                for share in shares
            }
        return sorted(q for q in turns if offer.min_mw <= q <= offer.max_mw)

    def _ample(self, s: str) -> bool:
        """Whether neither the grid of a site nor cash nor a policy can limit the MW signed."""
        site, policy = self.i.sites[s], self.i.policy
        limits = (
            site.mining_mw_max,
            site.ai_mw_max,
            site.substation_mw,
            policy.mining_share_min,
            policy.mining_share_max,
            policy.ai_share_min,
            policy.ai_share_max,
        )
        firm = min(
            self.case.least(site.firm_mw, n) * self.case.weather.firm.get(n, 1.0)
            for n in range(len(self.case.tree.parent))
        )
        nameplate = sum(
            self.case.most_halls[h]
            * max(self.case.hall_mw(p) * self.case.peak(p) for p in states if p[1])
            for h, states in self.case.states.items()
            if self.i.halls[h].site == s
        )
        rich = self.i.finance.opening_cash_musd >= 500 and self.i.finance.loan is None
        return firm >= nameplate and rich and policy.reuse_power and limits == (None,) * 7

    # --- a node ----------------------------------------------------------------------------

    def _step(
        self, n: int, s: Standing, choice: Choice, owed: Mapping[str, float]
    ) -> tuple[Standing, float] | None:
        """What stands after a node and the present value of its cash, if it may be done."""
        month, finance = self.case.month(n), self.i.finance
        after, capex = self._ordered(n, s, choice)
        spent = (*s.spent, *((month, site, capex[site] + owed[site]) for site in capex))
        stands = self.accounts.may_stand(n, after, after.halls, after.racks)
        margin = None
        if stands and not self._overspent(spent):
            margin = self.accounts.operation(n, after)
        if margin is None:
            return None
        paid = sum(capex.values()) + sum(owed.values())
        entered = s.entered or bool(self.accounts.ai_halls(after))
        enters = entered and not s.entered and not finance.hosts_ai_already
        principal, interest = self._old_debt(n)
        start = self._receipts(n, choice) - paid - principal
        start -= finance.ai_entry_cost_musd if enters else 0.0
        operating = margin - interest
        cash = s.cash + start
        least = min(cash, cash + operating)
        if finance.loan is None and least < finance.minimum_cash_musd - TOLERANCE:
            return None
        value = self.case.worth(month) * start
        value += self.case.worth(month + self.case.step / 2) * operating
        after = replace(
            after,
            cash=cash + operating,
            spent=spent,
            entered=entered,
            flows=(*s.flows, (start, operating, paid)),
        )
        return after, value * self.case.tree.probability[n]

    def _ordered(self, n: int, s: Standing, choice: Choice) -> tuple[Standing, dict[str, float]]:
        """What stands and comes after the choices of a node, and their capex by site."""
        case, now = self.case, self.case.period(n)
        racks, came = self._racks_after(s, choice), list(s.came)
        racks_coming = list(s.racks_coming)
        for (p, k), count in choice.orders.items():
            lag = case.lag(self.i.racks[k].delivery_months)
            if lag:
                due = count * case.price(k) * (1 - self.i.racks[k].deposit_share)
                racks_coming.append((now + lag, (p, k), count, due))
            else:
                racks[p, k] = racks.get((p, k), 0) + count
                came.append(Came(case.site(p), k, case.month(n), count))
        lags = {pq: case.ways[pq][0] for pq in choice.conversions}
        after = replace(
            s,
            halls=self._halls_after(s, choice.conversions),
            racks=racks,
            halls_coming=(
                *s.halls_coming,
                *((now + lags[pq], pq[1], c) for pq, c in choice.conversions.items() if lags[pq]),
            ),
            racks_coming=tuple(racks_coming),
            rebuilds_coming=(*s.rebuilds_coming, *self._rebuilding(now, choice)),
            units=(*s.units, *self._units(n, choice.builds)),
            signed={**s.signed, **choice.signing},
            came=tuple(came),
            vintages=(
                *s.vintages,
                *(
                    Vintage(*pq, case.month(n) + lags[pq] * case.step, case.ways[pq][1], count)
                    for pq, count in choice.conversions.items()
                ),
            ),
        )
        return after, self._capex(choice)

    def _rebuilding(self, now: int, choice: Choice) -> Iterator[tuple[int, tuple[str, str], int]]:
        for (p, k), count in choice.rebuilds.items():
            to = self.i.racks[k].converts_to
            assert to is not None
            yield now + self.case.lag(to.months), (self.case.site(p), to.rack), count

    def _capex(self, choice: Choice) -> dict[str, float]:
        """M$ by site: what is paid on delivery comes later, unless delivery is at once."""
        case, capex = self.case, dict.fromkeys(self.i.sites, 0.0)
        for (p, q), count in choice.conversions.items():
            capex[case.site(p)] += count * case.ways[p, q][1]
        for (p, k), count in choice.orders.items():
            rack = self.i.racks[k]
            share = rack.deposit_share if case.lag(rack.delivery_months) else 1.0
            capex[case.site(p)] += count * case.price(k) * share
        for ((p, k), _), count in choice.moves.items():
            capex[case.site(p)] += count * float(self.i.racks[k].move_usd or 0) / 1e6
        for (p, k), count in choice.rebuilds.items():
            to = self.i.racks[k].converts_to
            assert to is not None
            capex[case.site(p)] += count * to.cost_usd / 1e6
        for j, count in choice.builds.items():
            capex[self.i.projects[j].site] += count * self.i.projects[j].capex_musd
        return capex

    def _overspent(self, spent: tuple[tuple[int, str, float], ...]) -> bool:
        return any(
            sum(x for month, site, x in spent if first <= month < after and site in sites)
            > musd + TOLERANCE
            for musd, first, after, sites in self._budgets()
        )

    @remembered
    def _budgets(self) -> list[tuple[float, int, int, set[str]]]:
        """Most M$, from a month, to before a month, at some sites."""
        finance, case, everywhere = self.i.finance, self.case, set(self.i.sites)
        budgets = [
            (musd, case.start, case.end, {site})
            for site, musd in finance.capex_budget_by_site_musd.items()
        ]
        if finance.capex_budget_musd is not None:
            budgets.append((finance.capex_budget_musd, case.start, case.end, everywhere))
        for span in finance.capex_budget_by_period:
            first = month_of(span.from_)
            after = month_of(span.to) + 1 if span.to else first + case.step
            budgets.append((span.musd, first, after, everywhere))
        return budgets

    def _receipts(self, n: int, choice: Choice) -> float:
        """Racks sold, advances and works paid by tenants."""
        month, offers = self.case.month(n), self.i.contracts
        sold = sum(count * self.case.resale(k, month) for (_, k), count in choice.sales.items())
        return sold + sum(
            mw
            * self.case.within(x)
            * (offers[x].prepayment_usd_per_kw + offers[x].tenant_works_usd_per_kw)
            / 1000
            for x, mw in choice.signing.items()
        )

    @remembered
    def _old_debt(self, n: int) -> tuple[float, float]:
        """Principal and interest due in a node on debt that exists today."""
        debt, now = self.i.commitments.debt, self.case.period(n)
        due = [payment for payment in debt if self._period_of(payment.month) == now]
        return sum(d.principal_musd for d in due), sum(d.interest_musd for d in due)

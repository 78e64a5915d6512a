"""What remains at the horizon, and what a loan adds to the cash flows before it."""

from __future__ import annotations

import itertools
import math
from collections.abc import Hashable, Mapping

import numpy as np
from scipy.optimize import linprog

from tests.models.accounts import (
    TOLERANCE,
    Accounts,
    Served,
    Standing,
    Unit,
    Vintage,
    summed,
)
from tests.models.cases import Place, month_of, remembered

NONE = -math.inf


class Remains:
    """Present value of what remains at a leaf: contracts, racks, halls, projects, less debt."""

    def __init__(self, accounts: Accounts) -> None:
        self.accounts = accounts
        self.case = accounts.case
        self.i = accounts.i

    def value(self, leaf: int, s: Standing) -> float:
        """Present value, given the leaf is reached; minus infinity where a rule is broken."""
        end, worth = self.case.end, self.case.worth
        served = self.accounts.served(leaf, s) or []
        tails = [load for load in served if self._stop(load.contract) > end]
        if not self._outlived(s, tails):
            return NONE
        value = sum(mw * self._tail(leaf, x, p, k) for x, p, k, mw in tails)
        value -= sum(mw * self._uncredited(x) for x, mw in s.signed.items())
        value += self._racks(s, tails) + self._halls(s, tails)
        value += self._projects(leaf, s, tails) - self._upkeep(tails)
        value -= self._owed() * worth(end)
        return value + (self._funding(s) if self.i.finance.loan is not None else 0.0)

    def _owed(self) -> float:
        """Principal due after the horizon, and what is then still to be paid for what came."""
        owed, end = self.i.commitments, self.case.end
        dues = [(d.principal_musd, d.month) for d in owed.debt]
        dues += [(o.due_musd, o.due) for o in owed.racks if o.due and month_of(o.delivery) < end]
        dues += [(w.due_musd, w.due) for w in owed.works if w.due and month_of(w.ready) < end]
        return sum(musd for musd, month in dues if month_of(month) >= end)

    # --- contracts that run on -------------------------------------------------------------

    @remembered
    def _stop(self, x: str) -> int:
        """Month after the end of a contract."""
        return month_of(self.i.contracts[x].start) + self.i.contracts[x].months

    def _outlived(self, s: Standing, tails: list[Served]) -> bool:
        """Racks that serve beyond the horizon live until their contract ends."""
        for x, place, k, _ in tails:
            if not k:
                continue
            site, stop = self.case.site(place), self._stop(x)
            serving = sum(
                mw / self.case.mw(k)
                for y, p, r, mw in tails
                if r == k and self.case.site(p) == site and self._stop(y) >= stop
            )
            young = sum(
                c.racks
                for c in s.came
                if (c.site, c.rack) == (site, k) and c.month + self.case.life(k) >= stop
            )
            if serving > young + TOLERANCE:
                return False
        return True

    @remembered
    def _tail(self, leaf: int, x: str, p: Place, k: str) -> float:
        """Present value per MW of a contract's margin beyond the horizon, before upkeep."""
        case, offer = self.case, self.i.contracts[x]
        held = case.share(offer, case.end - 1) / case.due(x, leaf)
        service = offer.staff_usd_per_kw_month / 1000
        value = 0.0
        for m in range(case.end, self._stop(x)):
            energy = case.draw(x, p) * self._energy(leaf, case.site(p), m)
            value += held * (case.rent(x, k, m) - service - energy) * case.worth(m + 0.5)
        return value

    def _needed(self, tails: list[Served], place: Place, month: int) -> int:
        """Whole halls that a place still needs in a month beyond the horizon."""
        loads = [t for t in tails if t.place == place and self._stop(t.contract) > month]
        mw = summed(((place, t.rack), t.mw) for t in loads if t.rack)
        racks = {(p, k): math.ceil(x / self.case.mw(k) - TOLERANCE) for (p, k), x in mw.items()}
        halls = 0
        while loads and not (halls and self.accounts.fit({place: halls}, racks, loads)):
            halls += 1
        return halls

    def _upkeep(self, tails: list[Served]) -> float:
        """Present value of the upkeep, month by month, of the halls that are still needed."""
        return sum(
            self._needed(tails, place, m)
            * self.case.hall_mw(place)
            * self.case.upkeep(place)
            * self.case.worth(m + 0.5)
            for place in {t.place for t in tails}
            for m in range(self.case.end, max(self._stop(t.contract) for t in tails))
        )

    def _energy(self, leaf: int, site: str, month: int) -> float:
        """M$ of a utility MW for a month: that of the last year, grown in its price."""
        year = self.case.line[leaf][-(12 // self.case.step) :]
        months = len(year) * self.case.step
        rate = self.i.power[self.i.sites[site].power or site].growth_per_year
        growth = (1 + rate) ** ((month + 0.5 - (self.case.end - months / 2)) / 12)
        priced = sum(self.case.ai_energy(n, site)[0] for n in year)
        added = sum(self.case.ai_energy(n, site)[1] for n in year)
        return (priced * growth + added) / months

    @remembered
    def _uncredited(self, x: str) -> float:
        """Present value per MW of what is credited beyond the horizon."""
        offer = self.i.contracts[x]
        last = month_of(offer.start) + (offer.prepayment_credit_months or offer.months)
        months = range(self.case.end, last)
        return sum(self.case.credit(x, m) * self.case.worth(m + 0.5) for m in months)

    # --- what things are worth -------------------------------------------------------------

    def _racks(self, s: Standing, tails: list[Served]) -> float:
        case, end = self.case, self.case.end
        value = sum(count * case.resale(k, end) for (_, k), count in s.racks.items())
        value *= case.worth(end)
        for x, _, k, mw in tails:
            if k:
                now, then = case.resale(k, end), case.resale(k, self._stop(x))
                lost = now * case.worth(end) - then * case.worth(self._stop(x))
                value -= mw / case.mw(k) * lost
        return value

    def _halls(self, s: Standing, tails: list[Served]) -> float:
        """Straight-line worth of converted halls, each vintage at the end that serves it best."""
        value = 0.0
        changed = {v.place[:2] for v in s.vintages if not v.fitted}
        for place in dict.fromkeys(v.place for v in s.vintages if v.place[:2] not in changed):
            vintages = tuple(v for v in s.vintages if v.place == place)
            value += self._kept(vintages, self._ends(s, tails, place))
        for group in changed:
            vintages = tuple(v for v in s.vintages if v.place[:2] == group)
            places = dict.fromkeys(v.place for v in vintages)
            ends = {place: self._ends(s, tails, place) for place in places}
            value += self._kept_through_changes(vintages, ends)
        return value

    def _ends(
        self, s: Standing, tails: list[Served], place: Place
    ) -> tuple[tuple[int, float], ...]:
        """Whole halls of a place by the month until which they serve."""
        months = sorted({self._stop(t.contract) for t in tails if t.place == place})
        left = s.halls.get(place, 0)
        ends: list[tuple[int, float]] = []
        for month in (self.case.end, *months):
            needed = self._needed(tails, place, month)
            ends.append((month, left - needed))
            left = needed
        return tuple(ends)

    def _projects(self, leaf: int, s: Standing, tails: list[Served]) -> float:
        """Straight-line worth of units, each at the end that suits best: every way is tried."""
        months = sorted({self._stop(t.contract) for t in tails})
        return max(
            sum(self._unit(unit, end) for unit, end in zip(s.units, ends, strict=True))
            for ends in itertools.product((self.case.end, *months), repeat=len(s.units))
            if all(
                self._stands(
                    leaf,
                    s,
                    [t for t in tails if self._stop(t.contract) >= month],
                    [u for u, end in zip(s.units, ends, strict=True) if end >= month],
                )
                for month in months
            )
        )

    def _unit(self, unit: Unit, end: int) -> float:
        project = self.i.projects[unit.project]
        came = unit.paid + self.case.lag(project.months) * self.case.step
        left = max(0.0, 1 - (end - came) / project.life_months)
        return project.capex_musd * left * self.case.worth(end)

    def _stands(self, leaf: int, s: Standing, loads: list[Served], units: list[Unit]) -> bool:
        """Whether contracts that run on can do with these units of projects."""
        case, kept = self.case, [self.i.projects[u.project] for u in units]
        added = [self.i.projects[u.project].adds_halls for u in s.units]
        stay = [j.adds_halls for j in kept]
        group: dict[str, int] = {}
        for place in {t.place for t in loads}:
            group[place[0]] = group.get(place[0], 0) + self._needed(loads, place, case.end)
        for h, needed in group.items():
            stand = sum(count for p, count in s.halls.items() if p[0] == h)
            gone = sum(a.count for a in added if a and a.hall == h)
            gone -= sum(a.count for a in stay if a and a.hall == h)
            if needed > stand - gone:
                return False
        for name in {case.site(t.place) for t in loads}:
            site = self.i.sites[name]
            here = [j for j in kept if j.site == name]
            if not site.fibre and not any(j.adds_fibre for j in here):
                return False
            own = case.least(site.firm_mw, leaf) * case.weather.firm.get(leaf, 1.0)
            firm = (own if self.i.policy.reuse_power else 0.0) + sum(j.adds_firm_mw for j in here)
            drawn = sum(t.mw * case.peak(t.place) for t in loads if case.site(t.place) == name)
            if drawn > firm + TOLERANCE:
                return False
        return True

    def _kept_through_changes(
        self, vintages: tuple[Vintage, ...], ends: dict[Place, tuple[tuple[int, float], ...]]
    ) -> float:
        """Hand fit-outs and packages, worth each its own, to the halls that stand at the end.

        A hall has one fit-out and one package. The fit-out stays through changes of package, as
        many times as halls have changed to a place; a package does not.
        """
        parts: list[tuple[float, tuple[Hashable, ...]]] = []
        room: dict[Hashable, float] = {}
        for place, serving in ends.items():
            here = [v for v in vintages if v.place == place]
            room["changed", place] = sum(v.halls for v in here if not v.fitted)
            for end, halls in serving:
                room["fit-out", place, end] = room["package", place, end] = halls
                for v in here:
                    uses: tuple[Hashable, ...] = (("of", v), ("package", place, end))
                    if v.fitted:
                        uses += (("finished", v.month), ("fit-out", place, end))
                    parts.append((v.cost * self._left(v.place, v.month, end), uses))
                cost = self.i.fitouts[place[1]].capex_usd_per_kw * self.case.hall_mw(place) / 1e3
                for month in dict.fromkeys(v.month for v in vintages if v.fitted):
                    uses = ("changed", place), ("finished", month), ("fit-out", place, end)
                    parts.append((cost * self._left(place, month, end), uses))
        room |= summed((("finished", v.month), float(v.halls)) for v in vintages if v.fitted)
        room |= summed((("of", v), float(v.halls)) for v in vintages)
        return packed(parts, room)

    def _left(self, place: Place, month: int, end: int) -> float:
        """Present value of a dollar spent on a fit-out that came in a month."""
        life = self.i.fitouts[place[1]].life_months
        return max(0.0, 1 - (end - month) / life) * self.case.worth(end)

    @remembered
    def _kept(self, vintages: tuple[Vintage, ...], ends: tuple[tuple[int, float], ...]) -> float:
        """Hand halls of each vintage to ends, for the most worth."""
        worth = [[v.cost * self._left(v.place, v.month, end) for end, _ in ends] for v in vintages]
        counts, rooms = [v.halls for v in vintages], [room for _, room in ends]
        alone = len(ends) == 1 or len(vintages) == 1
        return (greedy if alone else transport)(worth, counts, rooms)

    # --- the loan --------------------------------------------------------------------------

    def _funding(self, s: Standing) -> float:
        """Most that the loan adds to the value of a chain's cash flows; minus infinity if short.

        Unknowns are draws and repayments, at the start of each period; interest falls in it.
        """
        loan, case, count = self.i.finance.loan, self.case, len(s.flows)
        assert loan is not None
        begin = np.array([case.worth(case.month(n)) for n in case.line[-1]])
        middle = np.array([case.worth(case.month(n) + case.step / 2) for n in case.line[-1]])
        rate, kept = loan.interest_per_year * case.step / 12, 1 - loan.fee_share
        so_far = np.tril(np.ones((count, count)))
        before = so_far - np.eye(count)
        owed = rate * middle @ so_far + case.worth(case.end)
        outstanding = np.hstack([so_far, -so_far])
        received = np.hstack([kept * so_far, -so_far])
        start, operating, _ = np.array(s.flows).T
        held = self.i.finance.opening_cash_musd - self.i.finance.minimum_cash_musd
        ended = held + np.cumsum(start + operating)
        found = linprog(
            np.concatenate([owed - kept * begin, begin - owed]),
            A_ub=np.vstack(
                [
                    rate * before @ outstanding - received,
                    rate * so_far @ outstanding - received,
                    outstanding,
                    -outstanding,
                ]
            ),
            b_ub=np.concatenate(
                [ended - operating, ended, np.full(count, loan.limit_musd), np.zeros(count)]
            ),
            bounds=[self._most_drawn(s, t) for t in range(count)] + [(0, None)] * count,
        )
        return float(-found.fun) if found.status == 0 else NONE

    def _most_drawn(self, s: Standing, period: int) -> tuple[float, float]:
        loan, month = self.i.finance.loan, self.case.start + period * self.case.step
        assert loan is not None
        if loan.draw_until and month > month_of(loan.draw_until):
            return 0.0, 0.0
        return 0.0, loan.loan_to_cost_share * s.flows[period][2]


def greedy(worth: list[list[float]], counts: list[int], rooms: list[float]) -> float:
    """Fill the most worthy pairs first: right where there is one vintage, or one end."""
    value, left, room = 0.0, [float(c) for c in counts], list(rooms)
    pairs = [(worth[v][e], v, e) for v in range(len(counts)) for e in range(len(rooms))]
    for each, v, e in sorted(pairs, reverse=True):
        kept = min(left[v], room[e])
        value += kept * each
        left[v] -= kept
        room[e] -= kept
    return value


def transport(worth: list[list[float]], counts: list[int], rooms: list[float]) -> float:
    """Fill several ends from several vintages for the most worth."""
    rows = np.kron(np.eye(len(counts)), np.ones(len(rooms)))
    columns = np.kron(np.ones(len(counts)), np.eye(len(rooms)))
    found = linprog(
        -np.array(worth).ravel(),
        A_ub=np.vstack([rows, columns]),
        b_ub=np.concatenate([counts, rooms]),
    )
    return float(-found.fun)


def packed(
    parts: list[tuple[float, tuple[Hashable, ...]]], room: Mapping[Hashable, float]
) -> float:
    """Most worth of parts, each of which takes up one unit of everything that it uses."""
    rows = list(room)
    used = np.array([[float(row in uses) for _, uses in parts] for row in rows])
    found = linprog([-worth for worth, _ in parts], A_ub=used, b_ub=[room[row] for row in rows])
    return float(-found.fun)

"""Whether what stands in a hall today, or will, can stand there."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

from models.instance import (
    Fitout,
    FleetRow,
    Hall,
    Horizon,
    Machine,
    Policy,
    Rack,
    RackOrder,
    Works,
    month_index,
    month_text,
)
from optimizer.checks.draft import Draft, Span
from optimizer.errors import Problem
from optimizer.keys import Key

#: Rounding of typed figures that is forgiven.
SLACK = 1e-9
#: No hall holds more racks; where figures say so, they limit nothing.
MOST_EACH = 1e9


@dataclass(frozen=True)
class Yard:
    """The halls, fit-outs and racks that read well."""

    halls: dict[str, Hall]
    fitouts: dict[str, Fitout]
    racks: dict[str, Rack]
    machines: dict[str, Machine]
    works: list[tuple[Key, Works]]
    kept: frozenset[str]

    @classmethod
    def of(cls, draft: Draft) -> Yard:
        """Collect them from a draft."""
        policy = draft.one(Policy, "policy")
        return cls(
            draft.table(Hall, "halls"),
            draft.table(Fitout, "fitouts"),
            draft.table(Rack, "racks"),
            draft.table(Machine, "machines"),
            draft.rows(Works, "commitments", "works"),
            frozenset(policy.keep_sites if policy else ()),
        )

    def kw(self, rack: Rack) -> float | None:
        """Nameplate kW of a rack; None where its machine is not known."""
        if rack.machine is None:
            return rack.kw
        machine = self.machines.get(rack.machine)
        if machine is None or rack.machines_per_rack is None:
            return None
        watt = machine.watt or (machine.j_per_th or 0.0) * machine.th_per_s
        return watt * rack.machines_per_rack / 1000.0

    def life(self, rack: Rack) -> int | None:
        """Months that a rack lives; None where its machine is not known."""
        machine = self.machines.get(rack.machine or "")
        return rack.life_months or (machine.life_months if machine else None)

    def cooling(self, rack: Rack) -> str | None:
        """Cooling that a rack needs; None where its machine is not known."""
        machine = self.machines.get(rack.machine or "")
        return rack.cooling or (machine.cooling if machine else None)

    def it_mw(self, hall: Hall, fitout: Fitout) -> float | None:
        """IT MW of one hall in a fit-out; None where its floor area is missing."""
        if fitout.it_share_of_present is not None:
            return hall.it_mw * fitout.it_share_of_present
        if fitout.m2_per_mw is None or hall.floor_m2 is None:
            return None
        return hall.floor_m2 / fitout.m2_per_mw

    def fitouts_of(self, name: str, hall: Hall) -> dict[str, Fitout]:
        """Give every fit-out that a hall has or may get."""
        names = {hall.fitout, *(works.fitout for _, works in self.works if works.hall == name)}
        if hall.convertible and hall.site not in self.kept:
            names |= set(self.fitouts if hall.fitouts is None else hall.fitouts)
        return {f: self.fitouts[f] for f in names if f in self.fitouts}

    def misfit(self, rack: Rack, hall: Hall, fitout: Fitout) -> tuple[str, str, str] | None:
        """Say why a rack cannot stand in a hall: message, found, allowed; None where it can."""
        kw, cooling, it_mw = self.kw(rack), self.cooling(rack), self.it_mw(hall, fitout)
        if rack.workload != fitout.workload:
            return "the hall is fitted out for other work", rack.workload, fitout.workload
        if cooling and cooling != fitout.cooling:
            return "the hall does not cool this rack", cooling, fitout.cooling
        if kw and fitout.kw_per_rack_max and kw > fitout.kw_per_rack_max + SLACK:
            most = f"at most {fitout.kw_per_rack_max:g} kW"
            return "the rack is too dense for the hall", f"{kw:g} kW", most
        if kw and it_mw and kw > it_mw * 1000 + SLACK:
            return "the rack draws more than the hall has", f"{kw:g} kW", f"{it_mw * 1000:g} kW"
        return None


def fits(draft: Draft) -> Iterator[Problem]:
    """Find racks, works and packages that do not fit their halls."""
    yard = Yard.of(draft)
    for check in (_halls, _works, _fleet, _room, _orders, _kept):
        yield from check(draft, yard)


def _halls(draft: Draft, yard: Yard) -> Iterator[Problem]:
    for key, hall in draft.rows(Hall, "halls"):
        fitout = yard.fitouts.get(hall.fitout or "")
        if hall.package is not None and hall.fitout is None:
            message = "a bare shell has no uptime package"
            yield draft.problem((*key, "package"), message, found=hall.package)
        if fitout is not None:
            yield from _state(draft, yard, key, hall, fitout, hall.package)


def _state(
    draft: Draft, yard: Yard, key: Key, hall: Hall, fitout: Fitout, package: str | None
) -> Iterator[Problem]:
    """Check a state that a hall has, or will have by works under way."""
    if package is not None and fitout.workload == "mining":
        message = "a hall fitted out for mining has no uptime package"
        yield draft.problem((*key, "package"), message, found=package, hint="take it out")
    if yard.it_mw(hall, fitout) is None:
        message = "the fit-out is sized by floor area, which the hall does not give"
        yield draft.problem((*key, "fitout"), message, hint="add floor_m2 to the hall")


def _works(draft: Draft, yard: Yard) -> Iterator[Problem]:
    under_way: dict[str, int] = {}
    for key, works in yard.works:
        hall, fitout = yard.halls.get(works.hall), yard.fitouts.get(works.fitout)
        if hall is not None and fitout is not None:
            yield from _state(draft, yard, key, hall, fitout, works.package)
        under_way[works.hall] = under_way.get(works.hall, 0) + works.halls
        if hall is not None and under_way[works.hall] > hall.count:
            message = "more halls are under works than the group counts"
            hint = "a group's count includes its halls under works"
            yield draft.problem(
                (*key, "halls"), message, found=under_way[works.hall],
                allowed=f"at most {hall.count}", hint=hint,
            )  # fmt: skip


def _fleet(draft: Draft, yard: Yard) -> Iterator[Problem]:
    for key, row in draft.rows(FleetRow, "fleet"):
        hall, rack = yard.halls.get(row.hall), yard.racks.get(row.rack)
        if hall is None or rack is None:
            continue
        if hall.fitout is None:
            message = "racks stand in a hall that is a bare shell"
            yield draft.problem((*key, "hall"), message, found=row.hall, hint="name its fit-out")
        elif hall.fitout in yard.fitouts:
            misfit = yard.misfit(rack, hall, yard.fitouts[hall.fitout])
            if misfit:
                message, found, allowed = misfit
                yield draft.problem((*key, "rack"), message, found=found, allowed=allowed)


def _room(draft: Draft, yard: Yard) -> Iterator[Problem]:
    """Compare the fleet of each hall group with the IT MW and positions of its halls."""
    standing: dict[str, list[tuple[Key, FleetRow]]] = {}
    for key, row in draft.rows(FleetRow, "fleet"):
        standing.setdefault(row.hall, []).append((key, row))
    for name in yard.halls:
        rows = standing.get(name, [])
        racks = [(row.racks, yard.racks[row.rack]) for _, row in rows if row.rack in yard.racks]
        if racks:
            at = (draft, (*rows[-1][0], "racks"), f"the racks in {name}")
            yield from _crowded(*at, yard, name, racks)


def _crowded(
    draft: Draft, key: Key, what: str, yard: Yard, name: str, racks: list[tuple[int, Rack]]
) -> Iterator[Problem]:
    """Find racks that the halls of a group, in their present state, cannot hold."""
    hall = yard.halls[name]
    fitout = yard.fitouts.get(hall.fitout or "")
    it_mw = yard.it_mw(hall, fitout) if fitout else None
    if fitout is None or it_mw is None:
        return
    under_way = sum(works.halls for _, works in yard.works if works.hall == name)
    at = (draft, key, what, max(0, hall.count - under_way))
    draws = [(count, (yard.kw(rack) or 0.0) / 1000.0) for count, rack in racks]
    yield from _overfull(*at, "MW", it_mw, draws)
    per_mw = fitout.positions_per_mw
    positions = hall.rack_positions if per_mw is None else per_mw * it_mw
    if positions is not None:
        takes = [(count, rack.positions) for count, rack in racks]
        yield from _overfull(*at, "positions", positions, takes)


def _overfull(
    draft: Draft,
    key: Key,
    what: str,
    halls: int,
    unit: str,
    room: float,
    racks: list[tuple[int, float]],
) -> Iterator[Problem]:
    """Find halls that hold less than stands in them, in all or because no rack can be split."""
    taken = sum(count * size for count, size in racks)
    if taken > halls * room * (1 + SLACK):
        message = f"{what} take more {unit} than its halls have"
        allowed = f"{halls * room:g} {unit} in {halls} halls without works under way"
        yield draft.problem(key, message, found=f"{taken:g} {unit}", allowed=allowed)
        return
    for smallest in sorted({size for _, size in racks if size}):
        larger = sum(count for count, size in racks if size >= smallest)
        each = math.floor(min(room / smallest, MOST_EACH) + SLACK)
        if larger > each * halls:
            message = f"{what} cannot be split into whole halls"
            found = f"{larger} racks of {smallest:g} {unit} or more"
            allowed = f"{each} in each of {halls} halls"
            yield draft.problem(key, message, found=found, allowed=allowed)
            return


def _orders(draft: Draft, yard: Yard) -> Iterator[Problem]:
    for key, order in draft.rows(RackOrder, "commitments", "racks"):
        hall, rack = yard.halls.get(order.hall), yard.racks.get(order.rack)
        if hall is None or rack is None:
            continue
        fitouts = yard.fitouts_of(order.hall, hall).values()
        if fitouts and all(yard.misfit(rack, hall, fitout) for fitout in fitouts):
            message = "no fit-out that the hall has or may get can hold this rack"
            yield draft.problem((*key, "rack"), message, found=order.rack)


def _kept(draft: Draft, yard: Yard) -> Iterator[Problem]:
    """Find racks on order that no hall has room for, at sites that stay as they are.

    Elsewhere older racks may be sold for them, or they themselves; here all stand until they
    wear out.
    """
    horizon = draft.one(Horizon, "horizon")
    if horizon is None:
        return
    span = Span.of(horizon)
    orders = [row for row in draft.rows(RackOrder, "commitments", "racks") if row[1].racks]
    for name, hall in yard.halls.items():
        rows = [(key, order) for key, order in orders if order.hall == name]
        if hall.site not in yard.kept or not rows:
            continue
        for month in range(span.start, span.end, span.step):
            landed = [row for row in rows if _lands(row[1], span) <= month]
            if found := list(_no_room(draft, yard, name, landed, month, span)):
                yield found[0]
                break


def _no_room(
    draft: Draft,
    yard: Yard,
    name: str,
    landed: list[tuple[Key, RackOrder]],
    month: int,
    span: Span,
) -> Iterator[Problem]:
    """Compare what stands in a hall group through a period with its halls."""
    fleet = [row for _, row in draft.rows(FleetRow, "fleet") if row.hall == name]
    came = [(row.racks, row.rack, span.start - row.age_months) for row in fleet]
    came += [(order.racks, order.rack, _lands(order, span)) for _, order in landed]
    racks = [(count, yard.racks[k], since) for count, k, since in came if k in yard.racks]
    alive = [
        (count, rack)
        for count, rack, since in racks
        if since + (yard.life(rack) or 0) >= month + span.step
    ]
    if landed and alive:
        what = f"with those on order, the racks kept in {name} in {month_text(month)}"
        yield from _crowded(draft, (*landed[-1][0], "racks"), what, yard, name, alive)


def _lands(order: RackOrder, span: Span) -> int:
    """Month of the period that starts in or first after a delivery."""
    return span.start + span.rounded(max(0, month_index(order.delivery) - span.start))

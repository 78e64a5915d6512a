"""What was not chosen, and the price on which that hangs.

Each thing has one price that only those plans pay, or earn, which choose it: the rent of a
contract, the capex of a project, of a fit-out or of a rack, a grant for the works of a hall.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Set
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Literal

from models.build import Column
from models.context import Context
from models.derive import halls
from models.given import Given
from models.units import USD_PER_MUSD
from optimizer import whynot
from optimizer.answers.worth.bench import Bench
from optimizer.sweep.point.evaluate import Posed

#: How many times the rent that is offered counts as any rent at all.
HIGHEST = 100.0

Kind = Literal["contract", "project", "hall", "fit-out", "rack"]


@dataclass(frozen=True, eq=False)
class Thing:
    """Something that a plan may choose.

    Attributes
    ----------
    kind, name : str
        What it is.
    columns : frozenset of Column
        Decisions that choose it; none where it cannot be chosen.
    key : str
        Key of its price.
    unit : str
        Unit of the price.
    price : float
        What it is.
    sign : float
        +1 where a higher price makes it more welcome, -1 where a lower one does.
    limit : float
        The most welcome price there can be: nothing, or works wholly paid; of a rent, a hundred
        times what is offered.
    at : callable
        The case at another price.
    why : str
        Why no plan can choose it; empty where some might.
    """

    kind: Kind
    name: str
    columns: frozenset[Column]
    key: str
    unit: str
    price: float
    sign: float
    limit: float
    at: Callable[[float], Posed]
    why: str = ""


def not_chosen(bench: Bench, posed: Posed, plan: Context) -> list[Thing]:
    """List what a plan does not choose: contracts, projects, halls, fit-outs, racks.

    Parameters
    ----------
    bench : Bench
        Makes the case at other prices.
    posed : Posed
        The case as it is.
    plan : Context
        Its plan.
    """
    everything = _Everything(bench, posed)
    return [
        thing
        for thing in everything.things()
        if not any(getattr(plan, name)[index] > 0.5 for name, index in thing.columns)
    ]


class _Everything:
    """Everything that some plan of a case might choose."""

    def __init__(self, bench: Bench, posed: Posed) -> None:
        self.bench, self.posed = bench, posed
        self.case = posed.case
        self.given, self.instance = posed.case.given, posed.case.instance
        self.columns = posed.model.built.columns

    def things(self) -> Iterator[Thing]:
        yield from self._contracts()
        yield from self._projects()
        yield from self._halls()
        yield from self._fitouts()
        yield from self._racks()

    def _deciding(self, decision: str, at: int, name: str) -> frozenset[Column]:
        """Decisions that have a name at a place of their index."""
        return frozenset(c for c in self.columns if c[0] == decision and c[1][at] == name)

    def _converting(self, ways: Set[tuple[str, str]]) -> frozenset[Column]:
        """Conversions from one place to another."""
        return frozenset(c for c in self.columns if c[0] == "conversions" and c[1][1:] in ways)

    def _contracts(self) -> Iterator[Thing]:
        for x, offer in self.instance.contracts.items():
            if x in self.given.signed_today_mw:
                continue
            columns = self._deciding("signing", 1, x)
            why = "" if columns else _told(whynot.no_signing(self.case, x))
            if offer.rate_usd_per_kw_month is None:
                key, unit = ("contracts", x, "rate_usd_per_gpu_hour"), "$/GPU-hour"
            else:
                key, unit = ("contracts", x, "rate_usd_per_kw_month"), "$/kW/month"
            yield self._typed("contract", columns, key, unit, why)

    def _projects(self) -> Iterator[Thing]:
        for j in self.instance.projects:
            columns = self._deciding("builds", 1, j)
            why = ""
            if not columns:
                why = _told(whynot.no_build(self.case, self.given.nodes[0], j))
            yield self._typed("project", columns, ("projects", j, "capex_musd"), "M$", why)

    def _fitouts(self) -> Iterator[Thing]:
        g = self.given
        for f in self.instance.fitouts:
            ways = {(p, q) for p, q in g.conversion_cost if g.fitout_of[q] == f != g.fitout_of[p]}
            columns = self._converting(ways)
            # Halls that stand in it have chosen it: where no other can come, nothing is left out.
            standing = {g.fitout_of[p] == f for p, halls in g.halls_today.items() if halls > 0}
            if standing == {True} or (True in standing and not columns):
                continue
            why = "" if columns else "no hall may be converted to it within the horizon"
            yield self._typed("fit-out", columns, ("fitouts", f, "capex_usd_per_kw"), "$/kW", why)

    def _typed(
        self, kind: Kind, columns: frozenset[Column], key: tuple[str, str, str], unit: str,
        why: str,
    ) -> Thing:  # fmt: skip
        """Something whose price is one key: a rent, which may rise, or a cost, which may fall."""
        table, name, field = key
        price = float(getattr(getattr(self.instance, table)[name], field))
        sign = 1.0 if kind == "contract" else -1.0
        limit = HIGHEST * max(price, 1.0) if sign > 0 else 0.0
        at = partial(self.bench.at_figure, key)
        return Thing(kind, name, columns, ".".join(key), unit, price, sign, limit, at, why)

    def _halls(self) -> Iterator[Thing]:
        """Hall groups that might leave mining: what a grant for each hall would have to be."""
        g = self.given
        for h, hall in self.instance.halls.items():
            if not any(g.workload_of[p] != "ai" for p in g.places[h]):
                continue
            ways = frozenset(
                (p, q)
                for p, q in g.conversion_cost
                if g.hall_of[p] == h and g.workload_of[q] == "ai" and g.workload_of[p] != "ai"
            )
            columns = self._converting(ways)
            most = max((g.conversion_cost[way] for way in ways), default=0.0)
            why = "" if columns else self._no_ai(h, hall.convertible)
            at = partial(self._granted, ways)
            yield Thing("hall", h, columns, f"halls.{h}", "M$/hall", 0.0, 1.0, most, at, why)

    def _no_ai(self, h: str, convertible: bool) -> str:
        if not convertible:
            return f"halls.{h}.convertible says no"
        if self.instance.halls[h].site in self.given.sites_kept:
            return "its site stays as it is"
        return "no works to an AI fit-out would be finished within the horizon"

    def _granted(self, ways: frozenset[tuple[str, str]], grant: float) -> Posed:
        cost = {
            way: max(0.0, musd - grant) if way in ways else musd
            for way, musd in self.given.conversion_cost.items()
        }
        return self._with(conversion_cost=cost)

    def _racks(self) -> Iterator[Thing]:
        for k, rack in self.instance.racks.items():
            columns = self._deciding("orders", 2, k)
            why = ""
            if not columns:
                why = self._no_order(k) if rack.buyable else f"racks.{k}.buyable says no"
            price = self.case.derivation.price_usd(k)
            at = partial(self._priced, k)
            yield Thing("rack", k, columns, f"racks.{k}", "$/rack", price, -1.0, 0.0, at, why)

    def _priced(self, k: str, usd: float) -> Posed:
        g, share = self.given, self.instance.racks[k].deposit_share
        return self._with(
            rack_deposit={**g.rack_deposit, k: usd * share / USD_PER_MUSD},
            rack_due={**g.rack_due, k: usd * (1.0 - share) / USD_PER_MUSD},
        )

    def _no_order(self, k: str) -> str:
        homes = [p for p, kinds in self.given.racks_at.items() if k in kinds]
        if not homes:
            return "no state of any hall holds it"
        return _told(whynot.no_order(self.case, self.given.nodes[0], homes[0], k))

    def _with(self, **tables: Any) -> Posed:
        given = replace(self.given, **tables)
        return self.bench.with_given(replace(self.case, given=_parked(given)))


def _parked(given: Given) -> Given:
    """Work out anew which halls may stand in works because that is cheap."""
    tables = {name: getattr(given, name) for name in given.__dataclass_fields__}
    return replace(given, halls_parkable=halls.parkable(tables))


def _told(reason: whynot.Reason) -> str:
    return "; ".join(filter(None, reason))


__all__ = ["Kind", "Thing", "not_chosen"]

"""What was not chosen, and the price on which that hangs.

Each thing has one price that only those plans pay, or earn, which choose it: the rent of a
contract, the capex of a project, of a fit-out or of a rack, a grant for the works of a hall.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

from models.build import Column
from models.context import Context
from models.derive import halls
from models.given import Given
from models.units import USD_PER_MUSD
from optimizer import whynot
from optimizer.answers.worth.bench import Bench
from optimizer.case import Case
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

    def _named(self, decision: str, wanted: Callable[[tuple[Any, ...]], bool]) -> frozenset[Column]:
        return frozenset(c for c in self.columns if c[0] == decision and wanted(c[1]))

    def _contracts(self) -> Iterator[Thing]:
        for x, offer in self.instance.contracts.items():
            if x in self.given.signed_today_mw:
                continue
            columns = self._named("signing", lambda index, x=x: index[1] == x)
            by_hour = offer.rate_usd_per_kw_month is None
            field = "rate_usd_per_gpu_hour" if by_hour else "rate_usd_per_kw_month"
            unit = "$/GPU-hour" if by_hour else "$/kW/month"
            yield self._typed("contract", x, columns, ("contracts", x, field), unit, +1.0,
                              lambda x=x: whynot.no_signing(self.case, x))  # fmt: skip

    def _projects(self) -> Iterator[Thing]:
        for j in self.instance.projects:
            columns = self._named("builds", lambda index, j=j: index[1] == j)
            yield self._typed("project", j, columns, ("projects", j, "capex_musd"), "M$", -1.0,
                              lambda j=j: whynot.no_build(self.case, self.given.nodes[0], j))  # fmt: skip

    def _fitouts(self) -> Iterator[Thing]:
        fitout = self.given.fitout_of
        for f in self.instance.fitouts:
            columns = self._named(
                "conversions", lambda index, f=f: fitout[index[2]] == f != fitout[index[1]]
            )
            key = ("fitouts", f, "capex_usd_per_kw")
            yield self._typed("fit-out", f, columns, key, "$/kW", -1.0,
                              lambda: ("no hall can take it within the horizon", ""))  # fmt: skip

    def _typed(
        self, kind: Kind, name: str, columns: frozenset[Column], key: tuple[str, ...], unit: str,
        sign: float, why: Callable[[], whynot.Reason],
    ) -> Thing:  # fmt: skip
        block: Any = self.instance
        for part in key:
            block = block[part] if isinstance(block, Mapping) else getattr(block, part)
        return Thing(
            kind, name, columns, ".".join(key), unit, float(block), sign, 0.0,
            lambda price: self.bench.at_figure(key, price), "" if columns else _told(why()),
        )  # fmt: skip

    def _halls(self) -> Iterator[Thing]:
        """Hall groups that might leave mining: what a grant for each hall would have to be."""
        g = self.given
        for h, hall in self.instance.halls.items():
            ways = frozenset(
                (p, q)
                for p, q in g.conversion_cost
                if g.hall_of[p] == h and g.workload_of[q] == "ai" and g.workload_of[p] != "ai"
            )
            if not any(g.workload_of[p] != "ai" for p in g.places[h]):
                continue
            columns = self._named("conversions", lambda index, ways=ways: index[1:] in ways)
            most = max((g.conversion_cost[way] for way in ways), default=0.0)
            why = "" if columns else self._no_ai(h, hall.convertible)
            yield Thing(
                "hall", h, columns, f"halls.{h}", "M$/hall", 0.0, +1.0, most,
                lambda grant, ways=ways: self._granted(ways, grant), why,
            )  # fmt: skip

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
        g, d = self.given, self.case.derivation
        for k, rack in self.instance.racks.items():
            columns = self._named("orders", lambda index, k=k: index[2] == k)
            why = ""
            if not columns:
                why = f"racks.{k}.buyable says no" if not rack.buyable else self._no_order(k)
            price = d.price_usd(k)
            yield Thing(
                "rack", k, columns, f"racks.{k}", "$/rack", price, -1.0, 0.0,
                lambda usd, k=k, share=rack.deposit_share: self._with(
                    rack_deposit={**g.rack_deposit, k: usd * share / USD_PER_MUSD},
                    rack_due={**g.rack_due, k: usd * (1.0 - share) / USD_PER_MUSD},
                ),
                why,
            )  # fmt: skip

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

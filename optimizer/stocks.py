"""What a list of actions takes away, against what stands by then: racks of a place, and halls.

A list can sell, move or convert more than there is. Where nothing that is still open could bring
the rest, no plan follows from it, and the reason is told as a person would: what, where, when,
how many stand, how many the list takes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from models import indices
from models.build import Column
from models.given import Given, Place, RackType, Site
from models.tree import Node
from optimizer.words import period_of, quantity

#: What taking something away is called.
_VERBS = {"sales": "sells", "leaving": "moves", "conversions": "converts"}
#: What is less than this is rounding.
_DUST = 1e-6


@dataclass(frozen=True)
class Excess:
    """More taken away than stands.

    Attributes
    ----------
    action, subject, place : str
        What the list does, to what, and where.
    month : str
        When: the first month of the period.
    stands, takes : float
        How many stand by then, with all that the list brings there, and how many it takes.
    unit : str
        What they are counted in.
    column : tuple
        The decision that takes them.
    """

    action: str
    subject: str
    place: Place
    month: str
    stands: float
    takes: float
    unit: str
    column: Column = field(repr=False)

    def __str__(self) -> str:
        much = quantity(self.takes, self.unit)
        what = f"{much} of {self.subject}" if self.subject else much
        stand = "stands" if self.stands == 1 else "stand"
        return (
            f"the plan {self.action} {what} from {self.place} in {self.month}, "
            f"where {self.stands:g} {stand}"
        )


@dataclass
class _Stock:
    """Racks of a type in a place, or halls in a state, as a list of actions moves them."""

    today: float
    lent: dict[Place, float] = field(default_factory=dict)
    comes: dict[Node, float] = field(default_factory=dict)
    may_come: set[Node] = field(default_factory=set)
    goes: dict[Node, dict[Column, float]] = field(default_factory=dict)

    def bring(self, nodes: Iterable[Node], count: float | None) -> None:
        """Note what comes at nodes; None where that is still open."""
        for n in nodes:
            if count is None:
                self.may_come.add(n)
            else:
                self.comes[n] = self.comes.get(n, 0.0) + count

    def take(self, n: Node, column: Column, count: float) -> None:
        """Note what goes at a node."""
        if count > 0:
            self.goes.setdefault(n, {})[column] = count


def excesses(g: Given, pins: Mapping[Column, float], *, completed: bool = True) -> list[Excess]:
    """Find where decisions taken take away more than stands.

    Parameters
    ----------
    g : Given
        Numbers of the case.
    pins : mapping
        Decisions taken.
    completed : bool
        What is still open may bring the rest; else the decisions stand alone.

    Returns
    -------
    list of Excess
        The first on every path, by place and rack type.
    """
    return [
        excess
        for (p, k), stock in {**_racks(g, pins), **_halls(g, pins)}.items()
        for excess in _short(g, p, k, stock, completed=completed)
    ]


def _short(g: Given, p: Place, k: RackType, stock: _Stock, *, completed: bool) -> Iterator[Excess]:
    broken: set[Node] = set()
    for n in sorted(stock.goes):
        path = g.tree.path(n)
        if broken & set(path) or (completed and stock.may_come & set(path)):
            continue
        came = sum(stock.comes.get(m, 0.0) for m in path)
        gone = sum(sum(stock.goes.get(m, {}).values()) for m in path[:-1])
        stands, takes = stock.today + came - gone, sum(stock.goes[n].values())
        if takes > stands + (sum(stock.lent.values()) if completed else 0.0) + _DUST:
            broken.add(n)
            verbs = " and ".join(dict.fromkeys(_VERBS[name] for name, _ in stock.goes[n]))
            column = next(iter(stock.goes[n]))
            yield Excess(verbs, k, p, period_of(g.tree, n), stands, takes,
                         "racks" if k else "halls", column)  # fmt: skip


def _landing(g: Given, n: Node, lag: int) -> list[Node]:
    return [m for m in g.tree.nodes if g.tree.ancestor(m, lag) == n]


def _racks(g: Given, pins: Mapping[Column, float]) -> dict[tuple[Place, RackType], _Stock]:
    """Racks of every place that decisions take any from."""
    taken = _taken(pins, "sales", 1, 2) | _taken(pins, "leaving", 1, 2)
    stocks = {(p, k): _Stock(g.racks_today.get((p, k), 0.0)) for p, k in taken}
    for (n, p, k), count in g.racks_arriving.items():
        if (p, k) in stocks:
            stocks[p, k].bring([n], count)
    for n, p, k in g.orders_allowed:
        if (p, k) in stocks:
            stocks[p, k].bring(_landing(g, n, g.rack_lag[k]), pins.get(("orders", (n, p, k))))
    others = _Others.of(g, pins)
    for n, p, a, b in indices.transferred(g):
        if (p, b) in stocks:
            _arrive(g, pins, others, stocks[p, b], (n, p, a, b))
    for column, count in pins.items():
        name, index = column
        if name in ("sales", "leaving"):
            n, p, k = index[:3]
            if (p, k) in stocks:
                stocks[p, k].take(n, column, count)
    return stocks


@dataclass(frozen=True)
class _Others:
    """What the other places of a site could lend by moves that are still open."""

    of_site: Mapping[Site, list[Place]]
    growing: frozenset[tuple[Place, RackType]]
    had: Mapping[tuple[Place, RackType], float]

    @classmethod
    def of(cls, g: Given, pins: Mapping[Column, float]) -> _Others:
        """Read them off a case and the decisions taken."""
        of_site: dict[Site, list[Place]] = {}
        for p in g.racks_at:
            of_site.setdefault(g.site_of[p], []).append(p)
        had = dict(g.racks_today)
        came = [((p, k), count) for (_, p, k), count in g.racks_arriving.items()]
        ordered = [(i[1:], count) for (name, i), count in pins.items() if name == "orders"]
        for at, count in (*came, *ordered):
            had[at] = had.get(at, 0.0) + count
        growing = {i[1:] for i in g.orders_allowed if ("orders", i) not in pins}
        growing |= {(p, b) for _, p, a, b in indices.transferred(g) if a != b}
        return cls(of_site, frozenset(growing), had)


def _arrive(
    g: Given,
    pins: Mapping[Column, float],
    others: _Others,
    stock: _Stock,
    index: tuple[Node, Place, RackType, RackType],
) -> None:
    """Note racks that come to a place by a move or a rebuild, or could.

    Nobody moves racks out of a place and back: what could come by a move that is still open is
    what the other places of the site could lend.
    """
    n, p, a, b = index
    if ("arriving", index) in pins:
        stock.bring([n], pins["arriving", index])
        return
    begun = g.tree.ancestor(n, g.transfer_lag[a, b])
    for q in others.of_site[g.site_of[p]]:
        if (q == p and a == b) or a not in g.racks_at[q]:
            continue
        leaves = pins.get(("leaving", (begun, q, a, b)))
        if leaves is not None:
            stock.bring([n], leaves)
        elif a != b or (q, a) in others.growing:
            stock.bring([n], None)
        else:
            stock.lent[q] = others.had.get((q, a), 0.0)


def _halls(g: Given, pins: Mapping[Column, float]) -> dict[tuple[Place, RackType], _Stock]:
    """Halls of every state that decisions convert any from, under no rack type."""
    taken = _taken(pins, "conversions", 1)
    stocks = {(p, ""): _Stock(g.halls_today.get(p, 0.0)) for (p,) in taken}
    for (n, p), count in g.halls_ready.items():
        if (p, "") in stocks:
            stocks[p, ""].bring([n], count)
    for n, p, q in g.conversions_allowed:
        decided = pins.get(("conversions", (n, p, q)))
        if (q, "") in stocks:
            stocks[q, ""].bring(_landing(g, n, g.conversion_lag[p, q]), decided)
        if (p, "") in stocks and decided:
            stocks[p, ""].take(n, ("conversions", (n, p, q)), decided)
    for (j, p), halls in g.project_halls.items():
        for n in (n for n, built in g.builds_allowed if built == j and (p, "") in stocks):
            units = pins.get(("builds", (n, j)))
            many = None if units is None else halls * units
            stocks[p, ""].bring(_landing(g, n, g.project_lag[j]), many)
    return stocks


def _taken(pins: Mapping[Column, float], name: str, *parts: int) -> set[tuple[str, ...]]:
    """Which parts of the indices of a decision are taken at all."""
    return {
        tuple(index[part] for part in parts)
        for (decided, index), count in pins.items()
        if decided == name and count > 0
    }

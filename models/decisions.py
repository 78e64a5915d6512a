"""What is decided: every variable on one screen."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Literal

from models.given import HORIZON, Given

Index = tuple[Any, ...]


@dataclass(frozen=True)
class Decision:
    """A family of variables.

    Parameters
    ----------
    name : str
        Field of :class:`models.context.Context`.
    symbol : str
        How the formulation page writes it.
    unit : str
        Unit of its numbers; empty for a switch or a share.
    domain : {"real", "positive", "integer", "binary"}
        What values it may take; integers are not negative.
    meaning : str
        One sentence.
    over : callable
        The indices that exist in a case, in a fixed order.
    """

    name: str
    symbol: str
    unit: str
    domain: Literal["real", "positive", "integer", "binary"]
    meaning: str
    over: Callable[[Given], Iterable[Index]]


def _standing(g: Given) -> Iterable[Index]:
    return ((n, p, k) for n in g.nodes for p, types in g.racks_at.items() for k in types)


def _transferring(g: Given) -> Iterable[Index]:
    return (
        (n, p, a, b)
        for n in g.nodes
        for p, types in g.racks_at.items()
        for a, b in g.transfers.get(g.site_of[p], ())
        if a in types and g.tree.lands(n, g.transfer_lag[a, b])
    )


def _transferred(g: Given) -> Iterable[Index]:
    return (
        (n, p, a, b)
        for n in g.nodes
        for p, types in g.racks_at.items()
        for a, b in g.transfers.get(g.site_of[p], ())
        if b in types and g.tree.ancestor(n, g.transfer_lag[a, b]) is not None
    )


def _running(g: Given) -> Iterable[Index]:
    return (
        (n, s, f, k, b)
        for n in g.nodes
        for s in g.sites
        for b in g.bands[n, s]
        for f, k in g.runs[n, s, b]
    )


def _hosted(g: Given) -> Iterable[Index]:
    return (
        (n, c, p, k) for n, c in g.due_share for p, k in g.hosting_at[c] if g.due_share[n, c] > 0
    )


def _clouded(g: Given) -> Iterable[Index]:
    return ((n, p, k) for n in g.nodes for p, k in g.cloud_at)


def _split_sites(g: Given) -> Iterable[Index]:
    costly = g.split_site or g.split_company
    return ((n, s) for n in g.nodes for s in g.sites) if costly else ()


def _ai_sites(g: Given) -> Iterable[Index]:
    counted = g.split_site or g.split_company or g.entry_cost
    return ((n, s) for n in g.nodes for s in g.sites) if counted else ()


def _by_node(g: Given) -> Iterable[Index]:
    return ((n,) for n in g.nodes)


def _by_site(g: Given) -> Iterable[Index]:
    return ((n, s) for n in g.nodes for s in g.sites)


def _kept(g: Given) -> Iterable[Index]:
    return g.hall_residual


DECISIONS: tuple[Decision, ...] = (
    Decision("halls", "H", "hall", "positive", "halls in service in a state", lambda g: (
        (n, p) for n in g.nodes for p in g.site_of)),
    Decision("conversions", "V", "hall", "integer", "halls whose conversion is ordered",
             lambda g: g.conversions_allowed),
    Decision("builds", "B", "unit", "integer", "units of a project ordered",
             lambda g: g.builds_allowed),
    Decision("racks", "R", "rack", "positive", "racks standing in a place", _standing),
    Decision("orders", "O", "rack", "integer", "racks ordered for a place",
             lambda g: g.orders_allowed),
    Decision("sales", "S", "rack", "integer", "racks sold or scrapped", _standing),
    Decision("leaving", "L", "rack", "integer", "racks that leave a place to be moved or rebuilt",
             _transferring),
    Decision("arriving", "A", "rack", "integer", "racks that arrive moved or rebuilt",
             _transferred),
    Decision("mining", "m", "MW", "positive", "IT MW mining in a band", _running),
    Decision("hosting", "a", "MW", "positive", "critical IT MW serving a contract", _hosted),
    Decision("cloud", "g", "MW", "positive", "critical IT MW sold by the GPU-hour", _clouded),
    Decision("reserved", "A", "MW", "positive", "utility MW that AI reserves at a site", _by_site),
    Decision("signing", "y", "", "binary", "contract signed at this node",
             lambda g: g.signing_allowed),
    Decision("signed_mw", "q", "MW", "positive", "critical IT MW signed at this node",
             lambda g: g.signing_allowed),
    Decision("shortfall", "u", "MW", "positive", "MW due and not yet delivered",
             lambda g: ((n, c) for n, c in g.due_share if (n, c) in g.may_slip)),
    Decision("hosts", "w", "", "binary", "the site has AI halls in service", _ai_sites),
    Decision("mines", "z", "", "binary", "the site has mining racks", _split_sites),
    Decision("both", "d", "", "positive", "the site runs both businesses", lambda g: (
        _by_site(g) if g.split_site else ())),
    Decision("entered", "e", "", "binary", "AI has been entered", lambda g: (
        _by_node(g) if g.entry_cost else ())),
    Decision("both_company", "D", "", "positive", "the company runs both businesses",
             lambda g: _by_node(g) if g.split_company else ()),
    Decision("capex", "K", "MUSD", "positive", "capex paid at a site", _by_site),
    Decision("margin", "M", "MUSD", "real", "operating margin of a site", _by_site),
    Decision("cash", "C", "MUSD", "real", "cash at the end of the period", _by_node),
    Decision("debt", "P", "MUSD", "positive", "loan outstanding", _by_node),
    Decision("draw", "F", "MUSD", "positive", "drawn from the loan", lambda g: (
        (n,) for n in g.nodes if n in g.draws_allowed)),
    Decision("repay", "Q", "MUSD", "positive", "repaid on the loan", lambda g: (
        _by_node(g) if g.draws_allowed else ())),
    Decision("kept", "r", "hall", "positive",
             f"converted halls that stand at the end, by what they serve ({HORIZON}: nothing)",
             _kept),
)

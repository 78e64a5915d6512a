"""What is decided: every variable on one screen."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Literal

from models import indices as i
from models.given import Given
from models.indices import Index


@dataclass(frozen=True)
class Decision:
    """A family of variables.

    Parameters
    ----------
    name : str
        Field of :class:`models.context.Context`.
    symbol : str
        How the formulation page writes it, without its indices.
    letters : str
        Its index letters (:data:`models.given.LETTERS`).
    unit : str
        Unit of its numbers; empty for a switch or a share.
    domain : {"real", "positive", "integer", "binary"}
        What values it may take; integers are not negative.
    meaning : str
        One line.
    over : callable
        The indices that exist in a case, in a fixed order.
    """

    name: str
    symbol: str
    letters: str
    unit: str
    domain: Literal["real", "positive", "integer", "binary"]
    meaning: str
    over: Callable[[Given], Iterable[Index]]


D = Decision
DECISIONS: tuple[Decision, ...] = (
    D("halls", "H", "np", "hall", "positive", "halls in service in a state", i.places),
    D("conversions", "V", "npp", "hall", "integer", "halls whose works are ordered", i.converting),
    D("builds", "B", "nj", "unit", "integer", "units of a project ordered", i.building),
    D("racks", "R", "npk", "rack", "positive", "racks standing in a place", i.standing),
    D("orders", "O", "npk", "rack", "integer", "racks ordered for a place", i.ordering),
    D("sales", "S", "npk", "rack", "integer", "racks sold or scrapped", i.standing),
    D("leaving", "L", "npkk", "rack", "integer", "racks leaving, to move", i.transferring),
    D("arriving", "A", "npkk", "rack", "integer", "racks arriving, moved", i.transferred),
    D("filled", "X", "npw", "hall", "integer", "halls with a filling of racks", i.filling),
    D("mining", "m", "nsfkb", "MW", "positive", "IT MW mining in a band", i.running),
    D("billed", "D", "nsr", "MW", "positive", "highest MW of a month", i.billed),
    D("unused", "u", "nsba", "MW", "positive", "agreement not drawn", i.agreements),
    D("used", "J", "ns", "", "positive", "thousandths of a year's limit used up", i.limited_sites),
    D(
        "earned",
        r"E^{\text{hours}}",
        "ns",
        "MUSD",
        "real",
        "margin that hours under a limit may have",
        i.bounded,
    ),
    D("committed", "Z", "nsa", "MW", "positive", "mining committed to run", i.committing),
    D("hosting", "a", "ncpk", "MW", "positive", "critical IT MW serving a contract", i.hosted),
    D("cloud", "g", "npk", "MW", "positive", "critical IT MW sold by the GPU-hour", i.clouded),
    D("reserved", "U", "ns", "MW", "positive", "utility MW that AI reserves", i.sites),
    D("plant_orders", "G", "nsdu", "unit", "integer", "plant units ordered", i.plant_ordering),
    D("held", "x", "nsdoq", "", "binary", "how a part of the plant carries a class", i.held),
    D("served", "x", "npq", "", "binary", "a class of contracts is served in a place", i.served),
    D("promised", "x", "nsq", "", "binary", "a class is served at a site", i.promised),
    D("began", "x", "n", "", "binary", "the company has begun with AI", i.learning),
    D("fees", "f", "ncsdo", "BUSD", "positive", "rent behind a way to build a part", i.fees),
    D("newcomer_fees", "f", "ncn", "BUSD", "positive", "rent, by when AI began", i.newcomer_fees),
    D("pool", "x", "nsdy", "", "binary", "units that AI and mining share", i.pooling),
    D("pool_load", "T", "nsdyfkb", "MW", "positive", "facility MW on units shared", i.pool_loads),
    D("curtailed", "e", "nsdyfkb", "kW", "positive", "mining short on average", i.pool_loads),
    D("signing", "y", "nc", "", "binary", "contract signed at this node", i.signing),
    D("signed_mw", "q", "nc", "MW", "positive", "critical IT MW signed here", i.signing),
    D("shortfall", "u", "nc", "MW", "positive", "MW due and not yet delivered", i.slipping),
    D("hosts", "w", "ns", "", "binary", "the site has AI halls in service", i.ai_sites),
    D("mines", "z", "ns", "", "binary", "the site has mining racks", i.split_sites),
    D("both", "d", "ns", "", "positive", "the site runs both businesses", i.both_sites),
    D("entered", "w", "n", "", "binary", "AI has been entered", i.entry_nodes),
    D("both_company", "d", "n", "", "positive", "the company runs both businesses", i.both_nodes),
    D("capex", "K", "ns", "MUSD", "positive", "capex paid at a site", i.sites),
    D("margin", "E", "ns", "MUSD", "real", "operating margin of a site", i.sites),
    D("cash", "C", "n", "MUSD", "real", "cash at the end of the period", i.nodes),
    D("debt", "D", "n", "MUSD", "positive", "loan outstanding", i.nodes),
    D("draw", "D^+", "n", "MUSD", "positive", "drawn from the loan", i.draw_nodes),
    D("repay", "D^-", "n", "MUSD", "positive", "repaid on the loan", i.repay_nodes),
    D("kept", "r", "lppve", "hall", "positive", "converted halls still worth something", i.kept),
    D("lasting", r"H^{\text{last}}", "lpe", "hall", "integer", "halls that serve on", i.lasting),
    D("released", r"B^{\text{rel}}", "ljve", "unit", "integer", "units released", i.released),
    D("runs_on", "z", "lsqe", "", "binary", "a class runs on beyond the horizon", i.running_on),
    D("held_on", "z", "lsdoqe", "", "positive", "how a part still carries it", i.held_on),
    D(
        "units_lasting",
        r"G^{\text{last}}",
        "lsdue",
        "unit",
        "integer",
        "units that stay",
        i.lasting_units,
    ),
    D(
        "units_released",
        r"G^{\text{rel}}",
        "lsduve",
        "unit",
        "integer",
        "units let go",
        i.released_units,
    ),
)

"""What runs in which hours, what it draws, and what the energy costs."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from models import commitments, uptime
from models.context import Context
from models.given import Band, Site
from models.terms import Terms
from models.tree import Node
from models.units import USD_PER_MUSD
from optimizer.case import Case
from optimizer.plan.ledger import mined_it_mw
from optimizer.words import month_of


@dataclass(frozen=True)
class EnergyRow:
    """One band of hours at one site.

    Attributes
    ----------
    node, month, site, band : int, str, str, int
        Period, its first month, where, and which hours.
    interruptible_cut : bool
        Whether interruptible load is cut in them.
    mining_stopped : bool
        Whether all mining is ordered to stand still in them.
    hours : float
        Hours in the band.
    market_usd_per_mwh, charge_usd_per_mwh : float
        Mean price of these hours before charges and adders, and charges on peaks and carbon.
    mining_usd_per_mwh, ai_usd_per_mwh : float
        What each use pays for a MWh.
    agreed_mw, undrawn_mw : float
        MW of agreements bought ahead, of programmes or of a floor under a peak, of which it
        matters whether they are drawn, and those that are not.
    committed_mw, called_mw : float
        Utility MW of mining committed through the period, and those that are called in these
        hours and stand still.
    mining_it_mw : float
        Critical IT MW mining on average, less what shortfalls of units shared with AI drop.
    mining_mw, ai_mw : float
        Mean utility MW drawn.
    mining_mwh, ai_mwh, tenant_mwh : float
        Energy drawn; the tenants' part of AI's energy that they pay themselves.
    ai_off_mwh : float
        What AI would draw besides, were it not off in hours that its contracts allow.
    generated_mwh : float
        Own generation that the site draws; the energy drawn from the grid is less by it.
    curtailed_mwh : float
        What mining would draw besides, were no unit down that it shares with AI.
    mining_power_musd, ai_power_musd : float
        Cost to the company.
    """

    node: int
    month: str
    site: str
    band: int
    interruptible_cut: bool
    mining_stopped: bool
    hours: float
    market_usd_per_mwh: float
    charge_usd_per_mwh: float
    mining_usd_per_mwh: float
    ai_usd_per_mwh: float
    agreed_mw: float
    undrawn_mw: float
    committed_mw: float
    called_mw: float
    mining_it_mw: float
    mining_mw: float
    ai_mw: float
    mining_mwh: float
    ai_mwh: float
    tenant_mwh: float
    ai_off_mwh: float
    generated_mwh: float
    curtailed_mwh: float
    mining_power_musd: float
    ai_power_musd: float


@dataclass(frozen=True)
class Draw:
    """Mean utility MW of AI while it is on: of all, and of who pays himself."""

    mw: float = 0.0
    tenant_mw: float = 0.0

    def __add__(self, other: Draw) -> Draw:
        return Draw(self.mw + other.mw, self.tenant_mw + other.tenant_mw)


def energy(case: Case, plan: Context) -> Iterator[EnergyRow]:
    """List bands of every node and site."""
    g = plan.given
    draws, mined = ai_draws(case, plan), mined_it_mw(plan)
    none: Mapping[str, Draw] = {}
    for n in g.nodes:
        for s in g.sites:
            dropped = uptime.dropped_it_mw(plan, n, s)
            for b in g.bands[n, s]:
                short = sum(g.pue[f] * float(mw) for (f, _, at), mw in dropped.items() if at == b)
                own = draws.get((n, s), none)
                on, full = drawn_in(own, g.off.get((n, s, b), ())), drawn_in(own, ())
                yield _row(plan, mined, (n, s, b), on, full.mw - on.mw, short)


def _row(
    plan: Context,
    mined: Mapping[Any, float],
    at: tuple[Node, Site, Band],
    ai: Draw,
    off_mw: float,
    short_mw: float,
) -> EnergyRow:
    g, (n, s, b) = plan.given, at
    hours, price, charge = g.hours[n, s, b], g.price[n, s, b], g.charge[n, s, b]
    for_mining = price + g.adder[s] + g.mining_adder[s]
    for_ai = price + g.adder[s] + g.ai_adder[s]
    running = {f: 0.0 for f, _ in g.runs[n, s, b]}
    for f, k in g.runs[n, s, b]:
        running[f] += mined[n, s, f, k, b]
    mining_mw = sum(g.pue[f] * mw for f, mw in running.items())
    return EnergyRow(
        n, month_of(g.tree, n), s, b, g.cut[n, s, b], g.stopped[n, s, b], hours,
        (price - charge) * USD_PER_MUSD, charge * USD_PER_MUSD,
        for_mining * USD_PER_MUSD, for_ai * USD_PER_MUSD,
        agreed_mw=sum(g.ppa_mw.get((n, s, b, a), 0.0) for a in g.ppas.get(s, ())),
        undrawn_mw=sum(plan.unused.get((n, s, b, a), 0.0) for a in g.ppas.get(s, ())),
        committed_mw=float(commitments.committed_mw(plan, n, s)),
        called_mw=float(commitments.called_mw(plan, n, s, b)),
        mining_it_mw=sum(running.values()), mining_mw=mining_mw, ai_mw=ai.mw,
        mining_mwh=hours * mining_mw, ai_mwh=hours * ai.mw, tenant_mwh=hours * ai.tenant_mw,
        ai_off_mwh=hours * off_mw, generated_mwh=hours * _generated_mw(plan, n, s, b),
        curtailed_mwh=hours * short_mw,
        mining_power_musd=hours * mining_mw * for_mining,
        ai_power_musd=hours * (ai.mw - ai.tenant_mw) * for_ai,
    )  # fmt: skip


def _generated_mw(plan: Context, n: Node, s: Site, b: Band) -> float:
    """MW of own generation that a site draws in a band."""
    g = plan.given
    return float(
        sum(
            mw - plan.unused[n, s, b, a]
            for a in g.ppas.get(s, ())
            if (s, a) in g.ppa_fuel and (mw := g.ppa_mw.get((n, s, b, a)))
        )
    )


#: Stands for what no contract draws.
NO_CONTRACT = ""


def drawn_in(draws: Mapping[str, Draw], off: Collection[str]) -> Draw:
    """Add up what is drawn in a band, without the contracts that are off in it."""
    return sum((draw for x, draw in draws.items() if x not in off), Draw())


def ai_draws(case: Case, plan: Context) -> Mapping[tuple[Node, Site], Mapping[str, Draw]]:
    """Mean draw of AI by node, site and contract: IT times ``pue`` times load factor."""
    g, terms = plan.given, Terms(case.derivation, plan.given)
    draws: dict[tuple[Node, Site], dict[str, Draw]] = {}

    def add(n: Node, s: Site, x: str, mw: float, tenant_mw: float) -> None:
        of_site = draws.setdefault((n, s), {})
        of_site[x] = of_site.get(x, Draw()) + Draw(mw, tenant_mw)

    for (n, x, p, _), mw in plan.hosting.items():
        offer = case.instance.contracts[x]
        in_service = sum(terms.weights(offer, n).values()) / g.tree.months
        drawn = mw * g.pue[g.fitout_of[p]] * offer.load_factor_share * in_service
        add(n, g.site_of[p], x, drawn, drawn if offer.power_passed_through else 0.0)
    for (n, p, k), mw in plan.cloud.items():
        load_factor = case.instance.gpu_cloud[k].load_factor_share
        add(n, g.site_of[p], NO_CONTRACT, mw * g.pue[g.fitout_of[p]] * load_factor, 0.0)
    return draws

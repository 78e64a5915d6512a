"""From decisions to their consequences, without a solver.

Every bookkeeping family has what it defines on its left and the rule on its right; walking the
nodes from the root and writing the right into the left follows a plan through: halls, racks,
reservations, capex, mining hour by hour, margins, debt, cash. What a solver said of these is
thrown away.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models import capital, energy, grid, halls, mining, racks, uptime, yearly
from models.allocation import CASH_FLOWS, SPENDING
from models.build import Column
from models.context import Context
from models.decisions import DECISIONS
from models.given import Fitout, Given, Part, Pool, RackType, Site
from models.relation import Number, total
from models.tree import Node
from optimizer.bands import Priced, Room, operate
from optimizer.yearly import Operated, operate_within

Floats = NDArray[np.float64]
#: A switch above it is on.
HALF = 0.5
#: Below this a number is dust of the solver's arithmetic.
DUST = 1e-9


def context_of(given: Given, values: Mapping[Column, float]) -> Context:
    """Read a case on floats: a context of the values of a plan."""
    fields: dict[str, dict[Any, float]] = {decision.name: {} for decision in DECISIONS}
    for (name, index), value in values.items():
        fields[name][index] = float(value)
    return Context(given=given, **fields)


def settle(given: Given, values: Mapping[Column, float]) -> Context:
    """Follow a plan's decisions through the tree and return all its numbers.

    Parameters
    ----------
    given : Given
        The case.
    values : mapping
        Every decision by name and index; integers whole.
    """
    c = context_of(given, {key: _clean(value) for key, value in values.items()})
    g = given
    for n in g.nodes:
        for p in g.site_of:
            c.halls[n, p] = _clean(halls.state_balance(c, n, p).right)  # type: ignore[index]
        for p, types in g.racks_at.items():
            for k in types:
                c.racks[n, p, k] = _clean(racks.rack_balance(c, n, p, k).right)  # type: ignore[index]
        for s in g.sites:
            _settle_site(c, n, s)
        c.debt[n,] = _clean(capital.debt_balance(c, n).right)  # type: ignore[index]
        c.cash[n,] = capital.cash_balance(c, n).right  # type: ignore[index]
    return c


def _settle_site(c: Context, n: Node, s: Site) -> None:
    c.reserved[n, s] = grid.reservation(c, n, s).right  # type: ignore[index]
    c.capex[n, s] = capital.capex_balance(c, n, s, spending=SPENDING).right  # type: ignore[index]
    settle_hours(c, n, s)
    c.margin[n, s] = capital.margin_balance(  # type: ignore[index]
        c, n, s, cash_flows=CASH_FLOWS
    ).right


def settle_hours(c: Context, n: Node, s: Site) -> None:
    """Dispatch what stands at a node and site, and write down what follows in its bands."""
    banded = band_prices(c.given, n, s)
    done = operated(c, n, s, banded)
    for b in c.given.bands[n, s]:
        for i, (f, k) in enumerate(c.given.mining_classes.get(s, ())):
            if (f, k) in c.given.runs[n, s, b]:
                c.mining[n, s, f, k, b] = float(done.running[b, i])  # type: ignore[index]
    _settle_agreements(c, n, s, done.unused)
    if s in c.given.limited:
        c.used[n, s] = float(yearly.use_balance(c, n, s).right)  # type: ignore[index]
    for d in c.given.pooled_parts.get(s, ()):
        _settle_shared(c, n, s, d)


def _settle_agreements(c: Context, n: Node, s: Site, unused: Floats) -> None:
    """Leave of what was bought ahead what nothing draws."""
    g = c.given
    for b in g.bands[n, s]:
        for j, a in enumerate(g.ppas.get(s, ())):
            if (n, s, b, a) in g.ppa_mw:
                c.unused[n, s, b, a] = float(unused[b, j])  # type: ignore[index]


def _settle_shared(c: Context, n: Node, s: Site, d: Part) -> None:
    """Follow the load on units that mining shares with AI, and what it is short of."""
    g, chosen = c.given, shared_pool(c, n, s, d)
    for b in g.bands[n, s]:
        for _, f, k in uptime.ranked(g, n, s, b):
            # The rule holds the load of this class and the better ones, whoever carries it.
            at = uptime.pool_balance(c, n, s, d, f, k, b).right
            for y in g.pools[s, d]:
                load = at if y == chosen else 0.0
                short = g.kw_per_mw * float(_short(g, s, d, y, np.array(load)))
                c.pool_load[n, s, d, y, f, k, b] = load  # type: ignore[index]
                c.curtailed[n, s, d, y, f, k, b] = short  # type: ignore[index]


def shared_pool(c: Context, n: Node, s: Site, d: Part) -> Pool | None:
    """Units that AI and mining share at a node."""
    return next((y for y in c.given.pools[s, d] if c.pool[n, s, d, y] > HALF), None)


def shared_mw(c: Context, n: Node, s: Site, d: Part) -> float:
    """Facility MW that these units carry."""
    chosen = shared_pool(c, n, s, d)
    return 0.0 if chosen is None else c.given.pool_mw[s, d, chosen]


def _short(g: Given, s: Site, d: Part, y: Pool, load_mw: Floats) -> Floats:
    up = [g.pool_up[s, d, y, m] for m in range(round(g.pool_count[s, d, y]) + 1)]
    short: Floats = uptime.mean_shortfall(up, g.pool_unit_mw[s, d, y], load_mw)
    return short


def band_prices(given: Given, n: Node, s: Site) -> Priced:
    """Bands of a node and site as rows of hours."""
    g, bands, names = given, given.bands[n, s], given.ppas.get(s, ())

    def agreed(table: Mapping[Any, float]) -> Floats:
        rows = [[table.get((n, s, b, a), 0.0) for a in names] for b in bands]
        return np.array(rows, dtype=np.float64).reshape(len(bands), len(names))

    return Priced(
        np.array([g.hours[n, s, b] for b in bands]),
        np.array([g.price[n, s, b] for b in bands]),
        np.array([g.cut[n, s, b] for b in bands]),
        np.array([g.charge[n, s, b] for b in bands]),
        np.array([g.bill_month.get((n, s, b), 0) for b in bands]),
        agreed(g.ppa_mw),
        agreed(g.ppa_loss),
        np.array([g.draw_use[n, s, b] for b in bands]) if s in g.limited else None,
        np.array([g.own_use.get((s, a), 0.0) for a in names]) if s in g.limited else None,
        np.array([g.stopped[n, s, b] for b in bands], dtype=bool),
        np.array(
            [[(n, s, b, a) in g.called for a in g.commitments.get(s, ())] for b in bands],
            dtype=bool,
        ).reshape(len(bands), len(g.commitments.get(s, ()))),
        _off(given, n, s),
    )


def _off(g: Given, n: Node, s: Site) -> NDArray[np.bool_] | None:
    """Whether each contract that allows hours in which it is off is so in a band."""
    names = g.sheddable.get(s)
    if names is None:
        return None
    return np.array([[x in g.off[n, s, b] for x in names] for b in g.bands[n, s]])


def mining_supply(c: Context, n: Node, s: Site) -> tuple[Number, Number]:
    """Utility MW left beside all of AI: in ordinary hours, and where interruptible is cut."""
    firm = firm_supply(c, n, s)
    return firm + grid.interruptible_capacity(c, n, s), firm


def firm_supply(c: Context, n: Node, s: Site) -> Number:
    """Firm MW left beside all of AI."""
    return grid.firm_capacity(c, n, s) - c.reserved[n, s]


def mining_most(c: Context, n: Node, s: Site) -> float:
    """Utility MW that mining may use at most: by a rule, and on units that it shares with AI."""
    most = c.given.mining_mw_max.get(s, np.inf)
    for d in c.given.pooled_parts.get(s, ()):
        most = min(most, max(0.0, shared_mw(c, n, s, d) - float(c.reserved[n, s])))
    return most


def room(c: Context, n: Node, s: Site) -> Room:
    """What mining may use at a node and site."""
    g, reserved = c.given, float(c.reserved[n, s])
    billed = {r: float(c.billed[n, s, r]) - reserved for r in g.bill_months.get((n, s), ())}
    counted = s not in g.paid_to_stop and (
        s in g.limited
        or any((n, s, b, a) in g.ppa_mw for b in g.bands[n, s] for a in g.ppas.get(s, ()))
    )
    ai = float(energy.ai_load(c, n, s)) if counted else 0.0
    names = g.sheddable.get(s, ())
    supply, cut_supply = map(float, mining_supply(c, n, s))
    return Room(
        fit_to_run(c, n, s), supply, cut_supply, billed, ai,
        np.array([float(c.committed[n, s, a]) for a in g.commitments.get(s, ())]),
        mining_most(c, n, s),
        np.array([float(grid.contract_load(c, n, s, x)) for x in names]),
        np.array([float(energy.contract_draw(c, n, s, x)) if counted else 0.0 for x in names]),
    )  # fmt: skip


def fit_to_run(c: Context, n: Node, s: Site) -> dict[tuple[str, str], float]:
    """IT MW of each machine class that is installed and fit to run."""
    g = c.given
    return {
        (f, k): g.mining_ready[k] * g.rack_mw[k] * float(standing(c, n, s, f, k))
        for f, k in g.mining_classes.get(s, ())
    }


def standing(c: Context, n: Node, s: Site, f: Fitout, k: RackType) -> Number:
    """Racks of a machine class at a site."""
    return total(c.racks[n, p, k] for p in c.given.places_of_class[s, f, k])


def operated(c: Context, n: Node, s: Site, priced: Priced) -> Operated:
    """Best dispatch of what stands, over rows of hours, within a year's limit if there is one."""
    use = room(c, n, s)
    if s not in c.given.limited:
        return Operated(*operate(c.given, n, s, priced, use))
    assert priced.use is not None
    allotted = float(c.used[n, s]) - _used_by_ai(c, n, s, priced)
    return operate_within(c.given, n, s, priced, use, allotted)


def _used_by_ai(c: Context, n: Node, s: Site, priced: Priced) -> float:
    """Thousandths of a year's limit that AI uses up, on in the hours that its contracts ask."""
    assert priced.use is not None
    names = c.given.sheddable.get(s, ())
    drawn = float(energy.ai_load(c, n, s)) - np.zeros(len(priced.hours))
    if priced.off is not None and names:
        drawn -= priced.off @ np.array([float(energy.contract_draw(c, n, s, x)) for x in names])
    return float((priced.hours * priced.use * drawn).sum())


def hourly_margin(c: Context, n: Node, s: Site, priced: Priced) -> float:
    """Mining margin of a node and site, dispatched over every hour, in M$.

    With what agreements bought ahead lose where they are not drawn.
    """
    g, use, done = c.given, room(c, n, s), operated(c, n, s, priced)
    earned = 0.0
    if use.installed_mw:
        cost = priced.price + g.adder[s] + g.mining_adder[s]
        worth = np.stack([g.mining_revenue[n, k] - g.pue[f] * cost for f, k in use.installed_mw],
                         axis=1)  # fmt: skip
        worth[priced.stops] = 0.0
        earned = float((priced.hours[:, None] * done.running * worth).sum())
        earned -= _hourly_loss(c, n, s, priced.hours, done.running, worth)
    if priced.bought is None or priced.loss is None or not priced.bought.any():
        return earned
    return earned - float((priced.hours[:, None] * priced.loss * done.unused).sum())


def _hourly_loss(
    c: Context, n: Node, s: Site, hours: Floats, running: Floats, worth: Floats
) -> float:
    """Margin lost to shortfalls of shared units, hour by hour: the least valuable drop first."""
    g = c.given
    peak = np.array([g.pue_peak[f] for f, _ in g.mining_classes[s]])
    value = np.maximum(worth / peak, 0.0)
    order = np.argsort(-value, axis=1, kind="stable")
    value = np.take_along_axis(value, order, axis=1)
    load = np.cumsum(np.take_along_axis(running * peak, order, axis=1), axis=1)
    step = value - np.hstack([value[:, 1:], np.zeros((len(value), 1))])
    lost = 0.0
    for d in g.pooled_parts.get(s, ()):
        chosen = shared_pool(c, n, s, d)
        if chosen is not None:
            short = _short(g, s, d, chosen, c.reserved[n, s] + load)
            lost += float((hours[:, None] * step * short).sum())
    return lost


def banded_margin(c: Context, n: Node, s: Site) -> float:
    """Mining margin of a node and site as the model's bands have it, in M$.

    With what agreements bought ahead lose where they are not drawn.
    """
    return float(margin_in_bands(c, n, s))


def margin_in_bands(c: Context, n: Node, s: Site) -> Number:
    """The same in any reading."""
    kept = energy.agreements_margin(c, n, s) - c.given.ppa_gain.get((n, s), 0.0)
    return mining.mining_margin(c, n, s) + uptime.curtailment_loss(c, n, s) + kept


def _clean(value: float) -> float:
    return 0.0 if abs(value) < DUST else float(value)

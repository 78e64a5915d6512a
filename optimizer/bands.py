"""Hours without tears: real hours merged into break-even bands, with no loss.

Without storage, hours are coupled only through capacity. So hours of a node in which every
machine class makes the same choice merge: cut the prices at each class's break-even, at each
price where two classes change rank for scarce grid MW, and at each change of grid state.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.blocks import HourCosts, block_of, in_steps, off_by_steps
from models.given import Band, Fitout, Given, Ppa, RackType, Site
from models.hours import Hours
from models.tree import Node
from models.units import USD_PER_MUSD
from optimizer.held import held

Floats = NDArray[np.float64]
#: Numbers for each hour that tell it from others.
States = list[NDArray[np.int64]]
#: A fit-out and a rack type: machines that earn alike.
MachineClass = tuple[Fitout, RackType]


@dataclass(frozen=True, eq=False)
class Priced:
    """Hours of one node at one site.

    Attributes
    ----------
    hours : array, shape (rows,)
        Weight of a row in hours.
    price : array, shape (rows,)
        M$/MWh before adders, with the charges on the hour.
    cut : bool array, shape (rows,)
        Whether interruptible load is cut.
    charge : array, shape (rows,), optional
        The charges in the price, in M$/MWh.
    month : int array, shape (rows,), optional
        Calendar month.
    bought : array, shape (rows, agreements), optional
        MW of each agreement of which it matters whether they are drawn.
    loss : array, shape (rows, agreements), optional
        M$/MWh lost on what is not drawn.
    use : array, shape (rows,), optional
        Thousandths of a year's limit that a MWh drawn uses up, where the site has one.
    own_use : array, shape (agreements,), optional
        The same for a MWh of each that is generated at the site.
    stopped : bool array, shape (rows,), optional
        Whether all mining is ordered to stand still.
    called : bool array, shape (rows, commitments), optional
        Whether each commitment is called.
    off : bool array, shape (rows, contracts), optional
        Whether the AI load of a contract is off.
    """

    hours: Floats
    price: Floats
    cut: NDArray[np.bool_]
    charge: Floats | None = None
    month: NDArray[np.int64] | None = None
    bought: Floats | None = None
    loss: Floats | None = None
    use: Floats | None = None
    own_use: Floats | None = None
    stopped: NDArray[np.bool_] | None = None
    called: NDArray[np.bool_] | None = None
    off: NDArray[np.bool_] | None = None

    @property
    def stops(self) -> NDArray[np.bool_]:
        """Whether all mining is ordered to stand still; nowhere if nothing says so."""
        return np.zeros(len(self.hours), bool) if self.stopped is None else self.stopped

    @property
    def calls(self) -> NDArray[np.bool_]:
        """Whether each commitment is called, of shape (rows, commitments)."""
        return np.zeros((len(self.hours), 0), bool) if self.called is None else self.called

    @property
    def market(self) -> Floats:
        """Price without the charges."""
        return self.price if self.charge is None else self.price - self.charge


def priced_hours(given: Given, n: Node, s: Site, hours: Hours) -> Priced:
    """Take the rows of a node's calendar months, grown to its date."""
    taken = rows_of(given, n, hours)
    costs = _costs(given, n, s, hours, taken)
    market, charge, month = costs.market, costs.charge, costs.month
    names = given.ppas.get(s, ())
    blocks = [block_of(given, n, s, a, costs) for a in names]
    none = np.zeros((len(market), 0))
    bought = np.column_stack([mw for mw, _ in blocks]) if blocks else none
    loss = np.column_stack([lost for _, lost in blocks]) if blocks else none
    limited = s in given.limited
    off = None if hours.off is None else hours.off[taken]
    assert off is not None or s not in given.sheddable
    return Priced(
        hours.weight_h[taken], market + charge, hours.cut[taken], charge, month, bought, loss,
        hours.uses[taken] if limited else None,
        np.array([given.own_use.get((s, a), 0.0) for a in names]) if limited else None,
        hours.stops[taken], hours.calls[taken], off,
    )  # fmt: skip


def rows_of(given: Given, n: Node, hours: Hours) -> NDArray[np.bool_]:
    """Rows of a node's calendar months."""
    tree = given.tree
    months = [m % 12 + 1 for m in range(tree.first_month(n), tree.end_month(n))]
    return np.isin(hours.month, months)


def _costs(given: Given, n: Node, s: Site, hours: Hours, taken: NDArray[np.bool_]) -> HourCosts:
    """What a MWh of these hours costs at the date of a node."""
    exchange = given.exchange[n, s]
    growth = given.price_growth[n, s] * exchange / USD_PER_MUSD
    return HourCosts(
        hours.price_usd_per_mwh[taken] * growth,
        hours.charges[taken] / USD_PER_MUSD,
        hours.peaks[taken] / USD_PER_MUSD,
        hours.offers[taken] * exchange / USD_PER_MUSD,
        hours.month[taken],
        hours.cut[taken],
        {name: in_steps(x[taken], hours.weight_h[taken]) for name, x in hours.shares.items()},
    )


def hidden_by_steps(given: Given, s: Site, hours: Hours) -> float:
    """Most that steps of profiles change of a site's value within the horizon, in M$."""
    hidden = 0.0
    for n in given.nodes:
        taken, weight = rows_of(given, n, hours), given.probability[n] * given.discount_mid[n]
        costs = _costs(given, n, s, hours, taken)
        for (site, a), profile in given.ppa_profile.items():
            if site == s:
                off = np.abs(hours.shares[profile][taken] - costs.shares[profile])
                hidden += weight * off_by_steps(given, n, s, a, costs, hours.weight_h[taken] * off)
    return hidden


def cut_prices(given: Given, n: Node, s: Site) -> NDArray[np.float64]:
    """Prices in M$/MWh, before adders, at which the best choice of a node's hours changes."""
    g = given
    added = g.adder[s] + g.mining_adder[s]
    classes = g.mining_classes.get(s, ())
    cuts = {g.mining_revenue[n, k] / g.pue[f] - added for f, k in classes}
    for i, first in enumerate(classes):
        for second in classes[i + 1 :]:
            swap = _swap_price(g, n, first, second)
            if swap is not None:
                cuts.add(swap - added)
    return np.array(sorted(cuts))


def _swap_price(g: Given, n: Node, first: MachineClass, second: MachineClass) -> float | None:
    """Energy price at which two classes earn alike per MW of grid, if both still earn there."""
    (f, k), (h, r) = first, second
    slope = g.pue[f] / g.pue_peak[f] - g.pue[h] / g.pue_peak[h]
    if abs(slope) < 1e-12:
        return None
    gap = g.mining_revenue[n, k] / g.pue_peak[f] - g.mining_revenue[n, r] / g.pue_peak[h]
    price = gap / slope
    earns = min(g.mining_revenue[n, k] / g.pue[f], g.mining_revenue[n, r] / g.pue[h])
    return price if price < earns else None


def merge(
    given: Given,
    hours: Mapping[Site, Hours],
    *,
    hourly: bool = False,
    finer: Mapping[tuple[Node, Site], States] | None = None,
) -> Given:
    """Put the bands of every node and site into a case.

    Parameters
    ----------
    given : Given
        A case without bands.
    hours : mapping
        Priced hours of each site.
    hourly : bool
        Keep every hour as a band of its own, to compare.
    finer : mapping, optional
        What else tells the hours of a node and site apart.
    """
    return replace(given, **merged_tables(given, hours, hourly=hourly, finer=finer))


def merged_tables(
    given: Given,
    hours: Mapping[Site, Hours],
    *,
    hourly: bool = False,
    finer: Mapping[tuple[Node, Site], States] | None = None,
) -> dict[str, Any]:
    """Tables of a case that its hours fill, by name; arguments as of :func:`merge`."""
    finer = finer or {}
    tables: dict[str, Any] = {name: {} for name in BANDED}
    for n in given.nodes:
        for s in given.sites:
            priced = priced_hours(given, n, s, hours[s])
            cuts = cut_prices(given, n, s)
            merged = (
                priced
                if hourly
                else merged_by(priced, [*choices(given, s, priced, cuts), *finer.get((n, s), [])])
            )
            tables["bands"][n, s] = tuple(range(len(merged.hours)))
            for b in tables["bands"][n, s]:
                write_band(tables, given, n, s, b, merged, b)
            if given.ppas.get(s):
                tables["ppa_gain"][n, s] = _gain(given, n, s, priced)
            for a in given.commitments.get(s, ()):
                tables["commitment_pay"][n, s, a] = _pay(given, n, s, a, hours[s])
    tables["interruptible_at"] = {s: _interruptible(given, s, hours[s]) for s in given.sheddable}
    return tables


#: Tables that the hours fill.
BANDED = ("bands", "hours", "price", "charge", "cut", "runs", "bill_month", "ppa_mw", "ppa_loss",
          "ppa_gain", "draw_use", "stopped", "called", "commitment_pay", "off")  # fmt: skip


def _interruptible(g: Given, s: Site, hours: Hours) -> tuple[str, ...]:
    """Contracts that are off in every hour of the price file in which interruptible load is cut.

    They are where no year of the file holds more such hours than they allow, whatever the months
    of a node.
    """
    assert hours.off is not None
    cut = hours.cut & (hours.weight_h > 0)
    return tuple(x for x, off in zip(g.sheddable[s], hours.off[cut].T, strict=True) if off.all())


def write_band(
    tables: dict[str, Any], g: Given, n: Node, s: Site, b: Band, merged: Priced, row: int
) -> None:
    """Write a row of merged hours into the tables, as a band."""
    key = n, s, b
    assert merged.charge is not None
    assert merged.month is not None
    tables["hours"][key] = float(merged.hours[row])
    tables["price"][key] = float(merged.price[row])
    tables["charge"][key] = float(merged.charge[row])
    tables["cut"][key] = bool(merged.cut[row])
    stopped = tables["stopped"][key] = bool(merged.stops[row])
    commitments = g.commitments.get(s, ())
    called = [a for j, a in enumerate(commitments) if merged.calls[row, j]]
    tables["called"].update(((*key, a), True) for a in called)
    if merged.off is not None:
        names = zip(g.sheddable[s], merged.off[row], strict=True)
        tables["off"][key] = tuple(x for x, off in names if off)
    if s in g.demand_charge:
        tables["bill_month"][key] = int(merged.month[row])
    if merged.use is not None:
        tables["draw_use"][key] = float(merged.use[row])
    least = float(merged.price[row])
    for j, a in enumerate(g.ppas.get(s, ())):
        assert merged.bought is not None
        assert merged.loss is not None
        if merged.bought[row, j]:
            tables["ppa_mw"][n, s, b, a] = float(merged.bought[row, j])
            tables["ppa_loss"][n, s, b, a] = float(merged.loss[row, j])
            least = min(least, float(merged.price[row] - merged.loss[row, j]))
    forced = len(called) < len(commitments) and not merged.cut[row]
    least = np.inf if stopped else -np.inf if forced else least
    tables["runs"][key] = _running(g, n, s, least)


def _pay(g: Given, n: Node, s: Site, a: Ppa, hours: Hours) -> float:
    """Paid for a MW that is committed through a node, in M$: not while it is cut or stopped."""
    taken, said = rows_of(g, n, hours) & ~hours.cut & ~hours.stops, g.ppa_offer.get((s, a))
    offers = hours.offers[taken] * g.exchange[n, s] / USD_PER_MUSD if said is None else said
    return float((hours.weight_h[taken] * offers).sum())


def _gain(g: Given, n: Node, s: Site, priced: Priced) -> float:
    """Worth of all agreements at the hours' prices less their own, in M$.

    Of offers all that can be paid, of generation all that it can save.
    """
    assert priced.month is not None
    assert priced.bought is not None
    assert priced.loss is not None
    gain = 0.0
    for j, a in enumerate(g.ppas[s]):
        if s in g.paid_to_stop or (s, a) in g.ppa_fuel:
            gain += float((priced.hours * priced.bought[:, j] * priced.loss[:, j]).sum())
            continue
        # The floor of a peak has no price of its own.
        for month in np.unique(priced.month):
            price = g.ppa_price.get((n, s, a, int(month)))
            if price is not None:
                rows = priced.month == month
                above = priced.market[rows] - price
                gain += g.ppa_size[s, a] * float((priced.hours[rows] * above).sum())
    return gain


def choices(g: Given, s: Site, priced: Priced, cuts: Floats) -> States:
    """What tells apart hours in which the best choice may differ, a number for each hour."""
    states = [*settings(g, s, priced), np.searchsorted(cuts, priced.price)]
    assert priced.bought is not None
    assert priced.loss is not None
    for j in range(priced.bought.shape[1]):
        undrawn = priced.price - priced.loss[:, j]
        states.append(np.where(priced.bought[:, j] > 0, np.searchsorted(cuts, undrawn), -1))
    return states


def settings(g: Given, s: Site, priced: Priced) -> States:
    """What tells hours apart whatever energy costs: what is cut, billed together or bought."""
    assert priced.month is not None
    assert priced.bought is not None
    assert priced.loss is not None
    states: States = [priced.cut.astype(np.int64), priced.stops.astype(np.int64)]
    states += list(priced.calls.astype(np.int64).T)
    if s in g.demand_charge:
        states.append(priced.month)
    if priced.off is not None:
        # On or off for the whole of a band, so that what AI draws in it is exact.
        states += list(priced.off.astype(np.int64).T)
    for j in range(priced.bought.shape[1]):
        # What is lost has a sign, and is nothing where selling pays in full.
        sign = np.sign(priced.loss[:, j]).astype(np.int64)
        states.append(np.where(priced.bought[:, j] > 0, sign, -2))
        states.append(np.unique(priced.bought[:, j], return_inverse=True)[1])
    if priced.bought.shape[1] > 1:
        # Those that lose least are left first.
        states += list(np.argsort(priced.loss, axis=1, kind="stable").T)
    return states


def merged_by(priced: Priced, states: States) -> Priced:
    """Average hours that no state tells apart."""
    assert priced.charge is not None
    assert priced.month is not None
    assert priced.bought is not None
    assert priced.loss is not None
    kept = priced.hours > 0
    _, first, band = np.unique(
        np.column_stack(states)[kept], axis=0, return_index=True, return_inverse=True
    )
    count, weight = len(first), priced.hours[kept]
    hours = np.bincount(band, weights=weight, minlength=count)

    def mean(values: Floats) -> Floats:
        return np.asarray(np.bincount(band, weights=weight * values[kept]) / hours)

    agreements = range(priced.bought.shape[1])
    return Priced(
        np.asarray(hours), mean(priced.price), priced.cut[kept][first], mean(priced.charge),
        priced.month[kept][first], priced.bought[kept][first],
        np.column_stack([mean(priced.loss[:, j]) for j in agreements]) if agreements
        else np.zeros((count, 0)),
        None if priced.use is None else mean(priced.use), priced.own_use,
        priced.stops[kept][first], priced.calls[kept][first],
        None if priced.off is None else priced.off[kept][first],
    )  # fmt: skip


def _running(g: Given, n: Node, s: Site, price: float) -> tuple[MachineClass, ...]:
    """Classes that earn money at a price, or where they draw what would be lost otherwise.

    All of them at minus infinity, none at infinity.
    """
    energy = price + g.adder[s] + g.mining_adder[s]
    return tuple(
        (f, k)
        for f, k in g.mining_classes.get(s, ())
        if g.mining_revenue[n, k] > g.pue[f] * energy
    )


@dataclass(frozen=True, eq=False)
class Room:
    """What mining may use at a node and site, beside AI.

    Attributes
    ----------
    installed_mw : mapping
        IT MW fit to run, per class.
    supply_mw, cut_supply_mw : float
        Utility MW left in ordinary hours and in hours whose interruptible load is cut, while all
        of AI is on; below zero where some of it then has to be off.
    billed_mw : mapping
        Utility MW left by month, where the highest is billed.
    ai_mw : float
        Mean utility MW that AI draws while all of it is on.
    committed_mw : array, shape (commitments,)
        Utility MW committed to run.
    most_mw : float
        Utility MW that mining may use at most.
    shed_mw, shed_draw_mw : array, shape (contracts,), optional
        Of contracts that allow hours in which they are off: utility MW reserved, and drawn.
    """

    installed_mw: Mapping[MachineClass, float]
    supply_mw: float
    cut_supply_mw: float
    billed_mw: Mapping[int, float] = field(default_factory=dict)
    ai_mw: float = 0.0
    committed_mw: Floats = field(default_factory=lambda: np.zeros(0))
    most_mw: float = np.inf
    shed_mw: Floats | None = None
    shed_draw_mw: Floats | None = None

    def left(self, priced: Priced) -> Floats:
        """Utility MW left in each row."""
        left = np.where(priced.cut, self.cut_supply_mw, self.supply_mw)
        if self.billed_mw:
            assert priced.month is not None
            billed = np.array([self.billed_mw[int(m)] for m in priced.month])
            left = np.minimum(left, billed)
        left = np.clip(left + _shed(priced, self.shed_mw), 0.0, self.most_mw)
        left = np.maximum(0.0, left - self.called_mw(priced))
        return np.asarray(np.where(priced.stops, 0.0, left), dtype=np.float64)

    def called_mw(self, priced: Priced) -> Floats:
        """Utility MW that are called in each row, and keep their room."""
        return self._of_committed(priced.calls)

    def forced_mw(self, priced: Priced) -> Floats:
        """Utility MW that have to run in each row."""
        free = priced.cut | priced.stops
        return np.where(free, 0.0, self._of_committed(~priced.calls))

    def _of_committed(self, which: NDArray[np.bool_]) -> Floats:
        if not len(self.committed_mw):
            return np.zeros(len(which))
        return np.asarray(which @ self.committed_mw, dtype=np.float64)

    def ai_drawn(self, priced: Priced) -> Floats:
        """Mean utility MW that AI draws in each row."""
        return np.asarray(self.ai_mw - _shed(priced, self.shed_draw_mw), dtype=np.float64)


def _shed(priced: Priced, mw: Floats | None) -> Floats:
    """MW of the contracts that are off in each row."""
    if mw is None or priced.off is None:
        return np.zeros(len(priced.hours))
    return np.asarray(priced.off @ mw)


def dispatch(given: Given, n: Node, s: Site, priced: Priced, room: Room) -> Floats:
    """Run mining hour by hour, for the most that it can earn.

    Returns
    -------
    ndarray, shape (rows, classes)
        IT MW running in each row of ``priced``, classes in the order of ``installed_mw``.
    """
    energy = priced.price + given.adder[s] + given.mining_adder[s]
    left = room.left(priced)
    if priced.bought is not None and priced.bought.any():
        return _on_agreements(given, n, s, priced, room, left)
    running = _greedy(given, n, room.installed_mw, energy, left)
    if not room.committed_mw.any():
        return running
    costs = cut_prices(given, n, s) + given.adder[s] + given.mining_adder[s]
    by_stretch, _ = _by_stretch(given, n, room, costs, left)
    use = np.array([given.pue[f] for f, _ in room.installed_mw])
    installed = sum(given.pue[f] * mw for (f, _), mw in room.installed_mw.items())
    called = room.called_mw(priced)
    most = np.where(called > 0, np.maximum(0.0, installed - called), np.inf)
    return held(running, use, by_stretch, room.forced_mw(priced), most)


def operate(given: Given, n: Node, s: Site, priced: Priced, room: Room) -> tuple[Floats, Floats]:
    """Run mining hour by hour, and leave what nothing draws.

    Returns
    -------
    tuple of ndarray, shapes (rows, classes) and (rows, agreements)
        IT MW running, and MW of each agreement that are not drawn.
    """
    running = np.zeros((len(priced.hours), len(room.installed_mw)))
    if room.installed_mw:
        running = dispatch(given, n, s, priced, room)
    use = np.array([given.pue[f] for f, _ in room.installed_mw])
    return running, left_undrawn(priced, room.ai_drawn(priced) + running @ use)


def _greedy(
    g: Given, n: Node, installed_mw: Mapping[MachineClass, float], energy: Floats, left: Floats
) -> Floats:
    """Run the class that earns most per MW of grid first, at a cost of energy in each row."""
    classes = list(installed_mw)
    worth = np.array(
        [(g.mining_revenue[n, k] - g.pue[f] * energy) / g.pue_peak[f] for f, k in classes]
    ).reshape(len(classes), len(energy))
    running = np.zeros((len(energy), len(classes)))
    rows = np.arange(len(energy))
    order = np.argsort(-worth, axis=0, kind="stable")
    peak = np.array([g.pue_peak[f] for f, _ in classes])
    installed = np.array([installed_mw[key] for key in classes])
    for rank in range(len(classes)):
        pick = order[rank]
        mw = np.where(worth[pick, rows] > 0, np.minimum(installed[pick], left / peak[pick]), 0.0)
        running[rows, pick] = mw
        left = left - mw * peak[pick]
    return running


def _on_agreements(g: Given, n: Node, s: Site, priced: Priced, room: Room, left: Floats) -> Floats:
    """Run mining where a MW costs what it would fetch as long as agreements deliver it.

    Between two critical costs of energy the best choice is the same; the dearer energy is, the
    less is drawn, and the more is supplied at no more than that cost. Where the two cross, the
    choice is the one of that stretch, or lies between those of two, drawing just what is there.
    """
    assert priced.bought is not None
    assert priced.loss is not None
    added = g.adder[s] + g.mining_adder[s]
    costs = cut_prices(g, n, s) + added
    chosen, drawn = _by_stretch(g, n, room, costs, left)
    spot = priced.price + added
    undrawn = spot[:, None] - priced.loss
    # What is lost at below zero is not drawn at all: the market pays for taking its own.
    offered = np.where(priced.loss > 0, priced.bought, 0.0)
    ai = room.ai_drawn(priced)

    def supplied(below: float, *, at: bool) -> Floats:
        """MW for mining that cost less than so much, or no more."""
        within = (undrawn <= below) if at else (undrawn < below)
        open_ended = (spot <= below) if at else (spot < below)
        bought = np.where(within, offered, 0.0).sum(axis=1) - ai
        return np.where(open_ended, np.inf, bought)

    rows = np.arange(len(spot))
    running = np.zeros((len(spot), len(room.installed_mw)))
    open_rows = np.ones(len(spot), bool)
    for j in range(len(costs) + 1):
        upper = supplied(costs[j], at=False) if j < len(costs) else np.full(len(spot), np.inf)
        here = open_rows & (drawn[j] <= upper)
        running[here] = chosen[j][here]
        if j:
            least = np.minimum(supplied(costs[j - 1], at=True), drawn[j - 1])
            between = here & (drawn[j] < least)
            step = drawn[j - 1] - drawn[j]
            share = np.where(step > 0, (least - drawn[j]) / np.where(step > 0, step, 1.0), 0.0)
            mixed = chosen[j] + share[:, None] * (chosen[j - 1] - chosen[j])
            running[between] = mixed[between]
        open_rows &= ~here
    assert not open_rows[rows].any()
    return running


def _by_stretch(
    g: Given, n: Node, room: Room, costs: Floats, left: Floats
) -> tuple[list[Floats], list[Floats]]:
    """What runs, and what it draws, between critical costs of energy, in each row."""
    if len(costs):
        inner = (costs[1:] + costs[:-1]) / 2
        middles = np.concatenate([[costs[0] - 1.0], inner, [costs[-1] + 1.0]])
    else:
        middles = np.zeros(1)
    use = np.array([g.pue[f] for f, _ in room.installed_mw])
    known, place = np.unique(left, return_inverse=True)
    chosen: list[Floats] = []
    for middle in middles:
        of_known = _greedy(g, n, room.installed_mw, np.full(len(known), middle), known)
        chosen.append(of_known[place])
    return chosen, [running @ use for running in chosen]


def left_undrawn(priced: Priced, load_mw: Floats) -> Floats:
    """MW of each agreement that a load leaves, in each row; those lose least that go first.

    Parameters
    ----------
    priced : Priced
        Hours with their agreements.
    load_mw : array, shape (rows,)
        Utility MW drawn by mining and AI.

    Returns
    -------
    ndarray, shape (rows, agreements)
        MW not drawn.
    """
    assert priced.bought is not None
    assert priced.loss is not None
    rest = np.maximum(0.0, priced.bought.sum(axis=1) - load_mw)
    order = np.argsort(priced.loss, axis=1, kind="stable")
    unused = np.zeros_like(priced.bought)
    rows = np.arange(len(rest))
    for rank in range(priced.bought.shape[1]):
        pick = order[:, rank]
        size, loss = priced.bought[rows, pick], priced.loss[rows, pick]
        mw = np.where(loss < 0, size, np.minimum(size, rest))
        unused[rows, pick] = mw
        rest = np.maximum(0.0, rest - mw)
    return unused

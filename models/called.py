"""Hours in which mining is ordered to stand still: in emergencies, after a cut, on a call.

Nobody knows these hours beforehand. Orders come when the grid is short, so they are expected in
the dearest hours of the price file, in each of its years alike. A year of a file runs until its
first calendar month comes round again; a year that is not whole has its part of them. Where rows
are steps of a duration curve or of a flat price, the dearest steps are taken, and those that cost
alike by the same share of each: of a flat price so many hours of every calendar month in
proportion.

An order changes nothing but the marks of hours, so hours stay independent of each other and bands
stay exact. Mining stops within minutes, so that notice of an order costs nothing and is not asked
for. AI is not cut: it stands on firm MW, and what keeps it up is a matter of its uptime.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from models.hours import Hours, file_years
from models.instance import Emergency, Power

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]


def ordered(hours: Hours, power: Power) -> Hours:
    """Mark the hours of a supply in which mining, or what it committed, stands still."""
    if power.restart_hours:
        hours = replace(hours, cut=with_restart(hours.cut, power.restart_hours))
    if power.emergency is not None:
        hours = _in_emergencies(hours, power.emergency)
    wanted = [p.called_hours_per_year for p in power.programmes if p.commitment]
    return _on_call(hours, wanted) if wanted else hours


def with_restart(marked: Flags, restart_hours: int) -> Flags:
    """Mark the hours after each run as well, in which machines start again.

    Examples
    --------
    >>> with_restart(np.array([0, 1, 0, 0, 0, 1, 1, 0], bool), 2).astype(int).tolist()
    [0, 1, 1, 1, 0, 1, 1, 1]
    """
    longer = marked.copy()
    for step in range(1, restart_hours + 1):
        longer[step:] |= marked[:-step]
    return longer


def _in_emergencies(hours: Hours, duty: Emergency) -> Hours:
    """Stop mining in the hours of emergencies and while it starts again."""
    every_hour = np.ones(len(hours), bool)
    if duty.events_per_year is not None:
        stopped = _events(hours, duty.hours_per_year, duty.events_per_year)
    else:
        hours, stopped = _split(hours, dearest(hours, duty.hours_per_year, every_hour))
    return replace(hours, stopped=with_restart(stopped, duty.restart_hours))


def _on_call(hours: Hours, wanted: Sequence[float]) -> Hours:
    """Call each commitment in the dearest hours beside those in which mining stands still."""
    hours = replace(hours, called=np.zeros((len(hours), len(wanted)), bool))
    # The most hours come first: who is called in fewer is called in some of them.
    for j in sorted(range(len(wanted)), key=lambda j: -wanted[j]):
        hours, chosen = _split(hours, dearest(hours, wanted[j], ~(hours.cut | hours.stops)))
        called = hours.calls.copy()
        called[:, j] = chosen
        hours = replace(hours, called=called)
    return hours


def dearest(hours: Hours, wanted_h: float, among: Flags) -> Floats:
    """Share of each row that belongs to the dearest so many hours of a year.

    Real hours are taken whole, to the nearest; steps of a curve in part.

    Examples
    --------
    >>> from models.hours import flat
    >>> share = dearest(flat(40.0), 87.6, np.ones(12, bool))
    >>> [round(float(x), 6) for x in share[:2]]
    [0.01, 0.01]
    """
    share = np.zeros(len(hours))
    if not hours.follow_each_other:
        return _dearest_steps(hours, wanted_h, among)
    year_h = hours.weight_h.sum()
    for rows, _ in file_years(hours):
        own = rows[among[rows]]
        order = own[np.argsort(-hours.price_usd_per_mwh[own], kind="stable")]
        weight = hours.weight_h[order]
        needed = wanted_h * hours.weight_h[rows].sum() / year_h
        share[order[np.cumsum(weight) - weight / 2 <= needed]] = 1.0
    return share


def _dearest_steps(hours: Hours, wanted_h: float, among: Flags) -> Floats:
    """Take whole levels of price, and the last in part; of a level what is called already."""
    share, left = np.zeros(len(hours)), wanted_h
    levels = np.column_stack([hours.price_usd_per_mwh, hours.calls.sum(axis=1)])
    for level in np.unique(levels[among], axis=0)[::-1]:
        rows = among & (levels == level).all(axis=1)
        weight = hours.weight_h[rows].sum()
        if left <= 0 or weight <= 0:
            continue
        share[rows] = min(1.0, left / weight)
        left -= weight
    return share


def _split(hours: Hours, share: Floats) -> tuple[Hours, Flags]:
    """Split the rows that are taken in part, and say which rows are taken."""
    partly = np.flatnonzero((share > 0) & (share < 1))
    if not len(partly):
        return hours, share > 0
    rows = np.sort(np.concatenate([np.arange(len(hours)), partly]), kind="stable")
    second = np.concatenate([[False], rows[1:] == rows[:-1]])
    in_part = np.isin(rows, partly)
    part = np.where(in_part, np.where(second, 1.0 - share[rows], share[rows]), 1.0)
    taken = hours.at(rows)
    return replace(taken, weight_h=taken.weight_h * part), (share[rows] > 0) & ~second


def _events(hours: Hours, wanted_h: float, events: int) -> Flags:
    """Mark so many runs of hours a year, all of one length, the dearest first."""
    stopped = np.zeros(len(hours), bool)
    length = math.ceil(wanted_h / events)
    for rows, _ in file_years(hours):
        price = hours.price_usd_per_mwh[rows]
        if not length or len(price) < length:
            continue
        mean = np.convolve(price, np.ones(length), mode="valid")
        for _ in range(round(events * min(1.0, len(rows) / hours.weight_h.sum()))):
            first = int(np.argmax(mean))
            if mean[first] == -np.inf:
                break
            stopped[rows[first : first + length]] = True
            # Another event neither overlaps nor follows at once.
            mean[max(0, first - length) : first + length + 1] = -np.inf
    return stopped

"""Whether the parts of a power bill fit together."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping

import numpy as np

from models.charges import year_limited, year_limits
from models.hours import Hours
from models.instance import (
    Generation,
    Horizon,
    Power,
    Ppa,
    Programme,
    Project,
    Site,
    Subsystem,
    month_index,
    path_numbers,
)
from optimizer.checks.draft import Draft, Span
from optimizer.errors import Problem
from optimizer.keys import Key


def bills(draft: Draft) -> Iterator[Problem]:
    """Find agreements that never run, floors without a charge, and what cannot be told apart."""
    horizon = draft.one(Horizon, "horizon")
    for key, power in draft.rows(Power, "power"):
        yield from _agreements(draft, key, horizon)
        yield from _two_blocks(draft, key, power)
        floor = power.coincident_peak and power.coincident_peak.billing_floor_share
        yield from _stopping(draft, key, power)
        if power.programmes and (power.ppa or power.generation or floor):
            message = "programmes that pay for stopping, beside agreements, generation or a floor"
            hint = "together they are not built yet: leave one of them out"
            yield draft.problem((*key, "programmes"), message, hint=hint)
        yield from _years(draft, key, power)
        if power.billing_floor_share and not power.demand_charge_usd_per_kw_month:
            message = "the key has no effect: nothing is billed by the highest MW"
            yield draft.warning((*key, "billing_floor_share"), message)
    yield from _pools(draft)
    yield from _sizes(draft)


def _sizes(draft: Draft) -> Iterator[Problem]:
    """Find MW that no site could draw, and limits of a year in another unit than their key's."""
    supplies, projects = draft.table(Power, "power"), draft.table(Project, "projects")
    for key, site in draft.rows(Site, "sites"):
        name = site.power or str(key[-1])
        power = supplies.get(name)
        if power is None:
            continue
        most = max(path_numbers(site.firm_mw)) + max(path_numbers(site.interruptible_mw))
        most += sum(
            (j.adds_firm_mw + j.adds_interruptible_mw) * j.max_units
            for j in projects.values()
            if j.site == key[-1]
        )
        for kind in ("ppa", "programmes", "generation"):
            for i, block in enumerate(getattr(power, kind)):
                if block.mw > most:
                    at, allowed = (
                        ("power", name, kind, i, "mw"),
                        f"{key[-1]} has {most:g} MW at most",
                    )
                    message = "more than the site can draw"
                    yield draft.warning(at, message, found=f"{block.mw:g} MW", allowed=allowed)
        cap = power.energy_cap_mwh_per_year
        if cap is not None and not LEAST_HOURS * most <= cap < HOURS_OF_A_YEAR * most:
            little = cap < LEAST_HOURS * most
            message = "the cap has no effect" if not little else "the cap leaves hardly anything"
            yield draft.warning(("power", name, "energy_cap_mwh_per_year"), message,
                                found=f"{cap:g} MWh: {cap / most:.3g} hours of all its MW",
                                allowed=f"{key[-1]} could draw {HOURS_OF_A_YEAR * most:,.0f} MWh",
                                hint="a cap in GWh is 1,000 times as many MWh" if little else "",
                                )  # fmt: skip


def _years(draft: Draft, key: Key, power: Power) -> Iterator[Problem]:
    """One limit on the energy of a year has one price; two would each have their own."""
    limits = year_limits(power)
    hint = "together they are not built yet: leave one of them out"
    if limits and any(programme.commitment for programme in power.programmes):
        message = "a limit on the energy of a year beside a commitment that forces mining to run"
        yield draft.problem((*key, *limits[0]), message, hint=hint)
    for second in limits[1:]:
        message = f"a second limit on the energy of a year, beside {'.'.join(map(str, limits[0]))}"
        yield draft.problem((*key, *second), message, hint=hint)
    if power.carbon is None:
        return
    if power.carbon.cap_tonnes_per_year is not None and power.generation:
        message = "a cap on carbon beside own generation, whose carbon nothing states"
        yield draft.problem((*key, "carbon", "cap_tonnes_per_year"), message, hint=hint)
    if power.carbon.cap_tonnes_per_year is None and not power.carbon.usd_per_tonne:
        message = "the table has no effect: carbon has neither a price nor a cap"
        yield draft.warning((*key, "carbon"), message)


def _agreements(draft: Draft, key: Key, horizon: Horizon | None) -> Iterator[Problem]:
    span = None if horizon is None else Span.of(horizon)
    for at, agreement in draft.rows(Ppa, *map(str, key), "ppa"):
        first, last = agreement.from_, agreement.until
        if first and last and month_index(last) < month_index(first):
            message = "the agreement ends before it begins"
            yield draft.problem((*at, "until"), message, found=last, allowed=f"{first} or later")
        elif span and _never(agreement, span):
            message = "the agreement does not run within the horizon"
            yield draft.warning(at, message, allowed=span.text())
        if agreement.unused == "lost" and agreement.sale_fee_usd_per_mwh:
            message = "the key has no effect: nothing is sold back"
            yield draft.warning((*at, "sale_fee_usd_per_mwh"), message)


def _two_blocks(draft: Draft, key: Key, power: Power) -> Iterator[Problem]:
    """A floor and an agreement both count from the first MW drawn, each at a price of its own."""
    peak = power.coincident_peak
    if peak and peak.billing_floor_share and (power.ppa or power.generation):
        message = "a floor under the charged peak, beside an agreement or own generation"
        hint = "together they are not built yet: leave one of them out"
        yield draft.problem((*key, "coincident_peak", "billing_floor_share"), message, hint=hint)


def _stopping(draft: Draft, key: Key, power: Power) -> Iterator[Problem]:
    """What is paid by the hour and what is committed are counted apart; calls belong to the last.

    A MW that runs is paid for once, which across the two is not worked out.
    """
    kinds = {programme.commitment for programme in power.programmes}
    if len(kinds) > 1:
        message = "a commitment, beside a programme that pays for each hour that mining runs"
        hint = "together they are not built yet: leave one of them out"
        yield draft.problem((*key, "programmes"), message, hint=hint)
    for at, programme in draft.rows(Programme, *map(str, key), "programmes"):
        if programme.called_hours_per_year and not programme.commitment:
            message = "called hours of a programme without a commitment"
            hint = "set commitment = true; what is paid by the hour stops where hours are `cut`"
            yield draft.problem((*at, "called_hours_per_year"), message, hint=hint)
    duty = power.emergency
    if duty is not None and duty.events_per_year and duty.hours_per_year % duty.events_per_year:
        each = math.ceil(duty.hours_per_year / duty.events_per_year)
        message = "orders last whole hours, each the same number of them, rounded up"
        counted = f"{duty.events_per_year} of {each} hours, {duty.events_per_year * each} a year"
        yield draft.warning((*key, "emergency", "hours_per_year"), message,
                            found=f"{duty.hours_per_year:g}", allowed=counted)  # fmt: skip
    if duty is not None and (duty.events_per_year or 0) > duty.hours_per_year:
        message, at = "more orders than hours", (*key, "emergency", "events_per_year")
        allowed = f"no more than the {duty.hours_per_year:g} hours_per_year"
        yield draft.problem(at, message, found=duty.events_per_year, allowed=allowed)


def _loses(agreement: Ppa) -> bool:
    return agreement.unused == "lost" or agreement.sale_fee_usd_per_mwh > 0


def _never(agreement: Ppa, span: Span) -> bool:
    late = agreement.from_ is not None and month_index(agreement.from_) >= span.end
    return late or (agreement.until is not None and month_index(agreement.until) < span.start)


def _pools(draft: Draft) -> Iterator[Problem]:
    """What mining is short of on shared units is counted at the hour's price."""
    parts = [part for _, part in draft.rows(Subsystem, "uptime", "subsystems") if part.pooled]
    supplies = draft.table(Power, "power")
    for key, site in draft.rows(Site, "sites"):
        name = site.power or str(key[-1])
        shared = any(part.sites is None or key[-1] in part.sites for part in parts)
        power = supplies.get(name)
        if power is None or not shared:
            continue
        for at, what, stands in (
            (("coincident_peak", "billing_floor_share"), "a floor under the charged peak",
             power.coincident_peak and power.coincident_peak.billing_floor_share),
            (("programmes",), "programmes that pay for stopping", power.programmes),
            (("generation",), "own generation", power.generation),
            (year_limits(power)[0] if year_limits(power) else (),
             "a limit on the energy of a year", year_limited(power)),
            (("ppa",), "agreements that lose what is not drawn", any(map(_loses, power.ppa))),
        ):  # fmt: skip
            if stands:
                message = f"{what}, at a site whose plant mining shares"
                hint = "together they are not built yet: take one of them out"
                where = ("power", name, *at)
                yield draft.problem(where, message, found=str(key[-1]), hint=hint)


def charges_known(draft: Draft, hours: Mapping[str, Hours]) -> Iterator[Problem]:
    """Find charges on what the hours do not say; ``hours`` are those of each power block."""
    for key, power in draft.rows(Power, "power"):
        found = hours.get(str(key[-1]))
        if found is None:
            continue
        if power.carbon and power.carbon.kg_per_mwh is None and found.carbon_kg_per_mwh is None:
            message = "nothing says how much carbon a MWh holds"
            hint = "give kg_per_mwh, or a column carbon_kg_per_mwh in the price file"
            yield draft.problem((*key, "carbon"), message, hint=hint)
        if power.carbon and power.carbon.kg_per_mwh and found.carbon_kg_per_mwh is not None:
            message = "the key stands above the column carbon_kg_per_mwh of the price file"
            yield draft.warning((*key, "carbon", "kg_per_mwh"), message)
        silent = found.offer_usd_per_mwh is None
        for at, programme in draft.rows(Programme, *map(str, key), "programmes"):
            if programme.usd_per_mwh is None and silent:
                message = "nothing says what the programme pays"
                hint = "give usd_per_mwh, or a column offer_usd_per_mwh in the price file"
                yield draft.problem(at, message, hint=hint)
        for at, generation in draft.rows(Generation, *map(str, key), "generation"):
            yield from _profile(draft, at, generation, found)
            if not generation.against_prices and not found.cut.any():
                message = "it never runs: no hour of the price file is cut"
                yield draft.warning((*at, "against_prices"), message)
        yield from _runs_known(draft, key, power, found)
        if power.coincident_peak and found.peak is None and _flat(found):
            message = "the hours of the grid's peaks cannot be told from long steps of a price"
            hint = "give hourly prices, or mark the steps of a curve as `peak`"
            yield draft.problem((*key, "coincident_peak"), message, hint=hint)


def _profile(draft: Draft, at: Key, generation: Generation, hours: Hours) -> Iterator[Problem]:
    if generation.profile is None or generation.profile in hours.shares:
        return
    known = ", ".join(hours.shares) or "no profile in its prices"
    hint = "a column of shares between 0 and 1, whose name ends with _share"
    yield draft.problem((*at, "profile"), "the price file has no such column",
                        found=generation.profile, allowed=known, hint=hint)  # fmt: skip


def _runs_known(draft: Draft, key: Key, power: Power, hours: Hours) -> Iterator[Problem]:
    """Find what counts hours in a row, where steps of a price do not say which they are."""
    duty, hint = power.emergency, "give hourly prices, or leave the key out"
    if power.restart_hours and not hours.cut.any():
        message = "the key has no effect: no hour of the price file is cut"
        yield draft.warning((*key, "restart_hours"), message)
    elif power.restart_hours and not hours.follow_each_other:
        message = "the hours after a cut cannot be told from steps of a price"
        yield draft.problem((*key, "restart_hours"), message, hint=hint)
    if duty is not None and not hours.follow_each_other:
        for name in ("events_per_year", "restart_hours"):
            if getattr(duty, name):
                message = "orders of hours in a row cannot be told from steps of a price"
                yield draft.problem((*key, "emergency", name), message, hint=hint)


def _flat(hours: Hours) -> bool:
    """Whether some month's dearest step is too long to hold no more than its peak."""
    return any(
        hours.weight_h[rows][np.argmax(hours.price_usd_per_mwh[rows])] > LONG_STEP_H
        for rows in (np.flatnonzero(hours.month == month) for month in range(1, 13))
        if len(rows)
    )


#: A cap below so many hours of all a site's MW is doubtful, one above a year's has no effect.
LEAST_HOURS = 50.0
HOURS_OF_A_YEAR = 8784.0
#: A month's dearest step of a price-duration curve longer than this, in hours, is no peak.
LONG_STEP_H = 24.0

"""Charges that fall on hours: on the grid's peaks, and on carbon.

Both are so much money for each MWh drawn in an hour, so all that they do is shift the hour's
price. Hours stay independent of each other and bands stay exact. Where a share of the connection
is billed in a peak at least, the MW below it are free of the charge: what is not drawn of them is
written off at the charge, as an agreement that is not drawn is (:mod:`models.energy`).
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from models.hours import Hours, file_years
from models.instance import Carbon, CoincidentPeak, Power
from models.units import KW_PER_MW

Floats = NDArray[np.float64]
#: Months with a peak that is charged.
PEAK_MONTHS = {"4cp": (6, 7, 8, 9), "12cp": tuple(range(1, 13))}
KG_PER_TONNE = 1000.0
#: What is used up of a year's limit is counted in these.
THOUSANDTHS = 1000.0


def charged(hours: Hours, power: Power) -> Hours:
    """Put the charges of a supply on its hours, and what a MWh uses up of a year's limit."""
    if year_limited(power):
        hours = replace(hours, use_per_mwh=_use(hours, power))
    charge, peaks = np.zeros(len(hours)), None
    if power.coincident_peak is not None:
        peaks = peak_charge(hours, power.coincident_peak)
        charge += peaks
    if power.carbon is not None:
        charge += power.carbon.usd_per_tonne * carbon_kg(hours, power.carbon) / KG_PER_TONNE
    if not charge.any():
        return hours
    return replace(hours, charge_usd_per_mwh=charge, peak_usd_per_mwh=peaks)


def carbon_kg(hours: Hours, carbon: Carbon) -> Floats:
    """Carbon of a MWh drawn in each hour, in kg: as typed, else as the price file has it."""
    if carbon.kg_per_mwh is not None:
        return np.full(len(hours), carbon.kg_per_mwh)
    assert hours.carbon_kg_per_mwh is not None
    return hours.carbon_kg_per_mwh


def year_limited(power: Power) -> bool:
    """Whether a supply has a limit on the energy of a year (:mod:`models.yearly`)."""
    return bool(year_limits(power))


def year_limits(power: Power) -> tuple[tuple[str | int, ...], ...]:
    """Keys of the limits on the energy of a year."""
    keys: list[tuple[str | int, ...]] = []
    if power.energy_cap_mwh_per_year is not None:
        keys.append(("energy_cap_mwh_per_year",))
    if power.carbon is not None and power.carbon.cap_tonnes_per_year is not None:
        keys.append(("carbon", "cap_tonnes_per_year"))
    keys += [
        ("generation", i, "hours_per_year_max")
        for i, generation in enumerate(power.generation)
        if generation.hours_per_year_max is not None
    ]
    return tuple(keys)


def _use(hours: Hours, power: Power) -> Floats:
    """Thousandths of a year's limit that a MWh drawn uses up; none of a generator's hours."""
    if power.energy_cap_mwh_per_year is not None:
        return np.full(len(hours), THOUSANDTHS / power.energy_cap_mwh_per_year)
    if power.carbon is not None and power.carbon.cap_tonnes_per_year is not None:
        kg = power.carbon.cap_tonnes_per_year * KG_PER_TONNE
        return THOUSANDTHS * carbon_kg(hours, power.carbon) / kg
    return np.zeros(len(hours))


def peak_charge(hours: Hours, peak: CoincidentPeak) -> Floats:
    """Charge of each hour in $/MWh: what a MW owes for a month, over its candidates.

    Nobody knows the peak beforehand. It is expected in each of the candidates alike, so that a
    MW which runs through all of them owes the whole charge, and one that stops in all of them
    owes nothing. Of several years in a file each has its own candidates, and counts alike.

    Examples
    --------
    A month of 30 days with a dear evening; 60 $/kW a year over four peaks are 15,000 $/MW each:

    >>> price = np.where(np.arange(720) % 24 == 18, 90.0, 30.0) + np.arange(720) / 1000
    >>> june = Hours(np.full(720, 6), np.ones(720), price, np.zeros(720, bool), "june")
    >>> charge = peak_charge(
    ...     june, CoincidentPeak(usd_per_kw_year=60.0, peaks="4cp", candidate_hours=2)
    ... )
    >>> float(charge.max()), np.flatnonzero(charge).tolist()
    (7500.0, [690, 714])
    """
    months = PEAK_MONTHS[peak.peaks]
    each = peak.usd_per_kw_year * KW_PER_MW / len(months)
    charge = np.zeros(len(hours))
    for month in months:
        rows = np.flatnonzero(hours.month == month)
        if not len(rows):
            continue
        whole = hours.weight_h[rows].sum()
        for year, _ in file_years(hours):
            own = year[hours.month[year] == month]
            if not len(own):
                continue
            chosen = _candidates(hours, own, peak.candidate_hours, whole)
            share = hours.weight_h[own].sum() / whole
            charge[chosen] += each * share / hours.weight_h[chosen].sum()
    return charge


def _candidates(
    hours: Hours, rows: NDArray[np.intp], wanted: float, month_hours: float
) -> NDArray[np.intp]:
    """Rows of a month in which its peak may fall: those marked, or the dearest so many hours."""
    if hours.peak is not None and hours.peak[rows].any():
        return rows[hours.peak[rows]]
    dearest = rows[np.argsort(-hours.price_usd_per_mwh[rows], kind="stable")]
    weight = hours.weight_h[dearest]
    needed = wanted * weight.sum() / month_hours
    before = np.concatenate([[0.0], np.cumsum(weight)[:-1]])
    chosen: NDArray[np.intp] = dearest[before < needed * (1 - 1e-9)]
    return chosen

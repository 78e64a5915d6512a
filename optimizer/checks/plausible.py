"""Numbers outside the band where the trade's figures lie: usually a wrong unit.

A band is declared beside its key in :mod:`models.instance`. A few quantities show a wrong unit
only together, as $ per GPU of a rack's price; their bands stand here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from pydantic.fields import FieldInfo

from models.instance import Contract, Fitout, Hall, Horizon, Machine, Project, Rack, Site
from optimizer.checks.draft import Draft, Span
from optimizer.errors import Problem, did_you_mean
from optimizer.keys import Key, declared, dotted, kind_at, unit_of, value_at

#: Units that are typed in place of a key's own: what to multiply by to come back to it.
SLIPS: Mapping[str, tuple[tuple[float, str], ...]] = {
    "MW": ((1e-3, "kW"), (1e-6, "W"), (1e3, "GW")),
    "kW": ((1e-3, "W"), (1e3, "MW")),
    "W": ((1e3, "kW"), (1e6, "MW")),
    "share": ((1e-2, "percent"),),
    "1/year": ((1e-2, "percent per year"),),
    "1/month": ((1e-2, "percent per month"), (1 / 12, "a yearly rate")),
    "ratio": ((1e-2, "percent"),),
    "$/MWh": ((1e3, "$/kWh"), (10, "cents per kWh")),
    "TH/s": ((1e3, "PH/s"), (1e-3, "GH/s")),
    "EH/s": ((1e-3, "PH/s"), (1e-6, "TH/s"), (1e3, "ZH/s")),
    "J/TH": ((1e3, "J/GH"), (1e-3, "mJ/TH or W per PH/s")),
    "$/PH/day": ((1e3, "$/TH/day"), (1e-3, "$/EH/day")),
    "$": ((1e3, "thousand $"), (1e6, "M$")),
    "$/rack": ((1e3, "thousand $"), (1e6, "M$")),
    "M$": ((1e-6, "$"), (1e-3, "thousand $")),
    "M$/year": ((1e-6, "$/year"), (1e-3, "thousand $/year")),
    "$/TH": ((1 / 200, "$ per machine"), (1e-3, "$/PH"), (1e3, "$/GH")),
    "$/kW": ((1e-3, "$/MW"), (1e3, "M$/MW"), (1e3, "$/W")),
    "$/kW/month": ((1 / 12, "$/kW a year"), (730.0, "$/kWh"), (1e-3, "$/MW/month")),
    "$/kW/year": ((1e-3, "$/MW/year"), (12.0, "$/kW a month")),
    "$/GPU-hour": ((1 / 730, "$/GPU a month"), (1 / 8760, "$/GPU a year"), (1e-2, "cents")),
    "months": ((12.0, "years"), (1 / 30.4, "days")),
    "m2/MW": ((1e3, "m2/kW"), (0.0929, "square feet per MW")),
}

#: How far beyond its band a path that grows may lead by the end of the horizon.
GROWTH_MARGIN = 10.0
#: No float is larger; what is, is refused as no number.
LARGEST = 1.7e308
#: A figure nearer to zero than this, and not zero, is meant in another unit.
LEAST: Mapping[str, float] = {"$/MWh": 0.2, "MW": 0.02}

#: Units that say what kind of number a key holds, and are not written after a figure.
UNITLESS = ("share", "ratio", "as the key")

Band = tuple[float, float]


def _figure(value: float) -> str:
    """Write a number as it would be typed, thousands apart where it is long.

    Examples
    --------
    >>> _figure(5.6e8), _figure(60000.0), _figure(0.00025)
    ('560,000,000', '60000', '0.00025')
    """
    return f"{value:,.0f}" if 1e6 <= abs(value) < 1e15 else f"{value:g}"


def _shown(unit: str) -> str:
    return "" if unit in UNITLESS else unit


def band_of(info: FieldInfo) -> Band | None:
    """Give the plausible band declared beside a key."""
    band = declared(info, "plausible")
    return (float(band[0]), float(band[1])) if band else None


def slip(value: float, unit: str, band: Band | None, *, default: str = "") -> str:
    """Name the unit that a value seems to be typed in.

    Examples
    --------
    >>> slip(2500, "MW", (0.05, 500))
    'in kW it would be 2.5 MW'
    """
    if band is None:
        return default
    if unit == "$/unit" and value > 0 and band[0] <= 1.0 / value <= band[1]:
        return f"as USD for one unit it would be {1.0 / value:.6g}"
    for factor, other in SLIPS.get(unit, ()):
        if band[0] <= value * factor <= band[1] and value * factor:
            return f"in {other} it would be {value * factor:.6g} {_shown(unit)}".rstrip()
    return default


def plausibility(draft: Draft) -> tuple[list[Problem], Draft]:
    """Find numbers outside their bands that ``accept_unusual`` does not name.

    Returns
    -------
    problems : list of Problem
        What was found.
    calm : Draft
        The draft without the blocks that hold such a number, so that a wrong unit is told once
        and not again as racks that do not fit.
    """
    doubts = list({doubt.key: doubt for doubt in single_doubts(draft)}.values())
    calm = without(draft, {doubt.key for doubt in doubts})
    together = [doubt for check in TOGETHER for doubt in check(calm)]
    doubts += [doubt for doubt in together if not draft.is_doubtful(doubt.key)]
    names = accepted(draft)
    refused = [doubt for doubt in doubts if dotted(doubt.key) not in names]
    problems = [doubt.problem(draft) for doubt in refused]
    problems += _idle_acceptances(draft, names, doubts)
    return problems, without(draft, {doubt.key for doubt in refused})


def accepted(draft: Draft) -> list[str]:
    """Keys whose unusual numbers are meant."""
    typed = value_at(draft.document, ("instance", "accept_unusual"))
    return [name for name in typed if isinstance(name, str)] if typed else []


def without(draft: Draft, keys: set[Key]) -> Draft:
    """Leave out the blocks in which any of the keys stands."""
    kept = {
        at: block
        for at, block in draft.blocks.items()
        if not any(key[: len(at)] == at for key in keys)
    }
    return replace(draft, blocks=kept)


@dataclass(frozen=True)
class Doubt:
    """A number outside its band; ``key`` is what ``accept_unusual`` would name."""

    key: Key
    value: float
    band: Band
    unit: str
    hint: str
    what: str = ""

    def problem(self, draft: Draft) -> Problem:
        """Tell it, with the way to accept it."""
        least, most = map(_figure, self.band)
        where = f"{least} to {most} {_shown(self.unit)}".rstrip()
        accept = f'if it is meant, add "{dotted(self.key)}" to instance.accept_unusual'
        message = "the value is far from real figures; check its unit"
        if self.what:
            message = f"{self.what} is far from real figures; check the units"
        return draft.problem(
            self.key,
            message,
            found=f"{_figure(self.value)} {_shown(self.unit)}".rstrip(),
            allowed=where,
            hint=f"{self.hint}; {accept}" if self.hint else accept,
        )


def _idle_acceptances(draft: Draft, names: list[str], doubts: list[Doubt]) -> Iterator[Problem]:
    unusual = {dotted(doubt.key) for doubt in doubts}
    typed = _numbers(draft.document, ()) if names else ()
    known = {dotted(key[:size]) for key, _ in typed for size in range(1, len(key) + 1)}
    for position, name in enumerate(names):
        key: Key = ("instance", "accept_unusual", position)
        if name in known and name not in unusual:
            message = "the value of this key is not unusual"
            yield draft.warning(key, message, found=name, hint="take it out")
        elif name not in unusual:
            hint = did_you_mean(name, known)
            message = "accept_unusual names a key that is not there"
            yield draft.problem(key, message, found=name, hint=hint)


# --- bands of single keys ------------------------------------------------------------------


def single_doubts(draft: Draft, *under: Key) -> Iterator[Doubt]:
    """Ask every number that was typed whether its key has a band, and whether it lies within.

    Of numbers under some keys alone, where any are given.
    """
    numbers = [
        pair for key in under or ((),) for pair in _numbers(value_at(draft.document, key), key)
    ]
    for key, value in numbers:
        found = None if draft.is_doubtful(key) else kind_at(key)
        if found and value != found[1].default:
            yield from _outside(key, value, found[1])
    yield from _doubts_in_paths(draft, numbers)


def _outside(key: Key, value: float, info: FieldInfo) -> Iterator[Doubt]:
    unit, band = unit_of(info), band_of(info)
    least = LEAST.get(unit, 0.0)
    if value and abs(value) < least and (band is None or band[0] <= 0):
        band = (least, band[1] if band else 1000.0)
    if band and not band[0] <= value <= band[1]:
        yield Doubt(key, value, band, unit, slip(value, unit, band))


def _is_number(value: object) -> bool:
    """Say whether a value is a number that bands can be asked of."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return False
    return abs(value) <= LARGEST


def _numbers(held: Any, key: Key) -> Iterator[tuple[Key, float]]:
    """Walk every single number that was typed, with its key."""
    pairs: Any = held.items() if isinstance(held, Mapping) else ()
    if isinstance(held, list):
        pairs = enumerate(held)
    for name, value in pairs:
        if _is_number(value):
            yield (*key, name), value
        else:
            yield from _numbers(value, (*key, name))


def _doubts_in_paths(draft: Draft, numbers: list[tuple[Key, float]]) -> Iterator[Doubt]:
    """Check each number in a path by the band of the path, and where its growth leads."""
    horizon = draft.one(Horizon, "horizon")
    for key, value in numbers:
        for size in (1, 2):
            found = kind_at(key[:-size]) if len(key) > size else None
            if found is None or found[0].what != "path" or draft.is_doubtful(key):
                continue
            band, unit = band_of(found[1]), unit_of(found[1])
            if key[-1] in ("start", "value"):
                yield from _outside(key[:-size], value, found[1])
            if key[-1] == "growth_per_month" and band and horizon:
                yield from _grown(draft, key, value, band, unit, horizon)


def _grown(
    draft: Draft, key: Key, growth: float, band: Band, unit: str, horizon: Horizon
) -> Iterator[Doubt]:
    start = value_at(draft.document, (*key[:-1], "start"))
    span = Span.of(horizon)
    months = span.end - span.start
    if not _is_number(start) or not -1 < growth < 1:
        return
    end = start * (1 + growth) ** months
    wide = (band[0] / GROWTH_MARGIN, band[1] * GROWTH_MARGIN)
    if not wide[0] <= end <= wide[1] and band[0] <= start <= band[1]:
        what = f"the value after {months} months of this growth"
        yield Doubt(key, end, wide, unit, "is it a yearly rate?", what)


# --- bands of quantities that only show together -------------------------------------------


def _out(value: float, band: Band) -> bool:
    return not band[0] <= value <= band[1]


def _racks(draft: Draft) -> Iterator[Doubt]:
    for key, rack in draft.rows(Rack, "racks"):
        if not rack.gpus_per_rack or rack.workload != "ai":
            continue
        per_gpu, band = rack.price_usd / rack.gpus_per_rack, (500.0, 250_000.0)
        if rack.price_usd and _out(per_gpu, band):
            hint = "price_usd is for the whole rack"
            yield Doubt((*key, "price_usd"), per_gpu, band, "$", hint, "the price per GPU")
        draw, limits = (rack.kw or 0.0) / rack.gpus_per_rack, (0.15, 6.0)
        if _out(draw, limits):
            hint = "kw is for the whole rack"
            yield Doubt((*key, "kw"), draw, limits, "kW", hint, "the draw per GPU")


def _machines(draft: Draft) -> Iterator[Doubt]:
    for key, machine in draft.rows(Machine, "machines"):
        draw = (machine.watt or 0.0) / machine.th_per_s
        if machine.watt and _out(draw, (5.0, 120.0)):
            hint = "watt is for one machine, th_per_s in TH/s"
            what = "the draw per TH/s"
            yield Doubt((*key, "watt"), draw, (5.0, 120.0), "J/TH", hint, what)


def _halls(draft: Draft) -> Iterator[Doubt]:
    """Compare the halls of a site with what its grid connection could ever carry."""
    projects = draft.rows(Project, "projects")
    whole = all(
        draft.names(table) == set(draft.table(block, table))
        for table, block in (("halls", Hall), ("projects", Project))
    )
    for key, site in draft.rows(Site, "sites") if whole else ():
        name = key[-1]
        halls = [hall for _, hall in draft.rows(Hall, "halls") if hall.site == name]
        it_mw = sum(hall.it_mw * max(hall.count, 1) for hall in halls)
        grid = _most(site.firm_mw) + _most(site.interruptible_mw)
        grid += sum(
            (project.adds_firm_mw + project.adds_interruptible_mw) * project.max_units
            for _, project in projects
            if project.site == name
        )
        if halls and grid and _out(grid / it_mw, (0.02, 50.0)):
            what = "the grid connection over the IT MW of the halls"
            hint = "firm_mw and it_mw are in MW, it_mw per hall"
            yield Doubt((*key, "firm_mw"), grid / it_mw, (0.02, 50.0), "", hint, what)


def _most(dated: Any) -> float:
    return max(step.value for step in dated) if isinstance(dated, list) else float(dated)


def _projects(draft: Draft) -> Iterator[Doubt]:
    for key, project in draft.rows(Project, "projects"):
        mw = project.adds_firm_mw + project.adds_interruptible_mw
        if mw and project.capex_musd and _out(project.capex_musd / mw, (0.005, 20.0)):
            hint = "capex_musd is in millions for one unit of the project"
            per_mw = project.capex_musd / mw
            what = "capex per MW of the connection"
            yield Doubt((*key, "capex_musd"), per_mw, (0.005, 20.0), "M$/MW", hint, what)


def _fitouts(draft: Draft) -> Iterator[Doubt]:
    for key, fitout in draft.rows(Fitout, "fitouts"):
        value = fitout.capex_usd_per_kw
        band = (100.0 if fitout.workload == "ai" else 10.0, 30_000.0)
        if 0 < value < band[0]:
            what = f"the capex of a fit-out for {fitout.workload}"
            hint = slip(value, "$/kW", band)
            yield Doubt((*key, "capex_usd_per_kw"), value, band, "$/kW", hint, what)


def _contracts(draft: Draft) -> Iterator[Doubt]:
    for key, contract in draft.rows(Contract, "contracts"):
        years = contract.months / 12
        if contract.racks_by == "tenant" and years < 1:
            hint = slip(contract.months, "months", (12.0, 360.0))
            what = "the term of a tenant's lease"
            band = (12.0, 360.0)
            yield Doubt((*key, "months"), contract.months, band, "months", hint, what)


#: Quantities that only show together, each by itself.
TOGETHER: tuple[Callable[[Draft], Iterator[Doubt]], ...] = (
    _racks,
    _machines,
    _halls,
    _projects,
    _fitouts,
    _contracts,
)

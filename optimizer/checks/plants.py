"""Whether what keeps AI running fits together: feeds and generators, plants that stand, pools."""

from __future__ import annotations

from collections.abc import Iterator

from models.derive.reach import units_needed
from models.instance import Component, Contract, FleetRow, Hall, Package, Site, Standing, Subsystem
from optimizer.checks.draft import Draft
from optimizer.checks.fits import SLACK, Yard
from optimizer.errors import Problem, listed
from optimizer.keys import Key

Parts = list[tuple[Key, Subsystem]]


def plants(draft: Draft) -> Iterator[Problem]:
    """Find parts whose units cannot do what the part asks of them."""
    kinds = draft.table(Component, "uptime", "components")
    parts = draft.rows(Subsystem, "uptime", "subsystems")
    for key, part in parts:
        yield from _standby(draft, key, part, kinds)
        yield from _mixing(draft, key, part, kinds)
        yield from _ride_through(draft, key, part, kinds)
    for key, package in draft.rows(Package, "uptime", "packages"):
        if package.units:
            yield from _made(draft, key, package, parts)
    yield from _carrying(draft, parts, kinds)
    yield from _silent(draft)
    for site_key, site in draft.rows(Site, "sites"):
        yield from _standing(draft, str(site_key[-1]), parts)
        yield from _mines_today(draft, site_key, site, parts, kinds)


def _standby(
    draft: Draft, key: Key, part: Subsystem, kinds: dict[str, Component]
) -> Iterator[Problem]:
    """Units stand by behind a feed, and nowhere else."""
    for position, name in enumerate(part.components):
        kind = kinds.get(name)
        if kind is None or (kind.start_failure_share is not None) == (part.feed is not None):
            continue
        at = (*key, "components", position)
        if part.feed is not None:
            message = "the part has a feed, and this component does not stand by"
            hint = "give it start_failure_share and hours_to_failure, or take the feed out"
        else:
            message = "this component stands by, and the part has no feed that it could bridge"
            hint = "name the component of the feed under `feed`"
        yield draft.problem(at, message, found=name, hint=hint)


def _mixing(
    draft: Draft, key: Key, part: Subsystem, kinds: dict[str, Component]
) -> Iterator[Problem]:
    sizes = {kinds[name].unit_mw for name in part.components if name in kinds}
    if part.mixing and len(sizes) > 1:
        found = ", ".join("any" if size is None else f"{size:g} MW" for size in sizes)
        message = "kinds that stand side by side have to be of one size"
        yield draft.problem((*key, "mixing"), message, found=found)


def _ride_through(
    draft: Draft, key: Key, part: Subsystem, kinds: dict[str, Component]
) -> Iterator[Problem]:
    """A UPS that is empty before the generators run makes every outage one of AI."""
    starts = [kinds[name].start_seconds for name in part.components if name in kinds]
    if part.feed is not None and starts and part.ride_through_seconds < min(starts):
        message = "the UPS is empty before the units run: every outage of the feed is one of AI"
        found, allowed = f"{part.ride_through_seconds:g} s", f"{min(starts):g} s or more"
        yield draft.warning((*key, "ride_through_seconds"), message, found=found, allowed=allowed)


def _silent(draft: Draft) -> Iterator[Problem]:
    """Credits are counted for nothing where a package does not say how often it fails."""
    owing = [str(key[-1]) for key, offer in draft.rows(Contract, "contracts") if offer.credits]
    for key, package in draft.rows(Package, "uptime", "packages"):
        silent = package.availability is not None and package.outages_per_year is None
        if owing and silent and package.availability != 1.0:
            message = "the package states no outages, so no credits are counted for it"
            hint = f"give outages_per_year; credits are owed by {listed(owing)}"
            yield draft.warning(key, message, hint=hint)


def _standing(draft: Draft, site: str, parts: Parts) -> Iterator[Problem]:
    """Compare the units that stand today with what their part can be made of."""
    known = {str(key[-1]): part for key, part in parts}
    for key, standing in draft.rows(Standing, "sites", site, "plant"):
        part = known.get(str(key[-1]))
        if part is None:
            continue
        if part.level != "site":
            message = f"{key[-1]} is a part of the {part.level}, not of a site's plant"
            yield draft.problem(key, message, hint="take it out")
        elif part.sites is not None and site not in part.sites:
            message = f"{key[-1]} is no part of this site's plant"
            yield draft.problem(key, message, allowed=listed(part.sites))
        elif standing.component not in part.components:
            at, message = (*key, "component"), f"{key[-1]} is not made of this component"
            allowed = listed(part.components)
            yield draft.problem(at, message, found=standing.component, allowed=allowed)


def _made(draft: Draft, key: Key, package: Package, parts: Parts) -> Iterator[Problem]:
    """Compare the units of a package with what the parts of a hall can be made of."""
    known = {str(at[-1]): part for at, part in parts}
    for name, standing in package.units.items():
        part, at = known.get(name), (*key, "units", name)
        if part is None:
            continue
        if part.level != "hall":
            message = f"{name} is a part of the {part.level}, not of a hall"
            yield draft.problem(at, message, hint="take it out")
        elif standing.component not in part.components:
            message, allowed = f"{name} is not made of this component", listed(part.components)
            where = (*at, "component")
            yield draft.problem(where, message, found=standing.component, allowed=allowed)
    for name, part in known.items():
        if part.level == "hall" and part.feed is None and name not in package.units:
            message = f"the package has no units of {name}, which every hall needs"
            yield draft.problem((*key, "units"), message, found=listed(package.units))


def _carrying(draft: Draft, parts: Parts, kinds: dict[str, Component]) -> Iterator[Problem]:
    """Find halls, and works under way, whose package has too few units to carry them."""
    yard = Yard.of(draft)
    packages = draft.table(Package, "uptime", "packages")
    states = [(key, hall, hall.fitout, hall.package) for key, hall in draft.rows(Hall, "halls")]
    states += [
        (key, yard.halls[works.hall], works.fitout, works.package)
        for key, works in yard.works
        if works.hall in yard.halls
    ]
    for key, hall, name, package in states:
        fitout, made = yard.fitouts.get(name or ""), packages.get(package or "")
        it_mw = yard.it_mw(hall, fitout) if fitout else None
        if made is not None and it_mw is not None:
            yield from _overloaded(draft, (*key, "package"), made, it_mw, parts, kinds)


def _overloaded(
    draft: Draft,
    key: Key,
    package: Package,
    it_mw: float,
    parts: Parts,
    kinds: dict[str, Component],
) -> Iterator[Problem]:
    for name, part in ((str(at[-1]), part) for at, part in parts):
        standing = package.units.get(name)
        if standing is None or standing.component not in kinds:
            continue
        load = it_mw * part.load_share
        needed = units_needed(load, kinds[standing.component].unit_mw)
        if standing.units < needed:
            message = f"the package has too few units of {name} to carry the hall"
            found, allowed = f"{standing.units} {standing.component}", f"{needed} for {load:g} MW"
            yield draft.problem(key, message, found=found, allowed=f"at least {allowed}")


def _mines_today(
    draft: Draft, key: Key, site: Site, parts: Parts, kinds: dict[str, Component]
) -> Iterator[Problem]:
    """Mining on a pooled part stands still until units of it stand, or as far as they do not."""
    mines = _mines_mw(draft, str(key[-1]))
    for name, part in ((str(at[-1]), part) for at, part in parts):
        here = part.sites is None or key[-1] in part.sites
        if not mines or not part.pooled or not here:
            continue
        standing = site.plant.get(name)
        if standing is None:
            message = f"racks stand here, and no units of {name}, on which all mining runs"
            hint = f"say what stands: [sites.{key[-1]}.plant.{name}] with component and units"
            yield draft.warning(key, message, hint=hint)
            continue
        size = kinds[standing.component].unit_mw if standing.component in kinds else None
        carries = mines if size is None else standing.units * size / part.load_share
        if carries < mines - SLACK:
            message = f"units of {name} carry less than the racks that stand here draw at peak"
            at, allowed = (*key, "plant", name, "units"), f"{mines:g} MW for all of them"
            yield draft.warning(at, message, found=f"{carries:g} MW", allowed=allowed)


def _mines_mw(draft: Draft, site: str) -> float:
    """Utility MW at peak of the mining racks that stand at a site."""
    yard, mines = Yard.of(draft), 0.0
    for _, row in draft.rows(FleetRow, "fleet"):
        hall, rack = yard.halls.get(row.hall), yard.racks.get(row.rack)
        fitout = yard.fitouts.get(hall.fitout or "") if hall else None
        if hall and rack and fitout and hall.site == site and rack.workload == "mining":
            peak = fitout.pue_peak or fitout.pue
            mines += row.racks * (yard.kw(rack) or 0.0) / 1000.0 * peak
    return mines

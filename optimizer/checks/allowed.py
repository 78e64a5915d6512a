"""Hours that contracts allow their load to be off: whether they are of use."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from models.allowed import ROUNDING_H, cut_hours_per_year
from models.called import ordered
from models.hours import Hours
from models.instance import Contract, Power, Project, Site, path_numbers
from optimizer.checks.draft import Draft
from optimizer.errors import Problem, listed
from optimizer.keys import Key


def hours_allowed(draft: Draft, hours: Mapping[str, Hours]) -> Iterator[Problem]:
    """Find hours that save nothing, and too few of them to stand on interruptible MW.

    ``hours`` are those of each power block.
    """
    sites = draft.table(Site, "sites")
    supplies = draft.table(Power, "power")
    cut = {
        s: cut_hours_per_year(ordered(hours[site.power or s], supplies[site.power or s]))
        for s, site in sites.items()
        if (site.power or s) in hours
        and (site.power or s) in supplies
        and _interruptible(draft, s, site)
    }
    whole = draft.names("sites") == set(sites)
    for key, offer in draft.rows(Contract, "contracts"):
        if not offer.curtailable_hours_per_year or not whole:
            continue
        own = {s: h for s, h in cut.items() if offer.sites is None or s in offer.sites}
        at: Key = (*key, "curtailable_hours_per_year")
        if own:
            yield from _too_few(draft, at, offer, own)
        elif offer.power_passed_through:
            message = "the key saves nothing: the tenant pays the energy, and no site that may "
            message += "serve it has interruptible MW"
            yield draft.warning(at, message)


def _too_few(
    draft: Draft, at: Key, offer: Contract, cut: Mapping[str, float]
) -> Iterator[Problem]:
    allowed = offer.curtailable_hours_per_year
    short = sorted(s for s, h in cut.items() if h > allowed + ROUNDING_H)
    if short:
        most = max(cut[s] for s in short)
        message = "more hours are cut in a year than the tenant allows: it stands on firm MW only"
        found = f"{most:g} hours cut at {listed(short)}"
        yield draft.warning(at, message, found=found, allowed=f"at most {allowed:g} hours")


def _interruptible(draft: Draft, s: str, site: Site) -> bool:
    """Whether a site has interruptible MW, or can have any."""
    projects = draft.table(Project, "projects").values()
    built = any(j.site == s and j.adds_interruptible_mw for j in projects)
    return built or max(path_numbers(site.interruptible_mw)) > 0

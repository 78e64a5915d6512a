"""Contracts that start before any hall could be ready for them.

As in :mod:`optimizer.checks.impossible`, none is refused that has a plan: what could be ready is
counted at its earliest, what is due at its latest.
"""

from __future__ import annotations

from collections.abc import Iterator

from models.derive.facts import first_due
from models.instance import (
    Contract,
    Fitout,
    Hall,
    Horizon,
    Package,
    Project,
    SignedContract,
    Site,
    month_index,
    month_text,
)
from optimizer.checks.draft import Draft, Span
from optimizer.checks.fits import Yard
from optimizer.checks.impossible import earliest_ready, suits
from optimizer.errors import Problem

#: First month of service, and the works that it takes until then.
Ready = tuple[int, int]


def too_early(draft: Draft) -> Iterator[Problem]:
    """Find contracts that are due before works for them can end; the draft is sound."""
    horizon = draft.one(Horizon, "horizon")
    if horizon is None:
        return
    span, yard = Span.of(horizon), Yard.of(draft)
    rows = draft.rows(SignedContract, "commitments", "contracts")
    signed = {row.contract: (*key, "mw") for key, row in rows}
    for key, offer in draft.rows(Contract, "contracts"):
        due, ready = due_by(offer, span), _earliest(draft, yard, offer, span)
        if due is None or ready is None or due >= ready[0]:
            continue
        words = _words(offer, ready)
        if key[-1] in signed:
            message = f"no hall can be ready for this signed contract in time: {words}"
            hint = "give the works under way in commitments.works, or a later start"
            yield draft.problem((*key, "start"), message, found=offer.start, hint=hint)
        else:
            message = f"no hall can be ready in time, so the offer is never signed: {words}"
            yield draft.warning((*key, "start"), message, found=offer.start)


def _words(offer: Contract, ready: Ready) -> str:
    first, works = ready
    takes = f"works take {works} months: " if works else ""
    late = f", and may be late until {offer.latest_delivery}" if offer.latest_delivery else ""
    earliest = f"ready {month_text(first)} at the earliest"
    return f"{takes}{earliest}, the contract starts {offer.start}{late}"


def due_by(offer: Contract, span: Span) -> int | None:
    """First month of the period in which MW must stand there, at the latest; None beyond."""
    first = first_due(offer, span.start)
    if first is None:
        return None
    begins = span.start + ((first - span.start) // span.step) * span.step
    if offer.latest_delivery:
        late = month_index(offer.latest_delivery)
        begins = max(begins, span.start + span.rounded(max(0, late - span.start)))
    within = begins < min(span.end, month_index(offer.start) + offer.months)
    return begins if within else None


def _earliest(draft: Draft, yard: Yard, offer: Contract, span: Span) -> Ready | None:
    """When the first hall could serve a contract; None where none ever could."""
    packages = [
        package
        for _, package in draft.rows(Package, "uptime", "packages")
        if package.availability is None or package.availability >= offer.availability
    ]
    found = [
        _hall_ready(draft, yard, (name, hall), (key, fitout), span, packages)
        for name, hall in yard.halls.items()
        if offer.sites is None or hall.site in offer.sites
        for key, fitout in yard.fitouts_of(name, hall).items()
        if suits(yard, offer, hall, fitout)
    ]
    return min(found, default=None)


def _hall_ready(
    draft: Draft,
    yard: Yard,
    hall: tuple[str, Hall],
    fitout: tuple[str, Fitout],
    span: Span,
    packages: list[Package],
) -> Ready:
    """When a hall could be in service in a fit-out: as it stands, from works, or converted."""
    upgrade = min((package.works_months for package in packages), default=0)
    if hall[1].package is not None or not packages:
        upgrade = 0
    months = max(fitout[1].works_months, upgrade)
    if hall[1].fitout == fitout[0]:
        months = upgrade
    under_way = [
        span.start + span.rounded(max(0, month_index(works.ready) - span.start))
        for _, works in yard.works
        if (works.hall, works.fitout) == (hall[0], fitout[0])
    ]
    lit = _fibre(draft, hall[1].site, span)
    by_works = (max(lit, _built(draft, hall, span) + span.rounded(months)), months)
    return min([by_works, *((max(lit, month), 0) for month in under_way)])


def _built(draft: Draft, hall: tuple[str, Hall], span: Span) -> int:
    """When the first hall of a group stands."""
    if hall[1].count:
        return span.start
    ready = [
        earliest_ready(project, span)
        for _, project in draft.rows(Project, "projects")
        if project.adds_halls is not None and project.adds_halls.hall == hall[0]
    ]
    return min(ready, default=span.end)


def _fibre(draft: Draft, site: str, span: Span) -> int:
    """When a site has fibre, without which no hall for AI can be put to use."""
    if draft.table(Site, "sites")[site].fibre:
        return span.start
    ready = [
        earliest_ready(project, span)
        for _, project in draft.rows(Project, "projects")
        if project.adds_fibre and project.site == site
    ]
    return min(ready, default=span.end)

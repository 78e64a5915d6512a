"""What no plan can do, seen without a solver.

Each test compares what is owed with the most that could ever be there. None refuses an instance
that has a plan: what is there is counted generously, what is owed at its least.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache

from models.derive.facts import Facts, tree_of
from models.instance import (
    BudgetStep,
    Contract,
    Dated,
    DebtPayment,
    Finance,
    Fitout,
    FleetRow,
    Hall,
    Horizon,
    Policy,
    Project,
    RackOrder,
    SignedContract,
    Site,
    Works,
    month_index,
    month_text,
)
from optimizer.best import best_reach, in_the_way
from optimizer.checks.draft import Draft, Span
from optimizer.checks.fits import SLACK, Yard
from optimizer.errors import Problem
from optimizer.keys import Key

Signed = tuple[Key, SignedContract, Contract]


def impossibilities(draft: Draft) -> list[Problem]:
    """Find what makes every plan infeasible; the draft holds a whole, sound instance."""
    if draft.one(Horizon, "horizon") is None or draft.one(Finance, "finance") is None:
        return []
    return [problem for check in IMPOSSIBLE for problem in check(draft)]


def _span(draft: Draft) -> Span:
    horizon = draft.one(Horizon, "horizon")
    assert horizon is not None
    return Span.of(horizon)


def _finance(draft: Draft) -> Finance:
    finance = draft.one(Finance, "finance")
    assert finance is not None
    return finance


def _signed(draft: Draft) -> list[Signed]:
    offers = draft.table(Contract, "contracts")
    rows = draft.rows(SignedContract, "commitments", "contracts")
    return [(key, row, offers[row.contract]) for key, row in rows if row.contract in offers]


# --- availability and halls ----------------------------------------------------------------


def _availability(draft: Draft) -> Iterator[Problem]:
    """Compare what a contract promises with the best that any design reaches."""
    facts = facts_of(draft)
    if facts is None:
        return
    signed = {row.contract: key for key, row, _ in _signed(draft)}
    for key, offer in draft.rows(Contract, "contracts"):
        if any(facts.can_promise(p, offer) for p in facts.place_list if p.workload == "ai"):
            continue
        best = best_reach(facts, offer)
        if best is None or offer.availability == 0.0:
            continue
        found = f"{offer.availability:.8g}"
        allowed = f"at most {best.availability:.8g}, at {best.site}"
        if not best.availability:
            allowed = "0, as there is no uptime package"
        at: Key = (*key, "availability")
        way = in_the_way(best, offer.availability)
        hint = f"of the downtime it allows, the best design uses up: {way}" if way else ""
        if key[-1] in signed:
            message = "a signed contract promises more than any design reaches"
            hint = hint if best.availability else "add a package to uptime.packages"
            yield draft.problem(at, message, found=found, allowed=allowed, hint=hint)
        else:
            message = "no design reaches this, so the offer is never signed"
            hint = hint if best.availability else ""
            yield draft.warning(at, message, found=found, allowed=allowed, hint=hint)


def facts_of(draft: Draft) -> Facts | None:
    """Read what a whole instance says of its parts."""
    instance = draft.whole
    return None if instance is None else Facts(instance, tree_of(instance))


def _nowhere(draft: Draft) -> Iterator[Problem]:
    """Find contracts that no hall could ever serve: cooling, density, site or work."""
    yard = Yard.of(draft)
    signed = {row.contract for _, row, _ in _signed(draft)}
    for key, offer in draft.rows(Contract, "contracts"):
        if any(_serves(yard, offer, name, hall) for name, hall in yard.halls.items()):
            continue
        if key[-1] in signed:
            message = "no hall can ever serve this signed contract"
            hint = "look at its sites, cooling and kw_per_rack, and at the halls' fitouts"
            yield draft.problem(key, message, hint=hint)
        else:
            yield draft.warning(key, "no hall can ever serve this offer, so it is never signed")


def _serves(yard: Yard, offer: Contract, name: str, hall: Hall) -> bool:
    if offer.sites is not None and hall.site not in offer.sites:
        return False
    return bool(_serving(yard, offer, name, hall))


def _serving(yard: Yard, offer: Contract, name: str, hall: Hall) -> list[Fitout]:
    """Fit-outs of a hall that serve a contract, wherever it allows them."""
    fitouts = yard.fitouts_of(name, hall).values()
    return [fitout for fitout in fitouts if suits(yard, offer, hall, fitout)]


def suits(yard: Yard, offer: Contract, hall: Hall, fitout: Fitout) -> bool:
    """Whether a hall in a fit-out could serve a contract: work, cooling and density."""
    if fitout.workload != "ai" or offer.cooling not in (None, fitout.cooling):
        return False
    if offer.racks_by == "owner":
        racks = [yard.racks[name] for name in offer.racks if name in yard.racks]
        return any(yard.misfit(rack, hall, fitout) is None for rack in racks)
    most = fitout.kw_per_rack_max
    return most is None or offer.kw_per_rack is None or offer.kw_per_rack <= most


# --- the grid ------------------------------------------------------------------------------


def _firm_mw(draft: Draft) -> Iterator[Problem]:
    """Compare the AI MW that are owed with the firm MW that can be there, period by period.

    Contracts that may be served at the same sites only compete for the same firm MW, so the test
    is made for every set of sites that a contract names, with all contracts confined to it. Those
    that allow their load to be off may stand on interruptible MW: first without them, then with
    them and these MW.
    """
    signed, span = _signed(draft), _span(draft)
    everywhere = frozenset(draft.names("sites"))
    allowed = {id(offer): frozenset(offer.sites or everywhere) for _, _, offer in signed}
    for sites in sorted(set(allowed.values()), key=sorted):
        confined = [row for row in signed if allowed[id(row[2])] <= sites]
        uncut = [row for row in confined if not row[2].curtailable_hours_per_year]
        yield from _first_short(draft, uncut, sites, span)
        if len(uncut) < len(confined):
            yield from _first_short(draft, confined, sites, span, cut=True)


def _first_short(
    draft: Draft, rows: list[Signed], sites: frozenset[str], span: Span, *, cut: bool = False
) -> Iterator[Problem]:
    """Tell the first period in which contracts owe more MW than can be there."""
    for month in range(span.start, span.end, span.step):
        owed = sum(_owed_mw(draft, row, month, span.step) for row in rows)
        there = sum(_mw_at_most(draft, site, month, span, cut=cut) for site in sites)
        if owed > there * (1 + SLACK):
            yield _short(draft, rows, sites, month, (owed, there))
            break


def _offers_firm_mw(draft: Draft) -> Iterator[Problem]:
    """Compare the least MW of an offer with the firm MW that can ever be where it may be served.

    What it needs is counted at its smallest, in the fit-out that asks least of the grid; what is
    there with every project built as early as it can be.
    """
    yard, span = Yard.of(draft), _span(draft)
    signed = {row.contract for _, row, _ in _signed(draft)}
    most = cache(lambda site, month, cut: _mw_at_most(draft, site, month, span, cut=cut))
    for key, offer in draft.rows(Contract, "contracts"):
        sites = {
            hall.site for name, hall in yard.halls.items() if _serves(yard, offer, name, hall)
        }
        if key[-1] in signed or not sites:
            continue
        peak, cut = _least_peak(yard, offer), offer.curtailable_hours_per_year > 0
        for month in range(span.start, span.end, span.step):
            need = _due_share(offer, month, span.step) * offer.min_mw * peak
            if not need:
                continue
            firm = sum(most(site, month, cut) for site in sorted(sites))
            if need > firm * (1 + SLACK):
                yield _out_of_reach(draft, key, sites, month, (need, firm))
                break


def _out_of_reach(
    draft: Draft, key: Key, sites: set[str], month: int, mw: tuple[float, float]
) -> Problem:
    where = ", ".join(sorted(sites))
    return draft.warning(
        (*key, "min_mw"),
        "the offer needs more firm MW than can ever be there, so it is never signed",
        found=f"{mw[0]:g} MW at peak for its least MW in {month_text(month)}",
        allowed=f"at most {mw[1]:g} MW firm at {where}, with every project built",
        hint="raise firm_mw, add a project, or allow more sites",
    )


def _owed_mw(draft: Draft, row: Signed, month: int, step: int) -> float:
    """Utility MW at peak that a signed contract needs throughout a period, at the least."""
    share = _due_share(row[2], month, step)
    return share * row[1].mw * _least_peak(Yard.of(draft), row[2]) if share else 0.0


def _due_share(offer: Contract, month: int, step: int) -> float:
    """Share of a contract that is due throughout a period, however late it may begin."""
    start = month_index(offer.start)
    late = month_index(offer.latest_delivery) if offer.latest_delivery else start
    months = range(month, month + step)
    if months[0] < late or months[-1] >= start + offer.months:
        return 0.0
    return min(ramp_share(offer, at - start) for at in months)


def _least_peak(yard: Yard, offer: Contract) -> float:
    """Utility MW at peak of a MW of a contract, where that is least."""
    peaks = [
        fitout.pue_peak or fitout.pue
        for name, hall in yard.halls.items()
        if offer.sites is None or hall.site in offer.sites
        for fitout in _serving(yard, offer, name, hall)
    ]
    return min(peaks, default=1.0)


def ramp_share(offer: Contract, months: int) -> float:
    """Share of a contract that is due so many months after its start."""
    reached = [step.share for step in offer.ramp if step.after_months <= months]
    return (reached[-1] if reached else 0.0) if offer.ramp else 1.0


def _mw_at_most(draft: Draft, site: str, month: int, span: Span, *, cut: bool) -> float:
    """MW for AI at a site in a month, with every project built as early as it can be.

    Firm MW, and interruptible MW too for what may be cut.
    """
    here, policy = draft.table(Site, "sites")[site], draft.one(Policy, "policy")
    standing = _at(here.firm_mw, month) + (_at(here.interruptible_mw, month) if cut else 0.0)
    today = standing if policy is None or policy.reuse_power else 0.0
    kept = policy is not None and site in policy.keep_sites
    built = sum(
        (project.adds_firm_mw + (project.adds_interruptible_mw if cut else 0.0))
        * project.max_units
        for project in draft.table(Project, "projects").values()
        if project.site == site and not kept and earliest_ready(project, span) <= month
    )
    caps = [mw for mw in (here.ai_mw_max, here.substation_mw) if mw is not None]
    return min([today + built, *caps])


def earliest_ready(project: Project, span: Span) -> int:
    """First month of a project's service, ordered as early as it can be."""
    earliest = month_index(project.earliest) if project.earliest else span.start
    ordered = span.start + span.rounded(max(0, earliest - span.start))
    if project.latest and ordered > month_index(project.latest):
        return span.end
    return ordered + span.rounded(project.months)


def _at(dated: Dated, month: int) -> float:
    if not isinstance(dated, list):
        return float(dated)
    reached = [step.value for step in dated if month_index(step.from_) <= month]
    return reached[-1] if reached else dated[0].value


def _short(
    draft: Draft, rows: list[Signed], sites: frozenset[str], month: int, mw: tuple[float, float]
) -> Problem:
    names = ", ".join(row.contract for _, row, _ in rows)
    where = ", ".join(sorted(sites))
    return draft.problem(
        (*rows[0][0], "mw"),
        "the AI MW signed are more than the firm MW that can ever be there",
        found=f"{mw[0]:g} MW at peak for {names} in {month_text(month)}",
        allowed=f"at most {mw[1]:g} MW firm at {where}, with every project built",
        hint="raise firm_mw, add a project, or allow more sites",
    )


# --- money ---------------------------------------------------------------------------------


def _dues(draft: Draft) -> list[tuple[str, int, float]]:
    """Payments still owed: site, month and M$."""
    halls = draft.table(Hall, "halls")
    racks = draft.rows(RackOrder, "commitments", "racks")
    works = draft.rows(Works, "commitments", "works")
    return [
        *((halls[row.hall].site, month_index(row.due or row.delivery), row.due_musd)
          for _, row in racks if row.hall in halls),
        *((halls[row.hall].site, month_index(row.due or row.ready), row.due_musd)
          for _, row in works if row.hall in halls),
    ]  # fmt: skip


def _budgets(draft: Draft) -> Iterator[Problem]:
    """Compare what is owed with the capex budgets."""
    finance, span, dues = _finance(draft), _span(draft), _dues(draft)
    budgets: list[tuple[Key, float, float]] = []
    if finance.capex_budget_musd is not None:
        owed = sum(musd for _, month, musd in dues if month < span.end)
        budgets.append((("finance", "capex_budget_musd"), finance.capex_budget_musd, owed))
    for site, most in finance.capex_budget_by_site_musd.items():
        owed = sum(musd for at, month, musd in dues if at == site and month < span.end)
        budgets.append((("finance", "capex_budget_by_site_musd", site), most, owed))
    for key, step in draft.rows(BudgetStep, "finance", "capex_budget_by_period"):
        first, after = _periods_within(step, span)
        owed = sum(musd for _, month, musd in dues if first <= month < after)
        budgets.append((key, step.musd, owed))
    for key, most, owed in budgets:
        if owed > most * (1 + SLACK):
            message = "what is already owed is more than this capex budget"
            found, allowed = f"{owed:g} M$ owed", f"at most {most:g} M$"
            yield draft.problem(key, message, found=found, allowed=allowed)


def _periods_within(step: BudgetStep, span: Span) -> tuple[int, int]:
    """Months of the periods that start within a budget's span."""
    first = month_index(step.from_)
    after = month_index(step.to) + 1 if step.to else first + span.step
    starts = [month for month in range(span.start, span.end, span.step) if first <= month < after]
    return (starts[0], starts[-1] + span.step) if starts else (0, 0)


def _cash(draft: Draft) -> Iterator[Problem]:
    """Find a company that starts below its minimum cash with nothing to come at once.

    A loan is of no help: it pays at most for the capex that it is drawn for. Racks of today, and
    those on order that land at once, may be sold.
    """
    finance, span = _finance(draft), _span(draft)
    signed = {row.contract for _, row, _ in _signed(draft)}
    advances = any(
        offer.prepayment_usd_per_kw or offer.tenant_works_usd_per_kw
        for key, offer in draft.rows(Contract, "contracts")
        if key[-1] not in signed
    )
    landing = any(
        month_index(row.delivery) <= span.start
        for _, row in draft.rows(RackOrder, "commitments", "racks")
    )
    if advances or landing or draft.rows(FleetRow, "fleet"):
        return
    repaid = sum(
        row.principal_musd
        for _, row in draft.rows(DebtPayment, "commitments", "debt")
        if month_index(row.month) < span.start + span.step
    )
    cash, least = finance.opening_cash_musd, finance.minimum_cash_musd
    if cash - repaid < least:
        message = "cash opens below its minimum, and nothing can come before it is asked for"
        owed = f", of which {repaid:g} M$ repay debt by the first period" if repaid else ""
        lent = finance.loan is not None and finance.loan.limit_musd > 0
        hint = "the loan pays for capex only; raise the cash, or lower minimum_cash_musd"
        yield draft.problem(
            ("finance", "opening_cash_musd"),
            message,
            found=f"{cash:g} M${owed}",
            allowed=f"at least {least + repaid:g} M$",
            hint=hint if lent else "",
        )


#: What is tested of a sound instance, each by itself.
IMPOSSIBLE: tuple[Callable[[Draft], Iterator[Problem]], ...] = (
    _availability,
    _nowhere,
    _firm_mw,
    _offers_firm_mw,
    _budgets,
    _cash,
)

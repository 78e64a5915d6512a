"""Keys that were typed and change nothing, and lead times that are rounded."""

from __future__ import annotations

from collections.abc import Iterator

from models.instance import (
    Bitcoin,
    Block,
    Component,
    Contract,
    Finance,
    Fitout,
    FleetRow,
    Growth,
    Hall,
    Horizon,
    Package,
    Policy,
    Project,
    Rack,
    RackOrder,
    Site,
    Subsystem,
)
from optimizer.checks.draft import Draft, Span
from optimizer.errors import Problem
from optimizer.keys import Key


def idle_keys(draft: Draft) -> Iterator[Problem]:
    """Find keys that a person typed and that have no effect."""
    for check in (_bitcoin, _finance, _policy, _racks, _halls, _contracts, _uptime):
        for key, why in check(draft):
            if draft.typed(key):
                yield draft.warning(key, f"the key has no effect: {why}")


def unused_blocks(draft: Draft) -> Iterator[Problem]:
    """Find blocks that a person typed and that nothing can use; the draft is sound."""
    for key, why in _unused(draft):
        if draft.typed(key):
            yield draft.warning(key, f"the block has no effect: {why}")


def _given(block: Block, key: Key, *names: str) -> Iterator[Key]:
    """Walk the keys among ``names`` that the block gives."""
    yield from ((*key, name) for name in names if name in block.model_fields_set)


def _uptime(draft: Draft) -> Iterator[tuple[Key, str]]:
    parts = draft.rows(Subsystem, "uptime", "subsystems")
    for key, part in parts:
        if part.feed is None:
            for at in _given(part, key, "ride_through_seconds", "restart_hours"):
                yield at, "the part has no feed"
        if part.level == "company":
            for at in _given(part, key, "spares_max", "mixing", "needed_in_fitout", "load_share"):
                yield at, "a part of the company is there once"
        if part.level != "site":
            for at in _given(part, key, "sites"):
                yield at, "only parts of a site's plant are limited to sites"
    for key, package in draft.rows(Package, "uptime", "packages"):
        if package.units:
            names = ("capex_usd_per_kw", "works_months", "opex_usd_per_kw_year")
            for at in _given(package, key, *names, "outages_per_year"):
                yield at, "it follows from the units of the package"
    learn = {name for _, part in parts if part.level == "company" for name in part.components}
    for key, kind in draft.rows(Component, "uptime", "components"):
        if kind.start_failure_share is not None:
            for at in _given(kind, key, "maintenance_hours_per_year"):
                yield at, "the availability of a unit that stands by holds its planned work"
        if key[-1] not in learn:
            for at in _given(kind, key, "newcomer_factor", "learning_months"):
                yield at, "no part of the company is made of it"


def _bitcoin(draft: Draft) -> Iterator[tuple[Key, str]]:
    bitcoin = draft.one(Bitcoin, "bitcoin")
    if bitcoin is None or bitcoin.hashprice_usd_per_ph_day is None:
        at = () if bitcoin is None else _given(bitcoin, ("bitcoin",), "halves")
        yield from ((key, "the subsidy follows the protocol") for key in at)
    elif not isinstance(bitcoin.hashprice_usd_per_ph_day, Growth):
        for key in _given(bitcoin, ("bitcoin",), "halves", "fee_share"):
            yield key, "a hashprice given month by month holds its halvings"
    elif not bitcoin.halves:
        for key in _given(bitcoin, ("bitcoin",), "fee_share"):
            yield key, "the hashprice does not halve"


def _finance(draft: Draft) -> Iterator[tuple[Key, str]]:
    finance = draft.one(Finance, "finance")
    if finance and finance.hosts_ai_already and finance.ai_entry_cost_musd:
        yield ("finance", "ai_entry_cost_musd"), "the company hosts AI already"
    if finance and finance.loan and not finance.loan.limit_musd:
        yield ("finance", "loan"), "its limit is zero"


def _policy(draft: Draft) -> Iterator[tuple[Key, str]]:
    policy = draft.one(Policy, "policy")
    shares = ("mining_share_min", "mining_share_max", "ai_share_min", "ai_share_max")
    if policy and all(getattr(policy, share) is None for share in shares):
        yield ("policy", "shares_from"), "no share is given"


def _racks(draft: Draft) -> Iterator[tuple[Key, str]]:
    for key, rack in draft.rows(Rack, "racks"):
        if not rack.buyable:
            for at in _given(rack, key, "buy_from", "buy_until", "deposit_share"):
                yield at, "the rack may not be ordered"
        elif not rack.delivery_months:
            for at in _given(rack, key, "deposit_share"):
                yield at, "it is delivered when it is ordered"
        if rack.machine is not None:
            for at in _given(rack, key, "kw"):
                yield at, "a mining rack draws what its machines draw"
        elif rack.workload == "mining":
            for at in _given(rack, key, "workload"):
                yield at, "GPUs earn nothing by mining"


def _halls(draft: Draft) -> Iterator[tuple[Key, str]]:
    fitouts = draft.table(Fitout, "fitouts")
    by_area = {name for name, fitout in fitouts.items() if fitout.m2_per_mw is not None}
    for key, hall in draft.rows(Hall, "halls"):
        if not hall.convertible and hall.fitouts is not None:
            yield (*key, "fitouts"), "the hall is not convertible"
        if hall.floor_m2 is not None and not by_area:
            yield (*key, "floor_m2"), "no fit-out is sized by floor area"
        for position, name in enumerate(hall.fitouts or ()):
            if name in by_area and hall.floor_m2 is None:
                why = "the fit-out is sized by floor area, which the hall does not give"
                yield (*key, "fitouts", position), why


def _contracts(draft: Draft) -> Iterator[tuple[Key, str]]:
    for key, offer in draft.rows(Contract, "contracts"):
        if offer.racks_by == "owner":
            for at in _given(offer, key, "kw_per_rack"):
                yield at, "owner racks have their own density"
        if offer.latest_delivery is None:
            for at in _given(offer, key, "delay_usd_per_kw_month"):
                yield at, "without latest_delivery nothing may be late"
        if not offer.prepayment_usd_per_kw:
            for at in _given(offer, key, "prepayment_credit_months"):
                yield at, "there is no prepayment"


def _unused(draft: Draft) -> Iterator[tuple[Key, str]]:
    """Walk what a person defined and nothing in the instance can use."""
    sites = draft.rows(Site, "sites")
    billed = {site.power or str(key[-1]) for key, site in sites}
    machines = {rack.machine for _, rack in draft.rows(Rack, "racks")}
    for table, used in (("power", billed), ("machines", machines)):
        if sites and (table == "power" or machines):
            for name in sorted(draft.names(table) - used):
                yield (table, name), "nothing uses it"
    standing = {row.rack for _, row in draft.rows(FleetRow, "fleet")}
    standing |= {row.rack for _, row in draft.rows(RackOrder, "commitments", "racks")}
    standing |= {
        rack.converts_to.rack for _, rack in draft.rows(Rack, "racks") if rack.converts_to
    }
    for key, rack in draft.rows(Rack, "racks"):
        if not rack.buyable and key[-1] not in standing:
            yield key, "none stands anywhere and none may be ordered"


def lead_times(draft: Draft) -> Iterator[Problem]:
    """Find lead times that are not whole periods; they round up."""
    horizon = draft.one(Horizon, "horizon")
    if horizon is None:
        return
    span = Span.of(horizon)
    for key, months in _leads(draft):
        if months % span.step:
            rounded = span.rounded(months)
            message = f"the lead time rounds up to whole periods: {rounded} months"
            found, allowed = f"{months} months", f"multiples of {span.step}"
            yield draft.warning(key, message, found=found, allowed=allowed)


def lives(draft: Draft) -> Iterator[Problem]:
    """Find lives shorter than the horizon of what serves on and is not renewed."""
    horizon = draft.one(Horizon, "horizon")
    if horizon is None:
        return
    months = horizon.periods * horizon.months_per_period
    for key, life in _lives(draft):
        if life < months and draft.typed((*key, "life_months")):
            message = "it serves on beyond its life, worth nothing then, and nothing renews it"
            found, allowed = f"{life} months", f"{months} months or more, or upkeep that renews it"
            yield draft.warning((*key, "life_months"), message, found=found, allowed=allowed)


def _lives(draft: Draft) -> Iterator[tuple[Key, int]]:
    for key, fitout in draft.rows(Fitout, "fitouts"):
        yield key, fitout.life_months
    for key, kind in draft.rows(Component, "uptime", "components"):
        yield key, kind.life_months
    for key, project in draft.rows(Project, "projects"):
        yield key, project.life_months


def _leads(draft: Draft) -> Iterator[tuple[Key, int]]:
    for key, rack in draft.rows(Rack, "racks"):
        if rack.buyable:
            yield (*key, "delivery_months"), rack.delivery_months
        if rack.converts_to:
            yield (*key, "converts_to", "months"), rack.converts_to.months
    for key, fitout in draft.rows(Fitout, "fitouts"):
        yield (*key, "works_months"), fitout.works_months
    for key, package in draft.rows(Package, "uptime", "packages"):
        yield (*key, "works_months"), package.works_months
    for key, kind in draft.rows(Component, "uptime", "components"):
        yield (*key, "works_months"), kind.works_months
    for key, project in draft.rows(Project, "projects"):
        yield (*key, "months"), project.months

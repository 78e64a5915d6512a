"""The limits of an instance as a planner typed them: what each is about, and how it could give.

A limit is one key, not a row: a budget, the firm MW of a site, the start of a contract, a line of
the plan that is pinned. Prices, lead times and what machines or works cost are figures and no
limits: nobody lifts them by typing another number.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

from models.instance import Instance, month_index, month_text
from optimizer.answers.conflict.edits import REMOVED, Edits
from optimizer.keys import Key, unit_of, value_at
from optimizer.sweep.design.keys import ABSENT, Found, find

#: How a limit gives: by an amount, by whole things, by a date, or by another of few choices.
Way = Literal["amount", "count", "later", "earlier", "yes", "drop", "all", "density", "nines"]

#: Where figures end that the loader takes: a limit beyond holds nobody back.
MOST_MUSD, MOST_CASH_MUSD, MOST_MW = 100_000.0, 50_000.0, 5000.0
#: Units of a project and spares that are as good as any number. Of halls there are no more than
#: could be of use, as every hall that stands costs its upkeep.
MORE_UNITS, MOST_SPARES = 100, 20
LEAST_MW, LEAST_PROMISE, BEST_PACKAGE = 0.05, 0.9, 0.99999999
#: Share of a hall's MW that a contract is taken to fill at least, and most halls of a group.
LEAST_FILLED, MOST_HALLS = 0.25, 1000
PIN = "policy.pin"


@dataclass(frozen=True, eq=False)
class Limit:
    """A limit that somebody typed.

    Attributes
    ----------
    key : str
        The dotted key; of a plan that is pinned, the line of its file.
    parts : Key
        Its parts.
    about : str
        What it limits, in the planner's words.
    where : str
        Site, hall, contract and so on; empty where it holds for the whole company.
    unit : str
        Of what is typed; empty where that is no number.
    held : object
        What was typed.
    up : bool or None
        Whether more of it makes more possible; None where that is not a matter of more.
    way : str
        How it could give.
    free : mapping of Key to object
        What the document holds where this limit holds nobody back.
    touches : frozenset of (str, str)
        Tables and names that rows of the model have in common with it.
    said : str
        What it says within a sentence, ``{held}`` and ``{where}`` in it.
    whole : bool
        Whether only whole numbers can be typed.
    relaxes : bool
        Whether every plan is one still with the limit freed. Not of MW that are billed, halls
        that owe their upkeep, and contracts whose revenue goes with them.
    """

    key: str
    parts: Key
    about: str
    where: str
    unit: str
    held: Any
    up: bool | None
    way: Way
    free: Edits
    touches: frozenset[tuple[str, str]]
    said: str
    whole: bool = False
    relaxes: bool = True

    @property
    def is_pin(self) -> bool:
        """Whether it is a line of the plan that is pinned."""
        return self.parts[:2] == ("policy", "pin")


class _Read(NamedTuple):
    """What limits are read off."""

    document: Mapping[str, Any]
    instance: Instance


#: What a key holds where it holds nobody back; None leaves it out of the limits.
_Free = Callable[[_Read, Found], Edits | None]


def _put(value: Any) -> _Free:
    return lambda _, found: {found.key: value}


def _gone(_: _Read, found: Found) -> Edits:
    return {found.key: REMOVED}


def _more(units: int) -> _Free:
    return lambda _, found: {found.key: int(found.base) + units}


def _halls_enough(read: _Read, found: Found) -> Edits:
    """Give twice as many halls and two, or enough for every contract a quarter full.

    With as much beside it as shares of the two businesses ask for, in halls that a fit-out leaves
    the least of.
    """
    i, held = read.instance, int(found.base)
    signed = {one.contract: one.mw for one in i.commitments.contracts}
    mw = sum(signed.get(name, offer.max_mw) for name, offer in i.contracts.items())
    kept = min((fitout.it_share_of_present or 1.0 for fitout in i.fitouts.values()), default=1.0)
    filled = LEAST_FILLED * kept * i.halls[str(found.key[1])].it_mw
    policy = i.policy
    other = max(policy.mining_share_min or 0.0, policy.ai_share_min or 0.0,
                1.0 - (1.0 if policy.ai_share_max is None else policy.ai_share_max))  # fmt: skip
    beside = 1.0 / max(1.0 - other, 1.0 / MOST_HALLS)
    enough = held + math.ceil(mw * beside / max(filled, LEAST_MW))
    return {found.key: max(2 * held + 2, min(enough, MOST_HALLS))}


def _last_start(read: _Read, found: Found) -> Edits | None:
    """Let a contract start in the last period, and be late as long as it could be before."""
    horizon = read.instance.horizon
    last = month_index(horizon.start) + (horizon.periods - 1) * horizon.months_per_period
    if month_index(found.held) >= last:
        return None
    return started(read.document, found.key, last)


def started(document: Mapping[str, Any], at: Key, month: int) -> dict[Key, Any]:
    """Let a contract start in another month, its latest delivery never before."""
    moved: dict[Key, Any] = {at: month_text(month)}
    late = (*at[:-1], "latest_delivery")
    typed = value_at(document, late)
    if typed is not None and month_index(typed) < month:
        moved[late] = month_text(month)
    return moved


def _after_all(read: _Read, found: Found) -> Edits | None:
    """Let what holds from a month on hold after the horizon; untyped, it holds from its start."""
    horizon = read.instance.horizon
    end = month_index(horizon.start) + horizon.periods * horizon.months_per_period
    return None if month_index(found.held) >= end else {found.key: month_text(end)}


def _last_delivery(read: _Read, found: Found) -> Edits | None:
    offer = read.instance.contracts[str(found.key[1])]
    horizon = read.instance.horizon
    last = month_index(horizon.start) + (horizon.periods - 1) * horizon.months_per_period
    last = min(last, month_index(offer.start) + offer.months - 1)
    return None if month_index(found.held) >= last else {found.key: month_text(last)}


def _at_start(_read: _Read, found: Found) -> Edits:
    return {found.key: value_at(_read.document, (*found.key[:-1], "start"))}


def _owner(_: _Read, found: Found) -> Edits:
    """Take a whole commitment out."""
    return {found.key[:-1]: REMOVED}


class _Kind(NamedTuple):
    """Limits of one kind: the keys, the words in a table and in a sentence, how they give."""

    pattern: str
    about: str
    said: str
    way: Way
    free: _Free
    up: bool | None = True
    #: Whether the limit is there where nobody typed it.
    always: bool = False
    relaxes: bool = True


#: Kinds of limits, those first that a planner would rather see left out of a clash.
KINDS: tuple[_Kind, ...] = (
    _Kind("gpu_cloud.*.demand_limit_mw", "demand for GPU-hours",
          "{held} of demand for GPU-hours on {where}", "amount", _gone),
    _Kind("uptime.subsystems.*.spares_max", "most spare units",
          "{held} beyond those needed in {where}", "count", _put(MOST_SPARES)),
    _Kind("fitouts.*.can_go_back", "conversion of what is fitted out",
          "{where}, from which no hall goes back", "yes", _put(True), None),
    _Kind("fitouts.*.positions_per_mw", "rack positions",
          "{held} of rack positions in {where}", "amount", _put(10_000.0)),
    _Kind("racks.*.buy_from", "first month of ordering",
          "{where} not ordered before {held}", "earlier", _gone, None),
    _Kind("racks.*.buy_until", "last month of ordering",
          "{where} not ordered after {held}", "later", _gone, None),
    _Kind("racks.*.buyable", "orders of the rack",
          "no orders of {where}", "yes", _put(True), None),
    _Kind("contracts.*.max_mw", "most MW of the contract",
          "{held} of {where} at most", "amount", _put(MOST_MW)),
    _Kind("contracts.*.min_mw", "least MW of the contract",
          "{held} of {where} at least", "amount", _put(LEAST_MW), False),
    _Kind("contracts.*.sign_by", "last month of signing",
          "{where} signed by {held}", "later", _at_start, None),
    _Kind("contracts.*.latest_delivery", "latest delivery",
          "{where} delivered by {held}", "later", _last_delivery, None),
    _Kind("uptime.packages.*.availability", "availability of the package",
          "{held} that package {where} reaches", "nines", _put(BEST_PACKAGE)),
    _Kind("projects.*.earliest", "first month of the project's order",
          "{where} not ordered before {held}", "earlier", _gone, None),
    _Kind("projects.*.latest", "last month of the project's order",
          "{where} not ordered after {held}", "later", _gone, None),
    _Kind("projects.*.max_units", "units of the project",
          "{held} of {where} at most", "count", _more(MORE_UNITS)),
    _Kind("halls.*.fitouts", "fit-outs of the hall",
          "{where} fitted out as {held} only", "all", _gone, None),
    _Kind("halls.*.convertible", "conversion of the hall",
          "no conversion of {where}", "yes", _put(True), None),
    _Kind("halls.*.rack_positions", "rack positions of a hall",
          "{held} in a hall of {where}", "amount", _gone),
    _Kind("halls.*.count", "halls",
          "{held} in {where}", "count", _halls_enough, relaxes=False),
    _Kind("fitouts.*.kw_per_rack_max", "densest rack of the fit-out",
          "racks of {held} at most in {where}", "density", _gone),
    _Kind("sites.*.fibre", "fibre",
          "no fibre at {where}", "yes", _put(True), None),
    _Kind("sites.*.interruptible_mw", "interruptible grid MW",
          "{held} interruptible at {where}", "amount", _put(MOST_MW), relaxes=False),
    _Kind("sites.*.substation_mw", "substation",
          "a substation of {held} at {where}", "amount", _gone),
    _Kind("sites.*.mining_mw_max", "grid MW granted to mining",
          "{held} granted to mining at {where}", "amount", _gone),
    _Kind("sites.*.ai_mw_max", "grid MW granted to AI",
          "{held} granted to AI at {where}", "amount", _gone),
    _Kind("sites.*.firm_mw", "firm grid MW",
          "{held} firm at {where}", "amount", _put(MOST_MW), always=True, relaxes=False),
    _Kind("power.*.energy_cap_mwh_per_year", "energy of a year",
          "{held} a year on {where}", "amount", _gone),
    _Kind("power.*.carbon.cap_tonnes_per_year", "carbon of a year",
          "{held} of carbon a year on {where}", "amount", _gone),
    _Kind("commitments.debt.*.principal_musd", "debt to be repaid",
          "{held} of {where} to be repaid", "amount", _put(0.0), False),
    _Kind("commitments.works.*.due_musd", "still owed for works",
          "{held} owed for works in {where}", "amount", _put(0.0), False),
    _Kind("commitments.racks.*.due_musd", "still owed for racks",
          "{held} owed for racks in {where}", "amount", _put(0.0), False),
    _Kind("finance.loan.draw_until", "last month of a draw",
          "no draw of the loan after {held}", "later", _gone, None),
    _Kind("finance.loan.loan_to_cost_share", "share of capex that the loan may pay",
          "a loan for {held} of capex", "amount", _put(1.0)),
    _Kind("finance.loan.limit_musd", "limit of the loan",
          "a loan of {held} at most", "amount", _put(MOST_CASH_MUSD)),
    _Kind("finance.opening_cash_musd", "cash at the start",
          "{held} of cash at the start", "amount", _put(MOST_CASH_MUSD)),
    _Kind("finance.minimum_cash_musd", "least cash",
          "{held} of cash that must stay", "amount", _put(0.0), False),
    _Kind("contracts.*.kw_per_rack", "density of the tenant's racks",
          "racks of {held} for {where}", "density", _gone, False),
    _Kind("contracts.*.cooling", "cooling that the tenant needs",
          "{where} cooled by {held}", "all", _gone, None),
    _Kind("contracts.*.sites", "sites that may serve the contract",
          "{where} served at {held} only", "all", _gone, None),
    _Kind("contracts.*.availability", "availability promised",
          "{held} promised to {where}", "nines", _put(LEAST_PROMISE), False),
    _Kind("contracts.*.start", "start of the contract",
          "{where} from {held}", "later", _last_start, None, relaxes=False),
    _Kind("finance.capex_budget_by_period.*.musd", "capex budget of a span",
          "{held} of capex in {where}", "amount", _put(MOST_MUSD)),
    _Kind("finance.capex_budget_by_site_musd.*", "capex budget of the site",
          "{held} of capex at {where}", "amount", _put(MOST_MUSD)),
    _Kind("finance.capex_budget_musd", "capex budget",
          "{held} of capex in all", "amount", _gone),
    _Kind("policy.shares_from", "first month of the shares",
          "shares from {held}", "later", _after_all, None),
    _Kind("policy.mining_share_min", "least share of mining",
          "mining at least {held} of the MW in use", "amount", _gone, False),
    _Kind("policy.mining_share_max", "most share of mining",
          "mining at most {held} of the MW in use", "amount", _gone),
    _Kind("policy.ai_share_min", "least share of AI",
          "AI at least {held} of the MW in use", "amount", _gone, False),
    _Kind("policy.ai_share_max", "most share of AI",
          "AI at most {held} of the MW in use", "amount", _gone),
    _Kind("policy.reuse_gpus", "rebuilding of GPU racks",
          "no GPU rack rebuilt", "yes", _put(True), None),
    _Kind("policy.reuse_halls", "mining halls for AI",
          "no mining hall for AI", "yes", _put(True), None),
    _Kind("policy.reuse_power", "today's MW for AI",
          "none of today's MW for AI", "yes", _put(True), None),
    _Kind("commitments.contracts.*.mw", "MW signed",
          "{held} signed with {where}", "amount", _owner, False, relaxes=False),
)  # fmt: skip


def limits_of(
    document: Mapping[str, Any], instance: Instance, pinned: Mapping[int, str] | None = None
) -> tuple[Limit, ...]:
    """Find the limits of an instance that could give.

    Parameters
    ----------
    document : mapping
        The complete document of the instance.
    instance : Instance
        The same, read.
    pinned : mapping of int to str, optional
        Lines of the plan that ``policy.pin`` names, in words.

    Returns
    -------
    tuple of Limit
        Those first that a planner would rather see left out of a clash.
    """
    read = _Read(document, instance)
    limits = [limit for kind in KINDS for limit in _of_kind(kind, read)]
    kept = value_at(document, ("policy", "keep_sites")) or []
    limits += [
        Limit(
            f"policy.keep_sites.{site}", ("policy", "keep_sites", i), "site that stays as it is",
            site, "", site, None, "drop", {("policy", "keep_sites", i): REMOVED},
            frozenset({("sites", site), ("policy", "")}), "{where} kept as it is",
        )
        for i, site in enumerate(kept)
    ]  # fmt: skip
    limits += [
        Limit(
            f"{PIN}, line {line}", ("policy", "pin", line), "decision that is pinned", str(line),
            "", words, None, "drop",
            {("policy", "pin", line): REMOVED}, frozenset({("policy", "pin")}),
            "the pinned line {where}: {held}",
        )
        for line, words in (pinned or {}).items()
    ]  # fmt: skip
    return tuple(limits)


def _of_kind(kind: _Kind, read: _Read) -> Iterator[Limit]:
    found, _ = find(read.document, kind.pattern)
    for one in found:
        held = one.held if one.held is not ABSENT or not kind.always else one.base
        if held is ABSENT or held is None or one.lacks:
            continue
        free = kind.free(read, one)
        if free is None or all(_as_held(read.document, k, v, held) for k, v in free.items()):
            continue
        whole = one.kind.what == "count"
        unit = unit_of(one.info) if kind.way in ("amount", "count", "density", "nines") else ""
        yield Limit(
            one.text, one.key, kind.about, _where(read, one.key), unit, held, kind.up, kind.way,
            free, _touches(read, one.key), kind.said, whole, kind.relaxes,
        )  # fmt: skip


def _as_held(document: Mapping[str, Any], key: Key, value: Any, held: Any) -> bool:
    """Whether a key holds by now what it would hold if it held nobody back."""
    typed = value_at(document, key)
    return value is not REMOVED and (held if typed is None else typed) == value


def _where(read: _Read, key: Key) -> str:
    """Name what a limit is about: a site, a hall, a contract."""
    if key[:2] == ("commitments", "contracts"):
        return str(value_at(read.document, (*key[:3], "contract")))
    if key[0] == "commitments":
        row = value_at(read.document, key[:3]) or {}
        return str(row.get("hall") or row.get("name") or "")
    if key[:2] == ("finance", "capex_budget_by_site_musd"):
        return str(key[2])
    if key[:2] == ("finance", "capex_budget_by_period"):
        row = value_at(read.document, key[:3]) or {}
        return " to ".join(filter(None, (row.get("from"), row.get("to"))))
    if key[0] == "uptime":
        return str(key[2])
    return str(key[1]) if len(key) > 2 and key[0] not in ("finance", "policy") else ""


def _touches(read: _Read, key: Key) -> frozenset[tuple[str, str]]:
    """Say with which names rows of the model may have this limit in common."""
    top, name = str(key[0]), _where(read, key)
    if key[:2] == ("commitments", "contracts"):
        return frozenset({("contracts", name)})
    if top in ("finance", "commitments"):
        return frozenset({("finance", "")})
    if top == "projects":
        return frozenset({(top, name), ("sites", read.instance.projects[name].site)})
    if top == "power":
        billed = read.instance.sites.items()
        return frozenset(("sites", s) for s, site in billed if (site.power or s) == name)
    if top in ("policy", "uptime"):
        return frozenset({(top, "")})
    return frozenset({(top, name)})

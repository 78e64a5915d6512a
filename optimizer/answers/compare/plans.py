"""What changed in a plan: MW by use, site and year, actions, contracts."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

from optimizer.actions import actions_of
from optimizer.answers.alternatives.measures import STANDING, measures_of
from optimizer.answers.compare.side import Side
from optimizer.audit import values_of

#: Amounts that differ by less are the same.
SAME = 1e-6

Deed = tuple[str, str, str, str, str]


@dataclass(frozen=True)
class StandingChange:
    """MW of a use at a site at the end of a year, in both plans.

    Attributes
    ----------
    site, use, year : str
        Where, what for, and which year.
    old_mw, new_mw, more_mw : float
        IT MW of racks at nameplate, tenants' among them.
    """

    site: str
    use: str
    year: str
    old_mw: float
    new_mw: float
    more_mw: float


@dataclass(frozen=True)
class ActionChange:
    """An action that one of the plans takes, or takes otherwise.

    Attributes
    ----------
    what : str
        ``added``, ``dropped``, ``moved`` in time, ``more`` or ``less``.
    action, site, subject, from_place, to_place : str
        What is done.
    old_month, new_month : str
        When; empty where it is not.
    old_amount, new_amount : float
        How much.
    unit : str
        Unit of the amounts.
    """

    what: str
    action: str
    site: str
    subject: str
    from_place: str
    to_place: str
    old_month: str
    new_month: str
    old_amount: float
    new_amount: float
    unit: str


@dataclass(frozen=True)
class ContractChange:
    """MW signed of a contract, in both plans.

    Attributes
    ----------
    contract : str
        Its name.
    old_mw, new_mw, more_mw : float
        MW signed, expected over scenarios.
    """

    contract: str
    old_mw: float
    new_mw: float
    more_mw: float


def standing_changes(before: Side, after: Side) -> Iterator[StandingChange]:
    """Compare MW at the ends of years; those of years that only one has count as none."""
    old, new = _standing(before), _standing(after)
    for site, use, year in dict.fromkeys((*old, *new)):
        was, is_ = old.get((site, use, year), 0.0), new.get((site, use, year), 0.0)
        yield StandingChange(site, use, year, was, is_, is_ - was)


def _standing(side: Side) -> dict[tuple[str, str, str], float]:
    values, sums = values_of(side.plan), defaultdict[tuple[str, str, str], float](float)
    given = side.plan.given
    for measure in measures_of(side.case, 1):
        if measure.kind == STANDING:
            node = measure.terms[0][0][1][0]
            weight = given.probability[node]
            sums[measure.site, measure.subject, measure.when[:4]] += weight * measure.mw_at(values)
    return dict(sums)


def contract_changes(before: Side, after: Side) -> Iterator[ContractChange]:
    """Compare MW signed."""
    old, new = _signed(before), _signed(after)
    for x in dict.fromkeys((*old, *new)):
        was, is_ = old.get(x, 0.0), new.get(x, 0.0)
        yield ContractChange(x, was, is_, is_ - was)


def _signed(side: Side) -> dict[str, float]:
    given = side.plan.given
    sums = dict.fromkeys(given.contracts, 0.0)
    for (n, x), mw in side.plan.signed_mw.items():
        sums[x] += given.probability[n] * mw
    for owed in side.case.instance.commitments.contracts:
        sums[owed.contract] += owed.mw
    return sums


# --- actions -------------------------------------------------------------------------------


def action_changes(before: Side, after: Side) -> Iterator[ActionChange]:
    """Compare actions: first what is the same, then amounts, then what moved in time.

    Of one deed, what is left over on both sides is taken in pairs in the order of time: the same
    amount at another month has moved.
    """
    old, new = _deeds(before), _deeds(after)
    units = _units(before) | _units(after)
    for deed in dict.fromkeys((*old, *new)):
        was, is_ = dict(old.get(deed, {})), dict(new.get(deed, {}))
        for month in sorted({*was, *is_}):
            a, b = was.get(month), is_.get(month)
            if a is not None and b is not None:
                if abs(a - b) > SAME:
                    what = "more" if b > a else "less"
                    yield ActionChange(what, *deed, month, month, a, b, units[deed[0]])
                del was[month], is_[month]
        yield from _moved(deed, was, is_, units[deed[0]])
        for month, amount in was.items():
            yield ActionChange("dropped", *deed, month, "", amount, 0.0, units[deed[0]])
        for month, amount in is_.items():
            yield ActionChange("added", *deed, "", month, 0.0, amount, units[deed[0]])


def _moved(
    deed: Deed, was: dict[str, float], is_: dict[str, float], unit: str
) -> Iterator[ActionChange]:
    """Pair what is done at another month in the same amount, and take it out of both."""
    for month, amount in list(was.items()):
        then = next((m for m, b in is_.items() if abs(b - amount) <= SAME), None)
        if then is not None:
            del was[month], is_[then]
            yield ActionChange("moved", *deed, month, then, amount, amount, unit)


def _deeds(side: Side) -> dict[Deed, dict[str, float]]:
    """Amounts by deed and month; those of branches add up."""
    found: dict[Deed, dict[str, float]] = {}
    for row in actions_of(side.case, side.plan).to_dict(orient="records"):
        deed = tuple(str(row[name]) for name in ("action", "site", "subject", "from", "to"))
        months = found.setdefault(deed, {})  # type: ignore[arg-type]
        months[row["month"]] = months.get(row["month"], 0.0) + row["amount"]
    return found


def _units(side: Side) -> dict[str, str]:
    rows = actions_of(side.case, side.plan)
    return dict(zip(rows["action"], rows["unit"], strict=True))

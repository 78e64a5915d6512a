"""What changed in what was given: keys with their old and new value, and price series."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from typing import Any, Literal

import numpy as np

from models.hours import Hours
from optimizer.answers.compare.side import Document, Side
from optimizer.keys import Key, dotted

What = Literal["changed", "added", "removed"]

#: Tables of an instance in the order in which their changes are taken over, with the words for
#: each: what defines names comes before what uses them, prices and money last.
GROUPS: Mapping[str, str] = {
    "instance": "name and remarks",
    "currencies": "currencies",
    "machines": "machines",
    "racks": "racks",
    "fitouts": "fit-outs",
    "uptime": "uptime and redundancy",
    "sites": "sites and their grid",
    "halls": "halls",
    "projects": "projects",
    "fleet": "fleet today",
    "commitments": "commitments",
    "contracts": "AI contracts",
    "gpu_cloud": "prices of GPU-hours",
    "horizon": "horizon",
    "bitcoin": "hashprice",
    "power": "power and its prices",
    "scenarios": "scenarios",
    "risk": "risk",
    "finance": "budgets, loan and discount",
    "policy": "policy",
}


@dataclass(frozen=True)
class ChangeRow:
    """One thing that was given otherwise.

    Attributes
    ----------
    group : str
        Table of the instance.
    key : str
        Dotted key; of a price series that of its block of power, with ``hours``.
    what : str
        ``changed``, ``added`` or ``removed``.
    old, new : str
        Values as JSON; of a price series its source and mean price; empty where there is none.
    """

    group: str
    key: str
    what: str
    old: str
    new: str


def changes(before: Side, after: Side) -> tuple[ChangeRow, ...]:
    """List what is given otherwise, table by table."""
    found = [
        *_between(before.document, after.document),
        *_series(before.hours, after.hours),
    ]
    rank = {group: position for position, group in enumerate(GROUPS)}
    found.sort(key=lambda row: rank.get(row.group, len(rank)))
    return tuple(found)


def _between(before: Document, after: Document) -> Iterator[ChangeRow]:
    """Compare two documents leaf by leaf, in the order of their keys."""
    old, new = dict(_leaves((), before)), dict(_leaves((), after))
    for key in dict.fromkeys((*old, *new)):
        was, is_ = old.get(key), new.get(key)
        if was == is_:
            continue
        what: What = "added" if was is None else "removed" if is_ is None else "changed"
        yield ChangeRow(str(key[0]), dotted(key), what, was or "", is_ or "")


def _leaves(at: Key, value: Any) -> Iterator[tuple[Key, str]]:
    if isinstance(value, Mapping) and value:
        for name, inside in value.items():
            yield from _leaves((*at, name), inside)
    elif isinstance(value, list) and any(isinstance(item, Mapping) for item in value):
        for position, inside in enumerate(value):
            yield from _leaves((*at, position), inside)
    elif value is not None and at:
        yield at, json.dumps(_plain(value), ensure_ascii=False)


def _plain(value: Any) -> Any:
    """Write whole numbers alike, however they were typed.

    Examples
    --------
    >>> _plain(3.0), _plain([1.5, 2.0]), _plain(True)
    (3, [1.5, 2], True)
    """
    if isinstance(value, list):
        return [_plain(item) for item in value]
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value


def _series(before: Mapping[str, Hours], after: Mapping[str, Hours]) -> Iterator[ChangeRow]:
    for name in dict.fromkeys((*before, *after)):
        was, is_ = before.get(name), after.get(name)
        if was is not None and is_ is not None and same_hours(was, is_):
            continue
        what: What = "added" if was is None else "removed" if is_ is None else "changed"
        yield ChangeRow("power", f"power.{name}.hours", what, _told(was), _told(is_))


def same_hours(one: Hours, other: Hours) -> bool:
    """Whether two price series hold the same hours, whatever their files are called."""
    return all(
        _same(getattr(one, field.name), getattr(other, field.name))
        for field in fields(Hours) if field.name != "source"
    )  # fmt: skip


def _same(one: Any, other: Any) -> bool:
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        return one.keys() == other.keys() and all(_same(one[k], other[k]) for k in one)
    if one is None or other is None or isinstance(one, bool):
        return one is other
    return np.shape(one) == np.shape(other) and bool(np.array_equal(one, other))


def _told(hours: Hours | None) -> str:
    if hours is None:
        return ""
    mean = float(np.average(hours.price_usd_per_mwh, weights=hours.weight_h))
    return f"{hours.source}, {mean:.2f} $/MWh on average"

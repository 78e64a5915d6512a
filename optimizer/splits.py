"""Racks of a group, split into its halls one by one.

The model counts a group's racks against its halls together. Racks are whole and so are halls:
here the split is constructed, by filling halls one after another with the largest racks first
and, where that fails, by exact search.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache

from models.given import Given, Place, RackType

#: One hall: racks by type, and the MW that tenants' racks take there.
Hall = tuple[dict[RackType, int], float]

_ROUND = 1e-9
#: Steps after which the search for a split gives up; the halls are then filled one by one.
MOST_STEPS = 20_000


def split_halls(
    given: Given, p: Place, halls: int, racks: Mapping[RackType, int], tenant_mw: float
) -> list[Hall] | None:
    """Split racks and tenants' MW into whole halls; None where none was found.

    Tenants' racks are many and small: their MW fills what whole racks leave.
    """
    types = sorted(racks, key=lambda k: -given.rack_mw[k])
    counts = tuple(racks[k] for k in types)
    filled = _first_fit(given, p, halls, types, counts) or _search(given, p, halls, types, counts)
    if filled is None:
        return None
    split: list[Hall] = []
    left = tenant_mw
    for hall in filled:
        stand = {k: number for k, number in zip(types, hall, strict=True) if number}
        used = sum(given.rack_mw[k] * number for k, number in stand.items())
        taken = min(left, max(0.0, given.hall_mw[p] - used))
        split.append((stand, taken))
        left -= taken
    return split if left <= _ROUND * max(1.0, tenant_mw) else None


def _fits(given: Given, p: Place, types: list[RackType], hall: tuple[int, ...]) -> bool:
    mw = sum(given.rack_mw[k] * number for k, number in zip(types, hall, strict=True))
    room = given.hall_positions.get(p)
    taken = sum(given.rack_positions[k] * number for k, number in zip(types, hall, strict=True))
    return mw <= given.hall_mw[p] * (1 + _ROUND) and (room is None or taken <= room * (1 + _ROUND))


def _most(
    given: Given, p: Place, types: list[RackType], hall: list[int], i: int, left: int
) -> int:
    """Most racks of type ``i`` that a partly filled hall still takes, up to ``left``."""
    low, high = 0, left
    while low < high:
        middle = (low + high + 1) // 2
        tried = (*hall[:i], middle, *hall[i + 1 :])
        low, high = (middle, high) if _fits(given, p, types, tried) else (low, middle - 1)
    return low


def _first_fit(
    given: Given, p: Place, halls: int, types: list[RackType], counts: tuple[int, ...]
) -> list[tuple[int, ...]] | None:
    left = list(counts)
    filled: list[tuple[int, ...]] = []
    for _ in range(halls):
        hall = [0] * len(types)
        for i in range(len(types)):
            hall[i] = _most(given, p, types, hall, i, left[i])
            left[i] -= hall[i]
        filled.append(tuple(hall))
    return None if any(left) else filled


def fillings(given: Given, p: Place) -> tuple[dict[RackType, float], ...]:
    """List every way to fill a hall of a place so that no further rack fits in.

    A hall of 10 MW takes, say, ten racks of 0.98 MW, or five and six of 0.84 MW.
    """
    types = sorted(given.racks_at[p], key=lambda k: -given.rack_mw[k])
    most = tuple(int(given.hall_mw[p] / given.rack_mw[k] + _ROUND) for k in types)
    return tuple(
        {k: float(number) for k, number in zip(types, hall, strict=True) if number}
        for hall in _full(given, p, types, most)
    )


def _full(
    given: Given, p: Place, types: list[RackType], left: tuple[int, ...]
) -> Iterator[tuple[int, ...]]:
    """Halls filled from what is left, the last type as far as it goes."""

    def fill(i: int, hall: list[int]) -> Iterator[tuple[int, ...]]:
        most = _most(given, p, types, hall, i, left[i])
        if i == len(types) - 1:
            yield (*hall[:i], most)
            return
        for number in range(most, -1, -1):
            yield from fill(i + 1, [*hall[:i], number, *hall[i + 1 :]])

    return fill(0, [0] * len(types))


def _search(
    given: Given, p: Place, halls: int, types: list[RackType], counts: tuple[int, ...]
) -> list[tuple[int, ...]] | None:
    """Search all ways to fill halls one after another."""
    steps = 0

    @cache
    def place(remaining: int, left: tuple[int, ...]) -> tuple[tuple[int, ...], ...] | None:
        nonlocal steps
        if not any(left):
            return ((0,) * len(types),) * remaining
        if not remaining:
            return None
        for hall in _full(given, p, types, left):
            steps += 1
            if steps > MOST_STEPS:
                return None
            rest = place(remaining - 1, tuple(a - b for a, b in zip(left, hall, strict=True)))
            if rest is not None:
                return (hall, *rest)
        return None

    found = place(halls, counts)
    return None if found is None else list(found)

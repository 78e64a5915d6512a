"""Racks of a group, split into its halls one by one.

The model counts a group's racks against its halls together. Racks are whole and so are halls:
here the split is constructed, by filling halls one after another with the largest racks first
and, where that fails, by exact search. Tenants' racks are many and small, so they are divisible:
they take what whole racks leave of the MW and of the rack positions of every hall.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from itertools import islice

import numpy as np
from scipy.sparse import csr_array, kron

from models.given import Contract, Given, Place, RackType

#: One hall: racks by type, and the MW of tenants' racks there by contract.
Hall = tuple[dict[RackType, int], dict[Contract, float]]
#: Whole racks by type, in the order of a list of types.
Filling = tuple[int, ...]

_ROUND = 1e-9
#: What rounding in a linear programme may leave of tenants' MW, as a share of them.
_LEFT = 1e-7
#: Steps after which the search for a split gives up; the halls are then filled one by one.
MOST_STEPS = 20_000
#: Halls of a group beyond which no search that goes from hall to hall is begun.
MOST_DEEP = 400
#: Nodes after which the search for halls that racks and tenants share gives up.
MOST_NODES = 2_000
#: More columns than this by period, place and filling make a model that nobody can solve.
MOST_FILLED = 20_000

#: Tables of a case that a split may look at.
READ = ("rack_mw", "hall_mw", "hall_positions", "rack_positions", "tenant_positions", "racks_at",
        "tree")  # fmt: skip
#: Splits that are remembered at most, of cases that agree in these tables.
MOST_KNOWN = 50_000


def split_halls(
    given: Given,
    p: Place,
    halls: int,
    racks: Mapping[RackType, int],
    tenants: Mapping[Contract, float],
    *,
    filled: Sequence[Mapping[RackType, int]] = (),
) -> list[Hall] | None:
    """Split racks and tenants' MW into whole halls; None where none was found.

    Parameters
    ----------
    given : Given
        Numbers of the case.
    p : Place
        Where they stand.
    halls : int
        Halls that there are.
    racks : mapping
        Whole racks by type.
    tenants : mapping
        MW of tenants' racks by contract.
    filled : sequence of mapping
        Racks that each hall may take, where the model fills halls one by one.
    """
    types = sorted(racks, key=lambda k: -given.rack_mw[k])
    counts = tuple(racks[k] for k in types)
    spread = _within(types, counts, halls, filled) if filled else None
    found = spread or _first_fit(given, p, halls, types, counts)
    found = found or _search(given, p, halls, types, counts)
    crowded = found is None and not fillings_fit(given, p)
    split = None if found is None else _with_tenants(given, p, types, found, tenants)
    if split is None and (crowded or _take_positions(given, p, tenants)):
        found = _together(given, p, halls, types, counts, tenants)
        split = None if found is None else _with_tenants(given, p, types, found, tenants)
    return split


def _within(
    types: list[RackType],
    counts: Filling,
    halls: int,
    filled: Sequence[Mapping[RackType, int]],
) -> list[Filling] | None:
    """Spread racks over halls of which the fillings are known."""
    left = list(counts)
    found: list[Filling] = []
    for filling in islice(filled, halls):
        hall = tuple(min(left[i], filling.get(k, 0)) for i, k in enumerate(types))
        left = [a - b for a, b in zip(left, hall, strict=True)]
        found.append(hall)
    empty = (0,) * len(types)
    return None if any(left) else found + [empty] * (halls - len(found))


# --- tenants -------------------------------------------------------------------------------


def _take_positions(given: Given, p: Place, tenants: Mapping[Contract, float]) -> bool:
    """Whether tenants' racks press on the rack positions, too: then it matters how racks split."""
    return p in given.hall_positions and any(given.tenant_positions.get(x) for x in tenants)


def _with_tenants(
    given: Given,
    p: Place,
    types: list[RackType],
    halls: Sequence[Filling],
    tenants: Mapping[Contract, float],
) -> list[Hall] | None:
    """Lay tenants' MW into what racks leave of every hall; None where that is too little.

    Halls that racks leave alike are taken together, and share alike.
    """
    names = sorted(x for x, mw in tenants.items() if mw > 0)
    alike = Counter(halls)
    shares = dict.fromkeys(alike, [0.0] * len(names))
    if names:
        room = [_room(given, p, types, hall, count) for hall, count in alike.items()]
        laid = _lay(room, [tenants[x] for x in names],
                    [given.tenant_positions.get(x, 0.0) for x in names])  # fmt: skip
        if laid is None:
            return None
        pairs = zip(alike.items(), laid, strict=True)
        shares = {hall: [mw / count for mw in mws] for (hall, count), mws in pairs}
    return [
        (
            {k: number for k, number in zip(types, hall, strict=True) if number},
            {x: mw for x, mw in zip(names, shares[hall], strict=True) if mw},
        )
        for hall in halls
    ]


def _room(
    given: Given, p: Place, types: list[RackType], hall: Filling, count: int
) -> tuple[float, float]:
    """MW and positions that racks leave in so many halls filled alike."""
    mw = sum(given.rack_mw[k] * number for k, number in zip(types, hall, strict=True))
    taken = sum(given.rack_positions[k] * number for k, number in zip(types, hall, strict=True))
    room = given.hall_positions.get(p, np.inf)
    return count * max(0.0, given.hall_mw[p] - mw), count * max(0.0, room - taken)


def _lay(
    room: Sequence[tuple[float, float]], wanted: Sequence[float], density: Sequence[float]
) -> list[list[float]] | None:
    """Lay MW of several densities into rooms of MW and positions; None where they do not go.

    Examples
    --------
    >>> _lay([(2.0, 9.0), (6.0, 3.0)], [4.0], [1.0])
    [[2.0], [2.0]]
    >>> _lay([(2.0, 9.0), (6.0, 3.0)], [5.5], [1.0]) is None
    True
    """
    if not any(density):
        return _pour([mw for mw, _ in room], wanted)
    if len(wanted) == 1:
        return _pour([min(mw, positions / density[0]) for mw, positions in room], wanted)
    from scipy.optimize import linprog

    kinds, rooms = len(wanted), len(room)
    limits = [min(limit, 1e9) for pair in room for limit in pair]
    each = np.kron(np.eye(rooms), np.array([np.ones(kinds), density]))
    every = np.kron(np.ones((1, rooms)), np.eye(kinds))
    most = np.array([*limits, *wanted])
    found = linprog(-np.ones(kinds * rooms), A_ub=np.vstack([each, every]), b_ub=most)
    if found.x is None or sum(wanted) - found.x.sum() > _LEFT * max(1.0, sum(wanted)):
        return None
    return [row.tolist() for row in found.x.reshape(rooms, kinds)]


def _pour(most: Sequence[float], wanted: Sequence[float]) -> list[list[float]] | None:
    """Pour MW into rooms one after another."""
    left, laid = list(wanted), []
    for room in most:
        row = []
        for i, mw in enumerate(left):
            taken = min(mw, room)
            row.append(taken)
            left[i] -= taken
            room -= taken
        laid.append(row)
    return laid if sum(left) <= _ROUND * max(1.0, sum(wanted)) else None


def _together(
    given: Given,
    p: Place,
    halls: int,
    types: list[RackType],
    counts: Filling,
    tenants: Mapping[Contract, float],
) -> list[Filling] | None:
    """Search whole racks and tenants' MW of every hall at once, by integer programming.

    Where tenants press on positions, a hall with room for another rack can be what they need.
    """
    from scipy.optimize import Bounds, LinearConstraint, milp

    names = sorted(x for x, mw in tenants.items() if mw > 0)
    sizes = [given.rack_mw[k] for k in types], [given.rack_positions[k] for k in types]
    tenant = [1.0] * len(names), [given.tenant_positions.get(x, 0.0) for x in names]
    room = [given.hall_mw[p], min(given.hall_positions.get(p, np.inf), 1e9)]
    hall = np.array([[*sizes[i], *tenant[i]] for i in (0, 1)])
    width, wanted = hall.shape[1], np.array([*counts, *(tenants[x] for x in names)], float)
    # Halls are alike: the first has most of the largest racks, so that none is tried twice.
    order = np.zeros((max(0, halls - 1), halls * width))
    for h in range(halls - 1):
        order[h, [h * width, (h + 1) * width]] = 1.0, -1.0
    found = milp(
        np.zeros(halls * width),
        integrality=np.tile([1] * len(types) + [0] * len(names), halls),
        bounds=Bounds(0, np.tile(wanted, halls)),
        constraints=[
            LinearConstraint(csr_array(kron(np.eye(halls), hall)), -np.inf,
                             np.tile(room, halls) * (1 + _ROUND)),
            LinearConstraint(csr_array(kron(np.ones((1, halls)), np.eye(width))), wanted, wanted),
            LinearConstraint(csr_array(order), 0, np.inf),
        ],
        options={"node_limit": MOST_NODES},
    )  # fmt: skip
    if found.x is None:
        return None
    whole = np.rint(found.x.reshape(halls, width)[:, : len(types)]).astype(int)
    split = [tuple(row.tolist()) for row in whole]
    return split if all(_fits(given, p, types, filling) for filling in split) else None


# --- racks ---------------------------------------------------------------------------------


def _fits(given: Given, p: Place, types: list[RackType], hall: Filling) -> bool:
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
    given: Given, p: Place, halls: int, types: list[RackType], counts: Filling
) -> list[Filling] | None:
    left = list(counts)
    filled: list[Filling] = []
    for _ in range(halls):
        hall = [0] * len(types)
        for i in range(len(types)):
            hall[i] = _most(given, p, types, hall, i, left[i])
            left[i] -= hall[i]
        filled.append(tuple(hall))
    return None if any(left) else filled


def fillings(given: Given, p: Place) -> tuple[dict[RackType, float], ...]:
    """List every way to fill a hall of a place so that no further rack fits in.

    A hall of 10 MW takes, say, ten racks of 0.98 MW, or five and six of 0.84 MW. Whether they
    are few enough to be modelled, :func:`fillings_fit` says.
    """
    types = sorted(given.racks_at[p], key=lambda k: -given.rack_mw[k])
    most = _largest(given, p, types)
    return tuple(
        {k: float(number) for k, number in zip(types, hall, strict=True) if number}
        for hall in _full(given, p, types, most)
    )


def fillings_fit(given: Given, p: Place) -> bool:
    """Whether the fillings of a place are few enough to write a column for each, every period."""
    return has_at_most(given, p, MOST_FILLED // len(given.tree.nodes))


def has_at_most(given: Given, p: Place, most: int) -> bool:
    """Whether a hall of a place can be filled in no more than so many ways."""
    types = sorted(given.racks_at[p], key=lambda k: -given.rack_mw[k])
    full = _full(given, p, types, _largest(given, p, types))
    return sum(1 for _ in islice(full, most + 1)) <= most


def _largest(given: Given, p: Place, types: list[RackType]) -> Filling:
    """Most racks of each type in a hall of their own."""
    return tuple(int(given.hall_mw[p] / given.rack_mw[k] + _ROUND) for k in types)


def _full(given: Given, p: Place, types: list[RackType], left: Filling) -> Iterator[Filling]:
    """Halls filled from what is left, the last type as far as it goes."""
    if not types:
        return iter(())

    def fill(i: int, hall: list[int]) -> Iterator[Filling]:
        most = _most(given, p, types, hall, i, left[i])
        if i == len(types) - 1:
            yield (*hall[:i], most)
            return
        for number in range(most, -1, -1):
            yield from fill(i + 1, [*hall[:i], number, *hall[i + 1 :]])

    return fill(0, [0] * len(types))


def _search(
    given: Given, p: Place, halls: int, types: list[RackType], counts: Filling
) -> list[Filling] | None:
    """Search all ways to fill halls one after another."""
    if halls > MOST_DEEP:
        return None
    steps = 0

    @cache
    def place(remaining: int, left: Filling) -> tuple[Filling, ...] | None:
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

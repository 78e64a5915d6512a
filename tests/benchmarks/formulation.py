"""What each idea for the formulation is worth: root bound, nodes and time, each alone.

``python -m tests.benchmarks.formulation [SECONDS]`` states companies of three sizes and five seeds
once as the model does and once with each idea, and solves all with HiGHS as it comes, one thread,
to a gap of 0.1 %. Columns, nodes and seconds are told as geometric means against the model as it
is: below one is better. The gaps of the linear relaxation and of the root are what their bounds
leave to the best plan that anybody found.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from statistics import geometric_mean

import highspy
import numpy as np
from rich.console import Console
from rich.table import Table
from scipy.sparse import csc_array, csr_array, vstack

from models.instance import Instance
from optimizer.case import Case, prepare
from optimizer.compiled import Model, compile_case
from optimizer.matrix import Flags, Floats, Matrix, divided
from optimizer.tighten import implied_limits, tighten
from tests.benchmarks.fleet import drawn_hours, random_fleet
from tests.benchmarks.races import plain_highs

SECONDS = 30.0
#: Sites, half-years, groups of halls at each.
SIZES = ((2, 8, 4), (3, 10, 3), (4, 8, 3))
SEEDS = range(5)
#: Least of what is compared: nodes, seconds, and what the root leaves as a part of the value.
LEAST_NODES, LEAST_SECONDS, LEAST_GAP = 1, 0.01, 1e-5
#: Room beyond which a row is called free, for each unit of size.
ROOM = 1e-9


@dataclass(frozen=True)
class Measured:
    """What HiGHS made of one statement of one case."""

    relaxed: float
    root: float
    value: float
    nodes: int
    seconds: float
    columns: int


def measured(matrix: Matrix, limit: float) -> Measured:
    """Solve the linear relaxation, one node, and then all."""
    relaxed = _run(divided(matrix), limit).getInfo().objective_function_value
    root = _run(matrix, limit, nodes=1).getInfo().mip_dual_bound
    began = time.process_time()
    info = _run(matrix, limit).getInfo()
    spent = time.process_time() - began
    return Measured(
        relaxed, root, info.objective_function_value, info.mip_node_count, spent, matrix.shape[1]
    )


def _run(matrix: Matrix, limit: float, nodes: int | None = None) -> highspy.Highs:
    solver = plain_highs(matrix, limit)
    if nodes is not None:
        solver.setOptionValue("mip_max_nodes", nodes)
    solver.run()
    return solver


# --- ideas -----------------------------------------------------------------------------------


def as_it_is(_: Case, model: Model) -> Matrix:
    """The model, with stocks of whole orders left real."""
    return model.matrix


def stocks_whole(_: Case, model: Model) -> Matrix:
    """Stocks that can only be whole are declared whole."""
    return replace(model.matrix, integer=tighten(model.matrix)[0].integer)


def limits_rounded(_: Case, model: Model) -> Matrix:
    """The same, and whole numbers get the limits that their rows imply: the engine does this."""
    return tighten(model.matrix)[0]


def halls_apart(case: Case, _: Model) -> Matrix:
    """Every hall is a group of its own, so that whole numbers of halls become binaries."""
    typed = case.instance.model_dump(mode="json", exclude_unset=True)
    halls, fleet = {}, []
    for name, hall in typed["halls"].items():
        count = hall["count"]
        halls |= {f"{name}-{j}": {**hall, "count": 1} for j in range(count)}
        for lot in typed["fleet"]:
            if lot["hall"] != name:
                continue
            each = [len(part) for part in np.array_split(np.arange(lot["racks"]), count)]
            fleet += [
                {**lot, "hall": f"{name}-{j}", "racks": racks} for j, racks in enumerate(each)
            ]
    apart = Instance.model_validate({**typed, "halls": halls, "fleet": fleet})
    return compile_case(prepare(apart, case.hours)).matrix


def without(family: str) -> Callable[[Case, Model], Matrix]:
    """Leave a family out."""

    def stated(_: Case, model: Model) -> Matrix:
        return _kept(model.matrix, ~_rows(model, family))

    return stated


def states_together(case: Case, model: Model) -> Matrix:
    """One limit on racks for all states of a group, in place of one for each state."""
    rows, group = _rows(model, "racks.space_limit"), case.given.hall_of
    keys = [
        (index[0], group[index[1]]) if chosen else None
        for (_, index), chosen in zip(model.built.rows, rows, strict=True)
    ]
    number = {key: j for j, key in enumerate(dict.fromkeys(key for key in keys if key))}
    at = [(number[key], row) for row, key in enumerate(keys) if key]
    shape = (len(number), len(rows))
    summed = csr_array((np.ones(len(at)), tuple(np.array(at).T)), shape=shape)
    return _with_rows(_kept(model.matrix, ~rows), *_sums(model.matrix, summed))


def lead_times(_: Case, model: Model) -> Matrix:
    """No more halls in a state than had been ordered into it one lead time before."""
    matrix = model.matrix
    rows = np.flatnonzero(_rows(model, "halls.state_balance"))
    place = np.array([model.built.rows[row][1][1] for row in rows])
    earlier = (place[:, None] == place[None]) & (rows[None] <= rows[:, None])
    summed = csr_array((earlier.shape[0], matrix.shape[0])).tolil()
    for j, (line, row) in enumerate(zip(earlier, rows, strict=True)):
        summed[j, rows[line]] = np.sign(_hall_of(model, row))
    table, _, upper = _sums(matrix, csr_array(summed))
    # Halls are those ordered into a state less those that left it: the latter are dropped.
    leaving = table.multiply(_named(model, "conversions")[None, :] & (table > 0).toarray())
    return _with_rows(matrix, csr_array(table - leaving), np.full(len(upper), -np.inf), upper)


def margins_earned(_: Case, model: Model) -> Matrix:
    """Bands that no row but their racks holds back earn with these, without a variable."""
    matrix = model.matrix
    table = csr_array(matrix.coefficients)
    free = ~_rows(model, "mining.mining_limit") & _never_binds(matrix)
    held, limit = _kept(matrix, ~free), _rows(model, "mining.mining_limit")[~free]
    table = csc_array(held.coefficients)
    margin = _rows(model, "capital.margin_balance")[~free]
    columns = np.flatnonzero(_named(model, "mining"))
    gone_rows, gone_columns = [], []
    by_row = table.tolil()
    for j in columns:
        span = slice(table.indptr[j], table.indptr[j + 1])
        rows, values = table.indices[span], table.data[span]
        if len(rows) != 2 or not (limit[rows].sum() == 1 == margin[rows].sum()):
            continue
        bound, earns = (rows[0], rows[1]) if limit[rows[0]] else (rows[1], rows[0])
        entry = dict(zip(rows.tolist(), values.tolist(), strict=True))
        factor = entry[int(earns)] / entry[int(bound)]
        by_row[earns] = by_row[[earns]] - factor * by_row[[bound]]
        gone_rows.append(bound)
        gone_columns.append(j)
    kept_rows = ~np.isin(np.arange(table.shape[0]), gone_rows)
    kept = ~np.isin(np.arange(table.shape[1]), gone_columns)
    stated = _kept(replace(held, coefficients=csc_array(by_row)), kept_rows)
    return replace(
        stated,
        coefficients=csc_array(stated.coefficients[:, np.flatnonzero(kept)]),
        column_lower=stated.column_lower[kept],
        column_upper=stated.column_upper[kept],
        cost=stated.cost[kept],
        integer=stated.integer[kept],
        column_names=[name for name, k in zip(stated.column_names, kept, strict=True) if k],
    )


IDEAS: dict[str, Callable[[Case, Model], Matrix]] = {
    "as it is": as_it_is,
    "stocks declared whole": stocks_whole,
    "limits rounded, too": limits_rounded,
    "every hall apart": halls_apart,
    "states together": states_together,
    "without whole_racks": without("racks.whole_racks"),
    "without presence_by_contract": without("hosting.presence_by_contract"),
    "lead times lifted": lead_times,
    "margins without bands": margins_earned,
}


#: Ideas that let in what is no plan.
LOOSER = frozenset({"states together", "without whole_racks"})


# --- rows ------------------------------------------------------------------------------------


def _rows(model: Model, family: str) -> Flags:
    return np.array([name == family for name, _ in model.built.rows])


def _named(model: Model, decision: str) -> Flags:
    return np.array([name == decision for name, _ in model.built.columns])


def _hall_of(model: Model, row: int) -> float:
    """Coefficient of the halls that a row of their balance is of."""
    index = model.built.rows[row][1]
    return float(model.matrix.coefficients[row, model.layout.place["halls", index]])


def _kept(matrix: Matrix, rows: Flags) -> Matrix:
    kept = np.flatnonzero(rows)
    return replace(
        matrix,
        coefficients=csc_array(csr_array(matrix.coefficients)[kept]),
        row_lower=matrix.row_lower[kept],
        row_upper=matrix.row_upper[kept],
        row_names=[matrix.row_names[row] for row in kept],
    )


def _sums(matrix: Matrix, summed: csr_array) -> tuple[csr_array, Floats, Floats]:
    """Sums of rows with their limits, each row taken with its sign."""
    up, down = summed.maximum(0.0), (-summed).maximum(0.0)
    finite = np.where(np.isfinite(matrix.row_upper), matrix.row_upper, 1e30)
    least = np.where(np.isfinite(matrix.row_lower), matrix.row_lower, -1e30)
    lower, upper = up @ least - down @ finite, up @ finite - down @ least
    lower[lower < -1e20], upper[upper > 1e20] = -np.inf, np.inf
    return csr_array(summed @ csr_array(matrix.coefficients)), lower, upper


def _with_rows(matrix: Matrix, table: csr_array, lower: Floats, upper: Floats) -> Matrix:
    return replace(
        matrix,
        coefficients=csc_array(vstack([csr_array(matrix.coefficients), table])),
        row_lower=np.append(matrix.row_lower, lower),
        row_upper=np.append(matrix.row_upper, upper),
        row_names=[*matrix.row_names, *(f"more {j}" for j in range(len(lower)))],
    )


def _never_binds(matrix: Matrix) -> Flags:
    """Which rows hold wherever columns keep to the limits that other rows imply."""
    lower, upper = implied_limits(matrix)
    table = csr_array(matrix.coefficients)
    above = table.maximum(0.0) @ upper + table.minimum(0.0) @ lower
    below = table.maximum(0.0) @ lower + table.minimum(0.0) @ upper
    room = ROOM * (1.0 + np.abs(np.where(np.isfinite(matrix.row_upper), matrix.row_upper, 0.0)))
    return (above <= matrix.row_upper + room) & (below >= matrix.row_lower - room)


# --- the table -------------------------------------------------------------------------------


def cases() -> Iterator[tuple[tuple[int, int, int], int, Case]]:
    """Companies to state."""
    for size in SIZES:
        for seed in SEEDS:
            instance = random_fleet(*size, seed)
            yield size, seed, prepare(instance, drawn_hours(instance, seed))


def compared(found: dict[str, list[Measured]]) -> Table:
    """Lay out what each idea is worth against the model as it is."""
    plain = found["as it is"]
    sound = [runs for name, runs in found.items() if name not in LOOSER]
    best = [max(run.value for run in runs) for runs in zip(*sound, strict=True)]
    told = Table(title=f"Ideas alone, {len(plain)} companies, against the model as it is")
    for name in ("idea", "columns", "LP's gap", "root's gap", "nodes", "seconds"):
        told.add_column(name, justify="left" if name == "idea" else "right")
    for name, runs in found.items():
        told.add_row(
            name,
            f"{_ratio([r.columns for r in runs], [r.columns for r in plain], 1):.2f}",
            f"{geometric_mean(_left([r.relaxed for r in runs], best)):.2%}",
            f"{geometric_mean(_left([r.root for r in runs], best)):.3%}",
            f"{_ratio([r.nodes for r in runs], [r.nodes for r in plain], LEAST_NODES):.2f}",
            f"{_ratio([r.seconds for r in runs], [r.seconds for r in plain], LEAST_SECONDS):.2f}",
        )
    return told


def _left(bounds: list[float], best: list[float]) -> list[float]:
    """What bounds leave open above the best plans, as parts of their values."""
    pairs = zip(bounds, best, strict=True)
    return [max(LEAST_GAP, (bound - top) / max(1.0, abs(top))) for bound, top in pairs]


def _ratio(ours: list[float], theirs: list[float], least: float) -> float:
    return geometric_mean(
        max(least, one) / max(least, other) for one, other in zip(ours, theirs, strict=True)
    )


def main() -> None:
    """Measure every idea and print the table."""
    limit = float(sys.argv[1]) if len(sys.argv) > 1 else SECONDS
    console = Console(width=100)
    found: dict[str, list[Measured]] = {name: [] for name in IDEAS}
    for size, seed, case in cases():
        model = compile_case(case)
        for name, idea in IDEAS.items():
            found[name].append(measured(idea(case, model), limit))
        console.print(
            size, seed, *(f"{name} {runs[-1].seconds:.1f}" for name, runs in found.items())
        )
    console.print(compared(found))


if __name__ == "__main__":
    main()

"""The margin, room and relaxations on matrices small enough for paper."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from optimizer.answers.worth.margin import (
    binds,
    held,
    margin,
    part_of,
    same,
    slope,
    takes,
    wider,
)
from optimizer.highs import Options, Outcome, run
from optimizer.matrix import Floats, Matrix, dense_matrix

INF = math.inf


def solved(matrix: Matrix) -> Outcome:
    return run(matrix, Options(gap=0.0))


def capped(*most: float, used: float = 1.0, cost: float = 1.0) -> Matrix:
    """As much as possible of one number, of which several rows each allow only so much."""
    return dense_matrix([[used]] * len(most), [-INF] * len(most), most, [0.0], [100.0], [cost],
                        maximise=True)  # fmt: skip


def worth(one: Matrix, other: Matrix) -> float | None:
    point = solved(one).x
    assert point is not None
    plan = held(one, point, solved)
    assert plan is not None
    return margin(plan, one, other, solved)


@pytest.mark.parametrize("first", [True, False])
def test_at_a_corner_more_of_one_limit_is_worth_nothing_and_less_of_it_all(first: bool) -> None:
    """Two rows allow 1 each: whichever row the duals of the plan itself may lie on."""
    more, less = ((2.0, 1.0), (0.5, 1.0)) if first else ((1.0, 2.0), (1.0, 0.5))
    corner = capped(1.0, 1.0)
    assert worth(corner, capped(*more)) == pytest.approx(0.0, abs=1e-9)
    assert worth(corner, capped(*less)) == pytest.approx(-0.5, abs=1e-9)


def test_the_first_step_counts_where_another_limit_soon_binds() -> None:
    """A whole unit more would bring a hundredth, but the first of it brings all that it adds."""
    assert worth(capped(1.0, 1.01), capped(2.0, 1.01)) == pytest.approx(1.0, abs=1e-9)


def test_a_rate_that_no_part_is_small_enough_for_is_not_told() -> None:
    assert worth(capped(1.0, 1.0 + 1e-7), capped(2.0, 1.0 + 1e-7)) is None


def test_a_row_with_two_limits_is_worth_what_moves_the_one_it_lies_on() -> None:
    """It lies at its upper limit: more of the lower one brings nothing."""

    def between(least: float, most: float) -> Matrix:
        return dense_matrix([[1.0]], [least], [most], [0.0], [9.0], [1.0], maximise=True)

    assert worth(between(1.0, 4.0), between(1.0, 5.0)) == pytest.approx(1.0)
    assert worth(between(1.0, 4.0), between(0.0, 4.0)) == pytest.approx(0.0)
    assert worth(between(1.0, 4.0), between(0.5, 5.0)) == pytest.approx(1.0)


def test_what_takes_less_of_a_limit_is_worth_what_that_leaves() -> None:
    """Four units of room take one each; at 0.9 each there is room for a ninth more."""
    assert worth(capped(4.0), capped(4.0, used=0.9)) == pytest.approx(0.4, rel=1e-3)
    assert worth(capped(4.0), capped(4.0, used=1.1)) == pytest.approx(-0.4, rel=1e-3)


def test_a_dearer_unit_is_worth_what_is_taken_of_it() -> None:
    assert worth(capped(4.0), capped(4.0, cost=1.5)) == pytest.approx(2.0)


def test_duals_of_the_plan_itself_may_lie_on_either_side_of_a_corner() -> None:
    """Why a part of the change is taken first: at the corner one side's rate is wrong."""
    corner = capped(1.0, 1.0)
    plan = held(corner, solved(corner).x, solved)  # type: ignore[arg-type]
    assert plan is not None
    sides = [slope(plan, corner, other) for other in (capped(2.0, 1.0), capped(1.0, 2.0))]
    assert sorted(sides) == pytest.approx([0.0, 1.0])


def test_half_a_change_lies_half_way() -> None:
    half = part_of(capped(1.0, used=1.0), capped(3.0, used=2.0, cost=5.0), 0.5)
    assert half.row_upper.tolist() == [2.0]
    assert half.coefficients.toarray().tolist() == [[1.5]]
    assert half.cost.tolist() == [3.0]
    assert half.row_lower.tolist() == [-INF]


# --- what is wider ---------------------------------------------------------------------------


def one_row(**other: Any) -> Matrix:
    known: dict[str, Any] = {"used": 1.0, "least": -INF, "most": 4.0, "from_": 0.0, "to": 9.0,
                             "cost": 1.0, **other}  # fmt: skip
    return dense_matrix([[known["used"]]], [known["least"]], [known["most"]], [known["from_"]],
                        [known["to"]], [known["cost"]], maximise=True)  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "is_wider"),
    [
        ({}, True), ({"most": 5.0}, True), ({"most": 3.0}, False), ({"cost": 2.0}, True),
        ({"cost": 0.5}, False), ({"used": 0.5}, True), ({"used": 1.5}, False),
        ({"to": 8.0}, False), ({"from_": 1.0}, False), ({"to": 10.0}, True),
    ],
)  # fmt: skip
def test_wider_is_what_leaves_every_plan_worth_as_much(
    changes: dict[str, float], is_wider: bool
) -> None:
    assert wider(one_row(), one_row(**changes)) is is_wider


def test_more_of_a_column_helps_a_row_that_asks_for_it() -> None:
    asks = {"least": 1.0, "most": INF}
    assert wider(one_row(**asks), one_row(**asks, used=2.0))
    assert not wider(one_row(**asks), one_row(**asks, used=0.5))
    assert wider(one_row(**asks), one_row(**{**asks, "least": 0.5}))


def test_a_column_that_may_be_negative_is_never_the_better_for_it() -> None:
    below = {"from_": -1.0}
    assert not wider(one_row(**below), one_row(**below, cost=2.0))
    assert not wider(one_row(**below), one_row(**below, used=0.5))


@pytest.mark.parametrize(("more", "is_wider"), [(0.0, True), (0.5, True), (-1e-12, False)])
def test_what_every_plan_pays_alike_counts(more: float, is_wider: bool) -> None:
    """Overhead is in no row and no column: with more of it every plan is worth less."""
    one = one_row()
    assert wider(one, replace(one, offset=one.offset + more)) is is_wider
    assert same(one, replace(one, offset=one.offset + more)) is (more == 0.0)


# --- what binds ------------------------------------------------------------------------------


def at(*values: float) -> Floats:
    return np.array(values)


def test_a_limit_binds_where_a_change_of_it_moves_it_at_the_point() -> None:
    assert binds(one_row(), one_row(most=5.0), at(4.0))
    assert not binds(one_row(), one_row(most=5.0), at(3.9))
    assert binds(one_row(), one_row(used=0.9), at(4.0))


def test_a_limit_that_the_point_makes_nothing_of_does_not_bind() -> None:
    """Most MW of a contract that is not signed: both sides of its row are nothing."""
    before, after = (
        dense_matrix([[1.0, -most]], [-INF], [0.0], [0.0, 0.0], [9.0, 1.0], [1.0, 0.0])
        for most in (4.0, 5.0)
    )
    assert not binds(before, after, at(0.0, 0.0))
    assert binds(before, after, at(4.0, 1.0))


def test_what_takes_as_much_as_it_is_given_does_not_bind() -> None:
    """The limit rises by what the same plan then takes more: it has no more room than before."""
    assert not binds(one_row(), one_row(used=1.25, most=5.0), at(4.0))


def test_an_equation_limits_nothing() -> None:
    equal = {"least": 4.0, "most": 4.0}
    assert not binds(one_row(**equal), one_row(least=5.0, most=5.0), at(4.0))


# --- what takes room -------------------------------------------------------------------------


def test_room_is_taken_by_what_the_limit_would_not_allow() -> None:
    one = one_row()
    assert takes(one, one_row(most=5.0), at(4.5))
    assert not takes(one, one_row(most=5.0), at(4.0))
    assert takes(one, one_row(to=10.0), at(9.5))
    # It lies outside a row, which the change leaves where it is.
    assert not takes(one, one_row(to=10.0), at(4.5))
    asks = one_row(least=1.0, most=INF)
    assert takes(asks, one_row(least=0.5, most=INF), at(0.75))
    assert takes(one_row(from_=1.0), one_row(from_=0.0), at(0.5))

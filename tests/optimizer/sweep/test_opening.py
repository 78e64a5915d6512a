"""How long a sweep is said to take, before its first case."""

import math

import pytest

from optimizer.commands.sweeps.opening import HARD, USUAL, Estimate, Hands


def test_workers_start_before_they_solve():
    assert Estimate(0.0, 3.0).whole(8, Hands(2, 2)) == 3.0
    # Four that start on two processors take twice as long, two of one case as one.
    assert Estimate(0.0, 3.0).whole(8, Hands(4, 2)) == 6.0
    assert Estimate(0.0, 3.0).whole(1, Hands(4, 2)) == 3.0


@pytest.mark.parametrize(("workers", "waves"), [(1, 9), (2, 5), (4, 5), (100, 5)])
def test_more_workers_than_processors_are_no_faster(workers, waves):
    assert Estimate(2.0).whole(9, Hands(workers, 2)) == 2.0 * waves


def test_cases_are_harder_than_their_base():
    base = Estimate(2.0, of_base=True)
    assert base.whole(10, Hands(1, 1)) == 20.0 * USUAL
    assert base.at_most(10, Hands(1, 1)) == 20.0 * HARD
    done = Estimate(2.0)
    assert done.whole(10, Hands(1, 1)) == done.at_most(10, Hands(1, 1)) == 20.0


def test_no_case_takes_longer_than_its_limit():
    assert Estimate(2.0, of_base=True, limit=3.0).at_most(10, Hands(1, 1)) == 30.0
    assert math.isfinite(Estimate(2.0, of_base=True, limit=math.inf).at_most(1, Hands(1, 1)))
    assert Estimate(None).at_most(1, Hands(1, 1)) is None

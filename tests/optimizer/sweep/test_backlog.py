"""What waits to be computed: chunks that fit, and points that are blamed only for their own."""

from optimizer.sweep.backlog import DEATHS, MOST_IN_A_CHUNK, Backlog
from tests.optimizer.sweep import fakes


def numbers(points):
    return [point.number for point in points]


def waiting(number=1000, hands=2):
    return Backlog(iter(fakes.points(number)), number, hands)


def test_the_first_chunk_and_chunks_of_slow_points_are_single():
    backlog = waiting()
    assert (numbers(backlog.take()), backlog.at_hand) == ([0], 1)
    backlog.learn(1, 5.0)
    assert (numbers(backlog.take()), backlog.at_hand) == ([1], 1)


def test_fast_points_go_many_at_a_time_and_leave_enough_for_all_hands():
    backlog = waiting()
    backlog.learn(10, 0.0)
    assert backlog.at_hand == 2
    sizes = []
    while chunk := backlog.take():
        sizes.append(len(chunk))
    assert (sizes[0], sizes[-1], sum(sizes)) == (MOST_IN_A_CHUNK, 1, 1000)
    assert sizes == sorted(sizes, reverse=True)


def test_a_slow_chunk_counts_at_once():
    backlog = waiting()
    for _ in range(30):
        backlog.learn(10, 0.0)
    backlog.learn(1, 5.0)
    assert len(backlog.take()) == 1


def test_a_point_that_kills_is_tried_alone_and_then_set_aside():
    backlog = waiting(5)
    backlog.learn(1, 0.0)
    culprit = backlog.take()[0]
    for death in range(1, DEATHS):
        assert backlog.blame(culprit) is None
        assert (backlog.suspects, len(backlog)) == (1, 4)
        assert backlog.take() == [culprit], death
    done = backlog.blame(culprit)
    assert done is not None
    assert (done.row.status, done.row.number, done.attempts) == ("worker_died", 0, DEATHS)
    assert len(backlog) == 3


def test_what_is_given_back_comes_again_before_what_is_fresh():
    backlog = waiting(4)
    first = backlog.take()
    backlog.give_back(first)
    assert (numbers(backlog.take()), numbers(backlog.take())) == ([0], [1])


def test_fewer_points_than_were_announced_end_it_too():
    backlog = Backlog(iter(fakes.points(1)), 3, 2)
    assert (numbers(backlog.take()), backlog.take(), len(backlog)) == ([0], [], 0)

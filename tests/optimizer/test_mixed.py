"""A site beside mixtures of what others may do, and a plan that sites taken so lead to."""

import itertools
import threading
from dataclasses import replace

import numpy as np
import pytest
from scipy.sparse import csc_array

from optimizer.decomposed import plan, rounds
from optimizer.decomposed.master import Master
from optimizer.decomposed.mixed import Among, Mixture
from optimizer.decomposed.plan import Course
from optimizer.decomposed.rounds import relaxation, search_by_site
from optimizer.decomposed.windows import Walked
from optimizer.decomposed.workshop import Around, Here
from optimizer.highs import SECONDS_TO_SETTLE, Budget, Options, Outcome, relative_gap, unsearched
from optimizer.matrix import dense_matrix, largest_violation, objective_at
from optimizer.solve import do_nothing
from tests.optimizer.companies import four_unlike_sites
from tests.optimizer.test_decomposed import EXACT, knapsacks


@pytest.fixture(scope="module")
def drawn():
    return four_unlike_sites()


@pytest.fixture(scope="module")
def nothing(drawn):
    case, model, _ = drawn
    return do_nothing(case, model).point


def mixture(sites, uses, worths):
    return Mixture(np.array(sites), csc_array(np.array(uses, float)), np.array(worths, float))


# --- the problem of one site -------------------------------------------------------------------


def test_parts_of_plans_are_columns_that_add_up_to_one_for_each_site():
    one = dense_matrix(
        [[1.0, 2.0], [3.0, 4.0]], [-np.inf, 0.0], [5.0, 6.0], [0.0, 0.0], [1.0, 9.0], [7.0, 8.0],
        integer=np.array([True, False]), maximise=True,
    )  # fmt: skip
    found = mixture([4, 4, 2], [[10.0, 0.0, 30.0]], [1.0, 2.0, 3.0]).beside(one)
    np.testing.assert_array_equal(
        found.coefficients.toarray(),
        [
            [1, 2, 0, 0, 0],
            [3, 4, 10, 0, 30],
            [0, 0, 0, 0, 1],
            [0, 0, 1, 1, 0],
        ],
    )
    np.testing.assert_array_equal(found.row_lower, [-np.inf, 0, 1, 1])
    np.testing.assert_array_equal(found.row_upper, [5, 6, 1, 1])
    np.testing.assert_array_equal(found.column_lower, np.zeros(5))
    np.testing.assert_array_equal(found.column_upper, [1, 9, 1, 1, 1])
    np.testing.assert_array_equal(found.cost, [7, 8, 1, 2, 3])
    np.testing.assert_array_equal(found.integer, [True, False, False, False, False])
    assert len(found.row_names) == 4
    assert len(found.column_names) == len(set(found.column_names)) == 5


def test_a_mixture_of_nobody_changes_nothing():
    blocks = knapsacks(0)
    matrix, _ = blocks.around((0,), np.zeros(blocks.whole.shape[1]))
    assert Master(blocks).mixture([]).beside(matrix) is matrix


def plans_of(blocks, site):
    """All that a site can do."""
    block = blocks.sites[site]
    for told in itertools.product(range(4), repeat=len(block.columns)):
        x = np.array(told, float)
        if (block.matrix.coefficients @ x <= block.matrix.row_upper + 1e-9).all():
            yield x


@pytest.mark.parametrize("seed", range(6))
def test_a_site_is_best_beside_a_point_and_the_best_mixture(seed):
    """One other site is held, the third has three plans: brute force over the first, and parts."""
    blocks, rng = knapsacks(seed), np.random.default_rng(seed)
    budgets = blocks.limits[1]
    held = rng.integers(0, 2, 3).astype(float)
    options = [np.zeros(3), *rng.permutation(list(plans_of(blocks, 2)))[:2]]
    master = Master(blocks)
    for x in options:
        master.add(2, x)
    point = np.zeros(blocks.whole.shape[1])
    point[blocks.sites[1].columns] = held
    outcome = Among(0, point, master.mixture([2])).solved(blocks, EXACT, None)
    taken = blocks.sites[1].use @ held
    best = -np.inf
    parts = np.linspace(0.0, 1.0, 41)
    for x in plans_of(blocks, 0):
        for a, b in itertools.product(parts, parts):
            if a + b > 1 + 1e-9:
                continue
            mixed = a * options[1] + b * options[2]
            left = budgets - taken - blocks.sites[0].use @ x - blocks.sites[2].use @ mixed
            if (left >= -1e-9).all():
                worth = blocks.sites[0].matrix.cost @ x + blocks.sites[2].matrix.cost @ mixed
                best = max(best, worth + 0.5 * left[0])
    # The grid of parts is within the best mixture, and not far from it.
    assert best - 1e-6 <= outcome.objective <= best + 0.5
    np.testing.assert_array_equal(outcome.x[blocks.sites[1].columns], held)
    assert not outcome.x[blocks.sites[2].columns].any()
    chosen = outcome.x[blocks.sites[0].columns]
    np.testing.assert_allclose(chosen, np.rint(chosen), atol=1e-6)


@pytest.mark.parametrize("seed", range(6))
def test_without_a_rest_it_is_the_problem_beside_all_others(seed):
    blocks = knapsacks(seed)
    point = np.zeros(blocks.whole.shape[1])
    one = Among(1, point, Master(blocks).mixture([])).solved(blocks, EXACT, None)
    other = Around((1,), point).solved(blocks, EXACT, None)
    assert one.objective == pytest.approx(other.objective, abs=1e-6)


def test_racks_are_left_divisible_and_large_decisions_are_whole(drawn, nothing, monkeypatch):
    _, _, blocks = drawn
    asked = []
    monkeypatch.setattr(
        "optimizer.decomposed.mixed.run",
        lambda matrix, options, **_: asked.append((matrix, options)) or unsearched(matrix),
    )
    master = Master(blocks)
    master.add_all(nothing)
    Among(2, nothing, master.mixture([3])).solved(blocks, Options(), None)
    [(matrix, options)] = asked
    own = np.concatenate([blocks.sites[2].columns, blocks.shared])
    large = (blocks.whole.integer & blocks.large)[own]
    np.testing.assert_array_equal(matrix.integer, np.append(large, False))
    assert large.any()
    assert large.sum() < blocks.whole.integer[own].sum()
    assert not options.confirm


def test_what_a_divided_point_does_is_mixed_and_never_chosen():
    blocks = knapsacks(3)
    master = Master(blocks)
    nothing = np.zeros(blocks.whole.shape[1])
    nothing[-1] = blocks.limits[1][0]
    master.add_all(nothing)
    half = np.full(blocks.whole.shape[1], 0.5)
    found = master.mixture([0, 2], half)
    assert len(master) == 3
    assert found.sites.tolist() == [0, 2, 0, 2]
    for at, site in ((2, 0), (3, 2)):
        block = blocks.sites[site]
        part = half[block.columns]
        np.testing.assert_allclose(found.uses.toarray()[:, at], block.use @ part)
        assert found.worths[at] == pytest.approx(block.matrix.cost @ part)


# --- the search --------------------------------------------------------------------------------


def searched(drawn, starts, **more):
    _, _, blocks = drawn
    return search_by_site(
        blocks, Options(gap=1e-3), starts, Here(blocks), budget=more.pop("budget", Budget()),
        only_begin=True, **more,
    )  # fmt: skip


def noted(monkeypatch, *names):
    """Note which steps of a search are taken, and with what."""
    taken = []
    for name in names:
        honest = getattr(rounds._Search, name)

        def watched(self, *told, honest=honest, name=name):
            taken.append((name, told))
            return honest(self, *told)

        monkeypatch.setattr(rounds._Search, name, watched)
    return taken


def test_sites_come_to_a_whole_plan_that_fits_and_is_worth_something(drawn, nothing, monkeypatch):
    """Before any of them takes its turn beside what the others do."""
    monkeypatch.setattr(rounds, "FAR", 1e9)
    _, _, blocks = drawn
    found = searched(drawn, [nothing])
    assert largest_violation(blocks.whole, found.x) <= 1e-6
    whole = found.x[blocks.whole.integer]
    np.testing.assert_allclose(whole, np.rint(whole), atol=1e-6)
    before = objective_at(blocks.whole, nothing)
    assert before + 1.0 < found.objective <= found.bound + 1e-6
    # At least a third of what was open.
    assert found.bound - found.objective <= 2 / 3 * (found.bound - before)


def test_the_first_pass_mixes_the_relaxation_and_the_second_plans_alone(
    drawn, nothing, monkeypatch
):
    monkeypatch.setattr(rounds, "CLOSE", -1.0)
    monkeypatch.setattr(rounds, "FAR", 1e9)
    taken = noted(monkeypatch, "_among", "_vary", "_in_turn")
    searched(drawn, [nothing])
    assert [name for name, _ in taken] == ["_among", "_vary", "_among"]
    _, _, blocks = drawn
    [first] = taken[0][1]
    relaxed = relaxation(blocks, Options(), budget=Budget())
    assert objective_at(blocks.whole, first) == pytest.approx(relaxed.objective)
    assert taken[2][1] == ()


@pytest.mark.parametrize("hurried", [True, False])
def test_in_a_hurry_a_plan_comes_before_what_sites_prove(drawn, nothing, monkeypatch, hurried):
    monkeypatch.setattr(rounds, "FAR", 1e9)
    taken = noted(monkeypatch, "_among", "_price")
    found = searched(drawn, [nothing], hurried=hurried)
    names = [name for name, _ in taken]
    assert names[:2] == (["_among", "_price"] if hurried else ["_price", "_among"])
    assert next(told for name, told in taken if name == "_among") != ()
    assert names.count("_among") == 2
    assert found.objective > objective_at(drawn[2].whole, nothing) + 1.0


@pytest.mark.parametrize(("times", "hurried"), [(0.99, True), (1.01, False)])
def test_time_is_short_for_what_the_relaxation_took(drawn, nothing, monkeypatch, times, hurried):
    case, model, _ = drawn
    honest, unit, asked = plan.relaxation, 50.0, []
    monkeypatch.setattr(plan, "MANY_DECISIONS", 1)
    monkeypatch.setattr(
        plan, "relaxation", lambda *given, **told: replace(honest(*given, **told), seconds=unit)
    )
    monkeypatch.setattr(plan, "search_by_site", lambda *_, hurried, **__: asked.append(hurried))
    limit = times * plan.HURRIED * unit + SECONDS_TO_SETTLE + plan.TO_MEND * unit
    plan.plan_by_site(
        case.given, model, Options(time_limit=limit), nothing, Here,
        course=Course(), budget=Budget(limit),
    )  # fmt: skip
    assert asked == [hurried]


@pytest.mark.parametrize(("close", "passes"), [(1e9, 0), (-1.0, 2)])
def test_sites_are_taken_among_mixtures_while_much_is_open(
    drawn, nothing, monkeypatch, close, passes
):
    monkeypatch.setattr(rounds, "CLOSE", close)
    monkeypatch.setattr(rounds, "FAR", 1e9)
    made = noted(monkeypatch, "_mixed")
    searched(drawn, [nothing])
    assert len(made) == passes


def test_who_has_enough_leaves_after_a_pass(drawn, nothing, monkeypatch):
    monkeypatch.setattr(rounds, "CLOSE", -1.0)
    monkeypatch.setattr(rounds, "FAR", -1.0)
    taken, told = noted(monkeypatch, "_vary", "_in_turn"), []

    def enough(gap):
        told.append(gap)
        return True

    searched(drawn, [nothing], enough=enough)
    assert taken == []
    _, _, blocks = drawn
    relaxed = relaxation(blocks, Options(), budget=Budget())
    assert max(told) < relative_gap(objective_at(blocks.whole, nothing), relaxed.bound)


def test_sites_whose_large_decisions_are_most_divided_come_first(drawn, nothing, monkeypatch):
    monkeypatch.setattr(rounds, "FAR", 1e9)
    _, _, blocks = drawn
    order, honest = [], Here.solve

    def watched(self, tasks, *told):
        order.extend(
            (task.site, set(task.rest.sites)) for task in tasks if isinstance(task, Among)
        )
        return honest(self, tasks, *told)

    monkeypatch.setattr(Here, "solve", watched)
    searched(drawn, [nothing])
    relaxed = relaxation(blocks, Options(), budget=Budget())
    off = np.abs(relaxed.x - np.rint(relaxed.x)) * (blocks.large & blocks.whole.integer)
    split = [off[block.columns].sum() for block in blocks.sites]
    sites = [site for site, _ in order[: len(blocks.sites)]]
    assert sites == np.argsort(-np.array(split), kind="stable").tolist()
    for at, (_, rest) in enumerate(order[: len(blocks.sites)]):
        assert rest == set(sites[at + 1 :])


def test_a_pass_that_fails_on_the_way_costs_no_plan(drawn, nothing, monkeypatch):
    monkeypatch.setattr(rounds, "FAR", 1e9)
    monkeypatch.setattr(rounds._Search, "_vary", lambda *_: None)
    monkeypatch.setattr(Among, "solved", lambda self, blocks, *_: unsearched(blocks.whole))
    found = searched(drawn, [nothing])
    assert found.x is nothing


# --- around the relaxation ---------------------------------------------------------------------


class AroundRelaxation:
    """A search that knows a plan and a point of the relaxation, and what HiGHS is given there."""

    def __init__(self, drawn, point, relaxed, monkeypatch):
        _, _, self.blocks = drawn
        self.given, honest = [], Budget.run

        def run(budget, matrix, options, **told):
            self.given.append((matrix, options, told))
            return honest(budget, matrix, options, **told)

        monkeypatch.setattr(Budget, "run", run)
        self.stop = threading.Event()
        self.budget, self.options = Budget(600.0), Options(gap=4e-3)
        self.search = self.searching()
        bound = relaxation(self.blocks, Options(), budget=Budget()).bound
        self.given.clear()
        self.known, self.relaxed = rounds._Known(self.blocks, self.options, point, bound), relaxed
        self.search._known, self.search._relaxed = self.known, relaxed

    def searching(self, **more):
        given = {"options": self.options, "budget": self.budget, **more}
        return rounds._Search(
            self.blocks, given["options"], Here(self.blocks), given["budget"], None, self.stop
        )

    @property
    def large(self):
        return self.blocks.whole.integer & self.blocks.large


@pytest.fixture
def apart(drawn, nothing, monkeypatch):
    """The relaxation agrees with doing nothing on all large decisions but those of two sites."""
    _, _, blocks = drawn
    best = relaxation(blocks, Options(), budget=Budget()).x
    relaxed = nothing.copy()
    for block in blocks.sites[:2]:
        relaxed[block.columns] = best[block.columns]
    return AroundRelaxation(drawn, nothing, relaxed, monkeypatch)


def test_what_plan_and_relaxation_agree_on_is_held_and_the_rest_is_whole(apart, nothing):
    apart.search._where_apart(nothing)
    matrix, options, told = apart.given[0]
    differ = np.abs(apart.relaxed - nothing) > 1e-6
    free = apart.large & differ
    assert 0 < free.sum() < apart.large.sum()
    held = apart.large & ~differ
    np.testing.assert_array_equal(matrix.column_lower[held], np.rint(nothing[held]))
    np.testing.assert_array_equal(matrix.column_upper[held], np.rint(nothing[held]))
    whole = apart.blocks.whole
    np.testing.assert_array_equal(matrix.column_lower[~held], whole.column_lower[~held])
    np.testing.assert_array_equal(matrix.column_upper[~held], whole.column_upper[~held])
    # Racks are left divisible, and made whole after.
    np.testing.assert_array_equal(matrix.integer, apart.large)
    assert options.nodes == rounds.NODES_OF_GROUP
    time = rounds.TIME_APART * 600.0
    assert 0.9 * time < options.time_limit <= time
    assert options.gap == max(rounds.GAP_APART, rounds.GAP_OF_SITES * 4e-3)
    assert options.interior
    assert not options.confirm
    assert told["stop"] is apart.stop


def test_a_search_around_the_relaxation_is_limited_as_all_are(apart, nothing):
    """Without a time limit it has none, and no more nodes than asked for."""
    search = apart.searching(budget=Budget(), options=Options(nodes=7))
    search._known, search._relaxed = apart.known, apart.relaxed
    search._where_apart(nothing)
    _, options, _ = apart.given[0]
    assert (options.nodes, options.time_limit) == (7, np.inf)
    assert options.gap == rounds.GAP_APART


def test_a_plan_that_nobody_searched_around_is_not_taken_for_one(apart, nothing, monkeypatch):
    """Around the point of a pass whose racks cannot be made whole, nothing may be found."""
    point = nothing.copy()
    monkeypatch.setattr(rounds._Search, "_made_whole", lambda *_: None)
    apart.search._where_apart(point)
    apart.given.clear()
    apart.search._where_apart(point)
    assert apart.given == []
    apart.search._where_apart(nothing)
    assert len(apart.given) == 1


def test_decisions_that_agree_but_for_tolerances_are_held(apart, nothing):
    near = nothing + 9e-7 * np.where(np.arange(len(nothing)) % 2, 1, -1)
    apart.search._relaxed = np.where(apart.relaxed == nothing, nothing - 9e-7, apart.relaxed)
    apart.search._where_apart(near)
    matrix, *_ = apart.given[0]
    held = apart.large & (np.abs(apart.relaxed - nothing) <= 1e-6)
    np.testing.assert_array_equal(matrix.column_lower[held], matrix.column_upper[held])


def test_the_plan_around_the_relaxation_is_whole_fits_and_is_worth_more(apart, nothing):
    whole = apart.blocks.whole
    apart.search._where_apart(nothing)
    point = apart.search._known.point
    assert objective_at(whole, point) > objective_at(whole, nothing) + 1.0
    assert largest_violation(whole, point) <= 1e-6
    np.testing.assert_allclose(point[whole.integer], np.rint(point[whole.integer]), atol=1e-6)
    held = apart.large & (np.abs(apart.relaxed - nothing) <= 1e-6)
    np.testing.assert_allclose(point[held], nothing[held], atol=1e-6)
    # Each site's part of it may be chosen from then on.
    assert len(apart.search._master) == len(apart.blocks.sites)


@pytest.mark.parametrize(
    "end",
    ["no relaxation", "a stop", "no time", "nothing left to find", "too much is open", "twice"],
)
def test_nothing_is_searched_around_a_relaxation_where_that_leads_nowhere(
    apart, nothing, monkeypatch, end
):
    search = apart.search
    if end == "no relaxation":
        search._relaxed = None
    elif end == "a stop":
        apart.stop.set()
    elif end == "no time":
        search._budget = Budget(0.0)
    elif end == "nothing left to find":
        apart.known.bound = apart.known.value
    elif end == "too much is open":
        monkeypatch.setattr(rounds, "MOST_APART", 0.0)
    else:
        search._where_apart(nothing)
        assert apart.given.pop(0)
        apart.given.clear()
        nothing = search._known.point
    search._where_apart(nothing)
    assert apart.given == []


@pytest.mark.parametrize("starts", ["without a plan", "from doing nothing"])
def test_a_pass_whose_racks_cannot_be_made_whole_goes_on_around_the_relaxation(
    drawn, nothing, monkeypatch, starts
):
    """From the large decisions that the sites came to."""
    _, _, blocks = drawn
    honest, points = rounds._Search._made_whole, []

    def made(self, point):
        points.append(point)
        return None if len(points) == 1 else honest(self, point)

    monkeypatch.setattr(rounds._Search, "_made_whole", made)
    monkeypatch.setattr(rounds, "CLOSE", 1e-3)
    taken = noted(monkeypatch, "_where_apart")
    found = searched(drawn, [] if starts == "without a plan" else [nothing])
    assert taken[0][1][0] is points[0]
    assert found.objective > objective_at(blocks.whole, nothing) + 1.0
    assert largest_violation(blocks.whole, found.x) <= 1e-6


@pytest.mark.parametrize("hurried", [True, False])
def test_what_differs_is_searched_once_prices_have_proved_what_they_can(
    drawn, nothing, monkeypatch, hurried
):
    monkeypatch.setattr(rounds, "FAR", 1e9)
    taken = noted(monkeypatch, "_among", "_price", "_where_apart")
    searched(drawn, [nothing], hurried=hurried, enough=lambda _: True)
    first = ["_among", "_price"] if hurried else ["_price", "_among"]
    assert [name for name, _ in taken] == [*first, "_where_apart"]


@pytest.mark.parametrize("hurried", [True, False])
def test_a_pass_among_mixtures_ends_around_the_relaxation(drawn, nothing, monkeypatch, hurried):
    """Also the second one, which mixes plans alone, and each around the best plan by then."""
    monkeypatch.setattr(rounds, "CLOSE", -1.0)
    monkeypatch.setattr(rounds, "FAR", 1e9)
    around, honest = [], rounds._Search._where_apart

    def watched(self, point):
        around.append((point is self._known.best, self._relaxed is not None))
        return honest(self, point)

    monkeypatch.setattr(rounds._Search, "_where_apart", watched)
    searched(drawn, [nothing], hurried=hurried)
    assert around == [(True, True)] * 2


def test_sites_are_taken_among_mixtures_whatever_is_enough_of_a_plan_known_before(
    drawn, nothing, monkeypatch
):
    monkeypatch.setattr(rounds, "CLOSE", 1e-3)
    taken = noted(monkeypatch, "_among", "_vary", "_in_turn")
    searched(drawn, [nothing], enough=lambda _: True)
    assert [name for name, _ in taken] == ["_among"]


# --- without a plan to begin from --------------------------------------------------------------


def test_sites_need_no_plan_to_begin_from(drawn, nothing, monkeypatch):
    told = []
    found = searched(drawn, [], progress=told.append)
    _, _, blocks = drawn
    assert largest_violation(blocks.whole, found.x) <= 1e-6
    assert objective_at(blocks.whole, nothing) < found.objective <= found.bound + 1e-6
    assert told[0].incumbent is None
    assert told[0].gap == np.inf
    assert told[-1].incumbent == found.objective


def test_a_search_that_comes_to_no_plan_says_so(drawn, monkeypatch):
    monkeypatch.setattr(Among, "solved", lambda self, blocks, *_: unsearched(blocks.whole))
    assert searched(drawn, []) is None


def without_start(drawn, monkeypatch, limit=np.inf):
    case, model, _ = drawn
    monkeypatch.setattr(plan, "MANY_DECISIONS", 1)
    monkeypatch.setattr(plan, "in_windows", lambda *_, **__: Walked(None, None))
    sought, honest = [], plan.search

    def watched(*given, **told):
        sought.append(given)
        return honest(*given, **told)

    monkeypatch.setattr(plan, "search", watched)
    options = Options(gap=1e-2, time_limit=limit)
    found = plan.plan_by_site(
        case.given, model, options, None, Here, course=Course(), budget=Budget(limit)
    )
    return found, sought


@pytest.mark.parametrize("limit", [np.inf, 600.0])
def test_no_plan_is_sought_where_sites_come_to_one(drawn, monkeypatch, limit):
    found, sought = without_start(drawn, monkeypatch, limit)
    assert not sought
    assert largest_violation(drawn[2].whole, found.point) <= 1e-6
    assert found.outcome.objective <= found.outcome.bound + 1e-6


@pytest.mark.parametrize("limit", [np.inf, 600.0])
def test_any_plan_is_sought_where_sites_come_to_none(drawn, nothing, monkeypatch, limit):
    """Then they go on from there."""
    monkeypatch.setattr(Among, "solved", lambda self, blocks, *_: unsearched(blocks.whole))
    found, sought = without_start(drawn, monkeypatch, limit)
    [(_, _, options)] = sought
    assert options.gap == plan.ANY
    assert largest_violation(drawn[2].whole, found.point) <= 1e-6
    assert found.outcome.objective > objective_at(drawn[2].whole, nothing)


def test_a_case_without_any_plan_is_left_to_the_search_of_the_whole(drawn, monkeypatch):
    monkeypatch.setattr(plan, "search_by_site", lambda *_, **__: None)
    monkeypatch.setattr(plan, "search", lambda matrix, *_, **__: unsearched(matrix))
    case, model, _ = drawn
    monkeypatch.setattr(plan, "MANY_DECISIONS", 1)
    monkeypatch.setattr(plan, "in_windows", lambda *_, **__: Walked(None, None))
    found = plan.plan_by_site(
        case.given, model, Options(), None, Here, course=Course(), budget=Budget()
    )
    assert found.point is None
    assert found.outcome.status == "none"
    assert found.is_open


def test_what_windows_prove_is_kept_where_they_and_sites_come_to_no_plan(drawn, monkeypatch):
    case, model, _ = drawn
    monkeypatch.setattr(plan, "MANY_DECISIONS", 1)
    monkeypatch.setattr(plan, "in_windows", lambda *_, **__: Walked(None, 77.0))
    monkeypatch.setattr(plan, "search_by_site", lambda *_, **__: None)
    monkeypatch.setattr(plan, "search", lambda matrix, *_, **__: unsearched(matrix))
    found = plan.plan_by_site(
        case.given, model, Options(), None, Here, course=Course(), budget=Budget()
    )
    assert found.outcome.bound == 77.0


@pytest.mark.parametrize(("limit", "is_asked"), [(600.0, True), (np.inf, False)])
def test_sites_are_left_for_the_whole_only_where_time_is_limited(
    drawn, nothing, monkeypatch, limit, is_asked
):
    case, model, _ = drawn
    asked = []
    monkeypatch.setattr(plan, "MANY_DECISIONS", 1)
    monkeypatch.setattr(plan, "in_windows", lambda *_, **__: Walked(None, None))
    monkeypatch.setattr(plan, "search_by_site", lambda *_, enough, **__: asked.append(enough))
    plan.plan_by_site(
        case.given, model, Options(time_limit=limit), nothing, Here,
        course=Course(), budget=Budget(limit),
    )  # fmt: skip
    assert [callable(enough) for enough in asked] == [is_asked]


@pytest.mark.parametrize(("bound", "kept"), [(1.0, False), (1e6, True)])
def test_a_bound_that_the_first_plan_refutes_is_not_believed(
    drawn, nothing, monkeypatch, bound, kept
):
    case, model, blocks = drawn
    value = objective_at(blocks.whole, nothing)
    first = replace(
        unsearched(blocks.whole), x=nothing, objective=value, bound=bound, status="optimal"
    )
    monkeypatch.setattr(plan, "MANY_DECISIONS", 1)
    monkeypatch.setattr(plan, "in_windows", lambda *_, **__: Walked(None, bound))
    monkeypatch.setattr(plan, "search_by_site", lambda *_, **__: first)
    found = plan.plan_by_site(
        case.given, model, Options(time_limit=600.0), None, Here,
        course=Course(), budget=Budget(600.0),
    )  # fmt: skip
    relaxed = relaxation(blocks, Options(), budget=Budget()).bound
    assert found.outcome.bound == (bound if kept else pytest.approx(relaxed))
    assert found.outcome.status == ("optimal" if kept else "feasible")


@pytest.mark.parametrize("stopped", [True, False])
def test_nothing_is_begun_without_a_plan_once_it_is_over(drawn, monkeypatch, stopped):
    """Stopped, or with the time over, in the windows."""
    case, model, _ = drawn
    stop, budget = threading.Event(), Budget(600.0)
    monkeypatch.setattr(plan, "MANY_DECISIONS", 1)
    for name in ("search_by_site", "search"):
        monkeypatch.setattr(plan, name, None)

    def ends(*_, **__):
        if stopped:
            stop.set()
        else:
            monkeypatch.setattr(Budget, "seconds", 600.0)
        return Walked(None, 77.0)

    monkeypatch.setattr(plan, "in_windows", ends)
    found = plan.plan_by_site(
        case.given, model, Options(time_limit=600.0), None, Here,
        course=Course(), budget=budget, stop=stop,
    )  # fmt: skip
    assert found.outcome.bound == 77.0
    assert found.outcome.ended == ("interrupted" if stopped else "time-limit")
    assert found.is_open is not stopped


def test_no_site_is_searched_without_a_plan_once_it_is_over(drawn, monkeypatch):
    _, _, blocks = drawn
    stop = threading.Event()
    relaxed = relaxation(blocks, Options(), budget=Budget())
    stop.set()
    monkeypatch.setattr(Here, "solve", None)
    found = search_by_site(
        blocks, Options(), [], Here(blocks), relaxed=relaxed, budget=Budget(), stop=stop
    )
    assert found is None


def test_sites_alone_need_no_plan_to_begin_from(drawn, nothing):
    """From one node of the whole on, to the end."""
    _, _, blocks = drawn
    found = search_by_site(blocks, Options(gap=0.1), [], Here(blocks), budget=Budget())
    assert largest_violation(blocks.whole, found.x) <= 1e-6
    assert objective_at(blocks.whole, nothing) < found.objective <= found.bound + 1e-6


def test_mixtures_end_where_nothing_is_left_to_find(drawn, nothing, monkeypatch):
    """At a gap that is wider than what is called close."""
    monkeypatch.setattr(rounds, "CLOSE", -1.0)
    monkeypatch.setattr(rounds, "FAR", -1.0)
    taken = noted(monkeypatch, "_vary", "_in_turn")
    _, _, blocks = drawn
    search_by_site(
        blocks, Options(gap=0.09), [nothing], Here(blocks), budget=Budget(), only_begin=True
    )
    assert taken == []


def test_what_a_plan_that_is_sought_proves_counts(drawn, nothing, monkeypatch):
    _, _, blocks = drawn
    value = objective_at(blocks.whole, nothing)

    def sought(matrix, *_, **__) -> Outcome:
        return replace(unsearched(matrix), x=nothing, objective=value, bound=value + 1e-3)

    monkeypatch.setattr(plan, "search", sought)
    monkeypatch.setattr(plan, "search_by_site", lambda *_, **__: None)
    monkeypatch.setattr(plan, "in_windows", lambda *_, **__: Walked(None, None))
    monkeypatch.setattr(plan, "MANY_DECISIONS", 1)
    case, model, _ = drawn
    found = plan.plan_by_site(
        case.given, model, Options(gap=1e-9), None, Here, course=Course(), budget=Budget()
    )
    assert found.outcome.bound == value + 1e-3

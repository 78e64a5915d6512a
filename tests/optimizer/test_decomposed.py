"""A company taken apart by site: blocks, bounds, combinations, and the search."""

import itertools
import os
import signal
import sys
import threading
from contextlib import contextmanager
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from scipy.sparse import csr_array

from optimizer import highs
from optimizer import solve as solving
from optimizer.audit import values_of
from optimizer.case import prepare
from optimizer.decomposed import plan, rounds
from optimizer.decomposed.blocks import COMPANY, Blocks, made_whole
from optimizer.decomposed.bound import Bound
from optimizer.decomposed.master import Master
from optimizer.decomposed.mixed import Among
from optimizer.decomposed.plan import Course
from optimizer.decomposed.rounds import (
    ended_by,
    improve_by_site,
    relaxation,
    search_by_site,
)
from optimizer.decomposed.windows import Walked
from optimizer.decomposed.workshop import Around, Here, Priced, Processes
from optimizer.highs import Budget, Options, Progress, relative_gap, run, unsearched
from optimizer.load import load
from optimizer.matrix import dense_matrix, largest_violation, objective_at
from optimizer.search import holding, search
from optimizer.solve import do_nothing, solve
from optimizer.sweep.running.cluster import connected
from tests.benchmarks.fleet import fleet, priced_years
from tests.optimizer.companies import four_unlike_sites, taken_apart
from tests.optimizer.test_splits import crowded
from tests.shipped import INSTANCES

EXACT = Options(gap=0.0, absolute_gap=1e-9)


def knapsacks(seed, sites=3, each=3, budgets=2):
    """Sites with whole things to buy, within limits of their own and budgets of the company.

    What is left of the first budget is the company's, and is worth something.
    """
    rng = np.random.default_rng(seed)
    columns = sites * each + 1
    rows, low, high = [], [], []
    for site in range(sites):
        row = np.zeros(columns)
        row[site * each : (site + 1) * each] = rng.integers(1, 5, each)
        rows.append(row)
        low.append(-np.inf)
        high.append(float(rng.integers(4, 10)))
    for budget in range(budgets):
        row = np.append(rng.integers(0, 6, sites * each), 1.0 if budget == 0 else 0.0)
        rows.append(row)
        total = float(rng.integers(5, 10 * sites))
        low.append(total if budget == 0 else -np.inf)
        high.append(total)
    cost = np.append(rng.integers(1, 9, sites * each), 0.5)
    upper = np.append(np.full(sites * each, 3.0), 1000.0)
    matrix = dense_matrix(
        rows, low, high, np.zeros(columns), upper, cost,
        integer=np.append(np.ones(sites * each, bool), False), maximise=True, offset=2.0,
    )  # fmt: skip
    owners = np.append(np.repeat(np.arange(sites), each), COMPANY)
    kinds = np.arange(columns)
    return Blocks.of(matrix, owners, matrix.integer, kinds)


@pytest.fixture(scope="module")
def company():
    """Four sites, six quarters."""
    instance = fleet(4, 6, 2)
    hours = {site: priced_years(j, 400) for j, site in enumerate(instance.power)}
    return taken_apart(instance, hours)


@pytest.fixture(scope="module")
def drawn():
    return four_unlike_sites()


# --- blocks ----------------------------------------------------------------------------------


def test_every_row_and_column_is_in_one_place(company):
    _, model, blocks = company
    columns = np.concatenate([*(b.columns for b in blocks.sites), blocks.shared])
    rows = np.concatenate([*(b.rows for b in blocks.sites), blocks.coupling])
    assert sorted(columns.tolist()) == list(range(model.matrix.shape[1]))
    assert sorted(rows.tolist()) == list(range(model.matrix.shape[0]))
    names = {model.built.rows[i][0] for i in blocks.coupling}
    assert "capital.cash_balance" in names
    assert not {name for name in names if name.startswith(("halls.", "racks.", "space."))}
    assert {model.built.columns[j][0] for j in blocks.shared} <= {"cash", "debt"}


def test_rows_of_a_site_hold_nothing_of_others(company):
    _, model, blocks = company
    table = csr_array(model.matrix.coefficients)
    for block in blocks.sites:
        held = set(table[block.rows].indices.tolist())
        assert held <= set(block.columns.tolist())


def test_a_column_of_nobody_belongs_to_the_only_site_that_it_meets():
    matrix = dense_matrix(
        [[1, 1, 0, 0], [0, 1, 1, 0], [0, 0, 1, 1]], [0] * 3, [1] * 3, [0] * 4, [1] * 4, [1] * 4
    )
    chained = Blocks.of(matrix, np.array([0, -1, -1, -1]), matrix.integer, np.arange(4))
    assert chained.sites[0].columns.tolist() == [0, 1, 2, 3]
    assert not len(chained.coupling)
    between = Blocks.of(matrix, np.array([0, -1, -1, 1]), matrix.integer, np.arange(4))
    assert [block.columns.tolist() for block in between.sites] == [[0, 1], [2, 3]]
    assert between.coupling.tolist() == [1]


# --- bounds ----------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(40))
def test_no_plan_is_above_the_bound_at_any_prices(seed):
    blocks, rng = knapsacks(seed), np.random.default_rng(seed)
    best, bound = run(blocks.whole, EXACT), Bound(blocks)
    if best.objective is None:
        pytest.skip("no plan")
    for _ in range(5):
        prices = rng.normal(0, 2, len(blocks.coupling))
        prices[~np.isfinite(blocks.limits[0])] = abs(prices[~np.isfinite(blocks.limits[0])])
        tasks = [Priced(j, prices) for j in range(len(blocks.sites))]
        found = [task.solved(blocks, EXACT, None) for task in tasks]
        assert bound.at(prices, [one.bound for one in found]) >= best.objective - 1e-6


@pytest.mark.parametrize("seed", range(20))
def test_prices_of_the_relaxation_prove_what_it_does_or_more(seed):
    blocks = knapsacks(seed)
    relaxed = run(replace(blocks.whole, integer=np.zeros_like(blocks.whole.integer)), EXACT)
    if relaxed.duals is None:
        pytest.skip("no plan")
    prices = relaxed.duals[blocks.coupling]
    tasks = [Priced(j, prices) for j in range(len(blocks.sites))]
    found = [task.solved(blocks, EXACT, None) for task in tasks]
    proved = Bound(blocks).at(prices, [one.bound for one in found])
    assert proved <= relaxed.bound + 1e-6


# --- combinations ------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(20))
def test_the_best_combination_is_that_of_brute_force(seed):
    blocks, rng = knapsacks(seed), np.random.default_rng(seed)
    master, budget = Master(blocks), Budget()
    nothing = np.zeros(blocks.whole.shape[1])
    nothing[-1] = blocks.limits[1][0]
    master.add_all(nothing)
    plans = [[nothing[block.columns]] for block in blocks.sites]
    for site, block in enumerate(blocks.sites):
        for _ in range(3):
            plan = rng.integers(0, 3, len(block.columns)).astype(float)
            if (block.matrix.coefficients @ plan <= block.matrix.row_upper).all():
                master.add(site, plan)
                plans[site].append(plan)
    best = -np.inf
    for chosen in itertools.product(*plans):
        point = np.append(np.concatenate(chosen), 0.0)
        taken = blocks.whole.coefficients @ point
        point[-1] = blocks.limits[1][0] - taken[blocks.coupling[0]]
        if largest_violation(blocks.whole, point) <= 1e-9:
            best = max(best, objective_at(blocks.whole, point))
    found = master.chosen(nothing, EXACT, budget)
    assert objective_at(blocks.whole, found) == pytest.approx(best, abs=1e-6)
    assert largest_violation(blocks.whole, found) <= 1e-6


def test_prices_stay_in_their_box():
    blocks = knapsacks(1)
    master = Master(blocks)
    nothing = np.zeros(blocks.whole.shape[1])
    nothing[-1] = blocks.limits[1][0]
    master.add_all(nothing)
    for centre, width in ((1.0, 0.5), (0.2, 0.6)):
        prices = master.prices(np.full(2, centre), np.full(2, width), Budget())
        assert (np.abs(prices - centre) <= width + 1e-9).all()
        assert prices[1] >= 0


# --- the search --------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(30))
def test_small_companies_end_between_plan_and_bound(seed):
    blocks = knapsacks(seed, sites=4)
    nothing = np.zeros(blocks.whole.shape[1])
    nothing[-1] = blocks.limits[1][0]
    best = run(blocks.whole, EXACT).objective
    found = search_by_site(blocks, Options(gap=1e-6), [nothing], Here(blocks), budget=Budget())
    assert found.objective <= best + 1e-6 <= found.bound + 2e-6
    assert largest_violation(blocks.whole, found.x) <= 1e-6
    assert found.objective >= 0.9 * best


def test_a_company_is_searched_alike_here_and_in_processes(drawn, monkeypatch):
    monkeypatch.setattr(rounds, "CLOSE", 0.0)
    case, model, blocks = drawn
    nothing = do_nothing(case, model)
    options, found = Options(gap=2e-3), []
    for shop in (Here(blocks), Processes(blocks, 1), Processes(blocks, 2)):
        counted = Counted(shop)
        outcome = search_by_site(blocks, options, [nothing.point], counted, budget=Budget())
        counted.close()
        assert counted.done > 20
        assert counted.kinds == {Priced, Among, Around}
        found.append(outcome)
    whole = run(model.matrix, Options(gap=2e-3))
    for outcome in found:
        assert outcome.objective <= whole.bound + 1e-6
        assert whole.objective <= outcome.bound + 1e-6
        assert largest_violation(model.matrix, outcome.x) <= 1e-6
        assert (outcome.objective, outcome.bound) == (found[0].objective, found[0].bound)
        np.testing.assert_array_equal(outcome.x, found[0].x)


class Counted:
    """Whoever solves problems of sites, how many were solved, and of what kinds."""

    def __init__(self, shop):
        self.shop, self.done, self.kinds = shop, 0, set()

    def solve(self, tasks, *more):
        self.kinds |= {type(task) for task in tasks}
        found = self.shop.solve(tasks, *more)
        self.done += len(found)
        return found

    def close(self):
        self.shop.close()


def on_dask(test):
    """Dask opens sockets of its own accord and closes them in its own time."""
    unraisable = "pytest.PytestUnraisableExceptionWarning"
    for warning in ("ResourceWarning", "DeprecationWarning", unraisable):
        test = pytest.mark.filterwarnings(f"ignore::{warning}")(test)
    return pytest.mark.skipif(sys.platform != "linux", reason="processes are found in /proc")(test)


class Killing(Counted):
    """Workers of a cluster, of which one is killed with a problem of a site in its hands.

    Parameters
    ----------
    address : str
        The scheduler.
    after : int
        Problems that are solved before.
    """

    def __init__(self, address, after=3):
        super().__init__(None)
        self.address, self.after = address, after
        self.killed, self.ended = None, threading.Event()

    def __call__(self, blocks):
        from optimizer.decomposed.cluster import Cluster

        self.shop = Cluster(blocks, self.address)
        self.pids = self.shop._client.run(os.getpid)
        threading.Thread(target=self.kill, daemon=True).start()
        return self

    def kill(self):
        while self.killed is None and not self.ended.wait(0.002):
            in_hand = self.shop._client.processing() if self.done >= self.after else {}
            self.killed = next((one for one, keys in in_hand.items() if keys), None)
        if self.killed:
            os.kill(self.pids[self.killed], signal.SIGKILL)

    def close(self):
        self.ended.set()
        super().close()


@contextmanager
def cluster_of(workers, folder):
    pytest.importorskip("distributed")
    from tests.optimizer.sweep.test_cluster import Machines

    machines = Machines(folder).scheduler()
    try:
        for _ in range(workers):
            machines.worker()
        with connected(machines.address) as client:
            client.wait_for_workers(workers, timeout=60)
        yield machines.address
    finally:
        machines.end()


@on_dask
@pytest.mark.parametrize("workers", [2, pytest.param(1, id="1, with which the case is lost")])
def test_a_worker_of_a_cluster_that_is_killed_in_the_midst_changes_nothing(
    drawn, tmp_path, workers
):
    case, model, blocks = drawn
    nothing, options = do_nothing(case, model), Options(gap=2e-3)
    with cluster_of(workers, tmp_path) as address:
        shop = Killing(address)(blocks)
        there = search_by_site(blocks, options, [nothing.point], shop, budget=Budget())
        shop.close()
    here = search_by_site(blocks, options, [nothing.point], Here(blocks), budget=Budget())
    assert shop.killed
    assert (there.objective, there.bound) == (here.objective, here.bound)
    np.testing.assert_array_equal(there.x, here.x)


@pytest.mark.soak
@on_dask
@pytest.mark.parametrize("from_windows", [True, False])
def test_a_worker_that_is_killed_in_the_midst_of_the_fleet_changes_no_plan(
    tmp_path, monkeypatch, from_windows
):
    """Closer than what windows of time lead to, so that sites are searched; and without these."""
    if not from_windows:
        without_windows(monkeypatch)
    loaded = load(INSTANCES / "fleet")
    case = prepare(loaded.instance, loaded.hours)
    options = Options(gap=0.01 if from_windows else 0.05)
    with cluster_of(2, tmp_path) as address:
        # After windows sites are searched once, all together.
        shop = Killing(address, after=0 if from_windows else 3)
        there = solve(case, options, workshop=shop)
    here = solve(case, options)
    assert shop.killed
    assert here.passed
    assert (there.value_musd, there.bound_musd) == (here.value_musd, here.bound_musd)
    assert values_of(there.plan) == values_of(here.plan)
    told = f"{here.value_musd} of {here.bound_musd} M$ after {shop.done} problems of sites"
    sys.stderr.write(f"{told}, the same with a worker killed\n")


def test_a_problem_that_workers_die_of_is_left_out():
    killed = pytest.importorskip("distributed").KilledWorker
    from optimizer.decomposed.cluster import _result

    def ended(error, cancelled=False):
        return SimpleNamespace(
            done=lambda: True, cancelled=lambda: cancelled, exception=lambda: error,
            result=lambda: "an outcome",
        )  # fmt: skip

    assert _result(ended(killed("a problem", None, 3))) is None
    assert _result(ended(None, cancelled=True)) is None
    assert _result(ended(None)) == "an outcome"


def test_a_stop_ends_it_with_the_best_so_far(company):
    case, model, blocks = company
    nothing, stop = do_nothing(case, model), threading.Event()
    stop.set()
    outcome = search_by_site(
        blocks, Options(), [nothing.point], Here(blocks), budget=Budget(), stop=stop
    )
    assert outcome is None or outcome.objective >= nothing.value_musd - 1e-6


def test_others_stay_as_they_are_beside_a_group(company):
    case, model, blocks = company
    point = do_nothing(case, model).point
    outcome = Around((1,), point).solved(blocks, Options(gap=1e-2), None)
    for j, block in enumerate(blocks.sites):
        if j != 1:
            np.testing.assert_array_equal(outcome.x[block.columns], point[block.columns])
    assert largest_violation(model.matrix, outcome.x) <= 1e-6
    assert objective_at(model.matrix, outcome.x) >= objective_at(model.matrix, point) - 1e-6


# --- a case that begins so, and large ones ------------------------------------------------------


def test_a_point_is_made_whole_site_by_site(drawn):
    _, model, blocks = drawn
    divisible = replace(blocks.whole, integer=blocks.whole.integer & blocks.large)
    found = run(divisible, Options(gap=1e-3))
    held = replace(blocks, whole=holding(blocks.whole, blocks.large, found.x))
    off = np.abs(found.x - np.rint(found.x))[model.matrix.integer]
    assert off.max() > 1e-3
    point = made_whole(held, found.x, lambda part: run(part, Options(gap=1e-3)).x)
    assert np.abs(point - np.rint(point))[model.matrix.integer].max() <= 1e-6
    assert largest_violation(model.matrix, point) <= 1e-6
    large = model.matrix.integer & blocks.large
    np.testing.assert_array_equal(np.rint(point[large]), np.rint(found.x[large]))
    assert objective_at(model.matrix, point) <= found.bound + 1e-6
    assert objective_at(model.matrix, point) >= found.objective - 0.01 * abs(found.objective)
    assert made_whole(held, found.x, lambda _: None) is None


def test_racks_of_many_sites_are_made_whole_by_site_in_any_search(drawn):
    _, model, blocks = drawn
    sites, options = np.full(model.matrix.shape[1], COMPANY), Options(gap=1e-2)
    for j, block in enumerate(blocks.sites):
        sites[block.columns] = j
    one = search(model.matrix, model.large, options, kinds=model.kinds)
    two = search(model.matrix, model.large, options, kinds=model.kinds, sites=sites)
    assert max(one.objective, two.objective) <= min(one.bound, two.bound) + 1e-6
    assert two.gap <= 1e-2
    assert largest_violation(model.matrix, two.x) <= 1e-6


def test_a_start_at_a_known_bound_is_the_answer(drawn):
    case, model, _ = drawn
    nothing = do_nothing(case, model)
    told = {"kinds": model.kinds, "start": nothing.point}
    at_once = search(model.matrix, model.large, Options(), bound=nothing.value_musd, **told)
    assert (at_once.status, at_once.nodes, at_once.cpu_seconds) == ("optimal", 0, 0.0)
    np.testing.assert_array_equal(at_once.x, nothing.point)
    best = search(model.matrix, model.large, Options(gap=1e-2), bound=1e6, **told)
    assert best.objective > nothing.value_musd + 1.0
    assert best.bound < 1e5


@pytest.mark.parametrize("method", ["auto", "by-site", "whole"])
def test_each_method_gives_an_audited_plan_under_its_bound(drawn, monkeypatch, method):
    without_windows(monkeypatch)
    begun = []
    honest = plan.search_by_site

    def watched(*given, **told):
        begun.append(told["only_begin"])
        return honest(*given, **told)

    monkeypatch.setattr(plan, "search_by_site", watched)
    case, *_ = drawn
    solved = solve(case, Options(gap=5e-3, method=method))
    assert begun == {"auto": [True], "by-site": [False], "whole": []}[method]
    assert solved.status == "solved"
    assert solved.value_musd <= solved.bound_musd
    assert solved.gap <= 5e-3


def test_halls_filled_one_by_one_begin_from_the_large_decisions_before(monkeypatch):
    """The plan that does not split keeps what it decided, and its bound still holds."""
    given = []
    honest = solving.nearby

    def watched(case, model, point, *told, **more):
        found = honest(case, model, point, *told, **more)
        given.append((point[model.large], found[model.large]))
        return found

    monkeypatch.setattr(solving, "nearby", watched)
    solved = solve(crowded(), Options(gap=1e-2))
    assert solved.status == "solved"
    assert given
    assert all((before == after).all() for before, after in given)


def without_windows(monkeypatch):
    """Have cases of any size searched as large ones are whose windows lead nowhere."""
    monkeypatch.setattr(plan, "MANY_DECISIONS", 1)
    monkeypatch.setattr(plan, "in_windows", lambda *_, **__: Walked(None, None))


def timed(monkeypatch):
    """Note what such cases begin with."""
    without_windows(monkeypatch)
    begun = []
    for name in ("search", "search_by_site", "improve_by_site"):
        honest = getattr(plan, name)

        def watched(*given, honest=honest, name=name, **told):
            begun.append(name)
            return honest(*given, **told)

        monkeypatch.setattr(plan, name, watched)
    return begun


def test_the_whole_is_searched_beside_what_sites_come_to_where_time_is_limited(drawn, monkeypatch):
    begun = timed(monkeypatch)
    case, *_ = drawn
    solved = solve(case, Options(gap=5e-3, time_limit=600.0))
    assert begun[:2] == ["search_by_site", "search"]
    assert solved.status == "solved"
    assert solved.value_musd <= solved.bound_musd


def test_what_sites_come_to_is_kept_where_the_whole_finds_nothing(drawn, monkeypatch):
    """Under what the whole has proved."""
    begun = timed(monkeypatch)
    honest = plan._whole_beside

    def poor(case, begun, *large):
        found = honest(case, begun, *large)
        return replace(found, x=begun.x, objective=begun.objective, gap=1.0, status="feasible")

    monkeypatch.setattr(plan, "_whole_beside", poor)
    case, model, _ = drawn
    nothing = do_nothing(case, model)
    solved = solve(case, Options(gap=5e-3, time_limit=600.0))
    assert begun[:2] == ["search_by_site", "search"]
    assert solved.passed
    assert solved.value_musd > nothing.value_musd + 1.0
    assert solved.value_musd <= solved.bound_musd


def test_a_bound_that_was_proved_before_and_all_plans_that_are_known_count(drawn, monkeypatch):
    case, model, blocks = drawn
    nothing, best = do_nothing(case, model).point, run(model.matrix, Options(gap=1e-3))
    chosen_from, honest = [], Master.add_all

    def watched(self, point):
        chosen_from.append(point)
        honest(self, point)

    monkeypatch.setattr(Master, "add_all", watched)
    found = search_by_site(
        blocks, Options(gap=1e-3), [best.x, nothing], Here(blocks), bound=best.bound,
        budget=Budget(),
    )  # fmt: skip
    assert found.status == "optimal"
    assert found.bound == best.bound
    np.testing.assert_array_equal(found.x, best.x)
    assert any(point is nothing for point in chosen_from)
    assert any(point is best.x for point in chosen_from)


@pytest.mark.parametrize(
    ("done", "stopped", "left", "ended"),
    [
        (True, True, 0.0, "by-itself"),
        (False, True, 0.0, "interrupted"),
        (False, False, 0.0, "time-limit"),
        (False, False, 600.0, "node-limit"),
    ],
)
def test_a_search_of_several_runs_says_why_it_ended(done, stopped, left, ended):
    stop = threading.Event()
    if stopped:
        stop.set()
    assert ended_by(is_done=done, budget=Budget(left), stop=stop) == ended


@pytest.mark.parametrize(("far", "turns"), [(-1.0, 1), (1e9, 0)])
def test_sites_take_turns_where_the_first_prices_leave_much_open(drawn, monkeypatch, far, turns):
    taken = []
    honest = rounds._Search._in_turn

    def watched(self, *told):
        taken.append(self._known.point)
        honest(self, *told)

    monkeypatch.setattr(rounds._Search, "_in_turn", watched)
    monkeypatch.setattr(rounds, "FAR", far)
    case, model, blocks = drawn
    start = do_nothing(case, model).point
    search_by_site(
        blocks, Options(gap=1e-3), [start], Here(blocks), budget=Budget(), only_begin=True
    )
    assert len(taken) == turns


@pytest.mark.parametrize("poor", ["sites", "whole"])
def test_the_whole_is_searched_beside_its_sites_where_it_is_large(drawn, monkeypatch, poor):
    """The better plan of the two is kept, under the lower bound."""
    begun, ended = timed(monkeypatch), {}
    monkeypatch.setattr(plan, "MOST_AT_ONCE", 0)
    monkeypatch.setattr(plan, "NEAR", 1e9)
    case, model, _ = drawn
    nothing = do_nothing(case, model)
    for name, who in (("search_by_site", "sites"), ("search", "whole")):
        honest = getattr(plan, name)

        def found(*told, honest=honest, who=who, **more):
            outcome = replace(honest(*told, **more), status="feasible")
            if who == poor:
                worth = {"x": nothing.point, "objective": nothing.value_musd}
                outcome = replace(outcome, **worth, bound=outcome.bound + 5.0)
            ended[who] = outcome
            return outcome

        monkeypatch.setattr(plan, name, found)
    solved = solve(case, Options(gap=5e-3, time_limit=600.0))
    assert begun[:2] == ["search_by_site", "search"]
    best = max(outcome.objective for outcome in ended.values())
    assert best > nothing.value_musd + 1.0
    assert solved.passed
    assert best - 1e-6 <= solved.value_musd <= solved.bound_musd
    assert solved.bound_musd <= min(outcome.bound for outcome in ended.values()) + 1e-6


def test_a_large_whole_is_not_searched_where_its_sites_are_far_off(drawn, monkeypatch):
    begun = timed(monkeypatch)
    monkeypatch.setattr(plan, "MOST_AT_ONCE", 0)
    monkeypatch.setattr(plan, "NEAR", -1.0)
    case, *_ = drawn
    solved = solve(case, Options(gap=5e-3, time_limit=600.0))
    assert begun[:2] == ["search_by_site", "improve_by_site"]
    assert solved.passed


def test_sites_are_left_for_the_whole_when_they_are_near_and_there_is_time_for_it():
    case = SimpleNamespace(budget=Budget(110.0, 0.0), course=Course())
    is_for_it = plan._is_for_the_whole(case)
    near, far = plan.NEAR - 1e-9, plan.NEAR + 1e-9
    assert is_for_it(near)
    assert not is_for_it(far)
    case.course.unit = 1.01 * case.budget.to_search / plan.FOR_WHOLE
    assert not is_for_it(near)
    case.course.unit = 0.99 * case.budget.to_search / plan.FOR_WHOLE
    assert is_for_it(near)


def test_turns_end_when_that_is_enough(drawn, monkeypatch):
    """It is asked before the first turn of all sites, and after each."""
    monkeypatch.setattr(rounds, "CLOSE", 1e9)
    monkeypatch.setattr(rounds, "FAR", -1.0)
    case, model, blocks = drawn
    start, told = do_nothing(case, model).point, []

    def enough(gap):
        told.append(gap)
        return len(told) == 3

    search_by_site(
        blocks, Options(gap=1e-3), [start], Here(blocks), budget=Budget(), only_begin=True,
        enough=enough,
    )  # fmt: skip
    assert len(told) == 3
    assert told[2] <= told[1] <= told[0]


def told_of(model, point, value, bound, status="feasible", ended="by-itself"):
    return replace(
        unsearched(model.matrix), x=point, objective=value, bound=bound, gap=np.inf,
        status=status, ended=ended,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("one", "other", "best", "bound", "status"),
    [
        ((5.0, 9.0), (6.0, 8.0), "other", 8.0, "feasible"),
        ((6.0, 8.0), (5.0, 9.0), "one", 8.0, "feasible"),
        ((-3.0, 9.0), (0.0, 8.0), "other", 8.0, "feasible"),
        ((6.0, 9.0), (None, 8.0), "one", 8.0, "feasible"),
        ((6.0, 9.0), (None, None), "one", 9.0, "feasible"),
        ((6.0, 9.0), (5.0, 6.0 + 1e-9), "one", 6.0 + 1e-9, "optimal"),
        # A bound that a plan refutes is not believed, whoever's it is.
        ((6.0, 9.0), (5.0, 5.5), "one", 9.0, "feasible"),
        ((5.0, 5.5), (6.0, 9.0), "other", 9.0, "feasible"),
    ],
)
def test_the_better_of_two_plans_is_kept_under_the_lower_bound(
    drawn, one, other, best, bound, status
):
    model = drawn[1]
    size = model.matrix.shape[1]
    points = {"one": np.zeros(size), "other": np.ones(size)}
    ends = [told_of(model, points[who], *of) for who, of in (("one", one), ("other", other))]
    found = plan._better(*ends, Options())
    value = max(end.objective for end in ends if end.objective is not None)
    assert found.x is points[best]
    assert (found.objective, found.bound, found.status) == (value, bound, status)
    assert found.gap == pytest.approx(relative_gap(value, bound))


def beside(
    drawn, monkeypatch, seen, stop=None, *, interrupted=False, value=100.0, bound=110.0, gap=0.1
):
    """What comes of a whole that tells seconds, values and bounds beside a plan of 100 to 110."""
    model = drawn[1]
    begun = replace(told_of(model, np.zeros(model.matrix.shape[1]), value, bound), gap=gap)
    halted, shown = [], []

    def told(*_, progress, stop, budget, **more):
        assert "start" not in more
        assert budget.left <= plan.TIME_FOR_WHOLE * 1000.0
        for seconds, value, bound in seen:
            monkeypatch.setattr(Budget, "seconds", seconds)
            progress(Progress(seconds, value, bound, np.inf, 0, stopping=False))
            halted.append(stop.is_set())
        if interrupted:
            stop.set()
        ended = "interrupted" if halted[-1] or interrupted else "node-limit"
        return told_of(model, None, None, seen[-1][2], "none", ended)

    monkeypatch.setattr(plan, "search", told)
    monkeypatch.setattr(Budget, "seconds", 7.0)
    case = plan._Case.of(
        drawn[0].given, model, Options(), Course(), Budget(1007.0), shown.append, stop
    )
    found = plan._whole_beside(case, begun)
    return found, halted, shown


def test_the_whole_is_left_once_it_proves_the_plan_of_its_sites(drawn, monkeypatch):
    seen = [(1.0, None, 109.0), (2.0, None, 100.0 + 1e-9)]
    found, halted, shown = beside(drawn, monkeypatch, seen)
    assert halted == [False, True]
    assert (found.status, found.ended, found.objective) == ("optimal", "by-itself", 100.0)
    assert [progress.incumbent for progress in shown] == [100.0, 100.0]
    assert [progress.bound for progress in shown] == [109.0, 100.0 + 1e-9]
    assert [progress.seconds for progress in shown] == [8.0, 9.0]
    assert shown[0].gap == pytest.approx(0.09)


def test_a_bound_of_the_whole_that_the_plan_of_its_sites_refutes_is_not_believed(
    drawn, monkeypatch
):
    found, halted, shown = beside(drawn, monkeypatch, [(1.0, 99.0, 120.0), (2.0, 99.0, 50.0)])
    assert halted == [False, False]
    assert [progress.bound for progress in shown] == [110.0, 110.0]
    assert (found.status, found.bound, found.ended) == ("feasible", 110.0, "node-limit")


@pytest.mark.parametrize(("value", "late"), [(None, True), (100.5, True), (102.0, False)])
def test_the_whole_is_left_where_it_closes_little_of_the_gap_in_time(
    drawn, monkeypatch, value, late
):
    patience = plan.PATIENCE * plan.TIME_FOR_WHOLE * 1000.0
    _, halted, _ = beside(drawn, monkeypatch, [(0.9 * patience, value, 110.0)])
    assert halted == [False]
    found, halted, _ = beside(drawn, monkeypatch, [(1.1 * patience, value, 110.0)])
    assert halted == [late]
    assert found.ended == ("time-limit" if late else "node-limit")


@pytest.mark.parametrize(("value", "late"), [(None, True), (86.0, True), (96.0, False)])
def test_the_whole_is_left_where_it_comes_to_no_plan_in_time(drawn, monkeypatch, value, late):
    """Where nothing is proved before it, what it finds has to be near what it proves."""
    nothing = {"value": 10.0, "bound": None, "gap": np.inf}
    patience = plan.PATIENCE * plan.TIME_FOR_WHOLE * 1000.0
    _, halted, _ = beside(drawn, monkeypatch, [(0.9 * patience, value, 110.0)], **nothing)
    assert halted == [False]
    _, halted, _ = beside(drawn, monkeypatch, [(1.1 * patience, value, 110.0)], **nothing)
    assert halted == [late]


def test_a_stop_reaches_the_whole_and_what_comes_after_it(drawn, monkeypatch):
    stop = threading.Event()
    stop.set()
    found, halted, _ = beside(drawn, monkeypatch, [(1.0, None, 109.0)], stop)
    assert halted == [True]
    assert found.ended == "interrupted"
    # Ctrl-C ends the search itself: those after it are to know.
    stop = threading.Event()
    found, _, _ = beside(drawn, monkeypatch, [(1.0, None, 109.0)], stop, interrupted=True)
    assert found.ended == "interrupted"
    assert stop.is_set()


def test_a_search_that_is_stopped_is_not_called_left():
    stop = threading.Event()
    stop.set()
    leave = plan._Leave(stop)
    leave.look(True)
    assert leave.halt.is_set()
    assert not leave.is_left
    # What was left before stays so.
    stop.clear()
    leave = plan._Leave(stop)
    leave.look(True)
    stop.set()
    leave.look(False)
    assert leave.is_left


def test_what_sites_come_to_is_audited_before_the_whole_is_searched(drawn, monkeypatch):
    begun = timed(monkeypatch)
    case, model, _ = drawn
    start = do_nothing(case, model).point
    found = plan.plan_by_site(
        case.given, model, Options(gap=1e-6, time_limit=600.0), start, Here,
        course=Course(), budget=Budget(600.0),
    )  # fmt: skip
    assert begun == ["search_by_site"]
    assert not found.is_open
    assert found.outcome.status == "feasible"


@pytest.mark.parametrize("seed", range(12))
def test_groups_of_sites_lead_to_the_best_plan_of_a_small_company(seed):
    """Pairs of three sites, again and again, beside the rest."""
    blocks, stop = knapsacks(seed), threading.Event()
    best = run(blocks.whole, EXACT)
    start = run(replace(blocks.whole, cost=np.zeros_like(blocks.whole.cost)), EXACT).x
    found = improve_by_site(
        blocks, EXACT, start, best.bound, Here(blocks), budget=Budget(), stop=stop
    )
    assert largest_violation(blocks.whole, found.x) <= 1e-6
    value = objective_at(blocks.whole, found.x)
    assert objective_at(blocks.whole, start) <= value <= best.bound + 1e-6
    assert found.bound == best.bound
    singly = best_singly(blocks, found.x)
    assert value >= singly - 1e-6


def best_singly(blocks, point):
    """The best that any one site can do beside the others."""
    values = []
    for site in range(len(blocks.sites)):
        part, columns = blocks.around((site,), point)
        other = point.copy()
        other[columns] = run(part, EXACT).x
        values.append(objective_at(blocks.whole, other))
    return max(values)


def test_a_plan_of_many_sites_is_searched_on_from(drawn, monkeypatch):
    """What the first search leaves open is taken up in groups, under its bound."""
    begun = timed(monkeypatch)
    honest = plan._whole_beside

    def poor(case, begun, *large):
        found = honest(replace(case, options=replace(case.options, gap=0.2)), begun, *large)
        return replace(found, status="feasible")

    monkeypatch.setattr(plan, "_whole_beside", poor)
    case, *_ = drawn
    solved = solve(case, Options(gap=1e-2, time_limit=600.0))
    assert "improve_by_site" in begun
    assert solved.passed
    assert solved.value_musd <= solved.bound_musd


@pytest.fixture
def on_from(drawn, monkeypatch):
    """Go on from doing nothing under a bound, and give what is left to groups of sites."""
    monkeypatch.setattr(plan, "MANY_DECISIONS", 1)
    case, model, blocks = drawn
    start = do_nothing(case, model).point
    before, left = objective_at(blocks.whole, start), []

    def groups(blocks, options, start, bound, *_, prices, **__):
        left.append(prices)
        return told_of(model, start, objective_at(blocks.whole, start), bound, "feasible")

    def go(options=Options(gap=5e-3), limit=600.0, bound=None, course=None):  # noqa: B008
        monkeypatch.setattr(plan, "improve_by_site", groups)
        bound = near(before) if bound is None else bound
        course = Course(whole=True) if course is None else course
        found = plan.plan_on(
            case.given, model, options, start, bound, Here, course=course, budget=Budget(limit)
        )
        return before, found.objective, found.bound

    go.left = left
    return go


def near(value):
    return value + 0.99 * plan.NEAR * abs(value)


def test_a_whole_is_searched_beside_a_plan_of_windows(drawn, on_from, monkeypatch):
    """Its large decisions alone, from nothing."""
    monkeypatch.setattr(plan, "_with_divided_racks", None)
    case, model, blocks = drawn
    better, asked = do_nothing(case, model).point.copy(), []
    paid = np.flatnonzero(model.matrix.cost > 0)[0]
    better[paid] += 0.5 / model.matrix.cost[paid]
    value = objective_at(blocks.whole, better)

    def watched(matrix, large, *_, sites, rounds, gap_for_large, budget, **more):
        assert "start" not in more
        assert sites is not None
        assert (rounds, gap_for_large) == (0, plan.GAP_FOR_WHOLE)
        assert budget.left <= plan.TIME_FOR_WHOLE * 600.0
        asked.append(large)
        return told_of(model, better, value, value + 0.1, "feasible")

    monkeypatch.setattr(plan, "search", watched)
    course = Course()
    before, *found = on_from(course=course)
    [large] = asked
    np.testing.assert_array_equal(large, blocks.large)
    assert course == Course(whole=True)
    assert course.goes_on
    assert found == [pytest.approx(before + 0.5), value + 0.1]
    # Its racks come next, and groups of sites only after them.
    assert not on_from.left


def test_a_whole_is_searched_beside_a_plan_with_its_racks(drawn, on_from, monkeypatch):
    """Large decisions, and what kinds of racks these leave divided, are whole from nothing."""
    _, model, blocks = drawn
    asked, honest = [], plan.search

    def watched(matrix, large, *given, **more):
        assert "start" not in more
        asked.append(large)
        return honest(matrix, large, *given, **more)

    monkeypatch.setattr(plan, "search", watched)
    apart = np.flatnonzero(model.matrix.integer & ~blocks.large)[:1]
    rack_kind = blocks.kinds == blocks.kinds[apart]

    def one_divided(self, matrix, options, **_):
        assert not matrix.integer.any()
        held = model.matrix.integer & blocks.large
        assert (matrix.column_lower[held] == matrix.column_upper[held]).all()
        x = np.zeros(matrix.shape[1])
        x[apart] = 0.5
        return told_of(model, x, 0.0, 0.0)

    run_once = Budget.run
    runs = iter([one_divided])
    monkeypatch.setattr(Budget, "run", lambda *a, **k: next(runs, run_once)(*a, **k))
    course = Course(whole=True)
    before, value, bound = on_from(bound=1e6, course=course)
    assert course.racks
    assert not course.goes_on
    [large] = asked
    expected = blocks.large | (rack_kind & model.matrix.integer)
    np.testing.assert_array_equal(large, expected)
    assert large.sum() > blocks.large.sum()
    assert before + 1.0 < value <= bound < 1e6
    assert len(on_from.left) == 1


def test_a_plan_is_kept_where_the_whole_beside_it_finds_less(drawn, on_from, monkeypatch):
    _, model, _ = drawn
    size = model.matrix.shape[1]
    monkeypatch.setattr(
        plan, "search", lambda *_, **__: told_of(model, np.zeros(size), -1e6, 2e5, "feasible")
    )
    before, value, bound = on_from()
    assert (value, bound) == (before, near(before))


def test_a_plan_is_kept_under_its_bound_where_the_whole_beside_it_finds_nothing(
    drawn, on_from, monkeypatch
):
    _, model, _ = drawn
    monkeypatch.setattr(plan, "search", lambda *_, **__: told_of(model, None, None, 3e6, "none"))
    before, value, bound = on_from()
    assert (value, bound) == (before, near(before))


@pytest.mark.parametrize(
    ("options", "limit", "is_near", "most"),
    [
        (Options(method="by-site"), 600.0, True, 10**6),
        (Options(), np.inf, True, 10**6),
        (Options(), 1.0, True, 10**6),
        (Options(), 600.0, False, 0),
    ],
)
def test_a_whole_is_not_searched_beside_a_plan_without_time_or_where_it_is_large_and_far(
    on_from, monkeypatch, options, limit, is_near, most
):
    monkeypatch.setattr(plan, "MOST_AT_ONCE", most)
    monkeypatch.setattr(plan, "_whole_beside", None)
    course = Course(whole=True, unit=10.0)
    before, value, bound = on_from(options, limit, None if is_near else 1e6, course)
    assert not course.goes_on
    assert value == before
    assert bound == (near(before) if is_near else 1e6)
    assert len(on_from.left) == 1


@pytest.mark.parametrize(("is_near", "most"), [(True, 0), (False, 10**6)])
def test_a_whole_is_searched_beside_a_plan_that_is_near_or_where_it_is_not_large(
    on_from, monkeypatch, is_near, most
):
    monkeypatch.setattr(plan, "MOST_AT_ONCE", most)
    begun = []
    monkeypatch.setattr(plan, "_whole_beside", lambda _, known: begun.append(1) or known)
    on_from(bound=None if is_near else 1e6, course=Course())
    assert begun


def test_no_round_is_begun_after_a_stop(drawn, monkeypatch):
    honest = solving._solved_once

    def stopped(case, asked, *rest):
        asked.stop.set()
        return replace(honest(case, replace(asked, stop=None), *rest), status="best-found")

    monkeypatch.setattr(solving, "_solved_once", stopped)
    monkeypatch.setattr(solving, "_improved", None)
    solved = solve(drawn[0], Options(gap=5e-2, time_limit=600.0))
    assert solved.status == "best-found"
    assert solved.passed


@pytest.mark.parametrize("known", [True, False])
def test_the_whole_is_not_searched_again_where_no_racks_are_left_divided(
    drawn, on_from, monkeypatch, known
):
    _, model, _ = drawn
    monkeypatch.setattr(plan, "_whole_beside", None)
    size = model.matrix.shape[1]
    none = told_of(model, np.zeros(size) if known else None, 0.0, 0.0)
    monkeypatch.setattr(Budget, "run", lambda *_, **__: none)
    course = Course(whole=True)
    on_from(course=course)
    assert course.racks
    assert len(on_from.left) == 1


@pytest.mark.parametrize(("times", "begun"), [(1.01, 1), (0.99, 0)])
def test_the_whole_beside_a_plan_is_for_those_who_have_the_time(
    on_from, monkeypatch, times, begun
):
    """Measured in what the linear relaxation took."""
    asked = []
    monkeypatch.setattr(plan, "_whole_beside", lambda _, known: asked.append(1) or known)
    unit = 50.0
    limit = (times * plan.FOR_WHOLE * unit + highs.SECONDS_TO_SETTLE) / plan.TIME_TO_SEARCH
    on_from(limit=limit, course=Course(unit=unit))
    assert len(asked) == begun
    assert len(on_from.left) == 1 - begun


@pytest.mark.parametrize("whole", [True, False])
def test_sites_go_on_at_prices_that_nobody_tried_unless_the_whole_was_searched(
    on_from, drawn, whole
):
    prices = np.ones(len(drawn[2].coupling))
    course = Course(whole=whole, racks=whole, unit=1e6, prices=prices)
    on_from(course=course)
    [given] = on_from.left
    assert given is (None if whole else prices)
    # Another time they are tried already.
    assert course.prices is None


def test_sites_at_prices_prove_a_bound_for_a_plan_that_is_gone_on_from(drawn):
    case, model, blocks = drawn
    start = do_nothing(case, model).point
    relaxed = relaxation(blocks, Options(), budget=Budget())
    best = run(model.matrix, Options(gap=1e-4))
    given = blocks, Options(gap=1e-3), start, relaxed.bound + 5.0, Here(blocks)
    prices = relaxed.duals[blocks.coupling]
    priced = improve_by_site(*given, prices=prices, budget=Budget())
    plain = improve_by_site(*given, budget=Budget())
    assert plain.bound == relaxed.bound + 5.0
    assert best.objective - 1e-6 <= priced.bound < relaxed.bound
    assert priced.objective <= best.bound + 1e-6


def test_nothing_is_searched_beside_a_plan_after_a_stop(drawn, monkeypatch):
    monkeypatch.setattr(plan, "MANY_DECISIONS", 1)
    monkeypatch.setattr(plan, "search", None)
    case, model, _ = drawn
    stop = threading.Event()
    stop.set()
    start = do_nothing(case, model).point
    given = case.given, model, Options(), start, 1e6, Here
    course = Course()
    ended = plan.plan_on(*given, course=course, budget=Budget(600.0), stop=stop).ended
    assert ended == "interrupted"
    assert course == Course()


def test_one_stop_is_for_all_searches_of_a_solve(monkeypatch):
    given, honest = [], solving._solved_once

    def watched(case, asked, *rest):
        given.append(asked.stop)
        return honest(case, asked, *rest)

    monkeypatch.setattr(solving, "_solved_once", watched)
    assert solve(crowded(), Options(gap=1e-2)).passed
    assert all(isinstance(stop, threading.Event) for stop in given)
    assert len({id(stop) for stop in given}) == 1

"""The search site by site: prices, plans of sites, the best of them together, and again.

It goes on from plans that are known, if any are, and begins with the prices of the linear
relaxation, and with one node of the whole, whose large decisions alone are whole there: a bound,
and often a plan, once its racks are made whole site by site. At the prices every site is searched,
which may prove more. Where much is open then, sites are decided one after the other among mixtures
of what those after them may do: first of what the relaxation has them do, then of plans found at
lower prices. After each such pass, large decisions in which plan and relaxation differ are
searched together, the others held. Where the plan is still far off, sites take turns, each beside
what the others do, first paying for what is shared and then for nothing. In every round in which
prices may still prove more, the master problem gives new ones near those that proved most, the
sites give new plans at these, and the master chooses among all. Then groups of sites, those first
that lose most against their own best, are searched together beside the rest. Where a round brings
nothing more, groups grow, up to the whole.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from optimizer.decomposed.blocks import Blocks, made_whole
from optimizer.decomposed.bound import Bound
from optimizer.decomposed.master import Master
from optimizer.decomposed.mixed import Among
from optimizer.decomposed.workshop import Around, Priced, Task, Workshop
from optimizer.highs import Budget, Ended, Options, Outcome, Progress, relative_gap, unsearched
from optimizer.matrix import Flags, Floats, Matrix, divided, objective_at
from optimizer.search import DIVIDED, holding

#: Part of the gap that all sites together may leave open at the same prices.
GAP_OF_SITES = 0.25
#: The same in the first round, where prices are still far off.
GAP_AT_FIRST = 1e-3
#: Part of what is still open between plan and bound that a group may leave open for each site.
GAP_OF_GROUP = 0.2
#: Part of the time that the root may take: on `fleet` in want HiGHS is still there after 150 s.
TIME_FOR_ROOT = 0.15
#: Part of the bound that large decisions of all sites together may leave open among mixtures.
GAP_AMONG = 2e-3
#: Gap of a search of what plan and relaxation differ in, part of the time that it may take, and
#: part of the large decisions that may differ. Of `fleet` 371 of 5,345 do, and it brings 469.0 to
#: 471.6 M$, before racks are whole, in 1.1 linear relaxations; of a drawn company of 12 sites 265
#: of 4,312, and 726.6 to 740.9 in 0.3. From there it brings no more. No case that was measured
#: met the last of these limits.
GAP_APART, TIME_APART, MOST_APART = 5e-4, 0.25, 0.25
#: Nodes of one search of a site, and of a group beside the rest or of what differs.
NODES_OF_SITE = 2000
NODES_OF_GROUP = 100
#: Groups that are searched at once, whoever solves them; the next ones begin from what they found.
AT_ONCE = 2
#: How far prices may go from those that proved most: part of each, or of the mean of all.
WIDTH, WIDTH_OF_MEAN = 0.1, 0.3
#: What becomes of it where new prices prove no more, or do; how much of a step to them is taken.
NARROWER, WIDER, STEP = 0.6, 1.3, 0.5
#: Rounds of prices that prove nothing more before plans are sought in other ways.
PATIENCE = 2
#: Parts of the prices at which sites take their turns: whoever can do most with what is shared
#: has it first, and what is left over goes to the next best.
SHARES_OF_PRICES = (1.0, 0.9, 0.8, 0.65, 0.4, 0.0)
#: Parts of the prices at which sites are searched once more, to have plans to choose among.
VARIED_PRICES = (0.97, 0.93)
#: Gain, as a part of the gap that is left, below which a round has brought nothing.
GAIN = 0.02
#: Part of the sites that groups begin with.
FIRST_GROUP = 0.3
#: Part of the value that is open after the first prices, beyond which sites are taken among
#: mixtures, and what is open then, beyond which they take turns beside what the others do.
CLOSE, FAR = 5e-3, 0.02
#: Part of what is open by which prices of sites may prove less than the root and still be tried.
PROMISING = 0.25
#: Times by which groups grow then.
GROWTH = 1.5


@dataclass(eq=False)
class _Known:
    """The best plan so far, and what no plan can beat."""

    blocks: Blocks
    options: Options
    best: Floats | None
    bound: float
    sites_bound: float = np.inf

    @property
    def point(self) -> Floats:
        """The plan, where there is one."""
        assert self.best is not None
        return self.best

    @property
    def value(self) -> float | None:
        return None if self.best is None else objective_at(self.blocks.whole, self.best)

    @property
    def size(self) -> float:
        """What a gap is a part of: the value of the plan; without one, the bound."""
        return abs(self.bound if self.value is None else self.value)

    @property
    def gap(self) -> float:
        return relative_gap(self.value, self.bound)

    @property
    def left(self) -> float:
        """What is still open between the two."""
        return np.inf if self.value is None else max(0.0, self.bound - self.value)

    @property
    def is_done(self) -> bool:
        return self.options.reached(self.value, self.bound)

    def take(self, point: Floats | None) -> bool:
        """Keep a point if it is worth more."""
        value = self.value
        if point is None:
            return False
        if value is not None and objective_at(self.blocks.whole, point) <= value:
            return False
        self.best = point
        return True


def search_by_site(
    blocks: Blocks,
    options: Options,
    starts: Sequence[Floats],
    workshop: Workshop,
    *,
    bound: float | None = None,
    relaxed: Outcome | None = None,
    budget: Budget,
    progress: Callable[[Progress], None] | None = None,
    stop: threading.Event | None = None,
    only_begin: bool = False,
    hurried: bool = False,
    enough: Callable[[float], bool] | None = None,
) -> Outcome | None:
    """Find the best plan of a case of several sites.

    Parameters
    ----------
    blocks : Blocks
        The case.
    options : Options
        Gap, seed and limits for the search as a whole.
    starts : sequence of float array, shape (columns,)
        Plans that are known, if any: the first is gone on from, and each site's part of any may be
        chosen.
    workshop : Workshop
        Who solves problems of sites.
    bound : float, optional
        What no plan can beat, as proved before.
    relaxed : Outcome, optional
        The linear relaxation (:func:`relaxation`), where it is solved already.
    budget : Budget
        What is left of the time, and the account of the work.
    progress, stop
        As in :func:`optimizer.highs.run`.
    only_begin : bool
        Whether to end with the first prices and plans, from which others go on.
    hurried : bool
        Whether a plan comes first, and only then what sites prove at the first prices.
    enough : callable, optional
        Told the gap before sites are taken among mixtures once more or take turns, and whenever
        all have had one: whether what there is will do.

    Returns
    -------
    Outcome or None
        None where the relaxation, or a site at its prices, has no best answer: then this is no
        case for a search site by site. None as well where no plan is known, and none is found.
    """
    search = _Search(blocks, options, workshop, budget, progress, stop or threading.Event())
    watched = {"budget": budget, "progress": progress, "stop": stop}
    known = objective_at(blocks.whole, starts[0]) if starts else None
    relaxed = relaxed or relaxation(blocks, options, known=known, **watched)  # type: ignore[arg-type]
    return search.run(
        starts, bound, relaxed, only_begin=only_begin, hurried=hurried, enough=enough
    )


def relaxation(
    blocks: Blocks,
    options: Options,
    *,
    known: float | None = None,
    budget: Budget,
    progress: Callable[[Progress], None] | None = None,
    stop: threading.Event | None = None,
) -> Outcome:
    """Solve the linear relaxation of a case: a bound, and prices of what sites share.

    ``known`` is the value of a plan that is known: all that is told meanwhile.
    """

    def look(told: Progress) -> None:
        assert progress is not None
        progress(Progress(budget.seconds, known, stopping=told.stopping))

    options = replace(options, gap=0.0, time_limit=budget.to_search, interior=True)
    watched = None if progress is None else look
    return budget.run(divided(blocks.whole), options, progress=watched, stop=stop)


def improve_by_site(
    blocks: Blocks,
    options: Options,
    start: Floats,
    bound: float,
    workshop: Workshop,
    *,
    prices: Floats | None = None,
    budget: Budget,
    progress: Callable[[Progress], None] | None = None,
    stop: threading.Event | None = None,
) -> Outcome:
    """Search sites anew beside the rest, one by one and in ever larger groups.

    With prices of what sites share, they are searched at these first, and at new ones as long as
    that proves more.

    Parameters
    ----------
    blocks, options, workshop, budget, progress, stop
        As in :func:`search_by_site`.
    start : float array, shape (columns,)
        A plan to begin from.
    bound : float
        What no plan can beat, as proved before.
    prices : float array, shape (coupling rows,), optional
        Of a case with the same coupling rows.
    """
    search = _Search(blocks, options, workshop, budget, progress, stop or threading.Event())
    return search.go_on(start, bound, prices)


def ended_by(*, is_done: bool, budget: Budget, stop: threading.Event | None) -> Ended:
    """Why a search of several runs ended: nothing left to find, a stop, the clock, or rounds."""
    if is_done:
        return "by-itself"
    if stop is not None and stop.is_set():
        return "interrupted"
    return "node-limit" if budget.to_search else "time-limit"


class _Search:
    def __init__(
        self, blocks: Blocks, options: Options, workshop: Workshop, budget: Budget,
        progress: Callable[[Progress], None] | None, stop: threading.Event,
    ) -> None:  # fmt: skip
        self._blocks, self._options, self._workshop = blocks, options, workshop
        self._budget, self._progress, self._stop = budget, progress, stop
        self._bound, self._master = Bound(blocks), Master(blocks)
        self._mean = 0.0
        self._nodes, self._round, self._idle, self._width = 0, 0, 0, WIDTH
        self._losses = np.zeros(len(blocks.sites))
        self._most_divided = list(range(len(blocks.sites)))
        self._relaxed: Floats | None = None
        self._tried_around: Floats | None = None
        self._priced: tuple[Floats, list[float]]
        self._group = max(2.0, FIRST_GROUP * len(blocks.sites))
        self._enough: Callable[[float], bool] | None = None

    def run(
        self, starts: Sequence[Floats], bound: float | None, relaxed: Outcome, *,
        only_begin: bool, hurried: bool, enough: Callable[[float], bool] | None,
    ) -> Outcome | None:  # fmt: skip
        self._enough = enough
        if relaxed.duals is None or relaxed.bound is None:
            return None
        least = relaxed.bound if bound is None else min(bound, relaxed.bound)
        self._known = _Known(self._blocks, self._options, starts[0] if starts else None, least)
        for point in starts[1:]:
            self._master.add_all(point)
        self._tell()
        if not only_begin:
            self._at_the_root()
        if self._known.best is not None:
            self._master.add_all(self._known.point)
        if self._ends():
            return None if self._known.best is None else self._outcome(relaxed)
        self._relaxed = relaxed.x
        self._note_divided(relaxed.x)
        around = self._among(relaxed.x) if hurried and self._is_open(CLOSE) else None
        losses = self._at_first_prices(relaxed.duals[self._blocks.coupling])
        if losses is None and not self._is_over:
            return None
        if losses is not None:
            self._begin(None if hurried else relaxed.x, around)
        if self._known.best is None:
            return None
        while not (only_begin or self._ends() or self._group >= len(self._blocks.sites)):
            self._next_round()
        return self._outcome(relaxed)

    def go_on(self, start: Floats, bound: float, prices: Floats | None) -> Outcome:
        self._known = _Known(self._blocks, self._options, start, bound)
        self._master.add_all(start)
        if not self._ends():
            self._known.take(self._made_whole(start))
            self._master.add_all(self._known.point)
        if prices is not None and not self._ends():
            losses = self._at_first_prices(prices)
            self._losses = self._losses if losses is None else losses
        self._group = 1.0
        while not self._ends() and self._group < len(self._blocks.sites):
            before = self._known.left
            self._round += 1
            if self._prices_may_prove_more and not self._at_new_prices(before):
                continue
            self._in_groups(self._losses)
            if before - self._known.left < GAIN * before:
                self._group = max(self._group + 1.0, self._group * GROWTH)
        return self._outcome(unsearched(self._blocks.whole))

    @property
    def _large(self) -> Flags:
        """Large decisions, all of them whole numbers."""
        return self._blocks.whole.integer & self._blocks.large

    @property
    def _is_over(self) -> bool:
        return self._stop.is_set() or not self._budget.to_search

    def _ends(self) -> bool:
        """Whether there is nothing left to find, or no time for it."""
        return self._is_over or self._known.is_done

    # --- steps -----------------------------------------------------------------------------

    def _at_the_root(self) -> None:
        """Search the whole in one node, its large decisions alone: a bound, and maybe a plan."""
        if self._is_over:
            return
        blocks, options = self._blocks, self._options
        divisible = replace(blocks.whole, integer=self._large)
        time_limit = TIME_FOR_ROOT * self._budget.to_search
        once = replace(options, nodes=1, time_limit=time_limit, interior=True)
        found = self._budget.run(divisible, once, stop=self._stop)
        self._nodes += found.nodes
        if found.bound is not None:
            self._known.bound = min(self._known.bound, found.bound)
        if found.x is not None:
            self._known.take(self._made_whole(found.x))
        self._tell()

    def _made_whole(self, point: Floats) -> Floats | None:
        """Make a plan whole, its large decisions held; none where that cannot be."""
        blocks = replace(
            self._blocks, whole=holding(self._blocks.whole, self._blocks.large, point)
        )

        def solve(part: Matrix) -> Floats | None:
            # Where there is no other plan, it is worth some patience.
            is_only, budget = self._known.best is None, self._budget
            options = replace(
                self._options, gap=GAP_OF_SITES * self._options.gap, nodes=NODES_OF_GROUP,
                time_limit=budget.to_settle if is_only else budget.to_search,
            )  # fmt: skip
            return self._budget.run(part, options, stop=self._stop).x

        return made_whole(blocks, point, solve)

    def _admissible(self, prices: Floats) -> Floats:
        """Leave out prices of limits that are none."""
        lower, upper = self._blocks.limits
        wrong = (prices > 0) & ~np.isfinite(upper) | (prices < 0) & ~np.isfinite(lower)
        return np.where(wrong, 0.0, prices)

    def _at_first_prices(self, prices: Floats) -> Floats | None:
        """Search every site at prices that others are sought from."""
        self._centre = self._admissible(prices)
        self._mean = float(np.abs(self._centre).sum()) / max(1, len(self._centre))
        return self._price(self._centre, GAP_AT_FIRST)

    def _price(self, prices: Floats, gap: float) -> Floats | None:
        """Search every site at some prices; give what each loses there by what is known.

        None where a site has no bound there.
        """
        point = self._known.best
        parts = [None if point is None else point[block.columns] for block in self._blocks.sites]
        tasks = [Priced(j, prices, part) for j, part in enumerate(parts)]
        found = self._solved(tasks, self._apart(gap), NODES_OF_SITE)
        whole = [outcome for outcome in found if outcome and outcome.bound is not None]
        if len(whole) < len(tasks):
            return None
        for j, outcome in enumerate(whole):
            if outcome.x is not None:
                self._master.add(j, outcome.x)
        self._priced = prices, [float(outcome.bound or 0.0) for outcome in whole]
        losses = self._lost()
        self._prove(*self._priced)
        return losses

    def _lost(self) -> Floats:
        """What each site loses by the plan against what it can do at prices, as last proved."""
        point, (prices, bounds) = self._known.best, self._priced
        if point is None:
            return np.zeros(len(bounds))
        now = [objective_at(b.at(prices), point[b.columns]) for b in self._blocks.sites]
        return np.array(bounds) - now

    def _prove(self, prices: Floats, bounds: Sequence[float]) -> None:
        """Keep prices that prove more than any before as the centre."""
        proved = self._bound.at(prices, bounds)
        if proved < self._known.sites_bound:
            self._known.sites_bound, self._centre = proved, prices
            self._width *= WIDER
        else:
            self._width *= NARROWER
        self._known.bound = min(self._known.bound, proved)
        self._tell()

    def _begin(self, relaxed: Floats | None, around: Floats | None) -> None:
        """Look for a plan at the first prices, in one way after the other while it is far.

        Sites are taken among mixtures where a point of the relaxation is given; else what they
        came to before may be.
        """
        # Whoever has enough in a plan that was known before has not seen what sites come to.
        if relaxed is not None and self._is_open(CLOSE):
            around = self._among(relaxed)
        self._where_apart(around)
        if self._known.best is None:
            return
        self._losses = self._lost()
        if self._leaves(CLOSE):
            self._vary(self._centre)
            if self._leaves(CLOSE):
                self._where_apart(self._among())
        if self._leaves(FAR):
            self._losses = self._lost()
            self._in_turn(self._losses, self._centre)
            self._vary(self._centre)

    def _note_divided(self, point: Floats | None) -> None:
        """Put sites first whose large decisions a relaxation leaves most divided."""
        if point is None:
            return
        off = np.abs(point - np.rint(point)) * self._large
        off_by = [float(off[block.columns].sum()) for block in self._blocks.sites]
        self._most_divided = np.argsort(-np.array(off_by), kind="stable").tolist()

    def _is_open(self, part: float) -> bool:
        """Whether more than a part of the value is open."""
        return not self._known.is_done and self._known.left > part * self._known.size

    def _leaves(self, part: float) -> bool:
        """Whether more than a part of the value is open, and nobody has enough."""
        return self._is_open(part) and not (self._enough and self._enough(self._known.gap))

    def _among(self, relaxed: Floats | None = None) -> Floats | None:
        """Take sites in turn among mixtures of what those after them may do.

        Parameters
        ----------
        relaxed : float array, shape (columns of the whole,), optional
            A point that need not be whole, of which sites may take a part as well.

        Returns
        -------
        float array, shape (columns of the whole,), or None
            The best plan by then, or what sites came to, where its racks cannot be made whole.
        """
        point = self._mixed(relaxed)
        whole = None if point is None else self._made_whole(point)
        self._keep(whole)
        return point if whole is None else self._known.point

    def _mixed(self, relaxed: Floats | None) -> Floats | None:
        """Decide all sites, one after the other; none where one of them fails, or time is up."""
        blocks = self._blocks
        point, rest = np.zeros(blocks.whole.shape[1]), set(range(len(blocks.sites)))
        apart = GAP_AMONG * abs(self._known.bound) / len(blocks.sites)
        for site in self._most_divided:
            if self._is_over:
                return None
            rest.discard(site)
            task = Among(site, point, self._master.mixture(rest, relaxed))
            [outcome] = self._solved([task], apart, NODES_OF_GROUP)
            if outcome is None or outcome.x is None:
                return None
            point = outcome.x
        return point

    def _where_apart(self, point: Floats | None) -> None:
        """Search large decisions in which a point and the relaxation differ, the rest held.

        What both agree on is mostly right, and of some thousands that leaves a few hundred.
        """
        whole, large = self._blocks.whole, self._large
        if point is None or self._relaxed is None or point is self._tried_around or self._ends():
            return
        apart = large & (np.abs(self._relaxed - np.rint(point)) > DIVIDED)
        if apart.sum() > MOST_APART * large.sum():
            return
        options = replace(
            self._options, gap=max(GAP_APART, GAP_OF_SITES * self._options.gap), confirm=False,
            nodes=min(NODES_OF_GROUP, self._options.nodes or NODES_OF_GROUP), interior=True,
            time_limit=TIME_APART * self._budget.to_search,
        )  # fmt: skip
        near = replace(holding(whole, large & ~apart, point), integer=large)
        before = self._known.best
        look = None if self._progress is None else lambda _: self._tell()
        found = self._budget.run(near, options, progress=look, stop=self._stop)
        self._nodes += found.nodes
        if found.x is not None:
            self._keep(self._made_whole(found.x))
        self._tried_around = point if self._known.best is before else self._known.best

    def _keep(self, whole: Floats | None) -> None:
        """Keep a plan if there is one, and the best choice with it among all."""
        if whole is not None:
            self._master.add_all(whole)
            self._known.take(whole)
            self._choose()
        self._tell()

    def _in_turn(self, losses: Floats, at: Floats) -> None:
        """Take sites in turn beside what the others do, first paying for what is shared."""
        order = np.argsort(-losses, kind="stable").tolist()
        point = self._known.point
        for share in SHARES_OF_PRICES:
            prices = share * at if share else None
            for site in order:
                if self._ends():
                    break
                task = Around((site,), point, prices)
                [outcome] = self._solved([task], self._share(1), NODES_OF_GROUP)
                point = point if outcome is None or outcome.x is None else outcome.x
            self._master.add_all(point)
            self._known.take(point)
            self._tell()
            if self._enough is not None and self._enough(self._known.gap):
                return

    def _vary(self, at: Floats) -> None:
        """Add what sites would do at prices a little lower, and choose among all."""
        blocks = self._blocks
        for share in VARIED_PRICES:
            if self._ends():
                return
            point = self._known.point
            tasks = [
                Priced(j, share * at, point[block.columns]) for j, block in enumerate(blocks.sites)
            ]
            for j, outcome in enumerate(self._solved(tasks, self._share(1), NODES_OF_GROUP)):
                if outcome is not None and outcome.x is not None:
                    self._master.add(j, outcome.x)
            self._choose()

    def _next_round(self) -> None:
        before = self._known.left
        self._round += 1
        if self._prices_may_prove_more and not self._at_new_prices(before):
            return
        self._choose()
        self._in_groups(self._losses)
        if before - self._known.left < GAIN * before:
            self._group *= GROWTH

    @property
    def _prices_may_prove_more(self) -> bool:
        """Whether sites at their prices are anywhere near to proving what is proved already."""
        known = self._known
        return known.sites_bound - known.bound <= PROMISING * known.left

    def _at_new_prices(self, before: float) -> bool:
        """Search sites at new prices; tell whether it is time to look for plans in other ways."""
        known, proved = self._known, self._known.sites_bound
        width = self._width * np.maximum(np.abs(self._centre), WIDTH_OF_MEAN * self._mean)
        found = self._master.prices(self._centre, width, self._budget)
        prices = self._centre if found is None else (1 - STEP) * self._centre + STEP * found
        losses = self._price(self._admissible(prices), self._options.gap * GAP_OF_SITES)
        if losses is None or self._ends():
            return False
        self._losses = losses
        self._choose()
        self._idle = 0 if proved - known.sites_bound > GAIN * before else self._idle + 1
        if self._idle < PATIENCE:
            return False
        self._idle = 0
        self._in_turn(losses, self._centre)
        return True

    def _choose(self) -> None:
        """Choose among all plans that are known."""
        if self._ends():
            return
        options = replace(
            self._options, gap=0.1 * self._options.gap, nodes=NODES_OF_SITE,
            time_limit=self._budget.to_search,
        )  # fmt: skip
        self._known.take(self._master.chosen(self._known.point, options, self._budget, self._stop))
        self._tell()

    def _in_groups(self, losses: Floats) -> None:
        """Search groups of sites beside the rest, a few at once from the same plan."""
        if self._ends():
            return
        count, size = len(self._blocks.sites), int(self._group)
        order = np.argsort(-losses, kind="stable")
        if self._round % 2 == 0:
            order = np.random.default_rng(self._options.seed + self._round).permutation(count)
        groups = [tuple(sorted(order[j : j + size].tolist())) for j in range(0, count, size)]
        for j in range(0, len(groups), AT_ONCE):
            if self._ends():
                return
            tasks = [Around(group, self._known.point) for group in groups[j : j + AT_ONCE]]
            for outcome in self._solved(tasks, self._share(size), NODES_OF_GROUP):
                if outcome is not None and outcome.x is not None:
                    self._master.add_all(outcome.x)
                    self._known.take(outcome.x)
            self._choose()

    def _share(self, sites: int) -> float:
        """What some sites may leave open beside the rest, in M$."""
        open_ = GAP_OF_GROUP * self._known.left / len(self._blocks.sites)
        return sites * max(self._apart(self._options.gap * GAP_OF_SITES), open_)

    def _apart(self, gap: float) -> float:
        """What one site may leave open where all leave a part of the value, in M$."""
        return gap * self._known.size / len(self._blocks.sites)

    # --- telling ---------------------------------------------------------------------------

    def _solved(self, tasks: Sequence[Task], apart: float, nodes: int) -> list[Outcome | None]:
        """Have problems of sites solved, each within so many M$."""
        options = replace(
            self._options, gap=0.0, absolute_gap=max(apart, self._options.absolute_gap),
            nodes=min(nodes, self._options.nodes or nodes), time_limit=self._budget.to_search,
        )  # fmt: skip
        found = self._workshop.solve(tasks, options, self._stop, self._tell)
        for outcome in found:
            if outcome is not None:
                self._budget.count(outcome)
                self._nodes += outcome.nodes
        return found

    def _tell(self) -> None:
        if self._progress is None:
            return
        known = self._known
        self._progress(
            Progress(
                self._budget.seconds, known.value, known.bound, known.gap, self._nodes,
                self._stop.is_set(),
            )
        )  # fmt: skip

    def _outcome(self, relaxed: Outcome) -> Outcome:
        known = self._known
        return self._budget.billed(
            replace(
                relaxed,
                status="optimal" if known.is_done else "feasible",
                ended=ended_by(is_done=known.is_done, budget=self._budget, stop=self._stop),
                x=known.point,
                objective=known.value,
                bound=known.bound,
                gap=known.gap,
                root_bound=relaxed.bound,
                matrix=self._blocks.whole,
                duals=None,
                messages=(),
            )
        )

"""One run of HiGHS: arrays in, arrays out, every return code looked at.

HiGHS works in a thread of its own, so that Ctrl-C, a time limit and the progress line are served
while it does. Its callbacks only note numbers down; whoever waits reads them. What comes back is
a claim, not a proof: that no plan exists, or that none is best, is believed only after a second
solve without presolve, and every plan still has to pass the audit.
"""

from __future__ import annotations

import math
import os
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from queue import SimpleQueue
from time import process_time, thread_time
from typing import Any, Literal

import highspy
import numpy as np
from highspy import HighsModelStatus, HighsStatus

from optimizer.matrix import DROPPED, Floats, Matrix, costless, largest_violation, objective_at
from optimizer.tighten import Limits, tighten

#: What a run claims. ``feasible``: a plan, not shown to be the best; ``none``: stopped before any.
Status = Literal["optimal", "feasible", "infeasible", "unbounded", "none"]

#: Why a run ended: by itself, or stopped by the clock, its nodes, the user, or the watchdog.
Ended = Literal["by-itself", "time-limit", "node-limit", "interrupted", "abandoned"]

#: Versions that give wrong answers, by the start of their number, and what is wrong with them.
BANNED = {
    "1.14.": "its presolve cuts off best plans of models with two unknowns "
    "(HiGHS issues 2957, 3043, 3073, 3094)"
}

#: How far from a whole number, and from its rows and limits, a point of the solver may lie.
TOLERANCE = 1e-6

#: Relative distance of plan and bound above which a claim to the best is not only imprecise.
FAR = 1e-5

#: How long a second Ctrl-C waits for HiGHS to put its work down, in seconds.
SECONDS_TO_HALT = 1.0

#: Most seconds, or a twentieth of the limit if that is less, that a search leaves of its limit for
#: the polishing and the audit of its plan.
SECONDS_TO_SETTLE = 2.0

#: How a case may be searched.
Method = Literal["auto", "whole", "by-site"]

#: How long the waiting thread sleeps between two looks, in seconds.
TICK = 0.1
#: The same where nobody waits for progress.
CALM_TICK = 1.0


class SolverFault(Exception):
    """HiGHS refused a call, failed, or is of a version known to answer wrongly."""


@dataclass(frozen=True)
class Options:
    """What a solve may take and how exact it must be.

    Attributes
    ----------
    gap : float
        Relative distance of plan and bound at which a plan counts as best.
    absolute_gap : float
        The same in the unit of the objective; the first of the two to be reached ends the run.
    time_limit : float
        Seconds, for all solves that one answer takes. Without one, nothing that is found hangs on
        the clock.
    nodes : int or None
        Most branch-and-bound nodes of each solve: a limit that is the same on every machine.
    threads : int
        Threads of HiGHS. With one, runs repeat exactly.
    seed : int
        Random seed of HiGHS.
    presolve : bool
        Whether the model is reduced before it is solved.
    grace : float
        Seconds, or a twentieth of the time limit if that is more, that a routine of HiGHS may
        overrun a stop before the best plan so far is taken without it.
    interior : bool
        Whether linear programs are solved from within, and a corner sought only then: of large
        ones that is much less work.
    method : str
        How a case is searched: as a whole, site by site, or as its size suggests. One matrix
        alone is always searched as a whole.
    confirm : bool
        Whether a claim that no point exists is proved once more; what is only a try needs none.
    dual_tolerance : float
        What a column may still earn by the unit where HiGHS calls a linear program solved; bands
        of single hours at the brink of paying earn less than its default.
    """

    gap: float = 1e-4
    absolute_gap: float = 1e-6
    time_limit: float = math.inf
    nodes: int | None = None
    threads: int = 1
    seed: int = 0
    presolve: bool = True
    grace: float = 5.0
    confirm: bool = True
    dual_tolerance: float = 1e-7
    interior: bool = False
    method: Method = "auto"

    @property
    def patience(self) -> float:
        """Seconds between a stop and giving HiGHS up."""
        finite = self.time_limit if math.isfinite(self.time_limit) else 0.0
        return max(self.grace, 0.05 * finite)

    def reached(self, objective: float | None, bound: float | None) -> bool:
        """Whether plan and bound meet: within either gap, exactly, and nothing on top.

        Examples
        --------
        >>> Options(gap=0.25).reached(8.0, 10.0), Options(gap=0.25).reached(8.0, 10.001)
        (True, False)
        """
        if objective is None or bound is None:
            return False
        close = abs(objective - bound) <= self.absolute_gap
        return close or relative_gap(objective, bound) <= self.gap


@dataclass(frozen=True)
class Progress:
    """Where a run stands.

    Attributes
    ----------
    seconds : float
        Since the run began.
    incumbent : float or None
        Objective of the best plan so far.
    bound : float or None
        What no plan can beat.
    gap : float
        Relative distance of the two, infinite while one is missing.
    nodes : int
        Branch-and-bound nodes done.
    stopping : bool
        Whether the run has been told to stop.
    """

    seconds: float
    incumbent: float | None = None
    bound: float | None = None
    gap: float = math.inf
    nodes: int = 0
    stopping: bool = False


@dataclass(frozen=True, eq=False)
class Outcome:
    """What HiGHS claims about a matrix.

    Attributes
    ----------
    status : str
        The claim; see :data:`Status`.
    ended : str
        Why the run ended; see :data:`Ended`.
    x : float array, shape (columns,), or None
        The best point found.
    objective, bound : float or None
        Its objective, worked out anew from ``x``, and what no point can beat.
    gap : float
        Relative distance of the two; infinite while one is missing.
    root_bound : float or None
        The bound when branching began; the final one where it never did.
    nodes, lp_iterations : int
        Branch-and-bound nodes, simplex iterations, over every solve that the answer took.
    seconds, cpu_seconds : float
        Wall clock, and what HiGHS took of the processors, likewise.
    messages : tuple of str
        Warnings of HiGHS, and what was done about doubtful claims.
    matrix : Matrix or None
        What it is about.
    duals : float array, shape (rows,), or None
        Of a linear program that was solved, what one more of each row's limit is worth.
    limits : pair of float arrays or None
        Limits that rows leave to every column, as worked out before the run.
    timed : bool
        Whether the clock has ended it, or any other solve that the answer took: on another
        machine it may be another answer.
    """

    status: Status
    ended: Ended
    x: Floats | None
    objective: float | None
    bound: float | None
    gap: float
    root_bound: float | None
    nodes: int
    lp_iterations: int
    seconds: float
    cpu_seconds: float
    messages: tuple[str, ...]
    matrix: Matrix | None = field(default=None, repr=False)
    duals: Floats | None = field(default=None, repr=False)
    limits: Limits | None = field(default=None, repr=False)
    timed: bool = False

    @property
    def violation(self) -> float:
        """By how much ``x`` breaks the row or limit that it breaks most; NaN without ``x``."""
        if self.x is None or self.matrix is None:
            return math.nan
        return largest_violation(self.matrix, self.x)


def relative_gap(objective: float | None, bound: float | None) -> float:
    """Distance of plan and bound, as a share of the plan.

    Examples
    --------
    >>> relative_gap(200.0, 201.0), relative_gap(0.0, 0.0), relative_gap(None, 1.0)
    (0.005, 0.0, inf)
    """
    if objective is None or bound is None:
        return math.inf
    distance = abs(objective - bound)
    if distance == 0:
        return 0.0
    return distance / abs(objective) if objective else math.inf


def ban(version: str) -> str | None:
    """Why a version of HiGHS must not be used, or None.

    Examples
    --------
    >>> ban("1.15.1") is None, ban("1.14.0") is None
    (True, False)
    """
    return next((why for start, why in BANNED.items() if version.startswith(start)), None)


# --- the answer ----------------------------------------------------------------------------


def run(
    matrix: Matrix,
    options: Options | None = None,
    *,
    start: Floats | None = None,
    progress: Callable[[Progress], None] | None = None,
    stop: threading.Event | None = None,
    limits: Limits | None = None,
) -> Outcome:
    """Solve a matrix that has passed the pre-flight.

    The matrix is tightened first (:mod:`optimizer.tighten`), which costs no plan. Ctrl-C ends the
    run with the best point so far; a second one raises ``KeyboardInterrupt``.

    Parameters
    ----------
    matrix : Matrix
        What to solve.
    options : Options, optional
        Limits and exactness.
    start : float array, shape (columns,), optional
        A point to begin from; HiGHS repairs or drops it where it is not feasible.
    progress : callable, optional
        Called about ten times a second, in the caller's thread.
    stop : threading.Event, optional
        Setting it ends the run like Ctrl-C.
    limits : pair of float arrays, optional
        Limits of columns that an earlier run worked out, on the same rows and wider limits.

    Raises
    ------
    SolverFault
        Where HiGHS refuses a call, fails, or is of a banned version.
    ValueError
        Where ``start`` has the wrong length or holds what is not a number.
    """
    options = options or Options()
    _check_start(matrix, start)
    if not matrix.shape[1]:
        return _nothing_to_decide(matrix)
    matrix, limits = tighten(matrix, limits)
    watched = progress, stop or threading.Event()
    claim, first = _attempt(matrix, options, start, *watched)
    doubtful = _refuted(matrix, first, start, options) or _unproved(claim, first, options)
    believed = claim in ("optimal", "feasible", "none") and not doubtful
    if believed or (first.x is None and not options.confirm):
        return replace(first, limits=limits)
    left = _after(replace(options, presolve=not options.presolve), first)
    claim, second = _attempt(matrix, left, start, *watched)
    if claim == "unsettled":
        left = _after(left, second)
        second = _settled(second, _attempt(costless(matrix), left, start, *watched)[1])
    return replace(_reconciled(first, second, options), limits=limits)


def _after(options: Options, outcome: Outcome) -> Options:
    """What one solve leaves of its time to the next."""
    return replace(options, time_limit=max(0.0, options.time_limit - outcome.seconds))


def _refuted(matrix: Matrix, outcome: Outcome, start: Floats | None, options: Options) -> bool:
    """Whether the start itself beats what is claimed to be the bound."""
    if start is None or outcome.bound is None:
        return False
    off_whole = np.abs(start - np.rint(start))[matrix.integer].max(initial=0.0)
    if max(off_whole, largest_violation(matrix, start)) > TOLERANCE:
        return False
    ahead = objective_at(matrix, start) - outcome.bound
    margin = max(options.absolute_gap, 1e-6 * abs(outcome.bound))
    return (ahead if matrix.maximise else -ahead) > margin


def _unproved(claim: str, outcome: Outcome, options: Options) -> bool:
    """Whether HiGHS calls a point the best that its own bound leaves far behind."""
    told = outcome.status == "feasible" and claim == "optimal"
    return told and outcome.gap > max(10.0 * options.gap, FAR)


def _settled(unsettled: Outcome, costless: Outcome) -> Outcome:
    """Decide between unbounded and infeasible by whether any point exists."""
    settled: dict[Status, Status] = {"infeasible": "infeasible", "none": "none"}
    return replace(
        unsettled,
        status=settled.get(costless.status, "unbounded"),
        ended=costless.ended,
        **_work([unsettled, costless]),
    )


def _reconciled(first: Outcome, second: Outcome, options: Options) -> Outcome:
    """Believe the second of two solves, and say how it stands to the first."""
    how = ("with", "without") if options.presolve else ("without", "with")
    if first.status == "feasible" and second.x is None:
        return first
    if first.status not in ("infeasible", "unbounded"):
        said = f"bound and best of {how[0]} presolve did not agree; solved {how[1]} it"
    elif second.status == "none":
        said = f"stopped before a solve {how[1]} presolve could confirm '{first.status}'"
    elif second.status == first.status:
        said = f"'{first.status}' confirmed {how[1]} presolve"
    else:
        said = f"'{first.status}' {how[0]} presolve, '{second.status}' {how[1]} it: believed"
    return replace(
        second,
        **_work([first, second]),
        messages=(*first.messages, *second.messages, said),
    )


def _work(outcomes: Sequence[Outcome]) -> dict[str, Any]:
    """What several solves took together."""
    counted = ("nodes", "lp_iterations", "seconds", "cpu_seconds")
    summed = {name: sum(getattr(outcome, name) for outcome in outcomes) for name in counted}
    timed = any(one.timed or one.ended in ("time-limit", "abandoned") for one in outcomes)
    return {**summed, "timed": timed}


# --- one limit for many runs ---------------------------------------------------------------


class Budget:
    """One time limit for all the runs that an answer takes, and an account of their work.

    The clock runs from the beginning, also while nothing is solved. A run draws on what is left.
    What has to follow once the limit is over, such as settling a plan at hand, draws on the
    patience: with it, the whole still ends within the limit and a twentieth of it, or five
    seconds if that is more.

    Parameters
    ----------
    time_limit : float
        Seconds for everything.
    grace : float
        As in :class:`Options`.
    """

    def __init__(self, time_limit: float = math.inf, grace: float = Options.grace) -> None:
        self._options = Options(time_limit=time_limit, grace=grace)
        self._began = time.monotonic()
        self._runs: list[Outcome] = []

    @property
    def seconds(self) -> float:
        """Seconds since the beginning."""
        return time.monotonic() - self._began

    @property
    def left(self) -> float:
        """Seconds left of the limit."""
        return max(0.0, self._options.time_limit - self.seconds)

    @property
    def to_search(self) -> float:
        """Seconds left for looking further, with some kept back for settling what is found."""
        return max(0.0, self.left - min(SECONDS_TO_SETTLE, 0.05 * self._options.time_limit))

    @property
    def to_settle(self) -> float:
        """Seconds for what a plan at hand still needs: those left, or half of the patience."""
        return max(self.left, 0.5 * self._to_the_last)

    @property
    def _to_the_last(self) -> float:
        """Seconds until everything has to be over."""
        latest = self._options.time_limit + self._options.patience
        return max(0.0, latest - self.seconds)

    @property
    def limited(self) -> bool:
        """Whether the clock may end anything at all."""
        return math.isfinite(self._options.time_limit)

    def part(self, seconds: float) -> Budget:
        """Set up to so many of the seconds left apart, on the same account."""
        return self._apart(min(seconds, self.left))

    def settling(self) -> Budget:
        """Set apart, on the same account, what a plan at hand still may take."""
        return self._apart(self.to_settle)

    def _apart(self, seconds: float) -> Budget:
        part = Budget(seconds, self._grace(seconds))
        part._runs = self._runs
        return part

    def run(
        self,
        matrix: Matrix,
        options: Options,
        *,
        start: Floats | None = None,
        progress: Callable[[Progress], None] | None = None,
        stop: threading.Event | None = None,
        limits: Limits | None = None,
    ) -> Outcome:
        """Run once, for as long as ``options`` say, and enter its work in the account."""
        options = replace(options, grace=self._grace(options.time_limit))
        outcome = run(matrix, options, start=start, progress=progress, stop=stop, limits=limits)
        self._runs.append(outcome)
        return outcome

    def count(self, outcome: Outcome) -> None:
        """Enter work that was done elsewhere in the account."""
        self._runs.append(outcome)

    def _grace(self, seconds: float) -> float:
        """How long a run of so many seconds may overrun: half of what then is left of patience."""
        if math.isinf(seconds):
            return self._options.grace
        return min(self._options.grace, max(0.0, 0.5 * (self._to_the_last - seconds)))

    def billed(self, outcome: Outcome) -> Outcome:
        """Put the work of all runs so far on an outcome."""
        return replace(outcome, **_work(self._runs))


def _check_start(matrix: Matrix, start: Floats | None) -> None:
    if start is None:
        return
    if start.shape != matrix.cost.shape:
        raise ValueError(
            f"the start has shape {start.shape}, the matrix {matrix.shape[1]} columns"
        )
    if not np.isfinite(start).all():
        raise ValueError("the start holds what is not a finite number")


def _nothing_to_decide(matrix: Matrix) -> Outcome:
    """Answer for a matrix without columns, whose rows HiGHS would not look at."""
    holds = bool(np.all((matrix.row_lower <= 0) & (matrix.row_upper >= 0)))
    value = matrix.offset if holds else None
    return _outcome(
        "optimal" if holds else "infeasible",
        "by-itself",
        matrix,
        np.zeros(0) if holds else None,
        bound=value,
        root_bound=value,
    )


def unsearched(matrix: Matrix) -> Outcome:
    """What is claimed of a matrix that no solver has seen: nothing."""
    return _outcome("none", "by-itself", matrix, None, bound=None, root_bound=None)


def _outcome(
    status: Status,
    ended: Ended,
    matrix: Matrix,
    x: Floats | None,
    *,
    bound: float | None,
    root_bound: float | None,
    nodes: int = 0,
    lp_iterations: int = 0,
    seconds: float = 0.0,
    cpu_seconds: float = 0.0,
    messages: tuple[str, ...] = (),
) -> Outcome:
    """Complete an outcome with what can be worked out from its point."""
    objective = None if x is None else objective_at(matrix, x)
    return Outcome(
        status=status,
        ended=ended,
        x=x,
        objective=objective,
        bound=bound,
        gap=relative_gap(objective, bound),
        root_bound=root_bound,
        nodes=nodes,
        lp_iterations=lp_iterations,
        seconds=seconds,
        cpu_seconds=cpu_seconds,
        messages=messages,
        matrix=matrix,
    )


# --- one solve -----------------------------------------------------------------------------

#: A status, or HiGHS's "unbounded or infeasible", which has to be settled.
_Claim = Literal["optimal", "feasible", "infeasible", "unbounded", "none", "unsettled"]

_VERDICTS: dict[HighsModelStatus, _Claim] = {
    HighsModelStatus.kOptimal: "optimal",
    HighsModelStatus.kInfeasible: "infeasible",
    HighsModelStatus.kUnbounded: "unbounded",
    HighsModelStatus.kUnboundedOrInfeasible: "unsettled",
}

_STOPPED: dict[HighsModelStatus, Ended] = {
    HighsModelStatus.kTimeLimit: "time-limit",
    HighsModelStatus.kSolutionLimit: "node-limit",
    HighsModelStatus.kInterrupt: "interrupted",
}

#: HiGHS says so of every linear program that is passed flat.
_NO_NEWS = "No semi-integer/integer variables"


#: How HiGHS tells numbers apart; nothing is scaled beyond what it does by itself.
_TOLERANCES: dict[str, bool | int | float | str] = {
    "mip_feasibility_tolerance": TOLERANCE,
    "primal_feasibility_tolerance": 1e-7,
    "small_matrix_value": DROPPED,
    "large_matrix_value": 1e15,
    "infinite_bound": 1e20,
    "infinite_cost": 1e20,
    "user_objective_scale": 0,
    "user_bound_scale": 0,
}


def _settings(options: Options) -> dict[str, bool | int | float | str]:
    """Every option of HiGHS that an answer may depend on, set on every solve."""
    return {
        # Callbacks fire only while output is on; the console stays ours.
        "log_to_console": False,
        "output_flag": True,
        **dict.fromkeys(("solver", "mip_lp_solver"), "ipm" if options.interior else "choose"),
        "parallel": "choose",
        "allow_unbounded_or_infeasible": False,
        **_asked_for(options),
        **_ways(options),
        **_TOLERANCES,
        "dual_feasibility_tolerance": options.dual_tolerance,
    }


def _asked_for(options: Options) -> dict[str, bool | int | float | str]:
    """What a solve may take and how exact it must be, in the words of HiGHS."""
    return {
        "presolve": "on" if options.presolve else "off",
        "threads": options.threads,
        "random_seed": options.seed,
        "time_limit": options.time_limit,
        "mip_max_nodes": highspy.kHighsIInf if options.nodes is None else options.nodes,
        "mip_rel_gap": options.gap,
        "mip_abs_gap": options.absolute_gap,
    }


def _ways(options: Options) -> dict[str, bool | int | float | str]:
    """Which ways HiGHS searches, and why."""
    return {
        # One sub-MIP heuristic pays on allocation models; two more and restarts do not. In CPU
        # seconds, texas and hive with HiGHS 1.16.0, mean of three seeds, one value throughout:
        # 3.1 and 12.6 as set here; 6.1 and 16.6 without RENS; 2.6 and 16.9 with RINS, 3.3 and
        # 16.5 with root reduced cost, 3.2 and 13.5 with restarts.
        "mip_allow_restart": False,
        "mip_heuristic_run_rens": True,
        "mip_heuristic_run_rins": False,
        "mip_heuristic_run_root_reduced_cost": False,
        # Without presolve, a plan of feasibility jump worth -5.4 was called the optimum of a case
        # worth 12.6, for one seed in three (HiGHS 1.15.1). 1.16.0 has shown no such fault in 1,808
        # random cases; with presolve the heuristic costs nothing either way (texas, hive).
        "mip_heuristic_run_feasibility_jump": options.presolve,
        # Presolve's aggregator called 661.7 the optimum of a case worth 804.7 (HiGHS 1.15.1);
        # tightening cures that too. Leaving the rule out costs nothing in 1.16.0: texas and hive
        # take 3.1 and 12.6 CPU seconds, and 2.8 and 15.3 with it.
        "presolve_rule_off": 1 << 12,
        "mip_detect_symmetry": True,
        "mip_heuristic_effort": 0.05,
        # Lifting for probing has open defects (HiGHS issue 3307).
        "mip_lifting_for_probing": -1,
    }


class _Watch:
    """What the callbacks of one solve have noted, written by HiGHS's thread only."""

    def __init__(self, stop: threading.Event) -> None:
        self.stop = stop
        self.halt = False
        self.messages: list[str] = []
        self.x: Floats | None = None
        self.incumbent = self.bound = self.root_bound = math.nan
        self.nodes = 0
        self._next_look = 0.0

    def attach(self, solver: highspy.Highs) -> None:
        solver.cbLogging.subscribe(self._on_message)
        solver.cbMipImprovingSolution.subscribe(self._on_better_plan)
        solver.cbMipInterrupt.subscribe(self._on_look)
        solver.cbSimplexInterrupt.subscribe(self._on_halt)
        solver.cbIpmInterrupt.subscribe(self._on_halt)

    def _on_message(self, event: highspy.highs.HighsCallbackEvent) -> None:
        kinds = highspy.HighsLogType.kWarning, highspy.HighsLogType.kError
        if event.data_out.log_type in kinds and _NO_NEWS not in event.message:
            self.messages.append(event.message.strip())

    def _on_better_plan(self, event: highspy.highs.HighsCallbackEvent) -> None:
        self.x = np.array(event.data_out.mip_solution)
        self._look(event)
        self._on_halt(event)

    def _on_look(self, event: highspy.highs.HighsCallbackEvent) -> None:
        # HiGHS asks hundreds of times a second, and numbers are read ten times: but for those of
        # the root, whose last bound is kept.
        if not self.nodes or time.monotonic() > self._next_look:
            self._look(event)
        self._on_halt(event)

    def _look(self, event: highspy.highs.HighsCallbackEvent) -> None:
        self._next_look = time.monotonic() + TICK
        data = event.data_out
        self.incumbent, self.bound = data.mip_primal_bound, data.mip_dual_bound
        self.nodes = data.mip_node_count
        if self.nodes == 0:
            self.root_bound = self.bound

    def _on_halt(self, event: highspy.highs.HighsCallbackEvent) -> None:
        if self.halt or self.stop.is_set():
            event.interrupt()

    def progress(self, seconds: float, *, stopping: bool) -> Progress:
        incumbent, bound = _finite(self.incumbent), _finite(self.bound)
        gap = relative_gap(incumbent, bound)
        return Progress(seconds, incumbent, bound, gap, self.nodes, stopping)


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _attempt(
    matrix: Matrix,
    options: Options,
    start: Floats | None,
    progress: Callable[[Progress], None] | None,
    stop: threading.Event,
) -> tuple[_Claim, Outcome]:
    """Run HiGHS once, in its own thread, and wait for it or give it up."""
    began = time.monotonic()
    watch = _Watch(stop)
    solver = _loaded(matrix, options, start, watch)
    worker = _Worker(solver, options)
    ended = _wait(worker, watch, options, progress, stop)
    spent = _Spent(time.monotonic() - began, worker.cpu_seconds)
    if ended == "abandoned":
        return _given_up(matrix, watch, spent)
    if worker.failure is not None or worker.status == HighsStatus.kError:
        raise SolverFault("; ".join(("HiGHS failed", *watch.messages, repr(worker.failure))))
    return _read(matrix, options, solver, watch, ended, spent)


@dataclass(frozen=True)
class _Spent:
    """What a solve took, in seconds of the wall clock and, of HiGHS alone, of the processors."""

    seconds: float
    cpu_seconds: float


class Quiet(highspy.Highs):
    """HiGHS that says nothing on the console: 1.16 greets there before an option can be set."""

    def enableCallbacks(self) -> None:  # noqa: N802
        """Be told to keep quiet in the first call of the constructor."""
        self.setOptionValue("log_to_console", False)
        super().enableCallbacks()  # type: ignore[no-untyped-call]


def _loaded(
    matrix: Matrix, options: Options, start: Floats | None, watch: _Watch
) -> highspy.Highs:
    """Hand options, model and start over, looking at every return code."""
    solver = Quiet()  # type: ignore[no-untyped-call]
    why = ban(solver.version())
    if why is not None:
        raise SolverFault(f"HiGHS {solver.version()} must not be used: {why}")
    for name, value in _settings(options).items():
        _demand(solver.setOptionValue(name, value), f"option {name} = {value!r}", watch)
    watch.attach(solver)
    _demand(_pass_model(solver, matrix), "the model", watch)
    if start is not None and matrix.integer.any():
        point = highspy.HighsSolution()
        point.col_value = np.clip(start, matrix.column_lower, matrix.column_upper).tolist()
        _demand(solver.setSolution(point), "the start", watch)
    return solver


def _demand(status: HighsStatus, what: str, watch: _Watch) -> None:
    """Stop at an error; what HiGHS merely warns of is among the messages of the watch."""
    if status == HighsStatus.kError:
        raise SolverFault("; ".join((f"HiGHS refused {what}", *watch.messages)))


def _pass_model(solver: highspy.Highs, matrix: Matrix) -> HighsStatus:
    table = matrix.coefficients
    sense = highspy.ObjSense.kMaximize if matrix.maximise else highspy.ObjSense.kMinimize
    return solver.passModel(
        matrix.shape[1],
        matrix.shape[0],
        table.nnz,
        int(highspy.MatrixFormat.kColwise),
        int(sense),
        matrix.offset,
        matrix.cost,
        matrix.column_lower,
        matrix.column_upper,
        matrix.row_lower,
        matrix.row_upper,
        table.indptr,
        table.indices,
        table.data,
        matrix.integer.astype(np.int32),
    )


class _Worker:
    """One run of HiGHS, in a thread of its own."""

    def __init__(self, solver: highspy.Highs, options: Options) -> None:
        self._solver = solver
        self.is_alone = options.threads == 1
        # With one thread all work is done in the worker's own, and nobody else's is counted.
        self._clock: Callable[[], float] = thread_time if self.is_alone else process_time
        self.done = threading.Event()
        self.status: HighsStatus | None = None
        self.failure: BaseException | None = None
        #: What HiGHS took of the processors; not known of a run that was given up.
        self.cpu_seconds = 0.0

    def start(self) -> None:
        """Begin, in a thread that waits for work where there is one."""
        if self.is_alone:
            # Another caller may take the last that is idle.
            with suppress(IndexError):
                return _IDLE.pop().take(self)
        thread = _Thread()
        thread.start()
        return thread.take(self)

    def work(self) -> None:
        """Run HiGHS."""
        began = self._clock()
        try:
            self.status = self._solver.run()
        except BaseException as failure:
            self.failure = failure
        finally:
            self.cpu_seconds = self._clock() - began
            if not self.is_alone:
                # HiGHS keeps one pool of threads per calling thread; this one's ends with it.
                highspy.Highs.resetGlobalScheduler(False)


class _Thread(threading.Thread):
    """Runs HiGHS, time after time; a daemon, so that nothing stuck keeps the process alive."""

    def __init__(self) -> None:
        super().__init__(name="highs", daemon=True)
        self._works: SimpleQueue[_Worker] = SimpleQueue()
        self.is_busy = False

    def take(self, work: _Worker) -> None:
        """Begin a run; only while it is idle."""
        self.is_busy = True
        self._works.put(work)

    def run(self) -> None:
        again = True
        while again:
            work = self._works.get()
            work.work()
            again, self.is_busy = work.is_alone, False
            if again:
                # Whoever waits may have more to do, and finds this thread idle.
                _IDLE.append(self)
            work.done.set()
            del work


#: Threads that wait for work; a process that was forked has none of them.
_IDLE: deque[_Thread] = deque()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_IDLE.clear)


def solver_left_behind() -> bool:
    """Whether HiGHS still works on a run that was given up.

    Python cannot end while it does without the system calling that a crash: a command then leaves
    by ``os._exit``, once everything is written.
    """
    return any(isinstance(one, _Thread) and one.is_busy for one in threading.enumerate())


def _wait(
    worker: _Worker,
    watch: _Watch,
    options: Options,
    progress: Callable[[Progress], None] | None,
    stop: threading.Event,
) -> Ended:
    """Wait for HiGHS, passing on progress, Ctrl-C and the clock."""
    began = time.monotonic()
    ended: Ended = "by-itself"
    give_up = math.inf
    watch.halt = stop.is_set()
    worker.start()
    try:
        while not worker.done.is_set():
            try:
                # An event, since an interrupted join of Python 3.11 takes its thread for dead.
                calm = progress is None and not watch.halt
                worker.done.wait(_nap(time.monotonic() - began, options.time_limit, calm=calm))
                now = time.monotonic()
                if ended == "by-itself" and (stop.is_set() or now - began > options.time_limit):
                    ended = "interrupted" if stop.is_set() else "time-limit"
                    give_up = now + options.patience
                    watch.halt = True
                if now > give_up and not worker.done.is_set():
                    return "abandoned"
                if progress is not None:
                    progress(watch.progress(now - began, stopping=watch.halt))
            except KeyboardInterrupt:
                if stop.is_set():
                    raise
                stop.set()
    except BaseException:
        watch.halt = True
        worker.done.wait(SECONDS_TO_HALT)
        raise
    return ended


def _nap(passed: float, limit: float, *, calm: bool) -> float:
    """How long to sleep between two looks.

    Where nobody waits for progress, a look costs more than it tells: HiGHS looks out for a stop
    itself, wherever it looks out for anything.

    Examples
    --------
    >>> _nap(3.0, 60.0, calm=False), _nap(3.0, 60.0, calm=True), _nap(3.0, 3.5, calm=True)
    (0.1, 1.0, 0.5)
    """
    tick = CALM_TICK if calm else TICK
    return min(tick, limit - passed) if limit > passed else TICK


def _given_up(matrix: Matrix, watch: _Watch, spent: _Spent) -> tuple[_Claim, Outcome]:
    """Take the best plan so far from a solver that does not answer."""
    claim: Status = "none" if watch.x is None else "feasible"
    return claim, _outcome(
        claim,
        "abandoned",
        matrix,
        watch.x,
        bound=_finite(watch.bound),
        root_bound=_finite(watch.root_bound),
        nodes=watch.nodes,
        seconds=spent.seconds,
        cpu_seconds=spent.cpu_seconds,
        messages=(*watch.messages, "HiGHS did not stop when told to and was left behind"),
    )


def _read(
    matrix: Matrix,
    options: Options,
    solver: highspy.Highs,
    watch: _Watch,
    ended: Ended,
    spent: _Spent,
) -> tuple[_Claim, Outcome]:
    """Read claim, point and bound from a solver that has come back."""
    verdict, info = solver.getModelStatus(), solver.getInfo()
    if verdict in _STOPPED:
        ended = _STOPPED[verdict] if ended == "by-itself" else ended
        has_plan = info.primal_solution_status == highspy.SolutionStatus.kSolutionStatusFeasible
        claim: _Claim = "feasible" if has_plan else "none"
    elif verdict in _VERDICTS:
        claim, ended = _VERDICTS[verdict], "by-itself"
    else:
        ending = solver.modelStatusToString(verdict)
        raise SolverFault("; ".join((f"HiGHS ended with '{ending}'", *watch.messages)))
    point = solver.getSolution()
    x = _array(point.col_value) if claim in ("optimal", "feasible") else None
    is_proved = claim == "optimal" and not matrix.integer.any()
    duals = _array(point.row_dual) if is_proved else None
    bound = _bound(matrix, claim, info, x)
    nodes = max(0, info.mip_node_count)
    outcome = _outcome(
        "unbounded" if claim == "unsettled" else claim,
        ended,
        matrix,
        x,
        bound=bound,
        root_bound=bound if nodes <= 1 else _finite(watch.root_bound),
        nodes=nodes,
        lp_iterations=max(0, info.simplex_iteration_count),
        seconds=spent.seconds,
        cpu_seconds=spent.cpu_seconds,
        messages=tuple(watch.messages),
    )
    outcome = replace(outcome, duals=duals)
    return claim, _not_above_its_proof(outcome, options)


def _array(numbers: Sequence[float]) -> Floats:
    return np.fromiter(numbers, np.float64, len(numbers))


def _bound(
    matrix: Matrix, claim: _Claim, info: highspy.HighsInfo, x: Floats | None
) -> float | None:
    """What HiGHS has shown no plan to beat; of a linear program, its optimum."""
    if matrix.integer.any():
        return _finite(info.mip_dual_bound) if claim in ("optimal", "feasible", "none") else None
    return objective_at(matrix, x) if claim == "optimal" and x is not None else None


def _not_above_its_proof(outcome: Outcome, options: Options) -> Outcome:
    """Take *optimal* back where point and bound are further apart than was asked for."""
    if outcome.status != "optimal" or outcome.objective is None or outcome.bound is None:
        return outcome
    size = abs(outcome.objective)
    allowed = max(options.absolute_gap, options.gap * size) + 1e-9 * max(1.0, size)
    if abs(outcome.objective - outcome.bound) <= allowed:
        return outcome
    said = f"called optimal with a gap of {outcome.gap:.3g}, above what was asked for"
    return replace(outcome, status="feasible", messages=(*outcome.messages, said))

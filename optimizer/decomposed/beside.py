"""A search of the whole, its large decisions alone, that goes on while others look for plans.

It asks nothing of windows of time or of sites, nor they of it. Where a processor is free, it is
begun before them, in a thread of its own, and taken up where it would have been begun.
"""

from __future__ import annotations

import threading
from collections.abc import Callable

from optimizer.decomposed.blocks import Blocks, Ints
from optimizer.highs import TICK, Budget, Options, Outcome, Progress
from optimizer.search import search

#: Seconds that whoever lets go of a search waits for it to put its work down.
SECONDS_TO_LEAVE = 1.0


class Beside:
    """A search of the whole that has begun.

    Parameters
    ----------
    blocks : Blocks
        The case, with the decisions that are large.
    options : Options
        Gap and seed.
    sites : int array, shape (columns,)
        Site that the columns name (:func:`optimizer.decomposed.blocks.sites_of`).
    gap_for_large : float
        As in :func:`optimizer.search.search`.
    budget : Budget
        Pays for it, with all the time that is left to search.
    """

    def __init__(
        self, blocks: Blocks, options: Options, sites: Ints, *, gap_for_large: float,
        budget: Budget,
    ) -> None:  # fmt: skip
        self.blocks, self._options, self._sites = blocks, options, sites
        self._gap, self._budget = gap_for_large, budget.part(budget.to_search)
        self._told = Progress(0.0)
        self._found: Outcome | None = None
        self._failure: BaseException | None = None
        self._halt, self._done = threading.Event(), threading.Event()
        threading.Thread(target=self._search, name="whole", daemon=True).start()

    @property
    def bound(self) -> float | None:
        """What it has proved so far."""
        return self._told.bound

    @property
    def has_plan(self) -> bool:
        """Whether it has come to its end, and to a plan."""
        return self._found is not None and self._found.x is not None

    def taken_up(self, progress: Callable[[Progress], None], stop: threading.Event) -> Outcome:
        """Wait for what it comes to; a stop ends it with the best so far, and so does Ctrl-C."""
        while not self._done.is_set():
            try:
                self._done.wait(TICK)
                progress(self._told)
                if stop.is_set():
                    self._halt.set()
            except KeyboardInterrupt:
                if self._halt.is_set():
                    raise
                self._halt.set()
        if self._failure is not None:
            raise self._failure
        assert self._found is not None
        return self._found

    def leave(self) -> None:
        """Let go of it."""
        self._halt.set()
        self._done.wait(SECONDS_TO_LEAVE)

    def _search(self) -> None:
        try:
            self._found = search(
                self.blocks.whole, self.blocks.large, self._options, kinds=self.blocks.kinds,
                sites=self._sites, rounds=0, gap_for_large=self._gap, budget=self._budget,
                progress=self._note, stop=self._halt,
            )  # fmt: skip
        except BaseException as failure:
            self._failure = failure
        finally:
            self._done.set()

    def _note(self, told: Progress) -> None:
        self._told = told

"""A search of the whole, its large decisions alone, that goes on while others look for plans.

It asks nothing of windows of time or of sites, nor they of it. Where a processor is free, it is
begun before them, in a thread of its own, and taken up once it has come to its end, or they have.
Racks are made whole by whoever takes it up: there may be more limits on them by then.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from models.build import Column
from optimizer.decomposed.blocks import Blocks
from optimizer.highs import TICK, Budget, Options, Outcome, Progress, unsearched
from optimizer.matrix import Floats

#: Seconds that whoever lets go of a search waits for it to put its work down.
SECONDS_TO_LEAVE = 1.0


class Beside:
    """A search of the whole that has begun.

    Parameters
    ----------
    blocks : Blocks
        The case, with the decisions that are large.
    columns : sequence
        What its columns are.
    options : Options
        Gap for the large decisions, time limit and seed.
    budget : Budget
        Pays for it.
    """

    def __init__(
        self, blocks: Blocks, columns: Sequence[Column], options: Options, budget: Budget
    ) -> None:
        whole = blocks.whole
        self._matrix = replace(whole, integer=whole.integer & blocks.large)
        self._columns, self._options, self._budget = columns, options, budget
        self._told = Progress(0.0)
        self._found: Outcome | None = None
        self._halt, self._done = threading.Event(), threading.Event()
        threading.Thread(target=self._search, name="whole", daemon=True).start()

    @property
    def bound(self) -> float | None:
        """What it has proved so far."""
        return self._told.bound if self._found is None else self._found.bound

    @property
    def has_plan(self) -> bool:
        """Whether it has come to its end, and to large decisions."""
        return self._found is not None and self._found.x is not None

    def taken_up(self, progress: Callable[[Progress], None], stop: threading.Event) -> Outcome:
        """Wait for what it comes to; a stop ends it with the best so far.

        Ctrl-C sets the stop; another one is passed on.
        """
        try:
            while not self._done.is_set():
                try:
                    self._done.wait(TICK)
                    progress(self._told)
                except KeyboardInterrupt:
                    if stop.is_set():
                        raise
                    stop.set()
                if stop.is_set():
                    self._halt.set()
        except BaseException:
            self._halt.set()
            raise
        assert self._found is not None
        return self._found

    def point_of(self, columns: Sequence[Column], x: Floats) -> Floats:
        """Write a point of the search with the columns of the case as it is by now; new ones zero.

        Parameters
        ----------
        columns : sequence
            What the columns are by now.
        x : float array
            The point.
        """
        if columns == self._columns:
            return x
        known = dict(zip(self._columns, x.tolist(), strict=True))
        return np.array([known.get(column, 0.0) for column in columns])

    def leave(self) -> None:
        """Let go of it."""
        self._halt.set()
        self._done.wait(SECONDS_TO_LEAVE)

    def _search(self) -> None:
        try:
            self._found = self._budget.run(
                self._matrix, self._options, progress=self._note, stop=self._halt
            )
        except Exception as failure:
            # Others have a plan, or look for one: what they come to is not lost for this.
            said = f"the search of the whole beside the others failed: {failure!r}"
            self._found = replace(unsearched(self._matrix), messages=(said,))
        finally:
            self._done.set()

    def _note(self, told: Progress) -> None:
        self._told = told

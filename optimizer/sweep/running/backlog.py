"""What is still to be computed: fresh points, lost ones, and ones under suspicion."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterable, Sequence

from optimizer.sweep.points import Point, Row, Status
from optimizer.sweep.rows.records import Done

#: Seconds that a chunk should take: long against its way to a worker, short against a loss.
CHUNK_SECONDS = 0.4
MOST_IN_A_CHUNK = 200
#: How often a worker may die on a point: once in company and twice alone.
DEATHS = 3

DIED = "the worker died whenever it was on this point, also on it alone; it was set aside"


class Backlog:
    """Points that wait, cut into chunks that grow as points turn out to be fast.

    Parameters
    ----------
    points : iterable of Point
        Fresh points, read only as they are wanted.
    total : int
        How many of them there are.
    hands : int
        How many workers there are.
    """

    def __init__(self, points: Iterable[Point], total: int, hands: int) -> None:
        self._fresh = iter(points)
        self._left = total
        self._returned: deque[Point] = deque()
        self._suspects: deque[Point] = deque()
        self._deaths: dict[int, int] = {}
        self._seconds: float | None = None
        self.hands = hands

    def __len__(self) -> int:
        return self._left + len(self._returned) + len(self._suspects)

    def take(self) -> list[Point]:
        """Give the next chunk; a suspect comes alone, and nothing means that nothing waits."""
        suspect = self.suspect()
        return [suspect] if suspect is not None else self.unsuspected()

    def suspect(self) -> Point | None:
        """Give a point on which a worker may have died."""
        return self._suspects.popleft() if self._suspects else None

    def unsuspected(self) -> list[Point]:
        """Give the next chunk of points against which nothing speaks."""
        chunk: list[Point] = []
        for _ in range(self._size()):
            point = self._next()
            if point is None:
                break
            chunk.append(point)
        return chunk

    def _next(self) -> Point | None:
        if self._returned:
            return self._returned.popleft()
        point = next(self._fresh, None)
        self._left = 0 if point is None else self._left - 1
        return point

    @property
    def suspects(self) -> int:
        """How many points are to be tried alone."""
        return len(self._suspects)

    @property
    def at_hand(self) -> int:
        """How many chunks a worker should have: one more than it works on where they are short.

        A slow point that waits with a busy worker could be on with an idle one.
        """
        return 2 if self._seconds is not None and self._seconds < CHUNK_SECONDS else 1

    def _size(self) -> int:
        """How many points fill a chunk, with enough left for all hands to end together."""
        if self._seconds is None:
            return 1
        fill = CHUNK_SECONDS / max(self._seconds, CHUNK_SECONDS / MOST_IN_A_CHUNK)
        share = math.ceil((self._left + len(self._returned)) / (2 * max(1, self.hands)))
        return max(1, min(int(fill), share))

    def learn(self, points: int, seconds: float) -> None:
        """Hear how long a chunk took; slow ones count at once, fast ones by and by."""
        if points:
            each, known = seconds / points, self._seconds
            slower = known is None or each > known
            self._seconds = each if slower or known is None else 0.7 * known + 0.3 * each

    def give_back(self, points: Iterable[Point]) -> None:
        """Take points back that were lost through no fault of theirs."""
        self._returned.extend(points)

    def suspect_all(self, points: Iterable[Point]) -> None:
        """Take points back to be tried one at a time."""
        self._suspects.extend(points)

    def blame(self, point: Point) -> Done | None:
        """Count a death on a point: it is tried again alone, or set aside with a row."""
        deaths = self._deaths[point.number] = self._deaths.get(point.number, 0) + 1
        if deaths < DEATHS:
            self._suspects.append(point)
            return None
        return self.set_aside(point, "worker_died", DIED)

    def set_aside(self, point: Point, status: Status, message: str) -> Done:
        """Write the row of a point that no worker comes back from."""
        row = Row(point.number, status, message=message)
        return Done(point, row, attempts=max(1, self._deaths.pop(point.number, 0)))

    def done(self, points: Sequence[Point], rows: Sequence[Row], worker: str) -> list[Done]:
        """Put rows to their points."""
        return [
            Done(point, row, worker, 1 + self._deaths.pop(point.number, 0))
            for point, row in zip(points, rows, strict=True)
        ]

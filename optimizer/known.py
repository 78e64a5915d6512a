"""What was worked out before, and need not be again."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

Answer = TypeVar("Answer")


class Known(Generic[Answer]):
    """Answers by what they hang on; the oldest go where there are too many.

    Parameters
    ----------
    most : int
        How many are kept.

    Examples
    --------
    >>> known = Known(most=2)
    >>> [known.of(key, lambda key=key: key * 2) for key in (1, 2, 3)], 1 in known, 3 in known
    ([2, 4, 6], False, True)
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._known: dict[Hashable, Answer] = {}

    def __contains__(self, key: Hashable) -> bool:
        return key in self._known

    def __getitem__(self, key: Hashable) -> Answer:
        return self._known[key]

    def __setitem__(self, key: Hashable, answer: Answer) -> None:
        if key not in self._known and len(self._known) >= self._most:
            del self._known[next(iter(self._known))]
        self._known[key] = answer

    def of(self, key: Hashable, work: Callable[[], Answer]) -> Answer:
        """Look up, or work out, the answer of a key."""
        if key not in self:
            self[key] = work()
        return self[key]

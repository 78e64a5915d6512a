"""Faults of a price file: however often one occurs, it is told once, where it first does."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import replace

from optimizer.errors import InputRefused, Problem, listed


def offered(names: Iterable[str], most: int = 20) -> str:
    """Give names to choose from in their order, and count those beyond ``most``."""
    return listed(sorted(names), most)


class Faults:
    """Problems by their message, each with the place where it first occurs."""

    def __init__(self) -> None:
        self._first: dict[str, Problem] = {}
        self._counts: Counter[str] = Counter()

    def add(
        self, message: str, file: str, line: int | None = None, key: str = "", found: str = "",
        allowed: str = "", hint: str = "",
    ) -> None:  # fmt: skip
        """Note a fault."""
        self._counts[message] += 1
        if message not in self._first:
            self._first[message] = Problem(message, file, line, key, found, allowed, hint)

    def problems(self) -> tuple[Problem, ...]:
        """Give each fault once, and say how often it occurs."""
        return tuple(
            problem
            if self._counts[message] == 1
            else replace(problem, message=f"{message}, here first of {self._counts[message]:,}")
            for message, problem in self._first.items()
        )

    def stop(self) -> None:
        """Go no further where anything is wrong.

        Raises
        ------
        InputRefused
            With every fault noted so far.
        """
        if self._first:
            raise InputRefused(self.problems())


def refuse(
    message: str, file: str, line: int | None = None, key: str = "", found: str = "",
    allowed: str = "", hint: str = "",
) -> InputRefused:  # fmt: skip
    """Make a refusal of one problem, to raise."""
    return InputRefused([Problem(message, file, line, key, found, allowed, hint)])

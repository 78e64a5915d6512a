"""What can go wrong, and how it is told.

Every exception that is not a defect of ours is a :class:`RackwattError` and carries the exit
code of the command line. Bad input is a list of :class:`Problem`: what is wrong, where it was
typed, what was found, what is allowed, and a way out.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, ClassVar, Literal

from rich.console import Group
from rich.padding import Padding
from rich.text import Text

#: Words this short may differ in half of their letters and still be meant, as mw for kw.
SHORT = 3

Severity = Literal["error", "warning"]

#: How often one message about one file is told in full; the rest is counted.
MOST_ALIKE = 5


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong with the input, or doubtful.

    Attributes
    ----------
    message : str
        What is wrong, in one sentence without a full stop.
    file : str
        Name relative to the instance's folder.
    line : int or None
        Line in that file, from 1.
    key : str
        Dotted key, as ``halls.north.it_mw``; empty where the whole file is meant.
    found, allowed, hint : str
        What was typed, what may be typed, and a way out; each may be empty.
    severity : {'error', 'warning'}
        An error refuses the instance, a warning does not.
    """

    message: str
    file: str
    line: int | None = None
    key: str = ""
    found: str = ""
    allowed: str = ""
    hint: str = ""
    severity: Severity = "error"

    @property
    def place(self) -> str:
        """Where it was typed, as ``file:line``."""
        return self.file if self.line is None else f"{self.file}:{self.line}"

    @property
    def bounds(self) -> str:
        """What was found and what is allowed, on one line; what is said already is left out."""
        told = self.key.endswith(self.found) or repr(self.found) in self.message
        parts = (("found", "" if told else self.found), ("allowed", self.allowed))
        return "; ".join(f"{word} {text}" for word, text in parts if text)


class RackwattError(Exception):
    """Anything the engine says no to; ``exit_code`` is what the command line returns."""

    exit_code: ClassVar[int] = 1


class UsageRefused(RackwattError):
    """The command was called in a way that cannot be meant, as a run folder that exists."""

    exit_code = 2


class InputRefused(RackwattError):
    """The input has errors; ``problems`` holds all of them, and the warnings."""

    exit_code = 3

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__(plain(self.problems))

    @property
    def reason(self) -> str:
        """Message of the first error, whatever warnings come before it.

        Examples
        --------
        >>> odd, wrong = Problem("odd", "a", severity="warning"), Problem("wrong", "a")
        >>> InputRefused([odd, wrong]).reason
        'wrong'
        """
        errors = (one.message for one in self.problems if one.severity == "error")
        return next(errors, str(self))


class Report:
    """Problems as they are collected, in the order of their files."""

    def __init__(self) -> None:
        self._problems: dict[Problem, None] = {}

    def add(self, problem: Problem) -> None:
        """Take a problem, once."""
        self._problems[problem] = None

    def extend(self, problems: Iterable[Problem]) -> None:
        """Take several problems."""
        for problem in problems:
            self.add(problem)

    def refused(self) -> bool:
        """Whether any of them is an error."""
        return any(problem.severity == "error" for problem in self._problems)

    def sorted(self, files: Sequence[str] = ()) -> tuple[Problem, ...]:
        """Give the problems file by file, in the order of ``files``, and line by line."""
        rank = {name: position for position, name in enumerate(files)}
        return tuple(
            sorted(
                _without_repeats(self._problems),
                key=lambda p: (rank.get(p.file, len(rank)), p.file, p.line or 0),
            )
        )


def _without_repeats(problems: Iterable[Problem]) -> list[Problem]:
    """Tell the first few of many like messages about a table, and count the rest."""
    alike: dict[tuple[str, str, Severity], list[Problem]] = {}
    for problem in problems:
        alike.setdefault((problem.file, problem.message, problem.severity), []).append(problem)
    told: list[Problem] = []
    for (file, message, _), group in alike.items():
        most = MOST_ALIKE if file.endswith(".csv") else len(group)
        told += group[:most]
        rest = len(group) - most
        if rest > 0:
            more = f", and {rest - 1} more" if rest > 1 else ""
            told.append(replace(group[most], message=message + more))
    return told


def nearest(word: str, words: Iterable[str], likeness: float = 0.6) -> str | None:
    """Find the word that was probably meant.

    Examples
    --------
    >>> nearest("it_mww", ["site", "count", "it_mw"])
    'it_mw'
    >>> nearest("colour", ["site", "count"]) is None
    True
    """
    by_lower = {candidate.lower(): candidate for candidate in sorted(words)}
    cutoff = min(likeness, 0.5) if len(word) <= SHORT else likeness
    close = difflib.get_close_matches(word.lower(), by_lower, n=1, cutoff=cutoff)
    return by_lower[close[0]] if close else None


def did_you_mean(word: str, words: Iterable[str]) -> str:
    """Write the hint for a word that is not known; empty where nothing is near."""
    match = nearest(word, words)
    return f"did you mean `{match}`?" if match else ""


def listed(words: Iterable[str], most: int = 12) -> str:
    """Write a list of names, cut where it gets long."""
    names = list(words)
    rest = len(names) - most
    return ", ".join(names[:most]) + (f" and {rest} more" if rest > 0 else "")


def plain(problems: Sequence[Problem]) -> str:
    """Write problems as text, one paragraph each, as a compiler would."""
    return "\n".join(_paragraph(problem) for problem in problems)


def _paragraph(problem: Problem) -> str:
    key = f" {problem.key}:" if problem.key else ""
    lines = [f"{problem.place}: {problem.severity}:{key} {problem.message}"]
    lines += [f"    {problem.bounds}"] if problem.bounds else []
    lines += [f"    hint: {problem.hint}"] if problem.hint else []
    return "\n".join(lines)


def rich(problems: Sequence[Problem]) -> Group:
    """Lay problems out for a terminal: the place, the key, the message and the way out."""
    parts: list[Text | Padding] = []
    for problem in problems:
        colour = "red" if problem.severity == "error" else "yellow"
        head = Text.assemble(
            (problem.severity, f"bold {colour}"), "  ", (problem.place, "cyan"), "  ",
            (problem.key, "bold"),
        )  # fmt: skip
        body = Text(problem.message)
        if problem.bounds:
            body.append(f"\n{problem.bounds}", "dim")
        if problem.hint:
            body.append("\nhint: ", "green").append(problem.hint)
        parts += [head, Padding(body, (0, 0, 0, 4), expand=False)]
    return Group(*parts, Text(summary(problems), "bold"))


def summary(problems: Sequence[Problem]) -> str:
    """Count errors and warnings in words.

    Examples
    --------
    >>> summary([Problem("unknown key", "instance.toml")])
    '1 error, no warnings'
    """
    return ", ".join(
        f"{number or 'no'} {word}{'' if number == 1 else 's'}"
        for word in ("error", "warning")
        for number in [sum(problem.severity == word for problem in problems)]
    )


def as_json(problems: Sequence[Problem]) -> list[dict[str, Any]]:
    """Give problems as plain objects, for ``--json``."""
    return [asdict(problem) for problem in problems]

"""How a command speaks: data on stdout, talk on stderr, or one JSON object and nothing else."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from rich.console import Console, RenderableType
from rich.text import Text

from optimizer.errors import InputRefused, Problem, RackwattError, as_json, rich

#: Width of what goes into a file or a pipe.
WIDTH = 100


@dataclass(frozen=True)
class Voice:
    """Where a command speaks.

    Attributes
    ----------
    json : bool
        Stdout holds one object and nothing else.
    quiet : bool
        Nothing is said on stderr but what is wrong.
    """

    json: bool = False
    quiet: bool = False

    @cached_property
    def data(self) -> Console:
        """Where the answer goes."""
        width = None if sys.stdout.isatty() else WIDTH
        return Console(highlight=False, width=width)

    @cached_property
    def talk(self) -> Console:
        """Where everything else goes."""
        return Console(stderr=True, highlight=False)

    def show(self, *answer: RenderableType) -> None:
        """Show an answer to a person; left out where a program asked."""
        if not self.json:
            self.data.print(*answer, sep="\n")

    def say(self, *words: RenderableType) -> None:
        """Say something beside the answer."""
        if not self.quiet:
            self.talk.print(*words, sep="\n")

    def warn(self, words: str) -> None:
        """Say what is wrong, whether or not anybody wanted to hear."""
        self.talk.print(Text.assemble(("rackwatt", "bold red"), "  ", words), soft_wrap=True)

    def answer(self, **fields: Any) -> None:
        """Give a program its object."""
        if self.json:
            sys.stdout.write(json.dumps(fields, allow_nan=False, default=str) + "\n")
            sys.stdout.flush()

    def problems(self, problems: tuple[Problem, ...]) -> None:
        """Tell problems of the input, errors in any case."""
        errors = any(problem.severity == "error" for problem in problems)
        if problems and (errors or not self.quiet):
            self.talk.print(rich(problems))


#: What the solving commands answer in any case, before anything is known.
NO_ANSWER: Mapping[str, Any] = {
    "value_musd": None, "bound_musd": None, "gap": None, "out": None,
}  # fmt: skip


def refuse(voice: Voice, refused: RackwattError) -> int:
    """Tell a refusal, and return its exit code."""
    if isinstance(refused, InputRefused):
        voice.problems(refused.problems)
        voice.answer(status="refused", **NO_ANSWER, problems=as_json(refused.problems))
    else:
        voice.warn(str(refused))
        status = "usage" if refused.exit_code == 2 else "refused"
        voice.answer(status=status, **NO_ANSWER, message=str(refused))
    return refused.exit_code

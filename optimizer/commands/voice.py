"""How a command speaks: data on stdout, talk on stderr, or one JSON object and nothing else."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TextIO

from rich.console import Console, RenderableType
from rich.text import Text

from optimizer.errors import InputRefused, Problem, RackwattError, as_json, rich

#: Width of what goes into a file or a pipe.
WIDTH = 100


def unheard(stream: TextIO) -> None:
    """Let what goes into a closed pipe go nowhere: whoever closed it has heard enough."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, stream.fileno())
    os.close(nowhere)


class _Console(Console):
    """A console that goes on where nobody reads: the run matters, and its exit code."""

    def on_broken_pipe(self) -> None:
        """Say nothing more."""
        self.quiet = True
        unheard(sys.stderr if self.stderr else sys.stdout)


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
        return _Console(highlight=False, width=width)

    @cached_property
    def talk(self) -> Console:
        """Where everything else goes."""
        return _Console(stderr=True, highlight=False)

    def show(self, *answer: RenderableType) -> None:
        """Show an answer to a person; left out where a program asked."""
        if not self.json:
            self.data.print(*answer, sep="\n")

    def say(self, *words: RenderableType) -> None:
        """Say something beside the answer."""
        if not self.quiet:
            self.talk.print(*words, sep="\n")

    def lines(self, *lines: str | Text, is_answer: bool = False) -> None:
        """Say lines that are never broken, as paths and commands are copied from them."""
        silent = self.json if is_answer else self.quiet
        for line in () if silent else lines:
            (self.data if is_answer else self.talk).print(line, soft_wrap=True)

    def warn(self, words: str) -> None:
        """Say what is wrong, whether or not anybody wanted to hear."""
        self.talk.print(Text.assemble(("rackwatt", "bold red"), "  ", words), soft_wrap=True)

    def answer(self, **fields: Any) -> None:
        """Give a program its object."""
        if self.json:
            try:
                sys.stdout.write(json.dumps(fields, allow_nan=False, default=str) + "\n")
                sys.stdout.flush()
            except BrokenPipeError:
                unheard(sys.stdout)

    def problems(self, problems: tuple[Problem, ...], *, asked: bool = False) -> None:
        """Tell problems of the input; warnings alone only where they are asked for, or welcome."""
        errors = any(problem.severity == "error" for problem in problems)
        if problems and (errors or asked or not self.quiet):
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

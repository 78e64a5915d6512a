"""``rackwatt explain``: why a plan is what it is, or what is in the way of one."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace

from optimizer.answers.conflict.explained import Explained, explain
from optimizer.answers.conflict.questions import Opened, opened
from optimizer.answers.conflict.told import answer, screen, tables
from optimizer.case import prepare
from optimizer.commands.explain_plan import explain_plan
from optimizer.commands.ready import Wish, make_ready
from optimizer.commands.remarks import notes
from optimizer.commands.runs import as_wished
from optimizer.commands.stopping import HEARD_ANSWER, stoppable
from optimizer.commands.voice import Voice
from optimizer.load import Default
from optimizer.policy import policy_pins
from optimizer.unsound import refusing_unsound
from optimizer.write import is_run, refuse_taken, write_answer

#: Exit codes where there is no plan: that was explained, or not settled in time.
EXIT_CODES: Mapping[str, int] = {"infeasible": 0, "undecided": 10}
ABANDONED = "abandoned: nothing is told and nothing written\n"


def explain_instance(wish: Wish, voice: Voice) -> int:
    """Run the command and return its exit code.

    Raises
    ------
    InputRefused
        With every problem of the folder, but where all of them are that no plan can exist.
    """
    if wish.out is not None:
        refuse_taken(wish.out, overwrite=wish.overwrite)
    run = wish.instance if is_run(wish.instance) else None
    wish, began = as_wished(wish), time.monotonic()
    read = opened(wish.instance, wish.prices)
    case = prepare(read.loaded.instance, read.loaded.hours)
    with stoppable(HEARD_ANSWER, ABANDONED) as stop, refusing_unsound(read.loaded, case):
        found = explain(read, wish.options, stop=stop, tell=voice.say)
    seconds = time.monotonic() - began
    if found.status == "feasible":
        left = replace(wish.options, time_limit=max(0.0, wish.options.time_limit - seconds))
        wish = replace(wish, options=left)
        return explain_plan(make_ready(wish, voice), wish, voice, run=run)
    voice.problems(read.loaded.warnings)
    return _told(wish, read, found, seconds, voice)


def _told(wish: Wish, read: Opened, found: Explained, seconds: float, voice: Voice) -> int:
    """Show what was found, write it where that was asked for, and return the exit code."""
    said = answer(found, read.loaded)
    written = None
    if wish.out is not None:
        about = {
            "command": "explain",
            "instance": read.loaded.instance.instance.name,
            "status": found.status,
            "options": {**asdict(wish.options), "time_limit": str(wish.options.time_limit)},
            "seconds": seconds,
        }
        written = write_answer(
            wish.out, _Inputs.of(read), about, {"explain": said}, tables(found, read.loaded),
            overwrite=wish.overwrite, tell=voice.warn,
        )  # fmt: skip
    voice.show(*notes(wish), *screen(found, read.loaded))
    if written is not None:
        voice.say(f"answer written to {written}")
    voice.answer(**said, out=None if written is None else str(written))
    return EXIT_CODES[found.status]


@dataclass(frozen=True)
class _Inputs:
    """Files that were read, and the defaults that were used."""

    hashes: Mapping[str, str]
    defaults: tuple[Default, ...]

    @classmethod
    def of(cls, read: Opened) -> _Inputs:
        """Gather them, the plan that is pinned among them."""
        loaded = read.loaded
        case = prepare(loaded.instance, loaded.hours)
        return cls({**loaded.files, **policy_pins(loaded, case).hashes}, loaded.defaults)

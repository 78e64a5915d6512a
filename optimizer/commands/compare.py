"""``rackwatt compare``: what differs between runs or instances."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from rich.text import Text

from models.hours import Hours
from optimizer.answers.compare.compared import compare
from optimizer.answers.compare.side import Document, MakeCase, Side
from optimizer.answers.compare.told import Compared, screen
from optimizer.case import Case, prepare
from optimizer.commands.ready import Ready, Wish
from optimizer.commands.runs import as_wished, manifest_of, no_plan, refuse_changed
from optimizer.commands.solve import answer, present, search_plan
from optimizer.commands.voice import Voice
from optimizer.errors import InputRefused
from optimizer.highs import Budget, Options
from optimizer.load.catalogue import packaged
from optimizer.load.folder import Reading
from optimizer.pins import only, pins_of, read_actions
from optimizer.policy import policy_pins
from optimizer.solve import EXIT_CODES, Solved
from optimizer.unsound import refusing_unsound
from optimizer.write import refuse_taken, versions, write_folder, write_json, write_table

#: Relative difference of a run's value, worked out again, that is told.
MOVED = 1e-6
ANSWER = "compare.json"


@dataclass(frozen=True)
class Question:
    """What is compared.

    Attributes
    ----------
    folders : tuple of Path
        Runs or instances; the first is what the others are held against.
    options : Options
        Gap, time limit for everything, seed.
    out : Path or None
        Folder to write.
    overwrite : bool
        Whether an older one may be replaced.
    """

    folders: tuple[Path, ...]
    options: Options
    out: Path | None = None
    overwrite: bool = False


@dataclass(frozen=True, eq=False)
class _Opened:
    """A folder as it was read, and its plan."""

    ready: Ready
    side: Side
    wish: Wish


def compare_folders(question: Question, voice: Voice) -> int:
    """Run the command and return its exit code."""
    if question.out is not None:
        refuse_taken(question.out, overwrite=question.overwrite)
    budget = Budget(question.options.time_limit, question.options.grace)
    opened: list[_Opened] = []
    for position, folder in enumerate(question.folders):
        left = budget.left / (len(question.folders) - position + 1) if budget.limited else math.inf
        one = _open(folder, replace(question.options, time_limit=left), voice)
        if one.side.solved.plan is None or one.side.solved.status == "audit-failed":
            message = no_plan(one.side.solved, folder)
            voice.show(Text(f"{folder} has no plan to compare"))
            if one.side.solved.status == "infeasible":
                voice.show(Text(message))
            else:
                present(one.ready, one.side.solved, one.wish, None, (), voice)
            voice.answer(**answer(one.side.solved, None), folder=str(folder), message=message)
            return EXIT_CODES[one.side.solved.status]
        opened.append(one)
    opened = _told_apart(opened)
    found = _compared(opened, question, budget, voice)
    written = _written(question, opened, found, voice)
    status = "solved" if all(o.side.solved.status == "solved" for o in opened) else "best-found"
    voice.answer(status=status, out=None if written is None else str(written),
                 comparisons=[one.as_json() for one in found])  # fmt: skip
    return EXIT_CODES[status]


def _compared(
    opened: list[_Opened], question: Question, budget: Budget, voice: Voice
) -> list[Compared]:
    first, found = opened[0], list[Compared]()
    for other in opened[1:]:
        with refusing_unsound(other.ready.loaded, other.ready.case):
            found.append(compare(first.side, other.side, question.options, budget, voice.say))
        lead = [Text()] if len(found) > 1 else []
        voice.show(*lead, screen(first.side, other.side, found[-1]))
    return found


def _told_apart(opened: list[_Opened]) -> list[_Opened]:
    """Name sides by their folders, with as much of the path as tells them apart."""
    paths = [one.side.label for one in opened]
    for parts in range(1, 1 + max(len(Path(p).parts) for p in paths)):
        labels = ["/".join(Path(p).parts[-parts:]) for p in paths]
        if len(set(labels)) == len(labels):
            break
    return [
        replace(one, side=replace(one.side, label=label))
        for one, label in zip(opened, labels, strict=True)
    ]


# --- sides ---------------------------------------------------------------------------------


def _open(folder: Path, options: Options, voice: Voice) -> _Opened:
    """Read an instance and solve it, or read a run and carry out its actions."""
    wish = as_wished(Wish(folder, options))
    if wish.instance != folder:
        refuse_changed(folder)
    reading = Reading(Path(wish.instance), packaged())
    loaded = reading.run(wish.prices)
    if loaded is None:
        raise InputRefused(reading.problems())
    voice.problems(loaded.warnings)
    case = prepare(loaded.instance, loaded.hours)
    policy = policy_pins(loaded, case)
    ready = Ready(replace(loaded, files={**loaded.files, **policy.hashes}), case, policy,
                  replace(policy, values={}, hashes={}))  # fmt: skip
    is_a_run = wish.instance != folder
    solved = (
        _carried_out(folder, ready, options, voice)
        if is_a_run
        else _solved(folder, ready, options, voice)
    )
    side = Side(str(folder), reading.document, loaded.hours, case, solved, policy.values,
                _cases(reading))  # fmt: skip
    return _Opened(ready, side, wish)


def _cases(reading: Reading) -> MakeCase:
    """Read other documents in the place of a folder's own."""

    def make(document: Document, hours: Mapping[str, Hours]) -> Case:
        instance, read = reading.again(dict(document), hours=hours)
        return prepare(instance, read)

    return make


def _solved(folder: Path, ready: Ready, options: Options, voice: Voice) -> Solved:
    voice.say(f"solving {folder}")
    return search_plan(ready, ready.policy.values, options, voice)


def _carried_out(folder: Path, ready: Ready, options: Options, voice: Voice) -> Solved:
    """Carry out the actions of a run, under its own inputs."""
    listed = folder / "actions.csv"
    plan = pins_of(ready.case, read_actions(listed, str(listed)))
    pins = only(ready.case, {**ready.policy.values, **plan})
    solved = search_plan(ready, pins, options, replace(voice, quiet=True))
    manifest = manifest_of(folder)
    known, value = manifest.get("value_musd"), solved.value_musd
    if (
        known is not None
        and value is not None
        and abs(known - value) > MOVED * max(1.0, abs(known))
    ):
        voice.warn(f"{folder} says {known:,.6f} M$; its actions are worth {value:,.6f} M$ here")
    return replace(solved, status=_status(manifest, solved))


def _status(manifest: Mapping[str, Any], solved: Solved) -> Any:
    """Keep what the run says of its plan, where the plan stands."""
    told = manifest.get("status")
    return told if solved.status == "solved" and told in EXIT_CODES else solved.status


# --- files ---------------------------------------------------------------------------------


def _written(
    question: Question, opened: list[_Opened], found: list[Compared], voice: Voice
) -> Path | None:
    """Write each comparison's tables; of several, each in a folder of its own."""
    if question.out is None:
        return None

    def fill(folder: Path) -> dict[str, Any]:
        write_json(folder / ANSWER, {"comparisons": [one.as_json() for one in found]})
        for number, one in enumerate(found, 1):
            home = folder if len(found) == 1 else folder / f"{number}"
            home.mkdir(exist_ok=True)
            for name, table in one.frames().items():
                write_table(home / name, table)
        sides = [
            {"label": o.side.label, "value_musd": o.side.value_musd,
             "status": o.side.solved.status, "inputs_sha256": dict(sorted(o.ready.hashes.items()))}
            for o in opened
        ]  # fmt: skip
        return {"program": "rackwatt", "command": "compare", "sides": sides,
                "versions": versions()}  # fmt: skip

    written = write_folder(question.out, fill, overwrite=question.overwrite, tell=voice.warn)
    voice.say(f"comparison written to {written}")
    return written

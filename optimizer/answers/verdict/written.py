"""The verdict as files: tables of strategies and prices, the plan of each strategy, one JSON."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from optimizer.actions import actions_of
from optimizer.answers.verdict.columns import Stood
from optimizer.answers.verdict.prices import BY_NAME
from optimizer.answers.verdict.strategies import MEANINGS
from optimizer.answers.verdict.switching import (
    Switch,
    held,
    relative_width,
    widest_share,
    widest_step,
)
from optimizer.answers.verdict.told import Verdict, sentence
from optimizer.write import (
    PROGRAM,
    Inputs,
    rounded,
    versions,
    write_folder,
    write_json,
    write_table,
)

#: Folder of the actions of each strategy, by its name; each is read back by ``--plan``.
PLANS = "plans"


def as_json(verdict: Verdict) -> dict[str, Any]:
    """Give a program the verdict."""
    answer = {
        "instance": verdict.instance,
        "sentence": sentence(verdict),
        "mixing_musd": verdict.mixing.worth_musd,
        "mixing_exact": verdict.mixing.exact,
        "flexibility_musd": verdict.apart.worth_musd,
        "flexibility_exact": verdict.apart.exact and verdict.apart.worth_musd is not None,
        "ai_without_mining_musd": verdict.apart.alone_musd,
        "mining_taken_away_from": verdict.apart.from_month,
        "flexibility_reason": verdict.apart.reason,
        "columns": [column_row(one) for one in verdict.columns],
        "switching": [
            {**switch_row(switch), "tried": [asdict(one) for one in switch.tried]}
            for switch in verdict.switches
        ],
        "nothing_to_move": [job._asdict() for job in verdict.idle],
        "not_reached": [job._asdict() for job in verdict.missed],
        "inputs_sha256": dict(sorted(verdict.inputs.items())),
    }
    return dict(rounded(answer))


def column_row(one: Stood) -> dict[str, Any]:
    """Give one strategy as a row."""
    told = one.figures
    figures: dict[str, Any] = {} if told is None else asdict(told)
    return {
        "strategy": one.name,
        "means": MEANINGS[one.name],
        "status": one.status,
        "value_musd": one.value_musd,
        "bound_musd": one.bound_musd,
        **figures,
        "reason": one.reason,
        "remark": one.remark,
    }


def switch_row(switch: Switch) -> dict[str, Any]:
    """Give one side of a price as a row."""
    price = BY_NAME[switch.price]
    row = asdict(switch)
    del row["tried"]
    low, high = widest_step(switch) or (None, None)
    return {
        **row,
        "moved_by": price.verb,
        "unit": price.unit,
        "width_share": relative_width(switch),
        "solves": len(switch.tried),
        "held_at": len(held(switch)),
        "widest_step_from": low,
        "widest_step_to": high,
        "widest_step_share": widest_share(switch),
    }


def write_verdict(
    out: Path, verdict: Verdict, read: Inputs, options: Mapping[str, Any], *,
    overwrite: bool = False, tell: Callable[[str], None] | None = None,
) -> Path:  # fmt: skip
    """Write the folder of a verdict.

    Parameters
    ----------
    out : Path
        The folder.
    verdict : Verdict
        What was answered.
    read : Inputs
        Hashes of the files that were read, and the defaults that were used.
    options : mapping
        How it was asked, for the manifest.
    overwrite : bool
        Replace a run of ours that lies there.
    tell : callable, optional
        Hears which files were kept.

    Raises
    ------
    UsageRefused
        Where ``out`` exists and may not be replaced.
    """

    def fill(folder: Path) -> dict[str, Any]:
        from pandas import DataFrame

        write_json(folder / "verdict.json", as_json(verdict))
        write_table(folder / "strategies", DataFrame(list(_flat_columns(verdict))))
        if verdict.switches:
            write_table(folder / "switching", DataFrame([switch_row(s) for s in verdict.switches]))
            write_table(folder / "tried", DataFrame(list(_tried(verdict))))
        for one in verdict.columns:
            if one.plan is not None and one.case is not None:
                (folder / PLANS / one.name).mkdir(parents=True)
                listed = actions_of(one.case, one.plan)
                write_table(folder / PLANS / one.name / "actions", listed)
        return _manifest(verdict, read, options)

    return write_folder(out, fill, overwrite=overwrite, tell=tell)


def _flat_columns(verdict: Verdict) -> Iterator[dict[str, Any]]:
    """Rows of strategies, with a column for each site and contract."""
    for one in verdict.columns:
        row: dict[str, Any] = {}
        for key, value in column_row(one).items():
            if isinstance(value, Mapping):
                row |= {f"{key}.{name}": number for name, number in value.items()}
            else:
                row[key] = value
        yield row


def _tried(verdict: Verdict) -> Iterator[dict[str, Any]]:
    for switch in verdict.switches:
        for one in switch.tried:
            yield {"price": switch.price, "side": switch.side, **asdict(one)}


def _manifest(verdict: Verdict, read: Inputs, options: Mapping[str, Any]) -> dict[str, Any]:
    best = verdict.column("optimum")
    return {
        "program": PROGRAM,
        "written": datetime.now(UTC).isoformat(timespec="seconds"),
        "instance": verdict.instance,
        "answer": "verdict",
        "status": "no-plan" if best is None else best.status,
        "complete": verdict.complete,
        "value_musd": None if best is None else best.value_musd,
        "inputs_sha256": dict(sorted(read.hashes.items())),
        "versions": versions(),
        "options": dict(options),
        "defaults": [
            {"key": d.key, "value": d.value, "source": d.source} for d in read.defaults
        ],
    }  # fmt: skip

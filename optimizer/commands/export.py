"""``rackwatt export``: the model as a file."""

from __future__ import annotations

from pathlib import Path

from rich.text import Text

from optimizer.commands.ready import Wish, make_ready
from optimizer.commands.voice import Voice
from optimizer.errors import UsageRefused
from optimizer.export import Format, export
from optimizer.solve import compile_case
from optimizer.unsound import refusing_unsound


def export_instance(wish: Wish, out: Path, form: Format, voice: Voice) -> int:
    """Run the command and return its exit code."""
    _refuse_taken(out, overwrite=wish.overwrite)
    ready = make_ready(wish, voice)
    with refusing_unsound(ready.loaded, ready.case):
        model = compile_case(ready.case, ready.pins)
    export(model, ready.case.given.tree, out, form)
    rows, columns = model.matrix.shape
    integers = int(model.matrix.integer.sum())
    size = f"{rows:,} rows, {columns:,} columns, {integers:,} of them whole"
    voice.say(Text(f"wrote {out}: {size}"))
    voice.answer(status="written", out=str(out), format=form, rows=rows, columns=columns,
                 integers=integers)  # fmt: skip
    return 0


def _refuse_taken(out: Path, *, overwrite: bool) -> None:
    if out.is_dir():
        raise UsageRefused(f"{out} is a folder; name a file")
    if out.exists() and not overwrite:
        raise UsageRefused(f"{out} exists; replace it with --overwrite, or name another")
    if not out.parent.is_dir():
        raise UsageRefused(f"{out.parent} is not a folder; make it first")

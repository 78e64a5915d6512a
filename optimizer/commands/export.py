"""``rackwatt export``: the model as a file."""

from __future__ import annotations

from pathlib import Path

from rich.text import Text

from optimizer.commands.ready import Wish, make_ready
from optimizer.commands.taken import refuse_taken_file
from optimizer.commands.voice import Voice
from optimizer.compiled import compile_case
from optimizer.export import Format, export
from optimizer.unsound import refusing_unsound


def export_instance(wish: Wish, out: Path, form: Format, voice: Voice) -> int:
    """Run the command and return its exit code."""
    refuse_taken_file(out, overwrite=wish.overwrite)
    ready = make_ready(wish, voice)
    with refusing_unsound(ready.loaded, ready.case):
        model = compile_case(ready.case, ready.pins)
    export(model, ready.case.given.tree, out, form)
    rows, columns = model.matrix.shape
    integers = int(model.matrix.integer.sum())
    size = f"{rows:,} rows, {columns:,} columns, {integers:,} of them whole"
    voice.say(Text(f"wrote {out}: {size}"))
    if ready.case.limit_prices:
        words = "its bands are cut at some prices of the limit of a year only: its best may lie "
        voice.say(Text(words + "below that of `rackwatt solve`"))
    voice.answer(status="written", out=str(out), format=form, rows=rows, columns=columns,
                 integers=integers)  # fmt: skip
    return 0

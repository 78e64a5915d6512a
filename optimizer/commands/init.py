"""``rackwatt init``: an instance to start from."""

from __future__ import annotations

from pathlib import Path

from rich.text import Text

from optimizer.commands.voice import Voice
from optimizer.init import write_template


def init_folder(folder: Path, grid: str, voice: Voice) -> int:
    """Run the command and return its exit code."""
    written = write_template(folder, grid)
    voice.say(Text(f"wrote {written}; next: rackwatt check {folder}, rackwatt solve {folder}"))
    voice.answer(status="written", out=str(folder), grid=grid, files=[written.name])
    return 0

"""What commands of several files have typed: the options that all of them know, and examples."""

from __future__ import annotations

from typing import Annotated

import typer

Overwrite = Annotated[
    bool, typer.Option("--overwrite", help="Replace an older run; what you changed is kept.")
]
Json = Annotated[bool, typer.Option("--json", help="One JSON object on stdout, nothing else.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="No talk on stderr but what is wrong.")]


def examples(*lines: str) -> str:
    """Write examples as the end of a help page, one a line."""
    return "\n".join(("[bold]Examples[/bold]", *(f"  [cyan]{line}[/cyan]" for line in lines)))

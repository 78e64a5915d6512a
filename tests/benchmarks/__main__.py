"""Every benchmark, as one table: ``python -m tests.benchmarks``, or ``make bench``."""

from rich.console import Console

from tests.benchmarks import building, command
from tests.benchmarks.lines import table

Console().print(table((*building.parts(), command.part())))

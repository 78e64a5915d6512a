"""The instances that ship, solved: what is stored of each, and how it is made anew.

``python -m tests.shipped`` solves every shipped instance, but large ones only where they are
named, and says which stored result it moved; ``--update`` accepts what came: ``result.json``
beside each instance, the plan in its README, the plan in the first screen of the project's README.
A moved value belongs into CHANGELOG.md.
"""

from __future__ import annotations

import io
import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console

from optimizer.case import Case, prepare
from optimizer.load import Loaded, load
from optimizer.plan import tables
from optimizer.screen import screen
from optimizer.solve import Solved, solve

ROOT = Path(__file__).resolve().parent.parent
INSTANCES = ROOT / "instances"
BEGIN, END = "<!-- result:begin -->", "<!-- result:end -->"
WIDTH = 100


#: Loaded, checked and built in tests, but solved in long checks alone: they take minutes.
LARGE = frozenset({"fleet"})


def names() -> list[str]:
    """Every shipped instance."""
    return sorted(path.parent.name for path in INSTANCES.glob("*/instance.toml"))


def solved_in_tests() -> list[str]:
    """Every shipped instance that a test may solve."""
    return [name for name in names() if name not in LARGE]


@dataclass(frozen=True, eq=False)
class Shipped:
    """A shipped instance and what came of it."""

    name: str
    loaded: Loaded
    case: Case
    solved: Solved

    @classmethod
    def solve(cls, name: str) -> Shipped:
        """Load and solve an instance with the defaults of the command line."""
        loaded = load(INSTANCES / name)
        case = prepare(loaded.instance, loaded.hours)
        return cls(name, loaded, case, solve(case))

    def result(self) -> dict[str, Any]:
        """What is stored: value, bound, gaps, sizes."""
        s = self.solved
        assert s.value_musd is not None
        assert s.outcome is not None
        root = s.outcome.root_bound
        return {
            "status": s.status,
            "value_musd": round(s.value_musd, 4),
            "gap": float(f"{s.gap:.2g}"),
            "root_gap": float(f"{abs(root - s.value_musd) / abs(s.value_musd):.2g}"),
            "nothing_musd": None if s.audit is None or s.audit.nothing_musd is None
            else round(s.audit.nothing_musd, 4),
            "rows": s.rows,
            "columns": s.columns,
            "integers": s.integers,
        }  # fmt: skip

    def plan_text(self) -> str:
        """The plan as it stands on a screen of 100 columns."""
        console = Console(file=io.StringIO(), width=WIDTH, color_system=None)
        console.print(screen(self.case, self.solved, tables(self.case, self.solved), width=WIDTH))
        text = console.file.getvalue()  # type: ignore[attr-defined]
        return "\n".join(line.rstrip() for line in text.splitlines()).strip("\n")


def stored(name: str) -> dict[str, Any] | None:
    """The stored result of an instance."""
    path = INSTANCES / name / "result.json"
    return json.loads(path.read_text()) if path.exists() else None


def between_markers(text: str, body: str) -> str:
    """Put a body between the markers of a page."""
    before, rest = text.split(BEGIN, 1)
    _, after = rest.split(END, 1)
    return f"{before}{BEGIN}\n```text\n{body}\n```\n{END}{after}"


def pages_of(name: str) -> list[Path]:
    """Pages that show the plan of an instance."""
    pages = [INSTANCES / name / "README.md", *([ROOT / "README.md"] if name == "texas" else [])]
    return [page for page in pages if BEGIN in page.read_text()]


def store(shipped: Shipped) -> None:
    """Write what came beside the instance, and into the pages that show it."""
    folder = INSTANCES / shipped.name
    (folder / "result.json").write_text(json.dumps(shipped.result(), indent=2) + "\n")
    for page in pages_of(shipped.name):
        page.write_text(between_markers(page.read_text(), shipped.plan_text()))


def main(arguments: list[str]) -> int:
    """Solve all, say what moved, store it where asked to."""
    console = Console()
    chosen = [a for a in arguments if not a.startswith("-")] or solved_in_tests()
    moved = 0
    for name in chosen:
        shipped = Shipped.solve(name)
        result, before = shipped.result(), stored(name)
        moved += result != before
        console.print(f"{name}: {result}" + ("" if result == before else f" (was {before})"))
        if "--update" in arguments:
            store(shipped)
    return 1 if moved and "--update" not in arguments else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

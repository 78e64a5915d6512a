"""Numbers that no answer could be trusted on, told as problems of the input."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from models.build import UnusableNumbers
from optimizer.case import Case
from optimizer.errors import InputRefused, Problem
from optimizer.load import Loaded
from optimizer.matrix import Fault, MatrixRefused
from optimizer.origins import key_of

HINT = "a figure far outside the trade's range, or a wrong unit, is the usual cause"


@contextmanager
def refusing_unsound(loaded: Loaded, case: Case) -> Iterator[None]:
    """Turn what the algebra and the pre-flight refuse into problems, each at its key.

    Raises
    ------
    InputRefused
        With one problem per key and kind of fault.
    """
    try:
        yield
    except UnusableNumbers as unusable:
        faults = [
            (key_of(case, fault.row, fault.column), "the number is not finite", fault.value)
            for fault in unusable.faults
        ]
        raise InputRefused(_problems(loaded, faults)) from unusable
    except MatrixRefused as refused:
        raise InputRefused(_problems(loaded, _told(refused.faults))) from refused


def _told(faults: list[Fault]) -> list[tuple[str, str, float]]:
    """Leave out rows that are only wide because of a number that is told anyway."""
    single = [fault for fault in faults if fault.kind != "wide-row"]
    if single:
        return [(f.origin, f.what.partition(": ")[2] or f.what, f.value) for f in single]
    return [("", f"{f.what}: {f.row}", f.value) for f in faults]


def _problems(loaded: Loaded, faults: list[tuple[str, str, float]]) -> list[Problem]:
    problems: dict[tuple[str, str], Problem] = {}
    for key, what, value in faults:
        file, line = loaded.where(key)
        message = f"no answer could be trusted: {what}"
        found = f"{abs(value):.6g} in the model, which counts in MW, M$ and hours"
        problems.setdefault((key, what), Problem(message, file, line, key, found, hint=HINT))
    return list(problems.values())

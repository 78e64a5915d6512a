"""Numbers that no answer could be trusted on, told as problems of the input."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from models.build import UnusableNumbers
from optimizer.case import Case
from optimizer.errors import InputRefused, Problem
from optimizer.load import Loaded
from optimizer.matrix import MatrixRefused
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
        told = [(fault.origin, fault.what, fault.value) for fault in refused.faults]
        raise InputRefused(_problems(loaded, told)) from refused


def _problems(loaded: Loaded, faults: list[tuple[str, str, float]]) -> list[Problem]:
    problems: dict[tuple[str, str], Problem] = {}
    for key, what, value in faults:
        kind = what.partition(": ")[2] or what
        file, line = loaded.where(key) if key else ("instance.toml", None)
        problems.setdefault((key, kind), Problem(
            f"no answer could be trusted: {kind}", file, line, key,
            f"{value:.6g} in the model, in its units", hint=HINT,
        ))  # fmt: skip
    return list(problems.values())

"""The model as an LP or MPS file that a person can read and any solver can solve."""

from __future__ import annotations

import hashlib
import os
import re
import tempfile
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Literal

import highspy
import numpy as np

from models.allocation import FAMILIES
from models.build import Column, Row
from models.decisions import DECISIONS
from models.tree import Tree
from optimizer.compiled import Model
from optimizer.highs import Quiet
from optimizer.matrix import Matrix
from optimizer.origins import Labels
from optimizer.words import month_of

Format = Literal["lp", "mps"]

#: Longest name that readers of LP files take.
LONGEST = 255
_LETTERS = {family.name: family.letters for family in FAMILIES} | {
    decision.name: decision.letters for decision in DECISIONS
}


class ExportFault(Exception):
    """HiGHS could not write the model."""


def export(model: Model, tree: Tree, path: Path, form: Format) -> None:
    """Write a model to a file, rows and columns named after families and decisions.

    The file appears whole or not at all. A file that is there is replaced.

    Parameters
    ----------
    model : Model
        The compiled case.
    tree : Tree
        Its time, to name nodes by their months.
    path : Path
        The file.
    form : {'lp', 'mps'}
        What to write.

    Raises
    ------
    ExportFault
        Where HiGHS refuses the model or the names.
    OSError
        Where the folder cannot be written to.
    """
    solver = Quiet()  # type: ignore[no-untyped-call]
    solver.setOptionValue("output_flag", False)
    if solver.passModel(_named(model, tree)) != highspy.HighsStatus.kOk:
        raise ExportFault("HiGHS refused the model")
    handle, draft = tempfile.mkstemp(suffix=f".{form}", prefix=".rackwatt-", dir=path.parent)
    os.close(handle)
    try:
        if solver.writeModel(draft) != highspy.HighsStatus.kOk:
            raise ExportFault(f"HiGHS could not write the model as {form}")
        _give_usual_rights(draft)
        os.replace(draft, path)
    except BaseException:
        os.unlink(draft)
        raise


def _give_usual_rights(file: str) -> None:
    """Let others read the file as they may read any other: temporary files are private."""
    mask = os.umask(0)
    os.umask(mask)
    os.chmod(file, 0o666 & ~mask)


def _named(model: Model, tree: Tree) -> highspy.HighsLp:
    labels, matrix = Labels(model.built), model.matrix
    program = _program(matrix)
    program.row_names_ = names((labels.row(name) for name in matrix.row_names), tree)
    program.col_names_ = names((labels.column(name) for name in matrix.column_names), tree)
    return program


def _program(matrix: Matrix) -> highspy.HighsLp:
    program, table = highspy.HighsLp(), matrix.coefficients
    program.num_row_, program.num_col_ = matrix.shape
    program.sense_ = highspy.ObjSense.kMaximize if matrix.maximise else highspy.ObjSense.kMinimize
    program.offset_, program.col_cost_ = matrix.offset, matrix.cost
    program.col_lower_, program.col_upper_ = matrix.column_lower, matrix.column_upper
    program.row_lower_, program.row_upper_ = matrix.row_lower, matrix.row_upper
    program.a_matrix_.format_ = highspy.MatrixFormat.kColwise
    program.a_matrix_.num_row_, program.a_matrix_.num_col_ = matrix.shape
    program.a_matrix_.start_ = table.indptr.astype(np.int32)
    program.a_matrix_.index_ = table.indices.astype(np.int32)
    program.a_matrix_.value_ = table.data
    whole, real = highspy.HighsVarType.kInteger, highspy.HighsVarType.kContinuous
    program.integrality_ = [whole if integer else real for integer in matrix.integer]
    return program


def names(parts: Iterable[Row | Column], tree: Tree) -> list[str]:
    """Name rows or columns, each once.

    Examples
    --------
    >>> from models.tree import chain
    >>> quarters = chain(2, 2027 * 12, 3)
    >>> names([("orders", (1, "h1:ai-air+2n", "h100")), ("cash", (0,))], quarters)
    ['orders(2027_04,h1.ai_air.2n,h100)', 'cash(2027_01)']
    """
    given: Counter[str] = Counter()
    unique: list[str] = []
    for name, index in parts:
        text = _fitting(f"{name}({','.join(_index_words(name, index, tree))})")
        given[text] += 1
        unique.append(text if given[text] == 1 else f"{text[: LONGEST - 8]}~{given[text]}")
    return unique


def _index_words(name: str, index: tuple[Any, ...], tree: Tree) -> list[str]:
    letters = _LETTERS[name]
    return [_word(letter, part, tree) for letter, part in zip(letters, index, strict=True)]


def _word(letter: str, part: Any, tree: Tree) -> str:
    if letter in "nlv":
        branch = "" if len(tree.leaves) == 1 else f".n{part}"
        return month_of(tree, part).replace("-", "_") + branch
    if letter == "b" and isinstance(part, int):
        return f"b{part}"
    # LP readers take these signs for arithmetic or sections.
    return re.sub(r"[^A-Za-z0-9_.]", "_", str(part).replace(":", ".").replace("+", "."))


def _fitting(name: str) -> str:
    if len(name) <= LONGEST - 8:
        return name
    digest = hashlib.sha256(name.encode()).hexdigest()[:12]
    return f"{name[: LONGEST - 24]}~{digest}"

"""Algebra to Pyomo: the only file in ``models`` that imports it.

Families are read on unknowns, which gives plain lists of columns and coefficients; these go
into Pyomo as linear expressions, one indexed constraint per family.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pyomo.environ as pyo
from pyomo.common.gc_manager import PauseGC
from pyomo.core.expr import LinearExpression

from models.allocation import FAMILIES, Family, objective
from models.context import Context
from models.decisions import DECISIONS, Decision
from models.given import Given
from models.indices import Index
from models.relation import Affine, Relation, unknown

#: By how much numbers that should agree may differ, where the data alone decide.
ARITHMETIC = 1e-9
#: A decision and its index: what a column means.
Column = tuple[str, Index]
#: A family and its index: what a row means.
Row = tuple[str, Index]


@dataclass(frozen=True)
class Fault:
    """A coefficient that no solver should see, with the row and column that it stands in."""

    row: Row
    column: Column | None
    value: float


class UnusableNumbers(ValueError):
    """Raised when the algebra yields numbers that are not finite: they would vanish silently."""

    def __init__(self, faults: list[Fault]) -> None:
        self.faults = faults
        super().__init__(f"{len(faults)} coefficients are not finite")


@dataclass(frozen=True)
class Built:
    """A Pyomo model, and what its columns and rows mean, in the order of declaration.

    ``contradictions`` are relations without unknowns that the data alone break.
    """

    model: pyo.ConcreteModel
    columns: list[Column]
    rows: list[Row]
    contradictions: list[Row]


def symbolic(given: Given) -> tuple[Context, list[Column]]:
    """Read a case on unknowns: a context of columns, numbered in order of declaration."""
    columns: list[Column] = []
    fields: dict[str, dict[Index, Affine]] = {}
    for decision in DECISIONS:
        indices = [tuple(index) for index in decision.over(given)]
        start = len(columns)
        fields[decision.name] = {index: unknown(start + i) for i, index in enumerate(indices)}
        columns += [(decision.name, index) for index in indices]
    return Context(given=given, **fields), columns


def build(given: Given, fixed: Mapping[Column, float] | None = None) -> Built:
    """Build the Pyomo model of a case.

    Parameters
    ----------
    given : Given
        The case.
    fixed : mapping, optional
        Decisions that are taken already, by name and index.

    Raises
    ------
    UnusableNumbers
        If a coefficient is NaN or infinite.
    """
    with PauseGC():
        context, columns = symbolic(given)
        model = pyo.ConcreteModel(name="rackwatt")
        variables = _declare(model, columns, fixed or {})
        built = Built(model, columns, rows=[], contradictions=[])
        faults: list[Fault] = []
        for family in FAMILIES:
            faults += _add_family(built, family, context, variables)
        best = objective(context)
        faults += _scan(best, ("capital.value", ()), columns)
        if faults:
            raise UnusableNumbers(faults)
        model.value = pyo.Objective(
            expr=LinearExpression(
                constant=best.constant,
                linear_coefs=best.coefficients,
                linear_vars=[variables[j] for j in best.columns],
            ),
            sense=pyo.maximize,
        )
    return built


def _add_family(
    built: Built, family: Family, context: Context, variables: list[Any]
) -> list[Fault]:
    """Add one indexed constraint; relations without unknowns only have to hold."""
    name = family.name
    faults: list[Fault] = []
    bodies: list[tuple[Any, Any, Any]] = []
    for index, relation in family.relations(context):
        body = relation.left - relation.right
        if not isinstance(body, Affine):
            if not relation.excess() <= ARITHMETIC:
                built.contradictions.append((name, index))
            continue
        faults += _scan(body, (name, index), built.columns)
        bodies.append(_bounded(body, relation, variables))
        built.rows.append((name, index))

    def prepared(_model: pyo.ConcreteModel, position: int) -> tuple[Any, Any, Any]:
        return bodies[position]

    constraint = pyo.Constraint(range(len(bodies)), rule=prepared)
    built.model.add_component(name.replace(".", "_"), constraint)
    return faults


_DOMAINS = {
    "real": pyo.Reals,
    "positive": pyo.NonNegativeReals,
    "integer": pyo.NonNegativeIntegers,
    "binary": pyo.Binary,
}


def _declare(
    model: pyo.ConcreteModel, columns: list[Column], fixed: Mapping[Column, float]
) -> list[Any]:
    by_name: dict[str, list[Index]] = {decision.name: [] for decision in DECISIONS}
    for name, index in columns:
        by_name[name].append(index)
    variables: list[Any] = []
    for decision in DECISIONS:
        variables += _declare_one(model, decision, by_name[decision.name])
    position = {column: j for j, column in enumerate(columns)} if fixed else {}
    for column, value in fixed.items():
        variable = variables[position[column]]
        variable.setlb(value)
        variable.setub(value)
    return variables


def _declare_one(model: pyo.ConcreteModel, decision: Decision, indices: list[Index]) -> list[Any]:
    variable = pyo.Var(range(len(indices)), domain=_DOMAINS[decision.domain])
    model.add_component(decision.name, variable)
    return list(variable.values())


def _bounded(body: Affine, relation: Relation, variables: list[Any]) -> tuple[Any, Any, Any]:
    expression = LinearExpression(
        linear_coefs=body.coefficients, linear_vars=[variables[j] for j in body.columns]
    )
    bound = -body.constant
    if relation.sense == "<=":
        return None, expression, bound
    if relation.sense == ">=":
        return bound, expression, None
    return bound, expression, bound


def _scan(body: Affine, row: Row, columns: list[Column]) -> list[Fault]:
    if math.isfinite(sum(body.coefficients) + body.constant):
        return []
    faults = [
        Fault(row, columns[j], a)
        for j, a in zip(body.columns, body.coefficients, strict=True)
        if not math.isfinite(a)
    ]
    if not math.isfinite(body.constant):
        faults.append(Fault(row, None, body.constant))
    return faults

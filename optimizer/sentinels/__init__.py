"""Small models with known optima that solvers have answered wrongly.

Each is small enough to check by hand or by counting. :data:`PUBLISHED` are failures reported on
HiGHS's tracker: an installation that gets one wrong, tightened as every model is, must not be
used. :data:`GUARDED` are answered wrongly by every version up to 1.15.1 with presolve on, because
of a coefficient of at most 1e-6 between whole numbers; they show that the pre-flight refuses what
the solver cannot be trusted with.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files

from optimizer.matrix import Matrix, dense_matrix

_INF = math.inf


@dataclass(frozen=True)
class Unknown:
    """A column: its cost, its limits, whether it is a whole number."""

    cost: float = 0.0
    lower: float = 0.0
    upper: float = _INF
    whole: bool = False


def binary(cost: float = 0.0) -> Unknown:
    """A yes or no."""
    return Unknown(cost, 0.0, 1.0, whole=True)


@dataclass(frozen=True)
class Row:
    """Coefficients by the name of their column, between two limits."""

    coefficients: Mapping[str, float]
    lower: float = -_INF
    upper: float = _INF


@dataclass(frozen=True)
class Sentinel:
    """A model to be minimised, and what the least is.

    Attributes
    ----------
    name : str
        For messages.
    source : str
        Where the model and its optimum come from.
    optimum : float
        The least value of the objective.
    unknowns : mapping of str to Unknown
        The columns, by name.
    rows : sequence of Row
        What must hold.
    """

    name: str
    source: str
    optimum: float
    unknowns: Mapping[str, Unknown]
    rows: Sequence[Row]

    def matrix(self) -> Matrix:
        """Arrays for the solver.

        Examples
        --------
        >>> PUBLISHED[0].matrix().shape
        (1, 2)
        """
        unknowns = self.unknowns.values()
        return dense_matrix(
            [[row.coefficients.get(name, 0.0) for name in self.unknowns] for row in self.rows],
            [row.lower for row in self.rows],
            [row.upper for row in self.rows],
            [unknown.lower for unknown in unknowns],
            [unknown.upper for unknown in unknowns],
            [unknown.cost for unknown in unknowns],
            integer=[unknown.whole for unknown in unknowns],
        )


PUBLISHED = (
    Sentinel(
        name="highs-2957",
        source="HiGHS issue 2957: 1.14.0 says 29",
        optimum=28.2,
        unknowns={"x": Unknown(1, 0, 20, whole=True), "y": Unknown(2, 8, 20)},
        rows=[Row({"x": 1, "y": 1}, lower=20.1)],
    ),
    Sentinel(
        name="highs-3043",
        source="HiGHS issue 3043: 1.14.0 says 15",
        optimum=9.0,
        unknowns={"x": Unknown(2, 0, 10), "z": Unknown(3, 0, 10, whole=True)},
        rows=[Row({"x": 1, "z": 1}, lower=4.5)],
    ),
    Sentinel(
        name="highs-3073",
        source="HiGHS issue 3073: 1.14.0 says 200.01",
        optimum=0.03,
        unknowns={
            "gap": Unknown(100),
            "t": Unknown(0.01, lower=-_INF),
            "x": Unknown(whole=True),
        },
        rows=[
            Row({"gap": 1, "x": 1}, lower=3, upper=3),
            Row({"x": 1, "t": -1}, upper=0),
            Row({"x": -1, "t": -1}, upper=0),
            Row({"x": 1}, upper=3),
            Row({"x": -1}, upper=-0.45),
        ],
    ),
    Sentinel(
        name="highs-3094",
        source="HiGHS issue 3094: 1.14.0 says 10000",
        optimum=8000.0,
        unknowns={
            "use0": binary(),
            "use1": binary(),
            "served0": Unknown(upper=1000),
            "served1": Unknown(upper=1000),
            "lost0": Unknown(10, upper=1000),
            "lost1": Unknown(8, upper=1000),
        },
        rows=[
            Row({"served0": 1, "use0": -1000}, upper=0),
            Row({"served1": 1, "use1": -1000}, upper=0),
            Row({"served0": 1, "lost0": 1}, lower=1000, upper=1000),
            Row({"served1": 1, "lost1": 1}, lower=1000, upper=1000),
            Row({"use0": 1, "use1": 1}, upper=1),
        ],
    ),
    Sentinel(
        name="highs-3274",
        source="HiGHS issue 3274: 1.15.1 with presolve says 1 where x2 is not declared whole",
        optimum=0.0,
        unknowns={
            "x0": Unknown(0, -_INF, whole=True),
            "x1": Unknown(1, -_INF, whole=True),
            "x2": Unknown(),
            "x3": Unknown(whole=True),
        },
        rows=[
            Row({"x1": 1, "x2": -1}, lower=0),
            Row({"x0": 1, "x2": 1, "x3": -1}, lower=0, upper=0),
            Row({"x2": -68, "x3": -1}, lower=-12),
        ],
    ),
    Sentinel(
        name="highs-2432",
        source="HiGHS issue 2432: optimum at (4, -85.9028497, -74)",
        optimum=-3777.5712435,
        unknowns={
            "x": Unknown(-93, -100, 120, whole=True),
            "y": Unknown(25, -100, 10),
            "z": Unknown(17, -100, 0, whole=True),
        },
        rows=[
            Row({"x": -89, "y": -40.7, "z": -12}, lower=3994.5),
            Row({"x": -0.1, "y": 77.2, "z": -23.7}, lower=-4878.3),
            Row({"x": -8.6, "y": -6.5, "z": 72.78}, lower=-4930),
        ],
    ),
)


def _k_of_n() -> Iterator[Sentinel]:
    """Read the models from which the two below were reduced, and one more."""
    text = files("optimizer.sentinels").joinpath("k_of_n.json").read_text(encoding="utf-8")
    for name, model in json.loads(text).items():
        limits = (([-_INF if low is None else low, _INF if up is None else up], cost, whole)
                  for cost, low, up, whole in model["columns"])  # fmt: skip
        yield Sentinel(
            name=name,
            source="made for this project, an availability row of k of n units; "
            f"HiGHS 1.15.1 with presolve says {model['said']}",
            optimum=0.0,
            unknowns={
                f"c{j}": Unknown(cost, low, up, whole=bool(whole))
                for j, ((low, up), cost, whole) in enumerate(limits)
            },
            rows=[
                Row(row, -_INF if low is None else low, _INF if up is None else up)
                for row, low, up in model["rows"]
            ],
        )


GUARDED = (
    *_k_of_n(),
    Sentinel(
        name="k-of-n-5",
        source="made for this project, reduced from a k-of-n availability row; "
        "HiGHS 1.15.1 with presolve says 24",
        optimum=0.0,
        unknowns={
            "c0": Unknown(-56, upper=4),
            "c1": binary(),
            "c2": binary(205),
            "c3": binary(24),
            "c4": binary(164),
        },
        rows=[
            Row({"c0": 1, "c2": -4.61538461538461}, upper=0),
            Row({"c1": -1, "c3": 1}, lower=0, upper=0),
            Row({"c0": 1, "c4": -4.61538461538461}, upper=0),
            Row(
                {
                    "c1": -1,
                    "c2": 4.66388089030485e-07,
                    "c3": 0.00101388679768557,
                    "c4": 0.0786451837070518,
                },
                upper=0,
            ),
        ],
    ),
    Sentinel(
        name="k-of-n-7",
        source="made for this project, reduced from a k-of-n availability row; "
        "HiGHS 1.15.1 with presolve says 105",
        optimum=0.0,
        unknowns={
            "c0": Unknown(-26, upper=7),
            "c1": binary(),
            "c2": binary(76),
            "c3": binary(95),
            "c4": binary(95),
            "c5": binary(95),
            "c6": binary(105),
        },
        rows=[
            Row(
                {
                    "c0": 1,
                    "c2": -1.81818181818182,
                    "c3": -0.909090909090909,
                    "c4": -1.81818181818182,
                    "c5": -2.72727272727273,
                },
                upper=0,
            ),
            Row({"c1": -1, "c6": 1}, lower=0, upper=0),
            Row(
                {
                    "c1": -1,
                    "c2": 0.000623812091056478,
                    "c4": 9.04475020935796e-07,
                    "c5": 0.00155817352238509,
                    "c6": 0.776238331534536,
                },
                upper=0,
            ),
        ],
    ),
)

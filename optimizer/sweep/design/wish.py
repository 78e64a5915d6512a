"""What a sweep file says, block by block: every key with its range, default and meaning.

The page of the format is generated from here, as that of instances is from
:mod:`models.instance`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Literal, Self

from pydantic import ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from models.instance import Block, Count, Flag, Name, Text, number, said
from optimizer.sweep.design.exact import as_number, fraction

Design = Literal[
    "grid", "list", "one_at_a_time", "latin_hypercube", "sobol", "monte_carlo", "csv"
]  # fmt: skip
#: Designs that draw their points.
SAMPLED = ("latin_hypercube", "sobol", "monte_carlo")
#: No sweep has more points.
MOST_POINTS = 1_000_000

#: What an axis does with a number: put it there, multiply by it, or add it.
Verb = Literal["values", "scale", "delta"]
VERBS: tuple[Verb, ...] = ("values", "scale", "delta")

#: What a Pareto front may weigh.
Measure = Literal["value", "capex", "uptime", "mining_share", "carbon", "lowest_cash"]
Sense = Literal["maximise", "minimise"]


def open_key(takes: str, meaning: str) -> Any:
    """Declare a key that takes several forms, which are read one by one."""
    return Field(default=None, description=meaning, json_schema_extra={"takes": takes})


class SweepTable(Block):
    """What is swept and how."""

    base: Text = said("instance folder, relative to this file")
    name: Name | None = said("short name; absent: that of the file", default=None)
    summary: Text = said("one sentence on what is asked", default="")
    design: Design = said("how axes become points", default="grid")
    samples: Count | None = number(
        "points", "how many are drawn, of designs that draw", default=None, ge=1, le=MOST_POINTS
    )
    seed: Count = number("", "what the draws start from", default=0, ge=0, le=10**15)
    cases: Text | None = said("CSV file of cases, of the design csv", default=None)
    gap: float = number(
        "share", "relative gap at which a point's plan counts as best", default=1e-4, ge=0, le=1
    )
    time_limit_s: float = number(
        "s", "most seconds that a point may take", default=300.0, gt=0, le=1e6
    )
    nodes: Count | None = number(
        "nodes", "most branch-and-bound nodes of a solve: the same on every machine",
        default=None, ge=1,
    )  # fmt: skip
    memory_mb: Count | None = number(
        "MB", "memory that a worker may use; absent: no limit", default=None, ge=200, le=10_000_000
    )


_FORMS = (
    "a list; `{ from, to, count }` or `{ from, to, step }`; or `{ distribution, ... }` "
    "where the design draws"
)


class AxisTable(Block):
    """What one axis changes, and to what."""

    key: Text | None = said("dotted key of the instance; `*` stands for any name", default=None)
    keys: list[str] | None = said("several of them, changed together", default=None, min_length=1)
    values: Any = open_key(_FORMS, "what the keys are set to, one after another")
    scale: Any = open_key(_FORMS, "factors on what the base holds, its defaults among it")
    delta: Any = open_key(_FORMS, "amounts added to what the base holds")
    prices: Any = open_key(
        "a list of files; or named files `{ wet = \"wet.csv\" }`; or, without `key`, named tables "
        "of files by key `{ wet = { \"power.west\" = \"a.csv\", \"power.south\" = \"b.csv\" } }`",
        "price files in place of the base's, relative to this file, or entries of the "
        "catalogue of power; `key` names blocks of power or sites, as `power.west` or `sites.*`",
    )  # fmt: skip
    round: Flag = said("counts are rounded to whole ones, half to even", default=False)
    cells: Literal["values", "scale", "delta"] = said(
        "what the cells of its column are, in the design csv", default="values"
    )


#: Numbers of a range or a law lie within; beyond, arithmetic would leave the numbers there are.
LARGEST = 1e15
#: A lognormal law is not wider, relative to its mean.
WIDEST = 1e3


class _Sized(Block):
    """Numbers of a size that arithmetic stands."""

    @model_validator(mode="after")
    def _of_a_size(self) -> Self:
        for name, value in self:
            if isinstance(value, (int, float)) and abs(value) > LARGEST:
                raise PydanticCustomError(
                    "size",
                    "{name} must lie between -1e15 and 1e15",
                    {"name": name.removesuffix("_")},
                )
        return self


class Range(_Sized):
    """Numbers at even distances, both ends among them; where the design draws, any between."""

    model_config = ConfigDict(populate_by_name=True)
    from_: float | int = Field(alias="from", description="first number")
    to: float | int = said("last number; with a step, none is larger")
    count: Count | None = number("numbers", "how many", default=None, ge=2, le=MOST_POINTS)
    step: float | int | None = said("distance, instead of a count", default=None)

    @model_validator(mode="after")
    def _rises(self) -> Range:
        if self.from_ >= self.to:
            raise PydanticCustomError("rises", "`to` must lie above `from`")
        if self.count is not None and self.step is not None:
            raise PydanticCustomError("rises", "give count or step, not both")
        if self.step is not None and not 0 < self.step <= self.to - self.from_:
            raise PydanticCustomError("rises", "the step must lie above 0 and fit into the range")
        if self.step is not None and (self.to - self.from_) / self.step >= MOST_POINTS:
            raise PydanticCustomError("rises", "the step is too small")
        return self

    def numbers(self) -> list[float]:
        """Give the numbers, as they would be typed: 0.9, not 0.9000000000000001.

        Whole ones stay whole, so that they may be counts.
        """
        first, last = fraction(self.from_), fraction(self.to)
        apart = (last - first) / (self.count - 1) if self.count else fraction(self.step or 1)
        number = self.count or math.floor((last - first) / apart) + 1
        whole = all(isinstance(n, int) for n in (self.from_, self.to, self.step or 1))
        return [as_number(first + place * apart, whole=whole) for place in range(number)]


class _Cut(_Sized):
    """A law that may be cut at both ends."""

    mean: float = number("as the axis", "mean, before it is cut")
    sd: float = number("as the axis", "standard deviation, before it is cut", gt=0)
    least: float | None = number("as the axis", "nothing below is drawn", default=None)
    most: float | None = number("as the axis", "nothing above is drawn", default=None)

    @model_validator(mode="after")
    def _ordered(self) -> _Cut:
        if self.least is not None and self.most is not None and self.least >= self.most:
            raise PydanticCustomError("cut", "`most` must lie above `least`")
        return self


class Normal(_Cut):
    """Normal law."""

    distribution: Literal["normal"] = said("its name")


class Lognormal(_Cut):
    """Lognormal law, by mean and standard deviation of the number itself, not of its logarithm."""

    distribution: Literal["lognormal"] = said("its name")

    @model_validator(mode="after")
    def _positive(self) -> Lognormal:
        if self.mean <= 0:
            raise PydanticCustomError("positive", "the mean of a lognormal law lies above 0")
        if self.sd > WIDEST * self.mean:
            raise PydanticCustomError("wide", "`sd` must lie below a thousand times `mean`")
        if self.most is not None and self.most <= 0:
            raise PydanticCustomError("positive", "`most` of a lognormal law lies above 0")
        return self


class Uniform(_Sized):
    """Any number of a span alike."""

    model_config = ConfigDict(populate_by_name=True)
    distribution: Literal["uniform"] = said("its name")
    from_: float = Field(alias="from", description="least number")
    to: float = number("as the axis", "largest number")

    @model_validator(mode="after")
    def _ordered(self) -> Uniform:
        if self.from_ >= self.to:
            raise PydanticCustomError("rises", "`to` must lie above `from`")
        return self


class Triangular(_Sized):
    """Rising from the least number to the likeliest, and falling to the largest."""

    model_config = ConfigDict(populate_by_name=True)
    distribution: Literal["triangular"] = said("its name")
    from_: float = Field(alias="from", description="least number")
    mode: float = number("as the axis", "likeliest number")
    to: float = number("as the axis", "largest number")

    @model_validator(mode="after")
    def _ordered(self) -> Triangular:
        if self.from_ >= self.to or not self.from_ <= self.mode <= self.to:
            raise PydanticCustomError("rises", "`from`, `mode` and `to` must rise")
        return self


class Discrete(Block):
    """Some values, each with its weight."""

    distribution: Literal["discrete"] = said("its name")
    values: list[Any] = said("what is drawn", min_length=1, json_schema_extra={"takes": "a list"})
    weights: list[float] = said("how often, relative to each other")

    @model_validator(mode="after")
    def _paired(self) -> Discrete:
        if len(self.values) != len(self.weights):
            raise PydanticCustomError("weights", "there must be as many weights as values")
        if min(self.weights) < 0 or sum(self.weights) <= 0:
            raise PydanticCustomError("weights", "weights are not negative, and not all zero")
        return self


class Empirical(Block):
    """Numbers that were observed, each as likely as it is frequent."""

    distribution: Literal["empirical"] = said("its name")
    file: Text = said("CSV file, relative to this file")
    column: Text = said("its column")


#: Laws by the name under which a file asks for them.
LAWS: Mapping[str, type[Block]] = {
    "normal": Normal, "lognormal": Lognormal, "uniform": Uniform, "triangular": Triangular,
    "discrete": Discrete, "empirical": Empirical,
}  # fmt: skip


class PlanTable(Block):
    """A plan that is evaluated in every case, beside the best plan of that case."""

    actions: Text = said("actions.csv, or the run folder that holds it; relative to this file")
    only: Flag = said("nothing is done beyond the plan; else it is completed", default=False)
    regret: Flag = said("the best plan of each case is found too, and what it has over the plan",
                        default=True)  # fmt: skip


#: Which way each measure may be driven while value is maximised: the other way, nothing in the
#: format limits it, and no plan would be worth more for it.
SENSES: Mapping[Measure, tuple[Sense, ...]] = {
    "capex": ("minimise",), "uptime": ("maximise",), "mining_share": ("maximise", "minimise"),
    "carbon": ("minimise",), "lowest_cash": ("maximise",),
}  # fmt: skip


class ParetoTable(_Sized):
    """A front of value against another aim: the best value at each level of the other."""

    model_config = ConfigDict(populate_by_name=True)
    maximise: list[Measure] = said("what should be large", default=[])
    minimise: list[Measure] = said("what should be small", default=[])
    points: Count = number("levels", "of the aim beside value, in every case of the axes: both "
                           "ends and those between", default=11, ge=2, le=1000)  # fmt: skip
    from_: float | None = Field(
        alias="from",
        default=None,
        description="first level, in the unit of the aim's key; absent: as the base gives it",
    )
    to: float | None = number("as from", "last level; absent: as the base gives it", default=None)
    break_ties: Flag = said(
        "of plans whose values differ by less than a tenth of the gap, the one with the least "
        "capex or the most cash is taken, where that is the other aim",
        default=True,
    )

    @model_validator(mode="after")
    def _two(self) -> Self:
        aims = [*self.maximise, *self.minimise]
        if len(aims) != 2 or len(set(aims)) != 2:
            raise PydanticCustomError("pareto", "a front has two different aims")
        if "value" not in self.maximise:
            raise PydanticCustomError("pareto", _NO_VALUE)
        measure, sense = self.other
        if sense not in SENSES[measure]:
            message = "{measure} can only be {senses}d against value"
            told = {"measure": measure, "senses": SENSES[measure][0]}
            raise PydanticCustomError("pareto", message, told)
        return self

    @model_validator(mode="after")
    def _rises(self) -> Self:
        if (self.from_ is None) != (self.to is None):
            raise PydanticCustomError("pareto", "give both `from` and `to`, or neither")
        if self.from_ is not None and self.to is not None and self.from_ >= self.to:
            raise PydanticCustomError("rises", "`to` must lie above `from`")
        return self

    @property
    def other(self) -> tuple[Measure, Sense]:
        """The aim beside value, and which way it is driven."""
        if self.minimise:
            return self.minimise[0], "minimise"
        return next(measure for measure in self.maximise if measure != "value"), "maximise"


_NO_VALUE = (
    "one of the two aims is to maximise value, since without it doing nothing is mostly best; "
    "the other is to minimise capex, carbon or mining_share, or to maximise uptime, mining_share "
    "or lowest_cash"
)

"""What docstrings say, for pages that are made from them."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator

#: Names of attributes, their types, and what they mean, as numpydoc writes them.
_ATTRIBUTE = re.compile(r"^(\S.*?) : .*\n((?:    .*\n?)+)", re.MULTILINE)


def attributes_told(kind: type) -> Iterator[tuple[list[str], str]]:
    """Give what the docstring of a class says of its attributes: names, and their meaning.

    Examples
    --------
    >>> from optimizer.plan.metrics import MetricRow
    >>> [names for names, _ in attributes_told(MetricRow)]
    [['scope'], ['metric', 'unit', 'meaning'], ['value']]
    """
    told = inspect.cleandoc(kind.__doc__ or "").partition("Attributes\n----------\n")[2]
    for names, meaning in _ATTRIBUTE.findall(told):
        yield [one.strip() for one in names.split(",")], " ".join(meaning.split())

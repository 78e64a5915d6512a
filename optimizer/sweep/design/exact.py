"""Functions that give the same bits on every machine.

Logarithms and exponentials of a machine's own library differ in their last digit from one
processor to the next, and a sweep whose points differ is another sweep. What stands here uses
only sums, products, quotients and square roots, which IEEE 754 fixes to the last bit.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

#: The logarithm of two as a short number, whose multiples are exact, and the rest of it.
_LN2_HIGH, _LN2_LOW = 6.93147180369123816490e-01, 1.90821492927058770002e-10

# Wichura, algorithm AS 241 (1988): the quantile of the normal law to 16 digits.
_CENTRE = (
    (2.5090809287301226727e3, 3.3430575583588128105e4, 6.7265770927008700853e4,
     4.5921953931549871457e4, 1.3731693765509461125e4, 1.9715909503065514427e3,
     1.3314166789178437745e2, 3.3871328727963666080e0),
    (5.2264952788528545610e3, 2.8729085735721942674e4, 3.9307895800092710610e4,
     2.1213794301586595867e4, 5.3941960214247511077e3, 6.8718700749205790830e2,
     4.2313330701600911252e1, 1.0),
)  # fmt: skip
_SHOULDER = (
    (7.74545014278341407640e-4, 2.27238449892691845833e-2, 2.41780725177450611770e-1,
     1.27045825245236838258e0, 3.64784832476320460504e0, 5.76949722146069140550e0,
     4.63033784615654529590e0, 1.42343711074968357734e0),
    (1.05075007164441684324e-9, 5.47593808499534494600e-4, 1.51986665636164571966e-2,
     1.48103976427480074590e-1, 6.89767334985100004550e-1, 1.67638483018380384940e0,
     2.05319162663775882187e0, 1.0),
)  # fmt: skip
_TAIL = (
    (2.01033439929228813265e-7, 2.71155556874348757815e-5, 1.24266094738807843860e-3,
     2.65321895265761230930e-2, 2.96560571828504891230e-1, 1.78482653991729133580e0,
     5.46378491116411436990e0, 6.65790464350110377720e0),
    (2.04426310338993978564e-15, 1.42151175831644588870e-7, 1.84631831751005468180e-5,
     7.86869131145613259100e-4, 1.48753612908506148525e-2, 1.36929880922735805310e-1,
     5.99832206555887937690e-1, 1.0),
)  # fmt: skip
# Hart's algorithm 5666 as Genz and West give it: the normal law itself to 15 digits.
_HART = (
    (3.52624965998911e-2, 0.700383064443688, 6.37396220353165, 33.912866078383,
     112.079291497871, 221.213596169931, 220.206867912376),
    (8.83883476483184e-2, 1.75566716318264, 16.064177579207, 86.7807322029461,
     296.564248779674, 637.333633378831, 793.826512519948, 440.413735824752),
)  # fmt: skip


def _polynomial(coefficients: Sequence[float], x: Floats) -> Floats:
    """Evaluate a polynomial, the coefficient of the highest power first."""
    total = np.full_like(x, coefficients[0])
    for coefficient in coefficients[1:]:
        total = total * x + coefficient
    return total


def _ratio(pair: tuple[Sequence[float], Sequence[float]], x: Floats) -> Floats:
    return _polynomial(pair[0], x) / _polynomial(pair[1], x)


def log(x: Floats) -> Floats:
    """Natural logarithm of positive numbers.

    Examples
    --------
    >>> float(log(np.array([10.0]))[0])
    2.302585092994046
    """
    mantissa, exponent = np.frexp(x)
    low = mantissa < 0.70710678118654752
    mantissa = np.where(low, mantissa * 2.0, mantissa)
    power = exponent - low
    s = (mantissa - 1.0) / (mantissa + 1.0)
    series = 2.0 * s * _polynomial([1.0 / (2 * k + 1) for k in range(12, -1, -1)], s * s)
    return np.asarray(power * _LN2_HIGH + (series + power * _LN2_LOW))


def exp(x: Floats) -> Floats:
    """Exponential.

    Examples
    --------
    >>> round(float(exp(np.array([1.0]))[0]), 14)
    2.71828182845905
    """
    power = np.rint(x / (_LN2_HIGH + _LN2_LOW))
    rest = (x - power * _LN2_HIGH) - power * _LN2_LOW
    total = np.ones_like(rest)
    for k in range(16, 0, -1):
        total = 1.0 + rest * total / k
    return np.asarray(np.ldexp(total, power.astype(np.int64)))


def normal_share(z: Floats) -> Floats:
    """Share of the normal law that lies below.

    Examples
    --------
    >>> round(float(normal_share(np.array([1.96]))[0]), 6)
    0.975002
    """
    x = np.minimum(np.abs(z), 37.0)
    falling = exp(-x * x / 2.0)
    far = x + 0.65
    for k in (4.0, 3.0, 2.0, 1.0):
        far = x + k / far
    beyond = np.where(x < 7.07106781186547, falling * _ratio(_HART, x),
                      falling / far / 2.506628274631)  # fmt: skip
    return np.asarray(np.where(z > 0, 1.0 - beyond, beyond))


def normal_quantile(share: Floats) -> Floats:
    """Where the normal law reaches a share above 0 and below 1.

    Examples
    --------
    >>> round(float(normal_quantile(np.array([0.975]))[0]), 6)
    1.959964
    """
    q = share - 0.5
    inner = np.abs(q) <= 0.425
    centre = q * _ratio(_CENTRE, np.where(inner, 0.180625 - q * q, 0.0))
    outer = np.where(inner, 0.25, np.where(q < 0, share, 1.0 - share))
    r = np.sqrt(-log(outer))
    tail = np.where(r <= 5.0, _ratio(_SHOULDER, r - 1.6), _ratio(_TAIL, r - 5.0))
    return np.asarray(np.where(inner, centre, np.where(q < 0, -tail, tail)))


def sine(x: float) -> float:
    """Sine of an angle below one, by its series.

    Examples
    --------
    >>> sine(0.5)
    0.479425538604203
    """
    total = 1.0
    for k in range(20, 0, -2):
        total = 1.0 - x * x * total / (k * (k + 1))
    return x * total


def fraction(number: float) -> Fraction:
    """The number that a person typed, not the nearest double to it.

    Examples
    --------
    >>> float(fraction(1.1) * fraction(1.1)), 1.1 * 1.1
    (1.21, 1.2100000000000002)
    """
    return Fraction(repr(number))


def times(number: float, factor: float) -> float:
    """Multiply as on paper, and round once.

    Examples
    --------
    >>> times(3, 0.1)
    0.3
    """
    return float(fraction(number) * fraction(factor))


def plus(number: float, delta: float) -> float:
    """Add as on paper, and round once.

    Examples
    --------
    >>> plus(0.1, 0.2)
    0.3
    """
    return float(fraction(number) + fraction(delta))


def as_number(value: Fraction, *, whole: bool) -> Any:
    """Write a fraction as a number; as a whole one where that is wanted and it is one."""
    return int(value) if whole and value.denominator == 1 else float(value)

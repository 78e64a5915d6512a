"""Mining whose draw is held between a least and a most, hour by hour.

Without bounds the best choice is the same between two critical costs of energy, and the dearer
energy is, the less is drawn. Where two stretches meet, both of their choices are best, and so is
every mix of them. So each draw has one best choice at whatever cost: that of the two stretches
between whose draws it lies, mixed to draw just that (:mod:`models.commitments`).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def held(
    running: Floats, use: Floats, by_stretch: Sequence[Floats], least: Floats, most: Floats
) -> Floats:
    """Move what runs to the bounds where it draws too little or too much.

    Parameters
    ----------
    running : array, shape (rows, classes)
        Best choice without bounds, in IT MW.
    use : array, shape (classes,)
        Utility MW drawn by an IT MW.
    by_stretch : sequence of arrays, shape (rows, classes)
        Best choices between critical costs of energy, from the cheapest to the dearest.
    least, most : array, shape (rows,)
        Utility MW that have to be drawn, and that may be.

    Returns
    -------
    ndarray, shape (rows, classes)
        Best choice within the bounds; no more than all machines and the connection allow.
    """
    drawn = running @ use
    wanted = np.clip(drawn, least, np.maximum(least, most))
    moved = running.copy()
    outside = wanted != drawn
    for dearer, cheaper in zip(by_stretch[1:], by_stretch[:-1], strict=True):
        low, high = dearer @ use, cheaper @ use
        here = outside & (low <= wanted) & (wanted <= high)
        step = high - low
        share = np.where(step > 0, (wanted - low) / np.where(step > 0, step, 1.0), 0.0)
        mixed = dearer + share[:, None] * (cheaper - dearer)
        moved[here] = mixed[here]
        outside &= ~here
    # What is wanted beyond all that can be drawn is owed to the last digits of a number.
    beyond = outside & (wanted > by_stretch[0] @ use)
    moved[beyond] = by_stretch[0][beyond]
    return moved

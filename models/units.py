"""Factors between the units in which figures are typed and those in which they are summed."""

from __future__ import annotations

KW_PER_MW = 1e3
USD_PER_MUSD = 1e6
MUSD_PER_BUSD = 1e3
#: By how much a size may seem to exceed its limit through rounding alone.
ROUNDING = 1e-9

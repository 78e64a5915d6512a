"""Memory that a worker has freed is kept at hand for its next point."""

from __future__ import annotations

import ctypes

#: Options of ``mallopt``, from ``malloc.h`` of the GNU C library.
_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3
#: Bytes freed at the end of the heap before they are given back, and size from which an array is
#: given memory of its own, which is given back at once.
KEPT, LARGE = 256 << 20, 32 << 20


def keep_memory() -> None:
    """Give freed memory back to the system only where much is free.

    Arrays of a point's matrix come and go many times over. Given back and taken anew, each of
    their pages is cleared by the kernel again, which took a fifth of what a point of ``texas``
    takes beside HiGHS. Where the C library is not GNU's, nothing is done.
    """
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError, TypeError):
        return
    mallopt(_MMAP_THRESHOLD, LARGE)
    mallopt(_TRIM_THRESHOLD, KEPT)

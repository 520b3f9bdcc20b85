"""Response codes: one byte per answer, an option's place or the reason why there is none.

Codes below `FIRST_MISSING` are places in an item's list of options. The rest say why there is
no answer (`missing_code`), or what the scoring step found out about a blank: its gate is
closed (`NOT_APPLICABLE`), or the instrument's own rule says what it counts as
(`COUNTED_BLANK`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from mhscreen.vocabulary import MissingReason

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Items = Sequence[NDArray[np.uint8]] | NDArray[np.uint8]

__all__ = [
    "BLANK",
    "COUNTED_BLANK",
    "FIRST_MISSING",
    "FIRST_REASON",
    "ILLEGAL",
    "NOT_APPLICABLE",
    "NOT_PRESENTED",
    "any_answered",
    "any_unanswered",
    "is_answered",
    "is_unanswered",
    "missing_code",
    "missing_reason",
    "overwrite",
]

FIRST_MISSING = 200
NOT_APPLICABLE = 200
COUNTED_BLANK = 201
_LAST = 255


def missing_code(reason: MissingReason) -> int:
    """Return the code of a missing reason.

    Examples
    --------
    >>> missing_code(MissingReason.BLANK)
    255
    """
    return _LAST - reason.position


def missing_reason(code: int) -> MissingReason:
    """Return the reason behind a missing code."""
    return MissingReason.at(_LAST - code)


FIRST_REASON = min(map(missing_code, MissingReason))
BLANK = missing_code(MissingReason.BLANK)
ILLEGAL = missing_code(MissingReason.ILLEGAL)
NOT_PRESENTED = missing_code(MissingReason.NOT_PRESENTED)


def is_answered(codes: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Where an option was chosen."""
    return codes < FIRST_MISSING


def is_unanswered(codes: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Where an answer is due and absent: neither an option nor not applicable."""
    return codes > NOT_APPLICABLE


def any_answered(items: Items) -> NDArray[np.bool_]:
    """Where an option of at least one item was chosen.

    Parameters
    ----------
    items : ndarray of uint8, shape (items, forms), or a sequence of its rows
        Response codes of at least one item.

    Examples
    --------
    >>> any_answered(np.array([[2, BLANK], [BLANK, BLANK]], dtype=np.uint8)).tolist()
    [True, False]
    """
    lowest = items[0].copy()
    for one in items[1:]:
        np.minimum(lowest, one, out=lowest)
    return is_answered(lowest)


def any_unanswered(items: Items) -> NDArray[np.bool_]:
    """Where an answer to at least one item is due and absent; the parameter is as above."""
    highest = items[0].copy()
    for one in items[1:]:
        np.maximum(highest, one, out=highest)
    return is_unanswered(highest)


def overwrite(codes: NDArray[np.uint8], new: int, where: NDArray[np.bool_]) -> None:
    """Write one code over others, in place.

    The bits in which they differ are turned where `where` says so: NumPy's own masked assignment
    takes twenty times as long.

    Examples
    --------
    >>> codes = np.array([BLANK, BLANK, 1], dtype=np.uint8)
    >>> overwrite(codes, NOT_APPLICABLE, np.array([True, False, False]))
    >>> codes.tolist()
    [200, 255, 1]
    """
    turned = codes ^ np.uint8(new)
    turned &= np.negative(where.view(np.uint8))
    np.bitwise_xor(codes, turned, out=codes)

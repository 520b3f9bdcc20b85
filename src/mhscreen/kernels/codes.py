"""Response codes: one byte per answer, an option's place or the reason why there is none.

Codes below `FIRST_MISSING` are places in an item's list of options. The rest say why there is
no answer (`missing_code`), or what the scoring step found out about a blank: its gate is
closed (`NOT_APPLICABLE`), or the instrument's own rule says what it counts as
(`COUNTED_BLANK`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mhscreen.vocabulary import MissingReason

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = [
    "BLANK",
    "COUNTED_BLANK",
    "FIRST_MISSING",
    "ILLEGAL",
    "NOT_APPLICABLE",
    "NOT_PRESENTED",
    "is_answered",
    "is_unanswered",
    "missing_code",
    "missing_reason",
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


BLANK = missing_code(MissingReason.BLANK)
ILLEGAL = missing_code(MissingReason.ILLEGAL)
NOT_PRESENTED = missing_code(MissingReason.NOT_PRESENTED)


def is_answered(codes: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Where an option was chosen."""
    return codes < FIRST_MISSING


def is_unanswered(codes: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Where an answer is due and absent: neither an option nor not applicable."""
    return codes > NOT_APPLICABLE

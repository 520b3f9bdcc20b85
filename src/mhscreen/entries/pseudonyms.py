"""Pseudonyms: a reference to a pupil that only the holder of a key can lead back to a person.

The same pupil has the same pseudonym at every school and in every year, so that a case stays one
case after a transfer, and no two pupils share one, siblings included. That holds for the number
that a pupil keeps for life (学籍号), not for a number that each school gives anew. The key stays
outside the ledger, with whoever may name pupils.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import unicodedata

from mhscreen.problems import UsageError

__all__ = ["MIN_BYTES", "is_pseudonym", "key_mark", "pseudonym"]

_LENGTH = 26  # five bits each: two pupils of a country do not meet
_SHAPE = re.compile(rf"P-[A-Z2-7]{{{_LENGTH}}}")
_PUPIL, _KEY = b"mhscreen/pupil/1\x00", b"mhscreen/key/1\x00"
MIN_BYTES = 32
"""The shortest key."""


def pseudonym(subject: str, key: bytes) -> str:
    """Return the pseudonym of a pupil's number; a pseudonym stays as it is.

    Parameters
    ----------
    subject : str
        The number that the pupil keeps for life. Widths of letters and digits and blanks around
        it do not matter.
    key : bytes
        At least `MIN_BYTES`.

    Examples
    --------
    >>> key = bytes(range(32))
    >>> pseudonym("G370200201501010001", key)
    'P-F5XDYP4U3TCXOZDEW4CN4C75XT'
    >>> pseudonym(" Ｇ370200201501010001", key) == pseudonym("G370200201501010001", key)
    True
    """
    if is_pseudonym(subject):
        return subject
    text = unicodedata.normalize("NFKC", subject).strip()
    return f"P-{_mark(_PUPIL + text.encode(), key)[:_LENGTH]}"


def is_pseudonym(reference: str) -> bool:
    """Return whether a reference has the form of a pseudonym."""
    return _SHAPE.fullmatch(reference) is not None


def key_mark(key: bytes) -> str:
    """Return a short mark that tells two keys apart and says nothing else about them."""
    return _mark(_KEY, key)[:8]


def _mark(message: bytes, key: bytes) -> str:
    if len(key) < MIN_BYTES:
        msg = f"a key has {MIN_BYTES} bytes or more"
        raise UsageError(msg)
    return base64.b32encode(hmac.new(key, message, hashlib.sha256).digest()).decode()

"""The key file of pseudonyms, kept apart from the ledger."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from mhscreen.entries.pseudonyms import MIN_BYTES
from mhscreen.problems import UsageError

if TYPE_CHECKING:
    import os

__all__ = ["read_key"]


def read_key(path: str | os.PathLike[str]) -> bytes:
    """Return the key of a file that holds at least 64 hexadecimal digits.

    Raises
    ------
    UsageError
        If the file is not there or holds anything else; what it holds is not quoted.
    """
    try:
        text = Path(path).read_text("ascii").strip()
        key = bytes.fromhex(text)
    except OSError as error:
        msg = f"the key file {path} cannot be opened: {error.strerror}"
        raise UsageError(msg) from error
    except ValueError:
        key = b""
    if len(key) < MIN_BYTES:
        msg = f"the key file {path} does not hold {2 * MIN_BYTES} hexadecimal digits or more"
        raise UsageError(msg)
    return key

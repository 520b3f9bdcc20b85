"""Files that are hashed while they are written, so that nobody has to read them again for it."""

from __future__ import annotations

import hashlib
from io import BufferedWriter, FileIO
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["HashedFile"]

_BLOCK = 1 << 20


class HashedFile(BufferedWriter):
    """A file that is written from its beginning to its end.

    Parameters
    ----------
    path : Path
        Where.
    keep : int
        How many bytes of a file that is there already are kept; what is behind them goes.

    Attributes
    ----------
    size : int
        How many bytes it has.
    """

    def __init__(self, path: Path, keep: int = 0) -> None:
        raw = FileIO(path, "rb+" if keep else "wb+")
        super().__init__(raw)
        self._name, self.size, self._hash = path.name, keep, hashlib.sha256()
        while keep:
            block = raw.read(min(keep, _BLOCK))
            if not block:
                self.close()
                msg = f"{path.name} is shorter than it was"
                raise EOFError(msg)
            self._hash.update(block)
            keep -= len(block)
        raw.truncate(self.size)

    def write(self, data: Any, /) -> int:
        """Write bytes."""
        self._hash.update(data)
        number = super().write(data)
        self.size += number
        return number

    def record(self) -> dict[str, Any]:
        """Return name, size and hash, as ``run.json`` states them."""
        return {"name": self._name, "bytes": self.size, "sha256": self._hash.hexdigest()}

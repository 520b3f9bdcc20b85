"""Definitions that were read and checked, kept as JSON lines: read again without YAML.

The first line says for which files and for which engine the rest was written, and the checksum of
the rest. The second lists what a library must know of each definition to find it. Then follow two
lines for each: what its file says, and where. A definition is made when it is first asked for.
Whatever does not fit, or is damaged, is not used: the YAML decides, always.
"""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from mhscreen._version import __version__
from mhscreen.loading.library import KINDS
from mhscreen.problems import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from mhscreen.definitions import Definition
    from mhscreen.loading.library import Library, Loaded
    from mhscreen.loading.yaml_reader import Document

__all__ = [
    "PRECOMPILED",
    "Stored",
    "keep",
    "look_up",
    "read_stored",
    "stored_key",
    "write_stored",
]

PRECOMPILED = "precompiled.jsonl"
"""The name of the file beside the shipped definitions in an installed package."""

_FORMAT = "mhscreen/stored-definitions/1"
_READERS = ("definitions", "entries", "loading", "problems.py", "vocabulary.py")


class _Head(NamedTuple):
    """What is known of a definition before it is made."""

    kind: str
    ref: str
    withdrawn: str | None
    checksum: str


@dataclass(frozen=True)
class Stored:
    """A definition as it was stored; made when it is first asked for."""

    head: _Head
    _content: bytes
    _places: bytes

    @property
    def kind(self) -> str:
        """``instrument``, ``norm``, ``policy`` or ``programme``."""
        return self.head.kind

    @property
    def ref(self) -> str:
        """The definition at its exact version."""
        return self.head.ref

    @property
    def withdrawn(self) -> str | None:
        """Why the version must not be used any more, where it must not."""
        return self.head.withdrawn

    @cached_property
    def definition(self) -> Definition:
        """The definition."""
        made: Definition = KINDS[self.kind].model_validate_json(self._content)
        return made

    @cached_property
    def lines(self) -> tuple[tuple[str, int], ...]:
        """The written path and the line of what stands in the file."""
        return tuple((path, line) for path, line in json.loads(self._places))


def stored_key(checksums: Iterable[str], base: Library | None) -> str:
    """Return what stored definitions must have been written for.

    Parameters
    ----------
    checksums : iterable of str
        Those of the files.
    base : Library or None
        What they may refer to besides.

    Returns
    -------
    str
        64 hexadecimal digits; others for any other byte of a file, and for another engine.
    """
    others = sorted((one.kind, one.ref, one.checksum) for one in base or ())
    text = json.dumps([_FORMAT, _engine(), sorted(checksums), others])
    return hashlib.sha256(text.encode()).hexdigest()


def write_stored(key: str, read: Sequence[tuple[Loaded[Definition], Document]]) -> bytes:
    """Return the file of definitions in which there is nothing wrong."""
    heads = [_Head(one.kind, one.ref, one.withdrawn, one.checksum) for one, _ in read]
    parts = [part for _, document in read for part in (document.data, document.lines)]
    rest = b"".join(_line(part) for part in (heads, *parts))
    return _line([_FORMAT, key, hashlib.sha256(rest).hexdigest()]) + rest


def read_stored(data: bytes, key: str) -> dict[str, Stored] | None:
    """Return stored definitions by the checksum of their file; None where they do not fit.

    Parameters
    ----------
    data : bytes
        The file.
    key : str
        What it must have been written for.
    """
    first, _, rest = data.partition(b"\n")
    if first + b"\n" != _line([_FORMAT, key, hashlib.sha256(rest).hexdigest()]):
        return None
    heads, *lines = rest.split(b"\n")
    return {
        one.checksum: Stored(one, lines[2 * place], lines[2 * place + 1])
        for place, one in enumerate(_Head(*parts) for parts in json.loads(heads))
    }


def look_up(folder: Path, key: str) -> dict[str, Stored] | None:
    """Return what was kept in a folder for a key; None where there is nothing that fits."""
    try:
        data = _place(folder, key).read_bytes()
    except OSError:
        return None
    return read_stored(data, key)


def keep(folder: Path, key: str, data: bytes) -> None:
    """Keep a file in a folder, whole or not at all, whoever else writes it at the same time.

    Raises
    ------
    UsageError
        If the folder cannot be written to.
    """
    place = _place(folder, key)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(prefix=".", suffix=".partial", dir=folder)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(data)
            Path(temporary).replace(place)
        except BaseException:
            with suppress(OSError):
                Path(temporary).unlink()
            raise
    except OSError as error:
        msg = f"cache_dir: nothing can be kept in {folder}: {error.strerror}"
        raise UsageError(msg) from error


def _line(content: object) -> bytes:
    return json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"


def _place(folder: Path, key: str) -> Path:
    return folder / f"{key}.jsonl"


@cache
def _engine() -> str:
    """Return a digest of the code that decides what a file means, and of its version."""
    package = Path(__file__).resolve().parent.parent
    digest = hashlib.sha256(__version__.encode())
    for name in _READERS:
        place = package / name
        for file in [place] if place.is_file() else sorted(place.rglob("*.py")):
            digest.update(file.relative_to(package).as_posix().encode())
            digest.update(hashlib.sha256(file.read_bytes()).digest())
    return digest.hexdigest()

"""Text files that may be larger than memory: what they are written in, and their text in parts."""

from __future__ import annotations

import hashlib
import re
from codecs import BOM_UTF8, BOM_UTF16_BE, BOM_UTF16_LE, getincrementaldecoder
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from codecs import IncrementalDecoder
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["Text", "fingerprint", "read_text", "scan_text"]

BLOCK = 1 << 20
"""Bytes read at once."""

_CYRILLIC = re.compile("[\u0400-\u052f]")
_BEYOND_CYRILLIC = re.compile("[\u0800-\U0010ffff]")  # such as Chinese


@dataclass(frozen=True)
class Text:
    """What a text file is written in.

    Attributes
    ----------
    encoding : str
        ``"utf-8"``, ``"utf-16"`` or ``"gb18030"``; empty where none of them reads it.
    skip : int
        Bytes of a byte order mark that the decoder would not take away.
    carriage_returns : bool
        Whether any line ends in one.
    lines : int
        About how many lines there are.
    bytes : int
        How large the file is.
    sha256 : str
        Its hash.
    """

    encoding: str
    skip: int
    carriage_returns: bool
    lines: int
    bytes: int
    sha256: str


def fingerprint(path: Path) -> dict[str, Any]:
    """Return name, size and hash of a file, as ``run.json`` states them."""
    found, size = hashlib.sha256(), 0
    for part in _parts(path, BLOCK):
        found.update(part)
        size += len(part)
    return {"name": path.name, "bytes": size, "sha256": found.hexdigest()}


def scan_text(path: Path) -> Text:
    """Find out what a text file is written in, by going through all of it once."""
    utf8, chinese = _Trial("utf-8"), _Trial("gb18030")
    marked = wide = False
    nul = returns = False
    lines = size = 0
    whole = hashlib.sha256()
    for part in _parts(path, BLOCK):
        whole.update(part)
        if not size:
            marked = part.startswith(BOM_UTF8)
            wide = part.startswith((BOM_UTF16_LE, BOM_UTF16_BE))
            utf8 = _Trial("utf-16" if wide else "utf-8")
        body = part[len(BOM_UTF8) :] if marked and not size else part
        size += len(part)
        lines += part.count(b"\n") or part.count(b"\r")
        utf8.add(body)
        if not wide:
            chinese.add(body)
        nul = nul or (b"\0" in part and not wide)
        returns = returns or b"\r" in part
    utf8.end()
    chinese.end()
    skip = len(BOM_UTF8) if marked else 0
    encoding = "utf-16" if wide else "utf-8"
    if wide:
        nul = utf8.nul
    elif not utf8.reads or (utf8.cyrillic and not utf8.beyond and not marked):
        # The bytes of 小学 in GB18030 are those of two Cyrillic letters in UTF-8, so that a file
        # whose only Chinese words are such would be read as UTF-8 without a complaint.
        if chinese.reads:
            encoding = "gb18030"
        elif not utf8.reads:
            encoding = ""
    if nul or (wide and not utf8.reads):
        encoding = ""
    return Text(encoding, skip, returns, lines + 1, size, whole.hexdigest())


class _Trial:
    """One encoding tried on a file."""

    def __init__(self, encoding: str) -> None:
        self.reads = True
        self.nul = self.cyrillic = self.beyond = False
        self._decoder: IncrementalDecoder = getincrementaldecoder(encoding)()
        self._plain = encoding != "utf-16"

    def add(self, part: bytes, *, last: bool = False) -> None:
        if not self.reads:
            return
        if self._plain and part.isascii() and not self._decoder.getstate()[0]:
            return
        try:
            text = self._decoder.decode(part, final=last)
        except UnicodeDecodeError:
            self.reads = False
            return
        self.nul = self.nul or "\0" in text
        self.cyrillic = self.cyrillic or _CYRILLIC.search(text) is not None
        self.beyond = self.beyond or _BEYOND_CYRILLIC.search(text) is not None

    def end(self) -> None:
        self.add(b"", last=True)


def read_text(path: Path, text: Text, block: int = BLOCK) -> Iterator[bytes]:
    """Yield the text of a file as UTF-8, lines ending in a line feed, in parts of any length."""
    decoder = None
    if text.encoding != "utf-8":
        decoder = getincrementaldecoder(text.encoding)()
    skip, held = text.skip, b""
    for raw in _parts(path, block):
        part, skip = raw[skip:], max(skip - len(raw), 0)
        if decoder is not None:
            part = decoder.decode(part).encode()
        if text.carriage_returns:
            part = held + part
            held = b"\r" if part.endswith(b"\r") else b""  # a line feed may follow
            part = part[: len(part) - len(held)]
            part = part.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        yield part
    if held:
        yield b"\n"


def _parts(path: Path, block: int) -> Iterator[bytes]:
    with path.open("rb") as file:
        while part := file.read(block):
            yield part

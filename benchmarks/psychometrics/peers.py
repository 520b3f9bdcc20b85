"""Other programs in processes of their own, asked one piece of work at a time.

So ours and theirs can take turns, and peers need not agree with our environment on versions. Each
reads its data once; what it times is the call alone, in one thread, as ours.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["Answer", "Peer", "python_peer", "r_peer"]

HERE = Path(__file__).parent


class Answer(NamedTuple):
    """What a peer took, None where it could not; and what it found, or why it could not."""

    seconds: float | None
    found: Any


class Peer:
    """A process that answers; one that is not there answers that."""

    def __init__(self, command: Sequence[str] | None) -> None:
        self._process = None
        if command is not None:
            self._process = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                text=True, env={**os.environ, "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"},
            )  # fmt: skip

    def ask(self, work: str) -> Answer:
        """Return what one piece of work took and found."""
        process = self._process
        if process is None or process.stdin is None or process.stdout is None:
            return Answer(None, "not here")
        try:
            print(work, file=process.stdin, flush=True)
        except BrokenPipeError:
            return Answer(None, "not here")
        line = process.stdout.readline()
        if not line:
            return Answer(None, "not here")
        seconds, found = json.loads(line)
        return Answer(seconds, found)

    def close(self) -> None:
        """End the process."""
        if self._process is not None and self._process.stdin is not None:
            self._process.stdin.close()
            self._process.wait()


def python_peer(program: str | None, folder: Path) -> Peer:
    """Return a Python with the peers, which is not the one that runs this."""
    if program is None:
        return Peer(None)
    return Peer([program, str(HERE / "peers_in_python.py"), str(folder)])


def r_peer(folder: Path, *numbers: int) -> Peer:
    """Return R, if it is here."""
    program = shutil.which("Rscript")
    if program is None:
        return Peer(None)
    return Peer([program, str(HERE / "peers_in_r.R"), str(folder), *map(str, numbers)])

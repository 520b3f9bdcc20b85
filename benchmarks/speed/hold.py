"""Score in memory with one program and end, so that the peak of the process can be read.

``python benchmarks/speed/hold.py PROGRAM PUPILS WORK``
"""

from __future__ import annotations

import sys
from pathlib import Path

import peers
from answers import answers_of, bound
from scoring import SCORES, kernel


def main(name: str, pupils: int, work: Path) -> None:
    """Score with ourselves or a peer; with ``nothing`` only the answers are read, or drawn."""
    answers = answers_of(pupils, work)
    if name == "ours":
        kernel(bound(answers), SCORES)()
    elif name != "nothing":
        peer = peers.load(name)
        peer.score(peer.prepare(answers))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), Path(sys.argv[3]))

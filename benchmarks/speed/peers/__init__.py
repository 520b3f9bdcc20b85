"""Other programs that score the same answers, each as a careful user of it would write it.

Each peer has `prepare` (its own kind of table, not timed), `score` (timed) and `columns` (what it
found, to be compared with ours before anything is timed).
"""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    import numpy as np
    from answers import Answers
    from numpy.typing import NDArray

__all__ = ["PEERS", "Peer", "absent", "load"]

PEERS = {"pandas": "pandas", "polars": "polars", "duckdb": "duckdb", "object": "json"}
"""The peers in Python, and the module that each needs; R stands apart, see `peers.by_r`."""


class Peer(Protocol):
    """What the module of a peer holds."""

    MOST: int
    """On more pupils than these it is timed on these, and scaled."""

    def prepare(self, answers: Answers) -> Any:
        """Return the answers as the peer holds them."""

    def score(self, prepared: Any) -> Any:
        """Score all scales, with their bands."""

    def columns(self, found: Any) -> dict[str, tuple[NDArray[np.float64], NDArray[np.int8] | None]]:
        """Return score and band by scale; NaN and −1 where there is none."""


def absent(name: str) -> str:
    """Return what to say of a peer that is not installed; nothing where it is."""
    if find_spec(PEERS[name]) is None:
        return f"{name} is not installed: pip install -r benchmarks/speed/peers.txt"
    return ""


def load(name: str) -> Peer:
    """Return a peer that is installed."""
    peer: Any = import_module(f"peers.by_{name}")
    return peer

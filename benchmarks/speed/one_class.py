"""A class of 30, already bound: what a psychologist waits for who scores a single class.

``python benchmarks/speed/one_class.py``
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import peers
from answers import answers_of, bound
from battery import battery_plan
from figures import Figure, compare, run
from peers.agree import check
from scoring import SCORES, facade, kernel, missing
from timing import take_turns

import mhscreen as mh

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

PUPILS = 30
TIMES = 10
"""How often each piece of work is done in a turn: less than a millisecond is hard to time."""


def again(work: Callable[[], object]) -> Callable[[], None]:
    """Return the work, done several times."""

    def several() -> None:
        for _ in range(TIMES):
            work()

    return several


def measure(pupils: int, work: Path) -> Iterator[Figure]:
    """Time the scoring of one class."""
    answers = answers_of(pupils, work)
    batch = bound(answers)
    scores = mh.score(battery_plan(), batch)
    works = {"mh.score": facade(batch, SCORES), "kernel": kernel(batch, SCORES)}
    for name in ("object", "polars"):
        if complaint := peers.absent(name):
            yield replace(missing(name, pupils, complaint), measure="a class")
            continue
        peer = peers.load(name)
        prepared = peer.prepare(answers)
        check(name, scores, peer.columns(peer.score(prepared)))
        works[name] = lambda peer=peer, prepared=prepared: peer.score(prepared)
    works["mh.bind"] = lambda: bound(answers)
    times = take_turns({name: again(work) for name, work in works.items()}, enough=3.0)
    for against in ("object", "polars"):
        if against in works:
            names = ("mh.score", "mh.bind", against)
            some = replace(times, seconds={name: times.seconds[name] for name in names})
            yield from compare("a class", some, pupils, against)
    pair = {"façade": times.seconds["mh.score"], "kernel": times.seconds["kernel"]}
    yield from compare("façade", replace(times, seconds=pair), pupils, "kernel")


if __name__ == "__main__":
    run(measure, [PUPILS])

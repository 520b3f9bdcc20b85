"""All scores of 141 items in memory, against the floor and against other programs.

``python benchmarks/speed/scoring.py [pupils …]``
"""

from __future__ import annotations

import inspect
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import peers
from answers import answers_of, bound
from battery import battery_plan, battery_scales
from figures import Figure, compare, run
from floors import floor_of, sheet
from peers import by_r
from peers.agree import check
from timing import Ratio, take_turns

import mhscreen as mh
from mhscreen.steps.score import ScaleScores, find_scale, score_forms

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from answers import Answers
    from timing import Times

    from mhscreen.steps.bind import ResponseBatch

SIZES = (10_000, 100_000)

SCORES = ("score", "category")
ALL = ("score", "answered", "low", "high", "category")
_KINDS = {"score": "f4", "low": "f4", "high": "f4", "answered": "u1", "category": "i1"}
_OWN_KINDS = {"score": "f8", "low": "f8", "high": "f8", "answered": "i2", "category": "i1"}


def kernel(batch: ResponseBatch, outputs: tuple[str, ...]) -> Callable[[], list[Any]]:
    """Return the work of the bare kernel: arrays in, the named arrays out."""
    plan = battery_plan()
    places = [find_scale(plan, scale.name) for scale in battery_scales()]

    def work() -> list[Any]:
        found = [
            score_forms(form, forms.codes, forms.duration_s)
            for form, forms in zip(plan.forms, batch.forms, strict=True)
        ]
        return [getattr(found[slot].scales[at], name) for slot, at in places for name in outputs]

    return work


def facade(
    batch: ResponseBatch, outputs: tuple[str, ...], **options: int
) -> Callable[[], list[Any]]:
    """Return the work of `mh.score`, with the same arrays taken from what it returns."""
    plan = battery_plan()
    places = [find_scale(plan, scale.name) for scale in battery_scales()]

    def work() -> list[Any]:
        found = mh.score(plan, batch, **options).forms
        return [getattr(found[slot].scales[at], name) for slot, at in places for name in outputs]

    return work


def has_threads() -> bool:
    """Return whether scoring can use several threads."""
    return "threads" in inspect.signature(mh.score).parameters


def has_states() -> bool:
    """Return whether a scale keeps its codes beside the arrays made from them."""
    return hasattr(ScaleScores, "state") or "state" in ScaleScores.__dataclass_fields__


def against_floor(batch: ResponseBatch, pupils: int) -> Iterator[Figure]:
    """Time ourselves against the floor of what is handed over."""
    read = sheet(batch)
    number = len(battery_scales())

    def floor(outputs: tuple[str, ...], kinds: dict[str, str]) -> Callable[[], None]:
        return floor_of(read, pupils, [kinds[name] for name in outputs] * number)

    works = {"floor": floor(SCORES, _KINDS), "ours": kernel(batch, SCORES)}
    works["floor of our own types"] = floor(SCORES, _OWN_KINDS)
    works["mh.score"] = facade(batch, SCORES)
    if has_threads():
        works["ours, two threads"] = facade(batch, SCORES, threads=2)
    times = take_turns(works)
    yield from compare("scores and categories", times, pupils, "floor")
    own = {name: times.seconds[name] for name in ("ours", "floor of our own types")}
    yield from compare(
        "scores and categories", replace(times, seconds=own), pupils, "floor of our own types"
    )
    pair = {"façade": times.seconds["mh.score"], "kernel": times.seconds["ours"]}
    yield from compare("façade", replace(times, seconds=pair), pupils, "kernel")

    works = {"floor": floor(ALL, _KINDS), "ours": kernel(batch, ALL)}
    works["floor of our own types"] = floor(ALL, _OWN_KINDS)
    times = take_turns(works)
    yield from compare("with answered, low and high", times, pupils, "floor")
    if has_states():
        works = {"floor": floor(SCORES, _KINDS), "ours": kernel(batch, ("state",))}
        works["floor of the codes alone"] = floor(("category",), _KINDS)
        times = take_turns(works)
        yield from compare("codes only", times, pupils, "floor")
        own = {name: times.seconds[name] for name in ("ours", "floor of the codes alone")}
        yield from compare(
            "codes only", replace(times, seconds=own), pupils, "floor of the codes alone"
        )


def against_peers(answers: Answers, batch: ResponseBatch, work: Path) -> Iterator[Figure]:
    """Time other programs against ourselves, each after its scores were found to be ours."""
    pupils = len(answers)
    scores = mh.score(battery_plan(), batch)
    ours = kernel(batch, SCORES)
    floor = floor_of(sheet(batch), pupils, [_KINDS[name] for name in SCORES] * 18)
    for name in peers.PEERS:
        if complaint := peers.absent(name):
            yield missing(name, pupils, complaint)
            continue
        peer = peers.load(name)
        fewer = answers.first(peer.MOST) if pupils > peer.MOST else answers
        prepared = peer.prepare(fewer)
        check(name, scores, peer.columns(peer.score(prepared)))
        works = {
            "ours": ours,
            name: lambda peer=peer, prepared=prepared: peer.score(prepared),
            "floor": floor,
        }
        times = take_turns(works, enough=3.0, most=12.0)
        yield from _both(name, times, pupils, len(fewer))
    if complaint := by_r.absent():
        yield missing("R psych", pupils, complaint)
        return
    for name, most in by_r.FUNCTIONS.items():
        fewer = answers.first(most) if pupils > most else answers
        before = take_turns({"ours": ours, "floor": floor}, enough=0.5, most=3.0)
        timed = by_r.time_psych(name, fewer, work, runs=2 if len(fewer) > 100_000 else 3)
        after = take_turns({"ours": ours, "floor": floor}, enough=0.5, most=3.0)
        by_r.check(name, scores, timed)
        yield from _r_figures(name, timed, before, after, pupils, len(fewer))


def _both(name: str, times: Times, pupils: int, fewer: int) -> Iterator[Figure]:
    scale = {name: fewer} if fewer < pupils else None
    for against in ("ours", "floor"):
        pair = {key: times.seconds[key] for key in (name, against)}
        yield from compare(
            "other programs", replace(times, seconds=pair), pupils, against, scale=scale
        )


def _r_figures(
    name: str, timed: by_r.Timed, before: Times, after: Times, pupils: int, fewer: int
) -> Iterator[Figure]:
    """Compare R's clock with ours just before and just after it."""
    seconds = sorted(timed.seconds)[len(timed.seconds) // 2] * pupils / fewer
    for against in ("ours", "floor"):
        ends = [one.median(against) for one in (before, after)]
        ratio = Ratio(seconds / max(ends), seconds / (sum(ends) / 2), seconds / min(ends))
        yield Figure(
            "other programs", f"psych::{name}", against, pupils, ratio.middle, ratio.low,
            ratio.high, seconds, len(timed.seconds), timed.megabytes,
            fewer if fewer < pupils else None, "by R's own clock; no rule for blanks, no bands",
        )  # fmt: skip


def missing(name: str, pupils: int, complaint: str) -> Figure:
    """Return what stands in the place of a peer that is not there."""
    nan = float("nan")
    return Figure("other programs", name, "ours", pupils, nan, nan, nan, turns=0, note=complaint)


def measure(pupils: int, work: Path) -> Iterator[Figure]:
    """Time scoring in memory."""
    answers = answers_of(pupils, work)
    batch = bound(answers)
    yield from against_floor(batch, pupils)
    yield from against_peers(answers, batch, work)


if __name__ == "__main__":
    run(measure, SIZES)

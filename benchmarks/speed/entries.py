"""Ledger entries with their hashes against dicts and orjson for the same content.

``python benchmarks/speed/entries.py [pupils …]``

Ours is the whole: digests of the evidence, ids, entries, the hash over each, lines. The peers are
handed all that is hashed, and dicts that are made already: "dicts and orjson" copies every dict of
an entry, which is less than building it, and writes it; "orjson alone" only writes. "ours, without
hashes" takes from memory all that the peers are handed, too. That all write the same is checked
first.
"""

from __future__ import annotations

import json
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

import orjson
from answers import answers_of, bound
from battery import AT, battery_plan
from figures import Figure, compare, run
from timing import take_turns

import mhscreen as mh
from mhscreen.entries.screening import ScreeningEntry
from mhscreen.steps import entry_texts
from mhscreen.steps.entry_digests import EvidenceDigests

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

    from mhscreen.steps.emit import Entries

SIZES = (10_000, 100_000)
MODELS = 1_000
"""Entries that are made as models."""

Document = dict[str, Any]


def write(entries: Entries) -> int:
    """Make all entries as lines; return how long they are."""
    return sum(sum(map(len, block.lines(b"\n"))) for block in entries.blocks())


def copied(one: Document) -> Document:
    """Return a new dict of one entry."""
    return {
        **one,
        "org": dict(one["org"]),
        "provenance": dict(one["provenance"]),
        "critical_items": [dict(item) for item in one["critical_items"]],
        "instruments": [
            {**form, "scores": {name: dict(score) for name, score in form["scores"].items()}}
            for form in one["instruments"]
        ],
        "tier_reasons": [
            {**rule, "evidence": [dict(found) for found in rule["evidence"]]}
            for rule in one["tier_reasons"]
        ],
        "undecided": [dict(rule) for rule in one["undecided"]],
    }


def without_hashes(entries: Entries) -> Callable[[], int]:
    """Return what makes the entries with every digest and id from memory."""
    hashing = [
        (entry_texts, "entry_ids"), (entry_texts, "hex_digests"), (EvidenceDigests, "of")
    ]  # fmt: skip
    found: list[list[Any]] = [[] for _ in hashing]

    def remembering(function: Callable[..., Any], results: list[Any]) -> Callable[..., Any]:
        def remember(*arguments: Any, **named: Any) -> Any:
            results.append(function(*arguments, **named))
            return results[-1]

        return remember

    def run_with(instead: Iterable[Callable[..., Any]]) -> int:
        with ExitStack() as stack:
            for (where, name), function in zip(hashing, instead, strict=True):
                stack.enter_context(patch.object(where, name, function))
            return write(entries)

    run_with(
        remembering(getattr(where, name), results)
        for (where, name), results in zip(hashing, found, strict=True)
    )

    def again() -> int:
        handed = [iter(results) for results in found]
        return run_with([lambda *_, results=one, **__: next(results) for one in handed])

    return again


def measure(pupils: int, work: Path) -> Iterator[Figure]:
    """Time the writing of entries."""
    plan = battery_plan()
    batch = bound(answers_of(pupils, work))
    entries = mh.emit(plan, mh.triage(plan, mh.norm(plan, mh.score(plan, batch))), at=AT)
    lines = list(entries.lines())
    documents = list(map(json.loads, lines))
    written = [document.pop("hash") and orjson.dumps(document) for document in documents]
    assert [line.encode()[len(line.split(",", 1)[0]) + 1 :] for line in lines] == [
        one[1:] for one in written
    ]
    few = lines[:MODELS]
    del lines, written
    works = {
        "dicts and orjson": lambda: sum(
            len(orjson.dumps(copied(document))) for document in documents
        ),
        "ours": lambda: write(entries),
        "ours, without hashes": without_hashes(entries),
        "orjson alone": lambda: sum(len(orjson.dumps(document)) for document in documents),
    }
    times = take_turns(works, most=40.0)
    yield from compare("entries", times, pupils, "dicts and orjson")
    yield from compare("entries", times, pupils, "ours, without hashes")
    slow = take_turns(
        {
            "ours": lambda: write(entries),
            "models, read and written": lambda: [
                ScreeningEntry.model_validate_json(line).model_dump_json() for line in few
            ],
        },
        most=10.0,
    )
    scale = {"models, read and written": len(few)}
    yield from compare("entries", slow, pupils, "ours", scale=scale)


if __name__ == "__main__":
    run(measure, SIZES)

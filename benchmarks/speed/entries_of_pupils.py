"""Ledger entries, with ids, digests and hashes, against dicts of the same content through orjson.

``python benchmarks/speed/entries_of_pupils.py [pupils …]``

The peer is given every value ready made, and neither digests nor hashes anything: it puts the
dicts together and writes them. The same with the standard library's json stands beside it.
"""

from __future__ import annotations

import json
from dataclasses import replace
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from answers import answers_of, bound
from battery import AT, battery_plan
from figures import Figure, compare, run
from timing import Fresh, take_turns

import mhscreen as mh

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

SIZES = (10_000,)
MOST = 10_000
"""Dicts of more pupils would only fill the memory: these are timed, and are the figure."""

MEASURE = "entries"

Document = dict[str, Any]


def build(one: Document) -> Document:
    """Put a pupil's entry together anew, every object of it, from values that are there."""
    made = {key: one[key] for key in one if key not in _NESTED}
    org, provenance = one["org"], one["provenance"]
    made["org"] = {
        "city": org["city"],
        "class": org["class"],
        "district": org["district"],
        "grade": org["grade"],
        "school": org["school"],
        "stage": org["stage"],
    }
    made["provenance"] = {
        "answers": provenance["answers"],
        "approved_by": provenance["approved_by"],
        "calendar": provenance["calendar"],
        "definitions": provenance["definitions"],
        "engine": provenance["engine"],
        "evidence": provenance["evidence"],
        "norms": provenance["norms"],
        "policy": provenance["policy"],
        "roster": provenance["roster"],
    }
    made["instruments"] = [
        {
            "complete": form["complete"],
            "filed": form["filed"],
            "forms": form["forms"],
            "informant": form["informant"],
            "instrument": form["instrument"],
            "scores": {
                name: {
                    "answered": scale["answered"],
                    "category": scale["category"],
                    "category_label": scale["category_label"],
                    "high": scale["high"],
                    "low": scale["low"],
                    "score": scale["score"],
                }
                for name, scale in form["scores"].items()
            },
            "slot": form["slot"],
            "submitted_at": form["submitted_at"],
            "use": form["use"],
            "validity": form["validity"],
        }
        for form in one["instruments"]
    ]
    for name in ("critical_items", "undecided"):
        made[name] = [dict(item) for item in one[name]]
    made["tier_reasons"] = [
        {**reason, "evidence": [dict(leaf) for leaf in reason["evidence"]]}
        for reason in one["tier_reasons"]
    ]
    return made


_NESTED = {"org", "provenance", "instruments", "critical_items", "undecided", "tier_reasons"}


def measure(pupils: int, work: Path) -> Iterator[Figure]:
    """Time the making of entries."""
    plan = battery_plan()
    batch = bound(answers_of(pupils, work).first(min(pupils, MOST)))

    def screened() -> mh.Entries:
        """Return entries of which nothing is made yet."""
        return mh.emit(plan, mh.triage(plan, mh.norm(plan, mh.score(plan, batch))), at=AT)

    documents = [json.loads(line) for line in screened().lines()]
    assert [build(one) for one in documents[:100]] == documents[:100]
    works: dict[str, Callable[[], object] | Fresh] = {
        "ours": Fresh(
            screened, lambda entries: [line for block in entries.blocks() for line in block.lines()]
        ),
        "dicts and json": lambda: [json.dumps(build(one), sort_keys=True) for one in documents],
    }
    if find_spec("orjson") is None:
        nan = float("nan")
        note = "orjson is not installed: pip install -r benchmarks/speed/peers.txt"
        yield Figure(MEASURE, "ours", "dicts and orjson", pupils, nan, nan, nan, note=note)
    else:
        import orjson  # noqa: PLC0415 - a peer that may be absent

        works["dicts and orjson"] = lambda: [
            orjson.dumps(build(one), option=orjson.OPT_SORT_KEYS) for one in documents
        ]
    times = take_turns(works, most=20.0)
    for against in [name for name in works if name != "ours"]:
        some = {name: times.seconds[name] for name in ("ours", against)}
        yield from compare(MEASURE, replace(times, seconds=some), len(documents), against)


if __name__ == "__main__":
    run(measure, SIZES)

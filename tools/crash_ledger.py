"""Kill writers of a ledger at random moments, and see that nothing is lost or doubled.

In each round a writer begins to store a batch (now and then to erase entries), and is killed
(SIGKILL) at a random moment. Then the same is done again by a writer who is left alone. What must
hold every time: the batch was there whole or not at all; what the writer had reported as stored
is there; every entry is there once; the ledger verifies.

    python tools/crash_ledger.py sqlite --kills 300
    python tools/crash_ledger.py json-lines --kills 300
    python tools/crash_ledger.py postgresql --kills 300     # starts a server of its own

Prints how the kills fell: before the writer had stored anything, or after, and how long it took.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import os
import random
import signal
import sys
import tempfile
import time
from collections import Counter
from contextlib import contextmanager
from functools import partial
from itertools import count
from typing import TYPE_CHECKING, Any

from postgres_server import postgres_server

from mhscreen import shipped_library
from mhscreen.ledger.record import complete_draft
from mhscreen.ledger.stores import open_ledger
from mhscreen.ledger.verify import verify_ledger

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from mhscreen.definitions import Programme
    from mhscreen.ledger.stores.base import Appended

KINDS = ("json-lines", "sqlite", "postgresql")
PUPILS = 150
ROUNDS_PER_LEDGER = 10
NOW = dt.datetime(2026, 12, 1, 9, 0, tzinfo=dt.UTC)


class LostError(Exception):
    """Something was lost, doubled or broken."""


def expect(holds: bool, what: str) -> None:  # noqa: FBT001 - what must hold
    """Stop where something does not hold."""
    if not holds:
        raise LostError(what)


@contextmanager
def addresses(kind: str) -> Iterator[Callable[[], str]]:
    """Give a function that returns where a new ledger may be."""
    if kind == "postgresql":
        with postgres_server() as new_database:
            yield new_database
        return
    numbers = count(1)
    with tempfile.TemporaryDirectory(prefix="mhscreen-crash-") as folder:
        pattern = "{}/ledger-{}.jsonl" if kind == "json-lines" else "sqlite:///{}/ledger-{}.db"
        yield lambda: pattern.format(folder, next(numbers))


def make_batch(programme: Programme, number: int) -> list[dict[str, Any]]:
    """Return one talk with every pupil."""
    when = (NOW - dt.timedelta(days=60) + dt.timedelta(days=number)).isoformat()
    draft = {
        "entry_type": "talk", "author": "t-07", "role": "class_teacher", "occurred_at": when,
        "channel": "in_person", "note": "x" * 400,
    }  # fmt: skip
    return [
        complete_draft(draft | {"pupil_ref": f"P{n:04d}"}, programme, org=None, recorded_at=NOW)
        for n in range(PUPILS)
    ]


def append(address: str, batch: list[dict[str, Any]]) -> Appended:
    """Store a batch."""
    return open_ledger(address, create=True).append(batch)


def make_erasure(
    address: str, programme: Programme, number: int
) -> tuple[dict[str, str], dict[str, Any]]:
    """Return what is to be erased of one pupil, and the entry that says so."""
    pupil = f"P{number:04d}"
    hashes = {row.entry_id: row.hash for row in open_ledger(address).rows(pupil)}
    draft = {
        "entry_type": "erasure", "pupil_ref": pupil, "author": "h-01", "role": "head",
        "occurred_at": NOW.isoformat(), "ground": "purpose_ended", "approved_by": "h-02",
        "erased": [{"entry_id": name, "hash": hash_} for name, hash_ in hashes.items()],
    }  # fmt: skip
    return hashes, complete_draft(draft, programme, org=None, recorded_at=NOW)


def run_and_kill(work: Callable[[], object], after_s: float) -> bool:
    """Do some work in a process that is killed; return whether it had reported success."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reader)
        try:
            work()
            os.write(writer, b"1")
        finally:
            os._exit(0)
    os.close(writer)
    time.sleep(after_s)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    reported = os.read(reader, 1) == b"1"
    os.close(reader)
    return reported


def kill_writers(kind: str, kills: int, seed: int) -> Counter[str]:
    """Kill writers, check after each, and return how the kills fell."""
    chance = random.Random(seed)  # noqa: S311 - not for secrets
    programme = shipped_library().programme("qingdao-2023@1").definition
    tally: Counter[str] = Counter()
    batches = [make_batch(programme, number) for number in range(ROUNDS_PER_LEDGER + 1)]
    with addresses(kind) as new_address:
        longest_s = _time_of_a_batch(new_address(), batches)
        while tally["kills"] < kills:
            address = new_address()
            expected = 0
            for number, batch in enumerate(batches[:ROUNDS_PER_LEDGER]):
                after_s = chance.uniform(0, longest_s * (1 + number / ROUNDS_PER_LEDGER))
                reported = run_and_kill(partial(append, address, batch), after_s)
                again = append(address, batch)
                expect(again.added + again.already == PUPILS, "an entry was neither there nor new")
                expect(again.added in {0, PUPILS}, "a batch was there in part")
                expect(not (reported and again.added), "what was reported as stored was not there")
                expected += PUPILS
                _check(address, expected)
                tally.update({"kills": 1, "stored" if again.added == 0 else "nothing stored": 1})
            erased = _kill_an_eraser(address, programme, chance, longest_s)
            tally.update({"kills": 1, "erased" if erased else "nothing erased": 1})
            _check(address, expected + 1)
    return tally


def _time_of_a_batch(address: str, batches: list[list[dict[str, Any]]]) -> float:
    started = time.perf_counter()
    append(address, batches[-1])
    return (time.perf_counter() - started) * 1.3


def _kill_an_eraser(
    address: str, programme: Programme, chance: random.Random, longest_s: float
) -> bool:
    hashes, entry = make_erasure(address, programme, chance.randrange(PUPILS))
    run_and_kill(
        partial(open_ledger(address).erase, hashes, [entry]), chance.uniform(0, 4 * longest_s)
    )
    # A writer is let in when the killed one is gone for good, so this waits for that.
    there = open_ledger(address).append([entry]).already == 1
    gone = {row.line for row in open_ledger(address).rows() if row.entry_id in hashes}
    expect((gone == {None}) == there, "entries were erased in part, or without saying so")
    return there


def _check(address: str, expected: int) -> None:
    ledger = open_ledger(address)
    ids = [row.entry_id for row in ledger.rows()]
    expect(len(ids) == len(set(ids)) == expected, f"{len(ids)} entries, not {expected}")
    problems = verify_ledger(ledger).problems
    expect(not problems, "\n".join(map(str, problems[:3])))


def main(arguments: list[str] | None = None) -> int:
    """Run the command."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", maxsplit=1)[0])
    parser.add_argument("kind", choices=KINDS)
    parser.add_argument("--kills", type=int, default=300)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args(arguments)
    started = time.perf_counter()
    try:
        tally = kill_writers(options.kind, options.kills, options.seed)
    except FileNotFoundError as error:
        print(f"skipped: {error}")
        return 3
    seconds = round(time.perf_counter() - started, 1)
    print(json.dumps({"kind": options.kind, **dict(sorted(tally.items())), "seconds": seconds}))
    return 0


if __name__ == "__main__":
    sys.exit(main())

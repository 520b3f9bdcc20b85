"""Parts put together in roster order: every line once, whenever the process dies."""

import json

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mhscreen.interop.collector import Collector, read_collected
from mhscreen.interop.hashed import HashedFile
from mhscreen.interop.part import PartFiles
from mhscreen.interop.text import fingerprint
from mhscreen.steps.roster import UNREADABLE


def write_part(folder, lines):
    """Write what a collector reads of a part."""
    folder.mkdir(parents=True)
    part = PartFiles(folder)
    np.save(part.lines, np.array(lines, dtype=np.int64))
    part.ledger.write_bytes(b"".join(b"entry %d\n" % line for line in lines))
    table = pa.table({"line": pa.array(lines, pa.int64())})
    with pa.OSFile(str(part.archive), "wb") as file, pa.ipc.new_file(file, table.schema) as writer:
        writer.write_table(table)
    return part


@st.composite
def parts_of_a_roster(draw):
    """Lines by part: neighbours, apart from some that were sorted to another part."""
    sizes = draw(st.lists(st.integers(0, 4), min_size=1, max_size=6))
    lines = iter(range(1, sum(sizes) + 1))
    parts = [[next(lines) for _ in range(size)] for size in sizes]
    for number in draw(st.lists(st.integers(0, len(sizes) - 1), max_size=3)):
        parts[number].append(UNREADABLE + sum(map(len, parts)))
    first = draw(st.integers(0, len(sizes) - 1))
    later = draw(st.integers(first, len(sizes) - 1))
    if len(parts[later]) > 1 and parts[first][:1] and parts[first][0] < UNREADABLE:
        moved = parts[later].pop(draw(st.integers(0, len(parts[later]) - 1)))
        parts[first] = sorted({*parts[first], moved})
    return parts


@given(
    parts=parts_of_a_roster().filter(any),  # a run without a pupil is refused
    deaths=st.lists(st.tuples(st.integers(0, 7), st.booleans()), max_size=4),
)
@settings(max_examples=60, deadline=None)
def test_every_line_stands_once_in_its_place_whenever_the_process_dies(
    tmp_path_factory, parts, deaths
):
    home = tmp_path_factory.mktemp("parts")
    results = home / "results"
    results.mkdir()
    done = [write_part(home / f"{number:06d}", lines) for number, lines in enumerate(parts)]
    for steps, noted in deaths:
        collector = Collector(results, archive_csv=False)
        for part in done[:steps]:
            collector.add(part)
        if not noted:  # it has written more than it has noted down
            with (results / "ledger.jsonl").open("ab") as file:
                file.write(b"half an ent")
        collector.close()
    collector = Collector(results, archive_csv=True)
    for part in done:
        collector.add(part)
    records = collector.finish()
    every = sorted(line for lines in parts for line in lines)
    expected = b"".join(b"entry %d\n" % line for line in every)
    assert (results / "ledger.jsonl").read_bytes() == expected
    assert pq.read_table(results / "archive.parquet").column("line").to_pylist() == every
    for name, record in records.items():
        assert record == fingerprint(results / name)
    assert not list(home.glob("*/ledger.jsonl")) or list(home.glob("*/ledger.jsonl")) == [
        results / "ledger.jsonl"
    ]


def test_the_ledger_of_a_part_is_removed_only_when_it_is_noted_down(tmp_path):
    (tmp_path / "results").mkdir()
    parts = [write_part(tmp_path / f"{n:06d}", [2 * n + 1, 2 * n + 2]) for n in range(3)]
    collector = Collector(tmp_path / "results", archive_csv=False)
    for part, there in zip(parts, ([1, 1, 1], [0, 1, 1], [0, 0, 1]), strict=True):
        collector.add(part)
        assert [one.ledger.exists() for one in parts] == [bool(yes) for yes in there]
    assert read_collected(tmp_path / "results").steps == 3
    collector.close()


@pytest.mark.parametrize("text", ["", "{", '{"steps": 1'])
def test_a_note_that_a_power_failure_took_is_none(tmp_path, text):
    (tmp_path / "collected.json").write_text(text)
    assert read_collected(tmp_path) == (0, 0)


def test_a_part_that_a_power_failure_took_something_of_is_not_whole(tmp_path):
    part = write_part(tmp_path / "000000", [1, 2])
    sizes = {file.name: file.stat().st_size for file in part.folder.iterdir()}
    (part.folder / "sizes.json").write_text(json.dumps(sizes))
    assert part.is_whole(collected=False)
    part.ledger.unlink()
    assert part.is_whole(collected=True)
    assert not part.is_whole(collected=False)
    part.lines.write_bytes(b"")
    assert not part.is_whole(collected=True)


def test_a_file_is_hashed_while_it_is_written_and_goes_on_where_it_was(tmp_path):
    path = tmp_path / "ledger.jsonl"
    with HashedFile(path) as file:
        file.write(b"abc")
        file.writelines([b"d", b"e"])
    assert file.record() == fingerprint(path)
    with HashedFile(path, keep=2) as file:
        file.write(b"x")
    assert path.read_bytes() == b"abx"
    assert file.record() == fingerprint(path)
    with pytest.raises(EOFError):
        HashedFile(path, keep=9)

"""A ledger goes from one kind of store to another and back without losing a byte."""

import pyarrow.parquet as pq
import pytest

from mhscreen.ledger.stores import copy_ledger, open_ledger
from mhscreen.ledger.verify import verify_ledger
from mhscreen.problems import UsageError


@pytest.fixture
def filled(ledger, screened, write):
    """A ledger with three batches, an erased entry among them."""
    ledger.append(screened("A1", "A2", q9=1))
    gone = write("A1")
    ledger.append([gone, write("A2", note='说“不想上学”, "quoted"\n'), *screened("A1", q1=1)])
    (row,) = (row for row in ledger.rows() if row.entry_id == gone["entry_id"])
    erasure = write(
        "A1", 20, entry_type="erasure", role="head", ground="wrong_person", approved_by="h-02",
        erased=[{"entry_id": row.entry_id, "hash": row.hash}],
    )  # fmt: skip
    ledger.erase({row.entry_id: row.hash}, [erasure])
    return ledger


@pytest.mark.parametrize("name", ["copy.parquet", "copy.jsonl", "sqlite:///{}/copy.db"])
def test_a_copy_holds_the_same_rows_batches_and_roots(filled, tmp_path, name):
    where = name.format(tmp_path) if "://" in name else str(tmp_path / name)
    copy_ledger(filled, open_ledger(where, create=True))
    copy = open_ledger(where)
    assert list(copy.rows()) == list(filled.rows())
    assert copy.batches() == filled.batches()
    assert list(copy.entries("A2")) == list(filled.entries("A2"))
    assert verify_ledger(copy) == verify_ledger(filled)
    assert verify_ledger(copy).problems == ()


def test_a_copy_goes_on_where_the_ledger_stood(filled, tmp_path, write):
    copy = open_ledger(tmp_path / "copy.jsonl", create=True)
    copy_ledger(filled, copy)
    assert copy.append([write("A2", 21)]).root == filled.append([write("A2", 21)]).root


def test_the_columns_of_parquet_can_be_asked_without_reading_a_line(filled, tmp_path):
    file = tmp_path / "copy.parquet"
    copy_ledger(filled, open_ledger(file, create=True))
    table = pq.read_table(file, columns=["entry_type", "pupil_ref", "grade", "school"])
    first = table.to_pylist()[0]
    assert first == {"entry_type": "screening", "pupil_ref": "A1", "grade": 8, "school": "S"}
    assert table["entry_type"].to_pylist().count(None) == 1  # the erased one


def test_parquet_is_never_added_to_or_overwritten(filled, tmp_path, write):
    file = tmp_path / "copy.parquet"
    copy_ledger(filled, open_ledger(file, create=True))
    before = file.read_bytes()
    with pytest.raises(UsageError, match="exchange"):
        open_ledger(file).append([write("A9")])
    with pytest.raises(UsageError, match="empty"):
        copy_ledger(filled, open_ledger(file))
    assert file.read_bytes() == before


def test_a_ledger_is_not_copied_over_another_one(filled, tmp_path):
    with pytest.raises(UsageError, match="empty"):
        copy_ledger(filled, filled)


def test_an_empty_ledger_is_not_copied(ledger, tmp_path):
    with pytest.raises(UsageError, match="no ledger"):
        copy_ledger(ledger, open_ledger(tmp_path / "copy.jsonl", create=True))


def test_a_file_that_is_no_ledger_is_refused(tmp_path):
    for name in ("x.parquet", "y.parquet"):
        (tmp_path / name).write_bytes(b"PAR1")
    table = {"a": [1]}
    import pyarrow as pa

    pq.write_table(pa.table(table), tmp_path / "y.parquet")
    for name in ("x.parquet", "y.parquet"):
        with pytest.raises(UsageError):
            open_ledger(tmp_path / name).batches()

"""Pseudonyms: one per pupil for life, and nothing without the key."""

import hashlib
import hmac
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

import mhscreen as mh
from mhscreen.entries.pseudonyms import is_pseudonym, key_mark, pseudonym
from mhscreen.ledger.key_file import read_key
from mhscreen.problems import UsageError

KEY = bytes(range(32))
NUMBERS = st.text(st.characters(categories=["L", "N"], codec="ascii"), min_size=1, max_size=20)


@given(NUMBERS, NUMBERS)
def test_two_pupils_never_share_a_pseudonym_and_one_keeps_it(one, other):
    assert (pseudonym(one, KEY) == pseudonym(other, KEY)) == (one == other)


def test_siblings_with_neighbouring_numbers_have_nothing_in_common_to_see():
    one, other = pseudonym("G3702001", KEY), pseudonym("G3702002", KEY)
    assert sum(a == b for a, b in zip(one, other, strict=True)) < 10


@given(NUMBERS)
def test_a_pseudonym_is_no_longer_changed(number):
    once = pseudonym(number, KEY)
    assert is_pseudonym(once)
    assert pseudonym(once, KEY) == once == pseudonym(once, bytes(32))


def test_another_key_gives_another_pseudonym():
    assert pseudonym("A1", KEY) != pseudonym("A1", bytes(32))


def test_the_number_cannot_be_recomputed_without_the_key():
    plain = hashlib.sha256(b"A1").hexdigest()
    assert pseudonym("A1", KEY)[2:] not in (plain.upper(), hmac.digest(b"", b"A1", "sha256").hex())
    assert "A1" not in pseudonym("A1", KEY)[2:4]


def test_full_width_digits_are_the_same_number():
    assert pseudonym("Ａ１ ", KEY) == pseudonym("A1", KEY)


def test_a_key_file_holds_hexadecimal_digits(tmp_path):
    file = tmp_path / "pupils.key"
    file.write_text(KEY.hex() + "\n")
    assert read_key(file) == KEY


@pytest.mark.parametrize("text", ["", "00" * 31, "geheim" * 20, "钥匙"])
def test_a_file_that_holds_no_key_is_refused_without_being_quoted(tmp_path, text):
    file = tmp_path / "pupils.key"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(UsageError) as caught:
        read_key(file)
    assert not text or text not in str(caught.value)


def test_a_key_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(UsageError, match="cannot be opened"):
        read_key(tmp_path / "none.key")


def test_the_mark_of_a_key_tells_keys_apart_and_is_short():
    assert key_mark(KEY) != key_mark(bytes(32))
    assert len(key_mark(KEY)) == 8
    with pytest.raises(UsageError, match="32 bytes"):
        key_mark(b"short")


# -- in entries -----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def triage(school):
    return school.screen(school.pupil("A1"), school.pupil("A2")).triage


def test_with_a_key_no_entry_holds_the_schools_own_number(plan, triage):
    entries = list(mh.emit(plan, triage, at="2026-10-15", key=KEY))
    assert [e["pupil_ref"] for e in entries] == [pseudonym("A1", KEY), pseudonym("A2", KEY)]
    assert '"A1"' not in json.dumps(entries)
    assert KEY.hex() not in repr(mh.emit(plan, triage, at="2026-10-15", key=KEY))


def test_without_a_key_the_reference_is_the_rosters_subject(plan, triage):
    assert [e["pupil_ref"] for e in mh.emit(plan, triage, at="2026-10-15")] == ["A1", "A2"]


def test_the_same_evidence_entered_again_with_the_key_adds_nothing(plan, triage):
    first, again = (
        [e["entry_id"] for e in mh.emit(plan, triage, at="2026-10-15", key=KEY)] for _ in range(2)
    )
    assert first == again
    assert first != [e["entry_id"] for e in mh.emit(plan, triage, at="2026-10-15")]


def test_a_pupil_keeps_the_pseudonym_at_another_school(plan, school):
    moved = school.screen(school.pupil("A1", school="T")).triage
    (entry,) = mh.emit(plan, moved, at="2026-11-15", key=KEY)
    assert entry["pupil_ref"] == pseudonym("A1", KEY)


def test_entries_are_not_made_with_a_key_that_is_too_short(plan, triage):
    with pytest.raises(UsageError, match="32 bytes"):
        mh.emit(plan, triage, at="2026-10-15", key=b"short")

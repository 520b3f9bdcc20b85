"""Pseudonyms: one per pupil for life, and nothing without the key."""

import hashlib
import hmac

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mhscreen.ledger.pseudonyms import is_pseudonym, key_mark, pseudonym, read_key
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

"""The bytes of an entry are RFC 8785, and hash, id and root follow from them alone."""

import hashlib
import json
import uuid

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from mhscreen.entries.canonical import (
    canonical_json,
    digest,
    entry_hash,
    entry_id,
    entry_line,
    merkle_root,
    whole,
)

# Prorated totals, T scores and ages are what floats there are; none is tiny or huge.
FRACTIONS = st.integers(-(10**9), 10**9).map(lambda x: whole(x / 1000))
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
KEYS = st.text("abcdefghijklmnopqrstuvwxyz_ABCD0129", min_size=1, max_size=8)
DOCUMENTS = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | FRACTIONS | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=20,
)


@given(DOCUMENTS)
def test_canonical_json_is_that_of_an_independent_implementation(document):
    assert canonical_json(document).encode() == rfc8785.dumps(document)


def test_every_entry_of_a_batch_is_canonical_as_an_independent_implementation_writes_it(school):
    pupils = [
        school.pupil('甲\t"1"', forms={"phqa": school.full("phqa")}),
        school.pupil("B2", forms={"phqa": school.calm("phqa", q1=None, q2=1, q3=2), "mht": None}),
        school.pupil("C3", stage="primary", grade=2, age=8.37, sex="男"),
    ]  # fmt: skip
    result = school.screen(*pupils)
    for line in result.entries.lines():
        document = json.loads(line)
        body = {key: value for key, value in document.items() if key != "hash"}
        expected = hashlib.sha256(rfc8785.dumps(body)).hexdigest()
        assert document["hash"] == f"sha256:{expected}"
        assert entry_hash(document) == document["hash"]
        # The line itself is JSON whose body, after the hash, is the canonical text.
        assert line.endswith(rfc8785.dumps(body).decode()[1:])


def test_a_line_and_an_entry_object_say_the_same(school):
    entries = school.screen(school.pupil()).entries
    assert [json.loads(line) for line in entries.lines()] == list(entries)


def test_a_changed_entry_no_longer_has_its_hash(school):
    entry = school.one()
    assert entry_hash(entry) == entry["hash"]
    assert entry_hash(entry | {"screen_tier": "watch"}) != entry["hash"]


def test_a_number_that_is_none_is_refused():
    with pytest.raises(ValueError, match="Out of range"):
        canonical_json({"score": float("nan")})


@pytest.mark.parametrize("number, written", [(3.0, "3"), (-0.0, "0"), (4.5, "4.5"), (0, "0")])
def test_a_whole_number_is_written_without_a_point(number, written):
    assert canonical_json(whole(number)) == written
    assert rfc8785.dumps(number).decode() == written


def test_the_digest_is_sha256_of_the_utf8_text():
    assert digest("学") == "sha256:" + hashlib.sha256("学".encode()).hexdigest()


IDENTITY = {
    "entry_type": "screening", "programme": "p@1.0.0", "cycle": "p/2026-2027/autumn",
    "pupil_ref": "A1", "evidence": "sha256:aa", "pins": "sha256:bb",
}  # fmt: skip


def test_an_entry_id_is_a_uuid_of_version_five_that_derives_from_its_inputs_alone():
    one = entry_id(**IDENTITY)
    assert uuid.UUID(one).version == 5
    assert entry_id(**IDENTITY) == one


@pytest.mark.parametrize("part", IDENTITY)
def test_an_entry_id_changes_with_each_of_its_inputs(part):
    assert entry_id(**(IDENTITY | {part: "other"})) != entry_id(**IDENTITY)


def test_neighbouring_parts_of_an_id_do_not_run_together():
    one = entry_id(**(IDENTITY | {"cycle": "ab", "pupil_ref": "c"}))
    other = entry_id(**(IDENTITY | {"cycle": "a", "pupil_ref": "bc"}))
    assert one != other


HASHES = [digest(str(number)) for number in range(9)]


def slow_root(hashes):
    """Work the root out on paper: leaves marked 0, pairs marked 1, an odd one moves up."""

    def leaf(text):
        return hashlib.sha256(b"\x00" + text.encode()).digest()

    level = [leaf(one) for one in hashes]
    while len(level) > 1:
        upper = [
            hashlib.sha256(b"\x01" + level[i] + level[i + 1]).digest()
            for i in range(0, len(level) // 2 * 2, 2)
        ]
        level = upper + ([level[-1]] if len(level) % 2 else [])
    return "sha256:" + level[0].hex()


@pytest.mark.parametrize("number", range(1, 10))
def test_the_root_is_that_of_the_tree_worked_out_on_paper(number):
    assert merkle_root(HASHES[:number]) == slow_root(HASHES[:number])


@pytest.mark.parametrize("gone", range(9))
def test_a_pupil_who_was_removed_changes_the_root(gone):
    assert merkle_root(HASHES[:gone] + HASHES[gone + 1 :]) != merkle_root(HASHES)


def test_a_pupil_entered_twice_changes_the_root():
    assert merkle_root([*HASHES, HASHES[-1]]) != merkle_root(HASHES)


def test_no_entries_have_a_root_too():
    assert merkle_root([]) == "sha256:" + hashlib.sha256(b"").hexdigest()


def test_a_leaf_is_no_inner_node():
    two = merkle_root(HASHES[:2])
    assert merkle_root([two]) != two


def test_an_entry_line_carries_the_hash_of_the_rest():
    line = entry_line({"b": 1, "a": "x"})
    assert json.loads(line) == {"hash": digest('{"a":"x","b":1}'), "a": "x", "b": 1}

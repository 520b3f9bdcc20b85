"""What is erased is gone, and the ledger still verifies; protection of life goes first."""

from pathlib import Path

import pytest

from mhscreen import load_library
from mhscreen.ledger.erasure import erase_entries
from mhscreen.ledger.retention import retention_ends
from mhscreen.ledger.stores import open_ledger
from mhscreen.ledger.verify import verify_ledger
from mhscreen.problems import ResponseError, UsageError

ROOT = Path(__file__).resolve().parents[2]
TOLD = "只告诉了老师的话"


@pytest.fixture(params=["kept.jsonl", "sqlite:///{}/kept.db"])
def ledger(request, tmp_path):
    name = request.param
    return open_ledger(name.format(tmp_path) if "://" in name else tmp_path / name, create=True)


@pytest.fixture
def run(plan, library, ledger):
    """Erase, approved by the head."""

    def erasing(**what):
        return erase_entries(
            ledger, ground="consent_withdrawn", author="s-01", role="deputy_head",
            approved_by="h-02", programme=plan.programme, at="2026-12-01", library=library, **what,
        )  # fmt: skip

    return erasing


def consent(book, on, **fields):
    states = {"pupil": "withdrawn", "guardian": "withdrawn", "basis": "statutory_duty"}
    return book.enter("consent", on, **(states | fields))


def refusal(run, **what):
    with pytest.raises(ResponseError) as caught:
        run(**what)
    return [(p.code, p.subject, p.what) for p in caught.value.problems]


def bytes_of(tmp_path):
    return b"".join(file.read_bytes() for file in tmp_path.iterdir())


def test_all_of_a_pupil_goes_and_the_ledger_still_verifies(book, ledger, run, tmp_path):
    talk = book.enter("talk", "2026-10-20", channel="in_person", note=TOLD)
    ledger.append(
        [book.calm(), talk, book.enter("talk", "2026-10-21", about="B2", channel="phone")]
    )
    published = verify_ledger(ledger).root
    assert TOLD.encode() in bytes_of(tmp_path)
    appended = run(pupil_ref="A1")
    assert appended.added == 1
    assert [entry["entry_type"] for entry in ledger.entries("A1")] == ["erasure"]
    assert [entry["entry_type"] for entry in ledger.entries("B2")] == ["talk"]
    found = verify_ledger(ledger, published)
    assert (found.entries, found.erased, found.problems) == (4, 2, ())
    assert TOLD.encode() not in bytes_of(tmp_path)


def test_the_erasure_says_what_went_why_and_who_approved_it(book, ledger, run):
    ledger.append([book.calm()])
    (before,) = ledger.rows()
    run(pupil_ref="A1")
    (entry,) = ledger.entries()
    assert entry["erased"] == [{"entry_id": before.entry_id, "hash": before.hash}]
    assert (entry["ground"], entry["author"], entry["approved_by"]) == (
        "consent_withdrawn", "s-01", "h-02",
    )  # fmt: skip
    assert entry["org"]["school"] == "S"


def test_single_entries_go_by_their_ids(book, ledger, run):
    first = book.enter("talk", "2026-10-20", channel="in_person")
    second = book.enter("talk", "2026-10-21", channel="in_person")
    ledger.append([first, second])
    run(entries=[first["entry_id"]])
    left = [entry["entry_id"] for entry in ledger.entries() if entry["entry_type"] == "talk"]
    assert left == [second["entry_id"]]
    assert verify_ledger(ledger).problems == ()


def test_what_was_erased_does_not_come_back_with_the_next_run(book, ledger, run):
    screened = book.calm()
    ledger.append([screened])
    run(pupil_ref="A1")
    again = ledger.append([screened])
    assert (again.added, again.already, again.erased) == (0, 0, 1)


def test_while_a_severe_case_is_open_nothing_is_erased(book, ledger, run):
    screened = book.severe()
    interview = book.interview("2026-10-15", screened)
    ledger.append([screened, interview, consent(book, "2026-10-17")])
    assert refusal(run, pupil_ref="A1") == [("MH808", "A1", "has an open severe or major case")]
    decided = book.decide("2026-10-18", "severe", screened, interview)
    ledger.append([decided])
    assert refusal(run, entries=[interview["entry_id"]])[0][0] == "MH808"
    assert len(list(ledger.entries())) == 4


def test_once_a_person_has_decided_otherwise_it_can_be_erased(book, ledger, run):
    screened = book.severe()
    interview = book.interview("2026-10-15", screened)
    decided = book.decide(
        "2026-10-18", "watch", screened, interview, reason="not_confirmed", reviewer="t-08"
    )
    ledger.append([screened, interview, decided])
    assert run(pupil_ref="A1").added == 1


def test_a_legal_hold_keeps_everything_until_it_is_lifted(book, ledger, run):
    ledger.append([book.calm(), consent(book, "2026-10-20", legal_hold=True)])
    ledger.append([consent(book, "2026-10-25", pupil="given")])  # says nothing of the hold
    assert refusal(run, pupil_ref="A1") == [("MH808", "A1", "is on legal hold")]
    ledger.append([consent(book, "2026-11-20", legal_hold=False)])
    assert run(pupil_ref="A1").added == 1


def test_one_pupil_on_hold_keeps_the_others_of_the_same_call(book, ledger, run):
    held = book.enter("talk", "2026-10-20", channel="in_person")
    free = book.enter("talk", "2026-10-20", about="B2", channel="in_person")
    ledger.append([held, free, consent(book, "2026-10-21", legal_hold=True)])
    assert len(refusal(run, entries=[held["entry_id"], free["entry_id"]])) == 1
    assert verify_ledger(ledger).erased == 0


def test_nobody_erases_alone(plan, book, ledger):
    ledger.append([book.calm()])
    with pytest.raises(UsageError, match="somebody else"):
        erase_entries(
            ledger, pupil_ref="A1", ground="purpose_ended", author="h-02", role="head",
            approved_by="h-02", programme=plan.programme, at="2026-12-01",
        )  # fmt: skip


def test_an_erasure_is_never_erased(book, ledger, run):
    ledger.append([book.calm()])
    run(pupil_ref="A1")
    (erasure,) = ledger.entries()
    for what in ({"pupil_ref": "A1"}, {"entries": [erasure["entry_id"]]}, {"pupil_ref": "Z"}, {}):
        with pytest.raises(UsageError):
            run(**what)


# -- retention --------------------------------------------------------------------------------


RETENTION = """retention: {months_after_closure: 6, months_after_screening: 12}
ledger_map:"""


@pytest.fixture(scope="module")
def keeping(library, tmp_path_factory):
    """The library with a programme that keeps for a year after screening."""
    folder = tmp_path_factory.mktemp("own") / "programmes" / "keeping"
    folder.mkdir(parents=True)
    text = (ROOT / "programmes" / "qingdao-2023" / "1.0.0.yaml").read_text("utf-8")
    text = text.replace("id: qingdao-2023", "id: keeping", 1)
    text = text.replace("ledger_map:", RETENTION, 1)
    (folder / "1.0.0.yaml").write_text(text, "utf-8")
    return load_library(folder.parents[1], base=library)


@pytest.fixture
def due(keeping):
    def on(day, *entries):
        entries = [entry | {"programme": "keeping@1.0.0"} for entry in entries]
        found = retention_ends(entries, day, library=keeping)
        return [(one.pupil_ref, str(one.due_on), one.on_hold) for one in found]

    return on


def test_a_pupil_without_a_case_is_due_some_months_after_the_last_entry(book, due):
    entries = [book.calm(), book.enter("talk", "2026-11-30", channel="in_person")]
    assert due("2027-11-29", *entries) == []
    assert due("2027-11-30", *entries) == [("A1", "2027-11-30", False)]


def test_after_a_closure_the_months_run_from_the_closure(book, due):
    screened = book.watch()
    interview = book.interview("2026-10-16", screened)
    decided = book.decide("2026-10-18", "watch", screened, interview)
    seen = [book.follow_up(f"2026-{month}-20", n) for n, month in enumerate((10, 11, 12), start=1)]
    closed = book.close("2026-12-28", decided, status="closed")
    entries = [screened, interview, decided, *seen]
    assert due("2040-01-01", *entries) == []
    assert due("2040-01-01", *entries, closed) == [("A1", "2027-06-28", False)]


def test_an_open_case_is_never_due(book, due):
    screened = book.general()
    decided = book.decide("2026-10-18", "general", screened, book.interview("2026-10-16", screened))
    assert due("2040-01-01", screened) == []
    assert due("2040-01-01", screened, decided) == []


def test_a_pupil_on_hold_is_listed_as_such(book, due):
    entries = [book.calm(), consent(book, "2026-10-20", legal_hold=True)]
    assert due("2027-12-01", *entries) == [("A1", "2027-10-20", True)]


def test_without_a_retention_period_nothing_is_due_and_that_is_said(book, library):
    with pytest.raises(UsageError, match="no retention period is set"):
        retention_ends([book.calm()], "2040-01-01", library=library)

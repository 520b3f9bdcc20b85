"""Ledgers of every kind, and a school that fills them."""

import datetime as dt

import pytest
from postgres_server import find_programs, postgres_server

from mhscreen.ledger.record import complete_draft
from mhscreen.ledger.stores import open_ledger

MORNING = dt.datetime(2026, 11, 16, 9, 0, tzinfo=dt.timezone(dt.timedelta(hours=8)))


@pytest.fixture(scope="session")
def new_database():
    """Return a function that makes a PostgreSQL database on a server of our own."""
    if find_programs() is None:
        pytest.skip("no PostgreSQL server on this machine (no initdb)")
    with postgres_server() as new:
        yield new


@pytest.fixture(params=["json_lines", "sqlite", "postgresql"])
def address(request, tmp_path):
    """Return where a new ledger is to be, once for each kind."""
    if request.param == "json_lines":
        return str(tmp_path / "kept.jsonl")
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'kept.db'}"
    return request.getfixturevalue("new_database")()


@pytest.fixture
def ledger(address):
    return open_ledger(address, create=True)


@pytest.fixture(scope="session")
def screened(school):
    """Screen pupils: some calm, one urgent; return their entries as documents."""

    def run(*names, at="2026-10-15", **answers):
        forms = {"phqa": school.calm("phqa", **answers)}
        pupils = [school.pupil(name, forms=forms) for name in names]
        return list(school.screen(*pupils, at=at).entries)

    return run


@pytest.fixture(scope="session")
def write(plan):
    """Return the entry that somebody at the school writes; a talk if nothing else is said."""

    def make(pupil, day=16, *, recorded_at=MORNING, **fields):
        kind = {} if "entry_type" in fields else {"entry_type": "talk", "channel": "in_person"}
        draft = {
            "pupil_ref": pupil, "author": "t-07", "role": "class_teacher",
            "occurred_at": f"2026-10-{day}T09:00:00+08:00", **kind, **fields,
        }  # fmt: skip
        return complete_draft(draft, plan.programme, org=None, recorded_at=recorded_at)

    return make

"""Intake: files of entries and of people's drafts, read for a ledger line by line."""

from __future__ import annotations

import datetime as dt
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from mhscreen.ledger.incoming import Incoming, as_incoming, is_draft, parse_line
from mhscreen.ledger.order import events_by_pupil
from mhscreen.ledger.record import complete_draft
from mhscreen.ledger.standing import owner_of
from mhscreen.problems import Problem, ResponseError, UsageError
from mhscreen.steps.cells import moment
from mhscreen.steps.emit import local_times
from mhscreen.vocabulary import EntryType, TransferState

if TYPE_CHECKING:
    import os
    from collections.abc import Iterable, Iterator, Mapping

    from mhscreen.definitions import Programme
    from mhscreen.ledger.stores.base import Appended, Ledger, Store
    from mhscreen.steps.cells import Moment

__all__ = ["append_files", "enter", "recording_time"]

Org = dict[str, Any]


def append_files(
    ledger: Store,
    files: Iterable[str | os.PathLike[str]],
    *,
    programme: Programme | None = None,
    at: Moment | None = None,
) -> Appended:
    """Enter files into a ledger as one batch: all of it, or none.

    Parameters
    ----------
    ledger : Store
        An open ledger.
    files : iterable of path
        JSON lines: the ``ledger.jsonl`` of a run, and drafts by people (without ids). A draft's
        school is that of the pupil's entries, in the ledger or before it in the files; a pupil of
        whom there is none is refused, unless the draft gives ``org``.
    programme : Programme, optional
        What drafts are completed by.
    at : date, datetime or str, optional
        When drafts are entered.

    Raises
    ------
    UsageError
        If a file is not there, or holds a draft and `programme` or `at` is not given.
    ResponseError
        With everything that is wrong with all files; nothing is entered.
    """
    paths = [Path(file) for file in files]
    for path in paths:
        if not path.is_file():
            msg = f"there is no file {path}"
            raise UsageError(msg)
    recorded = None if programme is None or at is None else recording_time(programme, at)
    drafts = _Drafts(ledger, programme, recorded)
    for path in paths:
        drafts.look_ahead(path)
    return ledger.append(_read(paths, drafts))


def enter(
    ledger: Ledger, drafts: Iterable[Mapping[str, Any]], programme: Programme, at: Moment
) -> list[Incoming]:
    """Return the entries that people's drafts stand for, to be appended.

    Raises
    ------
    ResponseError
        With everything that is wrong with all of them.
    """
    made = _Drafts(ledger, programme, recording_time(programme, at))
    found: list[Incoming] = []
    problems: list[Problem] = []
    for number, draft in enumerate(drafts, start=1):
        try:
            found.append(made.complete(draft, "", number))
        except ResponseError as error:
            problems.extend(error.problems)
    if problems:
        raise ResponseError(problems)
    return found


def recording_time(programme: Programme, at: Moment) -> dt.datetime:
    """Return a time as entries write it: in the programme's zone."""
    (text,) = local_times(programme.zone, np.array([moment(at, programme.zone)]))
    return dt.datetime.fromisoformat(str(text))


class _Drafts:
    """Completes drafts, and remembers where each pupil is at school."""

    def __init__(
        self, ledger: Ledger, programme: Programme | None, recorded: dt.datetime | None
    ) -> None:
        self.ledger, self.programme, self.recorded = ledger, programme, recorded
        self.seen: dict[str, Org | None] = {}

    def look_ahead(self, path: Path) -> None:
        """Find the schools of the pupils of a file's drafts, while nobody is writing yet.

        A database may not let itself be read by others in the middle of a large batch.
        """
        with path.open("rb") as file:
            for line in file:
                if b'"entry_id"' not in line:
                    with suppress(ResponseError):  # told when the line is read in earnest
                        self._org(parse_line(line).get("pupil_ref"))

    def complete(self, draft: Mapping[str, Any], file: str, row: int) -> Incoming:
        if self.programme is None or self.recorded is None:
            msg = f"{file}: drafts are entered with a programme and a time (--programme, --at)"
            raise UsageError(msg)
        pupil = draft.get("pupil_ref")
        org = self._org(pupil)
        if isinstance(pupil, str) and org is None and not draft.get("org"):
            what = "is nobody whom the ledger knows"
            hint = "where the pupil is new, give org: city, district, school, stage, grade, class"
            raise ResponseError(
                [Problem("MH801", what, hint=hint, path="pupil_ref", file=file, row=row)]
            )
        entry = complete_draft(
            draft,
            self.programme,
            org=org,
            recorded_at=self.recorded,
            place=file,
            row=row,
        )
        self.note(entry)
        return as_incoming(entry, file=file, row=row)

    def note(self, entry: Mapping[str, Any]) -> None:
        pupil = entry.get("pupil_ref")
        if isinstance(pupil, str):
            moved = (
                entry["entry_type"] == EntryType.TRANSFER
                and entry["state"] == TransferState.ACKNOWLEDGED
            )
            self.seen[pupil] = dict(entry["to_org" if moved else "org"])

    def _org(self, pupil: object) -> Org | None:
        if not isinstance(pupil, str):
            return None
        if pupil not in self.seen:
            found = events_by_pupil(self.ledger.entries(pupil)).get(pupil)
            owner = {} if found is None else owner_of(found.events)
            self.seen[pupil] = dict(owner) or None
        return self.seen[pupil]


def _read(paths: Iterable[Path], drafts: _Drafts) -> Iterator[Incoming | Problem]:
    for path in paths:
        with path.open("rb") as file:
            for row, line in enumerate(file, start=1):
                try:
                    one = _one(line, drafts, path.name, row)
                except ResponseError as error:
                    yield from error.problems
                else:
                    if one is not None:
                        yield one


def _one(line: bytes, drafts: _Drafts, file: str, row: int) -> Incoming | None:
    """Return what a line holds; None where it is no entry but belongs to a ledger."""
    if not line.strip():
        return None
    document = parse_line(line, file=file, row=row)
    if "entry_type" not in document and ("ledger" in document or "batch" in document):
        return None
    if is_draft(document):
        return drafts.complete(document, file, row)
    one = as_incoming(document, file=file, row=row)
    drafts.note(document)
    return one

"""The roster: one line per pupil, in the order in which everything else is written."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from mhscreen.steps import cells
from mhscreen.vocabulary import Attendance, Sex, Stage

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from mhscreen.plan.plan import Plan
    from mhscreen.problems import ProblemLog
    from mhscreen.steps.tables import Table

__all__ = [
    "ROSTER_COLUMNS",
    "UNREADABLE",
    "Roster",
    "find_columns",
    "nameless_pupils",
    "parse_subject",
    "read_roster",
    "roster_schema",
    "subject_column",
]

ROSTER_COLUMNS: dict[str, tuple[str, ...]] = {
    "subject": ("pupil", "学号", "学籍号", "学生编号"),
    "school": ("学校", "学校名称"),
    "stage": ("学段",),
    "grade": ("年级",),
    "class": ("班级",),
    "sex": ("gender", "性别"),
    "birth_date": ("出生日期",),
    "age": ("年龄",),
    "district": ("区", "区县", "区市"),
    "city": ("市", "城市"),
    "dormitory": ("宿舍", "寝室"),
    "status": ("状态", "学生状态"),
}
"""The columns of a roster, and the other headings under which each is found."""

UNREADABLE = 1 << 40
"""Where the lines of a roster that cannot be read begin: after every one that can."""

_OLDEST = 120
_FIRST_BIRTH, _LAST_BIRTH = np.datetime64("1900-01-01"), np.datetime64("2200-01-01")
_REQUIRED = ("subject", "school", "stage", "grade")
_SCHEMA_VERSION = "1.0.0"
_EXPECTED = {
    "stage": "primary, junior, senior, vocational, or 小学, 初中, 高中, 中职",
    "grade": "a whole number from 1 to 12, or a name such as 初二",
    "sex": "male, female, m, f, or 男, 女",
    "birth_date": "a date, YYYY-MM-DD",
    "age": "an age in years",
    "status": ", ".join(Attendance),
}


def roster_schema() -> dict[str, Any]:
    """Return the JSON Schema of one row of a roster, as other systems should write it.

    Reading is more lenient: other headings are found, and terms are read in Chinese, too.

    Examples
    --------
    >>> roster_schema()["required"]
    ['subject', 'school', 'stage', 'grade']
    """
    kinds: dict[str, dict[str, Any]] = {
        "subject": {"type": "string", "minLength": 1},
        "stage": {"enum": [str(stage) for stage in Stage]},
        "grade": {"type": "integer", "minimum": 1, "maximum": 12},
        "sex": {"enum": [*(str(sex) for sex in Sex), None]},
        "birth_date": {"type": ["string", "null"], "format": "date"},
        "age": {"type": ["number", "null"], "minimum": 0},
        "status": {"enum": [*(str(status) for status in Attendance), None]},
    }
    text = {"type": ["string", "null"]}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"urn:mhscreen:roster:{_SCHEMA_VERSION}",
        "title": "mhscreen/roster/1",
        "description": "One pupil. No name: the subject is a reference known to the school.",
        "type": "object",
        "properties": {
            name: {**kinds.get(name, text), "description": f"also found as {', '.join(others)}"}
            for name, others in ROSTER_COLUMNS.items()
        },
        "required": list(_REQUIRED),
        "additionalProperties": False,
    }


@dataclass(frozen=True, eq=False, repr=False)
class Roster:
    """The pupils, column by column; every array has shape (pupils,).

    Attributes
    ----------
    subject : ndarray of object
        The pupil's reference; unique.
    school, class_, district, city, dormitory : ndarray of object
        Text, empty where not given.
    stage, grade, sex, status : ndarray of int8
        Positions in `Stage`, `Sex`, `Attendance`; grade as a number. −1 where not given.
    birth_date : ndarray of datetime64[D]
    age : ndarray of float64
        As given, in years; NaN where not given.
    group : ndarray of int64
        The programme's group; −1 for none.
    error, duplicate : ndarray of bool
        Where the line cannot be used as it should, and where the subject stands twice.
    line : ndarray of int64
        Ascending: the row of the table on which the subject first stands, and beyond every row
        (`UNREADABLE` and more) for a line that cannot be read. It puts pupils in order whose
        roster was read in parts.
    """

    subject: NDArray[np.object_]
    school: NDArray[np.object_]
    class_: NDArray[np.object_]
    district: NDArray[np.object_]
    city: NDArray[np.object_]
    dormitory: NDArray[np.object_]
    stage: NDArray[np.int8]
    grade: NDArray[np.int8]
    sex: NDArray[np.int8]
    status: NDArray[np.int8]
    birth_date: NDArray[np.datetime64]
    age: NDArray[np.float64]
    group: NDArray[np.int64]
    error: NDArray[np.bool_]
    duplicate: NDArray[np.bool_]
    line: NDArray[np.int64]

    def __repr__(self) -> str:
        return f"<Roster: {len(self)} pupils>"

    def __len__(self) -> int:
        """Return the number of pupils."""
        return len(self.subject)

    def take(self, rows: NDArray[np.int64]) -> Roster:
        """Return some of the pupils."""
        return Roster(**{name: values[rows] for name, values in vars(self).items()})

    def ages(self, moment: NDArray[np.datetime64]) -> NDArray[np.float64]:
        """Return each pupil's age in years at a moment each; NaN where it cannot be told.

        The moments are those of the local clock, see `mhscreen.steps.cells.local_moments`. An age
        on the roster stands in where there is no birth date.
        """
        return cells.age_in_years(self.birth_date, moment, self.age)


def find_columns(table: Table, known: dict[str, tuple[str, ...]]) -> dict[str, str]:
    """Return the heading of each known column that the table has."""
    spelled = {cells.heading_key(heading): heading for heading in reversed(list(table.columns))}
    found = {}
    for name, others in known.items():
        for key in (name, *others):
            if key in spelled:
                found[name] = spelled[key]
                break
    return found


def subject_column(table: Table) -> str | None:
    """Return the heading of the column that says whose a row is."""
    return find_columns(table, {"subject": ROSTER_COLUMNS["subject"]}).get("subject")


def read_roster(plan: Plan, table: Table, log: ProblemLog) -> Roster:
    """Read the roster; what is not understood is logged and counts as not given.

    Parameters
    ----------
    plan : Plan
        Whose groups the pupils are placed in.
    table : Table
        One row per pupil, see `ROSTER_COLUMNS`.
    log : ProblemLog
        Receives the problems.
    """
    headings = find_columns(table, ROSTER_COLUMNS)
    for name in _REQUIRED:
        if name not in headings:
            log.add(
                "MH501",
                f"no column '{name}'",
                file=table.name,
                expected=", ".join(ROSTER_COLUMNS),
                hint=f"name the column '{name}'"
                + "".join(f" or {o}" for o in ROSTER_COLUMNS[name]),
            )
    if table.rows == 0:
        log.add("MH412", "the roster has no pupil", file=table.name)
    for heading in table.columns:
        if heading not in headings.values():
            log.add(
                "MH403",
                f"{cells.column_name(table, heading)} is not read",
                file=table.name,
                expected=", ".join(ROSTER_COLUMNS),
            )
    reader = _Reader(table, headings, log)
    subject = reader.read("subject", parse_subject, None, "O")
    for row in [row for row, one in enumerate(subject.tolist()) if one is None]:
        log.add(
            "MH503",
            "no subject",
            file=table.name,
            row=table.row_number(row),
            expected="the pupil's reference",
            hint="the line is entered under its file and row; no form can be matched to it",
        )
        subject[row] = f"{table.name}:{table.row_number(row)}"
    nameless = np.char.startswith(subject.astype(str), f"{table.name}:")
    stage = reader.read("stage", lambda c: cells.parse_term(c, Stage), -1, "i1")
    grade = reader.read("grade", cells.parse_grade, -1, "i1")
    everyone = Roster(
        subject=subject,
        school=reader.read("school", cells.parse_text, "", "O"),
        class_=reader.read("class", cells.parse_text, "", "O"),
        district=reader.read("district", cells.parse_text, "", "O"),
        city=reader.read("city", cells.parse_text, "", "O"),
        dormitory=reader.read("dormitory", cells.parse_text, "", "O"),
        stage=stage,
        grade=grade,
        sex=reader.read("sex", lambda c: cells.parse_term(c, Sex, m="male", f="female"), -1, "i1"),
        status=reader.read("status", lambda c: cells.parse_term(c, Attendance), -1, "i1"),
        birth_date=reader.read("birth_date", _parse_birth_date, np.datetime64("NaT"), "M8[D]"),
        age=reader.read("age", _parse_age, np.nan, "f8"),
        group=_groups(plan, stage, grade),
        error=nameless,
        duplicate=np.zeros(table.rows, dtype=bool),
        line=np.array([table.row_number(row) for row in range(table.rows)], dtype=np.int64),
    )
    for row in np.flatnonzero(everyone.group < 0).tolist():
        log.add(
            "MH505",
            "no group of the programme holds this stage and grade",
            file=table.name,
            row=table.row_number(row),
            subject=subject[row],
            expected=", ".join(group.id for group in plan.programme.groups),
            hint="the pupil is entered and flagged as an error",
        )
    roster = _one_line_each(everyone, table, log)
    roster.error[:] |= roster.group < 0
    return _with_broken_lines(roster, table, log)


def parse_subject(cell: object) -> str | None:
    """Return a pupil's reference; only an empty cell is none: ``NA`` may be one.

    Raises
    ------
    ValueError
        If digits of a long number are lost.
    """
    if isinstance(cell, str) and cell.isascii() and "+" not in cell:
        return cell.strip() or None  # by far the usual case; no digits of it can be lost
    if isinstance(cell, str) and cells.is_blank(cell):
        return unicodedata.normalize("NFKC", cell).strip() or None
    return cells.parse_text(cell)


def _parse_age(cell: object) -> float | None:
    age = cells.parse_number(cell)
    if age is not None and not 0 <= age <= _OLDEST:
        raise ValueError
    return age


def _parse_birth_date(cell: object) -> np.datetime64 | None:
    born = cells.parse_date(cell)
    if born is not None and not _FIRST_BIRTH <= born <= _LAST_BIRTH:
        raise ValueError
    return born


def _with_broken_lines(roster: Roster, table: Table, log: ProblemLog) -> Roster:
    """Add the pupils whose line cannot be read: they must have an entry, too."""
    known = set(roster.subject.tolist())
    lost: list[str] = []
    lines: list[int] = []
    for broken in table.broken_rows:
        subject = "" if broken.guessed else broken.subject
        log.add(
            "MH504" if subject else "MH503",
            "the line cannot be read",
            file=table.name,
            row=broken.row,
            subject=subject,
            hint="mend the line; until then the pupil is entered without school, stage and grade",
        )
        name = subject or f"{table.name}:{broken.row}"
        if name in known:
            roster.error[roster.subject == name] = True
        else:
            known.add(name)
            lost.append(name)
            lines.append(UNREADABLE + broken.row)
    if not lost:
        return roster
    last = replace(nameless_pupils(lost, error=True), line=np.array(lines, dtype=np.int64))
    return _join(roster, last)


def nameless_pupils(subjects: list[str], *, error: bool) -> Roster:
    """Return pupils of whom nothing but the reference is known."""
    number = len(subjects)
    subject = np.empty(number, dtype=object)
    subject[:] = subjects
    empty = np.full(number, "", dtype=object)
    unknown = np.full(number, -1, dtype=np.int8)
    return Roster(
        subject=subject,
        school=empty,
        class_=empty,
        district=empty,
        city=empty,
        dormitory=empty,
        stage=unknown,
        grade=unknown,
        sex=unknown,
        status=unknown,
        birth_date=np.full(number, np.datetime64("NaT"), dtype="M8[D]"),
        age=np.full(number, np.nan),
        group=np.full(number, -1, dtype=np.int64),
        error=np.full(number, error),
        duplicate=np.zeros(number, dtype=bool),
        line=np.arange(1, number + 1, dtype=np.int64),
    )


def _join(first: Roster, second: Roster) -> Roster:
    return Roster(
        **{
            name: np.concatenate([values, vars(second)[name]])
            for name, values in vars(first).items()
        }
    )


class _Reader:
    """Reads columns of one table, and logs what it does not understand."""

    def __init__(self, table: Table, headings: dict[str, str], log: ProblemLog) -> None:
        self.table = table
        self.headings = headings
        self.log = log

    def read(
        self, name: str, parse: Callable[[object], object], default: object, dtype: str
    ) -> NDArray[Any]:
        if name not in self.headings:
            return np.full(self.table.rows, default, dtype=dtype)
        column = self.table.columns[self.headings[name]]
        values, bad = cells.map_column(column, parse, default, dtype)
        for row in np.flatnonzero(bad).tolist():
            self.log.add(
                "MH504",
                "not understood",
                file=self.table.name,
                path=name,
                row=self.table.row_number(row),
                expected=_EXPECTED.get(name, ""),
                hint="the value is withheld; it counts as not given",
            )
        return values


def _one_line_each(everyone: Roster, table: Table, log: ProblemLog) -> Roster:
    """Return each subject once, at its first place on the roster.

    Lines that say the same are one pupil. Where they differ they may be two: the entry is then
    an error that a person must settle, and which line it shows does not depend on their order.
    """
    lines: dict[str, list[int]] = {}
    for row, subject in enumerate(everyone.subject.tolist()):
        lines.setdefault(subject, []).append(row)
    rows = []
    first = []
    for subject, places in lines.items():
        first.append(int(everyone.line[places[0]]))
        if len(places) > 1:
            said = {row: _line(everyone, row) for row in places}
            differ = len(set(said.values())) > 1
            for row in places:
                log.add(
                    "MH502",
                    f"one of {len(places)} lines of this subject"
                    + (", which differ" if differ else ""),
                    file=table.name,
                    row=table.row_number(row),
                    subject=subject,
                    expected="each pupil once",
                    hint="two pupils with one reference? give each a reference of their own"
                    if differ
                    else "the lines say the same; take one out",
                )
            everyone.duplicate[places] = True
            everyone.error[places] |= differ
            rows.append(min(places, key=lambda row: (said[row], row)))
        else:
            rows.append(places[0])
    kept = everyone.take(np.array(rows, dtype=np.int64))
    return replace(kept, line=np.array(first, dtype=np.int64))


def _line(roster: Roster, row: int) -> tuple[str, ...]:
    """Return what a line says of a pupil."""
    columns = (
        roster.school, roster.class_, roster.stage, roster.grade, roster.sex, roster.birth_date,
        roster.age, roster.status, roster.district, roster.city, roster.dormitory,
    )  # fmt: skip
    return tuple(str(column[row]) for column in columns)


def _groups(plan: Plan, stage: NDArray[np.int8], grade: NDArray[np.int8]) -> NDArray[np.int64]:
    table = np.full((len(Stage) + 1, 14), -1, dtype=np.int64)
    for place, name in enumerate(Stage):
        for number in range(13):
            table[place, number] = plan.group(name, number or None)
    return table[stage, np.where(grade < 0, 0, grade)]

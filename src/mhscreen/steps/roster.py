"""The roster: one line per pupil, in the order in which everything else is written."""

from __future__ import annotations

from dataclasses import dataclass
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
    "Roster",
    "find_columns",
    "nameless_pupils",
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


@dataclass(frozen=True)
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
                f"column '{heading}' is not read",
                file=table.name,
                expected=", ".join(ROSTER_COLUMNS),
            )
    reader = _Reader(table, headings, log)
    subject = reader.read("subject", cells.parse_text, None, "O")
    stage = reader.read("stage", lambda c: cells.parse_term(c, Stage), -1, "i1")
    grade = reader.read("grade", cells.parse_grade, -1, "i1")
    rows = _first_lines(table, subject, log)
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
        birth_date=reader.read("birth_date", cells.parse_date, np.datetime64("NaT"), "M8[D]"),
        age=reader.read("age", cells.parse_number, np.nan, "f8"),
        group=_groups(plan, stage, grade),
        error=np.zeros(table.rows, dtype=bool),
        duplicate=np.zeros(table.rows, dtype=bool),
    )
    roster = everyone.take(rows)
    repeated = {subject[row] for row in set(range(table.rows)) - set(rows.tolist())}
    roster.duplicate[:] = [one in repeated for one in roster.subject]
    roster.error[:] = roster.group < 0
    for place in np.flatnonzero(roster.group < 0).tolist():
        log.add(
            "MH505",
            "no group of the programme holds this stage and grade",
            file=table.name,
            row=table.row_number(int(rows[place])),
            subject=roster.subject[place],
            expected=", ".join(group.id for group in plan.programme.groups),
        )
    return _with_broken_lines(roster, table, log)


def _with_broken_lines(roster: Roster, table: Table, log: ProblemLog) -> Roster:
    """Add the pupils whose line cannot be read: they must have an entry, too."""
    known = set(roster.subject.tolist())
    lost = []
    for broken in table.broken_rows:
        log.add(
            "MH503" if not broken.subject else "MH504",
            "the line cannot be read",
            file=table.name,
            row=broken.row,
            subject=broken.subject,
            hint="mend the line; until then the pupil is entered without school, stage and grade",
        )
        if broken.subject and broken.subject not in known:
            known.add(broken.subject)
            lost.append(broken.subject)
    return roster if not lost else _join(roster, nameless_pupils(lost, error=True))


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


def _first_lines(table: Table, subject: NDArray[np.object_], log: ProblemLog) -> NDArray[np.int64]:
    """Return the row of the first line of each subject, and log the others."""
    seen: dict[str, int] = {}
    rows = []
    for row, one in enumerate(subject.tolist()):
        if one is None:
            log.add(
                "MH503",
                "no subject",
                file=table.name,
                row=table.row_number(row),
                expected="the pupil's reference",
                hint="no form can be matched to the line",
            )
        elif one in seen:
            log.add(
                "MH502",
                "the subject stands on the roster again",
                file=table.name,
                row=table.row_number(row),
                subject=one,
                expected="each pupil once",
                hint=f"first at row {table.row_number(seen[one])}",
            )
        else:
            seen[one] = row
            rows.append(row)
    return np.array(rows, dtype=np.int64)


def _groups(plan: Plan, stage: NDArray[np.int8], grade: NDArray[np.int8]) -> NDArray[np.int64]:
    table = np.full((len(Stage) + 1, 14), -1, dtype=np.int64)
    for place, name in enumerate(Stage):
        for number in range(13):
            table[place, number] = plan.group(name, number or None)
    return table[stage, np.where(grade < 0, 0, grade)]

"""The roster: one line per pupil, in the order in which everything else is written."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from mhscreen.steps import cells
from mhscreen.steps.references import Names, parse_subject, read_references
from mhscreen.steps.tables import Column, concatenate_columns
from mhscreen.steps.texts import Texts
from mhscreen.vocabulary import Attendance, Sex, Stage

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

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


_TEXTS = ("school", "class", "district", "city", "dormitory")


@dataclass(frozen=True, eq=False, repr=False)
class Roster:
    """The pupils, column by column; every array has shape (pupils,).

    Attributes
    ----------
    references : Texts
        The pupil's reference; unique.
    texts : mapping of str to Column
        School, class, district, city and dormitory; a cell is empty where not given.
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

    references: Texts
    texts: Mapping[str, Column]
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
        return len(self.references)

    @cached_property
    def names(self) -> Names:
        """Where each reference stands."""
        return Names(self.references)

    @cached_property
    def subject(self) -> NDArray[np.object_]:
        """The pupil's reference, as an object."""
        subject = np.empty(len(self), dtype=object)
        subject[:] = self.references.strings()
        return subject

    @cached_property
    def school(self) -> NDArray[np.object_]:
        """The school's name, empty where not given; so are the others."""
        return self._text("school")

    @cached_property
    def class_(self) -> NDArray[np.object_]:
        """The class."""
        return self._text("class")

    @cached_property
    def district(self) -> NDArray[np.object_]:
        """The district."""
        return self._text("district")

    @cached_property
    def city(self) -> NDArray[np.object_]:
        """The city."""
        return self._text("city")

    @cached_property
    def dormitory(self) -> NDArray[np.object_]:
        """The dormitory."""
        return self._text("dormitory")

    def _text(self, name: str) -> NDArray[np.object_]:
        column = self.texts[name]
        return np.array([*column.values, ""], dtype=object)[column.index]

    def take(self, rows: NDArray[np.int64]) -> Roster:
        """Return some of the pupils."""
        return Roster(
            self.references.take(rows),
            {name: Column(one.index[rows], one.values) for name, one in self.texts.items()},
            **{name: vars(self)[name][rows] for name in _ARRAYS},
        )

    def ages(self, moment: NDArray[np.datetime64]) -> NDArray[np.float64]:
        """Return each pupil's age in years at a moment each; NaN where it cannot be told.

        The moments are those of the local clock, see `mhscreen.steps.cells.local_moments`. An age
        on the roster stands in where there is no birth date.
        """
        return cells.age_in_years(self.birth_date, moment, self.age)


_ARRAYS = tuple(field.name for field in fields(Roster)[2:])


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
    references = _read_subjects(reader)
    stage = reader.read("stage", lambda c: cells.parse_term(c, Stage), -1, "i1")
    grade = reader.read("grade", cells.parse_grade, -1, "i1")
    everyone = Roster(
        references,
        {name: reader.texts(name) for name in _TEXTS},
        stage=stage,
        grade=grade,
        sex=reader.read("sex", lambda c: cells.parse_term(c, Sex, m="male", f="female"), -1, "i1"),
        status=reader.read("status", lambda c: cells.parse_term(c, Attendance), -1, "i1"),
        birth_date=reader.read("birth_date", _parse_birth_date, np.datetime64("NaT"), "M8[D]"),
        age=reader.read("age", _parse_age, np.nan, "f8"),
        group=_groups(plan, stage, grade),
        error=references.begin_with(f"{table.name}:"),
        duplicate=np.zeros(table.rows, dtype=bool),
        line=table.numbers,
    )
    log.add_rows(
        "MH505",
        "no group of the programme holds this stage and grade",
        np.flatnonzero(everyone.group < 0).tolist(),
        lambda row: {"row": table.row_number(row), "subject": references[row]},
        file=table.name,
        expected=", ".join(group.id for group in plan.programme.groups),
        hint="the pupil is entered and flagged as an error",
    )
    roster = _one_line_each(everyone, table, log)
    roster.error[:] |= roster.group < 0
    return _with_broken_lines(roster, table, log)


def _read_subjects(reader: _Reader) -> Texts:
    """Return the reference on each line; file and row where there is none."""
    table = reader.table
    column = reader.column("subject")
    read = read_references(column)
    reader.complain("subject", read.lost)
    nobody = read.nobody
    reader.log.add_rows(
        "MH503",
        "no subject",
        nobody.tolist(),
        lambda row: {"row": table.row_number(row)},
        file=table.name,
        expected="the pupil's reference",
        hint="the line is entered under its file and row; no form can be matched to it",
    )
    if not len(nobody):
        return read.of_rows()
    named = [f"{table.name}:{table.row_number(row)}" for row in nobody.tolist()]
    index = read.index.copy()
    index[nobody] = len(read.texts) + np.arange(len(nobody), dtype=np.int32)
    return replace(read, texts=Texts.together([read.texts, Texts.of(named)]), index=index).of_rows()


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
    if not table.broken_rows:
        return roster
    subjects = ["" if broken.guessed else broken.subject for broken in table.broken_rows]
    names = [
        subject or f"{table.name}:{broken.row}"
        for subject, broken in zip(subjects, table.broken_rows, strict=True)
    ]
    lost: dict[str, int] = {}
    for broken, subject, name, place in zip(
        table.broken_rows, subjects, names, roster.names.find(Texts.of(names)).tolist(), strict=True
    ):
        log.add(
            "MH504" if subject else "MH503",
            "the line cannot be read",
            file=table.name,
            row=broken.row,
            subject=subject,
            hint="mend the line; until then the pupil is entered without school, stage and grade",
        )
        if place >= 0:
            roster.error[place] = True
        else:
            lost.setdefault(name, UNREADABLE + broken.row)
    if not lost:
        return roster
    line = np.array(list(lost.values()), dtype=np.int64)
    return _join(roster, replace(nameless_pupils(list(lost), error=True), line=line))


def nameless_pupils(subjects: list[str], *, error: bool) -> Roster:
    """Return pupils of whom nothing but the reference is known."""
    number = len(subjects)
    empty = Column(np.full(number, -1, dtype=np.int32), ())
    unknown = np.full(number, -1, dtype=np.int8)
    return Roster(
        Texts.of(subjects),
        dict.fromkeys(_TEXTS, empty),
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
        Texts.together([first.references, second.references]),
        {name: concatenate_columns([one, second.texts[name]]) for name, one in first.texts.items()},
        **{name: np.concatenate([vars(first)[name], vars(second)[name]]) for name in _ARRAYS},
    )


class _Reader:
    """Reads columns of one table, and logs what it does not understand."""

    def __init__(self, table: Table, headings: dict[str, str], log: ProblemLog) -> None:
        self.table = table
        self.headings = headings
        self.log = log

    def column(self, name: str) -> Column:
        """Return a column; an empty one where there is none."""
        if name in self.headings:
            return self.table.columns[self.headings[name]]
        return Column(np.full(self.table.rows, -1, dtype=np.int32), ())

    def read(
        self, name: str, parse: Callable[[object], object], default: object, dtype: str
    ) -> NDArray[Any]:
        """Return what stands in a column, or a default."""
        if name not in self.headings:
            return np.full(self.table.rows, default, dtype=dtype)
        values, bad = cells.map_column(self.column(name), parse, default, dtype)
        self.complain(name, np.flatnonzero(bad))
        return values

    def texts(self, name: str) -> Column:
        """Return what stands in a column, once per distinct value."""
        column = self.column(name)
        values, bad = cells.map_values(column.values, cells.parse_text, "", "O")
        if bad.any():
            self.complain(name, np.flatnonzero(bad[column.index]))
        return Column(column.index, tuple(values[:-1].tolist()))

    def complain(self, name: str, rows: NDArray[np.int64]) -> None:
        """Log the rows that are not understood."""
        self.log.add_rows(
            "MH504",
            "not understood",
            rows.tolist(),
            lambda row: {"row": self.table.row_number(row)},
            file=self.table.name,
            path=name,
            expected=_EXPECTED.get(name, ""),
            hint="the value is withheld; it counts as not given",
        )


def _one_line_each(everyone: Roster, table: Table, log: ProblemLog) -> Roster:
    """Return each subject once, at its first place on the roster.

    Lines that say the same are one pupil. Where they differ they may be two: the entry is then
    an error that a person must settle, and which line it shows does not depend on their order.
    """
    first = everyone.names.first
    again = np.flatnonzero(first != np.arange(len(first)))
    if not len(again):
        return everyone
    lines: dict[int, list[int]] = {}
    for row in np.flatnonzero(np.isin(first, first[again])).tolist():
        lines.setdefault(int(first[row]), []).append(row)
    shown = np.arange(len(first))
    differ: dict[int, tuple[int, bool]] = {}
    for places in lines.values():
        said = {row: _line(everyone, row) for row in places}
        unlike = len(set(said.values())) > 1
        differ.update(dict.fromkeys(places, (len(places), unlike)))
        everyone.duplicate[places] = True
        everyone.error[places] |= unlike
        shown[places[0]] = min(places, key=lambda row: (said[row], row))
    log.add_rows(
        "MH502",
        "one of several lines of their subjects",
        list(differ),
        lambda row: {
            "what": f"one of {differ[row][0]} lines of this subject"
            + (", which differ" if differ[row][1] else ""),
            "row": table.row_number(row),
            "subject": everyone.references[row],
            "hint": "two pupils with one reference? give each a reference of their own"
            if differ[row][1]
            else "the lines say the same; take one out",
        },
        file=table.name,
        expected="each pupil once",
    )
    kept = np.unique(first)
    return replace(everyone.take(shown[kept]), line=everyone.line[kept])


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

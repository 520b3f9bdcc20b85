"""Problems in the order of file and row, however many they are: all of them in one file."""

from __future__ import annotations

from collections import Counter
from itertools import groupby, islice
from typing import TYPE_CHECKING, Any

from mhscreen.interop.files import ROW_GROUP, CsvWriter
from mhscreen.problems import Problem
from mhscreen.steps.answers import illegal_hint
from mhscreen.steps.result_columns import problem_columns

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from typing import BinaryIO

__all__ = ["EXAMPLES", "ProblemCounts", "problem_record", "read_problems", "write_problems"]

EXAMPLES = 100
"""How many problems of each code are kept at hand."""

_FIELDS = ("what", "expected", "subject", "hint")


class ProblemCounts:
    """How many problems there are, and the first of each code.

    Attributes
    ----------
    by_code : Counter of str
    examples : list of Problem
        At most `EXAMPLES` of each code, in the order of the file.
    """

    def __init__(self) -> None:
        self.by_code: Counter[str] = Counter()
        self.examples: list[Problem] = []
        self.errors = 0

    def add(self, problem: Problem) -> None:
        """Count one."""
        self.by_code[problem.code] += 1
        self.errors += problem.severity == "error"
        if self.by_code[problem.code] <= EXAMPLES:
            self.examples.append(problem)

    def record(self) -> dict[str, Any]:
        """Return what ``run.json`` says of them."""
        return {
            "errors": self.errors,
            "warnings": self.by_code.total() - self.errors,
            "by_code": dict(sorted(self.by_code.items())),
        }


def problem_record(problem: Problem, roster: str) -> list[Any]:
    """Return a problem as a record that sorts by file and row.

    What concerns the roster comes first and what concerns no file last; of one file what concerns
    all of it. Where the same is said twice, the records are equal.
    """
    file = problem.file
    rank = 2 if not file else int(file != roster)
    place = [problem.row, problem.line, problem.column]
    kind = -int(problem.code[2])  # the run before the roster, the roster before the answers
    key = [
        rank, file, *(-1 if one is None else one for one in place), kind, problem.code,
        problem.path, *(getattr(problem, name) for name in _FIELDS),
    ]  # fmt: skip
    return [key]


def read_problems(
    records: Iterable[list[Any]], tally: Mapping[tuple[str, str, str], int]
) -> Iterator[Problem]:
    """Yield problems from sorted records, each once.

    Parameters
    ----------
    records : iterable of list
        See `problem_record`.
    tally : mapping
        Counts over the whole run, which decide what is said of illegal answers.
    """
    for (_, file, row, line, column, _, code, path, *texts), _same in groupby(
        record[0] for record in records
    ):
        what, expected, subject, hint = texts
        if code == "MH401":
            slot = path.rpartition(".")[0]
            hint = illegal_hint(tally["illegal", file, slot], tally["shifted", file, slot])
        yield Problem(
            code, what, expected, hint, file, _place(line), _place(column), path, _place(row),
            subject,
        )  # fmt: skip


def write_problems(problems: Iterable[Problem], file: BinaryIO) -> ProblemCounts:
    """Write ``problems.csv``, and count what is written."""
    counts = ProblemCounts()
    writer = CsvWriter(file, for_people=True)
    remaining = iter(problems)
    while block := list(islice(remaining, ROW_GROUP)):
        for problem in block:
            counts.add(problem)
        writer.write(problem_columns(block))
    if not counts.by_code:
        writer.write(problem_columns([]))
    return counts


def _place(number: int) -> int | None:
    return None if number < 0 else number

"""Aggregates: numbers of pupils by school, stage, grade and tier that name nobody.

A number below the smallest that may be shown is withheld, and so are as many others as are needed
so that no sum, no difference and no earlier release gives it away. What whoever reads the releases
could work out is solved for, not guessed.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from mhscreen.ledger.suppression import Known, Sum, suppress
from mhscreen.ledger.words import CASE_TIERS
from mhscreen.problems import UsageError
from mhscreen.vocabulary import ScreenTier

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from mhscreen.ledger.cases import Case, Cases

__all__ = ["GROUPS", "Measure", "Release", "ReleaseRow", "read_release", "release_counts"]

Measure = Literal["screen_tier", "case_tier"]
"""What is counted: what screenings show, or what named persons have set."""

GROUPS = ("city", "district", "school", "stage", "grade")
"""What pupils may be grouped by."""

_SCHEMA = "mhscreen/release/1"
_NO_DECISION = "no_decision"
_COSTS = ((1.0, 8.0), (32.0, 64.0))
"""What it costs to withhold a number of one group and of all, by tier and over all tiers. How many
pupils a school has is often known elsewhere: to withhold it protects little."""
_CAP = 5  # per cent, at either end
_SCREEN_COLUMNS = {str(one): (one.en, one.zh) for one in ScreenTier}
_CASE_COLUMNS = {
    **{str(one): words for one, words in CASE_TIERS.items()},
    _NO_DECISION: ("No decision by a person", "尚未由专人定级"),
    **{
        str(one): (one.en, one.zh) for one in (ScreenTier.UNDETERMINED, ScreenTier.NOT_SCREENED)
    },
}  # fmt: skip
_RULE = (
    (
        "Numbers below {smallest} are withheld, and with them others from which they could be "
        "worked out: by sums, or together with the earlier releases that are named. Shares above "
        "{high} % and below {low} % are not stated exactly."
    ),
    (
        "小于 {smallest} 的人数不公开；凡可由合计或与所列往期数据相减推算出该人数的其他数字，"
        "一并不公开。高于 {high}% 与低于 {low}% 的比例不给出确切数值。"
    ),
)


@dataclass(frozen=True)
class ReleaseRow:
    """The numbers of one group.

    Attributes
    ----------
    group : dict
        What the pupils have in common; empty for all.
    counts : tuple of int or None
        By column; None where withheld.
    total : int or None
        All columns together; None where withheld.
    """

    group: Mapping[str, Any]
    counts: tuple[int | None, ...]
    total: int | None

    @property
    def shares(self) -> tuple[str | None, ...]:
        """The shares in per cent, whole, as they are written; None where withheld.

        Examples
        --------
        >>> ReleaseRow({}, (40, 960, None, 0), 1000).shares
        ('<5', '>95', None, '<5')
        """
        return tuple(map(self._share, self.counts))

    def _share(self, count: int | None) -> str | None:
        if count is None or not self.total:
            return None
        share = 100 * count / self.total
        if share > 100 - _CAP:
            return f">{100 - _CAP}"
        return f"<{_CAP}" if share < _CAP else f"{share:.0f}"


@dataclass(frozen=True)
class Release:
    """A table that may leave the school.

    Attributes
    ----------
    of : {"screen_tier", "case_tier"}
        What is counted.
    by : tuple of str
        What the rows are grouped by.
    where : dict
        What all pupils in it have in common.
    on : date
        As of when.
    columns : tuple of str
        The tiers, and the states off their scale.
    rows : tuple of ReleaseRow
        One for each group that has a pupil.
    total : ReleaseRow
        All groups together.
    smallest : int
        The smallest number that is not withheld.
    earlier : tuple of str
        The earlier releases that were taken into account, by date and grouping.
    """

    of: Measure
    by: tuple[str, ...]
    where: Mapping[str, Any]
    on: dt.date
    columns: tuple[str, ...]
    rows: tuple[ReleaseRow, ...]
    total: ReleaseRow
    smallest: int
    earlier: tuple[str, ...]

    @property
    def name(self) -> str:
        """Date, measure and grouping."""
        inside = "".join(f", {name} {value}" for name, value in self.where.items())
        return f"{self.on} {self.of} by {' and '.join(self.by)}{inside}"

    @property
    def rule(self) -> dict[str, Any]:
        """What was withheld by which rule."""
        lines = (*self.rows, self.total)
        withheld = sum(x is None for line in lines for x in (*line.counts, line.total))
        words = {"smallest": self.smallest, "low": _CAP, "high": 100 - _CAP}
        return {
            "smallest_count": self.smallest,
            "complementary": True,
            "share_caps": [_CAP, 100 - _CAP],
            "earlier": list(self.earlier),
            "withheld": withheld,
            "en": _RULE[0].format(**words),
            "zh": _RULE[1].format(**words),
        }

    def document(self) -> dict[str, Any]:
        """Return the release as it is written, the rule in it."""
        labels = labels_of(self.of)
        return {
            "schema": _SCHEMA,
            "of": self.of,
            "by": list(self.by),
            "where": dict(self.where),
            "on": str(self.on),
            "columns": [{"code": c, "en": labels[c][0], "zh": labels[c][1]} for c in self.columns],
            "rows": [_written(row) for row in self.rows],
            "total": _written(self.total),
            "rule": self.rule,
        }

    def table(self) -> dict[str, list[Any]]:
        """Return the columns of a sheet: groups, numbers, shares; empty where withheld."""
        lines = (*self.rows, self.total)
        found: dict[str, list[Any]] = {
            name: [line.group.get(name) for line in self.rows] + [None] for name in self.by
        }
        found["pupils"] = [line.total for line in lines]
        for place, name in enumerate(self.columns):
            found[name] = [line.counts[place] for line in lines]
        for place, name in enumerate(self.columns):
            found[f"{name}_percent"] = [line.shares[place] for line in lines]
        return found


def labels_of(of: Measure) -> dict[str, tuple[str, str]]:
    """Return the columns of a measure with their English and Chinese labels."""
    return _SCREEN_COLUMNS if of == "screen_tier" else _CASE_COLUMNS


def release_counts(
    cases: Cases,
    *,
    of: Measure,
    by: Sequence[str],
    on: dt.date,
    smallest: int,
    where: Mapping[str, Any] | None = None,
    earlier: Iterable[Release] = (),
) -> Release:
    """Count pupils for readers outside the school, and withhold what would name somebody.

    Parameters
    ----------
    cases : Cases
        Where the cases stand; a pupil of whom everything was erased is not counted.
    of : {"screen_tier", "case_tier"}
        What is counted. `undetermined` and `not_screened` are columns of their own.
    by : sequence of str
        Among `GROUPS`.
    on : date
        As of when; it stands in the release.
    smallest : int
        The smallest number that may be shown (the programme's `counts_from` for the readers).
        0 is shown.
    where : mapping, optional
        What all pupils counted have in common, such as the district.
    earlier : iterable of Release
        Every release that the readers already have. Together with them, too, nothing is given
        away: neither by a margin nor by the difference of two numbers.

    Returns
    -------
    Release

    Raises
    ------
    UsageError
        For another grouping, where nobody is counted, or where earlier releases have other columns
        or already narrow a small number down.
    """
    by, where, earlier = tuple(by), dict(where or {}), tuple(earlier)
    wrong = sorted({*by, *where} - set(GROUPS))
    if not by or wrong:
        msg = f"pupils are grouped by some of: {', '.join(GROUPS)}"
        raise UsageError(msg)
    columns = tuple(labels_of(of))
    if any(one.of == of and one.columns != columns for one in earlier):
        msg = "an earlier release has other columns"
        raise UsageError(msg)
    # Pupils elsewhere count, too: what earlier releases say of them may give others away here.
    counted = Counter(
        (tuple(case.org[name] for name in GROUPS), _column(case, of))
        for case in cases
        if case.entries
    )
    places = sorted({place for place, _ in counted}, key=lambda one: tuple(map(_order, one)))
    here = frozenset(_inside(places, where))
    if not here:
        msg = "nobody is counted"
        raise UsageError(msg)
    atoms = [[counted[place, column] for column in columns] for place in places]
    groups = list(dict.fromkeys(_group(places[n], by) for n in sorted(here)))
    members = [frozenset(n for n in here if _group(places[n], by) == group) for group in groups]
    lines = [*members, here]
    before = [_known(one, places) for one in earlier if one.of == of]
    withheld = _withhold(atoms, lines, before, smallest)
    rows = [
        ReleaseRow(
            {} if group is None else dict(zip(by, group, strict=True)),
            *_shown(atoms, inside, hidden),
        )
        for group, inside, hidden in zip([*groups, None], lines, withheld, strict=True)
    ]
    names = tuple(one.name for one in earlier)
    return Release(of, by, where, on, columns, tuple(rows[:-1]), rows[-1], smallest, names)


def read_release(document: Mapping[str, Any]) -> Release:
    """Return a release as it was written by `Release.document`.

    Raises
    ------
    UsageError
        If it is none.
    """
    try:
        of: Measure = {_SCHEMA: document["of"]}[document["schema"]]
        return Release(
            of,
            tuple(document["by"]),
            document["where"],
            dt.date.fromisoformat(document["on"]),
            tuple(one["code"] for one in document["columns"]),
            tuple(map(_read, document["rows"])),
            _read(document["total"]),
            document["rule"]["smallest_count"],
            tuple(document["rule"]["earlier"]),
        )
    except (KeyError, TypeError, ValueError) as error:
        msg = "this is no release of counts"
        raise UsageError(msg) from error


# -- counting -------------------------------------------------------------------------------------


def _column(case: Case, of: Measure) -> str:
    shown = ScreenTier.NOT_SCREENED if case.screen_tier is None else case.screen_tier
    if of == "screen_tier":
        return str(shown)
    if case.case_tier is not None:
        return str(case.case_tier)
    off_scale = shown in (ScreenTier.UNDETERMINED, ScreenTier.NOT_SCREENED)
    return str(shown) if off_scale else _NO_DECISION


def _order(value: object) -> tuple[bool, object]:
    return value is None, value if isinstance(value, int) else str(value)


def _group(place: Sequence[Any], by: Sequence[str]) -> tuple[Any, ...]:
    return tuple(place[GROUPS.index(name)] for name in by)


def _inside(places: Sequence[Sequence[Any]], group: Mapping[str, Any]) -> Iterator[int]:
    for number, place in enumerate(places):
        if all(place[GROUPS.index(name)] == value for name, value in group.items()):
            yield number


def _parts(width: int) -> list[frozenset[int]]:
    """Return what a line shows: each column, and last all of them."""
    return [*(frozenset({column}) for column in range(width)), frozenset(range(width))]


def _known(release: Release, places: Sequence[Sequence[Any]]) -> list[Known]:
    parts = _parts(len(release.columns))
    return [
        Known(frozenset(_inside(places, {**release.where, **row.group})), part, value)
        for row in (*release.rows, release.total)
        for part, value in zip(parts, (*row.counts, row.total), strict=True)
    ]


def _withhold(
    atoms: Sequence[Sequence[int]],
    lines: Sequence[frozenset[int]],
    earlier: Sequence[Sequence[Known]],
    smallest: int,
) -> list[tuple[bool, ...]]:
    """Return for each line which columns, and last whether the total, are withheld."""
    parts = _parts(len(atoms[0]))
    sums = [
        Sum(inside, part, _COSTS[part == parts[-1]][inside == lines[-1]], whole=part == parts[-1])
        for inside in lines
        for part in parts
    ]
    hidden = suppress(atoms, sums, earlier, smallest)
    step = len(parts)
    return [tuple(hidden[n : n + step]) for n in range(0, len(hidden), step)]


def _shown(
    atoms: Sequence[Sequence[int]], inside: Iterable[int], hidden: Sequence[bool]
) -> tuple[tuple[int | None, ...], int | None]:
    counts = [sum(column) for column in zip(*(atoms[n] for n in inside), strict=True)]
    *columns, total = (
        None if away else count for count, away in zip([*counts, sum(counts)], hidden, strict=True)
    )
    return tuple(columns), total


# -- written --------------------------------------------------------------------------------------


def _written(row: ReleaseRow) -> dict[str, Any]:
    return {
        "group": dict(row.group),
        "counts": list(row.counts),
        "total": row.total,
        "percent": list(row.shares),
    }


def _read(row: Mapping[str, Any]) -> ReleaseRow:
    return ReleaseRow(row["group"], tuple(row["counts"]), row["total"])

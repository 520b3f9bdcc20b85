"""Numbers that leave the school name nobody: attacked by margins and by subtracting releases."""

import dataclasses
import datetime as dt
import itertools
import json
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog

from mhscreen.ledger.aggregates import GROUPS, ReleaseRow, read_release, release_counts
from mhscreen.ledger.suppression import Known, Sum, suppress
from mhscreen.problems import UsageError
from mhscreen.vocabulary import ScreenTier, Tier

OCTOBER, NOVEMBER = dt.date(2026, 10, 31), dt.date(2026, 11, 30)
TIERS = [str(one) for one in ScreenTier]


def pupils(numbers):
    """Return cases: how many at each tier, by (school, grade), or by school."""
    found = []
    for place, counts in numbers.items():
        school, grade = place if isinstance(place, tuple) else (place, 8)
        org = {
            "city": "Q", "district": "D", "school": school, "stage": "junior", "grade": grade,
            "class": "1",
        }  # fmt: skip
        found += [
            SimpleNamespace(org=org, screen_tier=ScreenTier(tier), case_tier=None, entries=("e",))
            for tier, count in counts.items()
            for _ in range(count)
        ]
    return found


def release(numbers, by=("school",), on=OCTOBER, earlier=(), smallest=10, **more):
    return release_counts(
        pupils(numbers), of="screen_tier", by=by, on=on, smallest=smallest, earlier=earlier, **more
    )


def sums_of(numbers, one):
    """Yield every sum that a release shows or withholds: its numbers, its value, the true value."""
    places = [place if isinstance(place, tuple) else (place, 8) for place in numbers]
    counts = [[c.get(tier, 0) for tier in TIERS] for c in numbers.values()]
    for row in (*one.rows, one.total):
        group = {**one.where, **row.group}
        inside = np.array([
            all({"school": s, "grade": g, "city": "Q", "district": "D", "stage": "junior"}[k] == v
                for k, v in group.items())
            for s, g in places
        ])  # fmt: skip
        for column, value in [*enumerate(row.counts), (None, row.total)]:
            marks = np.zeros((len(places), len(TIERS)))
            marks[inside, slice(None) if column is None else column] = 1
            yield marks.ravel(), value, int((marks * counts).sum())


def feasible(marks, known, width):
    """Return the least and greatest value of a sum, given all that was published."""
    left = np.array([m for m, _ in known])
    right = np.array([v for _, v in known])
    ends = []
    for sign in (1, -1):
        found = linprog(sign * marks, A_eq=left, b_eq=right, bounds=[(0, None)] * width)
        assert found.status in (0, 3)  # 3: nothing limits it
        ends.append(np.inf if found.status == 3 else sign * found.fun)
    return ends[0], ends[1]


def given_away(numbers, releases, smallest=10):
    """Return the withheld small sums that all releases together narrow down to small numbers."""
    every = [one for release_ in releases for one in sums_of(numbers, release_)]
    known = [(marks, value) for marks, value, _ in every if value is not None]
    found = []
    for marks, value, true in every:
        if value is None and 0 < true < smallest:
            low, high = feasible(marks, known, len(marks))
            if low > 1e-6 or high < smallest - 1e-6:
                found.append((true, low, high))
    return found


SMALL = {
    "S1": {"none": 160, "watch": 30, "general": 25, "major": 3},
    "S2": {"none": 150, "watch": 40, "general": 22, "undetermined": 12},
    "S3": {"none": 140, "watch": 35, "general": 30, "major": 2},
}


def test_a_small_number_is_withheld_and_zero_is_not():
    lines = {row.group["school"]: row.counts for row in release(SMALL).rows}
    assert lines["S1"][TIERS.index("major")] is None
    assert lines["S3"][TIERS.index("major")] is None
    assert lines["S3"][TIERS.index("undetermined")] == 0
    assert lines["S2"][TIERS.index("undetermined")] == 12


def test_a_number_at_the_smallest_is_shown():
    numbers = {"S1": {"none": 50, "general": 10}, "S2": {"none": 50, "general": 10}}
    one = release(numbers)
    assert all(value is not None for row in one.rows for value in row.counts)
    assert one.rule["withheld"] == 0


def test_no_margin_gives_a_small_number_away():
    assert given_away(SMALL, [release(SMALL)]) == []
    # … and withholding nothing but the small ones would:
    one = release(SMALL)
    careless = SimpleNamespace(
        where={},
        rows=[
            ReleaseRow(
                row.group,
                tuple(SMALL[row.group["school"]].get(t, 0) if
                      not 0 < SMALL[row.group["school"]].get(t, 0) < 10 else None for t in TIERS),
                sum(SMALL[row.group["school"]].values()),
            )
            for row in one.rows
        ],
        total=one.total,
    )  # fmt: skip
    assert given_away(SMALL, [careless])


def test_a_group_that_is_small_as_a_whole_is_withheld_as_a_whole():
    numbers = {**SMALL, "S4": {"none": 4, "general": 2}}
    line = next(row for row in release(numbers).rows if row.group["school"] == "S4")
    assert line.total is None
    assert line.counts[TIERS.index("none")] is None
    assert given_away(numbers, [release(numbers)]) == []


def test_undetermined_and_not_screened_are_columns_of_their_own():
    assert {"undetermined", "not_screened"} <= set(release(SMALL).columns)
    one = release_counts(
        pupils({"S": {"not_screened": 20, "undetermined": 20, "none": 20, "general": 20}}),
        of="case_tier", by=("school",), on=OCTOBER, smallest=10,
    )  # fmt: skip
    shown = dict(zip(one.columns, one.total.counts, strict=True))
    assert (shown["undetermined"], shown["not_screened"], shown["no_decision"]) == (20, 20, 40)
    assert set(map(str, Tier)) <= set(one.columns)


def test_two_groupings_of_the_same_day_give_nothing_away_together():
    numbers = {
        ("S1", 7): {"none": 80, "general": 12}, ("S1", 8): {"none": 75, "general": 3},
        ("S2", 7): {"none": 60, "general": 20}, ("S2", 8): {"none": 70, "general": 11},
    }  # fmt: skip
    first = release(numbers)
    second = release(numbers, by=("school", "grade"), earlier=[first])
    third = release(numbers, by=("grade",), earlier=[first, second])
    assert given_away(numbers, [first, second, third]) == []
    assert given_away(numbers, [release(numbers, by=("school", "grade"))]) == []


def test_a_part_and_the_whole_in_two_releases_do_not_give_the_rest_away():
    numbers = {"S1": {"none": 80, "general": 40}, "S2": {"none": 90, "general": 3}}
    whole = release(numbers, by=("district",))
    part = release(numbers, by=("school",), where={"school": "S1"}, earlier=[whole])
    general = TIERS.index("general")
    assert whole.total.counts[general] == 43
    assert part.total.counts[general] is None  # 43 − 40 would be the three of the other school
    alone = release(numbers, by=("school",), where={"school": "S1"})
    assert alone.total.counts[general] == 40


def test_three_releases_do_not_give_away_what_none_of_them_names():
    numbers = {
        "S1": {"none": 60, "general": 3}, "S2": {"none": 70, "general": 20},
        "S3": {"none": 80, "general": 30},
    }  # fmt: skip
    whole = release(numbers, by=("district",))
    second = release(numbers, where={"school": "S2"}, earlier=[whole])
    third = release(numbers, where={"school": "S3"}, earlier=[whole, second])
    general = TIERS.index("general")
    shown = [one.total.counts[general] for one in (whole, second, third)]
    assert shown[:2] == [53, 20]
    assert shown[2] is None  # 53 − 20 − 30 would be the three of the first school


def test_what_was_withheld_before_is_not_given_away_by_another_table():
    numbers = {
        ("S1", 7): {"none": 60, "general": 3}, ("S1", 8): {"none": 60},
        ("S2", 7): {"none": 70, "general": 20}, ("S2", 8): {"none": 66},
        ("S3", 7): {"none": 80, "general": 30}, ("S3", 8): {"none": 80, "general": 15},
    }  # fmt: skip
    first = release(numbers)
    second = release(numbers, where={"grade": 7}, earlier=[first])
    third = release(numbers, where={"grade": 8}, by=("school",), earlier=[first, second])
    assert given_away(numbers, [first, second, third]) == []


def test_a_part_of_today_and_the_whole_of_last_month_do_not_give_the_rest_away():
    october = {"S1": {"none": 80, "general": 40}, "S2": {"none": 90, "general": 3}}
    november = {"S1": {"none": 60, "general": 40}, "S2": {"none": 90, "general": 3}}
    whole = release(october, by=("district",))
    part = release(november, on=NOVEMBER, where={"school": "S1"}, earlier=[whole])
    assert part.total.counts[TIERS.index("general")] is None


def differences(one, other):
    """Yield what is left when numbers of two releases for the same pupils are subtracted."""
    lines = {tuple(row.group.items()): row for row in (*one.rows, one.total)}
    for row in (*other.rows, other.total):
        before = lines.get(tuple(row.group.items()))
        if before is not None:
            for a, b in zip(before.counts, row.counts, strict=True):
                if a is not None and b is not None:
                    yield abs(a - b)


def test_two_releases_at_two_times_do_not_show_that_a_pupil_has_moved():
    october = {"S1": {"none": 100, "severe": 12}, "S2": {"none": 120, "severe": 15}}
    november = {"S1": {"none": 99, "severe": 13}, "S2": {"none": 120, "severe": 15}}
    first = release(october)
    careless = release(november, on=NOVEMBER)
    assert 1 in differences(first, careless)
    second = release(november, on=NOVEMBER, earlier=[first])
    assert not any(0 < d < 10 for d in differences(first, second))
    assert second.rule["earlier"] == [first.name]


def test_what_was_withheld_stays_withheld_as_it_protects_numbers_of_then():
    first = release(SMALL)
    later = {place: {tier: n + 40 for tier, n in counts.items()} for place, counts in SMALL.items()}
    assert release(later, on=NOVEMBER).rule["withheld"] == 0
    second = release(later, on=NOVEMBER, earlier=[first])
    for before, now in zip(first.rows, second.rows, strict=True):
        hidden = [n for n, value in enumerate(before.counts) if value is None]
        assert all(now.counts[n] is None for n in hidden)


@settings(max_examples=25)
@given(
    st.lists(
        st.lists(st.sampled_from([0, 0, 1, 3, 9, 10, 11, 14, 30, 80]), min_size=7, max_size=7),
        min_size=2, max_size=4,
    ).filter(lambda rows: sum(map(sum, rows)) >= 10)
)  # fmt: skip
def test_whatever_the_numbers_no_margin_gives_a_small_one_away(rows):
    numbers = {f"S{n}": dict(zip(TIERS, row, strict=True)) for n, row in enumerate(rows)}
    numbers = {place: counts for place, counts in numbers.items() if sum(counts.values())}
    assert given_away(numbers, [release(numbers)]) == []


@settings(max_examples=15)
@given(
    st.lists(st.sampled_from([0, 2, 9, 10, 12, 25, 60]), min_size=8, max_size=8),
    st.lists(st.integers(-9, 9), min_size=8, max_size=8),
)
def test_whatever_the_numbers_two_times_give_no_small_difference_away(counts, moves):
    def table(values):
        four = [values[n : n + 2] for n in range(0, 8, 2)]
        return {f"S{n}": {"none": 40 + a, "general": b} for n, (a, b) in enumerate(four)}

    later = [max(0, a + b) for a, b in zip(counts, moves, strict=True)]
    first = release(table(counts))
    second = release(table(later), on=NOVEMBER, earlier=[first])
    if first.rows != second.rows:
        assert not any(0 < d < 10 for d in differences(first, second))
    assert given_away(table(later), [second]) == []


def test_numbers_that_sums_leave_no_room_for_are_refused():
    sums = [Sum(frozenset({0}), frozenset({0}), 1.0, whole=False)]
    known = [Known(frozenset({0, 1}), frozenset({0}), 3)]
    with pytest.raises(UsageError, match="already narrow"):
        suppress([[3], [0]], sums, [known], 10)


def test_a_school_that_is_no_more_withholds_nothing_of_others():
    def year(factor, **more):
        schools = {f"S{n}": {"none": 60 * factor, "general": (20 + n) * factor} for n in range(3)}
        return schools | more

    first = release(year(1, S9={"none": 60, "general": 64}))
    second = release(year(3), on=NOVEMBER, earlier=[first])
    assert second.rule["withheld"] == 0  # 64 − 63 is no difference between the same pupils


def test_earlier_releases_with_other_columns_are_refused():
    first = release(SMALL)
    other = dataclasses.replace(first, columns=first.columns[::-1])
    with pytest.raises(UsageError, match="other columns"):
        release(SMALL, earlier=[other])


# -- what is written ------------------------------------------------------------------------------


def test_shares_are_capped_at_both_ends():
    row = ReleaseRow({}, (2, 48, 50, 950, None), 1000)
    assert row.shares == ("<5", "<5", "5", "95", None)
    assert ReleaseRow({}, (951, 49), 1000).shares == (">95", "<5")


def test_the_rule_stands_in_the_file_in_two_languages():
    written = release(SMALL).document()
    assert written["rule"]["smallest_count"] == 10
    assert "10" in written["rule"]["en"]
    assert "10" in written["rule"]["zh"]
    withheld = sum(
        value is None
        for row in [*written["rows"], written["total"]]
        for value in [*row["counts"], row["total"]]
    )
    assert written["rule"]["withheld"] == withheld > 0


def test_a_release_is_read_as_it_was_written():
    one = release(SMALL)
    assert read_release(json.loads(json.dumps(one.document()))) == one


@pytest.mark.parametrize("other", [{}, {"schema": "x"}, {"schema": "mhscreen/release/1"}, []])
def test_what_is_no_release_is_refused(other):
    with pytest.raises(UsageError, match="no release"):
        read_release(other)


def test_a_sheet_has_a_line_for_each_group_and_one_for_all():
    sheet = release(SMALL).table()
    assert sheet["school"] == ["S1", "S2", "S3", None]
    assert {len(column) for column in sheet.values()} == {4}
    assert sheet["major"][0] is None
    assert sheet["major_percent"][0] is None


def test_classes_are_too_small_to_be_counted_outside_the_school():
    assert "class" not in GROUPS
    for by in (("class",), ()):
        with pytest.raises(UsageError, match="grouped by"):
            release(SMALL, by=by)
    with pytest.raises(UsageError, match="nobody"):
        release({})


def test_the_order_of_pupils_changes_nothing():
    every = pupils(SMALL)
    one, other = (
        release_counts(c, of="screen_tier", by=("school",), on=OCTOBER, smallest=10)
        for c in (every, every[::-1])
    )
    assert one == other


def test_pairs_of_numbers_below_the_smallest_do_not_appear():
    numbers = {f"S{n}": {"none": 50, "general": n} for n in range(1, 9)}
    shown = [v for row in release(numbers).rows for v in row.counts if v is not None]
    assert not any(0 < v < 10 for v in shown)
    assert all(a >= 10 or a == 0 for a in itertools.chain(shown))

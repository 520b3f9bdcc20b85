"""What the response-quality indices of an instrument must say beyond their grammar."""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING

from mhscreen.definitions.checks.finding import Finding, Path, number
from mhscreen.definitions.keys import own_items

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mhscreen.definitions.instrument import Instrument, QualityIndex

__all__ = ["check_quality"]

_ABOVE, _BELOW = "at_or_above", "at_or_below"
_SIDES = {"longest_run": (_ABOVE,), "variability": (_ABOVE, _BELOW)}
_FEWEST_SCALES = 3
_FEWEST_ITEMS = 6


def check_quality(instrument: Instrument) -> Iterator[Finding]:
    """Yield everything that is wrong with the response-quality indices of an instrument."""
    taken = {
        **{scale.id: "a scale" for scale in instrument.scales},
        **{index.id: "a validity index" for index in instrument.validity_indices},
        "form_validity": "the validity of the form",
    }
    for n, index in enumerate(instrument.quality):
        path: Path = ("quality", n)
        if index.id in taken:
            what = f"'{index.id}' is already the name of {taken[index.id]}"
            yield Finding((*path, "id"), "MH202", what, hint="each gives a column of that name")
        yield from _side(instrument, index, path)
        yield from _expected(instrument, index, path)
        joint = instrument.quality[0].calibration.false_alarm
        if index.calibration.false_alarm != joint:
            yield Finding(
                (*path, "calibration", "false_alarm"),
                "MH107",
                f"{number(index.calibration.false_alarm)} is not the rate of the first index",
                number(joint),
                "it is that of all indices together: calibrate them together",
            )


def _side(instrument: Instrument, index: QualityIndex, path: Path) -> Iterator[Finding]:
    """Check that the index points to its doubtful side, at a value that some forms reach."""
    sides = _SIDES.get(index.index, (_BELOW,))
    given = [side for side in (_ABOVE, _BELOW) if getattr(index, side) is not None]
    if not given:
        names = "' or '".join(sides)
        yield Finding(path, "MH104", f"key '{names}' is missing")
        return
    wrong = [side for side in given if side not in sides] or given[1:]
    if wrong:
        what = f"key '{wrong[0]}' does not go with index '{index.index}'"
        if wrong[0] in sides:
            what = f"keys '{_ABOVE}' and '{_BELOW}' do not go together"
        yield Finding((*path, wrong[0]), "MH107", what, " or ".join(sides))
    elif index.index == "even_odd" and _scales_with_halves(instrument) < _FEWEST_SCALES:
        yield Finding(
            (*path, "index"),
            "MH207",
            "no form has an 'even_odd'",
            f"{_FEWEST_SCALES} content scales of two items or more, critical items not counted",
        )
    else:
        yield from _reachable(instrument, index, (*path, given[0]))


def _expected(instrument: Instrument, index: QualityIndex, path: Path) -> Iterator[Finding]:
    """Check the expected answers of `person_fit`, and that no other index has any."""
    if index.index != "person_fit":
        if index.expected:
            what = f"key 'expected' does not go with index '{index.index}'"
            yield Finding((*path, "expected"), "MH107", what, "person_fit")
        return
    if not index.expected:
        yield Finding(path, "MH104", "key 'expected' is missing")
        return
    items = {item.id for item in instrument.items}
    critical = {one.item for one in instrument.critical_items}
    for key in index.expected:
        if key not in items:
            yield Finding((*path, "expected", key), "MH201", f"there is no item '{key}'")
        elif key in critical:
            what = f"'{key}' is a critical item, which no index looks at"
            yield Finding((*path, "expected", key), "MH107", what)
    if len(index.expected) < _FEWEST_ITEMS or len(set(index.expected.values())) == 1:
        yield Finding(
            (*path, "expected"),
            "MH207",
            "no form has a 'person_fit'",
            f"{_FEWEST_ITEMS} items or more, not all with the same expected answer",
        )


def _reachable(instrument: Instrument, index: QualityIndex, path: Path) -> Iterator[Finding]:
    low, high = _limits(instrument, index.index)
    upwards = index.at_or_above is not None
    if (low < index.cut <= high) if upwards else (low <= index.cut < high):
        return
    every = index.cut <= low if upwards else index.cut >= high
    ends = [f"above {number(low)}"] if upwards else [f"at least {number(low)}"]
    if high < inf:
        ends.append(f"{'at most' if upwards else 'below'} {number(high)}")
    side = "above" if upwards else "below"
    what = f"{'every' if every else 'no'} '{index.index}' is at or {side} {number(index.cut)}"
    yield Finding(path, "MH207", what, ", ".join(ends))


def _limits(instrument: Instrument, index: str) -> tuple[float, float]:
    """Return the smallest and the largest value that an index can have."""
    if index == "longest_run":
        critical = {one.item for one in instrument.critical_items}
        return 1, sum(item.id not in critical for item in instrument.items)
    limits: dict[str, tuple[float, float]] = {
        "variability": (0, 0.5),
        "even_odd": (-1, 1),
        "person_fit": (-1, 1),
        "share_answered": (0, 1),
    }
    return limits.get(index, (0, inf))


def _scales_with_halves(instrument: Instrument) -> int:
    """Return how many scales have two halves, on the form that has most of them."""
    critical = {one.item for one in instrument.critical_items}
    return max(
        sum(
            scale.purpose == "content" and len(set(own_items(scale)) - critical) > 1
            for scale in instrument.scales_for(informant)
        )
        for informant in instrument.informants
    )

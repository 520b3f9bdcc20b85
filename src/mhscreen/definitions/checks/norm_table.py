"""What a norm table must say beyond its grammar, by itself and against its instrument."""

from __future__ import annotations

from itertools import combinations, pairwise
from typing import TYPE_CHECKING

from mhscreen.definitions.checks.finding import (
    Finding,
    Path,
    check_known,
    check_source,
    check_unique,
    number,
)
from mhscreen.definitions.checksums import scale_key_checksum
from mhscreen.definitions.norm_table import FIGURES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mhscreen.definitions.instrument import Instrument
    from mhscreen.definitions.norm_table import (
        Band,
        Lms,
        NormTable,
        RawTable,
        Regression,
        ScaleNorm,
        Stratum,
    )

__all__ = ["check_norm_against", "check_norm_table"]

_ALL_PERCENT = 100


def check_norm_table(norm: NormTable) -> Iterator[Finding]:
    """Yield everything that is wrong with a norm table by itself."""
    yield from check_unique(
        (r.id for r in norm.references), "reference", lambda n: ("references", n, "id")
    )
    yield from check_unique(
        (s.scale for s in norm.scales), "scale", lambda n: ("scales", n, "scale")
    )
    for n, scale in enumerate(norm.scales):
        path: Path = ("scales", n)
        yield from check_source(scale.source, norm.references, path)
        for m, stratum in enumerate(scale.strata):
            here: Path = (*path, "strata", m)
            if stratum.reliability is not None:
                source = stratum.reliability.source
                yield from check_source(source, norm.references, (*here, "reliability"))
            yield from _stratum(scale, stratum, here)
        for (m, one), (k, other) in combinations(enumerate(scale.strata), 2):
            if _overlap(one, other):
                what = f"stratum {k} and stratum {m} hold the same pupil"
                hint = "'from' belongs to a band, 'below' does not"
                yield Finding((*path, "strata", k), "MH211", what, hint=hint)


def check_norm_against(norm: NormTable, instrument: Instrument) -> Iterator[Finding]:
    """Yield everything in which a norm table does not fit an instrument."""
    if norm.informant not in instrument.informants:
        what = f"{instrument.ref} has no form for informant '{norm.informant}'"
        yield Finding(("informant",), "MH306", what, f"among: {', '.join(instrument.informants)}")
    scales = {scale.id: scale for scale in instrument.scales}
    for n, scale in enumerate(norm.scales):
        path: Path = ("scales", n)
        known = [*check_known(scale.scale, scales, "scale", (*path, "scale"))]
        yield from known
        if known:
            continue
        checksum = scale_key_checksum(instrument, scale.scale)
        if scale.key_checksum != checksum:
            yield Finding(
                (*path, "key_checksum"),
                "MH212",
                f"not the scoring key of '{scale.scale}' in {instrument.ref}",
                checksum,
                "compare the keys before you write the new checksum",
            )
        stated = scales[scale.scale].range
        if scale.raw_range != stated:
            what = f"the raw range of '{scale.scale}' is not that of {instrument.ref}"
            expected = f"[{number(stated[0])}, {number(stated[1])}]"
            yield Finding((*path, "raw_range"), "MH203", what, expected)


def _stratum(scale: ScaleNorm, stratum: Stratum, path: Path) -> Iterator[Finding]:
    for name in ("age", "grade"):
        band = getattr(stratum, name)
        if band is not None and band.from_ >= band.below:
            what = f"the {name} band holds nobody"
            yield Finding((*path, name), "MH107", what, "'from' smaller than 'below'")
    kinds = [kind for kind in FIGURES if getattr(stratum, kind) is not None]
    if not kinds:
        words = " or ".join([", ".join(f"'{kind}'" for kind in FIGURES[:-1]), f"'{FIGURES[-1]}'"])
        yield Finding(path, "MH104", f"key {words} is missing")
    elif len(kinds) > 1:
        words = " and ".join(f"'{kind}'" for kind in kinds)
        what = f"keys {words} do not go together"
        yield Finding((*path, kinds[0]), "MH107", what, "one of them")
    else:
        yield from _figures(scale, stratum, path)
        if stratum.reliability is not None:
            yield from _reliability(scale, stratum, path)


def _figures(scale: ScaleNorm, stratum: Stratum, path: Path) -> Iterator[Finding]:
    if stratum.table is not None:
        yield from _table(scale, stratum.table, (*path, "table"))
    if stratum.mean_sd is not None:
        yield from _mean(scale, stratum.mean_sd.mean, (*path, "mean_sd", "mean"))
        yield from _linear(scale, "a mean and SD give", (*path, "mean_sd"))
    if stratum.lms is not None:
        yield from _lms(scale, stratum.lms, (*path, "lms"))
    if stratum.regression is not None:
        yield from _regression(scale, stratum, stratum.regression, path)
        yield from _linear(scale, "a regression gives", (*path, "regression"))
    if stratum.table is None and scale.direction == "falling":
        what = "only a table falls while the raw score rises"
        yield Finding((*path[:2], "direction"), "MH107", what, "rising")
    if scale.stanine_kind == "half_z" and "z" not in scale.metrics_of(stratum):
        what = "no stanine follows from z: the stratum gives no z"
        yield Finding(path, "MH107", what, "a column 'z', or stanine_kind: table")


def _linear(scale: ScaleNorm, what: str, path: Path) -> Iterator[Finding]:
    if scale.t_kind == "normalised":
        yield Finding(path, "MH107", f"{what} no normalised T", "a table, or t_kind: linear")


def _mean(scale: ScaleNorm, mean: float, path: Path) -> Iterator[Finding]:
    low, high = scale.raw_range
    if not low <= mean <= high:
        what = "the mean lies outside the raw range"
        yield Finding(path, "MH107", what, f"{number(low)} to {number(high)}")


def _lms(scale: ScaleNorm, lms: Lms, path: Path) -> Iterator[Finding]:
    low, high = scale.raw_range
    if not low <= lms.median - lms.add <= high:
        what = "the median lies outside the raw range"
        expected = f"{number(low + lms.add)} to {number(high + lms.add)}"
        yield Finding((*path, "m"), "MH107", what, expected)
    if low + lms.add < 0 or (low + lms.add == 0 and lms.power <= 0):
        what = "the lowest raw score has no z: a power of 0 or less needs scores above 0"
        yield Finding(path, "MH107", what, "'add', as the fit was made")
    if scale.t_kind != "normalised":
        what = "a Box–Cox fit gives a normalised T"
        yield Finding(path, "MH107", what, "t_kind: normalised")
    if scale.percentile_definition != "fitted":
        what = "the percentile of a Box–Cox fit is that of the fitted distribution"
        yield Finding(path, "MH107", what, "percentile_definition: fitted")


def _regression(
    scale: ScaleNorm, stratum: Stratum, line: Regression, path: Path
) -> Iterator[Finding]:
    here: Path = (*path, "regression")
    for name, used in (("age", line.age or line.age_squared), ("grade", line.grade)):
        if used and getattr(stratum, name) is None:
            hint = "a line says nothing beyond the pupils it was fitted to"
            yield Finding(path, "MH104", f"key '{name}' is missing", hint=hint)
            return
    if line.female and stratum.sex != "any":
        what = f"the stratum is for sex '{stratum.sex}' alone"
        yield Finding((*here, "female"), "MH107", what, "sex: any")
    predicted = {
        line.intercept
        + line.age * (age - line.age_centre)
        + line.age_squared * (age - line.age_centre) ** 2
        + line.grade * grade
        + line.female * girl
        for age in _turns(line, stratum.age)
        for grade in _ends(stratum.grade if line.grade else None)
        for girl in (0, 1)
    }
    low, high = scale.raw_range
    out = sorted(value for value in predicted if not low <= value <= high)
    if out:
        what = f"a predicted score of {number(round(out[0], 6))} lies outside the raw range"
        yield Finding(here, "MH107", what, f"{number(low)} to {number(high)}")


def _ends(band: Band | None) -> tuple[float, ...]:
    return (0,) if band is None else (band.from_, band.below)


def _turns(line: Regression, band: Band | None) -> tuple[float, ...]:
    """Return the ends of an age band, and where the curve turns inside it."""
    if band is None or not (line.age or line.age_squared):
        return (line.age_centre,)
    turn = line.age_centre - line.age / (2 * line.age_squared) if line.age_squared else band.from_
    return (*_ends(band), min(max(turn, band.from_), band.below))


def _reliability(scale: ScaleNorm, stratum: Stratum, path: Path) -> Iterator[Finding]:
    here: Path = (*path, "reliability")
    if "t" not in scale.metrics_of(stratum):
        what = "the interval is one of T, which the stratum does not give"
        yield Finding(here, "MH107", what)
        return
    own_sd = stratum.reliability is not None and stratum.reliability.sd is not None
    if own_sd and stratum.mean_sd is None and stratum.regression is None:
        what = "an SD of raw scores turns into T units by the SD of the stratum"
        yield Finding((*here, "sd"), "MH107", what, "'mean_sd' or 'regression'")


def _table(scale: ScaleNorm, table: RawTable, path: Path) -> Iterator[Finding]:
    low, high = scale.raw_range
    last = table.start + table.length - 1
    if table.raw is None and table.first is None:
        yield Finding(path, "MH104", "key 'raw' or 'first' is missing")
    elif table.raw is not None and table.first is not None:
        what = "keys 'raw' and 'first' do not go together"
        yield Finding((*path, "first"), "MH107", what, "one of the two")
    elif table.raw is not None and any(b != a + 1 for a, b in pairwise(table.raw)):
        what = "raw scores do not follow one another"
        yield Finding((*path, "raw"), "MH107", what, "whole numbers, each one more than the last")
    elif table.start < low or last > high:
        what = "raw scores lie outside the raw range"
        here: Path = (*path, "first" if table.raw is None else "raw")
        yield Finding(here, "MH107", what, f"{number(low)} to {number(high)}")
    if not (table.t or table.z or table.percentile or table.stanine):
        yield Finding(path, "MH104", "key 't', 'z', 'percentile' or 'stanine' is missing")
    yield from _columns(scale, table, path)
    yield from _caps(scale, table, last, path)
    if table.t and scale.t_kind is None:
        yield Finding(path[:2], "MH104", "key 't_kind' is missing", "one of: linear, normalised")
    if table.percentile and scale.percentile_definition is None:
        expected = "one of: below, at_or_below, mid_rank, fitted"
        yield Finding(path[:2], "MH104", "key 'percentile_definition' is missing", expected)
    if table.stanine and scale.stanine_kind is None:
        yield Finding(path[:2], "MH104", "key 'stanine_kind' is missing", "stanine_kind: table")
    elif table.stanine and scale.stanine_kind != "table":
        what = "the table lists the stanines itself"
        yield Finding((*path, "stanine"), "MH107", what, "stanine_kind: table")


def _caps(scale: ScaleNorm, table: RawTable, last: int, path: Path) -> Iterator[Finding]:
    low, high = scale.raw_range
    for name, room in (("t_below", table.start > low), ("t_above", last < high)):
        cap = getattr(table, name)
        if cap is None:
            continue
        here: Path = (*path, name)
        under = (name == "t_below") == (scale.direction == "rising")
        end = (table.t[0] if name == "t_below" else table.t[-1]) if table.t else None
        if end is None:
            yield Finding(here, "MH107", "a cap of T, and the table has no 't'")
        elif not room:
            what = "the table goes to the end of the raw range: nothing is left to cap"
            yield Finding(here, "MH107", what)
        elif cap > end if under else cap < end:
            what = f"the cap {number(cap)} lies on the near side of the last T"
            expected = f"at {'most' if under else 'least'} {number(end)}"
            yield Finding(here, "MH210", what, expected)


def _columns(scale: ScaleNorm, table: RawTable, path: Path) -> Iterator[Finding]:
    length = table.length
    sign = 1 if scale.direction == "rising" else -1
    for name in ("t", "z", "percentile", "stanine"):
        column: tuple[float, ...] = getattr(table, name)
        if not column:
            continue
        here: Path = (*path, name)
        if len(column) != length:
            what = f"'{name}' has {len(column)} entries"
            yield Finding(here, "MH107", what, f"{length}, one for each raw score")
            continue
        wrong = next(
            (n for n, (a, b) in enumerate(pairwise(column), 1) if sign * (b - a) < 0), None
        )
        if wrong is not None:
            word, least = ("falls", "at least") if sign > 0 else ("rises", "at most")
            what = f"'{name}' {word} at raw score {table.start + wrong}"
            yield Finding((*here, wrong), "MH210", what, f"{least} {number(column[wrong - 1])}")
    for n, value in enumerate(table.percentile):
        if not 0 <= value <= _ALL_PERCENT:
            what = f"{number(value)} is no percentile"
            yield Finding((*path, "percentile", n), "MH107", what, "0 to 100")


def _overlap(one: Stratum, other: Stratum) -> bool:
    same_sex = one.sex == other.sex or "any" in {one.sex, other.sex}
    return same_sex and _meet(one.age, other.age) and _meet(one.grade, other.grade)


def _meet(one: Band | None, other: Band | None) -> bool:
    if one is None or other is None:
        return True
    return one.from_ < other.below and other.from_ < one.below

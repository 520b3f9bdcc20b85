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

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mhscreen.definitions.instrument import Instrument
    from mhscreen.definitions.norm_table import Band, NormTable, RawTable, ScaleNorm, Stratum

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
    if stratum.mean_sd is not None and stratum.table is not None:
        what = "keys 'mean_sd' and 'table' do not go together"
        yield Finding((*path, "mean_sd"), "MH107", what, "one of the two")
    elif stratum.table is not None:
        yield from _table(scale, stratum.table, (*path, "table"))
    elif stratum.mean_sd is None:
        yield Finding(path, "MH104", "key 'mean_sd' or 'table' is missing")
    else:
        low, high = scale.raw_range
        if not low <= stratum.mean_sd.mean <= high:
            what = "the mean lies outside the raw range"
            expected = f"{number(low)} to {number(high)}"
            yield Finding((*path, "mean_sd", "mean"), "MH107", what, expected)
        if scale.t_kind == "normalised":
            what = "a mean and SD give no normalised T"
            yield Finding((*path, "mean_sd"), "MH107", what, "a table, or t_kind: linear")


def _table(scale: ScaleNorm, table: RawTable, path: Path) -> Iterator[Finding]:
    low, high = scale.raw_range
    if any(b != a + 1 for a, b in pairwise(table.raw)):
        what = "raw scores do not follow one another"
        yield Finding((*path, "raw"), "MH107", what, "whole numbers, each one more than the last")
    elif table.raw[0] < low or table.raw[-1] > high:
        what = "raw scores lie outside the raw range"
        yield Finding((*path, "raw"), "MH107", what, f"{number(low)} to {number(high)}")
    if not (table.t or table.z or table.percentile):
        yield Finding(path, "MH104", "key 't', 'z' or 'percentile' is missing")
    yield from _columns(table, path)
    if table.t and scale.t_kind is None:
        yield Finding(path[:2], "MH104", "key 't_kind' is missing", "one of: linear, normalised")
    if table.percentile and scale.percentile_definition is None:
        expected = "one of: below, at_or_below, mid_rank"
        yield Finding(path[:2], "MH104", "key 'percentile_definition' is missing", expected)


def _columns(table: RawTable, path: Path) -> Iterator[Finding]:
    for name in ("t", "z", "percentile"):
        column: tuple[float, ...] = getattr(table, name)
        if not column:
            continue
        here: Path = (*path, name)
        if len(column) != len(table.raw):
            what = f"'{name}' has {len(column)} entries"
            yield Finding(here, "MH107", what, f"{len(table.raw)}, one for each raw score")
            continue
        fall = next((n for n, (a, b) in enumerate(pairwise(column), 1) if b < a), None)
        if fall is not None:
            what = f"'{name}' falls at raw score {table.raw[fall]}"
            yield Finding((*here, fall), "MH210", what, f"at least {number(column[fall - 1])}")
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

"""A norm table and its worked cases as the text of their files, which the loader reads back."""

from __future__ import annotations

import datetime as dt
import json
import re
from math import log
from typing import TYPE_CHECKING, Any

from mhscreen.loading.read import read_definition
from mhscreen.problems import DefinitionError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mhscreen.definitions import NormTable
    from mhscreen.definitions.norm_table import Stratum

__all__ = ["norm_cases_yaml", "norm_yaml"]

_PLAIN = re.compile(r"^[a-z][a-z0-9_]*$")
_BLOCKS = {"notes", "references", "scales", "strata"}
_INDENT = "  "


def norm_yaml(table: NormTable) -> str:
    """Return the text of ``norms/<instrument>/<id>.<version>.yaml``.

    Raises
    ------
    DefinitionError
        With every problem, if the loader would refuse the text.

    Examples
    --------
    >>> from mhscreen.loading import shipped_library
    >>> table = shipped_library().norm("sdq/shanghai-teacher@1").definition
    >>> norm_yaml(table).splitlines()[:2]
    ['schema: "mhscreen/norm/1"', 'id: "shanghai-teacher"']
    """
    content = table.model_dump(by_alias=True, exclude_defaults=True)
    text = "\n".join([*_mapping(content, ""), ""])
    _, problems = read_definition(text, f"{table.id}.{table.version}.yaml")
    if problems:
        raise DefinitionError(problems)
    return text


def norm_cases_yaml(table: NormTable) -> str:
    """Return worked cases of a norm table: each stratum at its lowest, middle and highest score.

    They are taken from the figures of the file and pin them: that the figures are right they do
    not show.

    Examples
    --------
    >>> from mhscreen.loading import shipped_library
    >>> table = shipped_library().norm("phq9/depression-metric@1").definition
    >>> print(norm_cases_yaml(table).splitlines()[3])
      - {name: "any, age 18-<100, raw score 0", pupil: {age: 18}, raw: {total: 0},
         expect: {total: {t: 22.9, stratum: 0}}}
    """
    lines = ["schema: mhscreen/cases/1", f"for: {table.ref}", "cases:"]
    for scale in table.scales:
        for place, stratum in enumerate(scale.strata):
            bands = {name: getattr(stratum, name) for name in ("age", "grade")}
            pupil = {name: band.from_ for name, band in bands.items() if band is not None}
            words = [
                f"{name} {band.from_:g}-<{band.below:g}" for name, band in bands.items() if band
            ]
            who = ", ".join([str(stratum.sex), *words])
            if stratum.sex != "any":
                pupil = {"sex": str(stratum.sex), **pupil}
            for raw, derived in _figures(stratum, scale.raw_range):
                case = {
                    "name": f"{who}, raw score {raw}",
                    "pupil": pupil,
                    "raw": {scale.scale: raw},
                    "expect": {scale.scale: {**derived, "stratum": place}},
                }
                lines.append(f"{_INDENT}- {_flow(case)}")
        nothing = {"name": f"no raw score of {scale.scale}, no derived score", "pupil": {}}
        nothing |= {"raw": {scale.scale: None}, "expect": {scale.scale: {"reason": "no_score"}}}
        lines.append(f"{_INDENT}- {_flow(nothing)}")
    return "\n".join([*lines, ""])


def _figures(
    stratum: Stratum, raw_range: tuple[float, float]
) -> Iterator[tuple[int, dict[str, float]]]:
    """Yield some raw scores of a stratum and what they give."""
    if stratum.table is not None:
        table = stratum.table
        for place in sorted({0, table.length // 2, table.length - 1}):
            columns = {name: getattr(table, name) for name in ("t", "percentile")}
            yield (
                table.start + place,
                {name: column[place] for name, column in columns.items() if column},
            )
    elif stratum.lms is not None:
        lms = stratum.lms
        low, high = (int(end) for end in raw_range)
        for raw in (low, (low + high) // 2, high):
            ratio = (raw + lms.add) / lms.median
            bent = log(ratio) if lms.power == 0 else (ratio**lms.power - 1) / lms.power
            yield raw, {"z": round(bent / lms.variation, 2)}


def _mapping(content: dict[str, Any], indent: str) -> Iterator[str]:
    for key, value in content.items():
        if key in _BLOCKS and value:
            yield f"{indent}{_key(key)}:"
            yield from _list(value, indent + _INDENT)
        else:
            yield f"{indent}{_key(key)}: {_flow(value)}"


def _list(values: Any, indent: str) -> Iterator[str]:
    for value in values:
        nested = isinstance(value, dict) and _BLOCKS & value.keys()
        if not nested:
            yield f"{indent}- {_flow(value)}"
            continue
        lines = list(_mapping(value, indent + _INDENT))
        yield f"{indent}- {lines[0].lstrip()}"
        yield from lines[1:]


def _flow(value: Any) -> str:
    """Return a value on one line."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_key(key)}: {_flow(one)}" for key, one in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(_flow, value)) + "]"
    if isinstance(value, dt.date):
        return value.isoformat()
    if isinstance(value, str):
        return json.dumps(str(value), ensure_ascii=False)
    if isinstance(value, float):
        return _number(value)
    return json.dumps(value)


def _number(value: float) -> str:
    """Return a number without an exponent, whole ones without a point."""
    return str(int(value)) if value.is_integer() else f"{value:.12f}".rstrip("0")


def _key(key: str) -> str:
    return f'"{key}"' if key == "n" or not _PLAIN.match(key) else key

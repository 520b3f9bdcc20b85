"""The definition of a norm table, from fitted scales."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from mhscreen.definitions import NormTable
from mhscreen.definitions.checksums import scale_key_checksum

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from mhscreen.definitions import Instrument
    from mhscreen.problems import Problem
    from mhscreen.psychometrics.norms.choose import ModelChoice
    from mhscreen.psychometrics.norms.families import ScoreRange
    from mhscreen.psychometrics.norms.sample import NormAbout
    from mhscreen.vocabulary import Informant

    Floats = NDArray[np.float64]

__all__ = ["FittedScale", "FittedStratum", "norm_table", "t_scores"]

_FLAT, _PEAK = 20.0, 80.0
_DESCRIPTIVE = (
    "Descriptive: it moves no cut and no tier. A policy that is to read it says so in a new, "
    "signed version, with its diff; critical items are not touched by it."
)


class FittedStratum(NamedTuple):
    """One line of the table, with what it rests on."""

    sex: str
    first: float
    below: float
    n: int
    effective: float
    percentile: Floats
    low: Floats
    high: Floats
    figures: dict[str, Any]


class FittedScale(NamedTuple):
    """One scale of the table."""

    scale: str
    of: ScoreRange
    label: str
    strata: tuple[FittedStratum, ...]
    choice: ModelChoice | None


def t_scores(percentile: Floats) -> Floats:
    """Return normalised T scores, to one decimal, from 20 to 80."""
    from scipy.special import ndtri

    z: Floats = np.asarray(ndtri(percentile / 100), dtype=np.float64)
    t: Floats = np.clip(50 + 10 * z, _FLAT, _PEAK)
    return t.round(1)


def norm_table(
    instrument: Instrument,
    informant: Informant,
    about: NormAbout,
    built: Sequence[FittedScale],
    number: int,
    problems: Sequence[Problem],
    when: str,
) -> NormTable:
    """Return the definition; `when` is ``grade``, ``age`` or nothing."""
    notes = [
        _DESCRIPTIVE,
        *(f"{one.scale}: {_how(one)}" for one in built),
        *(problem.what[:1].upper() + problem.what[1:] + "." for problem in problems),
    ]
    pairs = {
        name: dict(zip(("en", "zh"), getattr(about, name), strict=True))
        for name in ("title", "reference_group", "mode", "sampling")
    }
    content = {
        "schema": "mhscreen/norm/1",
        "id": about.id,
        "version": about.version,
        "title": pairs["title"],
        "instrument": instrument.ref,
        "informant": str(informant),
        "reference_group": pairs["reference_group"],
        "country": about.country,
        "years": about.years,
        "n": number,
        "mode": pairs["mode"],
        "sampling": pairs["sampling"],
        "use": "display",
        "review_by": about.review_by,
        "rights": "Figures of our own sample.",
        "references": [
            {
                "id": "own_sample",
                "citation": f"Own sample, {about.years}, n = {number}",
                "supports": ["percentiles and T scores"],
            }
        ],
        "notes": notes,
        "scales": [_scale_content(instrument, one, when) for one in built],
    }
    return NormTable.model_validate(content)


def _scale_content(instrument: Instrument, built: FittedScale, when: str) -> dict[str, Any]:
    fitted = "lms" in built.strata[0].figures
    low, high = instrument.scale(built.scale).range
    strata = []
    for one in built.strata:
        band = {when: {"from": one.first, "below": one.below}} if when else {}
        strata.append({"sex": one.sex, **band, "n": one.n, **one.figures})
    return {
        "scale": built.scale,
        "key_checksum": scale_key_checksum(instrument, built.scale),
        "raw_range": (float(low), float(high)),
        "t_kind": "normalised",
        "percentile_definition": "fitted" if fitted else "mid_rank",
        "strata": strata,
        "source": "own_sample",
        "evidence": "one_source",
    }


def _how(built: FittedScale) -> str:
    sizes = [stratum.effective for stratum in built.strata]
    words = f"model {built.label}; effective sizes {min(sizes):.0f} to {max(sizes):.0f}"
    if built.choice is not None:
        words += f"; chosen among {len(built.choice.candidates)} by cross-validation"
        words += f" ({built.choice.folds} folds)"
    return words + "."

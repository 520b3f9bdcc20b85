"""What is screened: PHQ-9, GAD-7, SDQ (25 items) and MHT (100), 141 items in 18 scales.

The instruments and the policy are the shipped ones, in a programme that asks every pupil for all
four. The norm tables are made up: no published one covers all scales by sex and age.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

import mhscreen as mh
from mhscreen.definitions import NormTable
from mhscreen.definitions.checksums import scale_key_checksum
from mhscreen.vocabulary import Informant, Stage

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mhscreen.definitions import Instrument
    from mhscreen.plan.plan import Plan
    from mhscreen.plan.scoring import FormPlan, ScalePlan

__all__ = [
    "AGES",
    "AT",
    "ITEMS",
    "SLOTS",
    "BatteryScale",
    "battery_plan",
    "battery_scales",
    "norm_columns",
    "norm_table",
]

SLOTS = {"phq9": 9, "gad7": 7, "sdq@self": 25, "mht": 100}
"""The slots, and how many items stand on the sheet: no supplement, no question on difficulty."""

ITEMS = sum(SLOTS.values())

AT = "2026-10-15"

AGES = range(13, 18)
"""The ages of the pupils; each year is a stratum of the norm tables, for each sex."""

_OWN = {"internalising", "externalising", "impact"}  # ours alone: no peer makes them


@dataclass(frozen=True)
class BatteryScale:
    """One of the 18 scales, as a peer needs to know it.

    Attributes
    ----------
    name : str
        ``slot.scale``.
    items : ndarray of int64
        Rows of the answers, by 141.
    reverse : ndarray of bool, shape (items,)
        Which of them count backwards from `most`.
    least : int
        How many must be answered; the score is then the mean times the number of items.
    rounded : bool
        Whether the score is rounded, halves upwards.
    parts : tuple of str
        Of a sum of scales: their names. It is given where all of them are.
    cuts, upwards
        As in `mhscreen.plan.scoring.ScalePlan`; no cuts where there are no bands.
    """

    name: str
    items: NDArray[np.int64]
    reverse: NDArray[np.bool_]
    most: int
    least: int
    rounded: bool
    parts: tuple[str, ...]
    cuts: tuple[float, ...]
    upwards: bool

    @property
    def column(self) -> str:
        """The name with nothing in it that a query language would object to."""
        return self.name.replace("@self", "").replace(".", "_")


class Own(NamedTuple):
    """A definition that stands in no file."""

    definition: Any
    checksum: str = "sha256:" + "0" * 64


class Source:
    """The shipped library, with a programme of its own and norm tables that are made up."""

    def __init__(self) -> None:
        shipped = mh.shipped_library()
        self.instrument, self.policy = shipped.instrument, shipped.policy
        keys = [slot.partition("@")[0] for slot in SLOTS]
        tables = [norm_table(shipped.instrument(f"{key}@1.0.0").definition) for key in keys]
        self._tables = {table.ref: table for table in tables}
        model = shipped.programme("qingdao-2023@1.0.0").definition
        group, use = type(model.groups[0]), type(model.groups[0].slots[0])
        slots = tuple(use(slot=slot, use="required") for slot in SLOTS)
        self._programme = model.model_copy(
            update={
                "id": "speed-battery",
                "groups": (group(id="all", stages=tuple(Stage), grades=None, slots=slots),),
                "norms": tuple(self._tables),
                "accepts_unverified": (),
            }
        )

    def norm(self, ref: str) -> Own:
        """Return a norm table."""
        return Own(self._tables[ref])

    def programme(self, ref: str) -> Own:
        """Return the programme."""
        del ref
        return Own(self._programme)


@cache
def battery_plan() -> Plan:
    """Return the programme, compiled, with a norm table for every scale by sex and year of age."""
    return mh.compile_plan(Source(), programme="speed-battery")


def norm_table(instrument: Instrument) -> NormTable:
    """Make up a norm table: T by raw score for each sex and year of age, drawn from a seed."""
    rng = np.random.default_rng(len(instrument.items))
    scales = []
    for scale in instrument.scales_for(Informant.SELF):
        if scale.id in _OWN:
            continue
        low, high = (int(one) for one in scale.range)
        strata = []
        for age in AGES:
            for sex in ("male", "female"):
                steps = rng.integers(5, 30, high - low + 1)
                t = np.round(30 + np.cumsum(steps) / steps.sum() * 60, 1)
                strata.append({
                    "sex": sex,
                    "age": {"from": age, "below": age + 1},
                    "table": {"first": low, "t": t.tolist()},
                })  # fmt: skip
        scales.append({
            "scale": scale.id,
            "key_checksum": scale_key_checksum(instrument, scale.id),
            "raw_range": [low, high],
            "t_kind": "normalised",
            "strata": strata,
            "source": "made_up",
            "evidence": "own_choice",
        })  # fmt: skip
    text = {"en": "Made up for benchmarks; nobody was asked", "zh": "仅供测速，非真实常模"}
    return NormTable.model_validate({
        "schema": "mhscreen/norm/1",
        "id": "made-up",
        "version": "1.0.0",
        "title": text,
        "instrument": instrument.ref,
        "informant": "self",
        "reference_group": text,
        "country": "CN",
        "years": "none",
        "mode": text,
        "sampling": text,
        "use": "display",
        "review_by": "2028-12-31",
        "rights": "None.",
        "references": [
            {"id": "made_up", "citation": "Drawn from a seed", "supports": ["nothing"]}
        ],
        "scales": scales,
    })  # fmt: skip


def norm_columns() -> dict[str, dict[str, NDArray[Any]]]:
    """Return by scale the norm table as columns: sex, completed years of age, raw score, T."""
    plan = battery_plan()
    found: dict[str, dict[str, NDArray[Any]]] = {}
    for one in plan.norms:
        form = plan.forms[one.slot]
        parts = [
            (stratum.sex, int(stratum.age[0]), stratum.figures.columns["t"])
            for stratum in one.strata
        ]
        found[f"{form.slot}.{form.scales[one.scale].id}"] = {
            "sex": np.concatenate([np.full(len(t), sex, dtype=np.int8) for sex, _, t in parts]),
            "years": np.concatenate([np.full(len(t), age, dtype=np.int8) for _, age, t in parts]),
            "raw": np.concatenate([np.arange(len(t), dtype=np.float64) for _, _, t in parts]),
            "t": np.concatenate([t for _, _, t in parts]),
        }
    return found


@cache
def battery_scales() -> tuple[BatteryScale, ...]:
    """Return the 18 scales, parts before their sums."""
    found = []
    first = 0
    for form, number in zip(battery_plan().forms, SLOTS.values(), strict=True):
        found += [
            _battery_scale(form, scale, first) for scale in form.scales if scale.id not in _OWN
        ]
        first += number
    return tuple(found)


def _battery_scale(form: FormPlan, scale: ScalePlan, first: int) -> BatteryScale:
    definition = battery_plan().instruments[form.instrument].scale(scale.id)
    scores = [form.items[row].scores for row in scale.rows]
    return BatteryScale(
        name=f"{form.slot}.{scale.id}",
        items=first + scale.rows,
        reverse=np.array([form.items[row].id in definition.reverse for row in scale.rows]),
        most=int(max((one.max() for one in scores), default=0)),
        least=scale.min_answered,
        rounded=scale.rounding == "half_up",
        parts=tuple(f"{form.slot}.{form.scales[place].id}" for place in scale.components),
        cuts=tuple(scale.cuts.tolist()),
        upwards=scale.upwards,
    )

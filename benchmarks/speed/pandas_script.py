"""The peer on files: an idiomatic pandas script that screens a district.

``python benchmarks/speed/pandas_script.py INPUT OUT`` reads the roster and the answers as CSV,
scores, applies the rules that these questionnaires can meet, and writes an archive and one entry
for each pupil, with what our entries hold: scores with their bounds and bands, reasons with their
evidence, what blanks leave undecided, critical items, provenance, and a hash. It prints the
seconds that this took, imports and definitions apart. Written to be read, by whole columns where
pandas has them, and with one loop over the pupils for the entries.
"""

from __future__ import annotations

import hashlib
import json
import sys
import time
import uuid
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from answers import headings
from battery import AT, SLOTS, battery_plan, battery_scales

TIERS = ["none", "watch", "general", "severe", "major"]


class Rule(NamedTuple):
    """A rule of the shipped policy, as far as these questionnaires can meet it."""

    id: str
    compares: list[tuple[str, float]]
    every: bool = False


RULES = [
    Rule("R3-item9-daily", [("phq9_9", 3)]),
    Rule("R3-item9-high-total", [("phq9_9", 2), ("phq9.total", 20)], every=True),
    Rule("R4-item9", [("phq9_9", 1)]),
    Rule("R4-direct-ideation", [("phq9_9", 1)]),
    Rule("R4-indirect", [("mht_85", 1), ("mht_97", 1)]),
    Rule("R6-depression", [("phq9.total", 15)]),
    Rule("R6-mht", [("mht.total", 65)]),
    Rule("R7-depression", [("phq9.total", 11)]),
    Rule("R7-anxiety", [("gad7.total", 10)]),
    Rule("R7-sdq", [("sdq@self.total", 18)]),
    Rule("R8-depression", [("phq9.total", 5)]),
    Rule("R8-mht-learning", [("mht.learning_anxiety", 8)]),
    Rule("R8-mht-relations", [("mht.social_anxiety", 8), ("mht.loneliness", 8)]),
    Rule("R8-mht-anxiety", [("mht.self_blame", 8), ("mht.sensitivity", 8), ("mht.phobic", 8)]),
    Rule("R8-mht-somatic", [("mht.somatic", 8)]),
    Rule("R8-mht-impulsive", [("mht.impulsive", 8)]),
    Rule("R8-sdq", [("sdq@self.total", 15)]),
]
BY_SLOT = {
    slot: [scale.name for scale in battery_scales() if scale.name.startswith(f"{slot}.")]
    for slot in SLOTS
}
ROSTER = ["subject", "school", "stage", "grade", "class", "sex"]
CRITICAL = [("phq9", "q9", "phq9_9"), ("mht", "q85", "mht_85"), ("mht", "q97", "mht_97")]


def read(folder: Path) -> pd.DataFrame:
    """Return one wide frame in the order of the roster."""
    frame = pd.read_csv(folder / "pupils.csv", dtype={"subject": str, "class": str})
    for slot in SLOTS:
        answers = pd.read_csv(folder / "answers" / f"{slot}.csv", dtype={"subject": str})
        frame = frame.merge(answers, on="subject", how="left")
    return frame


def score(frame: pd.DataFrame) -> pd.DataFrame:
    """Return score, answered, low, high and band of every scale."""
    names = [heading for slot in SLOTS for heading in headings(slot)]
    found: dict[str, pd.Series] = {}
    for scale in battery_scales():
        key = scale.name
        if scale.parts:
            found[key] = sum(found[part] for part in scale.parts)
            for what, of in (("answered", "answered"), ("low", "least"), ("high", "most")):
                found[f"{key}:{what}"] = sum(found[f"{part}:{of}"] for part in scale.parts)
        else:
            items = frame[[names[row] for row in scale.items]].copy()
            for at in np.flatnonzero(scale.reverse):
                items.iloc[:, at] = scale.most - items.iloc[:, at]
            answered = items.notna().sum(axis=1)
            total = items.sum(axis=1)
            value = (total * len(scale.items) / answered).where(answered >= scale.least)
            found[key] = np.floor(value + 0.5) if scale.rounded else value
            found[f"{key}:answered"] = answered
            found[f"{key}:low"] = total
            found[f"{key}:high"] = total + scale.most * (len(scale.items) - answered)
        if scale.cuts:
            found[f"{key}:band"] = band(scale, found[key])
            sure = band(scale, found[f"{key}:low"]) == band(scale, found[f"{key}:high"])
            found[f"{key}:band"] = found[f"{key}:band"].where(sure)
        none = found[f"{key}:answered"] == 0
        for what, rule in (("low", "least"), ("high", "most")):
            found[f"{key}:{rule}"] = found[f"{key}:{what}"]  # for rules, without any answer, too
            found[f"{key}:{what}"] = found[f"{key}:{what}"].mask(none)
    return pd.DataFrame(found)


def band(scale: Any, values: pd.Series) -> pd.Series:
    """Return the place of each value's band."""
    sign = 1 if scale.upwards else -1
    edges = [-np.inf, *(sign * cut for cut in scale.cuts), np.inf]
    return pd.cut(sign * values, edges, right=False, labels=False)


def judge(frame: pd.DataFrame, scores: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return by rule where it holds, and where blanks leave it undecided."""
    holds, may = {}, {}
    for rule in RULES:
        sure, possible = [], []
        for name, cut in rule.compares:
            if "." in name:
                least = scores[[name, f"{name}:least"]].max(axis=1)
                most = scores[f"{name}:most"]
            else:
                least, most = frame[name].fillna(0), frame[name].fillna(3)
            sure.append(least >= cut)
            possible.append(most >= cut)
        combine = np.logical_and.reduce if rule.every else np.logical_or.reduce
        holds[rule.id] = combine(sure)
        may[rule.id] = combine(possible) & ~holds[rule.id]
    return pd.DataFrame(holds, index=frame.index), pd.DataFrame(may, index=frame.index)


class Texts(NamedTuple):
    """What is the same for all pupils, made once."""

    because: dict[str, dict[str, str]]
    tier: dict[str, str]
    source: dict[str, str]
    bands: dict[str, list[tuple[str, dict[str, str]]]]
    provenance: dict[str, str]
    programme: str


def texts() -> Texts:
    """Take names and words from the definitions."""
    plan = battery_plan()
    rules = {rule.id: rule for rule in plan.policy.rules}
    return Texts(
        {one.id: {"en": rules[one.id].because.en, "zh": rules[one.id].because.zh} for one in RULES},
        {one.id: str(rules[one.id].tier) for one in RULES},
        {one.id: rules[one.id].source for one in RULES},
        {
            f"{form.slot}.{scale.id}": [
                (name, {"en": label.en, "zh": label.zh})
                for name, label in zip(scale.categories, scale.labels, strict=True)
            ]
            for form in plan.forms
            for scale in form.scales
        },
        {"policy": plan.policy.ref, "definitions": plan.pins_digest},
        plan.programme.ref,
    )


def instruments(row: dict[str, Any], words: Texts) -> list[dict[str, Any]]:
    """Return what a pupil's forms say."""
    found = []
    for slot, scales in BY_SLOT.items():
        values = {}
        filed = row[f"{slot}:filed"]
        for scale in scales if filed else ():
            band = row.get(f"{scale}:band")
            name, label = (None, None) if band is None else words.bands[scale][int(band)]
            values[scale.partition(".")[2]] = {
                "score": row[scale],
                "answered": row[f"{scale}:answered"],
                "low": row[f"{scale}:low"],
                "high": row[f"{scale}:high"],
                "category": name,
                "category_label": label,
            }
        found.append({"slot": slot, "informant": "self", "filed": filed, "scores": values})
    return found


def critical_items(row: dict[str, Any]) -> list[dict[str, Any]]:
    """Return critical items that are positive or unanswered."""
    return [
        {
            "slot": slot,
            "item": item,
            "concern": "suicide_ideation",
            "state": "unanswered" if row[name] is None else "positive",
            "score": row[name],
        }
        for slot, item, name in CRITICAL
        if row[f"{slot}:filed"] and row[name] != 0
    ]


def reasons(row: dict[str, Any], words: Texts) -> list[dict[str, Any]]:
    """Return the rules that hold, with what made them hold."""
    return [
        {
            "rule": rule.id,
            "tier": words.tier[rule.id],
            "because": words.because[rule.id],
            "source": words.source[rule.id],
            "evidence": [
                {
                    "name": name,
                    "value": row[name],
                    "low": row.get(f"{name}:low"),
                    "high": row.get(f"{name}:high"),
                    "comparison": "at_or_above",
                    "cut": cut,
                }
                for name, cut in rule.compares
            ],
        }
        for rule in RULES
        if row[rule.id]
    ]


def entry(row: dict[str, Any], answers: str, words: Texts) -> dict[str, Any]:
    """Return a pupil's entry."""
    digest = hashlib.sha256(answers.encode()).hexdigest()
    made = {
        "schema_version": "1.0.0",
        "entry_type": "screening",
        "entry_id": str(uuid.uuid5(uuid.NAMESPACE_URL, f"{row['subject']}/{digest}")),
        "programme": words.programme,
        "pupil_ref": row["subject"],
        "org": {key: row[key] for key in ("school", "stage", "grade", "class")},
        "sex": row["sex"],
        "age": row["age"],
        "occurred_at": f"{AT}T00:00:00+08:00",
        "recorded_at": f"{AT}T00:00:00+08:00",
        "instruments": instruments(row, words),
        "critical_items": critical_items(row),
        "established_tier": row["established_tier"],
        "tier_reasons": reasons(row, words),
        "undecided": [
            {"rule": rule.id, "because": words.because[rule.id]}
            for rule in RULES
            if row[f"{rule.id}:open"]
        ],
        "provenance": {**words.provenance, "evidence": f"sha256:{digest}"},
    }
    text = json.dumps(made, ensure_ascii=False, sort_keys=True)
    made["hash"] = "sha256:" + hashlib.sha256(text.encode()).hexdigest()
    return made


def screen(folder: Path, out: Path, words: Texts) -> None:
    """Screen a district."""
    frame = read(folder)
    scores = score(frame)
    holds, undecided = judge(frame, scores)
    tiers = np.array([TIERS.index(words.tier[rule.id]) for rule in RULES])
    established = pd.Series(np.array(TIERS)[(holds.to_numpy() * tiers).max(axis=1)])
    ages = (pd.Timestamp(AT) - pd.to_datetime(frame["birth_date"])).dt.days / 365.25
    out.mkdir(parents=True)
    archive = pd.concat([frame[ROSTER], established.rename("established_tier"), scores], axis=1)
    archive.to_parquet(out / "archive.parquet", compression="zstd", index=False)
    filed = {f"{slot}:filed": frame[headings(slot)].notna().any(axis=1) for slot in SLOTS}
    rows = pd.concat(
        [
            archive,
            ages.round(2).rename("age"),
            pd.DataFrame(filed),
            frame[sorted({name for *_, name in CRITICAL})],
            holds,
            undecided.add_suffix(":open"),
        ],
        axis=1,
    )
    rows = rows.astype(object).where(rows.notna(), None)
    answers = frame[[heading for slot in SLOTS for heading in headings(slot)]]
    lines = answers.to_csv(index=False, header=False).splitlines()
    with (out / "ledger.jsonl").open("w", encoding="utf-8") as ledger:
        for row, line in zip(rows.to_dict("records"), lines, strict=True):
            made = entry(row, line, words)
            ledger.write(json.dumps(made, ensure_ascii=False, sort_keys=True) + "\n")


def main(folder: Path, out: Path) -> None:
    """Screen a district, and print how long that took."""
    words = texts()
    start = time.perf_counter()
    screen(folder, out, words)
    print(json.dumps({"whole": time.perf_counter() - start}))


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))

"""Real, public answers give the totals that their authors computed, row for row.

None of these data are part of the project; without them the tests are skipped and say so.
"""

from collections import Counter
from math import isnan

import pandas as pd

import mhscreen as mh


def numbers(cells):
    return [None if cell is None else float(cell) for cell in cells]


def renamed(columns, names):
    """Return some columns under other names."""
    return {new: columns[old] for old, new in names.items()}


def listed(values):
    return [None if isinstance(v, float) and isnan(v) else v for v in values]


# -- university students: PHQ-9 and GAD-7 -----------------------------------------------------

STUDENTS = "mhp_students_phq9_gad7_pss10/mhp.csv"
LABELS = {
    "Minimal": "minimal", "Mild": "mild", "Moderate": "moderate",
    "Moderately Severe": "moderately_severe", "Severe": "severe",
    "No": "minimal",  # the authors have a band of their own at nought
}  # fmt: skip


def students(data, stem, target, number):
    columns = data(STUDENTS)
    return columns, renamed(columns, {f"{stem}{n}": f"{target}_{n}" for n in range(1, number + 1)})


def test_phq9_and_gad7_of_students_give_the_authors_totals_and_labels_on_every_row(data):
    for stem, target, number, name in (
        ("phq", "phq9", 9, "depression"),
        ("gad", "gad7", 7, "anxiety"),
    ):
        columns, answers = students(data, stem, target, number)
        scores = mh.score_instrument(f"{target}@1", pd.DataFrame(answers))
        assert len(scores) == 1977
        assert scores[f"{target}__total"].tolist() == numbers(columns[f"{name}_value"])
        labels = [LABELS[label.rpartition(" ")[0]] for label in columns[f"{name}_label"]]
        assert scores[f"{target}__total__category"].tolist() == labels


def test_students_screened_end_to_end_have_the_tiers_that_the_rules_give_by_hand(
    data, plan, reference
):
    columns, phq9 = students(data, "phq", "phq9", 9)
    _, gad7 = students(data, "gad", "gad7", 7)
    subject = [f"S{row}" for row in columns["row"]]
    rows = len(subject)
    roster = pd.DataFrame(
        {"subject": subject, "school": "Made up", "stage": "vocational", "grade": 11, "sex": [
            {"Male": "male", "Female": "female"}.get(sex) for sex in columns["gender"]]}
    )  # fmt: skip
    calm = {f"mht_{n}": [0] * rows for n in range(1, 101)}
    phqa = {f"phqa_{n}": [0] * rows for n in range(1, 14)}
    responses = {
        "phq9": pd.DataFrame({"subject": subject, **phq9}),
        "gad7": pd.DataFrame({"subject": subject, **gad7}),
        "mht": pd.DataFrame({"subject": subject, **calm}),
        "phqa": pd.DataFrame({"subject": subject, **phqa}),
    }
    result = mh.screen(plan, roster=roster, responses=responses, at="2026-10-15")
    expected = [
        reference.depression_and_anxiety_tier(
            [int(phq9[f"phq9_{n}"][row]) for n in range(1, 10)],
            [int(gad7[f"gad7_{n}"][row]) for n in range(1, 8)],
        )
        for row in range(rows)
    ]
    found = list(result.entries)
    assert [entry["pupil_ref"] for entry in found] == subject
    assert [entry["established_tier"] for entry in found] == expected
    assert [entry["screen_tier"] for entry in found] == expected
    assert set(expected) == {"none", "watch", "general", "severe", "major"}
    positive = sum(int(code) >= 1 for code in phq9["phq9_9"])
    assert (
        sum(any(c["state"] == "positive" for c in e["critical_items"]) for e in found) == positive
    )


# -- a health survey: refusals, don't-knows and blanks ----------------------------------------

SURVEY = "nhanes_dpq_2021_2023/dpq_l.csv"


def survey(data, definitions):
    columns = data(SURVEY)
    items = {f"DPQ0{n}0": f"dpq_dpq0{n}0" for n in range(1, 10)}
    answers = renamed(columns, items)
    frame = pd.DataFrame(answers)
    return answers, mh.score_instrument("dpq@1", frame, library=definitions)


def test_a_health_survey_gives_its_published_counts(data, definitions):
    answers, scores = survey(data, definitions)
    complete = scores[scores["dpq__total__answered"] == 9]
    assert len(scores) == 6337
    assert len(complete) == 5455
    assert Counter(complete["dpq__total__category"]) == {
        "minimal": 3637, "mild": 1095, "moderate": 455, "moderately_severe": 189, "severe": 79,
    }  # fmt: skip
    assert (complete["dpq__total"] >= 10).sum() == 723
    item9 = [int(code) if code and int(code) <= 3 else None for code in answers["dpq_dpq090"]]
    assert sum(bool(code) for code in item9) == 294
    positive = complete.index[[bool(item9[row]) for row in complete.index]]
    assert (complete.loc[positive, "dpq__total"] < 10).sum() == 65


def test_refusals_and_dont_knows_of_a_health_survey_are_unanswered_and_prorated(data, definitions):
    answers, scores = survey(data, definitions)
    for row in range(len(scores)):
        codes = [answers[f"dpq_dpq0{n}0"][row] for n in range(1, 10)]
        known = [int(code) for code in codes if code is not None and int(code) <= 3]
        found = scores.iloc[row]
        assert found["dpq__total__answered"] == len(known)
        if not known:
            assert found[["dpq__total", "dpq__total__low", "dpq__total__category"]].isna().all()
            continue
        assert found["dpq__total__low"] == sum(known)
        assert found["dpq__total__high"] == sum(known) + 3 * (9 - len(known))
        if len(known) >= 7:
            assert abs(found["dpq__total"] - sum(known) * 9 / len(known)) < 1e-12
        else:
            assert isnan(found["dpq__total"])


def test_the_shipped_phq9_refuses_codes_that_it_does_not_declare(data):
    columns = data(SURVEY)
    frame = pd.DataFrame(renamed(columns, {f"DPQ0{n}0": f"phq9_{n}" for n in range(1, 10)}))
    reported = mh.score_instrument("phq9@1", frame, on_problem="report")
    codes = [[columns[f"DPQ0{n}0"][row] for n in range(1, 10)] for row in range(len(frame))]
    answered = [sum(code in {"0", "1", "2", "3"} for code in row) for row in codes]
    assert reported["phq9__total__answered"].tolist() == answered


# -- two waves --------------------------------------------------------------------------------


def test_two_waves_are_scored_alike_and_their_totals_go_together(data):
    totals = {}
    for wave in ("t1", "t2"):
        columns = data(f"phq9_gad7_two_waves_bggm/{wave}.csv")
        for stem, target, number in (("PHQ", "phq9", 9), ("GAD", "gad7", 7)):
            names = {f"{stem}{n}": f"{target}_{n}" for n in range(1, number + 1)}
            scores = mh.score_instrument(f"{target}@1", renamed(columns, names))
            by_hand = [
                sum(int(columns[f"{stem}{n}"][row]) for n in range(1, number + 1))
                for row in range(403)
            ]
            assert listed(scores[f"{target}__total"]) == by_hand
            totals[wave, target] = pd.Series(by_hand)
    for target, correlation in (("phq9", 0.78), ("gad7", 0.75)):
        found = totals["t1", target].corr(totals["t2", target])
        assert abs(found - correlation) < 0.005


# -- reverse keys and offset coding -----------------------------------------------------------


def test_the_cesd_gives_the_authors_totals_on_every_row(data, definitions):
    columns = data("cesd_ahi_pospsy/ahi_cesd.csv")
    names = {f"cesd{n:02d}": f"q{n}" for n in range(1, 21)}
    frame = pd.DataFrame({name: columns[name] for name in names})
    scores = mh.score_instrument("cesd@1", frame, columns=names, library=definitions)
    assert len(scores) == 992
    assert scores["cesd__total"].tolist() == numbers(columns["cesdTotal"])
    at_cut = [float(total) >= 16 for total in columns["cesdTotal"]]
    assert [band == "at_or_above_16" for band in scores["cesd__total__category"]] == at_cut


def test_the_dass_42_gives_the_authors_sums_less_the_offset_on_every_row(data, definitions):
    columns = data("dass42_openpsychometrics/dass42.csv")
    names = {
        name: f"q{name[4:].partition('_')[0]}"
        for name in columns
        if name.startswith("dass") and "_" in name
    }
    assert len(names) == 42
    frame = pd.DataFrame({name: columns[name] for name in names})
    scores = mh.score_instrument("dass42@1", frame, columns=names, library=definitions)
    assert len(scores) == 5000
    for scale in ("Depression", "Anxiety", "Stress"):
        stored = numbers(columns[scale])
        assert scores[f"dass42__{scale.lower()}"].tolist() == [total - 14 for total in stored]


# -- two subscales and a joint rule with missing answers --------------------------------------

HEART = "ds14_type_d/ds14.csv"


def test_a_joint_rule_over_two_scales_is_undecided_exactly_where_blanks_leave_it_open(
    data, definitions
):
    columns = data(HEART)
    plan = mh.compile_plan(definitions, "type-d@1")
    subject = [f"P{row}" for row in columns["row"]]
    roster = {
        "subject": subject,
        "school": ["Made up"] * 541,
        "stage": ["senior"] * 541,
        "grade": [11] * 541,
    }
    items = {name: f"ds14_{name.lower()}" for name in columns if name[:2] in {"Si", "Na"}}
    result = mh.screen(
        plan,
        roster=roster,
        responses={"ds14": {"subject": subject, **renamed(columns, items)}},
        at="2026-10-15",
    )
    entries = list(result.entries)
    # The description counts 155 yes, 382 no and 4 that cannot be told, because a scale with a
    # blank has no score. Bounds tell two of the four: one is above 10 on both scales whatever
    # the blanks, one cannot reach 10.
    by_score = Counter(_joint(entry["instruments"][0]["scores"]) for entry in entries)
    assert by_score == {True: 155, False: 382, None: 4}
    assert Counter(entry["screen_tier"] for entry in entries) == {
        "general": 156, "none": 383, "undetermined": 2,
    }  # fmt: skip
    for row, entry in enumerate(entries):
        low = {"Na": 0, "Si": 0}
        high = dict(low)
        for name in items:
            cell = columns[name][row]
            for ends, blank in ((low, 0), (high, 4)):
                value = blank if cell is None else int(cell)
                mirrored = name.endswith("_R") and cell is not None
                ends[name[:2]] += 4 - value if mirrored else value
        sure = min(low.values()) >= 10
        possible = min(high.values()) >= 10
        expected = "general" if sure else "undetermined" if possible else "none"
        assert entry["screen_tier"] == expected
        scores = entry["instruments"][0]["scores"]
        assert {"Na": scores["na"]["low"], "Si": scores["si"]["low"]} == low
        assert {"Na": scores["na"]["high"], "Si": scores["si"]["high"]} == high


def _joint(scores):
    """Return the joint rule on scores alone, None where one that matters is missing."""
    known = [scores[key]["score"] for key in ("na", "si")]
    if any(score is not None and score < 10 for score in known):
        return False
    return None if None in known else True


# -- workers: sums, counts over thresholds, volume --------------------------------------------

WORKERS = "workaholic_hads_ocir_asrs_bwas/workaholic.csv"


def test_sixteen_thousand_workers_give_the_authors_sums_and_flags_on_every_row(data, definitions):
    columns = data(WORKERS)

    def scored(ref, stem, number):
        answers = {f"q{n}": columns[f"{stem}{n}"] for n in range(1, number + 1)}
        return mh.score_instrument(ref, answers, library=definitions)

    def flags(values, band):
        return [str(int(value == band)) for value in values]

    hads = scored("hads@1", "HADS", 14)
    assert len(hads["hads__anxiety"]) == 16426
    assert listed(hads["hads__anxiety"]) == numbers(columns["SumHADSanxiety"])
    assert listed(hads["hads__depression"]) == numbers(columns["SumHADSdepression"])
    for scale in ("anxiety", "depression"):
        found = flags(hads[f"hads__{scale}__category"], "at_or_above_11")
        assert found == columns[f"{scale.upper()}_DIAGNOSIS"]

    bwas = scored("bwas@1", "BWAS", 7)
    assert listed(bwas["bwas__total"]) == numbers(columns["SUM_BERGEN_WORK_ADDICTION_SCALE"])
    assert (
        flags(bwas["bwas__at_four__category"], "four_of_seven") == columns["Workaholism_diagnosis"]
    )

    asrs = scored("asrs@1", "ASRS", 6)
    assert flags(asrs["asrs__part_a__category"], "four_of_six") == columns["ADHD_DIAGNOSIS"]

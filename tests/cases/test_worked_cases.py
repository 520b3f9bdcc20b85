"""Every shipped definition gives what its author worked out by hand, and none reassures blindly.

The hazard probes are the ways in which scoring programs have been seen to turn a missing answer
into a number, often the lowest one. Each is put to every shipped instrument.
"""

import shutil
from pathlib import Path

import numpy as np
import pytest

from mhscreen import load_library, score_instrument
from mhscreen.plan.scoring import compile_form
from mhscreen.problems import ResponseError
from mhscreen.testing.cases import run_cases

FORMS = [
    ("phq9", "self"), ("phqa", "self"), ("gad7", "self"), ("dsrsc", "self"), ("asq", "self"),
    ("mht", "self"), ("sdq", "self"), ("sdq", "parent"), ("sdq", "teacher"),
    ("observer", "teacher"), ("observer", "parent"),
]  # fmt: skip
every_form = pytest.mark.parametrize("ref, informant", FORMS)


def test_every_shipped_definition_passes_its_worked_cases(library):
    assert [str(problem) for problem in run_cases(library)] == []


def test_every_shipped_instrument_policy_and_norm_has_worked_cases(library):
    for loaded in library:
        if loaded.kind != "programme":
            assert loaded.cases_file is not None, loaded.ref


def test_a_wrong_expectation_is_found(tmp_path, library):
    """Or else a runner that runs nothing would look like one that finds nothing."""
    folder = tmp_path / "instruments" / "gad7"
    folder.mkdir(parents=True)
    source = library.instrument("gad7@1")
    where = Path(source.folder)
    folder.joinpath("1.0.0.yaml").write_bytes((where / source.file).read_bytes())
    cases = (where / source.cases_file).read_text(encoding="utf-8")
    assert "score: 21" in cases
    wrong = cases.replace("score: 21", "score: 20")
    folder.joinpath("1.0.0.cases.yaml").write_text(wrong, encoding="utf-8")
    problems = run_cases(load_library(tmp_path))
    assert problems
    assert {problem.code for problem in problems} == {"MH213"}


@pytest.mark.parametrize(
    "case, what",
    [
        ("duration_s: 12, quality: [pace], validity: questionable", []),
        ("duration_s: 12.8, quality: [], validity: valid", []),
        ("quality: [], validity: valid", []),
        ("duration_s: 12, quality: []", ["MH213 quality: expected none, got pace"]),
        ("duration_s: 13, quality: [pace]", ["MH213 quality: expected pace, got none"]),
        ("quality: [pase]", ["MH201 no quality index"]),
        ("duration_s: 0", ["MH107 "]),
    ],
)
def test_a_case_says_how_long_the_form_took_and_which_indices_are_reached(
    tmp_path, library, case, what
):
    from pathlib import Path

    folder = tmp_path / "instruments" / "moss"
    folder.mkdir(parents=True)
    source = Path(__file__).parents[1] / "steps/moss.yaml"
    folder.joinpath("1.0.0.yaml").write_bytes(source.read_bytes())
    folder.joinpath("1.0.0.cases.yaml").write_text(
        "schema: mhscreen/cases/1\nfor: moss@1.0.0\ncases:\n  - {name: plain, "
        f"answers: {{q1: 0, q2: 1, q3: 1, q4: 2, q5: 0, q6: 1, q7: 0, q8: 1}}, {case}}}\n",
        encoding="utf-8",
    )
    problems = run_cases(library, [load_library(tmp_path).instrument("moss@1")])
    found = [f"{problem.code} {problem.what}" for problem in problems]
    assert len(found) == len(what)
    assert all(one.startswith(begin) for one, begin in zip(found, what, strict=True)), found


# -- hazard probes ----------------------------------------------------------------------------


@pytest.fixture
def probe(library):
    """Score forms (item id to code, None for a blank) and return scale, score and category."""

    def run(ref, informant, *forms, on_problem="raise"):
        instrument = library.instrument(ref).definition
        columns = {
            f"{instrument.prefix(informant)}_{item.id}": [form.get(item.id) for form in forms]
            for item in instrument.items
        }
        found = score_instrument(ref, columns, informant=informant, on_problem=on_problem)
        plan = compile_form(instrument, informant)
        return {
            scale.id: {
                key: list(found[f"{plan.prefix}__{scale.id}{suffix}"])
                for key, suffix in {
                    "score": "", "low": "__low", "high": "__high", "answered": "__answered",
                    "category": "__category", "category_high": "__category_high",
                }.items()
                if f"{plan.prefix}__{scale.id}{suffix}" in found
            }
            for scale in plan.scales
        }  # fmt: skip

    return run


@pytest.fixture
def lowest(library):
    """Return an instrument's lowest form: every item at its first option by score."""

    def run(ref):
        instrument = library.instrument(ref).definition
        return {
            item.id: min(instrument.options(item.id).options, key=lambda o: o.item_score).code
            for item in instrument.items
        }

    return run


def nothing(value):
    return value is None or value != value  # noqa: PLR0124 - NaN


@every_form
def test_nothing_answered_gives_neither_number_nor_category(probe, ref, informant):
    for scale in probe(ref, informant, {}).values():
        for key, (value,) in scale.items():
            assert value == 0 if key == "answered" else nothing(value), key


@every_form
def test_one_answer_gives_no_score_and_no_category_that_reassures(library, probe, ref, informant):
    instrument = library.instrument(ref).definition
    forms = []
    for item in instrument.items:
        options = sorted(instrument.options(item.id).options, key=lambda o: o.item_score)
        # "No difficulties overall" closes the supplement of the SDQ, whose scores are then settled.
        ends = options[-1:] if item.id == "overall" else (options[0], options[-1])
        forms += [{item.id: option.code} for option in ends]
    for key, scale in probe(ref, informant, *forms).items():
        first = _first_category(instrument, key, informant)
        categories = scale.get("category", [None] * len(forms))
        for form, score, category in zip(forms, scale["score"], categories, strict=True):
            if ref == "asq":  # by the published rule three blanks beside one answer are three yes
                assert nothing(score) or score >= 3, form
            else:
                assert nothing(score), (form, key)
            assert category != first, (form, key)


def _first_category(instrument, key, informant):
    sets = [
        c for c in instrument.scale(key).cut_sets if not c.informants or informant in c.informants
    ]
    return sets[0].categories[0].id if sets else "no such category"


@every_form
@pytest.mark.parametrize("answer", [7, -1, 1.5, "7", "x", 10**9])
def test_an_answer_out_of_range_is_refused_and_never_added(
    library, probe, lowest, ref, informant, answer
):
    instrument = library.instrument(ref).definition
    scored = next(key for scale in instrument.scales_for(informant) for key in scale.items)
    form = lowest(ref) | {scored: answer}
    with pytest.raises(ResponseError) as caught:
        probe(ref, informant, form)
    assert [p.code for p in caught.value.problems] == ["MH401"]
    for scale in instrument.scales_for(informant):
        if scored in scale.items:
            found = probe(ref, informant, form, on_problem="report")[scale.id]
            assert found["answered"] == [len(scale.items) - 1]
            assert (
                nothing(found["score"][0])
                or found["low"][0] <= found["score"][0] <= found["high"][0]
            )
            assert found["low"][0] < found["high"][0]


@every_form
def test_a_score_between_two_bands_has_the_lower_one_only_where_the_blanks_allow_no_other(
    library, probe, lowest, ref, informant
):
    """Closed whole-number bands give a prorated 4.5 no label at all, or the wrong one."""
    instrument = library.instrument(ref).definition
    rng = np.random.default_rng(7)
    forms = []
    for _ in range(300):
        form = {}
        for item in instrument.items:
            options = instrument.options(item.id).options
            form[item.id] = (
                options[rng.integers(len(options))].code if rng.random() > 0.08 else None
            )
        forms.append(form)
    between = 0
    for key, scale in probe(ref, informant, *forms).items():
        if "category" not in scale:
            continue
        for score, low, high, category in zip(
            scale["score"], scale["low"], scale["high"], scale["category"], strict=True
        ):
            if nothing(score):
                assert nothing(category)
                continue
            bands = {_band(instrument, key, informant, end) for end in (low, score, high)}
            assert category == bands.pop() if len(bands) == 1 else nothing(category)
            between += score % 1 != 0
    assert (
        between or instrument.scales[0].missing is None or instrument.scales[0].rounding != "none"
    )


def _band(instrument, key, informant, score):
    sets = [
        c for c in instrument.scale(key).cut_sets if not c.informants or informant in c.informants
    ]
    band = sets[0].categories[0].id
    for category in sets[0].categories[1:]:
        up = category.at_or_above is not None
        if (score >= category.cut) if up else (score <= category.cut):
            band = category.id
    return band


@pytest.mark.parametrize("informant", ["self", "parent", "teacher"])
def test_a_supplement_whose_gate_was_not_answered_has_no_score(probe, lowest, informant):
    form = lowest("sdq")
    supplement = {key for key in form if key.startswith("imp_")} | {"duration", "burden", "overall"}
    name = "impact_teacher" if informant == "teacher" else "impact"
    absent = probe(
        "sdq", informant, {key: code for key, code in form.items() if key not in supplement}
    )
    assert nothing(absent[name]["score"][0])
    assert nothing(absent[name]["category"][0])
    opened = probe("sdq", informant, form | dict.fromkeys(supplement) | {"overall": 1})
    assert nothing(opened[name]["score"][0])
    closed = probe("sdq", informant, form | dict.fromkeys(supplement) | {"overall": 0})
    assert closed[name]["score"] == [0]


def test_question_five_of_the_asq_is_not_no_because_nobody_asked_it(school):
    asked = {"q1": 1, "q2": 0, "q3": 0, "q4": 0}
    entry = school.one(forms={"asq": asked})
    (open_,) = [c for c in entry["critical_items"] if c["state"] == "unanswered"]
    assert open_["item"] == "q5"
    assert entry["possible_tier"] == "major"


@pytest.mark.parametrize("left", ["one answer", "nothing", "illegal"])
@pytest.mark.parametrize("slot", ["phqa", "gad7", "mht"])
def test_a_hazard_on_a_required_form_never_ends_as_none_or_watch(school, slot, left):
    item = school.form(slot).items[0].id
    forms = {
        "one answer": {item: school.codes(slot, item)[0]},
        "nothing": {},
        "illegal": dict.fromkeys(school.calm(slot), 77),
    }
    entry = school.one(forms={slot: forms[left]})
    assert entry["screen_tier"] == "undetermined"
    (form,) = [form for form in entry["instruments"] if form["slot"] == slot]
    for scores in form["scores"].values():
        assert scores["score"] is None
        assert scores["category"] is None


@pytest.mark.parametrize("kind", ["a mean over forms", "the calmest form"])
def test_one_severe_form_among_calm_ones_is_never_diluted(school, kind):
    calm = school.calm("phqa")
    severe = school.calm("phqa", q9=1)
    forms = {"phqa": [calm, calm, severe, calm], "gad7": school.calm("gad7")}
    assert school.tiers(forms=forms)[0] == "severe", kind


GOOD = Path(__file__).parents[1] / "definitions/good"
PACE = """quality:
  - {id: pace, index: seconds_per_item, at_or_below: 2, source: manual, evidence: own_choice,
     calibration: {false_alarm: 0.01, method: made up, simulated: true, command: none}}
"""


@pytest.fixture
def garden(tmp_path):
    """Write a case of the made-up policy; return what is wrong with it."""

    def write(case, *, index=PACE):
        shutil.copytree(GOOD, tmp_path, dirs_exist_ok=True)
        leaf = tmp_path / "instruments/leaf/1.0.0.yaml"
        leaf.write_text(leaf.read_text(encoding="utf-8") + index, encoding="utf-8")
        tmp_path.joinpath("policies/garden/1.0.0.cases.yaml").write_text(
            "schema: mhscreen/cases/1\nfor: garden@1.0.0\ncases:\n"
            "  - name: a plant\n    programme: garden-2026@1.0.0\n"
            "    pupil: {stage: primary, grade: 4, sex: male, age: 10.5}\n    " + case + "\n",
            encoding="utf-8",
        )
        library = load_library(tmp_path)
        problems = run_cases(library, list(library.of_kind("policy")))
        return [f"{problem.code} {problem.what}" for problem in problems]

    return write


BOTH = "[questionable, duplicate]"
ONE = "forms: {leaf@self: {q1: 0, q2: 0, q3: 2, q4: 'N'}}"
TWO = "forms: {leaf@self: [{q1: 0, q2: 0, q3: 2, q4: 'N'}, {q1: 1, q2: 0, q3: 2, q4: 'N'}]}"


@pytest.mark.parametrize(
    "case, found",
    [
        (f"{ONE}\n    duration_s: {{leaf@self: 60}}\n    expect: {{flags: []}}", []),
        (f"{ONE}\n    duration_s: {{leaf@self: 5}}\n    expect: {{flags: [questionable]}}", []),
        (f"{ONE}\n    expect: {{flags: []}}", []),
        (
            f"{TWO}\n    duration_s: {{leaf@self: [null, 5]}}\n    expect: {{flags: {BOTH}}}",
            [],
        ),
        (
            f"{ONE}\n    duration_s: {{leaf@self: 5}}\n    expect: {{flags: []}}",
            ["MH213 flags: expected none, got questionable"],
        ),
        (
            f"{ONE}\n    duration_s: {{leaf@self: [5, 6]}}\n    expect: {{flags: []}}",
            ["MH107 2 times for 1 forms of 'leaf@self'"],
        ),
        (
            f"{ONE}\n    duration_s: {{leaf@teacher: 5}}\n    expect: {{flags: []}}",
            ["MH107 1 times for 0 forms of 'leaf@teacher'"],
        ),
    ],
)  # fmt: skip
def test_a_case_of_a_policy_states_how_long_its_forms_took(garden, case, found):
    assert garden(case) == found


def test_a_time_that_no_index_of_the_form_uses_is_said(garden):
    found = garden(f"{ONE}\n    duration_s: {{leaf@self: 5}}\n    expect: {{flags: []}}", index="")
    assert found == ["MH213 duration_s: no index of 'leaf@self' uses the time"]

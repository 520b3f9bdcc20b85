"""A plan pins what it uses, and refuses what must not be used, all of it at once."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

import pytest

from mhscreen.plan.plan import check_plan, compile_plan
from mhscreen.problems import DefinitionError, UsageError
from mhscreen.vocabulary import Evidence, Requirement


@dataclass
class Source:
    """A library in which one definition was changed."""

    library: object
    changed: dict

    def _get(self, kind, ref):
        found = getattr(self.library, kind)(ref)
        update = self.changed.get((kind, found.definition.id))
        if update is None:
            return found
        definition = (
            update(found.definition)
            if callable(update)
            else found.definition.model_copy(update=update)
        )

        @dataclass
        class Loaded:
            definition: object
            checksum: str

        return Loaded(definition, found.checksum)

    def instrument(self, ref):
        return self._get("instrument", ref)

    def norm(self, ref):
        return self._get("norm", ref)

    def policy(self, ref):
        return self._get("policy", ref)

    def programme(self, ref):
        return self._get("programme", ref)


@pytest.fixture
def refused(library):
    def run(**changed):
        source = Source(
            library, {tuple(key.split("_", 1)): value for key, value in changed.items()}
        )
        with pytest.raises(DefinitionError) as caught:
            compile_plan(source, "qingdao-2023")
        return [(p.code, p.what) for p in caught.value.problems]

    return run


def test_every_definition_used_is_pinned_with_the_checksum_of_its_file(plan, library):
    assert {ref.partition("@")[0] for ref in plan.pins} == {
        "phq9", "phqa", "gad7", "sdq", "mht", "dsrsc", "asq", "observer",
        "sdq/shanghai-teacher", "three-tier-cn", "qingdao-2023",
    }  # fmt: skip
    loaded = library.instrument("phq9@1.0.0")
    text = (Path(loaded.folder) / loaded.file).read_bytes().replace(b"\r\n", b"\n")
    assert plan.pins["phq9@1.0.0"] == "sha256:" + hashlib.sha256(text).hexdigest()


def test_the_digest_of_the_pins_changes_with_any_definition(plan):
    from dataclasses import replace

    other = replace(plan, pins={**plan.pins, "phq9@1.0.0": "sha256:" + "0" * 64})
    assert other.pins_digest != plan.pins_digest
    assert replace(plan, pins=dict(reversed(plan.pins.items()))).pins_digest == plan.pins_digest


def test_a_withdrawn_definition_is_refused(refused):
    assert refused(instrument_gad7={"withdrawn": "a wrong key"}) == [
        ("MH304", "gad7@1.0.0 is withdrawn")
    ]


def test_an_unverified_claim_that_the_programme_uses_must_be_accepted_by_name(refused):
    problems = refused(**{"programme_qingdao-2023": {"accepts_unverified": ()}})
    assert problems == [("MH303", "sdq/shanghai-teacher@1.0.0#hyperactivity is marked unverified")]


def test_an_unverified_key_cut_or_critical_item_is_found(refused):
    def unverified(gad7):
        scale = gad7.scales[0]
        cuts = scale.cut_sets[0].model_copy(update={"evidence": Evidence.UNVERIFIED})
        scale = scale.model_copy(update={"evidence": Evidence.UNVERIFIED, "cut_sets": (cuts,)})
        return gad7.model_copy(update={"scales": (scale,), "evidence": Evidence.UNVERIFIED})

    def critical(phqa):
        items = [
            c.model_copy(update={"evidence": Evidence.UNVERIFIED}) for c in phqa.critical_items
        ]
        return phqa.model_copy(update={"critical_items": tuple(items)})

    found = {
        what.split()[0]
        for code, what in refused(instrument_gad7=unverified, instrument_phqa=critical)
    }
    assert found == {
        "gad7@1.0.0#items", "gad7@1.0.0#total", "gad7@1.0.0#total.severity",
        "phqa@1.0.0#q9", "phqa@1.0.0#si_month", "phqa@1.0.0#attempt_life",
    }  # fmt: skip


def test_two_versions_of_one_instrument_are_a_conflict(refused):
    def other(policy):
        refs = tuple(r.replace("gad7@1.0.0", "gad7@2.0.0") for r in policy.instruments)
        return policy.model_copy(update={"instruments": refs})

    ((code, what),) = refused(**{"policy_three-tier-cn": other})
    assert code == "MH302"
    assert "gad7@2.0.0" in what


def test_all_problems_of_a_plan_are_said_at_once(refused):
    codes = [code for code, _ in refused(
        instrument_gad7={"withdrawn": "x"}, **{"programme_qingdao-2023": {"accepts_unverified": ()}}
    )]  # fmt: skip
    assert sorted(codes) == ["MH303", "MH304"]


@pytest.mark.parametrize(
    "stage, grade, slot, use",
    [
        ("primary", 3, "observer@parent", "required"),
        ("primary", 4, "observer@parent", "on_event"),
        ("primary", 3, "mht", "not_used"),
        ("primary", 4, "mht", "required"),
        ("junior", 6, "phqa", "required"),
        ("primary", 6, "phqa", "not_used"),
        ("junior", 9, "dsrsc", "on_event"),
        ("senior", 10, "dsrsc", "not_used"),
    ],
)
def test_stage_and_grade_decide_what_a_pupil_is_asked(plan, stage, grade, slot, use):
    found = plan.uses[plan.group(stage, grade), plan.slot(slot)]
    assert Requirement.at(int(found)) == use


@pytest.mark.parametrize(
    "stage, grade", [("primary", 7), ("junior", 5), ("junior", 10), ("senior", 9), ("junior", None)]
)
def test_outside_every_group_there_is_none(plan, stage, grade):
    assert plan.group(stage, grade) == -1


def test_for_a_pupil_of_no_group_every_questionnaire_is_on_event(plan):
    assert set(plan.uses[-1].tolist()) == {Requirement.ON_EVENT.position}


def test_a_slot_that_the_programme_does_not_use_has_no_place(plan):
    assert plan.slot("observer@self") == -1
    assert plan.slot("sdq") == -1


def test_a_norm_made_for_another_key_is_refused_with_everything_else(refused):
    def other_key(sdq):
        total = sdq.scale("total").model_copy(update={"rounding": "down"})
        return sdq.model_copy(
            update={"scales": tuple(total if s.id == "total" else s for s in sdq.scales)}
        )

    found = refused(instrument_sdq=other_key, instrument_gad7={"withdrawn": "a wrong key"})
    assert [code for code, _ in found] == ["MH304", "MH212"]


def test_a_plan_of_the_same_definitions_is_the_same_plan_and_another_is_not(plan):
    from dataclasses import replace

    check_plan(replace(plan), plan)
    with pytest.raises(UsageError, match="not the plan"):
        check_plan(replace(plan, pins={**plan.pins, "gad7@1.0.0": "sha256:0"}), plan)
    with pytest.raises(UsageError, match="Plan is expected, not str"):
        check_plan("qingdao-2023@1", plan)

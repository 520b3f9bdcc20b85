"""What every test shares: the shipped library and plan, a made-up school and a pupil's file."""

import copy
import datetime as dt

import numpy as np
import pytest
from hypothesis import settings

from mhscreen import compile_plan, screen, shipped_library
from mhscreen.kernels.codes import BLANK
from mhscreen.ledger.fold import CaseRules, fold_entries
from mhscreen.ledger.record import complete_draft
from mhscreen.plan.scoring import answer_key

# A deadline per example fails on a busy machine, not on wrong code. In CI Hypothesis itself
# also makes its examples repeatable.
settings.register_profile("mhscreen", settings(), deadline=None)
settings.load_profile("mhscreen")


class School:
    """Made-up pupils, in the words of a test.

    A form is a dict of item id to recorded code; what it does not name is blank. A pupil is a
    dict of roster columns with ``forms``: slot to a form, or to a list of forms.
    """

    def __init__(self, plan):
        self.plan = plan
        self.at = "2026-10-15"
        self.required = {
            ("primary", 2): ("sdq@parent", "sdq@teacher", "observer@parent", "observer@teacher"),
            ("primary", 5): ("mht", "dsrsc"),
            ("junior", 8): ("mht", "phqa", "gad7"),
        }

    def form(self, slot):
        return self.plan.forms[self.plan.slot(slot)]

    def worse(self, slot):
        """Say by item which way is worse: 1 up, −1 down, 0 for neither (exempt or not scored)."""
        form = self.form(slot)
        sign = dict.fromkeys((item.id for item in form.items), 0)
        for scale in self.plan.instruments[form.instrument].scales_for(form.informant):
            if scale.purpose == "content":
                for item in scale.items:
                    mirrored = item in scale.reverse
                    sign[item] = 1 if (scale.higher_is == "worse") != mirrored else -1
        sign |= dict.fromkeys((item.item for item in form.critical), 1)
        if "raised_concern" in sign:
            sign |= dict.fromkeys(
                [
                    "diagnosis_held",
                    "exposure",
                    "sudden_blow",
                    "marked_abnormality",
                    "raised_concern",
                ],
                1,
            )
        return sign

    def codes(self, slot, item):
        """Return an item's recorded codes from the calmest to the worst."""
        form = self.form(slot)
        plan = form.items[form.row(item)]
        by_score = sorted(zip(plan.scores.tolist(), range(len(plan.codes)), strict=True))
        codes = [plan.codes[place] for _, place in by_score]
        return codes[::-1] if self.worse(slot)[item] < 0 else codes

    def calm(self, slot, **answers):
        """Return a form on which nothing is reported; items behind a gate are left out."""
        form = self.form(slot)
        gated = {form.items[row].id for gate in form.gates for row in gate.rows}
        every = {
            item.id: self.codes(slot, item.id)[0] for item in form.items if item.id not in gated
        }
        return every | answers

    def full(self, slot, **answers):
        """Return a form with the worst answer to every item."""
        return {item.id: self.codes(slot, item.id)[-1] for item in self.form(slot).items} | answers

    def pupil(self, subject="A1", *, stage="junior", grade=8, forms=None, **columns):
        """Return a pupil whose required forms report nothing, but for what `forms` says.

        A form of None is not handed in.
        """
        calm = {slot: self.calm(slot) for slot in self.required.get((stage, grade), ())}
        handed_in = {k: v for k, v in (calm | (forms or {})).items() if v is not None}
        return {
            "subject": subject, "school": "S", "stage": stage, "grade": grade,
            "forms": copy.deepcopy(handed_in), **columns,
        }  # fmt: skip

    def frames(self, pupils):
        """Return a roster and responses by slot, as dicts of lists."""
        names = [k for k in dict.fromkeys(k for pupil in pupils for k in pupil) if k != "forms"]
        roster = {name: [pupil.get(name) for pupil in pupils] for name in names}
        rows = {slot: [] for slot in self.plan.slots}
        for pupil in pupils:
            for slot, forms in pupil["forms"].items():
                for one in forms if isinstance(forms, list) else [forms]:
                    rows[slot].append({"subject": pupil["subject"], **one})
        responses = {}
        for slot, found in rows.items():
            if not found:
                continue
            form = self.form(slot)
            extra = dict.fromkeys(k for row in found for k in row)
            items = [item.id for item in form.items]
            responses[slot] = {
                f"{form.prefix}_{name}" if name in items else name: [row.get(name) for row in found]
                for name in (*(k for k in extra if k not in items), *items)
            }
        return roster, responses

    def screen(self, *pupils, at=None, on_problem="report"):
        """Screen pupils."""
        roster, responses = self.frames(pupils)
        return screen(
            self.plan, roster=roster, responses=responses, at=at or self.at, on_problem=on_problem
        )

    def one(self, **pupil):
        """Screen one pupil and return the ledger entry as a document."""
        return next(iter(self.screen(self.pupil(**pupil)).entries))

    def tiers(self, **pupil):
        """Screen one pupil and return the established, the possible and the shown tier."""
        entry = self.one(**pupil)
        return entry["established_tier"], entry["possible_tier"], entry["screen_tier"]


ORG = {
    "city": "", "district": "", "school": "S", "stage": "junior", "grade": 8, "class": "3",
}  # fmt: skip
STEADY = dict.fromkeys(("emotion", "behaviour", "social", "academic"), "unchanged")


class Book:
    """Makes entries about one pupil, A1."""

    def __init__(self, school):
        self.school = school
        self.programme = school.plan.programme
        self.rules = {
            self.programme.ref: CaseRules(self.programme, school.plan.policy),
        }

    def fold(self, *entries):
        """Fold entries and return the pupil's case."""
        return self.cases(*entries)["A1"]

    def cases(self, *entries):
        return fold_entries(entries, self.rules)

    # -- the machine ------------------------------------------------------------------------------

    def screening(self, on="2026-10-15", **phqa):
        """Screen the pupil with some answers to the PHQ-A, everything else calm."""
        pupil = self.school.pupil(forms={"phqa": self.school.calm("phqa", **phqa)})
        return next(iter(self.school.screen(pupil, at=on).entries))

    def calm(self, on="2026-10-15"):
        return self.screening(on)

    def watch(self, on="2026-10-15"):
        return self.screening(on, q1=3, q2=2)

    def general(self, on="2026-10-15"):
        return self.screening(on, q1=3, q2=3, q3=3, q4=3)

    def severe(self, on="2026-10-15", item9=1):
        return self.screening(on, q9=item9)

    def major(self, on="2026-10-15"):
        return self.screening(on, q9=3)

    def attempt(self, on="2026-10-15"):
        return self.screening(on, attempt_life=1)

    def undetermined(self, on="2026-10-15"):
        return self.screening(on, q9=None)

    # -- people -----------------------------------------------------------------------------------

    def enter(self, what, on, *names, about="A1", by="t-07", role="psych_teacher", **fields):
        draft = {
            "entry_type": what, "pupil_ref": about, "author": by, "role": role,
            "occurred_at": on if "T" in on else f"{on}T10:00:00+08:00",
            "names": [one["entry_id"] for one in names], **fields,
        }  # fmt: skip
        when = dt.datetime.fromisoformat(draft["occurred_at"]) + dt.timedelta(hours=1)
        return complete_draft(draft, self.programme, org=ORG, recorded_at=when)

    def interview(self, on, *names, asked=(), **fields):
        asked = [{"about": "suicide_ideation", "answer": "no"}, *asked]
        fields = {"channel": "in_person", "conclusion": "psych_teacher_steps_in"} | fields
        return self.enter("interview", on, *names, asked=asked, **fields)

    def decide(self, on, tier, *names, before=None, **fields):
        fields = {"basis": "interview", "reason": "confirmed"} | fields
        return self.enter("tier_change", on, *names, case_tier=tier, previous_tier=before, **fields)

    def follow_up(self, on, number, seen=STEADY, **fields):
        return self.enter("follow_up", on, number=number, observations=seen, **fields)

    def tell(self, on, to, channel="in_person", response="informed", **fields):
        return self.enter("notification", on, to=to, channel=channel, response=response, **fields)

    def close(self, on, *names, **fields):
        fields = {"reason": "stable", "status": "closed_watch"} | fields
        return self.enter("closure", on, *names, **fields)


@pytest.fixture(scope="session")
def library():
    return shipped_library()


@pytest.fixture(scope="session")
def plan(library):
    return compile_plan(library, programme="qingdao-2023@1")


@pytest.fixture(scope="session")
def school(plan):
    return School(plan)


@pytest.fixture(scope="session")
def answers_to_codes():
    """Turn forms (item id to recorded code) into the response codes of a form plan."""

    def convert(form, *answers):
        codes = np.full((len(form.items), len(answers)), BLANK, dtype=np.uint8)
        for column, one in enumerate(answers):
            for key, code in one.items():
                if code is not None:
                    row = form.row(key)
                    codes[row, column] = form.items[row].answers[answer_key(code)]
        return codes

    return convert


@pytest.fixture(scope="session")
def book(school):
    return Book(school)

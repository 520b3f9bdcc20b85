"""A made-up pupil's file: what the machine and what people enter, in the words of a test."""

import datetime as dt

import pytest

from mhscreen.ledger.fold import CaseRules, fold_entries
from mhscreen.ledger.record import complete_draft

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

    def enter(self, kind, on, *names, about="A1", by="t-07", role="psych_teacher", **fields):
        draft = {
            "entry_type": kind, "pupil_ref": about, "author": by, "role": role,
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
def book(school):
    return Book(school)

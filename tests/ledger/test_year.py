"""A year of a synthetic city, played through the command line.

Four schools are screened in autumn and again in spring. Staff work through the list that the
ledger gives them; some forms come late, one pupil changes school, one leaves and returns, one
family withdraws its consent. Month after month the books are closed and checked.
"""

import csv
import datetime as dt
import json
from itertools import pairwise
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from typer.testing import CliRunner

from mhscreen import fold
from mhscreen.cli import app
from mhscreen.interop.files import write_csv
from mhscreen.ledger.stores import open_ledger
from mhscreen.simulation import simulate_pupils
from mhscreen.vocabulary import CaseStatus

pytestmark = pytest.mark.slow

PROGRAMME = "qingdao-2023@1"
ZONE = ZoneInfo("Asia/Shanghai")
SCHOOLS = {"primary": "P1", "junior": "J1", "senior": "S1", "vocational": "V1"}
PUPILS = 64
MONTHS = [f"2026-{m:02}" for m in range(10, 13)] + [f"2027-{m:02}" for m in range(1, 9)]
OPEN = set(CaseStatus) - {CaseStatus.NO_CASE, CaseStatus.CLOSED, CaseStatus.CLOSED_WATCH}
STEADY = dict.fromkeys(("emotion", "behaviour", "social", "academic"), "unchanged")
PLANS = {"growth_plan": "growth", "individual_plan": "individual", "crisis_plan": "crisis"}
LOWER = {"major": "severe", "severe": "general", "general": "watch"}


class City:
    """The city's ledger, and the people who work on it."""

    def __init__(self, plan, folder):
        self.plan, self.folder = plan, folder
        self.ledger = f"sqlite:///{folder / 'ledger.db'}"
        self.handed_in = []  # every file that was ever appended

    def run(self, *arguments, ends_with=(0,)):
        result = CliRunner().invoke(app, [str(one) for one in arguments])
        assert result.exit_code in ends_with, (arguments, result.output)
        return result.stdout

    # -- what the ledger says ---------------------------------------------------------------------

    def entries(self):
        return list(open_ledger(self.ledger).entries())

    def cases(self):
        return fold(self.entries())

    def rows(self, name, *arguments, ends_with=(0, 1)):
        out = self.folder / f"{name}.csv"
        self.run(
            "ledger", name, "--ledger", self.ledger, *arguments, "--out", out, ends_with=ends_with
        )
        with out.open(encoding="utf-8-sig", newline="") as file:
            return list(csv.DictReader(file))

    # -- screening --------------------------------------------------------------------------------

    def simulate(self, name, seed, on):
        made = simulate_pupils(self.plan, PUPILS, np.random.default_rng(seed), on=on)
        roster = dict(made.roster)
        roster["school"] = [SCHOOLS[str(stage)] for stage in roster["stage"]]
        place = self.folder / name
        (place / "answers").mkdir(parents=True)
        write_csv(roster, place / "pupils.csv")
        for slot, columns in made.responses.items():
            write_csv(columns, place / "answers" / f"{slot}.csv")
        return place

    def screen(self, place, at, out):
        files = ("--roster", place / "pupils.csv", "--responses", place / "answers")
        self.run("screen", "--programme", PROGRAMME, *files, "--at", at, "--out", out,
                 ends_with=(0, 1))  # fmt: skip
        self.append(out / "ledger.jsonl")

    def append(self, file, *arguments):
        self.handed_in.append(file)
        return self.run("ledger", "append", file, "--ledger", self.ledger, *arguments)

    # -- people -----------------------------------------------------------------------------------

    def enter(self, drafts, at):
        if not drafts:
            return
        file = self.folder / f"drafts-{len(self.handed_in)}.jsonl"
        file.write_text("".join(f"{json.dumps(one)}\n" for one in drafts), "utf-8")
        self.append(file, "--programme", PROGRAMME, "--at", at)

    def draft(self, what, who, at, names=(), role="psych_teacher", **fields):
        return {
            "entry_type": what, "pupil_ref": who, "occurred_at": f"{at}+08:00",
            "author": f"staff-{role}", "role": role, "names": list(names), **fields,
        }  # fmt: skip

    def work(self, at, *, leave_out=()):
        """Do what the list says, and decide on what was seen."""
        rows = self.rows("due", "--on", at)
        todo = [row for row in rows if row["pupil"] not in leave_out]
        first = [self.answer(row, at) for row in todo if row["action"] != "set_tier"]
        self.enter([one for one in first if one is not None], at)
        talks = {
            name: entry
            for entry in self.entries()
            if entry["entry_type"] == "interview"
            for name in entry["names"]
        }
        screenings = {
            entry["entry_id"]: entry
            for entry in self.entries()
            if entry["entry_type"] == "screening"
        }
        decisions = []
        for row in todo:
            if row["action"] == "set_tier":
                screening = screenings[row["because"]]
                tier = screening["established_tier"]
                tier = "watch" if tier == "none" else tier
                named = [screening["entry_id"], talks[screening["entry_id"]]["entry_id"]]
                decisions.append(
                    self.draft("tier_change", row["pupil"], at, named, case_tier=tier,
                               previous_tier=None, basis="interview", reason="confirmed")
                )  # fmt: skip
        self.enter(decisions, at)

    def answer(self, row, at):
        pupil, role = row["pupil"], row["by"]
        make = {
            "interview": {"channel": "in_person", "conclusion": "psych_teacher_steps_in",
                          "asked": [{"about": "suicide_ideation", "answer": "no"}]},
            "notification": {"to": row["to"], "channel": "in_person", "response": "informed"},
            "referral": {"institution": "Designated hospital", "green_channel": True,
                         "slip_signed": True, "attended": True, "outcome": "outpatient"},
            "plan": {"kind": PLANS.get(row["action"], "growth"), "state": "agreed",
                     "next_review_on": None},
            "follow_up": {"number": 1, "observations": STEADY},
            "intervention": {"method": "environment"},
        }  # fmt: skip
        if row["held"] == "true" or row["does"] not in make:
            return None
        names = [row["because"]] if row["action"] in {"see_pupil", "stay_with_pupil"} else []
        return self.draft(row["does"], pupil, at, names, role, **make[row["does"]])

    def talk_with_everybody(self, at):
        cases = self.cases()
        self.enter(
            [
                self.draft("talk", case.pupil_ref, at, role="class_teacher", channel="in_person")
                for case in cases
                if at < "2027-03" or case.pupil_ref != self.people["withdrawn"]
            ],
            at,
        )

    def close_month(self, period):
        out = self.folder / "months" / period
        self.run("ledger", "month", period, "--ledger", self.ledger, "--out", out,
                 ends_with=(0, 1))  # fmt: skip
        sheets = {}
        for file in out.glob("*.csv"):
            with file.open(encoding="utf-8-sig", newline="") as opened:
                sheets[file.stem] = list(csv.DictReader(opened))
        return sheets


@pytest.fixture(scope="module")
def year(plan, tmp_path_factory):
    """Play the year; return the city and the sheets of each month."""
    city = City(plan, tmp_path_factory.mktemp("city"))
    city.run_inputs = {}
    autumn = city.simulate("autumn", 5, dt.date(2026, 10, 15))
    city.run_inputs["autumn"] = (autumn, "2026-10-15T08:00:00+08:00")
    city.screen(autumn, "2026-10-15T08:00:00+08:00", city.folder / "run-autumn")
    city.published = city.run("ledger", "verify", "--ledger", city.ledger)

    city.work("2026-10-15T14:00:00")
    city.work("2026-10-16T10:00:00")
    city.work("2026-10-22T10:00:00")
    city.people = pick(city)
    sheets = {"2026-10": city.close_month("2026-10")}

    # Those who were absent hand in their forms in November: the entry is superseded.
    late = city.simulate("late", 11, dt.date(2026, 11, 3))
    city.screen(late, "2026-11-03T08:00:00+08:00", city.folder / "run-late")
    for month in MONTHS[1:]:
        city.month = month
        events(city, month)
        for day in ("04", "18"):
            city.work(f"{month}-{day}T10:00:00", leave_out=city.people["forgotten"])
        lower_and_close(city, month)
        if month in {"2026-11", "2027-05"}:
            city.talk_with_everybody(f"{month}-26T10:00:00")
        sheets[month] = city.close_month(month)
    return city, sheets


def pick(city):
    """Choose who changes school, who goes on leave, whose family withdraws, who is forgotten."""
    cases = city.cases()
    severe = [case.pupil_ref for case in cases if case.case_tier in {"severe", "major"}]
    calm = [case.pupil_ref for case in cases if case.status is CaseStatus.NO_CASE]
    watched = [case.pupil_ref for case in cases if case.case_tier == "watch"]
    return {
        "leaver": severe[0], "mover": watched[0], "withdrawn": calm[0],
        "forgotten": {watched[1]}, "impatient": severe[1],
    }  # fmt: skip


def events(city, month):
    people = city.people
    to_org = {
        "city": "",
        "district": "",
        "school": "J2",
        "stage": "junior",
        "grade": 8,
        "class": "",
    }
    move = {"to_org": to_org, "reason": "change_of_school"}
    if month == "2026-11":
        city.enter(
            [
                city.draft("leave_return", people["leaver"], "2026-11-20T09:00:00",
                           event="leave_began", attendance="leave_of_absence"),
                city.draft("tier_change", people["impatient"], "2026-11-06T09:00:00",
                           case_tier="watch", previous_tier=None,
                           basis="interview", reason="improved"),
            ],
            "2026-11-20T10:00:00",
        )  # fmt: skip
    if month == "2027-01":
        city.enter([city.draft("transfer", people["mover"], "2027-01-08T09:00:00", state="sent",
                               **move)], "2027-01-08T10:00:00")  # fmt: skip
    if month == "2027-02":
        city.enter([city.draft("transfer", people["mover"], "2027-02-20T09:00:00",
                               state="acknowledged", **move)], "2027-02-20T10:00:00")  # fmt: skip
    if month == "2027-03":
        city.enter(
            [
                city.draft("leave_return", people["leaver"], "2027-03-01T09:00:00",
                           event="returned", attendance="present",
                           documents=["hospital_document", "school_assessment"]),
                city.draft("consent", people["withdrawn"], "2027-03-02T09:00:00",
                           role="class_teacher", pupil="unknown", guardian="withdrawn",
                           basis="consent"),
            ],
            "2027-03-02T10:00:00",
        )  # fmt: skip
        spring = city.simulate("spring", 23, dt.date(2027, 3, 10))
        city.screen(spring, "2027-03-10T08:00:00+08:00", city.folder / "run-spring")
        city.work("2027-03-10T14:00:00", leave_out=people["forgotten"])
    if month == "2027-04":
        city.run("ledger", "erase", "--ledger", city.ledger, "--pupil", people["withdrawn"],
                 "--ground", "consent_withdrawn", "--author", "staff-head", "--role", "head",
                 "--approved-by", "staff-deputy", "--programme", PROGRAMME,
                 "--at", "2027-04-02T10:00:00")  # fmt: skip


def lower_and_close(city, month):
    """Lower what was stable for months by one step, with a reviewer; close what is only watched."""
    if month not in {"2027-01", "2027-06", "2027-07", "2027-08"}:
        return
    at = f"{month}-27T10:00:00"
    drafts = []
    for case in city.cases():
        if case.to_confirm or case.status not in OPEN or case.pupil_ref in city.people["forgotten"]:
            continue
        tier = str(case.case_tier)
        if tier in LOWER:
            drafts.append(
                city.draft("tier_change", case.pupil_ref, at, case_tier=LOWER[tier],
                           previous_tier=tier, basis="team_review", reason="improved",
                           reviewer="staff-deputy")
            )  # fmt: skip
        elif tier == "watch" and month == "2027-08":
            drafts.append(city.draft("closure", case.pupil_ref, at, reason="stable",
                                     status="closed_watch"))  # fmt: skip
    city.enter(drafts, at)


# -- what must hold -------------------------------------------------------------------------------


def test_the_ledger_verifies_after_a_year_and_still_holds_its_first_state(year):
    city, _ = year
    city.run("ledger", "verify", "--ledger", city.ledger)
    root = next(word for word in city.published.split() if word.startswith("sha256:"))
    city.run("ledger", "verify", "--ledger", city.ledger, "--root", root)


def test_entering_everything_again_adds_nothing(year):
    city, _ = year
    before = city.run("ledger", "verify", "--ledger", city.ledger)
    city.run("ledger", "append", *city.handed_in, "--ledger", city.ledger,
             "--programme", PROGRAMME, "--at", "2027-09-01")  # fmt: skip
    assert city.run("ledger", "verify", "--ledger", city.ledger) == before


def test_each_pupil_of_the_city_stands_on_the_books_of_one_school_each_month(year):
    _, sheets = year
    for month, one in sheets.items():
        schools = {row["school"]: int(row["pupils"]) for row in one["schools"]}
        assert sum(schools.values()) == PUPILS, month


def test_what_is_open_at_the_end_of_a_month_is_carried_into_the_next(year):
    city, sheets = year
    for before, after in pairwise(MONTHS):
        carried = {row["pupil"] for row in sheets[before]["carried_forward"]}
        now = {row["pupil"] for row in sheets[after]["carried_forward"]}
        ended = {row["pupil"] for row in sheets[after]["closed"]}
        settled = {row["pupil"] for row in sheets[after]["moved"]} | undecided(sheets[before])
        assert carried - now <= ended | settled | {city.people["withdrawn"]}, after


def undecided(sheets):
    """Return pupils whose forms left something open, which later forms settled."""
    return {row["pupil"] for row in sheets["carried_forward"] if not row["case_tier"]}


def test_nobody_who_asks_for_a_decision_is_without_somebody_who_has_to_make_it(year):
    city, _ = year
    for case in city.cases():
        waiting = {action.because for action in case.open_actions if action.id == "set_tier"}
        assert waiting == set(case.to_confirm)


def test_a_pupil_whom_everybody_forgets_is_overdue_month_after_month(year):
    city, sheets = year
    (forgotten,) = city.people["forgotten"]
    for month in MONTHS[2:]:
        assert forgotten in {row["pupil"] for row in sheets[month]["overdue"]}, month


def test_whoever_is_not_screened_by_the_deadline_is_named(year):
    _, sheets = year
    rows = {row["stage"]: row for row in sheets["2026-10"]["coverage"]}
    assert rows["primary"]["deadline"] == "2026-09-30"
    assert rows["junior"]["deadline"] == "2026-10-31"
    missing = sum(int(row["not_screened"]) for row in sheets["2026-10"]["coverage"])
    assert missing == len(sheets["2026-10"]["not_screened"])


def test_one_talk_per_pupil_and_term_is_asked_for(year):
    _, sheets = year
    assert len(sheets["2026-10"]["without_talk"]) == PUPILS
    assert len(sheets["2026-11"]["without_talk"]) == 0
    assert len(sheets["2027-03"]["without_talk"]) > 0


def test_nobody_is_lowered_but_by_a_named_persons_decision(year):
    city, _ = year
    deciding = {one["entry_id"] for one in city.entries() if one["entry_type"] == "tier_change"}
    for case in city.cases():
        assert {decision.entry_id for decision in case.decisions} <= deciding
        assert all(decision.author.startswith("staff-") for decision in case.decisions)


def test_an_impatient_decision_took_no_effect_and_is_on_record(year):
    city, _ = year
    case = city.cases()[city.people["impatient"]]
    assert "MH803" in {problem.code for problem in case.problems}
    assert case.decisions[1].at > dt.datetime(2026, 12, 1, tzinfo=ZONE)


def test_the_two_screenings_of_the_year_stand_in_one_case(year):
    city, _ = year
    both = [case for case in city.cases() if len(case.current) == 2]
    assert len(both) == PUPILS - 1
    assert any(len(case.decisions) > 1 for case in both)


def test_a_pupil_who_changes_school_is_carried_by_the_sending_school_until_received(year):
    city, sheets = year
    place = {
        month: {row["pupil"]: row["school"] for row in one["carried_forward"]}
        for month, one in sheets.items()
    }
    mover = city.people["mover"]
    assert place["2027-01"][mover] in SCHOOLS.values()
    assert place["2027-02"][mover] == "J2"


def test_a_pupil_on_leave_is_on_leave_until_the_return(year):
    city, sheets = year
    status = {
        month: {row["pupil"]: row["status"] for row in one["carried_forward"]}
        for month, one in sheets.items()
    }
    leaver = city.people["leaver"]
    assert status["2026-12"][leaver] == "on_leave"
    assert status["2027-02"][leaver] == "on_leave"
    assert status["2027-04"][leaver] not in {"on_leave", "closed"}


def test_what_was_erased_is_gone_but_for_its_hash(year):
    city, _ = year
    kinds = [
        one["entry_type"] for one in open_ledger(city.ledger).entries(city.people["withdrawn"])
    ]
    assert kinds == ["erasure"]
    assert city.cases()[city.people["withdrawn"]].status is CaseStatus.NO_CASE


def test_the_year_ends_with_cases_that_were_closed(year):
    city, sheets = year
    assert sheets["2027-08"]["closed"]
    assert any(case.status is CaseStatus.CLOSED_WATCH for case in city.cases())


def test_the_ledgers_a_to_d_hold_what_the_map_says(year):
    city, _ = year
    kinds = {letter: {row["entry_type"] for row in ledger_rows(city, letter)} for letter in "ABC"}
    assert "screening" in kinds["A"]
    assert {"interview", "tier_change", "follow_up"} <= kinds["B"]
    assert {"notification", "referral", "leave_return"} <= kinds["C"]


def ledger_rows(city, letter):
    out = city.folder / f"ledger-{letter}.csv"
    city.run("ledger", "views", letter, "--ledger", city.ledger, "--out", out)
    with out.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def test_the_first_screening_is_replayed_byte_for_byte_at_the_end_of_the_year(year):
    city, _ = year
    place, at = city.run_inputs["autumn"]
    files = ("--roster", place / "pupils.csv", "--responses", place / "answers")
    said = city.run(
        "ledger", "replay", "--ledger", city.ledger, "--programme", PROGRAMME, *files, "--at", at
    )
    assert str(PUPILS - 1) in said

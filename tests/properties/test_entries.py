"""What is written for a district is what the models of entries would say, pupil by pupil."""

import datetime as dt
import hashlib
from itertools import chain
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mhscreen import compile_plan, screen, shipped_library, simulate
from mhscreen._version import __version__
from mhscreen.entries.canonical import canonical_json, entry_id, entry_line, whole
from mhscreen.entries.parts import SCHEMA_VERSION, Organisation
from mhscreen.entries.pseudonyms import pseudonym
from mhscreen.entries.screening import (
    CriticalFinding,
    Form,
    Provenance,
    ReasonEvidence,
    ScoreEntry,
    ScreeningEntry,
    TierReason,
    UndecidedRule,
)
from mhscreen.kernels.codes import FIRST_MISSING, is_unanswered
from mhscreen.steps.calendar import calendar_status
from mhscreen.steps.cells import local_moments
from mhscreen.steps.emit import emit, see_first
from mhscreen.steps.entry_texts import EntryWriter
from mhscreen.vocabulary import (
    Attendance,
    LedgerClass,
    ProblemClass,
    Requirement,
    ScreenTier,
    Sex,
    Stage,
    Tier,
    Validity,
)

HOLDS, UNDECIDED = 2, 1
KEY = bytes(range(32))


@pytest.fixture(autouse=True)
def evidence_is_shared_from_the_second_pupil_on(monkeypatch):
    """Of a few pupils each is asked for the evidence, which would show nothing here."""
    monkeypatch.setattr("mhscreen.steps.entry_reasons._FEW", 0)


def models(entries):
    """Return the entries as models, made one pupil at a time and without hurry."""
    return [OnePupil(entries, place).entry() for place in range(len(entries))]


class OnePupil:
    """Makes the entry of one pupil."""

    def __init__(self, entries, place):
        self.entries, self.place = entries, place
        self.triage = entries.triage
        self.plan = self.triage.plan
        self.scores = self.triage.normed.scores
        self.batch = self.scores.batch
        self.zone = ZoneInfo(self.plan.programme.zone)

    def local(self, moment):
        if np.isnat(moment):
            return None
        return moment.astype(dt.datetime).replace(tzinfo=dt.UTC).astimezone(self.zone).isoformat()

    def roster(self, name):
        return getattr(self.batch.roster, name)[self.place]

    def term(self, terms, name):
        return None if self.roster(name) < 0 else terms.at(int(self.roster(name)))

    def forms_of(self, slot):
        return np.flatnonzero(self.batch.forms[slot].pupil == self.place).tolist()

    def entry(self):
        triage, plan, cycle = self.triage, self.plan, self.entries.cycle
        at = self.local(self.entries.at)
        due = self.local(triage.due_at(self.entries.at)[self.place])
        roster, answers, evidence = self.digests()
        reference = self.roster("subject")
        if self.entries.key is not None:
            reference = pseudonym(reference, self.entries.key)
        established = Tier.at(int(triage.established[self.place]))
        shown = ScreenTier.at(int(triage.screen[self.place]))
        reasons = triage.reasons_at(self.place)
        programme = plan.programme
        grade = int(self.roster("grade"))
        return ScreeningEntry(
            schema_version=SCHEMA_VERSION,
            entry_id=entry_id(
                "screening", programme.ref, cycle.id, reference, evidence, plan.pins_digest
            ),
            supersedes=None,
            entry_type="screening",
            programme=programme.ref,
            cycle_id=cycle.id,
            period=cycle.period,
            term=cycle.term,
            ledger_class=[
                name
                for name in LedgerClass
                if name in programme.ledger_map
                and (
                    "screening" in programme.ledger_map[name].entry_types
                    or established in programme.ledger_map[name].tiers
                )
            ],
            org=Organisation(
                **{name: self.roster(name) for name in ("city", "district", "school")},
                **{"class": self.roster("class_"), "stage": self.term(Stage, "stage")},
                grade=grade if grade >= 0 else None,
            ),
            pupil_ref=reference,
            age=self.age(),
            sex=self.term(Sex, "sex"),
            attendance=self.term(Attendance, "status"),
            occurred_at=at,
            recorded_at=at,
            source="census",
            instruments=list(self.instruments()),
            critical_items=list(self.critical_items()),
            screen_tier=shown,
            screen_tier_label={"en": shown.en, "zh": shown.zh},
            established_tier=established,
            possible_tier=Tier.at(int(triage.possible[self.place])),
            flags=triage.flags_of(self.place),
            tier_reasons=[self.reason(one) for one in reasons if one.holds],
            undecided=[self.undecided(one) for one in reasons if not one.holds],
            problem_classes=[
                one
                for one in ProblemClass
                if any(reason.holds and one in reason.rule.classes for reason in reasons)
            ],
            not_asked=[
                concern
                for concern, where in zip(plan.policy.concerns, triage.not_asked, strict=True)
                if where[self.place]
            ],
            assignee=None if due is None else see_first(triage)[self.place],
            due_at=due,
            help_line=programme.help_line,
            confidentiality="restricted" if established in (Tier.SEVERE, Tier.MAJOR) else "routine",
            provenance=Provenance(
                engine=__version__,
                policy=plan.policy.ref,
                approved_by=plan.policy.approved_by,
                definitions=plan.pins_digest,
                norms=sorted({norm.ref for norm in plan.norms if self.forms_of(norm.slot)}),
                evidence=evidence,
                roster=roster,
                answers=answers,
                calendar=None
                if due is None
                else calendar_status(programme, dt.datetime.fromisoformat(due).date()),
            ),
            author="mhscreen",
            prev_hash=None,
            hash="sha256:" + "0" * 64,
        )

    def age(self):
        today = local_moments(np.array([self.entries.at]), self.plan.programme.zone)
        roster = self.batch.roster
        age = float(roster.ages(np.repeat(today, len(roster)))[self.place].round(2))
        return None if np.isnan(age) else age

    def digests(self):
        """Return the digests of roster line, answers, and both."""
        line = [
            self.roster(name)
            for name in (
                "city", "district", "school", "class_", "dormitory", "stage", "grade", "sex",
                "status", "birth_date", "age", "error", "duplicate",
            )
        ]  # fmt: skip
        parts = []
        for slot, form in enumerate(self.plan.forms):
            bound = self.batch.forms[slot]
            for row in self.forms_of(slot):
                codes = hashlib.sha256(bytes(bound.codes[:, row].tolist())).hexdigest()
                time = int(bound.administered_on[row].astype(np.int64))
                timed = form.quality is not None and form.quality.uses_time
                end = f":{float(bound.duration_s[row])}" if timed else ""
                parts.append(f"{form.slot}:{codes}:{time}{end}")
        roster = sha256("\x1f".join([str(one) for one in [*line, self.batch.identity[self.place]]]))
        answers = sha256("\x1f".join(sorted(parts)))
        return roster, answers, sha256(roster + answers)

    def instruments(self):
        for slot, form in enumerate(self.plan.forms):
            shown = int(self.scores.shown[slot, self.place])
            use = Requirement.at(int(self.plan.uses[self.roster("group"), slot]))
            if shown < 0 and use is not Requirement.REQUIRED:
                continue
            same = {
                "slot": form.slot, "instrument": form.ref, "informant": form.informant, "use": use,
            }  # fmt: skip
            if shown < 0:
                yield Form(
                    **same, filed=False, forms=0, complete=False, validity=None,
                    submitted_at=None, scores={},
                )  # fmt: skip
                continue
            scored = self.scores.forms[slot]
            filed = bool(scored.filed[shown])
            yield Form(
                **same,
                filed=filed,
                forms=len(self.forms_of(slot)),
                complete=bool(scored.complete[shown]),
                validity=Validity.at(int(scored.validity[shown])) if filed else None,
                submitted_at=self.local(self.batch.forms[slot].administered_on[shown]),
                scores={
                    scale.scale: score_entry(plan, scale, shown)
                    for plan, scale in zip(form.scales, scored.scales, strict=True)
                },
            )

    def critical_items(self):
        for slot, form in enumerate(self.plan.forms):
            scored = self.scores.forms[slot]
            for number, item in enumerate(form.critical):
                found = []
                for row in self.forms_of(slot):
                    code, truth = scored.codes[item.row, row], scored.critical[number, row]
                    score = None
                    if code < FIRST_MISSING:
                        score = int(form.items[item.row].scores[code])
                    if truth == HOLDS or (truth == UNDECIDED and is_unanswered(code)):
                        found.append((truth == HOLDS, score))
                if found:
                    positive, score = max(found, key=lambda one: (one[0], one[1] or 0))
                    yield CriticalFinding(
                        slot=form.slot, item=item.item, concern=item.concern, window=item.window,
                        days=item.days, directness=item.directness,
                        state="positive" if positive else "unanswered", score=score,
                    )  # fmt: skip

    def reason(self, one):
        return TierReason(
            rule=one.rule.id,
            tier=one.tier,
            because=one.rule.because,
            classes=one.rule.classes,
            source=one.rule.source,
            certainty=one.rule.evidence,
            evidence=[
                ReasonEvidence(
                    name=found.name, slot=found.slot, metric=found.metric, value=found.value,
                    low=found.low, high=found.high,
                    comparison="at_or_above" if found.upwards else "at_or_below", cut=found.cut,
                    value_label=self.words(found, found.value),
                    cut_label=self.words(found, found.cut), invalid_form=found.invalid_form,
                )
                for found in one.evidence
            ],
        )  # fmt: skip

    def words(self, found, value):
        """Return the words of an answer whose code is a word."""
        if found.metric != "item_score":
            return None
        name, _, item = found.name.partition(".")
        said = [
            option.label
            for option in self.plan.instruments[name].options(item).options
            if isinstance(option.code, str) and option.item_score == value
        ]
        return said[-1] if said else None

    def undecided(self, one):
        opened = [f"{found.slot}: {found.name}" for found in one.evidence]
        return UndecidedRule(
            rule=one.rule.id,
            tier=one.tier,
            because=one.rule.because,
            open=list(dict.fromkeys(opened)),
        )


def sha256(text):
    return "sha256:" + hashlib.sha256(text.encode()).hexdigest()


def score_entry(plan, scale, row):
    score, low, high = (float(values[row]) for values in (scale.score, scale.low, scale.high))
    category = int(scale.category[row])
    return ScoreEntry(
        score=None if np.isnan(score) else score,
        answered=int(scale.answered[row]),
        low=None if np.isnan(low) else low,
        high=None if np.isnan(high) else high,
        category=None if category < 0 else plan.categories[category],
        category_label=None if category < 0 else plan.labels[category],
    )


def without_points(document):
    """Return a document with whole numbers as RFC 8785 writes them."""
    if isinstance(document, dict):
        return {key: without_points(value) for key, value in document.items()}
    if isinstance(document, list):
        return [without_points(value) for value in document]
    return whole(document) if isinstance(document, float) else document


def expected_lines(entries):
    """Return the lines that the models would be written as."""
    for model in models(entries):
        document = model.model_dump(mode="json", by_alias=True)
        del document["hash"]
        yield entry_line(without_points(document))


def assert_as_models(entries):
    assert list(entries.lines()) == list(expected_lines(entries))


@given(st.data())
@settings(max_examples=25)
def test_what_is_written_equals_what_the_models_would_say(school, made_up, data):
    assert_as_models(school.screen(*data.draw(made_up.pupils())).entries)


def test_pupils_with_several_forms_are_cited_with_their_own(school):
    # What is shown is the same form; the rule holds by the other one.
    low = dict.fromkeys((f"q{n}" for n in range(1, 8)), 3)
    pupils = [
        school.pupil(
            f"A{number}",
            forms={"phqa": [school.calm("phqa", q9=1), school.calm("phqa", **low, q8=number)]},
        )
        for number in range(4)
    ]
    entries = school.screen(*pupils).entries
    assert_as_models(entries)
    totals = [
        {found["value"] for rule in entry["tier_reasons"] for found in rule["evidence"]}
        for entry in entries
    ]
    assert [{21 + number} <= found for number, found in enumerate(totals)] == [True] * 4


def test_what_is_missed_depends_on_what_was_to_be_filed(school):
    asked = {"asq": school.calm("asq", q1=None)}
    pupils = [
        school.pupil("A1", forms={"phqa": None, "gad7": None, **asked}),
        school.pupil("A2", stage="primary", grade=5, forms={"dsrsc": None, **asked}),
    ]
    entries = school.screen(*pupils).entries
    assert_as_models(entries)
    opened = [{what for rule in entry["undecided"] for what in rule["open"]} for entry in entries]
    assert opened[0] != opened[1]


def damaged(roster, answers, seed):
    """Return a district with every kind of bad input, as dicts of lists."""
    rng = np.random.default_rng(seed)
    roster = {name: list(values) for name, values in roster.items()}
    number = len(roster["subject"])

    def some(share=0.04):
        return np.flatnonzero(rng.random(number) < share).tolist()

    odd = ('"甲"', "tab\tand\nline", " ", "\x1f", "\\", None)
    for name in ("school", "class", "grade", "stage", "sex", "birth_date"):
        for row in some():
            roster[name][row] = str(rng.choice([one or "" for one in odd])) or None
    for name in ("city", "district", "dormitory"):
        roster[name] = [odd[rng.integers(len(odd))] for _ in range(number)]
    roster["age"] = [[None, 12.5, 13, -0.0, 8.04, "old"][rng.integers(6)] for _ in range(number)]
    roster["status"] = [[None, "present", "absent", "请假"][rng.integers(4)] for _ in range(number)]
    for row in some(0.02):
        roster["subject"][row] = roster["subject"][row - 1]
    for row in some(0.02):
        roster["subject"][row] = 'odd "ref" \\ 学' + str(row)
    tables = {}
    for slot, columns in answers.items():
        table = {name: list(values) for name, values in columns.items()}
        rows = len(table["subject"])
        kept = rng.permutation(rows)[: rows - rows // 10]
        again = rng.integers(0, rows, max(rows // 10, 1)) if rows else []
        table = {name: [values[row] for row in (*kept, *again)] for name, values in table.items()}
        for name, values in table.items():
            for row in np.flatnonzero(rng.random(len(values)) < 0.03).tolist():
                values[row] = {
                    "subject": f"nobody{rng.integers(4)}",
                    "administered_on": ["2026-10-09 07:30:11", None, "soon"][rng.integers(3)],
                }.get(name, [None, 99, "refused", 1][rng.integers(4)])
        table["duration_s"] = [
            [None, 12.25, 600, 1e17, "fast", -1][rng.integers(6)] for _ in table["subject"]
        ]
        tables[slot] = table
    return roster, tables


@pytest.fixture(scope="module", params=["qingdao-2023@1", "sdq-three-informants@1"])
def programme(request):
    return compile_plan(shipped_library(), programme=request.param)


@pytest.fixture(scope="module", params=range(3))
def bad(request, programme):
    roster, answers = simulate(programme, 60, seed=request.param, like={})
    roster, answers = damaged(roster, answers, request.param)
    at = ["2026-10-15", "2027-03-02T23:59:59", "2099-07-01"][request.param]
    return screen(programme, roster=roster, responses=answers, at=at, on_problem="report")


def test_bad_input_of_every_kind_is_written_as_the_models_would_say(bad):
    assert_as_models(bad.entries)
    assert bad.problems


def test_forms_off_the_roster_are_written_as_the_models_would_say(bad):
    assert len(bad.unmatched)
    assert_as_models(bad.unmatched)


def test_pseudonyms_are_written_as_the_models_would_say(bad):
    assert_as_models(emit(bad.triage.plan, bad.triage, bad.at, key=KEY))


def test_how_many_entries_are_written_at_once_changes_no_byte(bad):
    entries = bad.entries
    writer = EntryWriter(entries.triage, entries.at, entries.cycle, None)
    at_once = list(entries.blocks())
    for pupils, lines in ((1, 1), (7, 3), (16, 100), (100, 9)):
        found = list(writer.blocks(pupils=pupils, lines=lines))
        assert max(len(one.ids) for one in found) <= lines
        for name in ("ids", "hashes", "bodies"):
            apart, together = (
                list(chain.from_iterable(getattr(one, name) for one in blocks))
                for blocks in (found, at_once)
            )
            assert apart == together


def test_each_line_has_its_id_and_its_hash(bad):
    for one, document in zip(bad.entries.sealed(), bad.entries, strict=True):
        assert (one.entry_id, one.hash) == (document["entry_id"], document["hash"])
        assert document["hash"] == sha256(
            canonical_json({key: document[key] for key in document if key != "hash"})
        )

"""Explain a screening entry: what it shows, why, what is open, and who acts by when.

The entry alone is read, so that a ledger can be explained years later without definitions. Of
single answers only those appear that a rule rests on.
"""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING, Any

from mhscreen.explain.words import phrase
from mhscreen.problems import UsageError
from mhscreen.vocabulary import (
    Attendance,
    Concern,
    Directness,
    Evidence,
    Flag,
    Informant,
    Metric,
    Reader,
    Requirement,
    Role,
    ScreenTier,
    Stage,
    Term,
    Tier,
    Validity,
    Window,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

__all__ = ["explain_entry"]

Part = dict[str, Any]
_UNSETTLING = {Flag.ERROR, Flag.IDENTITY, Flag.INVALID, Flag.WRONG_STAGE}
_DIGEST = len("sha256:") + 12  # enough to tell two apart by eye


def explain_entry(
    entry: Mapping[str, Any],
    language: str = "en",
    *,
    reader: Reader | str = Reader.COUNSELLOR,
    help_line: str | None = None,
) -> str:
    """Explain a screening entry, as deep as its reader needs it.

    Parameters
    ----------
    entry : mapping
        A line of the ledger, as parsed from JSON.
    language : {"en", "zh"}
        English or Simplified Chinese.
    reader : Reader or str
        ``"pupil"`` and ``"guardian"``: no score, no rule, no tier, and where to find help; word to
        a guardian is held where abuse is suspected. ``"teacher"``: what to do by when.
        ``"counsellor"``: which rules hold, which are undecided, and why. ``"auditor"``: the same
        with everything that the entry rests on.
    help_line : str, optional
        The site's own text about where to find help; by default that of the entry.

    Returns
    -------
    str
        Several paragraphs, each with a heading; the lines below a heading are indented.

    Raises
    ------
    UsageError
        For another language or reader, or what is no screening entry.
    """
    if reader not in set(Reader):
        msg = f"reader is one of {', '.join(Reader)}, not {reader!r}"
        raise UsageError(msg)
    if language not in ("en", "zh"):
        msg = f"language is 'en' or 'zh', not '{language}'"
        raise UsageError(msg)
    if entry.get("entry_type") != "screening":
        msg = "this is no screening entry"
        raise UsageError(msg)
    try:
        return "\n".join(_DEPTHS[Reader(reader)](entry, language, help_line).lines())
    except KeyError as error:
        msg = f"the screening entry lacks {error}"
        raise UsageError(msg) from error
    except (AttributeError, TypeError, ValueError) as error:
        msg = "the screening entry cannot be read: it does not satisfy its schema"
        raise UsageError(msg) from error


class _Explanation:
    """One entry in one language."""

    def __init__(self, entry: Mapping[str, Any], language: str, help_line: str | None) -> None:
        self.entry = entry
        self.language = language
        self.help_line = help_line
        self.informants = {form["slot"]: form["informant"] for form in entry["instruments"]}

    def say(self, key: str, **parts: object) -> str:
        return phrase(key, self.language, **parts)

    def label(self, terms: type[Term], code: str) -> str:
        """Return the label of a code; a code of a later version stays as it is."""
        try:
            return terms(code).label(self.language)
        except ValueError:
            return code

    def join(self, parts: Iterable[str]) -> str:
        return ("；" if self.language == "zh" else "; ").join(parts)

    def listed(self, parts: Iterable[str]) -> str:
        return ("、" if self.language == "zh" else ", ").join(parts)

    def bracketed(self, text: str, inside: str) -> str:
        return f"{text}（{inside}）" if self.language == "zh" else f"{text} ({inside})"

    def pair(self, first: str, second: str) -> str:
        """Return two parts joined by a colon."""
        return f"{first}：{second}" if self.language == "zh" else f"{first}: {second}"

    def place(self, slot: str, what: str) -> str:
        """Return something in a slot, in words."""
        return f"{self.slot(slot)}{what}" if self.language == "zh" else f"{self.slot(slot)} {what}"

    def slot(self, name: str) -> str:
        """Return a slot in words: the questionnaire and who answered it."""
        instrument, _, informant = name.partition("@")
        who = self.informants.get(name, informant)
        return self.bracketed(instrument, self.label(Informant, who)) if who else instrument

    # -- paragraphs -------------------------------------------------------------------------------

    def paragraphs(self) -> Iterator[tuple[str, Iterable[str]]]:
        """Yield the heading and the lines of each paragraph."""
        yield "shown", self.shown()
        yield "contact", self.contact()
        yield "holds", self.holding()
        yield "undecided", self.undecided()
        yield "critical", self.critical()
        yield "forms", self.forms()
        yield "flags", [self.label(Flag, flag) for flag in self.entry["flags"]]
        yield "asking", self.asking()
        yield "basis", self.basis()
        yield "note", self.notes()

    def lines(self) -> Iterator[str]:
        yield from self.head()
        for key, body in self.paragraphs():
            paragraph = list(body)
            if paragraph:
                yield ""
                yield self.say(key)
                yield from (f"  {line}" for line in paragraph)

    def head(self) -> Iterator[str]:
        entry, org = self.entry, self.entry["org"]
        yield self.say("title", pupil=entry["pupil_ref"])
        where = [org["city"], org["district"], org["school"]]
        if org["stage"] is not None:
            where.append(self.label(Stage, org["stage"]))
        if org["grade"] is not None:
            where.append(self.say("grade", grade=org["grade"]))
        if org["class"]:
            where.append(self.say("class", class_=org["class"]))
        if entry["age"] is not None:
            where.append(self.say("age", age=entry["age"]))
        yield self.listed(part for part in where if part)
        yield self.say("when", time=_time(entry["occurred_at"]), cycle=entry["cycle_id"])

    def shown(self) -> Iterator[str]:
        entry = self.entry
        shown = entry["screen_tier"]
        established, possible = entry["established_tier"], entry["possible_tier"]
        yield self.label(ScreenTier, shown)
        if shown == ScreenTier.NOT_SCREENED:
            yield self.say("not_screened")
            if entry["attendance"] is not None:
                status = self.label(Attendance, entry["attendance"])
                yield self.say("attendance", status=status)
        elif shown == ScreenTier.UNDETERMINED:
            # Of several forms one is shown; it may be another whose validity is open.
            reasons = list(self.unsettled()) or [self.say("why_validity_open")]
            yield self.say("because", reasons=self.join(reasons))
        # Where no rule holds, the tier "none" would read as a finding beside 待核实 or 未测评.
        if established not in {shown, Tier.NONE}:
            yield self.say("established", tier=self.label(ScreenTier, established))
        if Tier(possible).position > Tier(established).position:
            yield self.say("possible", tier=self.label(ScreenTier, possible))
            for phrase_key, forms in (("not_filed", 0), ("blank_forms", 1)):
                slots = [
                    self.slot(form["slot"])
                    for form in entry["instruments"]
                    if form["use"] == Requirement.REQUIRED
                    and not form["filed"]
                    and min(form["forms"], 1) == forms
                ]
                if slots:
                    yield self.say(phrase_key, forms=self.listed(slots))
        if set(entry["flags"]) & _UNSETTLING:
            yield self.say("not_settled")
        elif possible == established and not self.validity_open():
            yield self.say("settled")

    def unsettled(self) -> Iterator[str]:
        entry = self.entry
        flags = set(entry["flags"])
        if any(item["state"] == "unanswered" for item in entry["critical_items"]):
            yield self.say("why_critical")
        if Flag.INVALID in flags:
            yield self.say("why_invalid")
        elif self.validity_open():
            yield self.say("why_validity_open")
        if Tier(entry["possible_tier"]).position >= Tier.GENERAL.position:
            yield self.say("why_possible")
        if flags & {Flag.ERROR, Flag.IDENTITY}:
            yield self.say("why_error")

    def validity_open(self) -> bool:
        """Return whether blanks leave open that a form is invalid."""
        return any(
            form["validity"] == Validity.INCOMPLETE and form["use"] != Requirement.NOT_USED
            for form in self.entry["instruments"]
        )

    def contact(self) -> Iterator[str]:
        entry = self.entry
        if entry["due_at"] is None:
            yield self.say("not_due")
        else:
            who = self.label(Role, entry["assignee"])
            yield self.say("due", who=who, time=_time(entry["due_at"]))
        if entry["confidentiality"] == "restricted":
            yield self.say("restricted")
        if any(
            item["concern"] == Concern.ABUSE and item["state"] == "positive"
            for item in entry["critical_items"]
        ):
            yield self.say("abuse")

    def holding(self) -> Iterator[str]:
        if not self.entry["tier_reasons"]:
            yield self.say("no_rule")
        for tier, reasons in _by_tier(self.entry["tier_reasons"]):
            yield self.label(ScreenTier, tier)
            for reason in reasons:
                yield self.rule(reason)
                for one in reason["evidence"]:
                    yield f"    {self.evidence(one)}"
                certainty = self.label(Evidence, reason["certainty"])
                yield f"    {self.say('source', source=reason['source'], certainty=certainty)}"

    def undecided(self) -> Iterator[str]:
        for tier, rules in _by_tier(self.entry["undecided"]):
            yield self.label(ScreenTier, tier)
            for rule in rules:
                yield self.rule(rule)
                parts: dict[str, list[str]] = {}
                for one in rule["open"]:
                    slot, _, name = one.partition(": ")
                    parts.setdefault(slot, []).append(name.partition(".")[2])
                still_open = self.join(
                    self.pair(self.slot(slot), self.listed(names)) for slot, names in parts.items()
                )
                yield f"    {self.say('open', open=still_open)}"

    def rule(self, rule: Part) -> str:
        return f"  • {self.bracketed(rule['because'][self.language], rule['rule'])}"

    def evidence(self, one: Part) -> str:
        name = one["name"].partition(".")[2]
        if one["metric"] == "item_score":
            what = self.say("item", name=name)
        elif one["metric"] == Metric.RAW:
            what = name
        else:
            what = f"{name} {self.label(Metric, one['metric'])}"
        label = one["value_label"]
        if one["value"] is not None and label is not None:
            value = label[self.language]
        elif one["value"] is not None and one["low"] != one["high"]:
            counted = one["metric"] == "item_score"
            value = self.say(
                "counted" if counted else "estimated",
                value=_number(one["value"]),
                low=_number(one["low"]),
                high=_number(one["high"]),
            )
        elif one["value"] is not None:
            value = _number(one["value"])
        elif one["low"] is not None:
            value = self.say("between", low=_number(one["low"]), high=_number(one["high"]))
        else:
            value = self.say("nothing")
        side = "or_more" if one["comparison"] == "at_or_above" else "or_less"
        words = one["cut_label"]
        cut = self.say(side, cut=_number(one["cut"]) if words is None else words[self.language])
        text = self.say("evidence", where=self.place(one["slot"], what), value=value, cut=cut)
        return text + (self.say("on_invalid") if one["invalid_form"] else "")

    def critical(self) -> Iterator[str]:
        for item in self.entry["critical_items"]:
            if item["window"] == Window.RECENT and item["days"] is not None:
                window = self.say("days", days=item["days"])
            else:
                window = self.label(Window, item["window"])
            what = [self.label(Concern, item["concern"]), window]
            what.append(self.label(Directness, item["directness"]))
            where = self.place(item["slot"], self.say("item", name=item["item"]))
            counted = item["state"] == "positive" and item["score"] is None
            state = self.say("counted_positive" if counted else item["state"])
            yield self.pair(self.bracketed(where, self.listed(what)), state)

    def forms(self) -> Iterator[str]:
        for form in self.entry["instruments"]:
            yield self.pair(self.slot(form["slot"]), self.join(self.state(form)))
            scores = [
                self.score(name, score)
                for name, score in form["scores"].items()
                if score["answered"] and form["use"] != Requirement.NOT_USED
            ]
            if scores:
                yield f"  {self.join(scores)}"

    def state(self, form: Part) -> Iterator[str]:
        if form["filed"]:
            yield self.say("complete" if form["complete"] else "incomplete")
        else:
            yield self.say("empty" if form["forms"] else "missing")
        if form["use"] == "not_used":
            yield self.say("not_used")
        if form["validity"] not in (None, Validity.VALID):
            yield self.label(Validity, form["validity"])
        if form["forms"] > 1:
            yield self.say("several", number=form["forms"])
        if form["submitted_at"] is not None:
            yield self.say("submitted", time=_time(form["submitted_at"]))

    def score(self, name: str, score: Part) -> str:
        if score["score"] is None:
            low, high = _number(score["low"]), _number(score["high"])
            return f"{name} {self.say('no_score', low=low, high=high)}"
        text = f"{name} {_number(score['score'])}"
        if score["low"] != score["high"]:
            bounds = {key: _number(score[key]) for key in ("low", "high")}
            text = f"{name} {self.say('estimated', value=_number(score['score']), **bounds)}"
        label = score["category_label"]
        return text if label is None else self.bracketed(text, label[self.language])

    def asking(self) -> Iterator[str]:
        concerns = [self.label(Concern, concern) for concern in self.entry["not_asked"]]
        if concerns:
            yield self.say("not_asked", concerns=self.listed(concerns))
        else:
            yield self.say("all_asked")

    def basis(self) -> Iterator[str]:
        entry, found = self.entry, self.entry["provenance"]
        yield self.say("programme", ref=entry["programme"])
        if found["approved_by"] is None:
            yield self.say("unsigned", ref=found["policy"])
        else:
            yield self.say("signed", ref=found["policy"], who=found["approved_by"])
        refs = dict.fromkeys(form["instrument"] for form in entry["instruments"])
        if refs:
            yield self.say("instruments", refs=self.listed(refs))
        yield self.say("engine", version=found["engine"], entry=entry["entry_id"])
        yield self.say(
            "digests",
            definitions=found["definitions"][:_DIGEST],
            evidence=found["evidence"][:_DIGEST],
        )

    def notes(self) -> Iterator[str]:
        yield self.say("no_diagnosis")
        yield self.say("person_decides")
        stated = self.entry["help_line"]
        text = self.help_line or (stated and stated[self.language])
        if text:
            yield self.say("help_line", text=text)
        else:
            yield self.say("no_help_line")


class _Audit(_Explanation):
    """Everything that the entry rests on, in full."""

    def paragraphs(self) -> Iterator[tuple[str, Iterable[str]]]:
        yield from super().paragraphs()
        yield "trace", self.trace()

    def trace(self) -> Iterator[str]:
        entry = self.entry
        names = ("entry_id", "supersedes", "schema_version", "recorded_at", "author", "prev_hash",
                 "hash")  # fmt: skip
        for name in names:
            if entry[name] is not None:
                yield self.say("trace_line", name=name, value=entry[name])
        for name, value in sorted(entry["provenance"].items()):
            if value:
                text = self.listed(map(str, value)) if isinstance(value, list) else value
                yield self.say("trace_line", name=name, value=text)


class _ForTeacher(_Explanation):
    """What the class teacher has to do; nothing of what was answered."""

    def lines(self) -> Iterator[str]:
        yield self.say("teacher_title", pupil=self.entry["pupil_ref"])
        yield ""
        yield self.say("do")
        yield from (f"  {line}" for line in self.steps())

    def steps(self) -> Iterator[str]:
        entry = self.entry
        shown = ScreenTier(entry["screen_tier"])
        who = self.label(Role, entry["assignee"] or Role.PSYCH_TEACHER)
        if shown is ScreenTier.NOT_SCREENED:
            yield self.say("do_screen")
        elif shown is ScreenTier.NONE:
            yield self.say("do_nothing")
        elif shown is ScreenTier.WATCH:
            yield self.say("do_watch", who=self.label(Role, Role.PSYCH_TEACHER))
        if entry["due_at"] is not None and shown is not ScreenTier.NOT_SCREENED:
            if entry["assignee"] != Role.CLASS_TEACHER:
                yield self.say("do_bring", who=who, time=_clock(entry["due_at"]))
            if self.in_danger():
                yield self.say("do_stay")
            yield self.say("do_quiet")

    def in_danger(self) -> bool:
        """Whether an answer says that it is now."""
        return any(
            item["window"] == Window.NOW and item["state"] == "positive"
            for item in self.entry["critical_items"]
        )


class _ForPupil(_Explanation):
    """What a pupil should know: no score, no rule, no tier."""

    title = "own_title"

    def lines(self) -> Iterator[str]:
        yield self.say(self.title)
        yield self.say("release")
        for key, body in (
            ("result", self.result()),
            ("own_next", self.next()),
            ("own_help", self.help()),
            ("note", [self.say("own_rights")]),
        ):
            yield ""
            yield self.say(key)
            yield from (f"  {line}" for line in body)

    def you(self) -> str:
        return "你" if self.language == "zh" else "you"

    def result(self) -> Iterator[str]:
        shown = ScreenTier(self.entry["screen_tier"])
        if shown is ScreenTier.NONE:
            yield self.say("own_nothing")
        elif shown is ScreenTier.NOT_SCREENED:
            yield self.say("own_none_yet")
        elif shown is ScreenTier.UNDETERMINED:
            yield self.say("own_open")
        else:
            yield self.say("own_talk", you=self.you())
            if shown.position >= Tier.SEVERE.position:
                yield self.say("own_soon")

    def next(self) -> Iterator[str]:
        due = self.entry["due_at"]
        if due is None:
            yield self.say("own_no_contact")
        else:
            who = self.label(Role, self.entry["assignee"])
            yield self.say("own_contact", who=who, you=self.you(), time=_clock(due))

    def help(self) -> Iterator[str]:
        stated = self.entry["help_line"]
        text = self.help_line or (stated and stated[self.language])
        if text:
            yield self.say("own_help_line", text=text)
        yield self.say("own_help_school")
        yield self.say("own_help_danger")


class _ForGuardian(_ForPupil):
    """The same for the guardian; held where word to the guardian could harm."""

    title = "child_title"

    def you(self) -> str:
        return "您的孩子" if self.language == "zh" else "your child"

    def lines(self) -> Iterator[str]:
        held = any(
            item["concern"] == Concern.ABUSE and item["state"] == "positive"
            for item in self.entry["critical_items"]
        )
        if held:
            yield self.say(self.title)
            yield self.say("held")
        else:
            yield from super().lines()


_DEPTHS: dict[Reader, type[_Explanation]] = {
    Reader.PUPIL: _ForPupil,
    Reader.GUARDIAN: _ForGuardian,
    Reader.TEACHER: _ForTeacher,
    Reader.COUNSELLOR: _Explanation,
    Reader.AUDITOR: _Audit,
}


def _by_tier(rules: Iterable[Part]) -> Iterator[tuple[str, list[Part]]]:
    """Return rules by tier, in the order in which the entry has them: the highest first."""
    for tier, group in groupby(rules, key=lambda rule: str(rule["tier"])):
        yield tier, list(group)


def _time(text: str) -> str:
    """Return a time of the ledger for people, to the minute and with its zone."""
    return f"{text[:10]} {text[11:16]} (UTC{text[19:]})"


def _clock(text: str) -> str:
    """Return a time of the ledger for those who live by its clock."""
    return f"{text[:10]} {text[11:16]}"


def _number(number: float) -> str:
    return f"{number:g}" if abs(number) < 1e6 else str(number)  # noqa: PLR2004 - %g would round

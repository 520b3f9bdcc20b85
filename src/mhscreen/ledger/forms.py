"""Forms to print, in Chinese and English, filled in with what their reader may see.

What goes to a family holds no answer and no score: a person explains it. It is marked
as a draft until a named person releases it, and is not printed where a pupil may have been harmed
and nobody has decided yet.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from mhscreen.ledger.disclosure import disclose
from mhscreen.ledger.paper import Html, blank, both, boxes, page, section, table, tag
from mhscreen.ledger.words import CASE_TIERS
from mhscreen.problems import UsageError
from mhscreen.vocabulary import (
    Answer,
    Attendance,
    CaseStatus,
    Channel,
    Concern,
    Conclusion,
    EntryType,
    Flag,
    LifeArea,
    ProblemClass,
    Response,
    Role,
    ScreenTier,
    Stage,
    Term,
    Tier,
)

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from mhscreen.definitions import Programme
    from mhscreen.ledger.cases import Cases
    from mhscreen.ledger.disclosure import Named, PupilView

__all__ = ["FORMS", "FormKind", "print_form"]

FormKind = Literal["interview", "notice", "referral", "plan", "file"]
FORMS: dict[FormKind, tuple[str, str]] = {
    "interview": ("二次访谈记录表", "Record of the interview after screening"),
    "notice": ("家长告知书", "Notice to the parents"),
    "referral": ("转介单", "Referral slip"),
    "plan": ("成长指导方案", "Growth plan"),
    "file": ("一生一档", "The pupil's file on one page"),
}
"""The forms, with their names."""

Document = dict[str, Any]
_URGENT = (str(Tier.SEVERE), str(Tier.MAJOR))
_FOR_FAMILIES = ("notice", "referral")


@dataclass(frozen=True)
class _Paper:
    """What a form is filled in with."""

    pupil: PupilView
    programme: Programme
    on: dt.date
    released_by: str | None


def print_form(
    kind: FormKind,
    cases: Cases,
    entries: Iterable[Mapping[str, Any]],
    programme: Programme,
    pupil: str,
    *,
    on: dt.datetime,
    by: str,
    role: Role = Role.PSYCH_TEACHER,
    released_by: str | None = None,
    named: Sequence[Named] = (),
) -> str:
    """Return a form about a pupil as a page of HTML to print.

    Parameters
    ----------
    kind : {"interview", "notice", "referral", "plan", "file"}
        Which form.
    cases : Cases
        Where the cases stand.
    entries : iterable of mapping
        The entries that they were folded from.
    programme : Programme
        Who may see what, and the help line.
    pupil : str
        The pupil's reference.
    on : datetime
        Today, with its zone.
    by : str
        Who prints it.
    role : Role
        In what role; what goes to a family is filled in with what a guardian may see.
    released_by : str, optional
        The named person who releases what goes to a family. Without it the page is a draft.
    named : sequence of {"answers", "notes"}
        What of it is shown besides, where the role's list has it; never on a family's paper.

    Raises
    ------
    UsageError
        If there is no such pupil or form, or the role may not see the pupil; for what goes to a
        family, if no named person has set a tier yet, or word to the guardian is held.
    """
    if kind not in FORMS:
        msg = f"there is no form {kind!r}; there are {', '.join(FORMS)}"
        raise UsageError(msg)
    if pupil not in cases.by_pupil:
        msg = "the ledger has no such pupil"
        raise UsageError(msg)
    case = cases[pupil]
    family = kind in _FOR_FAMILIES
    if family and case.case_tier in (None, Tier.NONE):
        msg = "what goes to a family follows a named person's decision on the tier"
        raise UsageError(msg)
    place: Mapping[str, Any] = {"pupil": pupil, **case.org}
    view = disclose(
        cases,
        entries,
        programme,
        Role.GUARDIAN if family else role,
        at=place,
        on=on,
        named=() if family else named,
        released_by=(released_by or by) if family else None,
    )
    found = [one for one in view.pupils if one.pupil_ref == pupil]
    if not found:
        msg = f"this pupil is not shown to {role}"
        raise UsageError(msg)
    paper = _Paper(found[0], programme, on.date(), released_by)
    return page(FORMS[kind], *_FILL[kind](paper))


# -- for the school -------------------------------------------------------------------------------


def _interview(paper: _Paper) -> list[list[str]]:
    case = paper.pupil.case
    shown = [
        *_line("初筛提示", "Screening prompt", _labels(ScreenTier, case.get("screen_tier"))),
        *_line("需直接询问的内容", "To be asked in plain words",
               _labels(Concern, case.get("concerns"))),
        *_line("提示标记", "Flags", _labels(Flag, case.get("flags"))),
    ]  # fmt: skip
    screening = _last(paper.pupil, EntryType.SCREENING)
    again = [one for rule in screening.get("undecided", ()) for one in rule.get("open", ())]
    if again:
        shown.append(blank("待补问条目", "Open items", "；".join(dict.fromkeys(again))))
    ratings = [[both(one.zh, one.en), "", ""] for one in LifeArea]
    answers = "　".join(f"□{one.zh}" for one in Answer)
    dangers = [[both(one.zh, one.en), answers, ""] for one in Concern]
    return [
        [
            *_pupil(paper.pupil),
            blank("访谈时间", "Time"),
            blank("地点", "Place"),
            blank("访谈人", "Interviewer"),
            boxes((one.zh, one.en) for one in Channel),
            section("测评提示（非诊断）", "From the screening (no diagnosis)", *shown),
            section(
                "一、生活各方面（学生自评 1–10，10 为最好）",
                "Areas of life (the pupil's own rating, 10 is best)",
                table(ratings, ("方面 Area", "1–10", "说明 Notes")),
            ),
            section(
                "二、高风险行为评估（必填，逐项直接询问）",
                "Danger to self or others (required, ask each in plain words)",
                table(dangers, ("内容 About", "回答 Answer", "自何日起 / 说明 Since, notes")),
                "如当下存在危险：不让学生独处，立即报告值班人员。",
                tag("p", tag("small", "If there is danger now: stay with the pupil and tell the "
                    "on-duty staff at once.")),
            ),
            section("三、访谈结论", "Conclusion", boxes((one.zh, one.en) for one in Conclusion)),
            blank("备注", "Remarks"),
            _signed("访谈人签名", "Interviewer"),
            _footer(paper),
        ]
    ]  # fmt: skip


def _plan(paper: _Paper) -> list[list[str]]:
    case = paper.pupil.case
    parts = (
        ("一、学生与家庭基本情况", "Pupil and family"),
        ("二、主要困难与优势", "Difficulties and strengths"),
        ("三、学业安排", "Study plan"),
        ("四、辅导与支持建议（由谁、做什么）", "Advice and support (who does what)"),
        ("五、求助与转介路径", "Ways to help and referral"),
    )
    room = table([[Html('<div class="room"></div>')]])
    reviews = table([["", "", "", ""]] * 3, ("日期 Date", "进展 Progress", "调整 Changes", "签名"))
    return [
        [
            *_pupil(paper.pupil),
            *_line("级别", "Tier", _case_tier(case)),
            *_line(
                "问题类别", "Problem classes", _labels(ProblemClass, case.get("problem_classes"))
            ),
            blank("下次复核日期", "Next review", case.get("next_review_on")),
            *(section(zh, en, room) for zh, en in parts),
            section("六、每月复核", "Monthly review", reviews),
            _signed("心理教师", "Psychology teacher"),
            _signed("班主任", "Class teacher"),
            _signed("监护人", "Guardian"),
            _footer(paper),
        ]
    ]


def _file(paper: _Paper) -> list[list[str]]:
    pupil, case = paper.pupil, paper.pupil.case
    rows = [
        [
            str(one.get("occurred_at", one.get("period", "")))[:10],
            both(kind.zh, kind.en),
            "；".join(_told(one)),
        ]
        for one in pupil.entries
        if (kind := EntryType(one["entry_type"])) is not EntryType.ACCESS
    ]
    known = [f"{Concern(k['concern']).zh} {k['on']}" for k in case.get("known", ()) if k["concern"]]
    return [
        [
            *_pupil(pupil),
            *_line("状态", "Status", _labels(CaseStatus, case.get("status"))),
            *_line("初筛提示", "Screening prompt", _labels(ScreenTier, case.get("screen_tier"))),
            *_line("专人定级", "Tier set by a person", _case_tier(case)),
            *_line(
                "问题类别", "Problem classes", _labels(ProblemClass, case.get("problem_classes"))
            ),
            *_line("已核实的既往情况", "Confirmed past events", "；".join(known)),
            *_line("出勤", "Attendance", _labels(Attendance, case.get("attendance"))),
            *_line("下次复核", "Next review", case.get("next_review_on")),
            section("过程记录", "What was done", table(rows, ("日期", "类型", "内容"))),
            _footer(paper),
        ]
    ]


def _told(entry: Mapping[str, Any]) -> Iterator[str]:
    """Yield in words what an entry on the one page says: its codes, not what lies deeper."""
    if entry.get("screen_tier"):
        yield ScreenTier(entry["screen_tier"]).zh
    if entry.get("case_tier"):
        yield CASE_TIERS[Tier(entry["case_tier"])][1]
    for name, terms in (("to", Role), ("channel", Channel), ("response", Response),
                        ("conclusion", Conclusion)):  # fmt: skip
        if entry.get(name):
            yield terms(entry[name]).zh
    if entry.get("institution"):
        yield str(entry["institution"])
    if entry.get("note"):
        yield str(entry["note"])


# -- for the family -------------------------------------------------------------------------------


def _notice(paper: _Paper) -> list[list[str]]:
    case = paper.pupil.case
    asks = [
        ("多陪伴、多倾听，不责备、不比较；具体情况由学校专人当面向您说明。",
         "Spend time with your child and listen, without blame; a person at the school explains."),
        ("如有伤害自己或他人的言行，请立即陪护，拨打 120 或 110，并联系学校。",
         "If your child speaks of harm or does it: stay there, call 120 or 110, tell the school."),
    ]  # fmt: skip
    if case["case_tier"] in _URGENT:
        asks += [
            ("请确保孩子身边有人陪伴，并收好药品、刀具等可能造成伤害的物品。",
             "Make sure that somebody is with your child; put medicines and sharp things away."),
            ("建议尽快前往精神卫生专科医疗机构评估；学校可协助联系绿色通道定点医疗机构。",
             "Please have your child assessed at a specialised hospital soon; the school helps."),
        ]  # fmt: skip
    words = CASE_TIERS[Tier(case["case_tier"])][::-1]
    copy = [
        *_draft(paper),
        *_pupil(paper.pupil),
        tag("p", "尊敬的家长："),
        tag("p", "学校面向全体学生开展心理健康测评，并由专人与学生面谈。测评与面谈不是医学诊断，"
            "不作为评优、评价或升学的依据，相关信息仅限必要人员知悉。经学校专人评估，您的孩子目前"
            f"列入“{words[0]}”关注范围，需要家校共同关注。"),
        tag("p", tag("small", "The school screens all pupils, and a person talks with them. This "
            "is no diagnosis and is used for no evaluation or admission. A person at the school "
            "has assessed your child and set: ", words[1], ". School and family care together.")),
        *(tag("p", f"{n}. ", both(zh, en)) for n, (zh, en) in enumerate(asks, start=1)),
        _help_line(paper),
        blank("学校联系人及电话", "Contact at the school"),
        blank("面谈时间、地点", "When and where we talk"),
        section("回执", "Receipt", boxes((
            ("已知悉", "Noted"), ("同意配合", "Agreed"), ("有其他意见", "Other view")))),
        _signed("监护人签名、与学生关系、电话", "Guardian, relation, telephone"),
        _signed("告知人签名", "Told by"),
        _footer(paper),
    ]  # fmt: skip
    return [[_which(*one), *copy] for one in _COPIES]


def _referral(paper: _Paper) -> list[list[str]]:
    case = paper.pupil.case
    referral = case.get("referral") or {}
    copy = [
        *_draft(paper),
        *_pupil(paper.pupil),
        blank("建议就诊的定点医疗机构", "Designated hospital", referral.get("institution")),
        boxes((("走绿色通道", "Green channel"), ("由监护人陪同", "With the guardian"),
               ("由学校护送并交接", "Escorted by the school"))),
        *_line("希望评估的方面", "To be assessed",
               _labels(ProblemClass, case.get("problem_classes"))),
        tag("p", "学校的测评与面谈不是诊断；是否患病及如何处理，由精神科医师判断。"),
        tag("p", tag("small", "What the school found is no diagnosis; whether there is a disorder, "
            "and what follows, is for a psychiatrist to say.")),
        _help_line(paper),
        section("监护人意见", "The guardian's word", boxes((
            ("同意就诊", "Agreed"), ("暂不就诊（请说明）", "Not now (why)")))),
        _signed("监护人签名、电话", "Guardian, telephone"),
        _signed("学校经办人签名", "For the school"),
        section("就诊反馈（由监护人或医疗机构填写，自愿）", "Word back (voluntary)",
                table([["", ""]], ("就诊日期 Date", "建议 Advice"))),
        _footer(paper),
    ]  # fmt: skip
    return [[_which(*one), *copy] for one in _COPIES]


_COPIES = (("学校存档联", "The school's copy"), ("家长留存联", "The family's copy"))
_FILL: dict[FormKind, Callable[[_Paper], list[list[str]]]] = {
    "interview": _interview, "notice": _notice, "referral": _referral, "plan": _plan, "file": _file,
}  # fmt: skip


# -- parts ----------------------------------------------------------------------------------------


def _which(zh: str, en: str) -> Html:
    return tag("p", both(f"（{zh}）", en))


def _draft(paper: _Paper) -> list[Html]:
    if paper.released_by is not None:
        return [blank("签发人", "Released by", paper.released_by)]
    return [
        tag(
            "p",
            both("草稿：未经专人签发，不得交给家长", "DRAFT, not released: not for the family"),
            kind="draft",
        )
    ]


def _pupil(pupil: PupilView) -> list[Html]:
    case = pupil.case
    stage = _labels(Stage, case.get("stage"))
    return [
        table([
            [both("学生编号", "Pupil"), pupil.pupil_ref, both("学校", "School"),
             str(case.get("school") or "")],
            [both("姓名（手写）", "Name, by hand"), "",
             both("监护人（手写）", "Guardian, by hand"), ""],
            [both("学段、年级", "Stage, grade"), f"{stage} {case.get('grade') or ''}",
             both("班级", "Class"), str(case.get("class") or "")],
        ])
    ]  # fmt: skip


def _line(zh: str, en: str, text: str | None) -> list[Html]:
    return [blank(zh, en, text)] if text else []


def _case_tier(case: Mapping[str, Any]) -> str:
    tier = case.get("case_tier")
    return CASE_TIERS[Tier(tier)][1] if tier else ""


def _labels(terms: type[Term], codes: str | Iterable[str] | None) -> str:
    if codes is None:
        return ""
    return "、".join(terms(one).zh for one in ([codes] if isinstance(codes, str) else codes))


def _last(pupil: PupilView, kind: EntryType) -> Document:
    return next((e for e in reversed(pupil.entries) if e["entry_type"] == kind), {})


def _help_line(paper: _Paper) -> Html:
    text = paper.programme.help_line
    words = None if text is None else f"{text.zh} {text.en}"
    return blank("求助渠道", "Where to find help", words)


def _signed(zh: str, en: str) -> Html:
    return tag("p", blank(zh, en), blank("日期", "Date"))


def _footer(paper: _Paper) -> Html:
    words = both(
        "仅限必要人员知悉；非诊断；不作评优、评价与升学依据。",
        "For those who need it to act. No diagnosis. Not for evaluation or admission.",
    )
    return tag("footer", words, f" {paper.on}")

"""Words of the ledger that more than one page says, English and Simplified Chinese side by side."""

from __future__ import annotations

from typing import Any

from mhscreen.vocabulary import (
    Answer,
    Attendance,
    CaseStatus,
    Change,
    ChangeReason,
    Channel,
    ClosureReason,
    Concern,
    Conclusion,
    ConfirmBasis,
    ConsentState,
    Directness,
    EntrySource,
    EntryType,
    Flag,
    Informant,
    Instruction,
    InterventionMethod,
    MeetingTopic,
    PlanKind,
    PlanState,
    ProblemClass,
    Purpose,
    ReferralOutcome,
    Response,
    Role,
    ScreenTier,
    Sex,
    Stage,
    Term,
    Tier,
    Validity,
    Window,
)

__all__ = ["CASE_TIERS", "HEADINGS", "SHEETS", "heading", "in_words"]

CASE_TIERS: dict[Tier, tuple[str, str]] = {
    Tier.NONE: ("No case", "未列入预警"),
    Tier.WATCH: ("Keep watching", "持续观察"),
    Tier.GENERAL: ("General psychological crisis", "一般心理危机"),
    Tier.SEVERE: ("Severe psychological crisis", "严重心理危机"),
    Tier.MAJOR: ("Major psychological crisis", "重大心理危机"),
}
"""What a named person has set. Only this is worded as a crisis; a screening only prompts."""

SHEETS: dict[str, tuple[str, str]] = {
    "schools": ("Schools", "各校汇总"),
    "coverage": ("Coverage", "测评覆盖"),
    "opened": ("Opened", "本月新增"),
    "confirmed": ("Confirmed", "本月定级"),
    "moved": ("Moved", "本月调级"),
    "closed": ("Closed", "本月结案"),
    "overdue": ("Overdue", "逾期事项"),
    "carried_forward": ("Carried forward", "结转下月"),
    "not_screened": ("Not screened", "未测评"),
    "without_talk": ("No talk yet", "本学期未谈话"),
    "pupils": ("Pupils", "学生"),
    "instructions": ("Please", "请您协助"),
    "own_actions": ("To do", "待办"),
    "actions": ("Actions", "处置事项"),
    "queue": ("To be asked again", "待补测"),
}
"""The names of sheets; a sheet of entries bears that of their type."""

HEADINGS: dict[str, tuple[str, str]] = {
    "pupil": ("Pupil", "学生编号"),
    "city": ("City", "市"),
    "district": ("District", "区市"),
    "school": ("School", "学校"),
    "stage": ("Stage", "学段"),
    "grade": ("Grade", "年级"),
    "class": ("Class", "班级"),
    "period": ("Month", "月份"),
    "pupils": ("Pupils", "学生数"),
    **{name: SHEETS[name] for name in (
        "opened", "confirmed", "moved", "closed", "overdue", "carried_forward", "not_screened",
        "without_talk")},
    "screened": ("Screened", "已测评"),
    "past_deadline": ("Not screened, deadline passed", "逾期未测评"),
    "deadline": ("Deadline", "完成时限"),
    "late": ("Deadline passed", "是否逾期"),
    "meetings": ("Meetings", "专班会议次数"),
    "topics_missing": ("Matters not on an agenda", "未议事项"),
    "lessons": ("Lessons", "心理课"),
    "activities": ("Activities", "心理活动"),
    "hours": ("Hours", "课时"),
    "status": ("Status", "状态"),
    "screen_tier": ("Screening prompt", "初筛提示"),
    "standing_tier": ("Tier that stands", "现有级别"),
    "possible_tier": ("Could become", "最高可能"),
    "previous_tier": ("Tier before", "原级别"),
    "case_tier": ("Tier set by a person", "专人定级"),
    "opened_at": ("Opened at", "立案时间"),
    "closed_at": ("Closed at", "结案时间"),
    "decided_at": ("Decided at", "定级时间"),
    "decided_by_role": ("Decided by", "定级人角色"),
    "next_due_at": ("Next due", "下一时限"),
    "due_at": ("By", "时限"),
    "action": ("Action", "事项"),
    "id": ("Action", "事项"),
    "does": ("What", "内容"),
    "by": ("Who", "负责人"),
    "to": ("To whom", "对象"),
    "through": ("How", "方式"),
    "held": ("Held for a decision", "暂缓，待专人决定"),
    "title": ("In words", "说明"),
    "instruction": ("Please", "请您协助"),
    "attendance": ("Attendance", "出勤"),
    "on_leave_since": ("On leave since", "休学起始"),
    "flags": ("Flags", "提示标记"),
    "problem_classes": ("Problem classes", "问题类别"),
    "concerns": ("Concerns", "关注内容"),
    "known": ("Confirmed past events", "已核实的既往情况"),
    "to_confirm": ("To be decided on", "待定级条目"),
    "consent": ("Consent (pupil, guardian)", "知情同意（学生、监护人）"),
    "transfer_to": ("Being transferred to", "移交至"),
    "next_review_on": ("Next review", "下次复核"),
    "next_on": ("Next time", "下次时间"),
    "rank": ("Rank", "顺序"),
    "critical": ("Critical item open", "危急条目待答"),
    "ask": ("Ask again", "补问内容"),
    "entry_type": ("Type", "类型"),
    "occurred_at": ("When", "时间"),
    "author": ("Entered by", "记录人"),
    "role": ("Role", "角色"),
    "source": ("Source", "来源"),
    "note": ("Note", "备注"),
    "channel": ("How", "方式"),
    "response": ("Response", "反馈"),
    "conclusion": ("Conclusion", "结论"),
    "basis": ("Basis", "依据"),
    "reason": ("Reason", "原因"),
    "reviewer": ("Reviewer", "复核人"),
    "referral": ("Referral", "转介"),
    "attended": ("Seen there", "是否就诊"),
    "institution": ("Hospital", "医疗机构"),
    "outcome": ("Outcome", "结果"),
    "method": ("Method", "方式"),
    "number": ("No.", "次序"),
    "age": ("Age", "年龄"),
    "sex": ("Sex", "性别"),
}  # fmt: skip
"""The headings of columns in English and Chinese."""

_TERMS: dict[str, type[Term]] = {
    "stage": Stage, "status": CaseStatus, "screen_tier": ScreenTier, "attendance": Attendance,
    "flags": Flag, "problem_classes": ProblemClass, "concerns": Concern, "concern": Concern,
    "does": EntryType, "by": Role, "to": Role, "assignee": Role, "role": Role,
    "decided_by_role": Role, "through": Channel, "channel": Channel, "instruction": Instruction,
    "consent": ConsentState, "guardian": ConsentState, "entry_type": EntryType,
    "source": EntrySource, "response": Response, "conclusion": Conclusion, "method":
    InterventionMethod, "outcome": ReferralOutcome, "purpose": Purpose, "sex": Sex,
    "emotion": Change, "behaviour": Change, "social": Change, "academic": Change,
    "answer": Answer, "topics_missing": MeetingTopic, "informant": Informant, "validity": Validity,
    "window": Window, "directness": Directness, "not_asked": Concern, "classes": ProblemClass,
}  # fmt: skip
_MIXED: dict[str, tuple[type[Term], ...]] = {
    "basis": (ConfirmBasis,),
    "reason": (ChangeReason, ClosureReason),
    "kind": (PlanKind,),
    "state": (PlanState,),
}
"""Fields that several types of entry have with other codes: the first that knows the code."""
_TIERS = ("case_tier", "previous_tier")
_PROVISIONAL = ("standing_tier", "possible_tier", "established_tier", "tier")
_TRUTH = {True: "是 yes", False: "否 no"}


def heading(name: str) -> str:
    """Return a column's heading, Chinese and English; what has none keeps its name.

    Examples
    --------
    >>> heading("school"), heading("referral.outcome"), heading("x.y")
    ('学校 School', '结果 Outcome', 'x.y')
    """
    last = name.rpartition(".")[2]
    if last in HEADINGS:
        en, zh = HEADINGS[last]
        return f"{zh} {en}"
    return name


def in_words(name: str, value: Any) -> Any:
    """Return a code in words, Chinese and English; anything else as it is.

    Examples
    --------
    >>> in_words("case_tier", "severe"), in_words("screen_tier", "watch"), in_words("grade", 8)
    ('严重心理危机 Severe psychological crisis', '持续观察 Keep watching', 8)
    """
    if isinstance(value, bool):
        return _TRUTH[value]
    if not isinstance(value, str):
        return value
    if name in _TIERS and value in set(Tier):
        en, zh = CASE_TIERS[Tier(value)]
        return f"{zh} {en}"
    terms = (ScreenTier,) if name in _PROVISIONAL else _MIXED.get(name)
    if terms is None:
        terms = (_TERMS[name],) if name in _TERMS else ()
    for one in terms:
        if value in set(one):
            return f"{one(value).zh} {one(value).en}"
    return value

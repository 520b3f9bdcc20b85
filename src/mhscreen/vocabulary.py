"""Closed lists of terms, each with its English and Chinese label.

Everything that is written down as a code (in YAML, in a frame, in a ledger entry) is a
member of one of these lists. A member *is* its code (``Tier.SEVERE == "severe"``); ``.en``
and ``.zh`` are the words for people. Arrays hold a member's position in its list, see
`Term.position`.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Self

__all__ = [
    "Attendance",
    "AuditRemark",
    "Concern",
    "Direction",
    "Directness",
    "Evidence",
    "Flag",
    "Informant",
    "LedgerClass",
    "Metric",
    "MissingReason",
    "NormReason",
    "ProblemClass",
    "Requirement",
    "Role",
    "ScreenTier",
    "Sex",
    "Stage",
    "Term",
    "Tier",
    "Validity",
    "Window",
]


class Term(StrEnum):
    """A code with an English and a Chinese label.

    Examples
    --------
    >>> Informant.PARENT == "parent", Informant.PARENT.zh
    (True, '家长')
    >>> Informant.at(1) is Informant.PARENT
    True
    """

    en: str
    zh: str

    if not TYPE_CHECKING:  # to type checkers, ``Tier("none")`` is a look-up, as ever

        def __new__(cls, code: str, en: str, zh: str) -> Self:
            """Make a member that equals its code and carries both labels."""
            member = str.__new__(cls, code)
            member._value_ = code
            member.en = en
            member.zh = zh
            return member

    @property
    def position(self) -> int:
        """Zero-based place in the list, which is what arrays hold."""
        return tuple(type(self)).index(self)

    @classmethod
    def at(cls, position: int) -> Self:
        """Return the member at a zero-based place (negative places are refused)."""
        if position < 0:
            msg = f"{cls.__name__} has no member at place {position}"
            raise IndexError(msg)
        return tuple(cls)[position]

    def label(self, language: str = "en") -> str:
        """Return the words for people, ``"en"`` or ``"zh"``."""
        return self.zh if language == "zh" else self.en


class Tier(Term):
    """The ordered tiers; the position in this list is the order of severity."""

    NONE = "none", "No flag raised in this screening", "本次测评未见预警"
    WATCH = "watch", "Keep watching", "持续观察"
    GENERAL = "general", "General", "一般"
    SEVERE = "severe", "Severe", "严重"
    MAJOR = "major", "Major", "重大"


class ScreenTier(Term):
    """What a screening shows: the tiers, worded as provisional, and two states off the scale.

    The first five members stand at the positions of `Tier`.
    """

    NONE = "none", "No flag raised in this screening", "本次测评未见预警"
    WATCH = "watch", "Keep watching", "持续观察"
    GENERAL = (
        "general",
        "Screening prompt: general (to be confirmed)",
        "初筛提示·一般（待评估确认）",
    )
    SEVERE = "severe", "Screening prompt: severe (to be confirmed)", "初筛提示·严重（待评估确认）"
    MAJOR = "major", "Screening prompt: major (to be confirmed)", "初筛提示·重大（待评估确认）"
    UNDETERMINED = "undetermined", "Undetermined, to be checked by a person", "待核实"
    NOT_SCREENED = "not_screened", "Not screened", "未测评"


class Flag(Term):
    """What stands beside a tier; a flag never lowers one."""

    INCOMPLETE = "incomplete", "Answers are missing", "作答不完整"
    INVALID = "invalid", "A form is invalid, test again", "问卷无效，需重测"
    QUESTIONABLE = "questionable", "Doubtful answering", "作答可疑"
    ESTIMATED = "estimated", "Rests on an estimated score", "含推算分数"
    DUPLICATE = "duplicate", "More than one form in a slot", "同一问卷重复提交"
    NOT_NORMED = "not_normed", "No norm for this pupil", "无适用常模"
    WRONG_STAGE = "wrong_stage", "A form meant for another stage", "问卷与学段不符"
    IDENTITY = "identity", "A form may belong to another pupil", "问卷可能属于其他学生"
    ERROR = "error", "Could not be evaluated, a person must look", "处理出错，需人工查看"
    ASK_DIRECTLY = "ask_directly", "Ask directly in an interview", "需当面直接询问"
    SEVERE_CANDIDATE = (
        "severe_candidate",
        "Severe if abnormality or loss of function is observed",
        "若见明显异常或功能受损则为严重",
    )
    INFORMANTS_DIFFER = (
        "informants_differ",
        "Informants differ by two tiers or more",
        "评定者之间相差两级及以上",
    )


class Informant(Term):
    """Who answers a questionnaire."""

    SELF = "self", "Self-report", "自评"
    PARENT = "parent", "Parent", "家长"
    TEACHER = "teacher", "Teacher", "教师"
    CLINICIAN = "clinician", "Clinician", "临床人员"


class Stage(Term):
    """School stage."""

    PRIMARY = "primary", "Primary", "小学"
    JUNIOR = "junior", "Junior secondary", "初中"
    SENIOR = "senior", "Senior secondary", "高中"
    VOCATIONAL = "vocational", "Vocational secondary", "中职"


class Sex(Term):
    """Sex as recorded by the school, used for norms only."""

    MALE = "male", "Male", "男"
    FEMALE = "female", "Female", "女"


class Attendance(Term):
    """Why a pupil on the roster may have no form."""

    PRESENT = "present", "At school", "在校"
    ABSENT = "absent", "Absent", "缺勤"
    ON_LEAVE = "on_leave", "On leave", "请假在家"
    LEAVE_OF_ABSENCE = "leave_of_absence", "Leave of absence", "休学"
    DECLINED = "declined", "Declined", "拒绝参加"
    NOT_CONSENTED = "not_consented", "No consent", "未获知情同意"


class MissingReason(Term):
    """Why an item has no answer. None of these is ever read as a low answer."""

    BLANK = "blank", "Left blank", "未作答"
    REFUSED = "refused", "Refused", "拒绝回答"
    DONT_KNOW = "dont_know", "Don't know", "不知道"
    NOT_PRESENTED = "not_presented", "Not presented", "未呈现该题"
    ILLEGAL = "illegal", "Not a legal answer", "非法答案"


class NormReason(Term):
    """Why a form has no derived score. What is not known is never guessed."""

    NONE = "none", "Normed", "已给出常模分"
    NO_SCORE = "no_score", "There is no raw score", "无原始分"
    SEX_UNKNOWN = "sex_unknown", "The sex is not known, bounds for either", "性别不详，仅给出上下界"
    AGE_UNKNOWN = "age_unknown", "The age is not known", "年龄不详"
    GRADE_UNKNOWN = "grade_unknown", "The grade is not known", "年级不详"
    OUTSIDE = "outside", "Outside every stratum", "不在任何常模组内"
    NOT_LISTED = "not_listed", "The table does not list this raw score", "常模表未列出该原始分"


class Metric(Term):
    """What a number is expressed in."""

    RAW = "raw", "Raw score", "原始分"
    Z = "z", "z score", "z 分数"
    T = "t", "T score", "T 分数"
    PERCENTILE = "percentile", "Percentile", "百分位"
    STANINE = "stanine", "Stanine", "标准九分"


class Direction(Term):
    """What a higher value means."""

    WORSE = "worse", "Higher is worse", "分数越高越差"
    BETTER = "better", "Higher is better", "分数越高越好"


class Evidence(Term):
    """How well a claim in a definition was checked against its original."""

    CROSS_CHECKED = "cross_checked", "Read in two or more independent sources", "多个独立来源一致"
    ONE_SOURCE = "one_source", "Read in one source", "单一来源"
    OWN_CHOICE = "own_choice", "Our own choice, no source claims it", "自定规则，无文献来源"
    UNVERIFIED = "unverified", "Not verified", "未核实"


class AuditRemark(Term):
    """What an audit says of a data set; each is a reason to look at the file, not at a pupil."""

    CODING_OFFSET = (
        "coding_offset",
        "The codes seem to begin one too high or one too low; what rests on them is withheld",
        "编码似整体偏高或偏低一位；相关统计不予给出",
    )
    NEGATIVE_ITEM_REST = (
        "negative_item_rest",
        "Runs against the rest of its scale: reversed twice, not reversed, or mis-coded?",
        "与量表其余条目方向相反：重复反向、未反向，还是编码有误？",
    )
    NO_COLUMN = "no_column", "No column for this item", "没有这一题的列"
    NO_ANSWERS = "no_answers", "Nobody answered this item", "这一题无人作答"
    ILLEGAL_ANSWERS = (
        "illegal_answers",
        "Some answers are none of the options, and count as unanswered",
        "有作答不在选项之内，按未作答处理",
    )
    CONSTANT_ITEM = (
        "constant_item",
        "Everybody gave the same answer: no correlation and no alpha",
        "所有人作答相同：无法计算相关与 α 系数",
    )
    TOO_FEW = (
        "too_few",
        "Too few complete forms: no figures",
        "完整作答的份数太少：不给出统计",
    )
    REPEATED_FORMS = (
        "repeated_forms",
        "Many forms repeat an earlier one in every answer",
        "许多问卷与先前某份的作答完全相同",
    )


class Validity(Term):
    """Validity of a form; invalid never lowers a tier."""

    VALID = "valid", "No doubt raised", "未见异常"
    QUESTIONABLE = "questionable", "Doubtful", "可疑"
    INVALID = "invalid", "Invalid, test again", "无效，需重测"
    INCOMPLETE = "incomplete", "Index not determined", "效度未能判定"


class Concern(Term):
    """What a critical item asks about."""

    SUICIDE_IDEATION = "suicide_ideation", "Suicidal thoughts", "自杀意念"
    SUICIDE_PLAN = "suicide_plan", "Suicide plan", "自杀计划"
    SUICIDE_ATTEMPT = "suicide_attempt", "Suicide attempt", "自杀未遂"
    SELF_HARM = "self_harm", "Self-harm", "自伤"
    HARM_OTHERS = "harm_others", "Harm to others", "伤害他人"
    PSYCHOSIS = "psychosis", "Psychotic signs", "精神病性症状"
    ABUSE = "abuse", "Suspected abuse", "疑似受侵害"


class Window(Term):
    """The time a critical item asks about."""

    NOW = "now", "Right now", "此刻"
    RECENT = "recent", "Recently (the days are stated)", "近期"
    LIFETIME = "lifetime", "Ever", "曾经"
    NOT_STATED = "not_stated", "No time stated", "未注明时间"


class Directness(Term):
    """Whether an item asks about its concern in plain words."""

    DIRECT = "direct", "Asks directly", "直接询问"
    INDIRECT = "indirect", "Points to it indirectly", "间接提示"


class ProblemClass(Term):
    """What kind of difficulty a reason points to (the classes of the ledger)."""

    MOOD = "mood", "Mood", "情绪"
    ANXIETY = "anxiety", "Anxiety", "焦虑"
    SUICIDE_SELF_HARM = "suicide_self_harm", "Suicide and self-harm", "自杀与自伤"
    LEARNING = "learning", "Learning", "学习"
    RELATIONS = "relations", "Relations", "人际关系"
    BEHAVIOUR_ATTENTION = "behaviour_attention", "Behaviour and attention", "行为与注意"
    SLEEP = "sleep", "Sleep", "睡眠"
    INTERNET_USE = "internet_use", "Internet use", "网络使用"
    FAMILY = "family", "Family", "家庭"
    TRAUMA = "trauma", "Trauma", "创伤"
    SOMATIC = "somatic", "Somatic", "躯体"
    OTHER = "other", "Other", "其他"


class Role(Term):
    """Who acts."""

    CLASS_TEACHER = "class_teacher", "Class teacher", "班主任"
    PSYCH_TEACHER = "psych_teacher", "Psychology teacher", "专职心理教师"
    ON_DUTY = "on_duty", "On-duty staff", "值班人员"
    GRADE_HEAD = "grade_head", "Grade head", "年级主任"
    DEPUTY_HEAD = "deputy_head", "Deputy head in charge", "分管校长"
    PSYCH_DEPUTY_HEAD = "psych_deputy_head", "Mental health deputy head", "心理健康副校长"
    HEAD = "head", "Head", "校长"
    LEADING_GROUP = "leading_group", "Leading group", "专班"
    DISTRICT = "district", "District education bureau", "区市教体局"
    CITY = "city", "City education bureau", "市教育局"
    HOSPITAL = "hospital", "Designated hospital", "定点医疗机构"
    GUARDIAN = "guardian", "Guardian", "监护人"


class Requirement(Term):
    """How a programme uses a slot for a group of pupils."""

    NOT_USED = "not_used", "Not used", "不使用"
    ON_EVENT = "on_event", "On event", "有情况时填写"
    REQUIRED = "required", "Required", "必填"


class LedgerClass(Term):
    """The four ledgers; what each holds is said by a programme's ledger map."""

    A = "A", "Ledger A", "A 类台账"
    B = "B", "Ledger B", "B 类台账"
    C = "C", "Ledger C", "C 类台账"
    D = "D", "Ledger D", "D 类台账"

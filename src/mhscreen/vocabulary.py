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
    "ActivityKind",
    "Answer",
    "Attendance",
    "AuditRemark",
    "CalendarStatus",
    "CaseStatus",
    "Change",
    "ChangeReason",
    "Channel",
    "ClosureReason",
    "Concern",
    "Conclusion",
    "Confidentiality",
    "ConfirmBasis",
    "ConsentState",
    "Direction",
    "Directness",
    "EntrySource",
    "EntryType",
    "ErasureGround",
    "Evidence",
    "Fault",
    "Flag",
    "FollowUpRhythm",
    "Informant",
    "Instruction",
    "InterventionMethod",
    "LawfulBasis",
    "LeaveEvent",
    "LedgerClass",
    "LifeArea",
    "MeetingTopic",
    "Metric",
    "MissingReason",
    "NormReason",
    "PlanKind",
    "PlanState",
    "ProblemClass",
    "Purpose",
    "Reader",
    "ReferralOutcome",
    "ReplayDifference",
    "Requirement",
    "Response",
    "ReturnDocument",
    "Role",
    "ScreenTier",
    "Sex",
    "Stage",
    "Term",
    "Tier",
    "TransferReason",
    "TransferState",
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


class Fault(Term):
    """How a scoring program departs from a definition; of programs, never of pupils."""

    REVERSED = "reversed", "Keyed the wrong way round", "条目计分方向相反"
    LEFT_OUT = "left_out", "An item left out", "漏计条目"
    ADDED = "added", "An item counted that does not belong", "多计条目"
    MOVED = "moved", "Items counted in the wrong place", "条目归错维度或错位"
    TWICE = "twice", "An item counted twice", "条目重复计分"
    CODING = "coding", "Options coded wrongly", "选项赋分错误"
    COUNTING = "counting", "Items count from another score", "计数起点不同"
    COMPONENT = "component", "A wrong set of component scales", "合成总分所用维度错误"
    TRANSFORM = "transform", "The conversion of the score is wrong", "分数转换错误"
    ROUNDING = "rounding", "Rounded in another way", "取整方式不同"
    CUT = "cut", "A cut score moved", "划界分偏移"
    CUT_SET = "cut_set", "The cut scores of other people", "误用其他人群的划界分"
    LEVEL = "level", "A decision rule changed", "判定规则有误"
    MISSING_RULE = "missing_rule", "Another rule for blanks", "缺答规则不同"
    BLANK = "blank", "A blank read as an answer, or the reverse", "缺答处理错误"
    BAND_WITH_BLANKS = (
        "band_with_blanks",
        "A category given that the blanks could still change",
        "未答题可能改变分级却仍给出分级",
    )
    ILLEGAL = "illegal", "An answer that is not legal is counted", "非法答案被计分"
    GATE = "gate", "Gated items read wrongly", "跳答条目处理错误"
    CRITICAL = "critical", "A critical item read wrongly", "危急条目处理错误"
    VALIDITY = "validity", "Validity read wrongly", "效度处理错误"
    NORM = "norm", "The wrong norm", "常模使用错误"
    RULE = "rule", "A rule of the policy changed", "预警规则有误"
    KNOWN = "known", "A fault seen in published programs", "已公开程序中出现过的错误"
    VARIANT = "variant", "A documented variant", "有文献依据的变体"


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
    AUTHORITIES = (
        "authorities",
        "Police, civil affairs and education authorities",
        "公安、民政、教育等部门",
    )


class Requirement(Term):
    """How a programme uses a slot for a group of pupils."""

    NOT_USED = "not_used", "Not used", "不使用"
    ON_EVENT = "on_event", "On event", "有情况时填写"
    REQUIRED = "required", "Required", "必填"


class CalendarStatus(Term):
    """What stands behind the school days of a due date."""

    OWN = "own", "The site's own calendar", "本单位校历"
    OFFICIAL = "official", "Announced working days", "国家公布的工作日安排"
    PROVISIONAL = (
        "provisional",
        "Provisional: the year's holidays are not announced yet",
        "暂定：当年节假日安排尚未公布",
    )


class ReplayDifference(Term):
    """Why an entry that is made again is another one than the ledger holds."""

    ANSWERS = "answers", "Other answers", "作答不同"
    ROSTER_LINE = "roster_line", "Another roster line", "名册信息不同"
    DEFINITIONS = "definitions", "Other definitions", "定义文件不同"
    ENGINE = "engine", "Another version of mhscreen", "程序版本不同"
    CALENDAR = "calendar", "Another calendar of school days", "上学日历不同"
    FIELD = "field", "The same inputs, and another field", "输入相同而字段不同"
    NOT_ON_ROSTER = "not_on_roster", "The pupil is not on the roster", "名册中没有该学生"


class LedgerClass(Term):
    """The four ledgers; what each holds is said by a programme's ledger map."""

    A = "A", "Ledger A", "A 类台账"
    B = "B", "Ledger B", "B 类台账"
    C = "C", "Ledger C", "C 类台账"
    D = "D", "Ledger D", "D 类台账"


# -- the ledger: what people enter ----------------------------------------------------------------


class EntryType(Term):
    """What a ledger entry records."""

    SCREENING = "screening", "Screening", "测评"
    INTERVIEW = "interview", "Interview and assessment", "访谈评估"
    TIER_CHANGE = "tier_change", "Tier set or changed", "定级/调级"
    NOTIFICATION = "notification", "Notification", "告知"
    REFERRAL = "referral", "Referral", "转介"
    INTERVENTION = "intervention", "Intervention", "干预"
    FOLLOW_UP = "follow_up", "Follow-up", "跟踪"
    LEAVE_RETURN = "leave_return", "Leave and return", "休复学"
    TALK = "talk", "Talk", "谈心谈话"
    PLAN = "plan", "Plan", "成长方案"
    FEEDBACK = "feedback", "Feedback to the family", "反馈指导"
    MEETING = "meeting", "Meeting of the leading group", "专班会议"
    ACTIVITY = "activity", "Lesson or activity", "课程活动"
    CLOSURE = "closure", "Closure", "结案"
    ACCESS = "access", "Access to the file", "查阅"
    ACKNOWLEDGEMENT = "acknowledgement", "Acknowledgement", "接收确认"
    CONSENT = "consent", "Consent", "知情同意"
    TRANSFER = "transfer", "Transfer between schools", "转学/升学移交"
    ERASURE = "erasure", "Erasure", "删除"


class EntrySource(Term):
    """Where an entry comes from."""

    CENSUS = "census", "Screening of all pupils", "普查"
    RESCREEN = "rescreen", "Repeated screening", "复测"
    TEACHER = "teacher", "Teacher", "班主任/教师"
    PEER = "peer", "Class or dormitory representative", "心理委员/信息员"
    PARENT = "parent", "Parent", "家长"
    SELF = "self", "The pupil's own wish", "自主求助"
    MEDICAL = "medical", "Medical institution", "医疗机构"
    HOTLINE = "hotline", "Hotline or mail", "热线/邮箱"
    OTHER = "other", "Other", "其他"


class Confidentiality(Term):
    """Who may read an entry."""

    ROUTINE = "routine", "Routine", "常规"
    RESTRICTED = "restricted", "Only staff who need it to act", "限制知悉"
    SEALED = "sealed", "Sealed", "封存"


class CaseStatus(Term):
    """Where a case stands."""

    OPEN = "open", "Open", "待处理"
    ACKNOWLEDGED = "acknowledged", "Acknowledged", "已接收"
    ASSESSING = "assessing", "Being assessed", "评估中"
    IN_INTERVENTION = "in_intervention", "In intervention", "干预中"
    REFERRED = "referred", "Referred", "已转介"
    ON_LEAVE = "on_leave", "On leave", "休学"
    RETURNED = "returned", "Returned to school", "已复学"
    CLOSED_WATCH = "closed_watch", "Closed, still watched", "结案持续关注"
    CLOSED = "closed", "Closed", "结案"
    NO_CASE = "no_case", "No case", "未立案"


class Channel(Term):
    """How somebody was reached."""

    IN_PERSON = "in_person", "In person", "面谈"
    PHONE = "phone", "Telephone", "电话"
    WRITTEN = "written", "In writing", "书面"
    VISIT = "visit", "Home visit", "家访"
    ONLINE = "online", "Online", "线上"


class ConfirmBasis(Term):
    """What a person's decision on the tier rests on."""

    INTERVIEW = "interview", "Interview", "访谈"
    MEDICAL_DOCUMENT = "medical_document", "Medical document", "医疗证明"
    TEAM_REVIEW = "team_review", "Review by two or more people", "集体研判"
    EMERGENCY = "emergency", "Emergency", "紧急情况"


class ChangeReason(Term):
    """Why a person set or changed a tier."""

    CONFIRMED = "confirmed", "Confirmed by assessment", "评估后确认"
    NOT_CONFIRMED = "not_confirmed", "Not confirmed by assessment", "评估后未予确认"
    NEW_SIGNS = "new_signs", "New signs", "出现新的表现"
    IMPROVED = "improved", "Lasting improvement", "持续好转"
    STABLE_IN_TREATMENT = "stable_in_treatment", "Stable in treatment", "治疗中病情稳定"
    OTHER = "other", "Other", "其他"


class Answer(Term):
    """What was answered when a person asked."""

    YES = "yes", "Yes", "是"
    NO = "no", "No", "否"
    REFUSED = "refused", "Refused", "拒绝回答"
    DONT_KNOW = "dont_know", "Don't know", "不知道"
    NOT_ASKED = "not_asked", "Not asked", "未询问"


class LifeArea(Term):
    """What an interview goes through."""

    STUDY = "study", "Study", "学习"
    EMOTION = "emotion", "Emotion", "情绪"
    BODY_SLEEP = "body_sleep", "Body and sleep", "身体与睡眠"
    PEERS = "peers", "Peers", "同伴关系"
    TEACHERS = "teachers", "Teachers", "师生关系"
    FAMILY = "family", "Family", "家庭"
    COPING = "coping", "Coping", "应对方式"
    FUTURE = "future", "Future", "未来期待"


class Conclusion(Term):
    """What an interview ends with."""

    NOTHING_FURTHER = "nothing_further", "Nothing further for now", "暂无须进一步处理"
    CLASS_TEACHER_WATCHES = "class_teacher_watches", "The class teacher watches", "班主任持续关注"
    PSYCH_TEACHER_STEPS_IN = (
        "psych_teacher_steps_in",
        "The psychology teacher steps in",
        "心理教师介入辅导",
    )
    TEAM_REVIEW = "team_review", "To be reviewed by the team", "提交集体研判"
    REFER = "refer", "Medical assessment advised", "建议转介医疗机构评估"


class Change(Term):
    """How something has changed since the last time."""

    BETTER = "better", "Better", "好转"
    UNCHANGED = "unchanged", "Unchanged", "无明显变化"
    WORSE = "worse", "Worse", "加重"
    NOT_SEEN = "not_seen", "Not seen", "未观察到"


class InterventionMethod(Term):
    """How a pupil is supported."""

    INTERVIEW = "interview", "Individual counselling", "面询"
    GROUP = "group", "Group work", "团辅"
    CALL_BACK = "call_back", "Call back", "回访"
    PEER_SUPPORT = "peer_support", "Peer support", "朋辈支持"
    FAMILY_WORK = "family_work", "Work with the family", "家庭工作"
    ENVIRONMENT = "environment", "Environment and supervision", "环境与看护"
    OTHER = "other", "Other", "其他"


class Response(Term):
    """How somebody who was told responded."""

    AGREED = "agreed", "Agreed", "同意配合"
    INFORMED = "informed", "Took note", "已知悉"
    REFUSED = "refused", "Refused", "拒绝"
    NOT_REACHED = "not_reached", "Could not be reached", "未联系上"


class Reader(Term):
    """For whom an entry is explained; each gets no more than is needed."""

    PUPIL = "pupil", "The pupil", "学生本人"
    GUARDIAN = "guardian", "The guardian", "监护人"
    TEACHER = "teacher", "The class teacher", "班主任"
    COUNSELLOR = "counsellor", "Whoever sees the pupil", "约谈人员"
    AUDITOR = "auditor", "Whoever checks how the result came about", "核查人员"


class ReferralOutcome(Term):
    """What became of a referral."""

    PENDING = "pending", "No word yet", "待反馈"
    OUTPATIENT = "outpatient", "Out-patient treatment", "门诊"
    INPATIENT = "inpatient", "In-patient treatment", "住院"
    MEDICATION = "medication", "Medication", "服药"
    EXTERNAL_COUNSELLING = "external_counselling", "Counselling elsewhere", "外部机构咨询"
    NO_TREATMENT = (
        "no_treatment",
        "No treatment needed, in the hospital's view",
        "医疗机构认为暂无须治疗",
    )
    REFUSED = "refused", "Refused", "拒绝"


class LeaveEvent(Term):
    """Steps of leave and return."""

    LEAVE_APPLIED = "leave_applied", "Leave applied for", "申请休学"
    LEAVE_BEGAN = "leave_began", "Leave began", "开始休学"
    RETURN_APPLIED = "return_applied", "Return applied for", "申请复学"
    RETURN_APPROVED = "return_approved", "Return approved", "同意复学"
    RETURN_REFUSED = "return_refused", "Return not approved", "暂不同意复学"
    RETURNED = "returned", "Returned", "已复学"


class ReturnDocument(Term):
    """What a return to school rests on."""

    HOSPITAL_DOCUMENT = "hospital_document", "Document of the hospital", "医疗机构证明"
    SCHOOL_ASSESSMENT = "school_assessment", "Assessment by the school", "学校评估"
    FAMILY_AGREEMENT = "family_agreement", "Agreement with the family", "家校协议"


class PlanKind(Term):
    """What kind of plan is written."""

    GROWTH = "growth", "Growth plan", "成长指导方案"
    INDIVIDUAL = "individual", "Individual plan", "一生一策方案"
    CRISIS = "crisis", "Crisis plan", "危机干预方案"


class PlanState(Term):
    """Where a plan stands."""

    DRAFTED = "drafted", "Drafted", "已起草"
    AGREED = "agreed", "Agreed with the family", "已与家庭商定"
    ENDED = "ended", "Ended", "已结束"


class MeetingTopic(Term):
    """The four standing matters of the monthly meeting."""

    PUPILS = "pupils", "Pupils' difficulties", "学生心理问题"
    FILES = "files", "Files", "档案管理"
    CRISES = "crises", "Crisis co-intervention", "危机协同干预"
    LESSONS = "lessons", "Lessons and activities", "“1+1”课程活动"


class ActivityKind(Term):
    """What a lesson or an activity was."""

    LESSON = "lesson", "Lesson", "心理课"
    ACTIVITY = "activity", "Activity", "心理活动"
    TRAINING = "training", "Training of staff", "教师培训"
    PARENTS = "parents", "For parents", "家长课堂"
    PUBLICITY = "publicity", "Publicity", "宣传"


class ClosureReason(Term):
    """Why a case was closed."""

    STABLE = "stable", "Stable over the follow-ups", "跟踪期内持续稳定"
    NOT_CONFIRMED = "not_confirmed", "Not confirmed by assessment", "评估后未予确认"
    MOVED_AWAY = "moved_away", "Left the area", "已离开本区域"
    OTHER = "other", "Other", "其他"


class ConsentState(Term):
    """Whether somebody has consented."""

    GIVEN = "given", "Given", "同意"
    REFUSED = "refused", "Refused", "拒绝"
    WITHDRAWN = "withdrawn", "Withdrawn", "撤回"
    UNKNOWN = "unknown", "Not known", "不详"


class LawfulBasis(Term):
    """What the processing rests on."""

    CONSENT = "consent", "Consent", "同意"
    STATUTORY_DUTY = "statutory_duty", "Statutory duty", "法定职责"
    VITAL_EMERGENCY = (
        "vital_emergency",
        "Emergency protection of life and health",
        "紧急保护生命健康",
    )


class TransferState(Term):
    """Where a transfer stands; the sending school owns the case until it is acknowledged."""

    SENT = "sent", "Sent", "已移交"
    ACKNOWLEDGED = "acknowledged", "Acknowledged by the receiving school", "接收学校已确认"


class TransferReason(Term):
    """Why a pupil changes school."""

    CHANGE_OF_SCHOOL = "change_of_school", "Change of school", "转学"
    NEXT_STAGE = "next_stage", "Next school stage", "升学"


class ErasureGround(Term):
    """Why entries are erased."""

    CONSENT_WITHDRAWN = "consent_withdrawn", "Consent was withdrawn", "撤回同意"
    RETENTION_ENDED = "retention_ended", "The retention period has ended", "保存期届满"
    PURPOSE_ENDED = "purpose_ended", "The purpose has been met", "处理目的已实现"
    WRONG_PERSON = "wrong_person", "Entered for the wrong person", "误录他人信息"


class Purpose(Term):
    """Why somebody read a file."""

    CARE = "care", "To support the pupil", "帮扶学生"
    EMERGENCY = "emergency", "Emergency", "紧急情况"
    MEETING = "meeting", "Meeting of the leading group", "专班会议"
    INSPECTION = "inspection", "Inspection", "督导检查"
    REQUEST = "request", "Request by the pupil or guardian", "学生或监护人申请"
    CONSULTATION = (
        "consultation",
        "Expert consultation opened with district or city",
        "市、区（市）协同会商",
    )


class FollowUpRhythm(Term):
    """How often a pupil is seen."""

    DAILY = "daily", "Daily", "每日"
    WEEKLY = "weekly", "Weekly", "每周"
    MONTHLY = "monthly", "Monthly", "每月"


class Instruction(Term):
    """What somebody is asked to do about a pupil, without being told why."""

    STAY_WITH = (
        "stay_with",
        "Stay with the pupil; do not leave the pupil alone until the on-duty staff has taken over",
        "请陪伴在学生身边，在值班人员接手前不可让学生独处",
    )
    PLEASE_BRING = (
        "please_bring",
        (
            "Please bring the pupil to the person named, by the time stated and without notice to "
            "classmates; do not speak with the family about it yourself"
        ),
        "请在规定时间前陪同学生到指定人员处，注意避开同学；请勿自行就此联系家长",
    )
    PLEASE_WATCH = (
        "please_watch",
        (
            "Please keep an eye on mood, behaviour, sleep and attendance, and tell the psychology "
            "teacher the same day of anything unusual"
        ),
        "请留意学生的情绪、行为、睡眠与出勤，如有异常当日告知心理教师",
    )

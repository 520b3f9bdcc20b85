"""The phrases of explanations, English and Simplified Chinese side by side."""

from __future__ import annotations

__all__ = ["PHRASES", "phrase"]

PHRASES: dict[str, tuple[str, str]] = {
    "title": ("Screening of pupil {pupil}", "学生 {pupil} 的筛查说明"),
    "grade": ("grade {grade}", "{grade} 年级"),
    "class": ("class {class_}", "班级 {class_}"),
    "age": ("age {age}", "{age} 岁"),
    "when": ("screened at {time}, cycle {cycle}", "筛查时间 {time}，筛查周期 {cycle}"),
    # what is shown
    "shown": ("What is shown", "显示结果"),
    "established": ("Established by the rules that hold: {tier}", "已触发规则确定的级别：{tier}"),
    "possible": (
        "What is unanswered could still raise it to: {tier}",
        "未作答的内容补齐后，最高可能升至：{tier}",
    ),
    "not_filed": ("Not handed in: {forms}.", "尚未提交：{forms}。"),
    "settled": ("Nothing that is unanswered could raise it.", "没有会使级别升高的未作答内容。"),
    "not_settled": (
        "Forms that could not be read or used could still raise it.",
        "未能读取或未被采用的问卷仍可能使级别升高。",
    ),
    "blank_forms": ("Handed in blank: {forms}.", "已提交但未作答：{forms}。"),
    "because": ("It stays undetermined because {reasons}.", "待核实的原因：{reasons}。"),
    "why_critical": ("a critical item is unanswered", "有危急条目未作答"),
    "why_invalid": ("a form is invalid", "有问卷无效"),
    "why_validity_open": (
        "what is unanswered leaves open whether a form is valid",
        "因有缺答，问卷是否有效尚不能判定",
    ),
    "why_possible": (
        "what is unanswered leaves a higher tier open",
        "缺答使更高级别尚不能排除",
    ),
    "why_error": ("a person must look at the forms", "须由人工查看问卷"),
    "not_screened": ("No required form holds an answer.", "必填问卷均无作答。"),
    "attendance": ("The roster says: {status}.", "名册注明：{status}。"),
    # who and when
    "contact": ("Who sees the pupil, and by when", "由谁约谈、何时之前"),
    "due": ("{who}, by {time}", "{who}，{time} 之前"),
    "not_due": ("Nothing is due.", "目前没有到期事项。"),
    "restricted": (
        "Restricted: only for staff who need it to act.",
        "限制知悉：仅限需据此处置的人员。",
    ),
    "abuse": (
        (
            "Suspected abuse: a named person decides about telling the guardian; open the "
            "mandatory report (Law on the Protection of Minors, art. 11)."
        ),
        "疑似受侵害：是否告知监护人须由专人决定；应启动强制报告（未成年人保护法第十一条）。",
    ),
    # rules
    "holds": ("Rules that hold", "已触发的规则"),
    "no_rule": ("No rule holds.", "没有触发任何规则。"),
    "evidence": ("{where}: {value}; the rule asks for {cut}", "{where}：{value}；规则要求 {cut}"),
    "between": ("between {low} and {high}", "介于 {low} 与 {high} 之间"),
    "nothing": ("no answer", "未作答"),
    "estimated": ("estimated {value} ({low} to {high})", "推算 {value}（{low}～{high}）"),
    "counted": (
        "refused or left blank, which its own rule counts as {value}",
        "拒绝回答或未作答，按量表规则计为 {value}",
    ),
    "or_more": ("{cut} or more", "≥{cut}"),
    "or_less": ("{cut} or less", "≤{cut}"),
    "on_invalid": (" (the form is invalid)", "（该问卷无效）"),
    "source": ("source: {source} ({certainty})", "依据：{source}（{certainty}）"),
    "undecided": ("Rules that are undecided", "尚不能判定的规则"),
    "open": ("open: {open}", "尚缺：{open}"),
    # forms
    "critical": ("Critical items", "危急条目"),
    "positive": ("positive", "阳性"),
    "unanswered": ("unanswered, to be asked in person", "未作答，须当面询问"),
    "counted_positive": (
        "refused or left blank, which its own rule counts as positive; to be asked in person",
        "拒绝回答或未作答，按量表规则视为阳性，须当面询问",
    ),
    "days": ("in the past {days} days", "过去 {days} 天"),
    "forms": ("Forms", "问卷"),
    "missing": ("required, not handed in", "必填，未提交"),
    "empty": ("handed in without an answer", "已提交，但未作答"),
    "complete": ("complete", "作答完整"),
    "incomplete": ("some items unanswered", "有条目未作答"),
    "several": (
        "{number} handed in, each evaluated whole; this is the worse one",
        "共提交 {number} 份，逐份整体评定，此处为较重的一份",
    ),
    "not_used": (
        "not meant for this stage: only its critical items count",
        "不适用于该学段：仅危急条目计入",
    ),
    "submitted": ("submitted {time}", "提交于 {time}"),
    "item": ("item {name}", "条目 {name}"),
    "no_score": ("no score ({low} to {high})", "无分数（{low}～{high}）"),
    # the rest
    "flags": ("Flags", "提示标记"),
    "asking": ("What was asked", "是否直接询问"),
    "not_asked": (
        "Nobody asked in plain words about: {concerns}.",
        "无人直接询问过：{concerns}。",
    ),
    "all_asked": (
        "Each concern of the policy was asked about in plain words.",
        "规则所列的每项担忧都已直接询问。",
    ),
    "basis": ("What this rests on", "依据"),
    "programme": ("programme {ref}", "方案 {ref}"),
    "unsigned": (
        "policy {ref}: unsigned default, nobody has approved it for this site",
        "预警规则 {ref}：未签署的默认规则，尚无人为本单位批准",
    ),
    "signed": ("policy {ref}: approved by {who}", "预警规则 {ref}：由 {who} 批准"),
    "instruments": ("questionnaires {refs}", "问卷 {refs}"),
    "engine": ("engine mhscreen {version}, entry {entry}", "引擎 mhscreen {version}，条目 {entry}"),
    "digests": (
        "definitions {definitions}, evidence {evidence}",
        "定义校验 {definitions}，证据校验 {evidence}",
    ),
    "note": ("Please note", "请注意"),
    "no_diagnosis": (
        (
            "A screening is no diagnosis. What is shown is provisional until a named person has "
            "talked with the pupil."
        ),
        "筛查不是诊断。以上为初筛提示，须由专人与学生面谈评估后确认。",
    ),
    "person_decides": (
        (
            "It decides only who sees the pupil and by when. Telling a guardian, referral and "
            "reports follow from a named person's decision."
        ),
        "本说明只决定由谁约谈、何时之前约谈；是否告知监护人、转介和上报，由专人决定。",
    ),
    "help_line": ("Where to find help: {text}", "求助渠道：{text}"),
    # for the pupil and the guardian: no score, no rule, no tier
    "own_title": ("About your questionnaires", "关于你填写的问卷"),
    "child_title": ("About your child's questionnaires", "关于您孩子的问卷"),
    "release": (
        "For a named person to explain and to hand over; not to be sent by itself.",
        "须由专人当面说明后交付，不得自动发送。",
    ),
    "held": (
        "Held. A named person decides whether, when and by whom the guardian is told.",
        "暂缓告知。是否告知、何时告知、由谁告知，由专人决定。",
    ),
    "result": ("What the questionnaires say", "问卷说明了什么"),
    "own_nothing": (
        "No flag was raised in this screening. It asks only about some things and some weeks.",
        "本次测评未见预警。测评只涉及部分内容和一段时间。",
    ),
    "own_talk": (
        "Some answers are a reason for somebody at school to talk with {you}.",
        "部分作答提示，学校需要与{you}谈一次话。",
    ),
    "own_soon": (
        "This talk should take place soon.",
        "这次谈话应尽快进行。",
    ),
    "own_open": (
        "Something is unanswered, or could not be read. Somebody at school will ask again.",
        "有内容未作答或未能读取，学校会再次询问。",
    ),
    "own_none_yet": (
        "There are no answers yet. The school will arrange another time.",
        "目前还没有作答，学校会另行安排。",
    ),
    "own_next": ("What happens next", "接下来"),
    "own_contact": ("{who} will talk with {you}, by {time}.", "{who}将在 {time} 之前与{you}谈话。"),
    "own_no_contact": ("Nothing is planned because of it.", "目前没有因此安排的事项。"),
    "own_rights": (
        (
            "A questionnaire is no diagnosis and no mark. It is not used for grades, selection or "
            "discipline. You may ask how the result came about, and have it explained by a person."
        ),
        "问卷不是诊断，也不是成绩，不用于评优、录取或处分。可以询问结果的由来，并由专人当面说明。",
    ),
    "own_help": ("Where to find help", "求助渠道"),
    "own_help_line": ("{text}", "{text}"),
    "own_help_school": (
        "The psychology teacher of the school, or any other adult who is trusted.",
        "学校的心理教师，或任何可以信任的成年人。",
    ),
    "own_help_danger": (
        "If somebody is in danger now: call 120 or 110, and do not leave them alone.",
        "若此刻有人处于危险之中：拨打 120 或 110，并陪在其身边。",
    ),
    # for the class teacher: what to do, not what was answered
    "teacher_title": ("For the class teacher: pupil {pupil}", "班主任须知：学生 {pupil}"),
    "do": ("What to do", "需要做什么"),
    "do_nothing": (
        "Nothing beyond the usual attention. Your own concern counts whatever a screening shows.",
        "保持日常关注即可。无论测评结果如何，您的担忧都应提出。",
    ),
    "do_watch": (
        "Please keep watching, and tell {who} what you notice.",
        "请持续观察，发现情况告知{who}。",
    ),
    "do_bring": (
        "Please see to it that {who} can talk with the pupil by {time}.",
        "请协助安排{who}在 {time} 之前与学生谈话。",
    ),
    "do_stay": (
        "Do not leave the pupil alone until somebody has taken over.",
        "在有人接手之前，不可让学生独处。",
    ),
    "do_quiet": (
        "Do not ask about the questionnaires, and tell neither classmates nor the family.",
        "请勿追问问卷内容，也不要告知同学或家庭。",
    ),
    "do_screen": (
        "Please find out why there are no forms, and see to another time.",
        "请了解未测评的原因，并安排补测。",
    ),
    # where a case stands
    "case_title": ("Case of pupil {pupil}", "学生 {pupil} 的个案"),
    "case_stands": ("Where it stands", "目前状况"),
    "case_screen": ("Screening: {tier}", "测评：{tier}"),
    "case_tier": ("Set by a named person: {tier}", "专人定级：{tier}"),
    "case_undecided": ("Nobody has set a tier yet.", "尚未定级。"),
    "case_confirm": (
        "Screenings that ask for a decision: {number}",
        "待评估确认的测评：{number} 条",
    ),
    "case_known": ("Known since {on}: {name}", "已知（{on}）：{name}"),
    "case_referral": ("Referral: {where}, {outcome}", "转介：{where}，{outcome}"),
    "case_leave": ("On leave since {day}", "自 {day} 起休学"),
    "case_transfer": (
        "On the way to {school}, which has not acknowledged yet",
        "正移交至 {school}，对方尚未确认",
    ),
    "case_decided": ("Who decided what", "定级经过"),
    "case_decision": (
        "{day}: {tier}, by {who} ({role}); on {basis}; {reason}",
        "{day}：{tier}，{who}（{role}）；依据：{basis}；{reason}",
    ),
    "case_open": ("What is to be done", "待办事项"),
    "case_to": ("{what} to: {who}", "{what}（对象：{who}）"),
    "case_due": ("{what}: {who}, by {time}", "{what}：{who}，{time} 之前"),
    "case_overdue": ("OVERDUE {what}: {who}, by {time}", "已逾期　{what}：{who}，{time} 之前"),
    "case_held": (
        "HELD {what}: a named person decides first ({who})",
        "暂缓　{what}：须先由专人决定（{who}）",
    ),
    "case_todo": ("{what}: {who}", "{what}：{who}"),
    "case_done": ("What was done", "已完成事项"),
    "case_refused": ("What did not take effect, or is missing", "未生效或缺失的内容"),
    # for the auditor
    "trace": ("Trace", "溯源信息"),
    "trace_line": ("{name}: {value}", "{name}：{value}"),
    "no_help_line": (
        (
            "Where to find help: the text stands in the site's configuration (help_line in the "
            "programme)."
        ),
        "求助渠道：文字由本单位在配置中填写（方案中的 help_line）。",
    ),
}


def phrase(key: str, language: str, **parts: object) -> str:
    """Return a phrase in a language, ``"en"`` or ``"zh"``.

    Examples
    --------
    >>> phrase("or_more", "zh", cut=1)
    '≥1'
    """
    return PHRASES[key][language == "zh"].format(**parts)

"""What the commands print, English and Simplified Chinese side by side."""

from __future__ import annotations

__all__ = ["SHORT_TIERS", "STEP_NAMES", "say"]

SHORT_TIERS: dict[str, tuple[str, str]] = {
    "major": ("major", "重大"),
    "severe": ("severe", "严重"),
    "general": ("general", "一般"),
    "undetermined": ("undetermined", "待核实"),
    "watch": ("watch", "持续观察"),
    "not_screened": ("not screened", "未测评"),
    "none": ("no flag", "未见预警"),
}
"""Headings of the table, the most urgent first."""

STEP_NAMES: dict[str, tuple[str, str]] = {
    "read": ("reading and sorting", "读取并整理文件"),
    "screen": ("scoring and triage", "计分与分级"),
    "write": ("writing results", "写出结果"),
    "done": ("done", "完成"),
}

_PHRASES: dict[str, tuple[str, str]] = {
    "synthetic": (
        "SYNTHETIC DATA 模拟数据: nobody in it exists",
        "模拟数据 SYNTHETIC DATA：其中人物均不存在",
    ),
    "urgent": ("To be seen today: {number}", "当日须约谈：{number} 人"),
    "urgent_list": ("(list: {path})", "（名单：{path}）"),
    "unmatched": (
        "First of all: {number} with an urgent form that matches no pupil or stage. Whose is it?",
        "最先处理：{number} 人的紧急问卷与名册或学段不符，请先查明属于谁",
    ),
    "off_roster": (
        "Forms that match no pupil on the roster: {number} (unmatched.jsonl)",
        "与名册不符的问卷：{number} 份（unmatched.jsonl）",
    ),
    "why": ("{why}: {number}", "{why}：{number}"),
    "table": (
        "Pupils by school and screening prompt (to be confirmed by a person)",
        "各校初筛提示人数（待评估确认）",
    ),
    "school": ("School", "学校"),
    "no_school": ("(no school given)", "（未填学校）"),
    "all": ("All", "合计"),
    "shares": (
        "{number} implausible shares; look for miscoding, coaching or overload. No tier changed.",
        "{number} 处比例异常，请核查编码错误、诱导作答或超负荷；级别未作任何改动。",
    ),
    "problems": (
        "Problems: {errors}, warnings: {warnings}; all in problems.csv:",
        "问题 {errors} 项、提示 {warnings} 项，详见 problems.csv：",
    ),
    "clean": ("No problems.", "未发现问题。"),
    "more": ("… {number} more", "……另有 {number} 项"),
    "unsigned": (
        "Policy {ref}: unsigned default, nobody has approved it for this site.",
        "预警规则 {ref}：未签署的默认规则（unsigned default），尚无人为本单位批准。",
    ),
    "signed": ("Policy {ref}: approved by {who}.", "预警规则 {ref}：由 {who} 批准。"),
    "written": ("Written to {path}: {files}", "已写入 {path}：{files}"),
    "stopped": (
        (
            "Stopped; nothing was written. What is done is kept in {path}: the same command goes "
            "on from there. To give up, remove that folder: it holds pupils' answers."
        ),
        (
            "已停止，未写出结果。已完成的部分保存在 {path}，用同一命令可继续；"
            "如不再继续，请删除该文件夹，其中有学生作答。"
        ),
    ),
    "not_kept": (
        "Nothing was kept; --out DIR keeps the files.",
        "未保留文件；用 --out 目录 可保留。",
    ),
    "not_this": (
        "This is no diagnosis and no decision: it says only who sees a pupil first, and by when.",
        "这不是诊断，也不是决定：只提示由谁先约谈、何时之前约谈。",
    ),
}


def say(key: str, language: str, **parts: object) -> str:
    """Return a phrase in a language, ``"en"`` or ``"zh"``."""
    return _PHRASES[key][language == "zh"].format(**parts)

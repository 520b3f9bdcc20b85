"""The report of a check: text, JSON, JUnit XML and one self-contained HTML page."""

from __future__ import annotations

import html
import json
from typing import TYPE_CHECKING, Any
from xml.sax.saxutils import escape, quoteattr

from mhscreen.conformance.clauses import clause_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mhscreen.conformance.check import Check, ClauseResult, FormCheck
    from mhscreen.conformance.diagnose import Diagnosis

__all__ = ["WRITERS", "as_html", "as_json", "as_junit", "as_text"]

_VERDICTS = {
    ("standard", "passed"): ("standard: scores agree", "标准：计分一致"),
    ("standard", "waived"): (
        "standard: scores agree, but for what is waived",
        "标准：除已豁免项外计分一致",
    ),
    ("standard", "failed"): ("standard: scores do not agree", "标准：计分不一致"),
    ("gate", "passed"): (
        "gate: no unsafe result found in these vectors",
        "底线：在这些测试向量中未发现不安全的结果",
    ),
    ("gate", "failed"): ("gate: unsafe results found", "底线：发现不安全的结果"),
}
_NOTE = (
    "Found with the vectors of the kit; no statement of validity in use.",
    "仅针对本测试包的向量，不说明实际使用中的有效性。",
)
_CERTAINTY = {
    "exact": ("looks like", "看来是"),
    "part": ("looks in part like", "部分看来是"),
    "like": ("is most like", "最接近"),
}


def _index(lang: str) -> int:
    return int(lang == "zh")


def verdicts(check: Check, lang: str = "en") -> tuple[str, str]:
    """Return both verdicts in words."""
    return (
        _VERDICTS["standard", check.state("standard")][_index(lang)],
        _VERDICTS["gate", check.state("gate")][_index(lang)],
    )


def diagnosis_words(diagnosis: Diagnosis, lang: str = "en") -> str:
    """Return a diagnosis as a sentence."""
    place = _index(lang)
    name = diagnosis.name.removeprefix("known: ")
    words = f"{_CERTAINTY[diagnosis.certainty][place]} "
    if diagnosis.is_variant:
        words += ("the documented variant: ", "有文献依据的变体：")[place]
    words += name if lang == "en" else f"{name}（{diagnosis.fault.zh}）"
    if diagnosis.source:
        words += (f" (seen in: {diagnosis.source})", f"（见于：{diagnosis.source}）")[place]
    others = [one.removeprefix("known: ") for one in diagnosis.also]
    others = [one for one in dict.fromkeys(others) if one != name]
    if others:
        head = ("the same on these vectors: ", "在这些向量上等同于：")[place]
        words += f"; {head}{', '.join(others[:3])}" + (" …" if len(others) > 3 else "")  # noqa: PLR2004
    if diagnosis.certainty != "exact":
        share = f"{100 * diagnosis.explained:.0f} %"
        words += (f"; explains {share} of what differs", f"；可解释差异的 {share}")[place]
    return words


def _example(one: ClauseResult, lang: str) -> str:
    example = one.example
    if example is None:
        return ""
    nothing = ("nothing", "无")[_index(lang)]
    got, expected = example.got or nothing, example.expected or nothing
    if not example.vector:
        return f"{example.column}: {('not given', '未给出')[_index(lang)]}"
    if lang == "zh":
        head = f"{example.vector}：{example.column} 给出 {got}，应为 {expected}"
        return f"{head}；作答：{example.answers}"
    return (
        f"{example.vector}: {example.column} is {got}, not {expected}; answers: {example.answers}"
    )


def as_text(check: Check, lang: str = "en") -> str:
    """Return the report as text.

    Parameters
    ----------
    lang : str
        ``en`` or ``zh``.
    """
    return "\n".join(_text_lines(check, lang)) + "\n"


def _text_lines(check: Check, lang: str) -> Iterator[str]:
    zh = lang == "zh"
    yield from verdicts(check, lang)
    yield _NOTE[_index(lang)]
    clean = [form.form for form in check.forms if all(not c.failures for c in form.clauses)]
    yield f"{len(clean)} / {len(check.forms)} " + (
        "份量表全部一致" if zh else "forms without a difference"
    )
    if check.not_given:
        names = ", ".join(check.not_given[:6]) + (" …" if len(check.not_given) > 6 else "")  # noqa: PLR2004
        yield (f"无结果的量表：{names}" if zh else f"no results given for: {names}")
    for form in check.forms:
        failed = [one for one in form.clauses if one.failures]
        if not failed:
            continue
        yield f"\n{form.form}"
        for diagnosis in form.diagnoses:
            yield f"  {diagnosis_words(diagnosis, lang)}"
        for one in failed:
            clause = clause_of(one.clause)
            state = _state(one, lang)
            yield f"  {clause.number:2d} {clause.words.label(lang)}: {state}"
            yield f"     {_example(one, lang)}"
    for waiver in check.waivers:
        used = any(one.waiver == waiver for form in check.forms for one in form.clauses)
        where = waiver.form or ("全部" if zh else "all forms")
        words = ("已使用" if zh else "used") if used else ("未用到" if zh else "not needed")
        head = "豁免" if zh else "waiver"
        who = f"{waiver.by}, {waiver.date}"
        yield f"{head}: {waiver.clause}, {where}, {who}: {waiver.reason} ({words})"


def _state(one: ClauseResult, lang: str) -> str:
    number = one.failures
    if lang == "zh":
        words = f"{number} 处不符"
        return words if one.waiver is None else f"{words}，已由 {one.waiver.by} 豁免"
    words = f"{number} cell{'' if number == 1 else 's'} fail{'s' if number == 1 else ''}"
    return words if one.waiver is None else f"{words}, waived by {one.waiver.by}"


def as_json(check: Check, lang: str = "en") -> str:
    """Return the report as JSON."""
    found: dict[str, Any] = {
        "schema": "mhscreen/conformance-report/1",
        "scorer": check.scorer,
        "verdicts": {
            verdict: {"state": check.state(verdict), "words": words}
            for verdict, words in zip(("standard", "gate"), verdicts(check, lang), strict=True)
        },
        "note": _NOTE[_index(lang)],
        "not_given": list(check.not_given),
        "forms": [_form_json(form, lang) for form in check.forms],
        "waivers": [vars(waiver) for waiver in check.waivers],
    }
    return json.dumps(found, ensure_ascii=False, indent=1) + "\n"


def _form_json(form: FormCheck, lang: str) -> dict[str, Any]:
    return {
        "form": form.form,
        "instrument": form.instrument,
        "vectors": form.vectors,
        "clauses": [
            {
                "clause": one.clause,
                "words": clause_of(one.clause).words.label(lang),
                "verdict": clause_of(one.clause).verdict,
                "state": one.state,
                "failures": one.failures,
                "example": None if one.example is None else vars(one.example),
                "waived_by": None if one.waiver is None else one.waiver.by,
            }
            for one in form.clauses
        ],
        "diagnoses": [
            {
                "certainty": one.certainty,
                "kind": str(one.fault),
                "variant": one.is_variant,
                "name": one.name,
                "also": list(one.also),
                "seen": one.source,
                "explained": round(one.explained, 4),
                "words": diagnosis_words(one, lang),
            }
            for one in form.diagnoses
        ],
    }


def as_junit(check: Check, lang: str = "en") -> str:
    """Return the report as JUnit XML: a suite per form, a case per clause; a waiver is a skip."""
    lines = ['<?xml version="1.0" encoding="UTF-8"?>', f"<testsuites name={_attr(check.scorer)}>"]
    for form in check.forms:
        failed = sum(one.state == "failed" for one in form.clauses)
        skipped = sum(one.state == "waived" for one in form.clauses)
        lines.append(
            f'<testsuite name={_attr(form.form)} tests="{len(form.clauses)}" '
            f'failures="{failed}" skipped="{skipped}">'
        )
        for one in form.clauses:
            clause = clause_of(one.clause)
            name = _attr(f"{clause.number} {clause.words.label(lang)}")
            head = f"<testcase classname={_attr(form.form)} name={name}"
            if one.state == "passed":
                lines.append(f"{head}/>")
                continue
            words = "\n".join(
                [_example(one, lang), *(diagnosis_words(d, lang) for d in form.diagnoses)]
            )
            if one.state == "waived" and one.waiver is not None:
                reason = _attr(f"{one.waiver.by}: {one.waiver.reason}")
                lines.append(f"{head}><skipped message={reason}/></testcase>")
            else:
                message = _attr(_state(one, lang))
                lines.append(
                    f"{head}><failure message={message}>{escape(words)}</failure></testcase>"
                )
        lines.append("</testsuite>")
    return "\n".join([*lines, "</testsuites>"]) + "\n"


def _attr(text: str) -> str:
    return quoteattr(text)


_STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 62rem; padding: 0 1rem }
h1 { font-size: 1.4rem } h2 { font-size: 1.1rem; margin-top: 2rem }
table { border-collapse: collapse; width: 100% }
td, th { border-bottom: 1px solid #ccc; padding: .25rem .5rem }
td, th { text-align: left; vertical-align: top }
.failed { color: #a40000 } .waived { color: #7a5c00 } .passed { color: #205020 }
code { font-size: .9em; overflow-wrap: anywhere }
"""


def as_html(check: Check, lang: str = "en") -> str:
    """Return the report as one HTML page that needs nothing else."""
    zh = lang == "zh"
    title = "计分程序一致性检查" if zh else "Conformance of a scorer"
    parts = [
        f'<!doctype html><html lang="{"zh-CN" if zh else "en"}"><meta charset="utf-8">',
        f"<title>{title}</title><style>{_STYLE}</style><h1>{title}</h1>",
        f"<p><code>{html.escape(check.scorer)}</code></p>",
    ]
    for verdict, words in zip(("standard", "gate"), verdicts(check, lang), strict=True):
        parts.append(f'<p class="{check.state(verdict)}"><b>{words}</b></p>')
    parts.append(f"<p>{_NOTE[_index(lang)]}</p>")
    if check.not_given:
        head = "无结果的量表：" if zh else "No results given for: "
        parts.append(f"<p>{head}{html.escape(', '.join(check.not_given))}</p>")
    for waiver in check.waivers:
        head = "豁免" if zh else "Waiver"
        words = f"{waiver.clause}, {waiver.form}, {waiver.by}, {waiver.date}: {waiver.reason}"
        parts.append(f'<p class="waived">{head}: {html.escape(words)}</p>')
    heads = (
        ("条款", "要求", "结果", "最小的例子")
        if zh
        else ("", "clause", "result", "smallest example")
    )
    for form in check.forms:
        parts.append(f"<h2>{html.escape(form.form)}</h2>")
        parts += [f"<p>{html.escape(diagnosis_words(d, lang))}</p>" for d in form.diagnoses]
        parts.append("<table><tr>" + "".join(f"<th>{head}</th>" for head in heads) + "</tr>")
        for one in form.clauses:
            words = ("符合" if zh else "holds") if not one.failures else _state(one, lang)
            parts.append(
                f"<tr><td>{one.clause}</td>"
                f"<td>{html.escape(clause_of(one.clause).words.label(lang))}</td>"
                f'<td class="{one.state}">{html.escape(words)}</td>'
                f"<td><code>{html.escape(_example(one, lang))}</code></td></tr>"
            )
        parts.append("</table>")
    return "\n".join(parts) + "</html>\n"


WRITERS = {".txt": as_text, ".json": as_json, ".xml": as_junit, ".html": as_html}
"""By the ending of a file."""

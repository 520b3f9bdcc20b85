"""The catalogue: what a library holds, and one page for each instrument."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mhscreen.explain.norm_words import describe_norm
from mhscreen.vocabulary import Direction, Evidence, Validity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mhscreen.definitions import Instrument, NormTable
    from mhscreen.definitions.instrument import (
        CriticalItem,
        CutSet,
        Published,
        QualityIndex,
        Scale,
    )
    from mhscreen.loading import Library

__all__ = ["CatalogueLine", "included_wording", "list_instruments", "write_page"]


@dataclass(frozen=True)
class CatalogueLine:
    """What the catalogue says of one instrument at one version.

    Attributes
    ----------
    ref, abbreviation, title_en, title_zh : str
        What it is called.
    informants : tuple of str
        Who answers it.
    ages : tuple of float
        From (included) and below (excluded), in years.
    items, scales, critical_items : int
        How many.
    key, wording : str
        Whether the key is ``shipped``, and the wording ``included`` or ``withheld``.
    languages : tuple of str
        The languages of the wording, where it is included.
    evidence : str
        How well the item key was checked.
    unverified : int
        How many claims are marked unverified.
    norms : tuple of str
        The norm tables for it.
    withdrawn : bool
        Whether it must not be used any more.
    """

    ref: str
    abbreviation: str
    title_en: str
    title_zh: str
    informants: tuple[str, ...]
    ages: tuple[float, float]
    items: int
    scales: int
    critical_items: int
    key: str
    wording: str
    languages: tuple[str, ...]
    evidence: str
    unverified: int
    norms: tuple[str, ...]
    withdrawn: bool


def list_instruments(library: Library) -> list[CatalogueLine]:
    """Return a line for every instrument of a library, by id and version.

    Examples
    --------
    >>> from mhscreen.loading import shipped_library
    >>> lines = {line.ref: line for line in list_instruments(shipped_library())}
    >>> lines["sdq@1.0.0"].informants, lines["sdq@1.0.0"].wording
    (('self', 'parent', 'teacher'), 'withheld')
    """
    norms = [loaded.definition for loaded in library.of_kind("norm")]
    return [
        _line(loaded.definition, norms)  # type: ignore[arg-type]
        for loaded in library.of_kind("instrument")
    ]


def _line(one: Instrument, norms: list[NormTable]) -> CatalogueLine:
    claims = Counter(evidence for _, evidence in _evidence(one))
    return CatalogueLine(
        ref=one.ref,
        abbreviation=one.abbreviation,
        title_en=one.title.en,
        title_zh=one.title.zh,
        informants=tuple(map(str, one.informants)),
        ages=(one.ages.from_, one.ages.below),
        items=len(one.items),
        scales=len(one.scales),
        critical_items=len(one.critical_items),
        key=one.rights.key,
        wording=one.rights.wording,
        languages=_languages(one),
        evidence=str(one.evidence),
        unverified=claims[Evidence.UNVERIFIED],
        norms=tuple(norm.ref for norm in norms if norm.instrument_id == one.id),
        withdrawn=one.withdrawn is not None,
    )


def _languages(one: Instrument) -> tuple[str, ...]:
    """Return the languages in which every item that has wording has it."""
    worded = [item.wording for item in one.items if item.wording is not None]
    return tuple(
        language for language in ("en", "zh") if worded and all(w.label(language) for w in worded)
    )


def _evidence(one: Instrument) -> Iterator[tuple[str, Evidence]]:
    yield "items", one.evidence
    for scale in one.scales:
        yield scale.id, scale.evidence
        if scale.missing is not None:
            yield f"{scale.id}.missing", scale.missing.evidence
        for cuts in scale.cut_sets:
            yield f"{scale.id}.{cuts.id}", cuts.evidence
        for place, published in enumerate(scale.published, start=1):
            yield f"{scale.id}.published.{place}", published.evidence
    for critical in one.critical_items:
        yield critical.item, critical.evidence
    for gate in one.gates:
        yield gate.id, gate.evidence
    for index in one.validity_indices:
        yield index.id, index.evidence
    for sign in one.quality:
        yield sign.id, sign.evidence


_HEADINGS = {
    "what": ("What it is", "基本信息"),
    "rights": ("Rights", "版权与使用条款"),
    "wording": ("Wording", "题目文字"),
    "scales": ("Scales", "量表与分数"),
    "cuts": ("Cut scores", "划界分"),
    "critical": ("Critical items", "危急条目"),
    "validity": ("Validity", "效度指标"),
    "quality": ("Response quality", "作答质量指标"),
    "norms": ("Norm tables", "常模"),
    "published": ("Published figures", "文献报告的数据"),
    "notes": ("Notes", "说明"),
    "sources": ("Sources", "来源"),
}
_NOTHING = ("None.", "无。")


def write_page(library: Library, ref: str, language: str = "en") -> str:
    """Return the page of one instrument, as Markdown.

    Parameters
    ----------
    library : Library
        Where it is found.
    ref : str
        ``phq9`` or with a version.
    language : {"en", "zh"}
        The language of the headings and titles; notes and sources stand as they were written.
    """
    one = library.instrument(ref).definition
    norms: list[NormTable] = [loaded.definition for loaded in library.of_kind("norm")]  # type: ignore[misc]
    zh = language == "zh"
    sections = [f"# {one.title.label(language)} ({one.abbreviation}, `{one.ref}`)"]
    if one.withdrawn:
        sections.append(f"**{'已撤回' if zh else 'Withdrawn'}:** {one.withdrawn}")
    parts = {
        "what": _what(one, language),
        "rights": [
            f"{one.rights.holder}. {one.rights.terms}",
            (
                f"计分键：{one.rights.key}；题目文字：{included_wording(one)}；"
                f"核对于 {one.rights.read_on}"
                if zh
                else f"Key {one.rights.key}, wording {included_wording(one)}, "
                f"terms read on {one.rights.read_on}"
            ),
        ],
        "wording": [
            f"`{item.id}` {item.wording.label(language) or item.wording.en}"
            for item in one.items
            if item.wording is not None
        ],
        "scales": [_scale(scale, language) for scale in one.scales],
        "cuts": [
            line for scale in one.scales for cuts in scale.cut_sets
            for line in [_cuts(scale, cuts, language)]
        ],
        "critical": [
            f"`{c.item}` {one.item(c.item).topic.label(language)}: {c.concern.label(language)}, "
            f"{_window(c, language)}, "
            f"{c.directness.label(language)}, ≥{c.at_or_above}; {c.evidence.label(language)}"
            for c in one.critical_items
        ],
        "validity": [
            f"`{v.id}`: `{v.scale}` ≥ {v.at_or_above:g} → {v.status.label(language)}; "
            f"{v.evidence.label(language)}"
            for v in one.validity_indices
        ],
        "quality": [_quality(sign, language) for sign in one.quality],
        "norms": [
            describe_norm(norm, language)
            for norm in norms
            if norm.instrument_id == one.id
        ],
        "published": [
            _published(scale, published, language)
            for scale in one.scales
            for published in scale.published
        ],
        "notes": list(one.notes),
        "sources": [
            f"`{r.id}` {r.citation}{f', doi {r.doi}' if r.doi else ''}"
            f"{f', {r.url}' if r.url else ''}: {', '.join(r.supports)}"
            for r in one.references
        ],
    }  # fmt: skip
    for rare in ("wording", "quality", "published"):
        if not parts[rare]:
            del parts[rare]
    for name, lines in parts.items():
        sections.append(f"## {_HEADINGS[name][zh]}")
        sections.append("\n".join(f"- {line}" for line in lines) or _NOTHING[zh])
    return "\n\n".join(sections) + "\n"


def included_wording(one: Instrument) -> str:
    """Return ``withheld``, or ``included`` with the languages.

    Examples
    --------
    >>> from mhscreen.loading import shipped_library
    >>> included_wording(shipped_library().instrument("gad7@1").definition)
    'included (en)'
    """
    languages = ", ".join(_languages(one))
    return f"{one.rights.wording} ({languages})" if languages else one.rights.wording


def _quality(sign: QualityIndex, language: str) -> str:
    side = "≥" if sign.at_or_above is not None else "≤"
    rate = f"{100 * sign.calibration.false_alarm:g} %"
    alarm = (
        f"模拟的认真作答问卷中，全部指标合计误报率不超过 {rate}"
        if language == "zh"
        else f"all indices together at most {rate} of simulated honest forms"
    )
    parts = [
        f"`{sign.id}`: {sign.index} {side} {sign.cut:g} → {Validity.QUESTIONABLE.label(language)}",
        alarm,
    ]
    if sign.calibration.power is not None:
        found = "模拟的随意作答中识别出" if language == "zh" else "simulated careless forms found"
        parts.append(f"{found}: {sign.calibration.power}")
    if sign.calibration.real is not None:
        named = "真实作答中命中" if language == "zh" else "on real answers"
        parts.append(f"{named}: {sign.calibration.real}")
    return "; ".join([*parts, sign.evidence.label(language)])


def _window(critical: CriticalItem, language: str) -> str:
    if critical.days is None:
        return critical.window.label(language)
    return f"过去 {critical.days} 天" if language == "zh" else f"in the past {critical.days} days"


def _what(one: Instrument, language: str) -> list[str]:
    zh = language == "zh"
    informants = ("、" if zh else ", ").join(i.label(language) for i in one.informants)
    ages = f"{one.ages.from_:g} – <{one.ages.below:g}"
    critical = len(one.critical_items)
    return [
        one.construct_.label(language),
        one.recall.label(language),
        one.population.label(language),
        (
            f"评定者：{informants}；年龄 {ages} 岁；{len(one.items)} 题，危急条目 {critical} 个"
            if zh
            else f"Informants: {informants}; ages {ages}; "
            f"{len(one.items)} items, {critical} of them critical"
        ),
        f"{'条目与计分键' if zh else 'Item key'}: {one.evidence.label(language)}",
    ]


def _scale(scale: Scale, language: str) -> str:
    low, high = scale.range
    reverse = len(scale.reverse)
    zh = language == "zh"
    if scale.missing is None:
        missing = "须全部作答" if zh else "every item needed"
    else:
        fewest = scale.missing.min_answered
        missing = f"至少 {fewest} 题，按比例推算" if zh else f"prorated from {fewest} answers"
    keyed = f", {reverse} {'题反向' if zh else 'reversed'}" if reverse else ""
    return (
        f"`{scale.id}` {scale.title.label(language)}: {scale.combine}, {low:g}–{high:g}{keyed}, "
        f"{scale.higher_is.label(language)}, {missing}; {scale.evidence.label(language)}"
    )


def _cuts(scale: Scale, cuts: CutSet, language: str) -> str:
    sign = "≥" if scale.higher_is is Direction.WORSE else "≤"
    who = "".join(f" {informant.label(language)}" for informant in cuts.informants)
    bands = ", ".join(
        f"{category.id} {sign}{category.cut:g}"
        for category in cuts.categories
        if category.cut is not None
    )
    return (
        f"`{scale.id}`{who}: {bands} ({cuts.id}; {cuts.population.label(language)}; "
        f"{cuts.evidence.label(language)})"
    )


def _published(scale: Scale, published: Published, language: str) -> str:
    who = "".join(f" {informant.label(language)}" for informant in published.informants)
    named = {"n": published.n, "M": published.mean, "SD": published.sd, "α": published.alpha}
    figures = ", ".join(f"{name} = {one:g}" for name, one in named.items() if one is not None)
    return (
        f"`{scale.id}`{who}: {figures} ({published.population.label(language)}; "
        f"`{published.source}`; {published.evidence.label(language)})"
    )

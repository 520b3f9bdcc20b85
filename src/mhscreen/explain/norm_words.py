"""A norm table in one line: for whom, what it gives, and how that is defined."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mhscreen.vocabulary import Evidence, Metric

if TYPE_CHECKING:
    from mhscreen.definitions import NormTable
    from mhscreen.definitions.norm_table import ScaleNorm

__all__ = ["describe_norm"]

_T_KINDS = {"linear": ("linear", "线性"), "normalised": ("normalised", "正态化")}
_PERCENTILES = {
    "below": ("share below the score", "低于该分数的比例"),
    "at_or_below": ("share at or below the score", "不高于该分数的比例"),
    "mid_rank": ("share below, and half of those at the score", "低于者加同分者的一半"),
    "fitted": ("share below in the fitted distribution", "拟合分布中低于该分数的比例"),
}
_STANINES = {
    "table": ("as listed", "按表"),
    "half_z": ("bands half a z wide", "按 z 每半个标准差一档"),
}
_USES = {"display": ("for display", "仅供显示"), "policy": ("for rules", "可供规则使用")}
_PARTS = {
    "n": ("n not stated", "n 未注明"),
    "capped": ("capped at the ends", "两端封顶"),
    "error": ("measurement error by", "测量误差依据"),
    "review": ("look again by", "复核期限"),
}


def describe_norm(norm: NormTable, language: str = "en") -> str:
    """Describe a norm table: group, derived scores with their definitions, evidence, use.

    A percentile is never named without what it counts.

    Parameters
    ----------
    norm : NormTable
        The table.
    language : {"en", "zh"}
        The language of the words.

    Examples
    --------
    >>> from mhscreen.loading import shipped_library
    >>> print(describe_norm(shipped_library().norm("sdq/shanghai-teacher@1").definition))
    `sdq/shanghai-teacher@1.0.0` SDQ teacher form, Shanghai (CN, Published 2008, n = 1965,
    Teacher): z score; T score (linear); Read in one source, Not verified; for display; look again
    by 2028-12-31
    """
    zh = language == "zh"
    n = _PARTS["n"][zh] if norm.n is None else f"n = {norm.n}"
    group = ", ".join([norm.country, norm.years, n, norm.informant.label(language)])
    given = {line for scale in norm.scales for line in _metrics(scale, zh=zh)}
    order = [*(line for m in Metric for line in sorted(given) if line.startswith(_name(m, zh=zh)))]
    parts = [*order, *_reliabilities(norm, zh=zh)]
    found = {
        evidence
        for scale in norm.scales
        for evidence in (scale.evidence, *(s.evidence for s in scale.strata))
    }
    parts.append(", ".join(one.label(language) for one in Evidence if one in found))
    if any(s.table and (s.table.t_below or s.table.t_above) for c in norm.scales for s in c.strata):
        parts.append(_PARTS["capped"][zh])
    parts += [_USES[norm.use][zh], f"{_PARTS['review'][zh]} {norm.review_by}"]
    return f"`{norm.ref}` {norm.title.label(language)} ({group}): {'; '.join(parts)}"


def _name(metric: Metric, *, zh: bool) -> str:
    return metric.zh if zh else metric.en


def _metrics(scale: ScaleNorm, *, zh: bool) -> list[str]:
    kinds = {
        Metric.T: _T_KINDS.get(scale.t_kind or "linear"),
        Metric.PERCENTILE: _PERCENTILES.get(scale.percentile_definition or ""),
        Metric.STANINE: _STANINES.get(scale.stanine_kind or ""),
    }
    lines = []
    for name in scale.metrics:
        metric = Metric(name)
        kind = kinds.get(metric)
        lines.append(_name(metric, zh=zh) + (f" ({kind[zh]})" if kind else ""))
    return lines


def _reliabilities(norm: NormTable, *, zh: bool) -> list[str]:
    stated = {
        f"{one.coefficient} {one.value:g} ({one.sample.zh if zh else one.sample.en})"
        for scale in norm.scales
        for stratum in scale.strata
        if (one := stratum.reliability) is not None
    }
    return [f"{_PARTS['error'][zh]} {', '.join(sorted(stated))}"] if stated else []

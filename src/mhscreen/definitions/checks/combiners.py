"""What each kind of scoring needs: its own keys, names that point to items, sound numbers."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from mhscreen.definitions import keys, latent
from mhscreen.definitions.checks.finding import Finding, Path, check_known, number
from mhscreen.definitions.kinds import LevelAll, LevelAny, LevelAtLeast, LevelItem

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from mhscreen.definitions.instrument import Instrument, Scale
    from mhscreen.definitions.kinds import ConversionTable, Irt, LevelCondition

__all__ = ["check_combinations", "check_combiners", "check_named_in_combiners"]

_NEEDS = {
    "sum": ("items",),
    "mean": ("items",),
    "weighted_sum": ("items", "weights"),
    "count": ("items", "count_at_or_above"),
    "maximum": ("items",),
    "sum_of_scales": ("scales",),
    "levels": ("levels",),
    "eap": ("items", "irt"),
    "eap_from_sum": ("items", "irt"),
}
_ONLY_FOR = {
    "items": frozenset(_NEEDS) - {"sum_of_scales", "levels"},
    "scales": {"sum_of_scales"},
    "count_at_or_above": {"count"},
    "count_exceptions": {"count"},
    "weights": {"weighted_sum"},
    "levels": {"levels"},
    "irt": {"eap", "eap_from_sum"},
    "transform": frozenset(_NEEDS) - {"levels", "eap", "eap_from_sum"},
    "missing": frozenset(_NEEDS) - {"weighted_sum", "levels", "eap", "eap_from_sum"},
}
_SMALL = 1e-9


def check_combinations(instrument: Instrument) -> Iterator[Finding]:
    """Check that each combiner has the keys that it needs and no other's."""
    for n, scale in enumerate(instrument.scales):
        path: Path = ("scales", n)
        for key in _NEEDS[scale.combine]:
            if not _given(scale, key):
                yield Finding(path, "MH104", f"key '{key}' is missing for '{scale.combine}'")
        for key, combiners in _ONLY_FOR.items():
            if scale.combine not in combiners and _given(scale, key):
                what = f"key '{key}' does not go with '{scale.combine}'"
                yield Finding((*path, key), "MH107", what)
        if scale.combine == "eap" and scale.irt is not None and scale.irt.min_answered is None:
            yield Finding((*path, "irt"), "MH104", "key 'min_answered' is missing for 'eap'")
        if scale.combine == "levels" and scale.rounding != "none":
            what = "key 'rounding' does not go with 'levels'"
            yield Finding((*path, "rounding"), "MH107", what)
        if scale.missing and scale.transform and scale.transform.table:
            yield Finding(
                (*path, "missing"),
                "MH107",
                "key 'missing' does not go with a transform by table",
                hint="a prorated score is no whole number, and a table holds no other",
            )


def _given(scale: Scale, key: str) -> bool:
    value = getattr(scale, key)
    return value is not None and value not in ((), {})


def check_named_in_combiners(instrument: Instrument, n: int, scale: Scale) -> Iterator[Finding]:
    """Check that what belongs to single items names items, and levels name what stands before."""
    path: Path = ("scales", n)
    items = dict.fromkeys(scale.items)
    by_item: dict[tuple[str, ...], Collection[str]] = {
        ("count_exceptions",): scale.count_exceptions,
        ("weights",): scale.weights,
        ("irt", "parameters"): {} if scale.irt is None else scale.irt.parameters,
    }
    for where, given in by_item.items():
        for key in given:
            yield from check_known(key, items, "item", (*path, *where, key))
        absent = [key for key in items if key not in given]
        if given and absent and where != ("count_exceptions",):
            what = f"no {where[-1]} for item {', '.join(absent)}"
            yield Finding((*path, *where), "MH104", what, "every item of the scale")
    known = {item.id: None for item in instrument.items}
    earlier = {other.id: None for other in instrument.scales[:n]}
    later = {other.id for other in instrument.scales[n:]} - earlier.keys()
    for m, level in enumerate(scale.levels):
        for inner, one in keys.comparisons(level.when, (*path, "levels", m, "when")):
            if isinstance(one, LevelItem):
                yield from check_known(one.item, known, "item", (*inner, "item"))
            else:
                here = (*inner, "scale")
                if one.scale in later:
                    what = f"scale '{one.scale}' does not stand before '{scale.id}'"
                    hint = "put components before what they are part of"
                    yield Finding(here, "MH201", what, hint=hint)
                else:
                    yield from check_known(one.scale, earlier, "scale", here)


def check_combiners(instrument: Instrument) -> Iterator[Finding]:
    """Check the numbers of each combiner; every name points to something here."""
    for n, scale in enumerate(instrument.scales):
        path: Path = ("scales", n)
        yield from _components(instrument, scale, path)
        yield from _exceptions(instrument, scale, (*path, "count_exceptions"))
        if scale.transform is not None:
            yield from _transform(instrument, scale, (*path, "transform"))
        if scale.levels:
            yield from _levels(instrument, scale, (*path, "levels"))
        if scale.irt is not None:
            yield from _irt(instrument, scale, scale.irt, (*path, "irt"))


def _components(instrument: Instrument, scale: Scale, path: Path) -> Iterator[Finding]:
    """Check that a scale's components are on every form that has the scale."""
    wanted = scale.informants or instrument.informants
    for name in keys.parts_of(scale):
        there = instrument.scale(name).informants or instrument.informants
        absent = [str(informant) for informant in wanted if informant not in there]
        if absent:
            what = f"scale '{name}' is not on the form of informant {', '.join(absent)}"
            yield Finding(path, "MH201", what, hint="limit the 'informants' of this scale, too")


def _exceptions(instrument: Instrument, scale: Scale, path: Path) -> Iterator[Finding]:
    for item, cut in scale.count_exceptions.items():
        scores = keys.keyed_scores(instrument, scale, item)
        yield from _reachable(item, (scores[0], scores[-1]), cut, (*path, item))


def _reachable(name: str, bounds: tuple[float, float], cut: float, path: Path) -> Iterator[Finding]:
    """Check that some but not all scores reach a cut."""
    low, high = bounds
    if not low < cut <= high:
        score = "every" if cut <= low else "no"
        what = f"{score} score of '{name}' is at or above {number(cut)}"
        yield Finding(path, "MH207", what, f"above {number(low)}, at most {number(high)}")


def _transform(instrument: Instrument, scale: Scale, path: Path) -> Iterator[Finding]:
    transform = scale.transform
    if transform is not None and transform.onto is not None:
        low, high = transform.onto
        if low >= high:
            what = "the transform turns the scale round or makes it a point"
            hint = "reverse the items in place of the scale"
            yield Finding((*path, "onto"), "MH107", what, "a smaller and a larger number", hint)
    elif transform is not None and transform.table is not None:
        if not keys.whole_raw_scores(instrument, scale):
            what = f"the raw scores of '{scale.id}' are not whole numbers"
            yield Finding((*path, "table"), "MH107", what, "multiply or onto")
            return
        bounds = keys.raw_range(instrument, scale)
        yield from _table(transform.table, bounds, (*path, "table"))


def _table(table: ConversionTable, bounds: tuple[float, float], path: Path) -> Iterator[Finding]:
    low, high = bounds
    last = table.first + len(table.values) - 1
    if table.first != low or last != high:
        what = f"the table holds the raw scores {table.first} to {last}"
        yield Finding(path, "MH107", what, f"{number(low)} to {number(high)}, as the key gives it")
    fall = next((n for n, (a, b) in enumerate(pairwise(table.values), 1) if b < a), None)
    if fall is not None:
        what = f"the score falls at raw score {table.first + fall}"
        expected = f"at least {number(table.values[fall - 1])}"
        yield Finding((*path, "values", fall), "MH210", what, expected)


def _levels(instrument: Instrument, scale: Scale, path: Path) -> Iterator[Finding]:
    last = 0
    for n, level in enumerate(scale.levels):
        here: Path = (*path, n)
        if (n == 0 and level.at != 1) or level.at <= last:
            what = f"level {level.at} does not follow {last}"
            expected = "1" if n == 0 else f"above {last}"
            yield Finding((*here, "at"), "MH107", what, expected)
        last = level.at
        yield from _counts(level.when, (*here, "when"))
        for inner, one in keys.comparisons(level.when, (*here, "when")):
            if isinstance(one, LevelItem):
                scores = keys.item_scores(instrument, one.item)
                bounds: tuple[float, float] = (scores[0], scores[-1])
                name = one.item
            else:
                other = instrument.scale(one.scale)
                bounds, name = keys.score_range(instrument, other), other.id
                if scale.purpose == "content" and other.higher_is is not scale.higher_is:
                    what = f"in scale '{name}' higher is not {scale.higher_is}, as in '{scale.id}'"
                    yield Finding((*inner, "scale"), "MH206", what)
            yield from _reachable(name, bounds, one.at_or_above, (*inner, "at_or_above"))


def _counts(condition: LevelCondition, path: Path) -> Iterator[Finding]:
    """Check that a number of conditions is not more than there are."""
    key: Path
    if isinstance(condition, LevelAtLeast):
        inner, key = condition.at_least.of, ("at_least", "of")
        if condition.at_least.count > len(inner):
            what = f"{condition.at_least.count} of {len(inner)} conditions never hold"
            yield Finding((*path, "at_least", "count"), "MH207", what, f"at most {len(inner)}")
    elif isinstance(condition, LevelAll):
        inner, key = condition.all, ("all",)
    elif isinstance(condition, LevelAny):
        inner, key = condition.any, ("any",)
    else:
        return
    for place, one in enumerate(inner):
        yield from _counts(one, (*path, *key, place))


def _irt(instrument: Instrument, scale: Scale, irt: Irt, path: Path) -> Iterator[Finding]:
    wrong = [*_parameters(instrument, irt, (*path, "parameters"))]
    yield from wrong
    number_of_items = len(scale.items)
    if irt.min_answered is not None and irt.min_answered > number_of_items:
        what = f"'{scale.id}' has only {number_of_items} items"
        yield Finding((*path, "min_answered"), "MH107", what, f"at most {number_of_items}")
    elif scale.combine == "eap_from_sum" and irt.min_answered not in {None, number_of_items}:
        what = "a score from the sum needs every item"
        yield Finding((*path, "min_answered"), "MH107", what, f"{number_of_items}, or no such key")
    if not wrong and scale.combine == "eap_from_sum":
        keyed = [(key, keys.keyed_scores(instrument, scale, key)) for key in scale.items]
        for (_, before), (total, score) in pairwise(latent.sum_scores(irt, keyed).items()):
            if score < before - _SMALL:
                what = f"the score falls at the sum {total}"
                hint = "these parameters give no score from the sum; use 'eap'"
                yield Finding((*path, "parameters"), "MH210", what, hint=hint)
                break


def _parameters(instrument: Instrument, irt: Irt, path: Path) -> Iterator[Finding]:
    for key, item in irt.parameters.items():
        scores = sorted(set(instrument.options(key).scores))
        here: Path = (*path, key)
        if len(item.b) != len(scores) - 1:
            what = f"item '{key}' has {len(scores)} item scores and {len(item.b)} thresholds"
            yield Finding((*here, "b"), "MH107", what, f"{len(scores) - 1} thresholds")
        fall = next((n for n, (a, b) in enumerate(pairwise(item.b), 1) if b <= a), None)
        if irt.model == "graded" and fall is not None:
            what = f"the thresholds of item '{key}' do not rise"
            yield Finding((*here, "b", fall), "MH107", what, f"above {number(item.b[fall - 1])}")
        gate = keys.gate_of(instrument, key)
        if gate is not None and gate.closed_score not in scores:
            what = f"a closed gate gives item '{key}' a score that no answer has"
            hint = f"the model knows only {', '.join(map(str, scores))}"
            yield Finding(here, "MH107", what, hint=hint)

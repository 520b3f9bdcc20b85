"""What an instrument must say beyond its grammar."""

from __future__ import annotations

import unicodedata
from itertools import pairwise
from typing import TYPE_CHECKING

from mhscreen.definitions import keys
from mhscreen.definitions.checks.combiners import (
    check_combinations,
    check_combiners,
    check_named_in_combiners,
)
from mhscreen.definitions.checks.finding import (
    Finding,
    Path,
    check_known,
    check_source,
    check_unique,
    number,
)
from mhscreen.definitions.checks.quality import check_quality
from mhscreen.definitions.kinds import LevelItem
from mhscreen.vocabulary import Direction, Validity, Window

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from mhscreen.definitions.common import Sourced
    from mhscreen.definitions.instrument import (
        CutSet,
        Gate,
        Instrument,
        Numbers,
        Published,
        ResponseScale,
        Scale,
    )
    from mhscreen.vocabulary import Informant

__all__ = ["check_instrument"]

_CLOSE = 1e-9
_ONE_DECIMAL = 0.05 + _CLOSE


def check_instrument(instrument: Instrument) -> Iterator[Finding]:
    """Yield everything that is wrong with an instrument by itself."""
    names = [*_names(instrument)]
    yield from names
    yield from _sources(instrument)
    yield from _rights(instrument)
    for name, options in instrument.response_scales.items():
        yield from _response_scale(options, ("response_scales", name))
    if instrument.ages.from_ >= instrument.ages.below:
        yield Finding(("ages",), "MH107", "the ages hold nobody", "'from' smaller than 'below'")
    combined = [*check_combinations(instrument)]
    yield from combined
    if combined or not _countable(instrument, names):
        return
    yield from _scores(instrument)
    yield from _gates(instrument)
    wrong = [*check_combiners(instrument)]
    yield from wrong
    if any(finding.code == "MH107" for finding in wrong):
        return  # what a key gives cannot be counted
    yield from _scales(instrument)
    yield from _directions(instrument)
    yield from _critical_items(instrument)
    yield from _validity(instrument)
    yield from check_quality(instrument)


def _countable(instrument: Instrument, findings: Iterable[Finding]) -> bool:
    """Say whether the key can be counted with: every name points to one thing."""
    unique = all(
        len({thing.id for thing in things}) == len(things)
        for things in (instrument.items, instrument.scales)
    )
    return unique and not any(finding.code in {"MH201", "MH104"} for finding in findings)


def _names(instrument: Instrument) -> Iterator[Finding]:
    """Check that names are unique and point to something."""
    i = instrument
    yield from check_unique(i.informants, "informant", lambda n: ("informants", n))
    yield from check_unique((r.id for r in i.references), "reference", _id_of("references"))
    yield from check_unique((item.id for item in i.items), "item", _id_of("items"))
    yield from check_unique(
        (item.number for item in i.items), "item number", lambda n: ("items", n, "number")
    )
    yield from check_unique((scale.id for scale in i.scales), "scale", _id_of("scales"))
    yield from check_unique((gate.id for gate in i.gates), "gate", _id_of("gates"))
    yield from check_unique(
        (index.id for index in i.validity_indices), "validity index", _id_of("validity_indices")
    )
    yield from check_unique((index.id for index in i.quality), "index", _id_of("quality"))
    items = {item.id: None for item in i.items}
    for n, item in enumerate(i.items):
        path: Path = ("items", n, "response_scale")
        yield from check_known(item.response_scale, i.response_scales, "response scale", path)
    for n, gate in enumerate(i.gates):
        yield from _item_list(gate.items, items, ("gates", n, "items"))
        for m, opener in enumerate(gate.open_when_any):
            path = ("gates", n, "open_when_any", m, "item")
            yield from check_known(opener.item, items, "item", path)
    for n, scale in enumerate(i.scales):
        yield from _item_list(scale.items, items, ("scales", n, "items"))
        yield from _item_list(scale.reverse, scale.items, ("scales", n, "reverse"))
        yield from _scale_names(i, n, scale)
    for n, critical in enumerate(i.critical_items):
        yield from check_known(critical.item, items, "item", ("critical_items", n, "item"))
    yield from check_unique(
        ((c.item, str(c.concern)) for c in i.critical_items),
        "critical item and concern",
        lambda n: ("critical_items", n),
    )
    scales = {scale.id: None for scale in i.scales}
    for n, index in enumerate(i.validity_indices):
        yield from check_known(index.scale, scales, "scale", ("validity_indices", n, "scale"))


def _scale_names(instrument: Instrument, n: int, scale: Scale) -> Iterator[Finding]:
    earlier = {other.id: None for other in instrument.scales[:n]}
    everything = {other.id for other in instrument.scales}
    yield from check_unique(scale.scales, "scale", lambda m: ("scales", n, "scales", m))
    for m, name in enumerate(scale.scales):
        path: Path = ("scales", n, "scales", m)
        if name in everything and name not in earlier:
            what = f"scale '{name}' does not stand before '{scale.id}'"
            yield Finding(path, "MH201", what, hint="put components before what they are part of")
        else:
            yield from check_known(name, earlier, "scale", path)
    yield from check_named_in_combiners(instrument, n, scale)
    path = ("scales", n, "informants")
    yield from _informants(scale.informants, instrument.informants, path)
    path = ("scales", n, "cut_sets")
    yield from check_unique((c.id for c in scale.cut_sets), "cut set", _id_of(*path))
    allowed = scale.informants or instrument.informants
    for m, cut_set in enumerate(scale.cut_sets):
        yield from _informants(cut_set.informants, allowed, (*path, m, "informants"))
        categories = (category.id for category in cut_set.categories)
        yield from check_unique(categories, "category", _id_of(*path, m, "categories"))
    for m, published in enumerate(scale.published):
        yield from _informants(
            published.informants, allowed, ("scales", n, "published", m, "informants")
        )


def _item_list(items: Sequence[str], known: Iterable[str], path: Path) -> Iterator[Finding]:
    yield from check_unique(items, "item", lambda n: (*path, n))
    known = dict.fromkeys(known)
    for n, item in enumerate(items):
        yield from check_known(item, known, "item", (*path, n))


def _informants(
    informants: Sequence[Informant], allowed: Sequence[Informant], path: Path
) -> Iterator[Finding]:
    yield from check_unique(informants, "informant", lambda n: (*path, n))
    for n, informant in enumerate(informants):
        if informant not in allowed:
            what = f"there is no form for informant '{informant}'"
            yield Finding((*path, n), "MH306", what, f"among: {', '.join(allowed)}")


class _id_of:  # noqa: N801  (a function with a memory)
    """Where the id of the n-th thing of a list stands."""

    def __init__(self, *path: str | int) -> None:
        self.path = path

    def __call__(self, n: int) -> Path:
        """Return the path of the n-th id."""
        return (*self.path, n, "id")


def _sources(instrument: Instrument) -> Iterator[Finding]:
    for claim, path in _claims(instrument):
        yield from check_source(claim.source, instrument.references, path)
    yield from check_source(instrument.rights.source, instrument.references, ("rights",))


def _claims(instrument: Instrument) -> Iterator[tuple[Sourced, Path]]:
    for n, item in enumerate(instrument.items):
        if item.blank_counts_as is not None:
            yield item.blank_counts_as, ("items", n, "blank_counts_as")
    for n, gate in enumerate(instrument.gates):
        yield gate, ("gates", n)
    for n, scale in enumerate(instrument.scales):
        yield scale, ("scales", n)
        if scale.missing is not None:
            yield scale.missing, ("scales", n, "missing")
        for m, cut_set in enumerate(scale.cut_sets):
            yield cut_set, ("scales", n, "cut_sets", m)
        for m, published in enumerate(scale.published):
            yield published, ("scales", n, "published", m)
    for name in ("critical_items", "validity_indices", "quality"):
        for n, claim in enumerate(getattr(instrument, name)):
            yield claim, (name, n)


def _rights(instrument: Instrument) -> Iterator[Finding]:
    if instrument.rights.wording == "included":
        return
    for n, item in enumerate(instrument.items):
        if item.wording is not None:
            yield Finding(
                ("items", n, "wording"),
                "MH209",
                f"item '{item.id}' has wording, but the rights withhold it",
                hint="take the wording out, the topic is enough",
            )


def _response_scale(options: ResponseScale, path: Path) -> Iterator[Finding]:
    """Check that an answer can be understood in one way only."""
    owners: dict[str, Path] = {}
    for n, option in enumerate(options.options):
        here: Path = (*path, "options", n)
        if isinstance(option.code, str) and option.score is None:
            what = "key 'score' is missing"
            yield Finding(here, "MH104", what, hint="a code that is text gives no item score")
        words = [str(option.code), option.label.en, option.label.zh, *option.aliases]
        yield from _spellings(words, here, owners)
    for n, missing in enumerate(options.missing_codes):
        words = [str(missing.code), missing.label.en, missing.label.zh]
        yield from _spellings(words, (*path, "missing_codes", n), owners)
    if options.numbers is not None:
        yield from _numbers(options, options.numbers, path)


def _numbers(options: ResponseScale, numbers: Numbers, path: Path) -> Iterator[Finding]:
    """Check that the bands of a number rise, and that no other word could be taken for one."""
    begin = [option.code for option in options.options if isinstance(option.code, int)]
    if len(begin) < len(options.options) or any(b <= a for a, b in pairwise(begin)):
        what = "the codes of numbers are where their bands begin: they do not rise"
        yield Finding((*path, "options"), "MH107", what, "whole numbers, each above the last")
        return
    for n, option in enumerate(options.options):
        here: Path = (*path, "options", n)
        if option.score is None:
            what = "key 'score' is missing"
            yield Finding(here, "MH104", what, hint="where a band begins is no item score")
        words = [option.label.en, option.label.zh, *option.aliases]
        for word in filter(_is_number, words):
            what = f"'{word}' would be taken for a number that was recorded"
            yield Finding(here, "MH107", what)
    if numbers.to < begin[-1]:
        what = f"no number from {begin[-1]} up may be recorded"
        yield Finding((*path, "numbers", "to"), "MH107", what, f"at least {begin[-1]}")
    for n, missing in enumerate(options.missing_codes):
        if _is_number(str(missing.code)) and begin[0] <= float(missing.code) <= numbers.to:
            what = f"{missing.code} may be recorded as a number, too"
            expected = f"below {begin[0]} or above {number(numbers.to)}"
            yield Finding((*path, "missing_codes", n), "MH107", what, expected)


def _is_number(word: str) -> bool:
    try:
        float(unicodedata.normalize("NFKC", word))
    except ValueError:
        return False
    return True


def _spellings(words: list[str], here: Path, owners: dict[str, Path]) -> Iterator[Finding]:
    for word in words:
        plain = unicodedata.normalize("NFKC", word).strip().casefold()
        if owners.setdefault(plain, here) != here:
            yield Finding(here, "MH202", f"answer '{word}' already stands for another option")


def _scores(instrument: Instrument) -> Iterator[Finding]:
    for n, item in enumerate(instrument.items):
        scores = sorted(set(instrument.options(item.id).scores))
        blank = item.blank_counts_as
        if blank is not None and blank.score not in scores:
            yield Finding(
                ("items", n, "blank_counts_as", "score"),
                "MH107",
                f"{blank.score} is no item score of '{item.id}'",
                f"among: {', '.join(map(str, scores))}",
            )


def _gates(instrument: Instrument) -> Iterator[Finding]:
    behind: dict[str, Gate] = {}
    for n, gate in enumerate(instrument.gates):
        for m, item in enumerate(gate.items):
            if behind.setdefault(item, gate) is not gate:
                what = f"item '{item}' already stands behind gate '{behind[item].id}'"
                yield Finding(("gates", n, "items", m), "MH202", what)
    for n, gate in enumerate(instrument.gates):
        for m, opener in enumerate(gate.open_when_any):
            path: Path = ("gates", n, "open_when_any", m)
            if _opens_itself(gate, opener.item, behind):
                what = f"item '{opener.item}' stands behind the gate that it opens"
                yield Finding((*path, "item"), "MH107", what, "an item that is always asked")
            yield from _item_threshold(instrument, opener.item, opener.at_or_above, path)


def _opens_itself(gate: Gate, item: str, behind: dict[str, Gate]) -> bool:
    pending, seen = [item], set()
    while pending:
        item = pending.pop()
        outer = behind.get(item)
        if outer is gate:
            return True
        if outer is not None and item not in seen:
            seen.add(item)
            pending += [opener.item for opener in outer.open_when_any]
    return False


def _item_threshold(
    instrument: Instrument, item: str, threshold: int, path: Path
) -> Iterator[Finding]:
    """Check that some but not all answers reach an item score."""
    scores = instrument.options(item).scores
    low, high = min(scores), max(scores)
    if not low < threshold <= high:
        answer = "every" if threshold <= low else "no"
        yield Finding(
            (*path, "at_or_above"),
            "MH207",
            f"{answer} answer to '{item}' is at or above {threshold}",
            f"above {low}, at most {high}",
        )


def _scales(instrument: Instrument) -> Iterator[Finding]:
    for n, scale in enumerate(instrument.scales):
        path: Path = ("scales", n)
        low, high = keys.score_range(instrument, scale)
        close = _CLOSE if scale.irt is None else _ONE_DECIMAL
        if abs(scale.range[0] - low) > close or abs(scale.range[1] - high) > close:
            stated = f"{number(scale.range[0])} to {number(scale.range[1])}"
            right = f"[{number(low)}, {number(high)}]"
            if scale.irt is not None:
                right = f"[{low:.1f}, {high:.1f}], to one decimal"
            yield Finding(
                (*path, "range"),
                "MH203",
                f"the range of '{scale.id}' is stated as {stated}",
                f"{right}, as the key gives it",
                "is an item or a reverse key missing?",
            )
            continue
        items = len(keys.items_of(instrument, scale))
        if scale.missing is not None and scale.missing.min_answered > items:
            yield Finding(
                (*path, "missing", "min_answered"),
                "MH107",
                f"'{scale.id}' has only {items} items",
                f"at most {items}",
            )
        for m, cut_set in enumerate(scale.cut_sets):
            yield from _cuts(scale, cut_set, (low, high), (*path, "cut_sets", m, "categories"))
        for m, published in enumerate(scale.published):
            yield from _published(published, (low, high), (*path, "published", m))


def _published(published: Published, bounds: tuple[float, float], path: Path) -> Iterator[Finding]:
    """Check that there is a figure, and that the mean is on the metric of the scale."""
    low, high = bounds
    mean = published.mean
    if mean is None and (published.sd is not None or published.alpha is None):
        yield Finding(path, "MH104", "key 'mean' is missing", hint="or 'alpha' alone")
    elif mean is not None and not low <= mean <= high:
        yield Finding(
            (*path, "mean"),
            "MH107",
            "the published mean is no score of this scale",
            f"at least {number(low)}, at most {number(high)}",
            "on another metric?",
        )


def _cuts(
    scale: Scale, cut_set: CutSet, bounds: tuple[float, float], path: Path
) -> Iterator[Finding]:
    """Check that categories run from the near side to the far side."""
    worse = scale.higher_is is Direction.WORSE
    right, wrong = ("at_or_above", "at_or_below") if worse else ("at_or_below", "at_or_above")
    sign = 1 if worse else -1
    nearest, farthest = sorted(sign * bound for bound in bounds)
    last = nearest
    for n, category in enumerate(cut_set.categories):
        here: Path = (*path, n)
        cut = getattr(category, right)
        if getattr(category, wrong) is not None:
            what = f"category '{category.id}' has '{wrong}', but higher is {scale.higher_is}"
            yield Finding((*here, wrong), "MH205", what, right)
        elif n == 0 and cut is not None:
            what = f"the first category '{category.id}' has a bound"
            yield Finding((*here, right), "MH205", what, "no bound: it is the near side")
        elif n > 0 and cut is None:
            yield Finding(here, "MH205", f"category '{category.id}' has no bound", right)
        elif cut is not None and not nearest < sign * cut <= farthest:
            inside = f"above {number(bounds[0])}, at most {number(bounds[1])}"
            if not worse:
                inside = f"at least {number(bounds[0])}, below {number(bounds[1])}"
            what = f"category '{category.id}' begins outside the range"
            yield Finding((*here, right), "MH205", what, inside)
        elif cut is not None and not last < sign * cut:
            what = f"category '{category.id}' does not begin after the one before"
            order = "above" if worse else "below"
            yield Finding((*here, right), "MH205", what, f"{order} {number(sign * last)}")
        else:
            last = nearest if cut is None else sign * cut


def _directions(instrument: Instrument) -> Iterator[Finding]:
    """Check that a worse answer is worse in every content scale that counts it."""
    directions: dict[str, tuple[bool, str]] = {}
    for n, scale in enumerate(instrument.scales):
        if scale.purpose != "content":
            continue
        for item, path, code in _uses(n, scale):
            worse = (scale.higher_is is Direction.WORSE) != (item in scale.reverse)
            first, other = directions.setdefault(item, (worse, scale.id))
            if first != worse:
                yield Finding(
                    path,
                    code,
                    f"item '{item}' counts the other way round than in scale '{other}'",
                    hint="is a reverse key missing or too many?",
                )
        for m, name in enumerate(scale.scales):
            if instrument.scale(name).higher_is is not scale.higher_is:
                yield Finding(
                    ("scales", n, "scales", m),
                    "MH204",
                    f"in scale '{name}' higher is not {scale.higher_is}, as in '{scale.id}'",
                )


def _uses(n: int, scale: Scale) -> Iterator[tuple[str, Path, str]]:
    """Yield the items of a scale, each with its place and the code for the wrong direction."""
    for m, item in enumerate(scale.items):
        yield item, ("scales", n, "items", m), "MH204"
    for m, level in enumerate(scale.levels):
        for path, one in keys.comparisons(level.when, ("scales", n, "levels", m, "when")):
            if isinstance(one, LevelItem):
                yield one.item, (*path, "item"), "MH206"


def _critical_items(instrument: Instrument) -> Iterator[Finding]:
    for n, critical in enumerate(instrument.critical_items):
        path: Path = ("critical_items", n)
        yield from _item_threshold(instrument, critical.item, critical.at_or_above, path)
        if keys.item_direction(instrument, critical.item) is Direction.BETTER:
            what = f"a higher score of '{critical.item}' is better in its scale"
            yield Finding((*path, "item"), "MH206", what, "an item whose higher score is worse")
        recent = critical.window is Window.RECENT
        if recent and critical.days is None:
            yield Finding(path, "MH104", "key 'days' is missing for window 'recent'")
        if not recent and critical.days is not None:
            what = f"key 'days' does not go with window '{critical.window}'"
            yield Finding((*path, "days"), "MH107", what)


def _validity(instrument: Instrument) -> Iterator[Finding]:
    for n, index in enumerate(instrument.validity_indices):
        path: Path = ("validity_indices", n)
        scale = instrument.scale(index.scale)
        low, high = keys.score_range(instrument, scale)
        if not low < index.at_or_above <= high:
            score = "every" if index.at_or_above <= low else "no"
            yield Finding(
                (*path, "at_or_above"),
                "MH207",
                f"{score} score of '{scale.id}' is at or above {number(index.at_or_above)}",
                f"above {number(low)}, at most {number(high)}",
            )
        if scale.higher_is is Direction.BETTER:
            what = f"a higher score of '{scale.id}' is better"
            yield Finding((*path, "scale"), "MH206", what, "a scale whose higher score is worse")
        if index.status not in {Validity.QUESTIONABLE, Validity.INVALID}:
            what = f"value '{index.status}' is not allowed"
            yield Finding((*path, "status"), "MH107", what, "one of: questionable, invalid")

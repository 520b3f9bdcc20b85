"""What a policy must say beyond its grammar, by itself and against what it reads."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mhscreen.definitions import keys
from mhscreen.definitions.checks.finding import (
    Finding,
    Path,
    check_known,
    check_source,
    check_unique,
    number,
)
from mhscreen.definitions.policy import (
    AllOf,
    AnyOf,
    AtLeast,
    CategoryLeaf,
    CriticalItemLeaf,
    ItemLeaf,
    ScoreLeaf,
    ValidityLeaf,
)
from mhscreen.vocabulary import Direction, Metric, Tier

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from mhscreen.definitions.instrument import Instrument, Scale
    from mhscreen.definitions.norm_table import NormTable, ScaleNorm
    from mhscreen.definitions.policy import Condition, Leaf, Policy
    from mhscreen.vocabulary import Informant

__all__ = ["check_policy", "check_policy_against", "leaves", "norms_read"]

_UNBOUNDED = (float("-inf"), float("inf"))
_BOUNDS = {Metric.PERCENTILE: (0.0, 100.0), Metric.STANINE: (1.0, 9.0)}
_OTHER = {Direction.WORSE: Direction.BETTER, Direction.BETTER: Direction.WORSE}


def leaves(policy: Policy) -> Iterator[tuple[Path, Leaf]]:
    """Yield every leaf of every rule with its path."""
    for n, rule in enumerate(policy.rules):
        for path, condition in _conditions(rule.when, ("rules", n, "when")):
            if not isinstance(condition, (AllOf, AnyOf, AtLeast)):
                yield path, condition


def norms_read(policy: Policy) -> Iterator[tuple[Path, str]]:
    """Yield every norm table that a leaf reads, with the path of its name."""
    for path, leaf in leaves(policy):
        if isinstance(leaf, ScoreLeaf) and leaf.norm is not None:
            yield (*path, "norm"), leaf.norm


def _conditions(condition: Condition, path: Path) -> Iterator[tuple[Path, Condition]]:
    yield path, condition
    inner: Sequence[Condition] = ()
    if isinstance(condition, AllOf):
        inner, path = condition.all, (*path, "all")
    elif isinstance(condition, AnyOf):
        inner, path = condition.any, (*path, "any")
    elif isinstance(condition, AtLeast):
        inner, path = condition.at_least.of, (*path, "at_least", "of")
    for n, part in enumerate(inner):
        yield from _conditions(part, (*path, n))


def check_policy(policy: Policy) -> Iterator[Finding]:
    """Yield everything that is wrong with a policy by itself."""
    yield from check_unique(
        (r.id for r in policy.references), "reference", lambda n: ("references", n, "id")
    )
    yield from check_unique(
        (rule.id for rule in policy.rules), "rule", lambda n: ("rules", n, "id")
    )
    yield from check_unique(policy.concerns, "concern", lambda n: ("concerns", n))
    ids = [ref.partition("@")[0] for ref in policy.instruments]
    yield from check_unique(ids, "instrument", lambda n: ("instruments", n))
    if (policy.approved_by is None) != (policy.approved_on is None):
        absent = "approved_by" if policy.approved_by is None else "approved_on"
        yield Finding((), "MH104", f"key '{absent}' is missing", "who signed it, and when")
    for n, rule in enumerate(policy.rules):
        yield from check_source(rule.source, policy.references, ("rules", n))
        if rule.tier is Tier.NONE:
            what = "a rule cannot reach tier 'none'"
            expected = f"one of: {', '.join(list(Tier)[1:])}"
            yield Finding(("rules", n, "tier"), "MH107", what, expected)
        for path, condition in _conditions(rule.when, ("rules", n, "when")):
            yield from _condition(condition, ids, path)
    yield from _step_down(policy)


def _step_down(policy: Policy) -> Iterator[Finding]:
    steps = policy.step_down
    yield from check_unique(
        (step.from_ for step in steps), "step down from", lambda n: ("step_down", n, "from")
    )
    for n, step in enumerate(steps):
        yield from check_source(step.source, policy.references, ("step_down", n))
        if step.to.position != step.from_.position - 1:
            what = f"from '{step.from_}' to '{step.to}' is not one step down"
            expected = "the next lower tier"
            yield Finding(("step_down", n, "to"), "MH107", what, expected)
    if policy.closure is not None:
        yield from check_source(policy.closure.source, policy.references, ("closure",))


def _condition(condition: Condition, instruments: Sequence[str], path: Path) -> Iterator[Finding]:
    if isinstance(condition, AtLeast):
        number_of = len(condition.at_least.of)
        if condition.at_least.count > number_of:
            what = f"at least {condition.at_least.count} of {number_of} can never hold"
            yield Finding((*path, "at_least", "count"), "MH207", what, f"at most {number_of}")
        return
    name = _reads(condition)
    if name is not None:
        kind, dotted = name
        known = dict.fromkeys(instruments)
        yield from check_known(dotted.partition(".")[0], known, "instrument", (*path, kind))
    if getattr(condition, "absent", None) and getattr(condition, "informant", None) is None:
        hint = "say whose form it is whose absence leaves this undecided"
        yield Finding(path, "MH104", "key 'informant' is missing beside 'absent'", hint=hint)
    if isinstance(condition, (ItemLeaf, ScoreLeaf)):
        yield from _sides(condition, path)
    if isinstance(condition, ScoreLeaf):
        raw = condition.metric is Metric.RAW
        if not raw and condition.norm is None:
            yield Finding(path, "MH104", f"key 'norm' is missing for metric '{condition.metric}'")
        if raw and condition.norm is not None:
            what = "key 'norm' does not go with metric 'raw'"
            yield Finding((*path, "norm"), "MH107", what)


def _sides(condition: ItemLeaf | ScoreLeaf, path: Path) -> Iterator[Finding]:
    """Check that a comparison points to one side."""
    if condition.at_or_above is None and condition.at_or_below is None:
        yield Finding(path, "MH104", "key 'at_or_above' or 'at_or_below' is missing")
    if condition.at_or_above is not None and condition.at_or_below is not None:
        what = "a range: keys 'at_or_above' and 'at_or_below' do not go together"
        hint = "the highest rule wins, so say only where it begins"
        yield Finding((*path, "at_or_below"), "MH206", what, "one of the two", hint)


def _reads(condition: Condition) -> tuple[str, str] | None:
    """Return the key and the dotted name of what a leaf reads."""
    if isinstance(condition, ItemLeaf):
        return "item", condition.item
    if isinstance(condition, ScoreLeaf):
        return "score", condition.score
    if isinstance(condition, CategoryLeaf):
        return "category", condition.category
    if isinstance(condition, ValidityLeaf):
        return "validity_index", condition.validity_index
    return None


def check_policy_against(
    policy: Policy,
    instruments: Mapping[str, Instrument],
    norms: Mapping[str, NormTable] | None = None,
) -> Iterator[Finding]:
    """Yield everything in which a policy does not fit the instruments and norms it reads.

    Parameters
    ----------
    policy : Policy
        The policy.
    instruments : mapping of str to Instrument
        By id, those of the versions that the policy pins. Leaves that read another instrument
        are left out.
    norms : mapping of str to NormTable, optional
        By exact reference, as leaves name them. Leaves that name another are left out.
    """
    for path, leaf in leaves(policy):
        if isinstance(leaf, CriticalItemLeaf):
            yield from _critical_item(leaf, instruments, path)
            continue
        name = _reads(leaf)
        instrument = instruments.get(name[1].partition(".")[0]) if name else None
        if name is None or instrument is None:
            continue
        key, inner = (*path, name[0]), name[1].partition(".")[2]
        yield from _informant(leaf.informant, instrument.informants, instrument.ref, path)
        if isinstance(leaf, ItemLeaf):
            items = {item.id: None for item in instrument.items}
            unknown = [*check_known(inner, items, "item", key)]
            yield from unknown or _item(leaf, instrument, inner, path)
        elif isinstance(leaf, ValidityLeaf):
            indices = {index.id: None for index in instrument.validity_indices}
            yield from check_known(inner, indices, "validity index", key)
        else:
            scales = {scale.id: None for scale in instrument.scales}
            unknown = [*check_known(inner, scales, "scale", key)]
            yield from unknown
            if unknown:
                continue
            scale = instrument.scale(inner)
            if scale.informants:
                yield from _informant(leaf.informant, scale.informants, f"'{inner}'", path)
            if isinstance(leaf, CategoryLeaf):
                yield from _category(leaf, scale, path)
            else:
                yield from _score(leaf, instrument, scale, norms or {}, path)


def _informant(
    informant: Informant | None, allowed: Sequence[Informant], whose: str, path: Path
) -> Iterator[Finding]:
    if informant is not None and informant not in allowed:
        what = f"{whose} has no form for informant '{informant}'"
        yield Finding((*path, "informant"), "MH306", what, f"among: {', '.join(allowed)}")


def _critical_item(
    leaf: CriticalItemLeaf, instruments: Mapping[str, Instrument], path: Path
) -> Iterator[Finding]:
    asked = any(
        critical.concern is leaf.critical_item
        and (not leaf.windows or critical.window in leaf.windows)
        and leaf.directness in {None, critical.directness}
        and leaf.informant in {None, *instrument.informants}
        for instrument in instruments.values()
        for critical in instrument.critical_items
    )
    if instruments and not asked:
        what = f"no instrument asks about '{leaf.critical_item}' in this way"
        hint = "look at windows, directness and informant"
        yield Finding((*path, "critical_item"), "MH207", what, hint=hint)


def _item(leaf: ItemLeaf, instrument: Instrument, item: str, path: Path) -> Iterator[Finding]:
    scores = keys.item_scores(instrument, item)
    direction = keys.item_direction(instrument, item)
    yield from _comparison(leaf, (scores[0], scores[-1]), direction, item, path)


def _comparison(
    leaf: ItemLeaf | ScoreLeaf,
    bounds: tuple[float, float],
    direction: Direction,
    name: str,
    path: Path,
) -> Iterator[Finding]:
    """Check that a comparison points to the worse side, and that answers decide it."""
    worse = direction is Direction.WORSE
    right, wrong = ("at_or_above", "at_or_below") if worse else ("at_or_below", "at_or_above")
    if getattr(leaf, wrong) is not None:
        what = f"'{wrong}' points to the better side of '{name}'"
        yield Finding((*path, wrong), "MH206", what, right, f"there, higher is {direction}")
        return
    cut = getattr(leaf, right)
    if cut is None:
        return
    low, high = bounds
    always, never = (cut <= low, cut > high) if worse else (cut >= high, cut < low)
    if always or never:
        words = right.replace("_", " ")
        what = f"{'every' if always else 'no'} score of '{name}' is {words} {number(cut)}"
        expected = f"above {number(low)}, at most {number(high)}"
        if not worse:
            expected = f"at least {number(low)}, below {number(high)}"
        yield Finding((*path, right), "MH207", what, expected)


def _category(leaf: CategoryLeaf, scale: Scale, path: Path) -> Iterator[Finding]:
    cut_sets = {cut_set.id: cut_set for cut_set in scale.cut_sets}
    unknown = [*check_known(leaf.cut_set, cut_sets, "cut set", (*path, "cut_set"))]
    yield from unknown
    if unknown:
        return
    cut_set = cut_sets[leaf.cut_set]
    if cut_set.informants:
        yield from _informant(leaf.informant, cut_set.informants, f"'{cut_set.id}'", path)
    categories = {category.id: None for category in cut_set.categories}
    here = (*path, "at_or_above")
    yield from check_known(leaf.at_or_above, categories, "category", here)
    if leaf.at_or_above == cut_set.categories[0].id:
        what = f"every score is in category '{leaf.at_or_above}' or further out"
        yield Finding(here, "MH207", what, f"among: {', '.join([*categories][1:])}")


def _score(
    leaf: ScoreLeaf,
    instrument: Instrument,
    scale: Scale,
    norms: Mapping[str, NormTable],
    path: Path,
) -> Iterator[Finding]:
    if leaf.metric is Metric.RAW:
        yield from _comparison(leaf, scale.range, scale.higher_is, scale.id, path)
        return
    bounds = _BOUNDS.get(leaf.metric, _UNBOUNDED)
    norm = norms.get(leaf.norm or "")
    direction = scale.higher_is
    if norm is not None:
        falling = any(s.scale == scale.id and s.direction == "falling" for s in norm.scales)
        direction = _OTHER[direction] if falling else direction
    yield from _comparison(leaf, bounds, direction, scale.id, path)
    if norm is not None:
        yield from _normed(leaf, instrument, scale, norm, path)


def _normed(
    leaf: ScoreLeaf, instrument: Instrument, scale: Scale, norm: NormTable, path: Path
) -> Iterator[Finding]:
    here = (*path, "norm")
    if norm.instrument_id != instrument.id:
        what = f"{norm.ref} is not a norm of '{instrument.id}'"
        yield Finding(here, "MH201", what)
        return
    if norm.informant != leaf.informant and len(instrument.informants) > 1:
        what = f"{norm.ref} is for informant '{norm.informant}'"
        expected = f"informant: {norm.informant}"
        yield Finding((*path, "informant"), "MH306", what, expected)
    if norm.use == "display" and leaf.reason is None:
        what = f"key 'reason' is missing: {norm.ref} is for display"
        hint = "say why it may decide here, or compare the raw score"
        yield Finding(path, "MH104", what, hint=hint)
    scales = {normed.scale: normed for normed in norm.scales}
    unknown = [*check_known(scale.id, scales, "scale", here)]
    yield from unknown
    if unknown:
        return
    metric = str(leaf.metric)
    given = scales[scale.id].metrics
    if metric not in given:
        what = f"{norm.ref} gives no {metric} for '{scale.id}'"
        yield Finding((*path, "metric"), "MH207", what, f"among: {', '.join(sorted(given))}")
    elif leaf.metric is Metric.T:
        yield from _within_caps(leaf, scales[scale.id], path)


def _within_caps(leaf: ScoreLeaf, normed: ScaleNorm, path: Path) -> Iterator[Finding]:
    """Check that a cut score does not lie where a table says only "above 80" or "below 30"."""
    key = "at_or_above" if leaf.at_or_above is not None else "at_or_below"
    cut = getattr(leaf, key)
    if cut is None:
        return
    tables = [stratum.table for stratum in normed.strata if stratum.table is not None]
    caps = [(table.t_below, table.t_above) for table in tables]
    if normed.direction == "falling":
        caps = [(above, below) for below, above in caps]
    least = max((low for low, _ in caps if low is not None), default=_UNBOUNDED[0])
    most = min((high for _, high in caps if high is not None), default=_UNBOUNDED[1])
    # "> 80" is at or above 80, and not known to be at or above 81; "< 30" is below 30.
    inside = least < cut <= most if key == "at_or_above" else least <= cut < most
    if not inside:
        what = f"there, a table of '{normed.scale}' gives a cap and no T"
        expected = " and ".join(
            f"{words} {number(end)}"
            for words, end in (("above", least), ("at most", most))
            if end not in _UNBOUNDED
        )
        yield Finding((*path, key), "MH207", what, expected)

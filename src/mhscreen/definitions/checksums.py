"""The checksum of a scoring key: what a norm table is bound to.

Two scales with the same checksum give the same raw score for the same item scores. Titles,
labels, categories and cut scores are left out; versions are, too.
"""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

from mhscreen.definitions.keys import gate_of, own_items, parts_of

if TYPE_CHECKING:
    from mhscreen.definitions.instrument import Instrument, Item, Scale

__all__ = ["scale_key_checksum"]


def scale_key_checksum(instrument: Instrument, scale_id: str) -> str:
    """Return the checksum of the scoring key of one scale.

    Parameters
    ----------
    instrument : Instrument
        The instrument.
    scale_id : str
        One of its scales.

    Returns
    -------
    str
        ``sha256:`` and 64 hexadecimal digits, over the key written as JSON with sorted names
        and no blanks.
    """
    key = _key(instrument, instrument.scale(scale_id))
    text = json.dumps(key, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"


def _key(instrument: Instrument, scale: Scale) -> dict[str, Any]:
    named = own_items(scale)
    key: dict[str, Any] = {
        "combine": scale.combine,
        "count_at_or_above": scale.count_at_or_above,
        "items": [_item(instrument, scale, item) for item in instrument.items if item.id in named],
        "rounding": scale.rounding,
        "scales": [_key(instrument, instrument.scale(name)) for name in sorted(parts_of(scale))],
    }
    # What most keys do not have stands only in those that do, so that a further kind of scoring
    # leaves the checksums of the others, and the norms bound to them, as they are.
    return key | {name: part for name, part in _further(scale).items() if part}


def _further(scale: Scale) -> dict[str, Any]:
    return {
        "count_exceptions": scale.count_exceptions,
        "irt": None if scale.irt is None else scale.irt.model_dump(mode="json"),
        "levels": [level.model_dump(mode="json") for level in scale.levels],
        "transform": None
        if scale.transform is None
        else scale.transform.model_dump(mode="json", exclude_none=True),
        "weights": scale.weights,
    }


def _item(instrument: Instrument, scale: Scale, item: Item) -> dict[str, Any]:
    blank = item.blank_counts_as
    gate = gate_of(instrument, item.id)
    options = instrument.response_scales[item.response_scale]
    # As above: bands stand only in the keys of items that have them.
    bands = (
        {} if options.numbers is None else {"bands": [[o.code, o.score] for o in options.options]}
    )
    return bands | {
        "blank_counts_as": None if blank is None else blank.score,
        "gate": None
        if gate is None
        else {
            "closed_score": gate.closed_score,
            "open_when_any": sorted([o.item, o.at_or_above] for o in gate.open_when_any),
        },
        "id": item.id,
        "reverse": item.id in scale.reverse,
        "scores": sorted(set(options.scores)),
    }

"""Hypothesis strategies for people who write their own definitions.

They need the extra ``test``. A property of your own instrument is then a few lines::

    @given(forms(my_instrument))
    def test_whatever_is_answered_can_be_scored(form): ...
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from hypothesis import strategies as st

from mhscreen.definitions.keys import own_items
from mhscreen.vocabulary import Direction, Informant

if TYPE_CHECKING:
    from hypothesis.strategies import DrawFn, SearchStrategy

    from mhscreen.definitions import Instrument

__all__ = ["forms", "forms_with_one_worse", "worse_side"]

Form = dict[str, int | str | None]


def forms(instrument: Instrument, *, blanks: bool = True) -> SearchStrategy[Form]:
    """Return filled-in forms: the recorded code by item id, None where an item is left blank.

    Parameters
    ----------
    instrument : Instrument
        A definition that passed its checks.
    blanks : bool
        Whether items may be left blank or answered with a code that means missing.
    """
    answers = {}
    for item in instrument.items:
        scale = instrument.options(item.id)
        codes: list[int | str | None] = [option.code for option in scale.options]
        if blanks:
            codes += [None, *(missing.code for missing in scale.missing_codes)]
        answers[item.id] = st.sampled_from(codes)
    return st.fixed_dictionaries(answers)


def worse_side(instrument: Instrument, informant: Informant | None = None) -> dict[str, int]:
    """Say by item which way its item score gets worse.

    Returns
    -------
    dict of str to int
        1 upwards, −1 downwards. Items that no content scale and no critical item uses are left
        out, and so are items that point both ways.

    Examples
    --------
    >>> from mhscreen.loading import shipped_library
    >>> sdq = shipped_library().instrument("sdq@1").definition
    >>> sides = worse_side(sdq, Informant.PARENT)
    >>> sides["q3"], sides["q7"], sides["q1"], "overall" in sides
    (1, -1, -1, False)
    """
    found: dict[str, set[int]] = {}
    for scale in instrument.scales_for(informant or instrument.informants[0]):
        if scale.purpose == "validity":
            continue
        up = 1 if scale.higher_is is Direction.WORSE else -1
        for key in own_items(scale):
            found.setdefault(key, set()).add(-up if key in scale.reverse else up)
    for critical in instrument.critical_items:
        found.setdefault(critical.item, set()).add(1)
    return {key: sides.pop() for key, sides in found.items() if len(sides) == 1}


@st.composite
def forms_with_one_worse(
    draw: DrawFn, instrument: Instrument, informant: Informant | None = None
) -> tuple[Form, Form]:
    """Draw a form, and the same form with one answer moved to its worse side."""
    form = draw(forms(instrument))
    sides = worse_side(instrument, informant)
    key = draw(st.sampled_from(sorted(sides)))
    options = sorted(instrument.options(key).options, key=lambda o: sides[key] * o.item_score)
    place = draw(st.integers(0, len(options) - 2))
    further = draw(st.integers(place + 1, len(options) - 1))
    return form | {key: options[place].code}, form | {key: options[further].code}

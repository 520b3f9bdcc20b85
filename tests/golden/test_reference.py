"""Every shipped instrument agrees with a scorer that was written on its own, on random forms."""

import random
from math import isnan

import pytest

from mhscreen.kernels.logic import HOLDS
from mhscreen.plan.scoring import compile_form
from mhscreen.steps.score import score_forms
from mhscreen.vocabulary import Informant, Validity

FORMS = [
    ("phq9", "self"), ("phqa", "self"), ("gad7", "self"), ("dsrsc", "self"), ("asq", "self"),
    ("mht", "self"), ("sdq", "self"), ("sdq", "parent"), ("sdq", "teacher"),
    ("observer", "teacher"), ("observer", "parent"),
]  # fmt: skip
NUMBER = 400


def random_forms(instrument, rng):
    """Return forms with few, some, many and nothing but blanks."""
    made = []
    for _ in range(NUMBER):
        blank = rng.choice([0, 0.02, 0.1, 0.4, 0.9, 1])
        form = {}
        for item in instrument.items:
            scale = instrument.options(item.id)
            if rng.random() < blank:
                form[item.id] = rng.choice(
                    [None, *(missing.code for missing in scale.missing_codes)]
                )
            else:
                form[item.id] = rng.choice([option.code for option in scale.options])
        made.append(form)
    return made


def number(value):
    return None if isnan(value) else float(value)


@pytest.mark.parametrize("ref, informant", FORMS)
def test_random_forms_are_scored_as_by_hand(library, answers_to_codes, reference, ref, informant):
    instrument = library.instrument(f"{ref}@1.0.0").definition
    plan = compile_form(instrument, Informant(informant))
    forms = random_forms(instrument, random.Random(f"{ref} {informant}"))  # noqa: S311 - no secret
    found = score_forms(plan, answers_to_codes(plan, *forms))
    for place, form in enumerate(forms):
        expected = reference.score_pupil(ref, informant, form)
        assert {scale.scale for scale in found.scales} == set(expected["scales"])
        for scale in found.scales:
            names = {
                key: None if (p := int(getattr(scale, key)[place])) < 0 else scale.categories[p]
                for key in ("category", "category_low", "category_high")
            }
            got = {
                "score": number(scale.score[place]), "answered": int(scale.answered[place]),
                "low": number(scale.low[place]), "high": number(scale.high[place]), **names,
            }  # fmt: skip
            wanted = expected["scales"][scale.scale]
            assert got.pop("score") == pytest.approx(wanted.pop("score"), abs=1e-12), (
                scale.scale,
                form,
            )
            assert got == wanted, (scale.scale, form)
        positive = [
            c.item
            for c, t in zip(plan.critical, found.critical[:, place], strict=True)
            if t == HOLDS
        ]
        assert positive == expected["positive"], form
        assert bool(found.critical_open[place]) is bool(expected["open"]), form
        if expected["validity"] is not None:
            assert Validity.at(int(found.validity[place])) == expected["validity"]

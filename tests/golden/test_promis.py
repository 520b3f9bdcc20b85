"""PROMIS Depression (28 items) with its published parameters: every answer of 747 adults."""

import numpy as np
import pytest

from mhscreen.loading import read_definition
from mhscreen.plan.scoring import compile_form
from mhscreen.steps.score import score_forms
from mhscreen.vocabulary import Informant

FOLDER = "promis_depression_cesd_link"
HEAD = """\
schema: mhscreen/instrument/1
id: depression-bank
version: 1.0.0
title: {en: Depression item bank, zh: 抑郁题库}
abbreviation: DEP
construct: {en: Depression, zh: 抑郁}
recall: {en: Past 7 days, zh: 过去 7 天}
informants: [self]
ages: {from: 18, below: 100}
population: {en: Adults, zh: 成人}
rights:
  {holder: see the data, terms: see the data, key: shipped, wording: withheld, read_on: 2026-01-01,
   source: data}
references:
  - {id: data, citation: Choi and others 2014, supports: [item parameters]}
evidence: one_source
response_scales:
  often:
    options:
      - {code: 1, label: {en: never, zh: 从不}}
      - {code: 2, label: {en: rarely, zh: 很少}}
      - {code: 3, label: {en: sometimes, zh: 有时}}
      - {code: 4, label: {en: often, zh: 经常}}
      - {code: 5, label: {en: always, zh: 总是}}
items:
"""


@pytest.fixture(scope="module")
def bank(data):
    """Return items, discriminations, thresholds and answers (items by people; 0: blank)."""
    anchors = data(f"{FOLDER}/anchor_dep.csv")
    answers = data(f"{FOLDER}/response_dep.csv")
    items = anchors["item_id"]
    a = np.array([float(one) for one in anchors["a"]])
    b = np.array([[float(one) for one in anchors[f"cb{k}"]] for k in range(1, 5)]).T
    return items, a, b, np.array([[int(one or 0) for one in answers[key]] for key in items])


def compiled(items, a, b, combine, stated):
    """Compile a definition with these parameters."""
    text = HEAD
    for number in range(1, len(items) + 1):
        text += (
            f"  - {{id: q{number}, number: {number}, "
            f"topic: {{en: topic {number}, zh: 主题 {number}}}, response_scale: often}}\n"
        )
    text += f"scales:\n  - id: t\n    title: {{en: T, zh: T 分}}\n    combine: {combine}\n"
    text += f"    items: [{', '.join(f'q{n}' for n in range(1, len(items) + 1))}]\n"
    text += "    irt:\n      model: graded\n      prior: {mean: 0, sd: 1}\n"
    text += "      min_answered: 4\n" if combine == "eap" else ""
    text += "      metric: {mean: 50, sd: 10}\n      parameters:\n"
    for number, (slope, thresholds) in enumerate(zip(a, b, strict=True), start=1):
        text += f"        q{number}: {{a: {slope}, b: [{', '.join(map(str, thresholds))}]}}\n"
    text += (
        f"    range: {stated}\n    higher_is: worse\n    source: data\n    evidence: one_source\n"
    )
    definition, problems = read_definition(text, "bank.yaml")
    assert problems == []
    return compile_form(definition, Informant.SELF)


def chances(a, b, theta):
    """Return item × category × point probabilities of the graded model."""
    above = 1 / (1 + np.exp(-a[:, None, None] * (theta[None, None, :] - b[:, :, None])))
    ends = np.ones((len(a), 1, len(theta)))
    full = np.concatenate([ends, above, 0 * ends], axis=1)
    return full[:, :-1] - full[:, 1:]


def moments(density, theta):
    """Return T score and standard error of posterior densities, people × points."""
    whole = density.sum(axis=1)
    mean = density @ theta / whole
    square = density @ theta**2 / whole
    return 50 + 10 * mean, 10 * np.sqrt(square - mean**2)


def test_every_score_is_that_of_a_fine_grid_in_logarithms(bank):
    items, a, b, answers = bank
    form = compiled(items, a, b, "eap", "[33.5, 87.7]")
    found = score_forms(form, np.where(answers == 0, 255, answers - 1).astype(np.uint8)).scales[0]
    theta = np.linspace(-8, 8, 6401)
    logs = np.log(chances(a, b, theta) + 1e-300)
    density = np.tile(-0.5 * theta**2, (answers.shape[1], 1))
    for row, item in enumerate(logs):
        for code in range(1, 6):
            density[answers[row] == code] += item[code - 1]
    scores, errors = moments(np.exp(density - density.max(axis=1, keepdims=True)), theta)
    enough = (answers > 0).sum(axis=0) >= 4
    np.testing.assert_allclose(found.score[enough], scores[enough], atol=1e-6)
    np.testing.assert_allclose(found.standard_error[enough], errors[enough], atol=1e-6)
    assert np.isnan(found.score[~enough]).all()
    assert enough.sum() > 700
    assert np.nanmean(found.score) == pytest.approx(49.3, abs=0.05)  # as the data say of themselves


def test_every_score_from_a_sum_is_that_of_polynomials_on_a_fine_grid(bank):
    items, a, b, answers = bank
    few = slice(0, 8)
    form = compiled(items[few], a[few], b[few], "eap_from_sum", "[38.1, 82.2]")
    complete = (answers[few] > 0).all(axis=0)
    codes = (answers[few][:, complete] - 1).astype(np.uint8)
    found = score_forms(form, codes).scales[0]
    theta = np.linspace(-8, 8, 1601)
    sums = np.ones((1, len(theta)))
    for item in chances(a[few], b[few], theta):  # the coefficients of a product of polynomials
        longer = np.zeros((len(sums) + 4, len(theta)))
        for power, likelihood in enumerate(sums):
            longer[power : power + 5] += likelihood * item
        sums = longer
    scores, errors = moments(sums * np.exp(-0.5 * theta**2), theta)
    total = codes.sum(axis=0)
    np.testing.assert_allclose(found.score, scores[total], atol=1e-6)
    np.testing.assert_allclose(found.standard_error, errors[total], atol=1e-6)

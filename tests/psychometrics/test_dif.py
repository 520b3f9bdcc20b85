"""Fairness: what is planted is found, what is not is not, and what DIF does at a cut."""

import numpy as np
import pytest

from mhscreen.problems import AnalysisError, UsageError
from mhscreen.psychometrics import dif, irt
from mhscreen.psychometrics.dif.matching import purify
from mhscreen.psychometrics.dif.ordinal import fit_ordinal

BANK = {f"q{k}": (1.6, [b - 0.8, b, b + 0.9]) for k, b in enumerate(np.linspace(-0.8, 0.8, 8))}
LABELS = np.array(["boys", "girls"] * 1000)


def simulated(differing=None, labels=LABELS, seed=1, means=None):
    """Return answers; in groups but the first the items of `differing` have other parameters."""
    rng = np.random.default_rng(seed)
    known = sorted(set(labels.tolist()))
    answers = {item: np.zeros(len(labels), dtype=int) for item in BANK}
    for place, label in enumerate(known):
        mine = labels == label
        bank = {**BANK, **(differing or {})} if place else BANK
        trait = rng.normal((means or {}).get(label, 0.0), 1, mine.sum())
        for item, p in zip(bank, irt.take_parameters("graded", bank).chances(trait), strict=True):
            chosen = rng.random(mine.sum())[:, None] > p.cumsum(axis=1)[:, :-1]
            answers[item][mine] = chosen.sum(axis=1)
    return answers


HARDER = {"q2": (1.6, [b + 0.7 for b in BANK["q2"][1]])}
FLATTER = {"q5": (0.5, BANK["q5"][1])}
METHODS = [dif.find_dif_logistic, dif.find_dif_mantel, dif.find_dif_irt]


def flagged(found):
    return [item for item, flag in zip(found.items, found.flagged, strict=True) if flag]


@pytest.mark.parametrize("find", METHODS)
def test_a_difference_of_groups_in_the_trait_is_no_dif(find):
    assert flagged(find(simulated(means={"girls": 0.6}), LABELS)) == []


@pytest.mark.parametrize("find", METHODS)
def test_an_item_that_is_harder_for_one_group_is_found(find):
    assert flagged(find(simulated(HARDER, means={"girls": 0.4}), LABELS)) == ["q2"]


def test_an_item_that_discriminates_less_is_non_uniform():
    """Regression sees less of it on eight items: the item itself is an eighth of the match."""
    answers = simulated(FLATTER)
    found = dif.find_dif_logistic(answers, LABELS, alpha=0.05, min_effect=0)
    place = found.items.index("q5")
    assert flagged(found) == ["q5"]
    assert found.non_uniform[place] > found.uniform[place]
    model = dif.find_dif_irt(answers, LABELS)
    assert flagged(model) == ["q5"]
    assert model.distance[place, 0] > 2 * abs(model.difference[place, 0])


def test_the_direction_says_who_answers_higher():
    answers = simulated(HARDER)
    assert dif.find_dif_mantel(answers, LABELS).effect[2, 0] < 0
    assert dif.find_dif_logistic(answers, LABELS).group_effect[2, 0] < 0
    assert dif.find_dif_irt(answers, LABELS).difference[2, 0] < 0
    turned = dif.find_dif_mantel(answers, LABELS, reference="girls")
    assert turned.groups == ("girls", "boys")
    assert turned.effect[2, 0] > 0


@pytest.mark.parametrize("find", METHODS)
def test_several_districts_are_compared_with_the_first(find):
    labels = np.array(["a", "b", "c"] * 800)
    settings = {} if find is dif.find_dif_mantel else {"alpha": 0.001}
    if find is dif.find_dif_logistic:
        settings["min_effect"] = 0.01
    found = find(simulated(HARDER, labels), labels, **settings)
    assert found.groups == ("a", "b", "c")
    assert flagged(found) == ["q2"]
    assert len(found.to_frame()) in {8, 16}


def test_the_overall_test_of_two_groups_is_mantels():
    found = dif.find_dif_mantel(simulated(HARDER), LABELS, rounds=0)
    np.testing.assert_allclose(found.overall, found.statistic[:, 0], rtol=1e-9)


def test_the_mean_difference_varies_as_its_error_says():
    errors, differences = [], []
    for seed in range(60):
        found = dif.find_dif_mantel(simulated(seed=seed), LABELS, rounds=0)
        errors.append(found.mean_difference_se[:, 0])
        differences.append(found.mean_difference[:, 0])
    ratio = np.std(differences, axis=0) / np.mean(errors, axis=0)
    assert np.abs(ratio - 1).max() < 0.3  # 60 samples know a spread to some 9 %
    assert ratio.mean() == pytest.approx(1, abs=0.1)


def test_likelihood_ratio_tests_hold_their_level():
    p = np.concatenate(
        [
            dif.find_dif_irt(simulated(labels=LABELS[:600], seed=seed), LABELS[:600], rounds=0).p
            for seed in range(8)
        ]
    )
    assert np.mean(p < 0.2) == pytest.approx(0.2, abs=0.15)  # 64 tests


def test_dif_of_one_item_moves_pupils_over_a_cut_and_says_how_many():
    very = {item: (a, [b + 1.0 for b in steps]) for item, (a, steps) in list(BANK.items())[:2]}
    answers = simulated(very)
    calibration = irt.calibrate(answers, group=LABELS, free=["q0", "q1"])
    found = dif.assess_dif_effect(answers, LABELS, calibration, [10, 16])
    assert found.pupils.tolist() == [1000]
    assert found.mean_difference[0] < -0.5
    assert (found.share < found.share_as_reference).all()
    assert (found.newly[0] > 20).all()
    assert (found.no_longer == 0).all()
    changed = found.beyond_adjusted - found.beyond
    np.testing.assert_array_equal(changed, found.newly - found.no_longer)
    assert found.beyond[0] / 1000 == pytest.approx(found.share[0], abs=0.04)
    assert found.beyond_adjusted[0] / 1000 == pytest.approx(found.share_as_reference[0], abs=0.04)


def test_the_same_parameters_in_both_groups_move_nobody():
    answers = simulated()
    one = irt.calibrate(answers, group=LABELS, free=["q0"], errors="none")
    from dataclasses import replace

    same = replace(one, parameters=(one.parameters[0],) * 2)
    found = dif.assess_dif_effect(answers, LABELS, same, [10])
    assert (found.mean_difference[0], found.mean_distance[0]) == (0, 0)
    assert (found.no_longer, found.newly) == ([[0]], [[0]])
    np.testing.assert_allclose(found.adjusted[0], found.sums, atol=1e-6)


def test_ordinal_regression_is_the_same_in_any_unit_of_the_predictor():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(50, 2))
    counts = rng.integers(1, 6, (50, 4)).astype(float)
    one, other = fit_ordinal(x, counts), fit_ordinal(x * [10, 0.1] + 3, counts)
    assert one.log_likelihood == pytest.approx(other.log_likelihood, abs=1e-8)
    np.testing.assert_allclose(one.coefficients, other.coefficients * [10, 0.1], rtol=1e-6)
    np.testing.assert_allclose(one.errors, other.errors * [10, 0.1], rtol=1e-6)


def test_a_regression_that_separates_has_no_figures():
    found = fit_ordinal(np.array([[0.0], [1.0]]), np.array([[9.0, 0.0], [0.0, 9.0]]))
    assert not found.converged
    assert np.isnan(found.log_likelihood)


def test_every_result_has_a_frame_a_picture_and_a_title():
    answers = simulated(HARDER)
    results = [find(answers, LABELS) for find in METHODS]
    results.append(dif.assess_dif_effect(answers, LABELS, results[-1].calibration, [8]))
    for result in results:
        assert len(result.to_frame())
        assert result.plot().has_data()
        assert result.title() in repr(result)


# -- bad input ------------------------------------------------------------------------------------


@pytest.mark.parametrize("find", METHODS)
def test_one_group_is_refused(find):
    with pytest.raises(AnalysisError) as caught:
        find(simulated(), np.full(2000, "boys"))
    assert [problem.code for problem in caught.value.problems] == ["MH707"]


@pytest.mark.parametrize("find", [dif.find_dif_logistic, dif.find_dif_irt])
def test_an_item_with_an_empty_cell_is_not_compared_and_is_named(find):
    answers = simulated(HARDER)
    answers["q7"] = np.where(LABELS == "boys", np.minimum(answers["q7"], 2), answers["q7"])
    found = find(answers, LABELS)
    named = [(problem.code, problem.path) for problem in found.problems]
    assert ("MH730", "q7") in named
    assert found.to_frame().set_index("item").loc["q7"].isna().any()
    assert "q2" in flagged(found)
    assert "q7" not in flagged(found)


def test_a_group_of_few_forms_is_named():
    labels = np.array(["boys"] * 1996 + ["girls"] * 4)
    with pytest.raises(AnalysisError) as caught:
        dif.find_dif_logistic(simulated(), labels)
    assert [problem.code for problem in caught.value.problems] == ["MH705"]


def test_forms_with_a_blank_or_without_a_group_are_counted():
    answers = {item: column.astype(float) for item, column in simulated().items()}
    answers["q1"][:30] = np.nan
    labels = LABELS.astype(object)
    labels[1990:] = None
    found = dif.find_dif_mantel(answers, labels)
    assert (found.forms, found.left_out) == (1960, 40)


def test_anchors_that_do_not_settle_are_said_to_be_unsettled():
    turns = iter([[True, False], [False, True], [True, False], [False, True]])
    found = purify(2, lambda _: np.array(next(turns)), 3)
    assert (found.rounds, found.settled) == (3, False)
    assert not purify(2, lambda _: np.array([True, True]), 3).settled
    assert "MH731" in [
        problem.code
        for problem in dif.find_dif_logistic(
            simulated(HARDER), LABELS, alpha=1.0, min_effect=0.0
        ).problems
    ]


def test_a_wrong_call_is_said_to_be_one():
    answers = simulated()
    with pytest.raises(UsageError):
        dif.find_dif_logistic(answers, LABELS, match="rest")
    with pytest.raises(UsageError):
        dif.assess_dif_effect(answers, LABELS, irt.calibrate(answers, errors="none"), [8])
    with pytest.raises(UsageError):
        dif.find_dif_mantel(answers, LABELS, reference="others")

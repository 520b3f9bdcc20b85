"""How many things items measure: nothing is seen in noise, and what is there is found again."""

import sys

import numpy as np
import pytest

from mhscreen.problems import AnalysisError, UsageError
from mhscreen.psychometrics import (
    assess_adequacy,
    count_factors,
    explore_factors,
    factoring,
    find_general_factor,
)
from mhscreen.psychometrics import structure as module
from mhscreen.psychometrics.factoring import extract, most_factors, rotate

RNG = np.random.default_rng(12)
PARTS = RNG.multivariate_normal([0, 0], [[1, 0.4], [0.4, 1]], 800)
VALUES = 0.75 * np.repeat(PARTS, 4, axis=1) + 0.66 * RNG.normal(size=(800, 8))
ANSWERS = np.digitize(VALUES, [-1, 0, 1]).astype(np.int8)
LOADINGS = np.array([[0.8, 0], [0.7, 0.2], [0.6, 0], [0.1, 0.7], [0, 0.6], [0, 0.5], [0.3, 0.4]])
THREE_PARTS = RNG.multivariate_normal([0] * 3, np.full((3, 3), 0.5) + 0.5 * np.eye(3), 1500)
THREE = 0.8 * np.repeat(THREE_PARTS, 3, axis=1) + 0.6 * RNG.normal(size=(1500, 9))
NOISE = RNG.normal(size=(800, 8))


def test_two_things_are_found_and_nothing_in_noise():
    for of in ("components", "factors"):
        assert count_factors(VALUES, seed=1, of=of).suggested == 2
    assert count_factors(NOISE, seed=1, quantile=0.999, replicates=500).suggested == 0
    assert count_factors(ANSWERS, seed=1, correlation="polychoric", replicates=20).suggested == 2


def test_drawn_eigenvalues_are_those_of_simulated_answers():
    rng = np.random.default_rng(1)
    simulated = [
        np.linalg.eigvalsh(np.corrcoef(rng.normal(size=(100, 6)).T))[::-1] for _ in range(2000)
    ]
    drawn = module._eigenvalues(
        module._wishart(6, 100, 2000, np.random.default_rng(2)), "components"
    )
    np.testing.assert_allclose(drawn.mean(axis=0), np.mean(simulated, axis=0), atol=0.01)
    ours, theirs = (np.quantile(one, 0.95, axis=0) for one in (drawn, simulated))
    np.testing.assert_allclose(ours, theirs, atol=0.03)


def test_what_is_drawn_can_be_drawn_again():
    one, same, other = (count_factors(VALUES, seed=s).limit for s in (1, 1, 2))
    np.testing.assert_array_equal(one, same)
    assert (one != other).any()


def test_simple_structure_is_found_again():
    found = explore_factors(VALUES, 2)
    true = 0.75 / np.sqrt(0.75**2 + 0.66**2)
    own = np.abs(found.loadings[[*range(4), *range(4, 8)], [0] * 4 + [1] * 4])
    other = np.abs(found.loadings[[*range(4), *range(4, 8)], [1] * 4 + [0] * 4])
    if own.mean() < other.mean():
        own, other = other, own
    np.testing.assert_allclose(own, true, atol=0.08)
    assert other.max() < 0.08
    assert found.phi[0, 1] == pytest.approx(np.corrcoef(PARTS.T)[0, 1], abs=0.08)
    assert found.p > 0.001


@pytest.mark.parametrize("rotation", ["varimax", "promax", "oblimin", "geomin"])
def test_rotation_leaves_what_the_factors_explain_alone(rotation):
    plain = explore_factors(VALUES, 2, rotation="none")
    found = explore_factors(VALUES, 2, rotation=rotation)
    reproduced = found.loadings @ found.phi @ found.loadings.T
    np.testing.assert_allclose(reproduced, plain.loadings @ plain.loadings.T, atol=1e-9)
    np.testing.assert_allclose(np.diag(found.phi), 1, atol=1e-12)
    assert found.rmsr == pytest.approx(plain.rmsr)


@pytest.mark.parametrize("method", ["minres", "ml"])
def test_factors_of_a_matrix_that_has_them_are_exact(method):
    loadings = LOADINGS
    matrix = loadings @ loadings.T
    np.fill_diagonal(matrix, 1)
    found = extract(matrix, 2, method)
    np.testing.assert_allclose(found.loadings @ found.loadings.T, loadings @ loadings.T, atol=1e-5)
    assert found.objective < 1e-9
    assert not found.improper


@pytest.mark.parametrize("loss", [factoring._minres, factoring._likelihood])
@pytest.mark.parametrize("factors", [1, 3])  # of three, one has nothing to explain
def test_the_slope_of_a_loss_is_that_of_small_changes(loss, factors):
    matrix = np.corrcoef(VALUES.T)
    uniqueness = np.linspace(0.3, 0.99, 8)
    logarithmic = loss is factoring._likelihood
    found = loss(uniqueness, matrix, factors).slope
    for place in range(8):
        step = np.zeros(8)
        step[place] = 1e-6
        up, down = (
            loss(uniqueness * np.exp(s) if logarithmic else uniqueness + s, matrix, factors).loss
            for s in (step, -step)
        )
        assert found[place] == pytest.approx((up - down) / 2e-6, abs=1e-7)


def test_factors_without_an_end_are_refused(monkeypatch):
    monkeypatch.setattr(factoring, "_STEPS", 2)
    for rotation in ("none", "oblimin"):
        with pytest.raises(AnalysisError, match="MH709"):
            explore_factors(VALUES, 2, rotation=rotation)
    with pytest.raises(AnalysisError, match="oblimin: no end after 2 steps"):
        rotate(LOADINGS, "oblimin")


def test_the_number_of_factors_is_what_the_items_can_carry():
    assert [most_factors(items) for items in (3, 5, 6, 9)] == [1, 2, 3, 5]
    with pytest.raises(UsageError, match="8 items carry 1 to 4 factors, not 5"):
        explore_factors(VALUES, 5)


def test_an_item_without_error_is_said_to_be_improper():
    values = VALUES.copy()
    values[:, 0] = PARTS[:, 0]
    values[:, 1:4] = PARTS[:, :1] + 0.3 * NOISE[:, 1:4]
    found = explore_factors(values, 2, method="ml")
    assert [problem.code for problem in found.problems] == ["MH713"]


def test_ordered_answers_are_less_attenuated_by_polychoric_correlations():
    plain, ordered = (
        explore_factors(ANSWERS, 2, correlation=kind) for kind in ("pearson", "polychoric")
    )
    assert np.abs(ordered.loadings).max() > np.abs(plain.loadings).max()
    assert "polychoric" in ordered.basis


def test_adequacy_is_high_where_items_share_something_and_low_in_noise():
    assert assess_adequacy(VALUES).kmo > 0.8
    noise = assess_adequacy(NOISE)
    assert noise.kmo < 0.6
    assert noise.p > 0.001
    assert assess_adequacy(VALUES).p < 1e-10
    assert assess_adequacy(ANSWERS, correlation="polychoric").kmo > 0.8


def test_a_general_factor_and_groups_reproduce_the_correlated_factors():
    found = find_general_factor(THREE)
    explained = found.general**2 + np.sum(found.groups**2, axis=1)
    assert np.abs(explained + found.uniqueness - 1).max() < 0.1
    assert found.general_share == pytest.approx(0.5, abs=0.1)
    assert (found.general > 0.3).all()


def test_rotation_by_an_unknown_name_is_refused():
    with pytest.raises(UsageError, match="rotation is 'none', 'varimax'"):
        rotate(np.eye(3)[:, :2], "quartermin")


@pytest.mark.parametrize(
    "call, words",
    [
        (lambda: explore_factors(VALUES, 2, method="pa"), "method is 'minres' or 'ml'"),
        (lambda: explore_factors(VALUES, 2, engine="sklearn"), "engine is 'own'"),
        (lambda: explore_factors(VALUES, 2, correlation="spearman"), "correlation is 'pearson'"),
        (lambda: count_factors(VALUES, seed=None), "hand over a seed"),
        (lambda: count_factors(VALUES, seed=1, of="items"), "of is 'components'"),
        (lambda: count_factors(VALUES, seed=1, replicates=2), "at least 10 replicates"),
        (lambda: find_general_factor(VALUES, 2), "at least 3 factors"),
    ],
)
def test_a_call_that_cannot_be_meant_is_refused(call, words):
    with pytest.raises(UsageError, match=words):
        call()


def test_items_that_determine_each_other_are_refused():
    copied = np.column_stack([VALUES, VALUES[:, 0]])
    for analysis in (lambda: explore_factors(copied, 2), lambda: assess_adequacy(copied)):
        with pytest.raises(AnalysisError, match="item_1 and item_9 are perfectly correlated"):
            analysis()
    summed = np.column_stack([VALUES, VALUES[:, :3].sum(axis=1)])
    with pytest.raises(AnalysisError, match="the matrix is singular"):
        explore_factors(summed, 2)


def test_without_factor_analyzer_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "factor_analyzer", None)
    with pytest.raises(UsageError, match=r"install mhscreen\[psychometrics\]"):
        explore_factors(VALUES, 2, engine="factor_analyzer")


class TestFactorAnalyzer:
    """The extra is handed correlations and gives the factors that our own search finds."""

    @pytest.fixture(autouse=True)
    def _installed(self):
        pytest.importorskip("factor_analyzer")

    def test_factors_are_ours(self):
        ours, theirs = (
            explore_factors(VALUES, 2, engine=engine) for engine in ("own", "factor_analyzer")
        )
        np.testing.assert_allclose(theirs.loadings, ours.loadings, atol=1e-3)
        np.testing.assert_allclose(theirs.phi, ours.phi, atol=1e-3)

    def test_other_rotations_are_to_be_had(self):
        found = explore_factors(VALUES, 2, rotation="quartimax", engine="factor_analyzer")
        assert found.rmsr == pytest.approx(explore_factors(VALUES, 2).rmsr, abs=1e-6)

    def test_a_rotation_that_it_does_not_know_is_refused(self):
        with pytest.raises(UsageError, match="factor-analyzer refuses"):
            explore_factors(VALUES, 2, rotation="round", engine="factor_analyzer")

    def test_it_is_handed_correlations_and_never_answers(self, monkeypatch):
        import factor_analyzer

        seen = []
        whole = factor_analyzer.FactorAnalyzer.fit
        monkeypatch.setattr(
            factor_analyzer.FactorAnalyzer,
            "fit",
            lambda self, matrix: seen.append(matrix.shape) or whole(self, matrix),
        )
        explore_factors(VALUES, 2, engine="factor_analyzer")
        assert seen == [(8, 8)]

    def test_a_later_scikit_learn_is_named_as_the_cause(self, monkeypatch):
        import factor_analyzer

        def fit(*_):
            msg = "check_array() got an unexpected keyword argument"
            raise TypeError(msg)

        monkeypatch.setattr(factor_analyzer.FactorAnalyzer, "fit", fit)
        with pytest.raises(UsageError, match=r"a scikit-learn below 1\.8"):
            explore_factors(VALUES, 2, engine="factor_analyzer")


@pytest.mark.parametrize(
    "result",
    [
        assess_adequacy(VALUES),
        count_factors(VALUES, seed=1),
        explore_factors(VALUES, 2),
        find_general_factor(THREE[:, :8]),
    ],
    ids=lambda result: type(result).__name__,
)
def test_results_give_a_frame_a_picture_and_a_title(result):
    assert len(result.to_frame()) == 8
    assert result.plot().get_xlabel()
    assert result.title() in repr(result)

"""Psychometrics for analysts: whether an instrument works here, and what is usual here.

Everything takes answers as a frame, a mapping of columns or an array (`as_answers`), says in the
call what happens to blanks, and gives a frozen result with `to_frame()` and, where a picture
helps, `plot()`::

    import mhscreen.psychometrics as mp

The figures describe a sample. A norm or a cut found here is descriptive: it moves no tier except
through a new version of a policy.
"""

from __future__ import annotations

from mhscreen.problems import AnalysisError
from mhscreen.psychometrics.accuracy import (
    Accuracy,
    Criterion,
    assess_accuracy,
    compare_areas,
    compare_groups,
)
from mhscreen.psychometrics.agreement import (
    IntraclassCorrelations,
    Kappa,
    assess_agreement,
    assess_kappa,
)
from mhscreen.psychometrics.answers import Answers, as_answers
from mhscreen.psychometrics.change import (
    Change,
    ChangeBasis,
    Wave,
    assess_change,
    basis_of_sample,
    cut_between,
)
from mhscreen.psychometrics.classification import (
    Classification,
    classify_by_model,
    classify_by_reliability,
)
from mhscreen.psychometrics.coefficients import Coefficient, Reliability
from mhscreen.psychometrics.confirmation import (
    ORDERED_LEVELS,
    Confirmation,
    Difference,
    Estimate,
    Fit,
    Invariance,
    assess_invariance,
    confirm_factors,
)
from mhscreen.psychometrics.cut_scores import ChosenCut, choose_cut
from mhscreen.psychometrics.decision_curves import DecisionCurve, weigh_cuts
from mhscreen.psychometrics.dif import (
    DifEffect,
    IrtDif,
    LogisticDif,
    MantelDif,
    assess_dif_effect,
    find_dif_irt,
    find_dif_logistic,
    find_dif_mantel,
)
from mhscreen.psychometrics.factor_model import LEVELS
from mhscreen.psychometrics.growth import Trajectories, follow_waves
from mhscreen.psychometrics.halves import bound_reliability, split_halves
from mhscreen.psychometrics.important_difference import Anchor, find_important_difference
from mhscreen.psychometrics.informants import InformantAgreement, compare_informants
from mhscreen.psychometrics.irt import (
    Calibration,
    ItemParameters,
    assess_item_fit,
    assess_person_fit,
    calibrate,
    link_scales,
    measure_information,
    score_trait,
    take_parameters,
)
from mhscreen.psychometrics.items import ItemAnalysis, OptionCurves, analyse_items, trace_options
from mhscreen.psychometrics.polychoric import Polychoric, correlate_ordered
from mhscreen.psychometrics.regression_to_mean import expected_regression, split_change
from mhscreen.psychometrics.reliability import assess_reliability, estimate_alpha, estimate_omega
from mhscreen.psychometrics.results import Result
from mhscreen.psychometrics.schmid_leiman import Hierarchy, find_general_factor
from mhscreen.psychometrics.structure import (
    Adequacy,
    Factors,
    ParallelAnalysis,
    assess_adequacy,
    count_factors,
    explore_factors,
)
from mhscreen.psychometrics.transitions import Transitions, tabulate_transitions

__all__ = [
    "LEVELS",
    "ORDERED_LEVELS",
    "Accuracy",
    "Adequacy",
    "AnalysisError",
    "Anchor",
    "Answers",
    "Calibration",
    "Change",
    "ChangeBasis",
    "ChosenCut",
    "Classification",
    "Coefficient",
    "Confirmation",
    "Criterion",
    "DecisionCurve",
    "DifEffect",
    "Difference",
    "Estimate",
    "Factors",
    "Fit",
    "Hierarchy",
    "InformantAgreement",
    "IntraclassCorrelations",
    "Invariance",
    "IrtDif",
    "ItemAnalysis",
    "ItemParameters",
    "Kappa",
    "LogisticDif",
    "MantelDif",
    "OptionCurves",
    "ParallelAnalysis",
    "Polychoric",
    "Reliability",
    "Result",
    "Trajectories",
    "Transitions",
    "Wave",
    "analyse_items",
    "as_answers",
    "assess_accuracy",
    "assess_adequacy",
    "assess_agreement",
    "assess_change",
    "assess_dif_effect",
    "assess_invariance",
    "assess_item_fit",
    "assess_kappa",
    "assess_person_fit",
    "assess_reliability",
    "basis_of_sample",
    "bound_reliability",
    "calibrate",
    "choose_cut",
    "classify_by_model",
    "classify_by_reliability",
    "compare_areas",
    "compare_groups",
    "compare_informants",
    "confirm_factors",
    "correlate_ordered",
    "count_factors",
    "cut_between",
    "estimate_alpha",
    "estimate_omega",
    "expected_regression",
    "explore_factors",
    "find_dif_irt",
    "find_dif_logistic",
    "find_dif_mantel",
    "find_general_factor",
    "find_important_difference",
    "follow_waves",
    "link_scales",
    "measure_information",
    "score_trait",
    "split_change",
    "split_halves",
    "tabulate_transitions",
    "take_parameters",
    "trace_options",
    "weigh_cuts",
]

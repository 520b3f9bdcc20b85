"""From a sample to a norm table: weights, percentiles, models over age or grade, a YAML file.

A norm built here describes its sample. It moves no cut and no tier: a policy that is to read it
says so in a new, signed version.
"""

from mhscreen.psychometrics.norms.build import METHODS, BuiltNorm, build_norm
from mhscreen.psychometrics.norms.choose import (
    CANDIDATES,
    Candidate,
    ModelChoice,
    choose_norm_model,
)
from mhscreen.psychometrics.norms.continuous import ContinuousNorm, Formula, count_cells, fit_norm
from mhscreen.psychometrics.norms.families import ScoreRange
from mhscreen.psychometrics.norms.percentiles import mid_ranks
from mhscreen.psychometrics.norms.sample import NormAbout, NormSample
from mhscreen.psychometrics.norms.smoothing import smooth_shares
from mhscreen.psychometrics.norms.taylor import TaylorNorm, fit_taylor
from mhscreen.psychometrics.norms.weights import Weights, rake_weights

__all__ = [
    "CANDIDATES",
    "METHODS",
    "BuiltNorm",
    "Candidate",
    "ContinuousNorm",
    "Formula",
    "ModelChoice",
    "NormAbout",
    "NormSample",
    "ScoreRange",
    "TaylorNorm",
    "Weights",
    "build_norm",
    "choose_norm_model",
    "count_cells",
    "fit_norm",
    "fit_taylor",
    "mid_ranks",
    "rake_weights",
    "smooth_shares",
]

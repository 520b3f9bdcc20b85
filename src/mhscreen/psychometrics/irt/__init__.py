"""Item response models: calibration, information, scores, fit, linking."""

from __future__ import annotations

from mhscreen.psychometrics.irt.calibration import Calibration, calibrate
from mhscreen.psychometrics.irt.information import Information, measure_information
from mhscreen.psychometrics.irt.item_fit import ItemFit, assess_item_fit
from mhscreen.psychometrics.irt.linking import Link, link_scales
from mhscreen.psychometrics.irt.parameters import ItemParameters, take_parameters
from mhscreen.psychometrics.irt.person_fit import PersonFit, assess_person_fit
from mhscreen.psychometrics.irt.scores import TraitScores, score_trait

__all__ = [
    "Calibration",
    "Information",
    "ItemFit",
    "ItemParameters",
    "Link",
    "PersonFit",
    "TraitScores",
    "assess_item_fit",
    "assess_person_fit",
    "calibrate",
    "link_scales",
    "measure_information",
    "score_trait",
    "take_parameters",
]

"""Item response models: calibration, information, scores, fit, linking."""

from __future__ import annotations

from mhscreen.psychometrics.irt.calibration import Calibration, calibrate
from mhscreen.psychometrics.irt.information import Information, item_information
from mhscreen.psychometrics.irt.item_fit import ItemFit, item_fit
from mhscreen.psychometrics.irt.linking import Link, link_scales
from mhscreen.psychometrics.irt.parameters import ItemParameters, item_parameters
from mhscreen.psychometrics.irt.person_fit import PersonFit, person_fit
from mhscreen.psychometrics.irt.scores import TraitScores, trait_scores

__all__ = [
    "Calibration",
    "Information",
    "ItemFit",
    "ItemParameters",
    "Link",
    "PersonFit",
    "TraitScores",
    "calibrate",
    "item_fit",
    "item_information",
    "item_parameters",
    "link_scales",
    "person_fit",
    "trait_scores",
]

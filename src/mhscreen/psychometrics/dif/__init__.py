"""Fairness: whether items mean the same in every group, and what it does to scores if not."""

from __future__ import annotations

from mhscreen.psychometrics.dif.effect import DifEffect, assess_dif_effect
from mhscreen.psychometrics.dif.likelihood_ratio import IrtDif, find_dif_irt
from mhscreen.psychometrics.dif.logistic import LogisticDif, find_dif_logistic
from mhscreen.psychometrics.dif.mantel import MantelDif, find_dif_mantel

__all__ = [
    "DifEffect",
    "IrtDif",
    "LogisticDif",
    "MantelDif",
    "assess_dif_effect",
    "find_dif_irt",
    "find_dif_logistic",
    "find_dif_mantel",
]

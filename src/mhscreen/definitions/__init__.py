"""Definitions as frozen models: no files, no arrays. `mhscreen.loading` makes them from YAML."""

from mhscreen.definitions.instrument import Instrument
from mhscreen.definitions.norm_table import NormTable
from mhscreen.definitions.policy import Policy
from mhscreen.definitions.programme import Programme

__all__ = ["Definition", "Instrument", "NormTable", "Policy", "Programme"]

Definition = Instrument | NormTable | Policy | Programme
"""Any of the four."""

"""From files to definitions. The only floor that opens definition files or knows YAML."""

from mhscreen.loading.folders import check_paths, load_cases, load_library, shipped_library
from mhscreen.loading.library import Library, Loaded
from mhscreen.loading.norm_yaml import norm_cases_yaml, norm_yaml
from mhscreen.loading.packs import PACKS, installed_library
from mhscreen.loading.read import read_cases, read_definition
from mhscreen.loading.schemas import json_schema
from mhscreen.loading.template import new_cases_yaml, new_instrument_yaml

__all__ = [
    "PACKS",
    "Library",
    "Loaded",
    "check_paths",
    "installed_library",
    "json_schema",
    "load_cases",
    "load_library",
    "new_cases_yaml",
    "new_instrument_yaml",
    "norm_cases_yaml",
    "norm_yaml",
    "read_cases",
    "read_definition",
    "shipped_library",
]

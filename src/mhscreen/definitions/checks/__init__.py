"""What a definition must say beyond its grammar: everything that can be seen without a file.

Each check yields every `Finding`; `mhscreen.loading` gives findings their file, line and column.
"""

from mhscreen.definitions.checks.cases import check_cases
from mhscreen.definitions.checks.finding import Finding
from mhscreen.definitions.checks.instrument import check_instrument
from mhscreen.definitions.checks.norm_table import check_norm_against, check_norm_table
from mhscreen.definitions.checks.policy import check_policy, check_policy_against, norms_read
from mhscreen.definitions.checks.programme import check_programme, check_programme_against

__all__ = [
    "Finding",
    "check_cases",
    "check_instrument",
    "check_norm_against",
    "check_norm_table",
    "check_policy",
    "check_policy_against",
    "check_programme",
    "check_programme_against",
    "norms_read",
]

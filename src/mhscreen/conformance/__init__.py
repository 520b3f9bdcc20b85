"""Anyone's scorer can be measured against the definitions: vectors, a checker, a diagnosis."""

from mhscreen.conformance.check import Check, check_results, load_kits, run_command
from mhscreen.conformance.policy_check import (
    check_policies,
    load_policy_kits,
    run_policy_command,
)
from mhscreen.conformance.policy_generate import write_policies
from mhscreen.conformance.report import as_html, as_json, as_junit, as_text
from mhscreen.conformance.write import export_kit, shipped_kit, write_kit

__all__ = [
    "Check",
    "as_html",
    "as_json",
    "as_junit",
    "as_text",
    "check_policies",
    "check_results",
    "export_kit",
    "load_kits",
    "load_policy_kits",
    "run_command",
    "run_policy_command",
    "shipped_kit",
    "write_kit",
    "write_policies",
]

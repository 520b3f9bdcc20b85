"""Words of the ledger that more than one page says, English and Simplified Chinese side by side."""

from __future__ import annotations

from mhscreen.vocabulary import Tier

__all__ = ["CASE_TIERS"]

CASE_TIERS: dict[Tier, tuple[str, str]] = {
    Tier.NONE: ("No case", "未列入预警"),
    Tier.WATCH: ("Keep watching", "持续观察"),
    Tier.GENERAL: ("General psychological crisis", "一般心理危机"),
    Tier.SEVERE: ("Severe psychological crisis", "严重心理危机"),
    Tier.MAJOR: ("Major psychological crisis", "重大心理危机"),
}
"""What a named person has set. Only this is worded as a crisis; a screening only prompts."""

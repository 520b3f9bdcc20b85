"""For people who write their own definitions: run the worked cases beside them."""

from mhscreen.testing.cases import run_cases

__all__ = ["run_cases"]

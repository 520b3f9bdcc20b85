"""Pupils with known truth: one simulator for the demo, benchmarks and forecasts."""

from mhscreen.simulation.base_rates import steps_for_share
from mhscreen.simulation.pupils import Assumptions, Simulated, simulate_answers, simulate_pupils

__all__ = ["Assumptions", "Simulated", "simulate_answers", "simulate_pupils", "steps_for_share"]

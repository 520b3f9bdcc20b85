"""Definitions, compiled once into arrays: scoring, norming and triage plans, and the whole."""

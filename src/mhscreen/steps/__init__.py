"""The steps of a run, one module per verb: bind, score, norm, triage, emit."""

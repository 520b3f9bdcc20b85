"""What every test shares."""

from hypothesis import settings

# A deadline per example fails on a busy machine, not on wrong code. In CI Hypothesis itself
# also makes its examples repeatable.
settings.register_profile("mhscreen", settings(), deadline=None)
settings.load_profile("mhscreen")

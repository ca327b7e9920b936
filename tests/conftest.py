"""Settings for all tests."""

from hypothesis import settings

# Two test workers share two cores: a slow example says nothing about the code. Where CI is set, hypothesis
# itself repeats the same examples every time; that profile is kept.
settings.register_profile("unhurried", parent=settings(), deadline=None)
settings.load_profile("unhurried")

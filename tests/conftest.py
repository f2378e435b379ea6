"""What holds for every test: a busy machine is no fault of an example, and a failing one says how to repeat it."""

from hypothesis import settings

settings.register_profile("house", deadline=None, print_blob=True)
settings.load_profile("house")

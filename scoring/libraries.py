"""The versions that decide whether the same inputs give the same bytes."""

import platform
from importlib.metadata import version


def libraries() -> dict[str, str]:
    """Versions of the libraries a score is computed with, and the machine's architecture."""
    return {"catboost": version("catboost"), "numpy": version("numpy"), "machine": platform.machine()}

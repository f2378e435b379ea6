"""What can be wrong with a model file."""

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from registry.domain.errors import InvalidInput, NotFound, Unavailable


@dataclass(eq=False)
class ModelMissing(NotFound):
    """There is no model file at this path."""

    path: Path
    code: ClassVar[str] = "MODEL_MISSING"

    def __str__(self) -> str:
        return f"No model file at {self.path}; restore it or train one with `python -m scoring.train_default`."


@dataclass(eq=False)
class ModelCorrupt(Unavailable):
    """A model file's bytes are not the ones that were trained; no decision may be taken with it."""

    path: Path
    expected: str
    found: str
    code: ClassVar[str] = "MODEL_CORRUPT"
    retryable: ClassVar[bool] = False

    def __str__(self) -> str:
        return f"Model file {self.path} is {self.found}, expected {self.expected}; restore the file that was approved."


@dataclass(eq=False)
class ModelFeaturesDiffer(InvalidInput):
    """A model was trained on other feature definitions than the ones it is asked to score."""

    schema: str
    expected: str
    found: str
    code: ClassVar[str] = "MODEL_FEATURES_DIFFER"

    def __str__(self) -> str:
        return (
            f"The model expects features {self.expected}, not {self.found} of {self.schema}; build them by its schema."
        )

"""Refusals at the door of the feature definition."""

from dataclasses import dataclass
from typing import ClassVar

from registry.domain.errors import InvalidInput


@dataclass(eq=False)
class SchemaUnknown(InvalidInput):
    """No feature schema carries this version."""

    version: str
    known: tuple[str, ...]
    code: ClassVar[str] = "FEATURE_SCHEMA_UNKNOWN"

    def __str__(self) -> str:
        return f"Feature schema {self.version!r} is not known; known are {', '.join(self.known)}."


@dataclass(eq=False)
class FeatureUnknown(InvalidInput):
    """A name that the feature schema does not define."""

    feature: str
    schema: str
    code: ClassVar[str] = "FEATURE_UNKNOWN"

    def __str__(self) -> str:
        return f"Feature {self.feature!r} is not defined in schema {self.schema}; leave it out or use another schema."


@dataclass(eq=False)
class FeatureNotKnownAtApplication(InvalidInput):
    """A name whose value exists only after the decision, or is itself the lender's decision."""

    feature: str
    schema: str
    why: str
    code: ClassVar[str] = "FEATURE_NOT_KNOWN_AT_APPLICATION"

    def __str__(self) -> str:
        return f"Feature {self.feature!r} must not enter schema {self.schema}: {self.why}. Leave it out."


@dataclass(eq=False)
class FeatureProtected(InvalidInput):
    """A personal attribute that no score here may use."""

    feature: str
    schema: str
    code: ClassVar[str] = "FEATURE_PROTECTED"

    def __str__(self) -> str:
        return (
            f"Feature {self.feature!r} is a protected attribute and must not enter schema {self.schema}. Leave it out."
        )


@dataclass(eq=False)
class FeatureMissing(InvalidInput):
    """A feature the schema requires was not given."""

    feature: str
    schema: str
    code: ClassVar[str] = "FEATURE_MISSING"

    def __str__(self) -> str:
        return f"Feature {self.feature!r} is required by schema {self.schema} and was not given; give its value."


@dataclass(eq=False)
class FeatureInvalid(InvalidInput):
    """A value is not a number or category this feature allows."""

    feature: str
    given: str
    rule: str
    code: ClassVar[str] = "FEATURE_INVALID"

    def __str__(self) -> str:
        return f"Feature {self.feature!r} cannot be {self.given}: {self.rule}."


@dataclass(eq=False)
class SaltInvalid(InvalidInput):
    """The salt of an inputs hash is not 32 bytes."""

    length: int
    code: ClassVar[str] = "SALT_INVALID"

    def __str__(self) -> str:
        return f"The salt has {self.length} bytes; give 32 random bytes."

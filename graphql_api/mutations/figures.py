"""The figures of an application as they are sealed and hashed: exact values only, never binary floats."""

from dataclasses import dataclass
from typing import Any, ClassVar

from graphql_api.mutations.requests import plain_value
from registry.domain.commitments import FieldValue
from registry.domain.errors import InvalidInput

NAMES_MAX = 50
INTEGER_MAX = 2**53 - 1  # what canonical JSON can carry exactly


@dataclass(eq=False)
class FiguresInvalid(InvalidInput):
    """The figures are not an object of exact values by name."""

    rule: str
    code: ClassVar[str] = "FIGURES_INVALID"

    def __str__(self) -> str:
        return f"The application's figures cannot be used: {self.rule}."


def exact_figures(given: Any) -> dict[str, FieldValue]:
    """The figures by name; a float anywhere in them is refused."""
    if not isinstance(given, dict):
        raise FiguresInvalid("give an object of values by name")
    if len(given) > NAMES_MAX:
        raise FiguresInvalid(f"give at most {NAMES_MAX} of them")
    return {name: _exact(value, name) for name, value in given.items()}


def _exact(value: Any, name: str) -> FieldValue:
    if type(value) is int:
        if abs(value) > INTEGER_MAX:
            raise FiguresInvalid(f"{name} is too large for a number; give it as a string")
        return value
    if isinstance(value, list):
        return [_exact(item, name) for item in value]
    if isinstance(value, dict):
        return {key: _exact(item, f"{name}.{key}") for key, item in value.items()}
    return plain_value(value, name)

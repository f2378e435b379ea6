"""What may stand in the texts of an input: lengths, no control characters, no marks that turn text around."""

import dataclasses
import re
from collections.abc import Iterator, Mapping
from enum import Enum
from typing import Any, ClassVar

from strawberry.utils.str_converters import to_camel_case

from registry.domain.errors import InvalidInput

LENGTH_MAX = 200  # of every text that is not named below
LENGTHS: Mapping[str, int] = {
    "reason": 500,
    "reference": 120,
    "external_reference": 120,
    "channel": 120,
    "name": 200,
    "purpose": 60,
    "number": 60,
}
CONSENTS_MAX = 20
FIGURES_MAX = 50
FIGURE_LENGTH_MAX = 200
FIGURES_DEPTH_MAX = 4
FIGURE_VALUES_MAX = 500  # with those inside lists and objects
# C0 and C1 controls, DEL; embeddings, overrides and isolates of writing direction (Unicode Standard Annex 9); halves of
# surrogate pairs, which no encoding carries.
_FORBIDDEN = re.compile("[\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


@dataclasses.dataclass(eq=False)
class TextInvalid(InvalidInput):
    """A text of the input is too long or holds characters that cannot be shown as they are."""

    field: str
    rule: str
    code: ClassVar[str] = "TEXT_INVALID"

    def __str__(self) -> str:
        return f"{self.field} {self.rule}; send it again without that."


@dataclasses.dataclass(eq=False)
class InputTooLarge(InvalidInput):
    """A list or object of the input has more entries, or nests deeper, than is taken."""

    field: str
    rule: str
    code: ClassVar[str] = "INVALID_INPUT"

    def __str__(self) -> str:
        return f"{self.field} {self.rule}; send less."


def check_texts(given: Any) -> None:
    """Refuse an input with a text that is not as it must be, naming the field as clients know it."""
    for name, path, value in _leaves(given, ""):
        if isinstance(value, dict | list):
            _check_figures(value, path)
        elif name != "idempotency_key" or len(value) <= LENGTH_MAX:  # the key's length has a code of its own
            _check_text(value, path, LENGTHS.get(name, LENGTH_MAX))


def _leaves(given: Any, prefix: str) -> Iterator[tuple[str, str, Any]]:
    """The texts and JSON values of an input and of the inputs in it."""
    for field in dataclasses.fields(given):
        value, path = getattr(given, field.name), prefix + to_camel_case(field.name)
        if field.name == "consents" and value is not None and len(value) > CONSENTS_MAX:
            raise InputTooLarge(path, f"has {len(value)} entries where {CONSENTS_MAX} are allowed")
        if field.name == "inputs" and isinstance(value, dict | list):
            yield field.name, path, value
            continue
        many = value if isinstance(value, list) else [value]
        for place, one in enumerate(many):
            where = f"{path}.{place}" if many is value else path
            if dataclasses.is_dataclass(one):
                yield from _leaves(one, f"{where}.")
            elif isinstance(one, str) and not isinstance(one, Enum):
                yield field.name, where, one


def _check_text(text: str, path: str, most: int) -> None:
    if len(text) > most:
        raise TextInvalid(path, f"has {len(text)} characters where {most} are allowed")
    if (found := _FORBIDDEN.search(text)) is not None:
        raise TextInvalid(path, f"holds the character U+{ord(found.group()):04X}, which is not allowed")


def _check_figures(figures: Any, path: str) -> None:
    waiting, values = [(figures, 1)], 0
    while waiting:
        value, depth = waiting.pop()
        values += 1
        if isinstance(value, str):
            _check_text(value, path, FIGURE_LENGTH_MAX)
        if not isinstance(value, dict | list):
            continue
        if len(value) > FIGURES_MAX or values + len(value) > FIGURE_VALUES_MAX:
            raise InputTooLarge(path, f"has more entries than the {FIGURES_MAX} that are allowed")
        if depth > FIGURES_DEPTH_MAX:
            raise InputTooLarge(path, f"nests deeper than the {FIGURES_DEPTH_MAX} levels that are allowed")
        for key in value if isinstance(value, dict) else ():
            _check_text(key, path, FIGURE_LENGTH_MAX)
        inside = value.values() if isinstance(value, dict) else value
        waiting.extend((one, depth + 1) for one in inside)

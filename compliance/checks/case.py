"""What a check function is given: the subject, the rules in force, the day and the screener."""

from dataclasses import dataclass
from datetime import date
from typing import Protocol

from compliance.rulebook import Rules
from compliance.screening import Query, ScreeningResult
from compliance.subject import Subject


class Screening(Protocol):
    """Screens one party against the lists that are loaded."""

    def screen(self, query: Query) -> ScreeningResult: ...


@dataclass(frozen=True, slots=True)
class Case:
    """One evaluation; a check reads the subject only through this."""

    subject: Subject
    rules: Rules
    on: date
    screener: Screening | None = None

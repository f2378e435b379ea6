"""What can be wrong with a decision policy or with what it is asked."""

from dataclasses import dataclass
from datetime import date
from typing import ClassVar

from registry.domain.errors import InvalidInput, NotFound


@dataclass(eq=False)
class PolicyMissing(NotFound):
    """There is no policy file of this name."""

    policy: str
    code: ClassVar[str] = "POLICY_MISSING"

    def __str__(self) -> str:
        return f"No policy {self.policy}; give the path of a policy file or the name of a shipped one."


@dataclass(eq=False)
class PolicyInvalid(InvalidInput):
    """A policy file cannot be read as one, or contradicts itself."""

    policy: str
    rule: str
    code: ClassVar[str] = "POLICY_INVALID"

    def __str__(self) -> str:
        return f"Policy {self.policy} cannot be used: {self.rule}."


@dataclass(eq=False)
class PolicyNotInForce(NotFound):
    """No policy is valid on this day."""

    on: date
    code: ClassVar[str] = "POLICY_NOT_IN_FORCE"

    def __str__(self) -> str:
        return f"No policy is in force on {self.on.isoformat()}; add one that is valid from that day or earlier."


@dataclass(eq=False)
class GradeNotInPolicy(InvalidInput):
    """The model gives a grade that the policy has no rate or limit for."""

    grade: str
    policy: str
    code: ClassVar[str] = "GRADE_NOT_IN_POLICY"

    def __str__(self) -> str:
        return f"Policy {self.policy} has no terms for grade {self.grade}; use the policy written for this scale."

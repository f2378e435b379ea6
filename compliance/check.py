"""What a compliance check answers: one dated, versioned result with stable reason codes."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType


def _no_evidence() -> Mapping[str, str]:
    return MappingProxyType({})


class CheckResult(StrEnum):
    """The outcome of one check; ERROR counts as REFER wherever results are combined."""

    PASS = "PASS"  # noqa: S105
    FAIL = "FAIL"
    REFER = "REFER"
    NOT_APPLICABLE = "NOT_APPLICABLE"
    ERROR = "ERROR"


@dataclass(frozen=True, slots=True)
class Finding:
    """What a check function found, before it is dated and bound to its inputs."""

    result: CheckResult
    reasons: tuple[str, ...] = ()
    evidence: Mapping[str, str] = field(default_factory=_no_evidence)


@dataclass(frozen=True, slots=True)
class Check:
    """One evaluated rule: result, reason codes, the version of the rule and a hash over the inputs it read.

    `inputs_hash` covers personal data. Without a secret key it can be reversed by guessing, so it must not leave
    the database unless `evaluate` was given a `hash_key`.
    """

    rule: str
    rule_version: str
    result: CheckResult
    reasons: tuple[str, ...]
    evaluated_at: datetime
    inputs_hash: bytes
    evidence: Mapping[str, str] = field(default_factory=_no_evidence)


def overall(checks: Iterable[Check]) -> CheckResult:
    """FAIL if any fails, else REFER if any refers or erred, else PASS if any passed; nothing checked is REFER."""
    results = {check.result for check in checks}
    if CheckResult.FAIL in results:
        return CheckResult.FAIL
    if CheckResult.REFER in results or CheckResult.ERROR in results:
        return CheckResult.REFER
    return CheckResult.PASS if CheckResult.PASS in results else CheckResult.REFER


def passed(*reasons: str) -> Finding:
    return Finding(CheckResult.PASS, reasons)


def failed(*reasons: str) -> Finding:
    return Finding(CheckResult.FAIL, reasons)


def referred(*reasons: str) -> Finding:
    return Finding(CheckResult.REFER, reasons)


def not_applicable(*reasons: str) -> Finding:
    return Finding(CheckResult.NOT_APPLICABLE, reasons)

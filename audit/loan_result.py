"""The outcome of comparing one loan: what differs, and the state that puts it into."""

from dataclasses import dataclass, field

from audit.finding import Finding, Rule, Severity, Verification, gravest, shortened


@dataclass(slots=True)
class LoanResult:
    """The outcome for one loan: how many records it has, how many of them are on chain, and what differs."""

    lender_id: int
    loan_id: str
    loan_key: bytes
    records: int = 0
    anchored: int = 0
    head: bytes | None = None
    findings: list[Finding] = field(default_factory=list)

    @property
    def state(self) -> Verification:
        waiting = Verification.NOT_YET if self.anchored < self.records else Verification.VERIFIED
        return gravest(waiting, *(finding.state for finding in self.findings))

    def report(
        self,
        rule: Rule,
        table: str,
        column: str,
        expected: object,
        found: object,
        *,
        sequence: int | None = None,
        severity: Severity = Severity.ERROR,
    ) -> None:
        self.findings.append(
            Finding(
                severity, rule, self.lender_id, self.loan_id, self.loan_key, sequence, table, column,
                shortened(expected), shortened(found),
            )
        )  # fmt: skip

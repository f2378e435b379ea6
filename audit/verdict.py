"""What a verifier concluded: each step with its outcome and a sentence, and the exit code they add up to."""

from dataclasses import dataclass
from enum import IntEnum, StrEnum


class Exit(IntEnum):
    """How the command line ends; fixed, so that scripts may rely on it."""

    VERIFIED = 0
    INTERNAL = 1
    USAGE = 2
    MISMATCH = 3
    NOT_FOUND = 4
    NOT_FINAL = 5
    NOT_CHECKED = 6
    WRONG_CHAIN = 7


# Tampering outweighs settings that do not fit, these a block that may still go, and that what was left unchecked.
_GRAVEST_FIRST = (Exit.INTERNAL, Exit.MISMATCH, Exit.WRONG_CHAIN, Exit.NOT_FINAL, Exit.NOT_CHECKED)


class Outcome(StrEnum):
    """How one step ended."""

    OK = "ok"
    FAILED = "failed"
    NOT_CHECKED = "not checked"


@dataclass(frozen=True, slots=True)
class Step:
    """One numbered step; `exit` is what it adds to the verdict, VERIFIED when nothing."""

    number: int
    name: str
    outcome: Outcome
    sentence: str
    exit: Exit = Exit.VERIFIED


@dataclass(frozen=True, slots=True)
class Subject:
    """What the evidence is about, as its file says; only as true as the verdict."""

    loan_key: bytes
    lender_id: int
    controller_id: int
    servicer_id: int
    status: str
    head: bytes
    records: int
    fields_opened: int
    fields_redacted: int
    block_number: int
    block_hash: bytes


@dataclass(frozen=True, slots=True)
class Verdict:
    """The outcome of verifying one piece of evidence."""

    steps: tuple[Step, ...]
    subject: Subject | None

    @property
    def exit_code(self) -> Exit:
        raised = {step.exit for step in self.steps}
        return next((code for code in _GRAVEST_FIRST if code in raised), Exit.VERIFIED)

    @property
    def verified(self) -> bool:
        return self.exit_code is Exit.VERIFIED

    @property
    def headline(self) -> str:
        """The verdict in one sentence."""
        code = self.exit_code
        decisive = next((step.sentence for step in self.steps if step.exit is code), "")
        if code is Exit.VERIFIED and self.subject is not None:
            shown = "" if self.subject.fields_opened else "; their contents were not shown"
            return (
                f"Verified: these are all {self.subject.records} records anchored under this loan "
                f"at block {self.subject.block_number}, unaltered{shown}."
            )
        titles = {
            Exit.MISMATCH: "Not verified",
            Exit.WRONG_CHAIN: "Wrong chain or trust settings",
            Exit.NOT_FINAL: "Not final yet",
            Exit.NOT_CHECKED: "Self-consistent only" if self._consistent else "Could not check",
        }
        return f"{titles.get(code, 'Internal error')}: {decisive}"

    @property
    def _consistent(self) -> bool:
        return self.subject is not None and all(step.outcome is not Outcome.FAILED for step in self.steps)

    def as_json(self) -> dict[str, object]:
        """The verdict as plain values for printing."""
        subject = self.subject
        shown = None if subject is None else {name: getattr(subject, name) for name in Subject.__dataclass_fields__}
        return {
            "exit_code": int(self.exit_code),
            "verdict": self.headline,
            "steps": [
                {"number": step.number, "name": step.name, "outcome": str(step.outcome), "sentence": step.sentence}
                for step in self.steps
            ],
            "subject": shown
            and {name: f"0x{value.hex()}" if isinstance(value, bytes) else value for name, value in shown.items()},
        }

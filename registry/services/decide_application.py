"""Deciding an application: score, checks and policy say what to do; a person may decide what they refer."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, ClassVar

from registry.domain.access import Request
from registry.domain.errors import RuleRefused
from registry.domain.identifiers import new_id
from registry.domain.origination import Application, ApplicationStatus, Assessment, Decision, Outcome
from registry.ports import Facilities, UnderwritingCase, UnitOfWork
from registry.services.answering import answer_once
from registry.services.personal import identity_of, inputs_of

DECIDABLE = frozenset({ApplicationStatus.SUBMITTED, ApplicationStatus.IN_REVIEW})


@dataclass(eq=False)
class NotDecidable(RuleRefused):
    """The application was decided, signed or withdrawn."""

    application_id: str
    status: ApplicationStatus
    code: ClassVar[str] = "APPLICATION_NOT_DECIDABLE"

    def __str__(self) -> str:
        return f"Application {self.application_id} is {self.status.value} and cannot be decided again."


@dataclass(eq=False)
class MakerIsChecker(RuleRefused):
    """Who submitted an application may not decide it."""

    actor: str
    code: ClassVar[str] = "MAKER_IS_CHECKER"

    def __str__(self) -> str:
        return f"{self.actor} submitted this application; somebody else must decide it."


@dataclass(eq=False)
class OverrideNotAllowed(RuleRefused):
    """A person may only decide what the policy refers."""

    assessed: Outcome
    code: ClassVar[str] = "OVERRIDE_NOT_ALLOWED"

    def __str__(self) -> str:
        return f"The policy says {self.assessed.value}; a person decides only what it refers."


def decide_application(
    uow: UnitOfWork,
    application_id: str,
    request: Request,
    use: Facilities,
    *,
    override: Outcome | None = None,
) -> dict[str, Any]:
    """Assess an application and keep the decision; `override` is a person's word on a referred one."""

    def change(uow: UnitOfWork) -> dict[str, Any]:
        application = uow.applications.get(request.actor.lender, application_id)
        if application.status not in DECIDABLE:
            raise NotDecidable(application_id, application.status)
        now = use.clock.now()
        checker = request.actor.name if override is not None else "policy"
        case = case_of(uow, application, checker, now, use)
        assessed = use.underwriter.assess(case)
        decision = _decide(application, assessed, request.actor.name, override, now)
        uow.applications.decide([decision])
        uow.applications.save(replace(application, status=decision.outcome.application_status))
        return {"subject": application_id, "decision_id": decision.id, "application_id": application_id}

    return answer_once(uow, request, use.clock, "ApplicationDecided", change)


def case_of(
    uow: UnitOfWork, application: Application, checker: str, now: datetime, use: Facilities
) -> UnderwritingCase:
    """Everything known about an application, opened for underwriting."""
    borrower = uow.borrowers.get(application.lender_id, application.borrower_id)
    return UnderwritingCase(
        lender=uow.lenders.get(application.lender_id),
        application=application,
        product=uow.products.get(application.product_id),
        identity=identity_of(use.vault, borrower),
        inputs=inputs_of(use.vault, borrower, application),
        consents=uow.borrowers.consents(application.lender_id, borrower.id),
        exposure=uow.borrowers.exposure(borrower.blind_index, now),
        maker=application.submitted_by,
        checker=checker,
        decided_at=now,
        unavailable={},
    )


def _decide(
    application: Application, assessed: Assessment, actor: str, override: Outcome | None, now: datetime
) -> Decision:
    outcome, decided_by = assessed.outcome, "policy"
    if override is not None:
        if actor == application.submitted_by:
            raise MakerIsChecker(actor)
        if assessed.outcome is not Outcome.REFER or override is Outcome.REFER:
            raise OverrideNotAllowed(assessed.outcome)
        outcome, decided_by = override, actor
    return Decision(
        lender_id=application.lender_id,
        id=new_id(application.lender_id),
        application_id=application.id,
        assessment=assessed,
        outcome=outcome,
        decided_by=decided_by,
        decided_at=now,
    )

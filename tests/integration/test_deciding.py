"""Deciding applications on SQLite and PostgreSQL: policy, people, and decisions that can be run again."""

from datetime import timedelta

import orjson
import pytest

from app.wiring import Registry
from registry.domain.loan import DateNotAllowed
from registry.domain.money import Money
from registry.domain.origination import ApplicationStatus, Outcome
from registry.services.decide_application import (
    MakerIsChecker,
    NotDecidable,
    OverrideNotAllowed,
    case_of,
    decide_application,
)
from registry.services.sign_agreement import Signing, sign_agreement
from tests.support.installation import counts, front_end, new_registry, registry, request, sign, submit, today
from tests.support.postgres import postgres

__all__ = ["new_registry", "postgres", "registry"]


def test_what_the_policy_refers_another_person_decides(registry: Registry) -> None:
    submitted = submit(registry, amount=Money(19_900_000, "CNY"), term_months=60)["application_id"]
    use = registry.facilities

    with pytest.raises(MakerIsChecker):
        decide_application(
            registry.unit_of_work(),
            submitted,
            request("decideApplication", "d"),
            use,
            override=Outcome.APPROVE,
        )
    decide_application(
        registry.unit_of_work(),
        submitted,
        request("decideApplication", "e", front_end(name="checker")),
        use,
        override=Outcome.APPROVE,
    )

    with registry.unit_of_work() as uow:
        decision = uow.applications.decision_of(1, submitted)
        application = uow.applications.get(1, submitted)
    assert decision.decided_by == "checker"
    assert orjson.loads(decision.assessment.receipt)["outcome"] == "REFER"
    assert application.status is ApplicationStatus.APPROVED


def test_what_the_policy_approves_nobody_overrides(registry: Registry) -> None:
    submitted = submit(registry)["application_id"]
    checker = front_end(name="checker")

    with pytest.raises(OverrideNotAllowed):
        decide_application(
            registry.unit_of_work(),
            submitted,
            request("decideApplication", "d", checker),
            registry.facilities,
            override=Outcome.DECLINE,
        )
    decide_application(
        registry.unit_of_work(), submitted, request("decideApplication", "e", checker), registry.facilities
    )
    with pytest.raises(NotDecidable):
        decide_application(
            registry.unit_of_work(), submitted, request("decideApplication", "f", checker), registry.facilities
        )


def test_a_decision_run_again_gives_the_same_bytes(registry: Registry) -> None:
    loan_id = sign(registry)
    with registry.unit_of_work() as uow:
        loan = uow.loans.get(loan_id)
        assert loan.decision_id is not None
        kept = uow.applications.decision(1, loan.decision_id)
        application = uow.applications.get(1, kept.application_id)
        case = case_of(uow, application, "policy", kept.decided_at, registry.facilities)
    made = kept.assessment

    again = registry.underwriting.reproduce(made.receipt, case, made.inputs_salt, made.checks)
    forged = registry.underwriting.reproduce(
        made.receipt.replace('"points":', '"points":1'), case, made.inputs_salt, made.checks
    )

    assert again.identical, again.differences
    assert not forged.identical
    assert any("points" in difference for difference in forged.differences)
    assert loan.records[0].fields["decision_receipt"] == made.receipt_commitment.hex()


@pytest.mark.parametrize(("payout", "first_due"), [(-1, 29), (91, 120), (0, 0), (0, 75)])
def test_a_payout_and_first_instalment_lie_where_the_decision_still_holds(
    registry: Registry, payout: int, first_due: int
) -> None:
    submitted = submit(registry)["application_id"]
    use = registry.facilities
    decide_application(registry.unit_of_work(), submitted, request("decideApplication", "d"), use)
    signing = Signing(submitted, today() + timedelta(days=payout), today() + timedelta(days=first_due))
    before = counts(registry)

    with pytest.raises(DateNotAllowed):
        sign_agreement(registry.unit_of_work(), signing, request("signAgreement", "s"), use)

    assert counts(registry) == before

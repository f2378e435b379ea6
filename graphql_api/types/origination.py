"""Applications and decisions: the score, the checks, the reasons, and the receipt that commits to all of them."""

from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated, Any

import orjson
import strawberry
from strawberry.scalars import JSON

from graphql_api.loaders import required
from graphql_api.request_context import context_of
from graphql_api.scalars import Bytes32
from graphql_api.types.anchor import Anchor, anchor_of
from graphql_api.types.described import described
from graphql_api.types.enums import ApplicationStatus, CheckResult, Outcome
from graphql_api.types.money import Locale, MoneyValue, money, money_of
from graphql_api.types.node import Node, node_id
from graphql_api.types.party import Borrower, Product, borrower_of
from registry.domain import origination
from registry.domain.product import ProductUnknown
from scoring.reasons import BOOKS, ReasonUnknown, reasons_of

if TYPE_CHECKING:
    from graphql_api.types.loan import Loan


@strawberry.type(description="What one feature added to the score.")
class Contribution:
    """One feature's part in the log-odds of default."""

    feature: str = strawberry.field(description="The feature.")
    value: JSON | None = strawberry.field(description="Its value in this application; null when it was not given.")
    effect: float = strawberry.field(description="What it added to the log-odds of default; above zero is adverse.")


@strawberry.type(description="A credit score with its origin and its parts.")
class Score:
    """A score as the decision kept it."""

    stored: strawberry.Private[Any]
    hash_of_model: strawberry.Private[bytes]

    @described("The probability of default within the model's horizon, 0 to 1.")
    def probability_of_default(self) -> float:
        return float(self.stored["probability"])

    @described("The score in points; more is better.")
    def points(self) -> int:
        return int(self.stored["points"])

    @described("The grade the points fall in.")
    def grade(self) -> str:
        return str(self.stored["grade"])

    @described("The version of the model.")
    def model_version(self) -> str:
        return str(self.stored["model_version"])

    @described("The SHA-256 of the model file.")
    def model_hash(self) -> Bytes32:
        return Bytes32(self.hash_of_model)

    @described("What each feature added.")
    def contributions(self) -> list[Contribution]:
        return [
            Contribution(feature=part["feature"], value=part["value"], effect=float(part["effect"]))
            for part in self.stored.get("contributions", ())
        ]


@strawberry.type(description="A principal reason of a decision.")
class Reason:
    """A stable code with its sentence."""

    code: str = strawberry.field(description="The stable code.")
    text: str = strawberry.field(description="The sentence in the language asked for.")


@strawberry.type(description="What one compliance rule made of an application.")
class ComplianceCheck:
    """The outcome of one rule."""

    row: strawberry.Private[origination.CheckOutcome]

    @described("The rule.")
    def rule(self) -> str:
        return self.row.rule

    @described("The version of the rule that was applied.")
    def rule_version(self) -> str:
        return self.row.rule_version

    @described("What it came to.")
    def result(self) -> CheckResult:
        return CheckResult(self.row.result)

    @described("Stable codes of why.")
    def reasons(self) -> list[str]:
        return list(self.row.reasons)

    @described("When it was evaluated.")
    def evaluated_at(self) -> datetime:
        return self.row.evaluated_at


@strawberry.type(description="The receipt of a decision: what commits to inputs, model, policy and outcome.")
class DecisionReceipt:
    """A receipt; it is anchored inside the agreement record of the loan it leads to."""

    row: strawberry.Private[origination.Decision]

    @described("The salted hash of the receipt; part of the agreement record.")
    def commitment(self) -> Bytes32:
        return Bytes32(self.row.assessment.receipt_commitment)

    @described("The salted hash of the inputs.")
    def inputs_hash(self) -> Bytes32:
        return Bytes32(self.row.assessment.inputs_hash)

    @described("The SHA-256 of the model file.")
    def model_hash(self) -> Bytes32:
        return Bytes32(self.row.assessment.model_hash)

    @described("The version of the policy.")
    def policy_version(self) -> str:
        return self.row.assessment.policy_version

    @described("The anchor of the agreement record that carries the commitment; QUEUED while nothing is signed.")
    async def anchor(self, info: strawberry.Info) -> Anchor:
        name = (self.row.lender_id, self.row.application_id)
        return anchor_of(await context_of(info).loaders.agreement_anchor.load(name))


@strawberry.type(description="A decision on an application, with everything that led to it.")
class Decision(Node):
    """A decision as it was kept."""

    row: strawberry.Private[origination.Decision]

    @classmethod
    def of(cls, row: origination.Decision) -> "Decision":
        return cls(id=node_id("Decision", row.id), row=row)

    @described("What was decided.")
    def outcome(self) -> Outcome:
        return self.row.outcome

    @described("The score; null when none could be made.")
    def score(self) -> Score | None:
        stored = self.row.assessment.score
        return None if stored is None else Score(stored=stored, hash_of_model=self.row.assessment.model_hash)

    @described("The compliance rules that were applied.")
    def checks(self) -> list[ComplianceCheck]:
        return [ComplianceCheck(row=check) for check in self.row.assessment.checks]

    @described("The principal reasons, strongest first; English where a language has no sentence.")
    def reasons(self, locale: Locale = "en") -> list[Reason]:
        schema_version = orjson.loads(self.row.assessment.receipt).get("schema", {}).get("version", "")
        return [_reason(code, schema_version, locale or "en") for code in self.row.assessment.reasons]

    @described("The nominal annual rate offered, as a fraction.")
    def offered_rate(self) -> Decimal | None:
        return self.row.assessment.offered_rate

    @described("The most that may be lent.")
    def limit(self) -> MoneyValue | None:
        return money_of(self.row.assessment.limit)

    @described("The version of the policy.")
    def policy_version(self) -> str:
        return self.row.assessment.policy_version

    @described('Who decided: "policy", or the person who decided what the policy referred.')
    def decided_by(self) -> str:
        return self.row.decided_by

    @described("When it was decided.")
    def decided_at(self) -> datetime:
        return self.row.decided_at

    @described("What commits to the decision and its causes.")
    def receipt(self) -> DecisionReceipt:
        return DecisionReceipt(row=self.row)


@strawberry.type(description="An application for a loan.")
class Application(Node):
    """An application as its row has it."""

    row: strawberry.Private[origination.Application]

    @classmethod
    def of(cls, row: origination.Application) -> "Application":
        return cls(id=node_id("Application", row.id), row=row)

    @described("Where it stands.")
    def status(self) -> ApplicationStatus:
        return self.row.status

    @described("Who applies; null without a right to see it.")
    async def borrower(self, info: strawberry.Info) -> Borrower | None:
        return await borrower_of(context_of(info), (self.row.lender_id, self.row.borrower_id))

    @described("The product applied for.")
    async def product(self, info: strawberry.Info) -> Product:
        product_id = self.row.product_id
        found = context_of(info).loaders.product.load(product_id)
        return Product.of(await required(found, lambda: ProductUnknown(product_id)))

    @described("The amount applied for.")
    def amount(self) -> MoneyValue:
        return money(self.row.amount.minor, self.row.amount.currency)

    @described("The term applied for, in months.")
    def term_months(self) -> int:
        return self.row.term_months

    @described("What the money is for.")
    def purpose(self) -> str:
        return self.row.purpose

    @described("When it was submitted.")
    def submitted_at(self) -> datetime:
        return self.row.submitted_at

    @described("The newest decision on it.")
    async def decision(self, info: strawberry.Info) -> Decision | None:
        found = await context_of(info).loaders.decision_of_application.load((self.row.lender_id, self.row.id))
        return Decision.of(found) if found is not None else None

    @described("The loan it became.")
    async def loan(self, info: strawberry.Info) -> Annotated["Loan", strawberry.lazy("graphql_api.types.loan")] | None:
        from graphql_api.types.loan import Loan  # noqa: PLC0415 - loans have applications, applications have loans

        found = await context_of(info).loaders.loan_of_application.load((self.row.lender_id, self.row.id))
        return Loan.of(found) if found is not None else None


def _reason(code: str, schema_version: str, locale: str) -> Reason:
    """The sentence behind a code; rules of compliance explain themselves by their code."""
    try:
        if schema_version not in BOOKS:
            return Reason(code=code, text=code)
        return Reason(code=code, text=reasons_of([code], schema_version)[0].text(locale))
    except ReasonUnknown:
        return Reason(code=code, text=code)

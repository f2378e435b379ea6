"""The schema as served: the committed copy is current, the public names are all there, everything is described."""

import pytest
from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLObjectType,
    GraphQLUnionType,
    is_introspection_type,
    is_specified_scalar_type,
)
from graphql import (
    build_schema as build_from_text,
)

from graphql_api.print_schema import COMMITTED, differences, printed_schema
from graphql_api.schema import build_schema, core_schema

SCHEMA = core_schema(build_schema())

# The public contract as far as it is served: type, field and its type, arguments and theirs.
CONTRACT = """
scalar Date scalar DateTime scalar Decimal scalar MinorUnits scalar Bytes32 scalar Address scalar JSON
interface Node { id: ID! }
type Money { minor: MinorUnits! currency: String! text(locale: String = "en"): String! }
enum AnchorState { QUEUED SENT ANCHORED FINAL REFUSED }
type Anchor { state: AnchorState! transactionHash: Bytes32 blockNumber: MinorUnits blockHash: Bytes32
  blockTime: DateTime logIndex: Int confirmations: Int refusal: String blockedBy: LoanRecord nextAttemptAt: DateTime }
enum Verification { VERIFIED MISMATCH NOT_YET MISSING_ON_CHAIN MISSING_IN_FILE }
enum LoanStatus { REGISTERED ACTIVE SETTLED CHARGED_OFF CANCELLED }
enum RecordKind { AGREEMENT DISBURSEMENT REPAYMENT REVERSAL FEE AMENDMENT RESTRUCTURE CHARGE_OFF RECOVERY SETTLEMENT
  CANCELLATION REOPENING TRANSFER DISPUTE ERASURE OTHER }
enum AssetClass { NORMAL SPECIAL_MENTION SUBSTANDARD DOUBTFUL LOSS }
type Loan implements Node { id: ID! loanKey: Bytes32! status: LoanStatus! lender: Lender! servicer: Lender!
  product: Product borrower: Borrower principal: Money! outstanding(asOf: Date): Money! annualRate: Decimal!
  disclosedApr: Decimal termMonths: Int! disbursedOn: Date maturesOn: Date daysPastDue(asOf: Date): Int!
  assetClass(asOf: Date): AssetClass! schedule(asOf: Date): [Instalment!]!
  records(first: Int, after: String, kind: [RecordKind!]): LoanRecordConnection! head: Bytes32! headOnChain: Bytes32
  verification: Verification! verifiedAt: DateTime anchor: Anchor! liens: [Lien!]! decision: Decision
  transfer: ControlTransfer evidence(profile: DisclosureProfile! = AUDITOR): JSON! }
type Instalment { number: Int! dueOn: Date! principal: Money! interest: Money! fees: Money! paid: Money!
  outstandingAfter: Money! }
type LoanRecord implements Node { id: ID! loan: Loan! sequence: Int! kind: RecordKind! effectiveOn: Date!
  postedAt: DateTime! amount: Money allocation: Allocation fields: [RecordField!]! commitment: Bytes32!
  headAfter: Bytes32! reverses: LoanRecord anchor: Anchor! verification: Verification! verifiedAt: DateTime }
type Allocation { principal: Money! interest: Money! fees: Money! penalty: Money! unallocated: Money! }
type RecordField { name: String! value: JSON redacted: Boolean! digest: Bytes32! }
enum DisclosureProfile { AUDITOR PARTNER BORROWER PUBLIC }
type Lender implements Node { id: ID! name: String! lei: String account: Address! active: Boolean! }
type Borrower implements Node { id: ID! name: String idMasked: String erasedAt: DateTime consents: [Consent!]!
  loans(first: Int, after: String): LoanConnection! }
type Product implements Node { id: ID! code: String! version: Int! category: String!
  name(locale: String = "en"): String! terms: JSON! }
type Lien implements Node { id: ID! assetTag: Bytes32! rank: Int! loan: Loan! pledgedAt: DateTime! releasedAt: DateTime
  anchor: Anchor! }
type ControlTransfer { from: Lender! to: Lender! offeredAt: DateTime! expiresAt: DateTime price: Money anchor: Anchor! }
type Consent implements Node { id: ID! purpose: String! recipient: Lender grantedAt: DateTime! withdrawnAt: DateTime
  textVersion: String! }
enum ApplicationStatus { SUBMITTED IN_REVIEW APPROVED DECLINED WITHDRAWN SIGNED }
type Application implements Node { id: ID! status: ApplicationStatus! borrower: Borrower product: Product!
  amount: Money! termMonths: Int! submittedAt: DateTime! decision: Decision loan: Loan }
enum Outcome { APPROVE REFER DECLINE }
type Decision implements Node { id: ID! outcome: Outcome! score: Score checks: [ComplianceCheck!]!
  reasons(locale: String = "en"): [Reason!]! offeredRate: Decimal limit: Money policyVersion: String!
  decidedBy: String! decidedAt: DateTime! receipt: DecisionReceipt! }
type Score { probabilityOfDefault: Float! points: Int! grade: String! modelVersion: String! modelHash: Bytes32!
  contributions: [Contribution!]! }
type Contribution { feature: String! value: JSON effect: Float! }
type Reason { code: String! text: String! }
type ComplianceCheck { rule: String! ruleVersion: String! result: CheckResult! reasons: [String!]!
  evaluatedAt: DateTime! }
enum CheckResult { PASS FAIL REFER NOT_APPLICABLE ERROR }
type DecisionReceipt { commitment: Bytes32! inputsHash: Bytes32! modelHash: Bytes32! policyVersion: String!
  anchor: Anchor! }
type PageInfo { hasNextPage: Boolean! hasPreviousPage: Boolean! startCursor: String endCursor: String }
type LoanConnection { edges: [LoanEdge!]! pageInfo: PageInfo! totalCount: Int! }
type LoanEdge { cursor: String! node: Loan! }
type LoanRecordConnection { edges: [LoanRecordEdge!]! pageInfo: PageInfo! totalCount: Int! }
type LoanRecordEdge { cursor: String! node: LoanRecord! }
type ApplicationConnection { edges: [ApplicationEdge!]! pageInfo: PageInfo! totalCount: Int! }
type ApplicationEdge { cursor: String! node: Application! }
type ControlTransferConnection { edges: [ControlTransferEdge!]! pageInfo: PageInfo! totalCount: Int! }
type ControlTransferEdge { cursor: String! node: ControlTransfer! }
type ChainStatus { chainId: MinorUnits! contract: Address! codeHash: Bytes32! head: MinorUnits! indexed: MinorUnits!
  final: MinorUnits! queued: Int! oldestQueuedSeconds: Float digest: Bytes32! }
type Portfolio { loans: Int! outstanding: [Money!]! byAssetClass: [Bucket!]! byDaysPastDue: [Bucket!]!
  byProduct: [Bucket!]! vintages: [Vintage!]! concentration: JSON! }
type Bucket { key: String! loans: Int! outstanding: Money! share: Float! }
type Vintage { month: String! loans: Int! cumulativeDefaultRate: [Float!]! }
type Finding implements Node { id: ID! severity: String! rule: String! subject: String! detail: String!
  foundAt: DateTime! }
type Viewer { id: ID! name: String! role: String! lender: Lender permissions: [String!]! }
input LoanFilter { status: [LoanStatus!] lender: [ID!] product: [ID!] assetClass: [AssetClass!] minDaysPastDue: Int
  disbursedFrom: Date disbursedTo: Date currency: String verification: [Verification!] search: String }
enum LoanOrder { DISBURSED_ON_ASC DISBURSED_ON_DESC OUTSTANDING_ASC OUTSTANDING_DESC DAYS_PAST_DUE_DESC LOAN_KEY_ASC }
type Query { node(id: ID!): Node nodes(ids: [ID!]!): [Node]! viewer: Viewer loan(id: ID, loanKey: Bytes32): Loan
  loans(filter: LoanFilter, orderBy: LoanOrder = DISBURSED_ON_DESC, first: Int, after: String, last: Int,
    before: String): LoanConnection!
  record(commitment: Bytes32!): LoanRecord application(id: ID!): Application
  applications(status: [ApplicationStatus!], first: Int, after: String): ApplicationConnection!
  transfers(incoming: Boolean! = true, first: Int, after: String): ControlTransferConnection!
  outbox(state: [AnchorState!], first: Int, after: String): LoanRecordConnection!
  products(active: Boolean = true): [Product!]! lenders: [Lender!]!
  portfolio(filter: LoanFilter, asOf: Date): Portfolio! chain: ChainStatus! findings(first: Int = 50): [Finding!]! }
interface Refusal { code: String! message: String! }
"""
MUTATIONS = (
    *("submitApplication", "decideApplication", "signAgreement", "disburseLoan", "recordRepayment"),
    *("recordRepayments", "reverseRecord", "chargeOffLoan", "recordRecovery", "settleLoan", "cancelLoan"),
    *("offerTransfer", "acceptTransfer", "refuseTransfer", "pledgeAsset", "releaseAsset", "eraseBorrower"),
)
WANTED = build_from_text(CONTRACT)
OBJECTS = GraphQLObjectType | GraphQLInterfaceType
NAMED = [
    kind for kind in WANTED.type_map.values() if not is_introspection_type(kind) and not is_specified_scalar_type(kind)
]


def test_the_committed_schema_is_the_one_that_is_served() -> None:
    assert differences(COMMITTED.read_text(encoding="utf-8"), printed_schema()) == []


@pytest.mark.parametrize("name", sorted(kind.name for kind in NAMED))
def test_every_name_of_the_public_contract_is_served_with_the_same_type(name: str) -> None:
    wanted, served = WANTED.type_map[name], SCHEMA.type_map[name]

    assert type(wanted) is type(served) or isinstance(served, type(wanted))
    if isinstance(wanted, GraphQLEnumType):
        assert isinstance(served, GraphQLEnumType)
        assert set(wanted.values) == set(served.values)
    if isinstance(wanted, OBJECTS | GraphQLInputObjectType):
        assert isinstance(served, OBJECTS | GraphQLInputObjectType)
        for field, definition in wanted.fields.items():
            assert str(served.fields[field].type) == str(definition.type), field
    if isinstance(wanted, OBJECTS):
        assert isinstance(served, OBJECTS)
        arguments = [(f, a) for f, definition in wanted.fields.items() for a in definition.args]
        for field, argument in arguments:
            assert str(served.fields[field].args[argument].type) == str(wanted.fields[field].args[argument].type)
        assert {interface.name for interface in wanted.interfaces} <= {one.name for one in served.interfaces}


def test_the_kinds_of_records_stand_in_the_order_of_their_byte_on_chain() -> None:
    wanted, served = WANTED.type_map["RecordKind"], SCHEMA.type_map["RecordKind"]

    assert isinstance(wanted, GraphQLEnumType)
    assert isinstance(served, GraphQLEnumType)
    assert list(served.values) == list(wanted.values)
    assert [int(value.value) for value in served.values.values()] == list(range(16))


@pytest.mark.parametrize("name", MUTATIONS)
def test_a_mutation_takes_its_input_and_answers_its_union(name: str) -> None:
    upper = name[0].upper() + name[1:]
    assert SCHEMA.mutation_type is not None
    field = SCHEMA.mutation_type.fields[name]
    given, result = SCHEMA.type_map[f"{upper}Input"], SCHEMA.type_map[f"{upper}Result"]

    assert str(field.type) == f"{upper}Result!"
    assert str(field.args["input"].type) == f"{upper}Input!"
    assert isinstance(given, GraphQLInputObjectType)
    assert str(given.fields["idempotencyKey"].type) == "String!"
    assert isinstance(result, GraphQLUnionType)
    names = [member.name for member in result.types]
    assert names == [f"{upper}Payload", "InvalidInput", "NotFound", "RuleRefused", "Unavailable"]
    refusals = {member.name for member in SCHEMA.get_possible_types(SCHEMA.type_map["Refusal"])}  # type: ignore[arg-type]
    assert set(names[1:]) == refusals


def test_everything_in_the_schema_is_described() -> None:
    silent = []
    for kind in SCHEMA.type_map.values():
        if is_introspection_type(kind) or is_specified_scalar_type(kind):
            continue
        silent += [kind.name] if not kind.description else []
        for field, definition in getattr(kind, "fields", {}).items():
            silent += [f"{kind.name}.{field}"] if not definition.description else []
            arguments = getattr(definition, "args", {}).items()
            silent += [f"{kind.name}.{field}({name})" for name, one in arguments if not one.description]
        silent += [f"{kind.name}.{name}" for name, one in getattr(kind, "values", {}).items() if not one.description]

    assert silent == []

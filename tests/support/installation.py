"""A whole registry for a test: its own home, SQLite or PostgreSQL, with or without a devnet behind it."""

import random
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from sqlalchemy import func, select

from app.deployment import publish_shipped_products
from app.settings import Settings
from app.simulation.people import draw_person
from app.wiring import Registry
from compliance.storage import import_demonstration_list
from registry.domain.access import Actor, Request, Role
from registry.domain.calendar import add_months
from registry.domain.chain_binding import ChainBinding
from registry.domain.loan import Loan
from registry.domain.money import Money
from registry.domain.parties import Lender
from registry.services.decide_application import decide_application
from registry.services.record_money import disburse_loan
from registry.services.sign_agreement import Signing, sign_agreement
from registry.services.submit_application import NewApplication, submit_application
from registry.storage import tables
from tests.support.devnet import TOOLS
from tests.support.postgres import PostgresServer, postgres

__all__ = ["postgres"]

NewRegistry = Callable[[], Registry]
FAKE_BINDING = ChainBinding(7_000_001, b"\x01" * 32, b"\x02" * 20, b"\x03" * 32, 1)
LENDERS = (
    Lender(1, "alpha", "Alpha Bank", None, "BANK", b"\x11" * 20, True),
    Lender(2, "beta", "Beta Finance", None, "CONSUMER_FINANCE", b"\x22" * 20, True),
)
CONSENTS = {"CREDIT_QUERY": "1", "CREDIT_REPORTING": "1", "REGISTRY_SHARING": "1"}


@pytest.fixture(params=["sqlite", "postgresql"])
def new_registry(request: pytest.FixtureRequest, tmp_path: Path) -> NewRegistry:
    """Makes registries without a chain: bound to a contract that is not there, two lenders, all products."""

    def make() -> Registry:
        url = None
        if request.param == "postgresql":
            server: PostgresServer = request.getfixturevalue("postgres")
            url = server.new_database()
        return unchained(tmp_path, url)

    return make


@pytest.fixture
def registry(new_registry: NewRegistry) -> Iterator[Registry]:
    made = new_registry()
    yield made
    made.engine.dispose()


def unchained(home: Path, database_url: str | None) -> Registry:
    """A registry that use cases can book in; nothing of it will reach a chain."""
    made = Registry(Settings(home=home, tools=TOOLS, database_url=database_url))
    with made.unit_of_work() as uow:
        uow.bindings.bind(FAKE_BINDING)
        for lender in LENDERS:
            uow.lenders.add(lender)
        uow.commit()
    publish_shipped_products(made)
    with made.engine.begin() as connection:
        import_demonstration_list(connection)
    return made


def front_end(lender_id: int = 1, name: str = "front end") -> Actor:
    return Actor(name, Role.LENDER, lender_id)


def request(operation: str, key: str, actor: Actor | None = None, body: bytes = bytes(32)) -> Request:
    return Request(actor or front_end(), operation, key, body)


def an_application(**changed: object) -> NewApplication:
    """A sound application for a consumer loan over CNY 60,000."""
    values: dict[str, object] = {
        "product_id": "consumer-cny@1",
        "amount": Money(6_000_000, "CNY"),
        "term_months": 12,
        "purpose": "CONSUMPTION",
        "inputs": {
            "annual_income": "180000",
            "debt_to_income": "0.1",
            "employment_years": "6",
            "home_ownership": "own",
            "prior_delinquencies_24m": 0,
            "inquiries_6m": 0,
            "open_accounts": 3,
            "public_records": 0,
            "revolving_utilisation": "0.1",
            "credit_history_months": 120,
            "income_verified": "yes",
        },
        "identity": draw_person(random.Random(11), date(2026, 1, 1)),
        "consents": CONSENTS,
    }
    return NewApplication(**{**values, **changed})  # type: ignore[arg-type]


def submit(registry: Registry, key: str = "apply", actor: Actor | None = None, **changed: object) -> dict[str, str]:
    asked = request("submitApplication", key, actor)
    return submit_application(registry.unit_of_work(), an_application(**changed), asked, registry.facilities)


def sign(registry: Registry, key: str = "loan", actor: Actor | None = None, **changed: object) -> str:
    """A loan that was applied for, decided and signed today; returns its id."""
    application = submit(registry, f"{key}-apply", actor, **changed)["application_id"]
    use = registry.facilities
    decide_application(registry.unit_of_work(), application, request("decideApplication", f"{key}-decide", actor), use)
    signing = Signing(application, disburse_on=today(), first_due_on=add_months(today(), 1))
    asked = request("signAgreement", f"{key}-sign", actor)
    return str(sign_agreement(registry.unit_of_work(), signing, asked, use)["loan_id"])


def disbursed(registry: Registry, key: str = "loan", actor: Actor | None = None, **changed: object) -> str:
    """A loan that was signed and paid out today; returns its id."""
    loan_id = sign(registry, key, actor, **changed)
    loan = load(registry, loan_id)
    disburse_loan(
        registry.unit_of_work(),
        loan_id,
        loan.terms.principal,
        today(),
        None,
        request("disburseLoan", f"{key}-disburse", actor),
        registry.facilities,
    )
    return loan_id


def load(registry: Registry, loan_id: str) -> Loan:
    with registry.unit_of_work() as uow:
        return uow.loans.get(loan_id)


def counts(registry: Registry) -> dict[str, int]:
    """How many rows every table of the file has: equal before and after means that nothing changed."""
    with registry.engine.connect() as connection:
        return {
            table.name: connection.execute(select(func.count()).select_from(table)).scalar_one()
            for table in tables.metadata.sorted_tables
        }


def today() -> date:
    return datetime.now(UTC).date()

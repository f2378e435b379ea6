"""Lenders, products, borrowers and consents as the API reads them."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson
from sqlalchemy import Connection, Row, select

from registry.domain.parties import Borrower, Consent, Lender
from registry.domain.product import Product
from registry.storage.queries_loans import of_loans
from registry.storage.queries_sight import Sight, visible_borrowers, visible_consents
from registry.storage.tables import borrowers, consents, lenders, products


@dataclass(frozen=True, slots=True)
class PublishedProduct:
    """A version of a product, its terms as they were published (canonical JSON), and whether it is still offered."""

    product: Product
    terms: dict[str, Any]
    is_active: bool
    published_at: datetime


_LENDER = [column for column in lenders.c if column.name != "outbox_position"]


def all_lenders(connection: Connection) -> dict[int, Lender]:
    """The directory of lenders, by number; it is no secret among them."""
    rows = connection.execute(select(*_LENDER).order_by(lenders.c.id))
    return {row.id: Lender(row.id, row.code, row.name, row.lei, row.kind, row.account, row.active) for row in rows}


def products_by_id(connection: Connection, ids: Collection[str]) -> dict[str, PublishedProduct]:
    """Published products, which every lender may read."""
    rows = connection.execute(select(products).where(products.c.id.in_(ids)))
    return {row.id: _product(row) for row in rows}


def all_products(connection: Connection, *, is_active: bool | None) -> list[PublishedProduct]:
    """All versions by code and version; with `is_active`, only those that are or are not offered."""
    statement = select(products).order_by(products.c.code, products.c.version)
    if is_active is not None:
        statement = statement.where(products.c.active == is_active)
    return [_product(row) for row in connection.execute(statement)]


def borrowers_by_id(connection: Connection, sight: Sight, names: Collection[tuple[int, str]]) -> dict[str, Borrower]:
    """The visible ones of these borrowers, still sealed, by id."""
    statement = select(borrowers).where(
        visible_borrowers(sight), *of_loans(borrowers.c.lender_id, borrowers.c.id, names)
    )
    return {row["id"]: Borrower(**row) for row in connection.execute(statement).mappings()}


def consents_of(connection: Connection, sight: Sight, names: Collection[tuple[int, str]]) -> dict[str, list[Consent]]:
    """The visible consents of these borrowers, oldest first, by borrower id."""
    statement = (
        select(consents)
        .where(visible_consents(sight), *of_loans(consents.c.lender_id, consents.c.borrower_id, names))
        .order_by(consents.c.granted_at, consents.c.id)
    )
    found: dict[str, list[Consent]] = {}
    for row in connection.execute(statement).mappings():
        found.setdefault(row["borrower_id"], []).append(Consent(**row))
    return found


def consents_by_id(connection: Connection, sight: Sight, names: Collection[tuple[int, str]]) -> dict[str, Consent]:
    """The visible ones of these consents, by id."""
    statement = select(consents).where(visible_consents(sight), *of_loans(consents.c.lender_id, consents.c.id, names))
    return {row["id"]: Consent(**row) for row in connection.execute(statement).mappings()}


def _product(row: Row[Any]) -> PublishedProduct:
    terms = orjson.loads(row.terms)
    return PublishedProduct(Product.from_dict(terms), terms, row.active, row.published_at)

"""Published products: a version, once published, never changes."""

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

import orjson
from sqlalchemy import Connection, insert, select

from registry.domain import commitments
from registry.domain.errors import RuleRefused
from registry.domain.product import Product, ProductUnknown
from registry.storage.tables import products


@dataclass(eq=False)
class ProductPublished(RuleRefused):
    """That version is published with other terms."""

    product_id: str
    code: ClassVar[str] = "PRODUCT_PUBLISHED"

    def __str__(self) -> str:
        return f"Product {self.product_id} is published with other terms; publish the change as a new version."


class SqlProducts:
    """Implements `registry.ports.Products`; what was read once is kept for the transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._read: dict[str, Product] = {}

    def get(self, product_id: str) -> Product:
        if product_id not in self._read:
            terms = self._connection.execute(
                select(products.c.terms).where(products.c.id == product_id)
            ).scalar_one_or_none()
            if terms is None:
                raise ProductUnknown(product_id)
            self._read[product_id] = Product.from_dict(orjson.loads(terms))
        return self._read[product_id]

    def publish(self, product: Product, at: datetime) -> None:
        """Publish a version; the same one again changes nothing."""
        terms = commitments.canonical(product.to_dict()).decode()
        found = self._connection.execute(
            select(products.c.terms).where(products.c.id == product.id)
        ).scalar_one_or_none()
        if found is None:
            row = {
                "id": product.id,
                "code": product.code,
                "version": product.version,
                "category": product.category.value,
                "terms": terms,
                "active": True,
                "published_at": at,
            }
            self._connection.execute(insert(products), row)
        elif found != terms:
            raise ProductPublished(product.id)

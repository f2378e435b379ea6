"""Every feature schema there is, by version."""

from scoring.application_schema import APPLICATION_1
from scoring.feature_errors import SchemaUnknown
from scoring.features import FeatureSchema
from scoring.lendingclub_schema import LENDINGCLUB_1, LENDINGCLUB_PRICE_1, LENDINGCLUB_STATE_1

SCHEMAS: dict[str, FeatureSchema] = {
    schema.version: schema for schema in (APPLICATION_1, LENDINGCLUB_1, LENDINGCLUB_PRICE_1, LENDINGCLUB_STATE_1)
}


def schema_of(version: str) -> FeatureSchema:
    """The schema of this version."""
    if version not in SCHEMAS:
        raise SchemaUnknown(version, tuple(SCHEMAS))
    return SCHEMAS[version]

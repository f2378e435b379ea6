"""Faults of the installation: clients learn that something is not available, the log learns what."""

import structlog

from registry.domain.errors import RegistryError

PREFIXES = ("NODE_", "KEY_STORE_", "KEY_FILE_", "DATABASE_")
NOT_AVAILABLE = "A part of the registry is not available; try again later."

_log = structlog.get_logger("graphql_api")


def told(refusal: RegistryError) -> str:
    """The message of a refusal as clients may read it: paths, addresses and causes of faults stay in the log."""
    if not refusal.code.startswith(PREFIXES):
        return str(refusal)
    _log.error("graphql.unavailable", code=refusal.code, fault=str(refusal))
    return NOT_AVAILABLE

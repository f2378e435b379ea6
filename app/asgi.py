"""The ASGI application as the server's worker process makes it, from the settings of its environment."""

import structlog
from sqlalchemy import func, select
from starlette.applications import Starlette

from app.auditing import evidence_of
from app.lifeline import end_with_parent
from app.logs import configure_logs
from app.settings import Settings, load_settings
from app.wiring import Registry
from audit.disclosure import DisclosureProfile
from graphql_api.context import ApiContext, Limits, Readiness
from graphql_api.server import create_api
from indexer import queries as mirror
from registry.domain.errors import RegistryError
from registry.storage.engine import reading
from registry.storage.tables import lenders

LAG_BLOCKS_MAX = 100


def create() -> Starlette:
    """Called by the server in its worker, which would otherwise outlive a killed server and keep its port."""
    end_with_parent()
    settings = load_settings()
    configure_logs(settings.log_format, settings.log_level)
    structlog.get_logger(__name__).info("api_starts", home=str(settings.home))
    registry = Registry(settings)
    _open(registry)
    return application(registry)


def application(registry: Registry) -> Starlette:
    """The API of one installation; model, policy and vault are read now, so that a missing one is noticed now."""
    return create_api(
        ApiContext(
            engine=registry.engine,
            facilities=registry.facilities,
            evidence=lambda loan_id, profile: evidence_of(registry, loan_id, DisclosureProfile(profile)),
            ready=lambda: _readiness(registry),
            limits=_limits(registry.settings),
        )
    )


def _open(registry: Registry) -> None:
    """Open chain binding and node before there are requests; without them the API still serves what the file holds."""
    try:
        _ = registry.binding, registry.rpc
    except RegistryError as missing:
        structlog.get_logger(__name__).warning("chain_not_open", code=missing.code, fault=str(missing))


def _limits(settings: Settings) -> Limits:
    return Limits(
        depth=settings.query_depth_max,
        aliases=settings.query_aliases_max,
        tokens=settings.query_tokens_max,
        body_bytes=settings.request_bytes_max,
    )


def _readiness(registry: Registry) -> Readiness:
    """Database answers, contract bound and on the right chain, mirror not far behind."""
    checks: dict[str, str | None] = {"database": None, "chain": None, "indexer": None}
    try:
        with reading(registry.engine).connect() as connection:
            connection.execute(select(func.count()).select_from(lenders))
            cursor = mirror.cursor(connection)
        behind = None if cursor is None else cursor.head_number - cursor.block_number
        if behind is None:
            checks["indexer"] = "nothing is mirrored yet"
        elif behind > LAG_BLOCKS_MAX:
            checks["indexer"] = f"{behind} blocks behind"
    except Exception as fault:
        checks["database"] = type(fault).__name__
    try:
        registry.check_chain()
    except RegistryError as fault:
        checks["chain"] = fault.code
    return Readiness(checks)

"""What the API is given by the composition root: database, use-case facilities, ports and limits."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from anyio import CapacityLimiter
from prometheus_client import CollectorRegistry
from sqlalchemy import Engine

from registry.ports import Facilities

EVIDENCE_AT_ONCE = 4  # each holds a database connection while it asks the node
GRAPHIQL_MODULES = Path(__file__).parent / "graphiql" / "node_modules"


class Evidence(Protocol):
    """Makes the evidence of one loan; blocking, called in a worker thread after the right to see it was checked."""

    def __call__(self, loan_id: str, profile: str) -> Mapping[str, Any]:
        """The evidence as plain JSON values; `profile` is AUDITOR, PARTNER, BORROWER or PUBLIC."""
        ...


@dataclass(frozen=True, slots=True)
class Readiness:
    """Whether requests can be served: one line per part that was asked, and what is wrong with it if anything."""

    checks: Mapping[str, str | None]

    @property
    def is_ready(self) -> bool:
        return all(fault is None for fault in self.checks.values())


class Ready(Protocol):
    """Asks database, chain binding and indexer lag; blocking, called in a worker thread."""

    def __call__(self) -> Readiness: ...


@dataclass(frozen=True, slots=True)
class Limits:
    """What one request may ask for; `cost` counts objects: page sizes multiply along a path and add up across paths."""

    depth: int = 12
    aliases: int = 30
    tokens: int = 2_000
    page_default: int = 20
    page_max: int = 100
    cost: int = 20_000
    list_weight: int = 10  # objects a list without page size counts for
    width: int = 200  # fields of one selection set, those of its fragments included
    body_bytes: int = 1_000_000
    body_seconds: float = 10.0  # for the whole body to come in
    in_flight: int = 16  # requests of one access key at a time
    replayed_loans: int = 2_000  # a portfolio of a past day replays each loan


@dataclass(frozen=True)
class ApiContext:
    """Everything the API needs. `metrics` is the Prometheus registry behind /metrics."""

    engine: Engine
    facilities: Facilities
    evidence: Evidence
    ready: Ready
    limits: Limits = Limits()
    debug: bool = False  # show GraphQL field suggestions
    graphiql_modules: Path = GRAPHIQL_MODULES
    metrics: CollectorRegistry = field(default_factory=CollectorRegistry)
    evidence_places: CapacityLimiter = field(default_factory=lambda: CapacityLimiter(EVIDENCE_AT_ONCE))

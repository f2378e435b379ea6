"""One log line and one measurement per HTTP request, without bodies, keys or personal data."""

import secrets
import time

import structlog
from prometheus_client import CollectorRegistry, Counter, Histogram
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_log = structlog.get_logger("graphql_api")
ROUTES = frozenset({"/graphql", "/graphiql", "/livez", "/readyz", "/metrics", "/"})


class RequestLog:
    """ASGI middleware: gives each request an id, measures it, masks what no one caught."""

    def __init__(self, app: ASGIApp, metrics: CollectorRegistry) -> None:
        self._app = app
        self._requests = Counter(
            "loan_registry_http_requests", "HTTP requests by route and status.", ["route", "status"], registry=metrics
        )
        self._seconds = Histogram(
            "loan_registry_http_request_seconds", "Seconds to answer, by route.", ["route"], registry=metrics
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id = secrets.token_hex(8)
        scope.setdefault("state", {})["request_id"] = request_id
        started, status = time.perf_counter(), 500

        async def watched(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, watched)
        finally:
            self._note(scope, request_id, status, time.perf_counter() - started)

    def _note(self, scope: Scope, request_id: str, status: int, seconds: float) -> None:
        path = str(scope["path"])
        route = path if path in ROUTES else "other"
        self._requests.labels(route, str(status)).inc()
        self._seconds.labels(route).observe(seconds)
        milliseconds = round(seconds * 1000)
        _log.info("http.request", request_id=request_id, route=route, status=status, milliseconds=milliseconds)

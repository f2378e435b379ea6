"""Health and metrics: alive (the process answers), ready (what it needs answers too), measurements for Prometheus."""

from anyio import to_thread
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from graphql_api.context import ApiContext


class Health:
    """The handlers of /livez, /readyz and /metrics; none needs an access key, none tells more than a state."""

    def __init__(self, api: ApiContext) -> None:
        self._api = api

    async def live(self, _request: Request) -> Response:
        return JSONResponse({"status": "ok"})

    async def ready(self, _request: Request) -> Response:
        found = await to_thread.run_sync(self._api.ready)
        checks = {name: fault or "ok" for name, fault in found.checks.items()}
        status = "ok" if found.is_ready else "unavailable"
        return JSONResponse({"status": status, "checks": checks}, status_code=200 if found.is_ready else 503)

    async def metrics(self, _request: Request) -> Response:
        text = await to_thread.run_sync(generate_latest, self._api.metrics)
        return Response(text, media_type=CONTENT_TYPE_LATEST)

"""The HTTP application: GraphQL, the query page, health and metrics."""

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.routing import Route

from graphql_api.context import ApiContext
from graphql_api.endpoint import GraphQLEndpoint
from graphql_api.health import Health
from graphql_api.query_page import QueryPage
from graphql_api.request_log import RequestLog
from graphql_api.schema import build_schema


def create_api(api: ApiContext) -> Starlette:
    """The ASGI application over everything in `api`; routes: /graphql /graphiql /livez /readyz /metrics."""
    endpoint = GraphQLEndpoint(api, build_schema(debug=api.debug))
    page, health = QueryPage(api.graphiql_modules), Health(api)
    routes = [
        Route("/graphql", endpoint.respond, methods=["POST"]),
        Route("/", page.redirect),
        Route("/graphiql", page.page),
        Route("/assets/graphiql/{path:path}", page.asset),
        Route("/livez", health.live),
        Route("/readyz", health.ready),
        Route("/metrics", health.metrics),
    ]
    return Starlette(routes=routes, middleware=[Middleware(RequestLog, metrics=api.metrics)])

"""One GraphQL request as it comes over HTTP, by the GraphQL-over-HTTP draft: media types, size, shape."""

from dataclasses import dataclass
from typing import Any

import orjson
from anyio import fail_after
from starlette.requests import Request

from graphql_api.http_refusals import (
    BodyMalformed,
    BodyTooLarge,
    ContentTypeUnsupported,
    NotAcceptable,
    RequestTimeout,
)

JSON_TYPE = "application/json"
GRAPHQL_TYPE = "application/graphql-response+json"


@dataclass(frozen=True, slots=True)
class GraphQLRequest:
    """What is to be executed."""

    query: str
    operation_name: str | None
    variables: dict[str, Any]


def negotiated(accept: str | None) -> str:
    """The media type of the answer: what the client ranks highest, plain JSON when it does not say."""
    if not accept or not accept.strip():
        return JSON_TYPE
    best, best_rank = None, (0.0, 0)
    for place, part in enumerate(accept.split(",")):
        media, *parameters = (piece.strip().lower() for piece in part.split(";"))
        found = {"*/*": JSON_TYPE, "application/*": JSON_TYPE}.get(media, media)
        rank = (_quality(parameters), -place)
        if found in {JSON_TYPE, GRAPHQL_TYPE} and rank[0] > 0 and (best is None or rank > best_rank):
            best, best_rank = found, rank
    if best is None:
        raise NotAcceptable(accept)
    return best


async def read_request(request: Request, body_max: int, seconds: float) -> GraphQLRequest:
    """The request in the body, or the refusal that says what is wrong with it; the body has `seconds` to come in."""
    media, *parameters = (piece.strip().lower() for piece in request.headers.get("content-type", "").split(";"))
    if media != JSON_TYPE or any(p.startswith("charset=") and p not in _UTF_8 for p in parameters):
        raise ContentTypeUnsupported(request.headers.get("content-type", ""))
    try:
        with fail_after(seconds):
            body = await _body(request, body_max)
    except TimeoutError:
        raise RequestTimeout(seconds) from None
    try:
        given = orjson.loads(body)
    except orjson.JSONDecodeError:
        raise BodyMalformed("it is not JSON") from None
    return _shaped(given)


_UTF_8 = ("charset=utf-8", 'charset="utf-8"')


async def _body(request: Request, most: int) -> bytes:
    declared = request.headers.get("content-length", "0")
    if declared.isdigit() and int(declared) > most:
        raise BodyTooLarge(most)
    chunks, size = [], 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > most:
            raise BodyTooLarge(most)
        chunks.append(chunk)
    return b"".join(chunks)


def _shaped(given: Any) -> GraphQLRequest:
    if not isinstance(given, dict):
        raise BodyMalformed("it is not an object; batches are not taken")
    query, name = given.get("query"), given.get("operationName")
    variables, extensions = given.get("variables"), given.get("extensions")
    if not isinstance(query, str) or not query.strip():
        raise BodyMalformed("query must be a document")
    if name is not None and not isinstance(name, str):
        raise BodyMalformed("operationName must be a string")
    if variables is not None and not isinstance(variables, dict):
        raise BodyMalformed("variables must be an object")
    if extensions is not None and not isinstance(extensions, dict):
        raise BodyMalformed("extensions must be an object")
    return GraphQLRequest(query, name or None, variables or {})


def _quality(parameters: list[str]) -> float:
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name.strip() == "q":
            try:
                return float(value)
            except ValueError:
                return 0.0
    return 1.0

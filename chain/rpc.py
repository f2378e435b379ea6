"""JSON-RPC to an EVM node: single calls and batches, bounded retries on transport faults, errors as facts."""

import itertools
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Self
from urllib.parse import urlsplit

import httpx2
import orjson

from registry.domain.errors import RegistryError, Unavailable

ATTEMPTS_MAX = 4
BACKOFF_SECONDS = 0.2


@dataclass(eq=False)
class NodeUnreachable(Unavailable):
    """The node did not answer, or not with JSON-RPC."""

    url: str
    reason: str
    code: ClassVar[str] = "NODE_UNREACHABLE"

    def __str__(self) -> str:
        where = urlsplit(self.url)  # paths and credentials of node URLs are often secrets
        return (
            f"The node at {where.scheme}://{where.hostname}:{where.port} did not answer ({self.reason}); "
            "check that it runs and that the URL is right."
        )


@dataclass(eq=False)
class CallFailed(RegistryError):
    """The node answered a call with an error; `data` holds revert bytes where there are any."""

    method: str
    number: int
    reason: str
    data: bytes
    code: ClassVar[str] = "NODE_CALL_FAILED"

    def __str__(self) -> str:
        return f"The node refused {self.method}: {self.reason} ({self.number})."


class Rpc:
    """A connection to one node; safe to share between threads. Quantities are decoded by the callers."""

    def __init__(self, url: str, *, timeout_seconds: float = 60.0) -> None:
        self.url = url
        self._client = httpx2.Client(timeout=timeout_seconds)
        self._ids = itertools.count(1)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self._client.close()

    def call(self, method: str, *params: Any) -> Any:
        """The result of one call, or `CallFailed` / `NodeUnreachable`."""
        identifier = next(self._ids)
        answer = self._post(_request(identifier, method, params))
        if not isinstance(answer, dict) or answer.get("id") != identifier:
            raise NodeUnreachable(self.url, "the answer does not belong to the request")
        return _result(method, answer)

    def batch(self, calls: Sequence[tuple[str, Sequence[Any]]]) -> list[Any]:
        """The results of several calls in one request, in order; the first failed one raises."""
        results = self.batch_outcomes(calls)
        for result in results:
            if isinstance(result, CallFailed):
                raise result
        return results

    def batch_outcomes(self, calls: Sequence[tuple[str, Sequence[Any]]]) -> list[Any]:
        """Like `batch`, but a failed call stands in the list as its `CallFailed`."""
        if not calls:
            return []
        identifiers = [next(self._ids) for _ in calls]
        body = [_request(number, method, params) for number, (method, params) in zip(identifiers, calls, strict=True)]
        answers = self._post(body)
        if not isinstance(answers, list):
            raise NodeUnreachable(self.url, "a batch was not answered with a list")
        by_id = {answer.get("id"): answer for answer in answers}
        outcomes: list[Any] = []
        for identifier, (method, _) in zip(identifiers, calls, strict=True):
            if identifier not in by_id:
                raise NodeUnreachable(self.url, "a batch came back incomplete")
            try:
                outcomes.append(_result(method, by_id[identifier]))
            except CallFailed as failure:
                outcomes.append(failure)
        return outcomes

    def _post(self, body: Any) -> Any:
        content = orjson.dumps(body)
        reason = ""
        for attempt in range(ATTEMPTS_MAX):
            if attempt:
                time.sleep(BACKOFF_SECONDS * 2 ** (attempt - 1))
            try:
                response = self._client.post(self.url, content=content, headers={"content-type": "application/json"})
                if response.status_code < 400:
                    return orjson.loads(response.content)
                reason = f"HTTP {response.status_code}"
            except (httpx2.HTTPError, orjson.JSONDecodeError) as fault:
                reason = f"{type(fault).__name__}: {fault}"
        raise NodeUnreachable(self.url, reason)


def _request(identifier: int, method: str, params: Sequence[Any]) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "id": identifier, "method": method, "params": list(params)}


def _result(method: str, answer: dict[str, Any]) -> Any:
    error = answer.get("error")
    if error is None:
        return answer.get("result")
    data = error.get("data")
    revert = bytes.fromhex(data[2:]) if isinstance(data, str) and data.startswith("0x") else b""
    raise CallFailed(method, int(error.get("code", 0)), str(error.get("message", "")), revert)

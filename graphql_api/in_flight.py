"""Requests being answered, by access key: nobody takes all places of the server."""

import hashlib
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from graphql_api.http_refusals import TooManyRequests


class InFlight:
    """Counts requests by the hash of their token, all on one event loop."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._counts: Counter[bytes] = Counter()

    @contextmanager
    def place(self, token: str) -> Iterator[None]:
        """A place for one request, given back at its end; `TooManyRequests` when the key has taken all of its own."""
        key = hashlib.sha256(token.encode()).digest()
        if self._counts[key] >= self._most:
            raise TooManyRequests(self._most)
        self._counts[key] += 1
        try:
            yield
        finally:
            self._counts[key] -= 1
            if not self._counts[key]:
                del self._counts[key]

    def __len__(self) -> int:
        return self._counts.total()

"""Requests refused before GraphQL sees them, each with its HTTP status."""

from dataclasses import dataclass
from typing import ClassVar

from registry.domain.errors import InvalidInput, Unavailable


@dataclass(eq=False)
class BodyTooLarge(InvalidInput):
    """The body is longer than is read."""

    most: int
    code: ClassVar[str] = "BODY_TOO_LARGE"
    status: ClassVar[int] = 413

    def __str__(self) -> str:
        return f"The body may have {self.most} bytes; send less at a time."


@dataclass(eq=False)
class ContentTypeUnsupported(InvalidInput):
    """The body is not JSON; forms and plain text are not taken, so that no foreign page can send one."""

    given: str
    code: ClassVar[str] = "CONTENT_TYPE_UNSUPPORTED"
    status: ClassVar[int] = 415

    def __str__(self) -> str:
        return f"Content type {self.given[:60]!r} is not taken; send application/json."


@dataclass(eq=False)
class NotAcceptable(InvalidInput):
    """The client accepts neither of the two media types there are."""

    given: str
    code: ClassVar[str] = "NOT_ACCEPTABLE"
    status: ClassVar[int] = 406

    def __str__(self) -> str:
        return "Accept application/graphql-response+json or application/json."


@dataclass(eq=False)
class BodyMalformed(InvalidInput):
    """The body is not a GraphQL request."""

    rule: str
    code: ClassVar[str] = "BODY_MALFORMED"
    status: ClassVar[int] = 400

    def __str__(self) -> str:
        return f"The body is not a GraphQL request: {self.rule}."


@dataclass(eq=False)
class RequestTimeout(InvalidInput):
    """The body did not come to its end in time."""

    seconds: float
    code: ClassVar[str] = "REQUEST_TIMEOUT"
    status: ClassVar[int] = 408
    retryable: ClassVar[bool] = True

    def __str__(self) -> str:
        return f"The body did not arrive within {self.seconds:g} seconds; send the request again."


@dataclass(eq=False)
class TooManyRequests(Unavailable):
    """The access key has as many requests being answered as one key may have."""

    most: int
    code: ClassVar[str] = "TOO_MANY_REQUESTS"
    status: ClassVar[int] = 429

    def __str__(self) -> str:
        return f"An access key may have {self.most} requests at a time; wait for an answer before asking more."


BODY_REFUSALS = (BodyTooLarge, ContentTypeUnsupported, BodyMalformed, RequestTimeout)

"""Requests refused before GraphQL sees them, each with its HTTP status."""

from dataclasses import dataclass
from typing import ClassVar

from registry.domain.errors import InvalidInput


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


HttpRefusal = BodyTooLarge | ContentTypeUnsupported | NotAcceptable | BodyMalformed

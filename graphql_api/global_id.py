"""Global ids: opaque text that names a type and an id within it, as the Relay specification wants them."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass

from registry.domain.identifiers import IdMalformed, lender_of

LENGTH_MAX = 200


@dataclass(frozen=True, slots=True)
class GlobalId:
    """The type a node has in the schema, and its id in the file."""

    type_name: str
    local: str

    def __str__(self) -> str:
        return urlsafe_b64encode(f"{self.type_name}:{self.local}".encode()).decode().rstrip("=")

    @classmethod
    def parse(cls, given: str) -> "GlobalId":
        """The id a client sent back, or `IdMalformed`."""
        if not given.isascii() or len(given) > LENGTH_MAX:
            raise IdMalformed(given)
        try:
            type_name, separator, local = urlsafe_b64decode(given + "=" * (-len(given) % 4)).decode().partition(":")
        except ValueError:
            raise IdMalformed(given) from None
        parsed = cls(type_name, local)
        if not separator or not local or str(parsed) != given:
            raise IdMalformed(given)
        return parsed


def local_id(given: str, type_name: str) -> str:
    """The id within its type; `IdMalformed` when the id names another type."""
    parsed = GlobalId.parse(given)
    if parsed.type_name != type_name:
        raise IdMalformed(given)
    return parsed.local


def filed_id(given: str, type_name: str) -> tuple[int, str]:
    """The keeping lender and the id of something in a lender's file."""
    local = local_id(given, type_name)
    return lender_of(local), local


def number_id(given: str, type_name: str) -> int:
    """An id that is a number: of a lender or a finding."""
    local = local_id(given, type_name)
    if not local.isascii() or not local.isdigit() or len(local) > 18:
        raise IdMalformed(given)
    return int(local)

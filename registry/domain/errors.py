"""Errors as facts: each keeps the values that caused it, derives its message, and carries a stable code."""

from typing import ClassVar


class RegistryError(Exception):
    """The root of every refusal and failure a caller can act on.

    `code` is stable and machine-readable, `retryable` says whether the same call may succeed later, and
    `exit_code` is what the command line ends with. Subclasses are dataclasses whose `__str__` derives the
    message from their fields and says what is wrong and what to do.
    """

    code: ClassVar[str] = "INTERNAL"
    retryable: ClassVar[bool] = False
    exit_code: ClassVar[int] = 1


class InvalidInput(RegistryError):
    """Something the caller gave is malformed or out of range; giving it again will not help."""

    code: ClassVar[str] = "INVALID_INPUT"
    exit_code: ClassVar[int] = 2


class NotFound(RegistryError):
    """The thing named does not exist, or the caller may not know that it does."""

    code: ClassVar[str] = "NOT_FOUND"
    exit_code: ClassVar[int] = 4


class RuleRefused(RegistryError):
    """A rule of lending, of the ledger or of policy forbids what was asked."""

    code: ClassVar[str] = "REFUSED"
    exit_code: ClassVar[int] = 8


class Unavailable(RegistryError):
    """A part that is needed cannot be reached or is not ready; the same call may succeed later."""

    code: ClassVar[str] = "UNAVAILABLE"
    retryable: ClassVar[bool] = True
    exit_code: ClassVar[int] = 6


class WrongChain(RegistryError):
    """The chain behind the RPC URL, or the trust settings, are not the ones this registry is bound to."""

    code: ClassVar[str] = "WRONG_CHAIN"
    exit_code: ClassVar[int] = 7

"""The keys that sign: one file per lender and one of the administrator, readable by their owner alone."""

import os
import secrets
import stat
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

from chain.contract import LoanRegistryContract
from registry.domain.errors import InvalidInput, NotFound, RuleRefused, WrongChain

KEY_BYTES = 32
ADMINISTRATOR = "administrator.key"


@dataclass(eq=False)
class SignerMissing(NotFound):
    """There is no key file for the lender."""

    lender_id: int
    path: str
    code: ClassVar[str] = "SIGNER_MISSING"

    def __str__(self) -> str:
        return f"Lender {self.lender_id} has no signing key at {self.path}; create it, or restore it from its backup."


@dataclass(eq=False)
class AdministratorKeyMissing(NotFound):
    """There is no key file of the administrator."""

    path: str
    code: ClassVar[str] = "ADMINISTRATOR_KEY_MISSING"

    def __str__(self) -> str:
        return f"The administrator's key is not at {self.path}; create it, or restore it from its backup."


@dataclass(eq=False)
class SignerFileExposed(RuleRefused):
    """A key file can be read by others than its owner."""

    path: str
    mode: int
    code: ClassVar[str] = "SIGNER_FILE_EXPOSED"

    def __str__(self) -> str:
        return f"Key file {self.path} has mode {self.mode:04o} and so is open to others; run `chmod 600` on it."


@dataclass(eq=False)
class SignerFileInvalid(InvalidInput):
    """A key file does not hold a private key."""

    path: str
    code: ClassVar[str] = "SIGNER_FILE_INVALID"

    def __str__(self) -> str:
        return f"Key file {self.path} does not hold a private key; it must be 0x and 64 hexadecimal digits."


@dataclass(eq=False)
class KeyExists(RuleRefused):
    """A key was to be created where one is; overwriting it could lose an account for ever."""

    path: str
    code: ClassVar[str] = "KEY_EXISTS"

    def __str__(self) -> str:
        return f"There is a key at {self.path} already; move it away first if it is to be replaced."


@dataclass(eq=False)
class WrongKey(WrongChain):
    """The lender's key belongs to an account that the contract knows as another lender's, or as nobody's."""

    lender_id: int
    account: bytes
    found_lender_id: int
    code: ClassVar[str] = "WRONG_KEY"

    def __str__(self) -> str:
        whose = f"lender {self.found_lender_id}" if self.found_lender_id else "no lender"
        return (
            f"The key of lender {self.lender_id} is of account 0x{self.account.hex()}, which acts for {whose} on "
            "chain; use the right key, or have the administrator add the account."
        )


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A private key and the account (20 bytes) it signs for; its text never shows the key."""

    address: bytes
    _secret: bytes = field(repr=False)

    @classmethod
    def of(cls, secret: bytes) -> "SigningKey":
        from eth_account import Account  # noqa: PLC0415  slow to load: only who signs should need it

        return cls(bytes.fromhex(Account.from_key(secret).address[2:]), secret)

    def sign(self, transaction: dict[str, Any]) -> tuple[bytes, bytes]:
        """The raw bytes of the signed EIP-1559 transaction, and its hash; deterministic (RFC 6979)."""
        from eth_account import Account  # noqa: PLC0415

        signed = Account.sign_transaction(transaction, self._secret)
        return bytes(signed.raw_transaction), bytes(signed.hash)


class KeyRing:
    """A folder of key files: `lender-<id>.key` and `administrator.key`, 0x-hex, mode 0600."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def path_of(self, lender_id: int) -> Path:
        return self.folder / f"lender-{lender_id}.key"

    def lender(self, lender_id: int) -> SigningKey:
        """The lender's key as the file now says, or `SignerMissing`."""
        path = self.path_of(lender_id)
        if not path.is_file():
            raise SignerMissing(lender_id, str(path))
        return read_key(path)

    def administrator(self) -> SigningKey:
        path = self.folder / ADMINISTRATOR
        if not path.is_file():
            raise AdministratorKeyMissing(str(path))
        return read_key(path)

    def verified(self, lender_id: int, contract: LoanRegistryContract) -> SigningKey:
        """The lender's key, proven to be of one of its accounts on chain, or `WrongKey`."""
        key = self.lender(lender_id)
        found = contract.lender_of(key.address, "latest")
        if found != lender_id:
            raise WrongKey(lender_id, key.address, found)
        return key


def read_key(path: Path) -> SigningKey:
    """The key in a file that only its owner can read."""
    mode = stat.S_IMODE(path.stat().st_mode)
    if mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise SignerFileExposed(str(path), mode)
    text = path.read_text("ascii", errors="replace").strip()
    try:
        secret = bytes.fromhex(text.removeprefix("0x"))
        if len(secret) != KEY_BYTES:
            raise SignerFileInvalid(str(path))
        return SigningKey.of(secret)
    except ValueError:
        raise SignerFileInvalid(str(path)) from None


def create_key(path: Path) -> SigningKey:
    """A new random key in a new file of mode 0600, written whole and to the disk before it is returned."""
    secret = secrets.token_bytes(KEY_BYTES)
    key = SigningKey.of(secret)  # refuses the few numbers that are no key
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise KeyExists(str(path)) from None
    with os.fdopen(descriptor, "w") as file:
        file.write(f"0x{secret.hex()}\n")
        file.flush()
        os.fsync(file.fileno())
    return key

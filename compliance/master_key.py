"""The master key file: 32 random bytes in base64, readable by its owner alone, never inside a database."""

import base64
import binascii
import os
import secrets
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from registry.domain.errors import InvalidInput, Unavailable

MASTER_KEY_BYTES = 32
_OPEN_TO_OTHERS = stat.S_IRWXG | stat.S_IRWXO


@dataclass(eq=False)
class KeyFileMissing(Unavailable):
    """The key file is not where it should be."""

    path: Path
    code: ClassVar[str] = "KEY_FILE_MISSING"
    retryable: ClassVar[bool] = False

    def __str__(self) -> str:
        return f"Key file {self.path} does not exist; restore it from its own backup, or create one for a new registry."


@dataclass(eq=False)
class KeyFileExposed(InvalidInput):
    """The key file can be read by others than its owner."""

    path: Path
    mode: int
    code: ClassVar[str] = "KEY_FILE_EXPOSED"

    def __str__(self) -> str:
        return (
            f"Key file {self.path} has mode {self.mode:04o}; only its owner may read it: chmod 600 and renew the key."
        )


@dataclass(eq=False)
class KeyFileInvalid(InvalidInput):
    """The key file does not hold a key."""

    path: Path
    rule: str
    code: ClassVar[str] = "KEY_FILE_INVALID"

    def __str__(self) -> str:
        return f"Key file {self.path} cannot be used: {self.rule}."


def create_master_key(path: Path) -> Path:
    """Write a new random key to `path` with mode 0600; an existing file is never overwritten."""
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise KeyFileInvalid(path, "it exists already and a key is never overwritten") from None
    with os.fdopen(handle, "wb") as file:
        os.fchmod(file.fileno(), 0o600)
        file.write(base64.b64encode(secrets.token_bytes(MASTER_KEY_BYTES)) + b"\n")
        file.flush()
        os.fsync(file.fileno())
    return path


def read_master_key(path: Path) -> bytes:
    """The 32 bytes of the key in `path`; refused when group or world may access the file."""
    try:
        with path.open("rb") as file:
            mode = stat.S_IMODE(os.fstat(file.fileno()).st_mode)
            if mode & _OPEN_TO_OTHERS:
                raise KeyFileExposed(path, mode)
            text = file.read(1024)
    except FileNotFoundError:
        raise KeyFileMissing(path) from None
    try:
        key = base64.b64decode(text.strip(), validate=True)
    except binascii.Error:
        raise KeyFileInvalid(path, "it is not base64") from None
    if len(key) != MASTER_KEY_BYTES:
        raise KeyFileInvalid(path, f"it holds {len(key)} bytes where {MASTER_KEY_BYTES} are needed")
    return key

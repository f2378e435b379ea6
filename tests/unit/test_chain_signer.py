"""Key files: refused when exposed, broken or missing; never overwritten, never shown."""

from pathlib import Path

import pytest
from eth_account import Account

from chain.signer import (
    AdministratorKeyMissing,
    KeyExists,
    KeyRing,
    SignerFileExposed,
    SignerFileInvalid,
    SignerMissing,
    create_key,
)


def test_a_created_key_is_read_back_and_only_its_owner_can_read_it(tmp_path: Path) -> None:
    ring = KeyRing(tmp_path / "keys")
    created = create_key(ring.path_of(7))

    assert ring.lender(7) == created
    assert ring.path_of(7).stat().st_mode & 0o777 == 0o600
    assert created.address.hex() == Account.from_key(ring.path_of(7).read_text().strip()).address[2:].lower()


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o610, 0o666, 0o602])
def test_a_key_file_open_to_others_is_refused(tmp_path: Path, mode: int) -> None:
    ring = KeyRing(tmp_path)
    create_key(ring.path_of(1))
    ring.path_of(1).chmod(mode)

    with pytest.raises(SignerFileExposed) as refusal:
        ring.lender(1)
    assert refusal.value.mode == mode


def test_a_missing_key_is_named(tmp_path: Path) -> None:
    with pytest.raises(SignerMissing) as refusal:
        KeyRing(tmp_path).lender(5)
    assert refusal.value.lender_id == 5
    with pytest.raises(AdministratorKeyMissing):
        KeyRing(tmp_path).administrator()


@pytest.mark.parametrize("text", ["", "0x12", "not a key", "0x" + "00" * 32, "0x" + "ff" * 32, "0x" + "zz" * 32])
def test_a_file_without_a_key_is_refused(tmp_path: Path, text: str) -> None:
    ring = KeyRing(tmp_path)
    ring.path_of(1).touch(0o600)
    ring.path_of(1).write_text(text)

    with pytest.raises(SignerFileInvalid):
        ring.lender(1)


def test_a_key_is_never_overwritten(tmp_path: Path) -> None:
    path = KeyRing(tmp_path).path_of(1)
    create_key(path)
    before = path.read_bytes()

    with pytest.raises(KeyExists):
        create_key(path)
    assert path.read_bytes() == before


def test_the_text_of_a_key_does_not_show_it(tmp_path: Path) -> None:
    path = tmp_path / "lender-1.key"
    key = create_key(path)
    secret = path.read_text().strip()

    assert secret[2:] not in repr(key) + str(key)
    assert repr(bytes.fromhex(secret[2:])) not in repr(key)

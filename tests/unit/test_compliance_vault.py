"""The vault: what is sealed opens only unaltered, in its place, and only while its key exists."""

import os
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from compliance import vault as vault_module
from compliance.vault import (
    KeyDestroyed,
    KeyFileExposed,
    KeyFileInvalid,
    KeyFileMissing,
    KeyUnknown,
    SealBroken,
    Vault,
    create_master_key,
    mask_identity,
    read_master_key,
)

AAD = b"tenant-1|borrowers|b-1|name|1"


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("vault")
    create_master_key(folder / "master.key")
    return folder


@pytest.fixture(scope="module")
def vault(home: Path) -> Iterator[Vault]:
    opened = Vault.from_files(home / "keys.db", home / "master.key")
    yield opened
    opened.close()


@given(plaintext=st.binary(max_size=200), aad=st.binary(max_size=80))
@settings(max_examples=50, deadline=None)
def test_what_is_sealed_opens_in_its_place(vault: Vault, plaintext: bytes, aad: bytes) -> None:
    key_id = vault.new_key()
    envelope = vault.seal(key_id, plaintext, aad)

    assert vault.open(key_id, envelope, aad) == plaintext
    assert len(envelope) == 2 + 12 + len(plaintext) + 16


def flipped(value: bytes, bit: int) -> bytes:
    changed = bytearray(value)
    changed[bit // 8] ^= 1 << bit % 8
    return bytes(changed)


@settings(deadline=None)
@given(data=st.data(), plaintext=st.binary(max_size=40), aad=st.binary(min_size=1, max_size=40))
def test_any_changed_bit_of_envelope_or_context_breaks_the_seal(
    vault: Vault, key: str, data: st.DataObject, plaintext: bytes, aad: bytes
) -> None:
    envelope = vault.seal(key, plaintext, aad)
    bad_envelope = flipped(envelope, data.draw(st.integers(0, len(envelope) * 8 - 1)))
    bad_aad = flipped(aad, data.draw(st.integers(0, len(aad) * 8 - 1)))

    for wrong_envelope, wrong_aad in ((bad_envelope, aad), (envelope, bad_aad)):
        with pytest.raises(SealBroken) as refusal:
            vault.open(key, wrong_envelope, wrong_aad)
        assert refusal.value.key_id == key


@pytest.fixture(scope="module")
def key(vault: Vault) -> str:
    return vault.new_key()


def test_every_single_bit_of_one_envelope_is_guarded(vault: Vault, key: str) -> None:
    envelope = vault.seal(key, b"name", AAD)
    broken = 0
    for bit in range(len(envelope) * 8):
        with pytest.raises(SealBroken):
            vault.open(key, flipped(envelope, bit), AAD)
        broken += 1
    assert broken == (2 + 12 + 4 + 16) * 8


@settings(deadline=None)
@given(cut=st.integers(0, 33))
def test_a_shortened_envelope_breaks_the_seal(vault: Vault, key: str, cut: int) -> None:
    with pytest.raises(SealBroken):
        vault.open(key, vault.seal(key, b"name", AAD)[:cut], AAD)


def test_an_envelope_does_not_open_under_another_borrowers_key(vault: Vault) -> None:
    one, two = vault.new_keys(2)
    with pytest.raises(SealBroken):
        vault.open(two, vault.seal(one, b"name", AAD), AAD)


@given(info=st.binary(max_size=20))
@settings(max_examples=20, deadline=None)
def test_a_destroyed_key_opens_and_derives_nothing_also_after_reopening(home: Path, vault: Vault, info: bytes) -> None:
    key_id = vault.new_key()
    envelope = vault.seal(key_id, b"name", AAD)
    vault.derive(key_id, info)
    destroyed_at = vault.destroy(key_id)

    reopened = Vault.from_files(home / "keys.db", home / "master.key")
    for either in (vault, reopened):
        with pytest.raises(KeyDestroyed) as refusal:
            either.open(key_id, envelope, AAD)
        assert refusal.value.key_id == key_id
        with pytest.raises(KeyDestroyed):
            either.derive(key_id, info)
        with pytest.raises(KeyDestroyed):
            either.seal(key_id, b"name", AAD)
    assert reopened.destroy(key_id) == destroyed_at
    reopened.close()


def test_a_key_destroyed_through_another_connection_is_noticed_though_it_was_cached(home: Path, vault: Vault) -> None:
    key_id = vault.new_key()
    vault.seal(key_id, b"name", AAD)
    other = Vault.from_files(home / "keys.db", home / "master.key")
    other.destroy(key_id)
    other.close()

    with pytest.raises(KeyDestroyed):
        vault.derive(key_id, b"")


def test_no_file_of_the_key_store_still_holds_a_destroyed_key(tmp_path: Path) -> None:
    create_master_key(tmp_path / "m")
    vault = Vault.from_files(tmp_path / "keys.db", tmp_path / "m")
    ids = vault.new_keys(50)
    wrapped = [vault._store.wrapped(key_id) for key_id in ids]
    everything = b"".join(file.read_bytes() for file in tmp_path.iterdir())
    assert all(secret in everything for secret in wrapped)

    for key_id in ids[:25]:
        vault.destroy(key_id)

    everything = b"".join(file.read_bytes() for file in tmp_path.iterdir())
    assert [secret in everything for secret in wrapped] == [False] * 25 + [True] * 25
    vault.close()


def test_the_key_store_zeroes_what_it_frees_and_keeps_no_write_ahead_log(vault: Vault) -> None:
    connection = vault._store._connection
    settings_now = {
        name: connection.execute(f"PRAGMA {name}").fetchone()[0]
        for name in ("secure_delete", "journal_mode", "synchronous")
    }
    assert settings_now == {"secure_delete": 1, "journal_mode": "truncate", "synchronous": 2}


def test_a_wrapped_key_that_was_altered_breaks_the_seal(home: Path, vault: Vault) -> None:
    key_id = vault.new_key()
    vault._store._connection.execute("UPDATE data_keys SET wrapped_key = randomblob(40) WHERE key_id = ?", (key_id,))
    with pytest.raises(SealBroken):
        vault.seal(key_id, b"name", AAD)


def test_another_master_key_opens_nothing(tmp_path: Path, home: Path, vault: Vault) -> None:
    key_id = vault.new_key()
    envelope = vault.seal(key_id, b"name", AAD)
    stranger = Vault.from_files(home / "keys.db", create_master_key(tmp_path / "other.key"))
    with pytest.raises(SealBroken):
        stranger.open(key_id, envelope, AAD)
    assert stranger.blind_index(b"x") != vault.blind_index(b"x")
    stranger.close()


def test_derived_secrets_are_stable_distinct_and_of_the_length_asked_for(home: Path, vault: Vault) -> None:
    one, two = vault.new_keys(2)
    secrets = {vault.derive(one, b"a"), vault.derive(one, b"b"), vault.derive(two, b"a")}
    again = Vault.from_files(home / "keys.db", home / "master.key")

    assert len(secrets) == 3
    assert again.derive(one, b"a") in secrets
    assert {len(vault.derive(one, b"a", length)) for length in (16, 32, 64)} == {16, 32, 64}
    again.close()


def test_index_and_tag_are_keyed_apart_and_the_tag_is_the_consortiums(tmp_path: Path, home: Path, vault: Vault) -> None:
    consortium = create_master_key(tmp_path / "consortium.key")
    masters = [home / "master.key", create_master_key(tmp_path / "second.key")]
    lenders = [Vault.from_files(tmp_path / f"{i}.db", master, consortium) for i, master in enumerate(masters)]

    assert lenders[0].asset_tag(b"VIN1") == lenders[1].asset_tag(b"VIN1") != lenders[0].asset_tag(b"VIN2")
    assert lenders[0].blind_index(b"VIN1") != lenders[1].blind_index(b"VIN1")
    assert vault.blind_index(b"VIN1") != vault.asset_tag(b"VIN1")
    for lender in lenders:
        lender.close()


def test_an_unknown_key_is_said_to_be_unknown(vault: Vault) -> None:
    for attempt in (vault.destroy, lambda key_id: vault.derive(key_id, b"")):
        with pytest.raises(KeyUnknown):
            attempt("00" * 16)


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o610])
def test_a_key_file_others_may_touch_is_refused(tmp_path: Path, mode: int) -> None:
    path = create_master_key(tmp_path / "m")
    path.chmod(mode)
    with pytest.raises(KeyFileExposed) as refusal:
        read_master_key(path)
    assert refusal.value.mode == mode


def test_a_key_file_is_private_from_birth_never_overwritten_and_checked(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        path = create_master_key(tmp_path / "m")
    finally:
        os.umask(before)
    assert path.stat().st_mode & 0o777 == 0o600
    content = path.read_bytes()
    with pytest.raises(KeyFileInvalid):
        create_master_key(path)
    assert path.read_bytes() == content
    with pytest.raises(KeyFileMissing):
        read_master_key(tmp_path / "absent")
    for wrong in (b"", b"AAAA", b"not base64!"):
        path.write_bytes(wrong)
        with pytest.raises(KeyFileInvalid):
            read_master_key(path)


def test_the_cache_of_keys_is_bounded(vault: Vault, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vault_module, "CACHED_KEYS_MAX", 10)
    for key_id in vault.new_keys(30):
        vault.derive(key_id, b"")
    assert len(vault._cache) == 10


def test_threads_share_a_vault(vault: Vault) -> None:
    ids = vault.new_keys(8)
    failures: list[str] = []

    def work(key_id: str) -> None:
        for i in range(100):
            text = f"{key_id}-{i}".encode()
            if vault.open(key_id, vault.seal(key_id, text, AAD), AAD) != text:
                failures.append(key_id)

    threads = [threading.Thread(target=work, args=(key_id,)) for key_id in ids]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []


@settings(deadline=None)
@given(number=st.text(alphabet="0123456789X ", max_size=24))
def test_a_masked_number_shows_at_most_seven_characters(number: str) -> None:
    plain = "".join(number.split())
    masked = mask_identity(number)

    assert len(masked) == len(plain)
    assert sum(char != "*" for char in masked) <= min(7, len(plain) // 2)
    assert all(shown in ("*", true) for shown, true in zip(masked, plain, strict=True))


def test_a_resident_number_is_masked_to_three_and_four() -> None:
    assert mask_identity("360426199101010071") == "360***********0071"

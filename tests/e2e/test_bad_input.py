"""What goes wrong in use, through the real command line on a real registry with a chain behind it.

Each time: the stable code, the exit code scripts rely on, and that neither file nor chain has changed.
"""

import json
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from scoring.model import DEFAULT_MODEL_PATH
from tests.support.command_line import Ended
from tests.support.demonstration import Installation, height
from tests.support.small_tape import MAPPING, a_row, write_tape


def refused(ended: Ended, exit_code: int, code: str) -> str:
    """The message of a refusal, which is all the command wrote."""
    assert (ended.code, ended.error["error"], ended.out) == (exit_code, code, "")
    return ended.error["message"]


@contextmanager
def mode(path: Path, wanted: int) -> Iterator[None]:
    was = path.stat().st_mode
    path.chmod(wanted)
    try:
        yield
    finally:
        path.chmod(was)


@pytest.fixture
def small_tape(tmp_path: Path) -> tuple[Path, Path]:
    """A tape with one broken row among thirty, and its mapping."""
    (tmp_path / "small.toml").write_text(MAPPING)
    rows = [a_row(number, **({"amount": "1[000]"} if number == 17 else {})) for number in range(30)]
    return write_tape(tmp_path / "tape.csv", rows), tmp_path / "small.toml"


@pytest.mark.usefixtures("unchanged")
def test_a_tape_with_one_broken_row_is_refused_whole(
    registry: Installation, small_tape: tuple[Path, Path], tmp_path: Path
) -> None:
    tape, mapping = small_tape
    arguments = ("import", tape, "--mapping", mapping, "--lender", 1, "--errors", tmp_path / "errors")

    message = refused(registry.command.json(*arguments), 2, "TAPE_INVALID")
    plain = registry.command.run(*arguments)

    assert "line 19, column amount: '1[000]' is not a number" in message
    assert plain.code == 2
    assert plain.out.split("\n")[1].split(maxsplit=2) == ["19", "amount", "'1[000]' is not a number"]
    assert json.loads((tmp_path / "errors").read_text()) == {
        "line": 19,
        "column": "amount",
        "problem": "'1[000]' is not a number",
    }


@pytest.mark.usefixtures("unchanged")
def test_an_unknown_lender_is_refused(registry: Installation, small_tape: tuple[Path, Path]) -> None:
    tape, mapping = small_tape

    message = refused(registry.command.json("import", tape, "--mapping", mapping, "--lender", 99), 4, "LENDER_UNKNOWN")

    assert "99" in message


@pytest.mark.usefixtures("unchanged")
@pytest.mark.parametrize(
    "arguments",
    [
        ("deploy",),
        ("admit", "newcomer", "Newcomer Bank"),
        ("relay", "--once"),
        ("index", "--once"),
        ("reconcile",),
        ("evidence", "LOAN", "-o", "NOWHERE"),
        ("demo", "--once", "--loans", "1"),
    ],
    ids=lambda arguments: arguments[0],
)
def test_a_node_of_another_chain_is_refused_and_nothing_is_written_to_it(
    registry: Installation, another_chain: str, tmp_path: Path, arguments: tuple[str, ...]
) -> None:
    (loan,) = registry.one("SELECT id FROM loans LIMIT 1")
    given = [{"LOAN": loan, "NOWHERE": str(tmp_path / "evidence")}.get(part, part) for part in arguments]
    before = height(another_chain)

    message = refused(registry.command.given(rpc_url=another_chain).json(*given), 7, "CHAIN_ID_DIFFERS")

    assert "check the RPC URL" in message
    assert height(another_chain) == before == "0x0"
    assert not (tmp_path / "evidence").exists()
    assert not list((registry.home / "keys").glob("pending-*"))


@pytest.mark.usefixtures("unchanged")
@pytest.mark.parametrize("arguments", [("relay", "--once"), ("reconcile",), ("admit", "newcomer", "Newcomer Bank")])
def test_a_node_that_is_down_is_told(registry: Installation, arguments: tuple[str, ...]) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}"

    message = refused(registry.command.given(rpc_url=url).json(*arguments), 6, "NODE_UNREACHABLE")

    assert url in message


@pytest.mark.usefixtures("unchanged")
def test_a_missing_model_takes_no_decision(registry: Installation) -> None:
    ended = registry.command.given(model_path="/nope").json("simulate", "--loans", 1, "--seed", 99)

    assert "/nope" in refused(ended, 4, "MODEL_MISSING")


@pytest.mark.usefixtures("unchanged")
@pytest.mark.parametrize("spoil", ["a digit", "cut", "garbage"])
def test_a_corrupt_model_takes_no_decision(registry: Installation, tmp_path: Path, spoil: str) -> None:
    whole = DEFAULT_MODEL_PATH.read_bytes()
    at = whole.index(b'"intercept":"') + len(b'"intercept":"') + 3
    digit = b"1" if whole[at : at + 1] != b"1" else b"2"
    model = tmp_path / "model.json"
    model.write_bytes(
        {"a digit": whole[:at] + digit + whole[at + 1 :], "cut": whole[:-100], "garbage": b"garbage"}[spoil]
    )

    ended = registry.command.given(model_path=str(model)).json("simulate", "--loans", 1, "--seed", 99)

    assert str(model) in refused(ended, 6, "MODEL_CORRUPT")


@pytest.mark.usefixtures("unchanged")
@pytest.mark.parametrize(
    "arguments", [("simulate", "--loans", "1", "--seed", "99"), ("reconcile",), ("evidence", "LOAN")]
)
@pytest.mark.parametrize("key", ["master.key", "consortium.key"])
def test_a_key_file_open_to_others_is_not_used(registry: Installation, key: str, arguments: tuple[str, ...]) -> None:
    (loan,) = registry.one("SELECT id FROM loans LIMIT 1")
    with mode(registry.home / "keys" / key, 0o644):
        ended = registry.command.json(*(loan if part == "LOAN" else part for part in arguments))

    assert "has mode 0644" in refused(ended, 2, "KEY_FILE_EXPOSED")


def test_a_lost_master_key_is_told_and_not_replaced(registry: Installation) -> None:
    key, kept = registry.home / "keys" / "master.key", registry.home / "keys" / "kept"
    key.rename(kept)
    try:
        ended = registry.command.json("doctor")
        made_anew = key.exists()
    finally:
        kept.replace(key)

    (line,) = [line for line in ended.result if line["what"] == "keys"]
    assert (ended.code, line["state"], made_anew) == (1, "fail", False)
    assert line["seen"].startswith("KEY_FILE_MISSING: ")


def test_a_record_altered_in_the_file_is_found_and_named(registry: Installation) -> None:
    assert registry.command.json("reconcile").code == 0
    loan, sequence, amount = registry.one(
        "SELECT loan_id, sequence, amount_minor FROM loan_records WHERE kind = 2 ORDER BY loan_id, sequence LIMIT 1"
    )
    alter = "UPDATE loan_records SET amount_minor = ? WHERE loan_id = ? AND sequence = ?"
    registry.one(alter, amount + 1, loan, sequence)
    try:
        ended, offline = registry.command.json("reconcile"), registry.command.json("reconcile", "--offline")
        plain = registry.command.run("reconcile")
    finally:
        registry.one(alter, amount, loan, sequence)

    assert (ended.code, offline.code, plain.code) == (3, 3, 3)
    found = [finding for finding in ended.result["first"] if finding["field"] == "amount_minor"]
    assert [(one["loan"], one["record"], one["table"], one["found"]) for one in found] == [
        (loan, sequence, "loan_records", str(amount + 1))
    ]
    assert {finding["loan"] for finding in ended.result["first"]} == {loan}
    (line,) = [line for line in plain.out.splitlines() if " amount_minor " in line]
    assert [loan, str(sequence), "loan_records", "amount_minor"] == line.split()[2:6]
    assert registry.command.json("reconcile").code == 0


def test_a_record_deleted_from_the_file_is_found_and_named(registry: Installation) -> None:
    loan, sequence = registry.one("SELECT loan_id, max(sequence) FROM loan_records GROUP BY loan_id LIMIT 1")
    with registry.database() as database:
        database.execute("PRAGMA foreign_keys = OFF")
        database.execute(
            "CREATE TABLE kept AS SELECT * FROM loan_records WHERE loan_id = ? AND sequence = ?", (loan, sequence)
        )
        database.execute("DELETE FROM loan_records WHERE loan_id = ? AND sequence = ?", (loan, sequence))
    try:
        ended = registry.command.json("reconcile")
    finally:
        with registry.database() as database:
            database.execute("INSERT INTO loan_records SELECT * FROM kept")
            database.execute("DROP TABLE kept")

    assert ended.code == 3
    assert ("RECORD_MISSING", loan, sequence) in {
        (finding["rule"], finding["loan"], finding["record"]) for finding in ended.result["first"]
    }
    assert registry.command.json("reconcile").code == 0


def test_evidence_of_an_unknown_loan_is_not_written(registry: Installation, tmp_path: Path) -> None:
    for loan in (f"1.{'a' * 24}", "garbage", "1.1' OR '1'='1"):
        refused(registry.command.json("evidence", loan, "-o", tmp_path / "evidence"), 4, "LOAN_UNKNOWN")

    assert not (tmp_path / "evidence").exists()


def test_a_file_that_cannot_be_written_is_told(registry: Installation) -> None:
    (loan,) = registry.one("SELECT id FROM loans LIMIT 1")

    message = refused(registry.command.json("evidence", loan, "-o", "/nonexistent/evidence"), 2, "FILE_UNUSABLE")

    assert "/nonexistent/evidence" in message


def test_results_are_json(registry: Installation) -> None:
    (loan,) = registry.one("SELECT id FROM loans LIMIT 1")
    (decision,) = registry.one("SELECT id FROM decisions LIMIT 1")
    command = registry.command

    assert command.json("evidence", loan).result["records"]
    assert command.json("decision", "reproduce", decision).result["identical"] is True
    assert command.json("devnet", "status").result["url"] == registry.url
    assert command.json("outbox", "show", 1, 1).result["lender_id"] == 1
    assert command.json("outbox", "list").result == []
    assert command.json("relay", "--once").result["refused"] == 0
    assert command.json("index", "--once").result["rewound"] is not None
    assert command.json("deploy").result["contract"].startswith("0x")
    assert {line["state"] for line in command.json("doctor").result} == {"ok"}
    assert len(command.json("keys", "list").result) == 6
    assert command.json("reconcile").result["differences"] == 0


def test_an_exposed_lender_key_signs_nothing(registry: Installation) -> None:
    """Last of all, as it leaves a loan that waits, and then anchors it."""
    assert registry.command.json("simulate", "--loans", 1, "--seed", 98, "--lender", 1).result["loans"] == 1
    before = registry.state()[1]
    with mode(registry.home / "keys" / "lender-1.key", 0o640):
        exposed = registry.command.json("relay", "--once", "--timeout", 1)
    assert exposed.code != 0
    assert "SIGNER_FILE_EXPOSED" in exposed.err
    assert registry.state()[1] == before

    assert registry.command.json("relay", "--once").code == 0
    registry.command.json("devnet", "mine", 13)
    registry.command.json("index", "--once")
    assert registry.command.json("reconcile").result["not_on_chain_yet"] == 0

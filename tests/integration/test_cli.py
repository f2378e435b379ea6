"""The command line without a chain: results as JSON, errors as one line with a stable code, exit codes, no secrets."""

import json
import re
import sqlite3
import stat
from pathlib import Path

import pytest

from audit.evidence_file import FORMAT
from tests.support.command_line import CommandLine, command_line

__all__ = ["command_line"]

TOKEN = re.compile(r"lrk_[A-Za-z0-9_-]{43}")
FORM = re.compile(r"[A-Z][A-Z0-9_]+: \S.*[^\n]")


@pytest.fixture(scope="module")
def fresh(command_line: CommandLine, tmp_path_factory: pytest.TempPathFactory) -> CommandLine:
    """A home in which nothing was ever done."""
    return command_line.on(tmp_path_factory.mktemp("fresh") / "home")


@pytest.fixture
def wrong_file(tmp_path: Path) -> Path:
    path = tmp_path / "file"
    path.write_text("garbage")
    return path


def test_help_names_every_command(fresh: CommandLine) -> None:
    ended = fresh.bare("--help")

    assert ended.code == 0
    for name in (
        "admit", "config", "decision", "demo", "deploy", "devnet", "doctor", "evidence", "import", "index", "keys",
        "lists", "migrate", "outbox", "reconcile", "relay", "serve", "simulate", "up", "verify",
    ):  # fmt: skip
        assert re.search(rf"^\W*{name}\b", ended.out, re.MULTILINE), name


def test_a_new_interpreter_answers_alike(fresh: CommandLine) -> None:
    arguments = ("--json", "--home", fresh.home, "config", "show")

    assert fresh.spawned(*arguments) == fresh.bare(*arguments)


def test_config_shows_value_and_origin_of_every_setting(fresh: CommandLine) -> None:
    (fresh.cwd / "loan-registry.toml").write_text('host = "file"\nport = 1\nlog_format = "json"\n')
    try:
        shown = {row["setting"]: row for row in fresh.given(port="2").json("config", "show").result}
    finally:
        (fresh.cwd / "loan-registry.toml").unlink()

    assert {name: (shown[name]["value"], shown[name]["origin"]) for name in ("home", "port", "host", "log_level")} == {
        "home": (str(fresh.home), "command line"),
        "port": ("2", "environment"),
        "host": ("file", "loan-registry.toml"),
        "log_level": ("info", "default"),
    }


def test_no_secret_is_shown(fresh: CommandLine) -> None:
    settings = {
        "database_url": "postgresql+psycopg://me:geheim@127.0.0.1:9/x",
        "rpc_url": "https://node.example/v3/geheim",
    }
    for command in (("config", "show"), ("migrate",), ("keys", "list"), ("doctor",)):
        for ended in (fresh.given(**settings).run(*command), fresh.given(**settings).json(*command)):
            assert "geheim" not in (ended.out if command != ("doctor",) else "") + ended.err


def test_doctor_on_a_fresh_home_says_what_is_missing_and_how_to_mend_it(fresh: CommandLine) -> None:
    ended = fresh.json("doctor")
    lines = {line["what"]: line for line in ended.result}

    assert ended.code == 1
    assert {what for what, line in lines.items() if line["state"] == "fail"} == {"chain"}
    assert lines["chain"]["seen"].startswith("DEVNET_NOT_RUNNING: ")
    assert "loan-registry devnet up" in lines["chain"]["seen"]
    assert (lines["keys"]["state"], lines["keys"]["repair"]) == ("warn", "loan-registry admit")
    assert all(line["state"] == "ok" for what, line in lines.items() if what not in {"chain", "keys"})


def test_key_files_of_a_fresh_home_are_their_owners_alone(fresh: CommandLine) -> None:
    fresh.json("doctor")

    files = sorted((fresh.home / "keys").glob("*.key"))
    assert [file.name for file in files] == ["consortium.key", "master.key"]
    assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}


def test_a_key_is_shown_once_listed_without_it_and_revoked_for_good(fresh: CommandLine) -> None:
    made = fresh.json("keys", "create", "night auditor", "--role", "auditor").result
    assert TOKEN.fullmatch(made["key"])
    (listed,) = [row for row in fresh.json("keys", "list").result if row["name"] == "night auditor"]
    assert (listed["role"], listed["lender"], listed["revoked_at"]) == ("AUDITOR", None, None)

    assert fresh.json("keys", "revoke", listed["id"]).code == 0
    (revoked,) = [row for row in fresh.json("keys", "list").result if row["name"] == "night auditor"]
    assert fresh.json("keys", "revoke", listed["id"]).code == 0
    (again,) = [row for row in fresh.json("keys", "list").result if row["name"] == "night auditor"]

    assert revoked["revoked_at"] is not None
    assert again == revoked
    everything = fresh.run("keys", "list").out + json.dumps(again)
    assert made["key"] not in everything
    assert not TOKEN.search(everything)
    with sqlite3.connect(fresh.home / "registry.sqlite3") as database:
        assert made["key"] not in "".join(database.iterdump())


@pytest.mark.parametrize(
    ("arguments", "exit_code", "code"),
    [
        (("keys", "create", "x", "--role", "lender"), 2, "USAGE"),
        (("keys", "create", "x", "--role", "auditor", "--lender", "1"), 2, "USAGE"),
        (("keys", "create", "x", "--role", "king"), 2, "USAGE"),
        (("keys", "create", "x", "--role", "lender", "--lender", "9"), 4, "LENDER_UNKNOWN"),
        (("keys", "revoke", "nobody"), 4, "ACCESS_KEY_UNKNOWN"),
        (("nonsense",), 2, "USAGE"),
        (("config", "show", "--nonsense"), 2, "USAGE"),
        (("simulate", "--loans", "0"), 2, "USAGE"),
        (("simulate", "--loans", "2"), 4, "LENDERS_MISSING"),
        (("simulate", "--lender", "9"), 4, "LENDER_UNKNOWN"),
        (("simulate", "--as-of", "2999-01-01"), 2, "USAGE"),
        (("import", "/nonexistent.csv", "--mapping", "nonsense", "--lender", "1"), 4, "MAPPING_MISSING"),
        (("outbox", "list", "--state", "LOST"), 2, "USAGE"),
        (("outbox", "show", "1", "7"), 4, "OUTBOX_ENTRY_UNKNOWN"),
        (("outbox", "resolve", "garbage", "1", "--reason", "x"), 2, "ID_MALFORMED"),
        (("decision", "reproduce", "garbage"), 2, "ID_MALFORMED"),
        (("decision", "reproduce", f"1.{'a' * 24}"), 4, "DECISION_UNKNOWN"),
        (("reconcile",), 6, "NOT_INDEXED"),
        (("evidence", f"1.{'a' * 24}"), 6, "NOT_INDEXED"),
        (("devnet", "status"), 6, "DEVNET_NOT_RUNNING"),
        (("devnet", "down"), 6, "DEVNET_NOT_RUNNING"),
        (("deploy",), 6, "DEVNET_NOT_RUNNING"),
        (("relay", "--once"), 6, "DEVNET_NOT_RUNNING"),
        (("index", "--once"), 6, "DEVNET_NOT_RUNNING"),
        (("lists", "import", "/nonexistent", "--format", "UN"), 2, "USAGE"),
        (("verify", "/nonexistent.json"), 2, "USAGE"),
        (("demo", "--tape", "/nonexistent.csv"), 2, "USAGE"),
    ],
)
def test_an_error_is_one_line_with_a_stable_code_and_exit_code(
    fresh: CommandLine, arguments: tuple[str, ...], exit_code: int, code: str
) -> None:
    plain, as_json = fresh.run(*arguments), fresh.json(*arguments)

    assert (plain.code, as_json.code) == (exit_code, exit_code)
    assert (plain.out, as_json.out) == ("", "")
    assert FORM.fullmatch(plain.err.removesuffix("\n")), plain.err
    assert plain.err.startswith(f"{code}: ")
    assert as_json.error == {"error": code, "message": plain.err.removeprefix(f"{code}: ").removesuffix("\n")}


@pytest.mark.parametrize(
    ("settings", "exit_code", "code", "said"),
    [
        ({"prot": "1"}, 2, "SETTINGS_INVALID", "LOAN_REGISTRY_PROT is not a setting"),
        ({"port": "many"}, 2, "SETTINGS_INVALID", "port: "),
        ({"config": "/nonexistent.toml"}, 2, "SETTINGS_INVALID", "/nonexistent.toml, which is not a file"),
        ({"database_url": "garbage"}, 2, "SETTINGS_INVALID", "database_url: "),
        ({"database_url": "postgresql+psycopg://me:x@127.0.0.1:9/x"}, 6, "DATABASE_UNAVAILABLE", "Connection refused"),
        ({"database_url": "sqlite:////nonexistent/x.sqlite3"}, 6, "DATABASE_UNAVAILABLE", "unable to open"),
    ],
)
def test_settings_that_cannot_be_used_end_every_command(
    fresh: CommandLine, settings: dict[str, str], exit_code: int, code: str, said: str
) -> None:
    ended = fresh.given(**settings).json("keys", "list")

    assert (ended.code, ended.error["error"]) == (exit_code, code)
    assert said in ended.error["message"]


def test_an_unknown_entry_of_the_settings_file_ends_every_command(fresh: CommandLine, tmp_path: Path) -> None:
    (tmp_path / "s.toml").write_text("prot = 1\n")

    ended = fresh.given(config=str(tmp_path / "s.toml")).run("migrate")

    assert (ended.code, ended.err) == (
        2,
        "SETTINGS_INVALID: The settings are not usable: prot is not a setting.\n",
    )


def test_a_home_that_is_a_file_is_told(command_line: CommandLine, wrong_file: Path) -> None:
    ended = command_line.on(wrong_file).json("migrate")

    assert (ended.code, ended.error["error"]) == (2, "FILE_UNUSABLE")
    assert str(wrong_file) in ended.error["message"]


def test_a_database_that_is_none_is_told(command_line: CommandLine, tmp_path: Path) -> None:
    (tmp_path / "registry.sqlite3").write_bytes(b"garbage" * 1_000)

    ended = command_line.on(tmp_path).json("keys", "list")

    assert (ended.code, ended.error["error"]) == (6, "DATABASE_UNAVAILABLE")
    assert "file is not a database" in ended.error["message"]


def test_lines_are_not_folded_off_a_terminal(fresh: CommandLine) -> None:
    long = "/" + "x" * 700

    ended = fresh.given(policy_path=long).run("config", "show")

    (line,) = [line for line in ended.out.splitlines() if line.startswith("policy_path")]
    assert line.split() == ["policy_path", long, "environment"]
    assert "\x1b" not in ended.out + ended.err


def test_results_without_a_chain_are_json(fresh: CommandLine) -> None:
    assert fresh.json("migrate").result["revision"]
    assert fresh.json("outbox", "list").result == []
    assert fresh.json("lists", "show").result == []
    loaded = fresh.json("lists", "demo").result
    assert [row["entry_count"] for row in fresh.json("lists", "show").result] == [loaded["entry_count"]]


@pytest.mark.parametrize(
    ("content", "exit_code"),
    [
        (b"garbage", 3),
        (b"", 3),
        (b"{}", 3),
        (b"\xff\xfe", 3),
        (b"[" * 100_000, 3),
        (f'{{"format":"{FORMAT}","version":99}}'.encode(), 6),
    ],
)
def test_what_is_no_evidence_is_refused_by_its_verdict(
    fresh: CommandLine, tmp_path: Path, content: bytes, exit_code: int
) -> None:
    (tmp_path / "evidence.json").write_bytes(content)

    plain, as_json = fresh.run("verify", tmp_path / "evidence.json"), fresh.json("verify", tmp_path / "evidence.json")

    assert (plain.code, as_json.code) == (exit_code, exit_code)
    assert as_json.result["verdict"] == {3: "MISMATCH", 6: "NOT_CHECKED"}[exit_code]
    assert [step["number"] for step in as_json.result["steps"]] == list(range(1, 11))
    assert plain.err.strip() == as_json.result["headline"]


@pytest.mark.parametrize("trust", [b"garbage", b"{", b"chain_id = 1", b"\xff", b'{"chain_id": "x"}'])
def test_trust_settings_that_cannot_be_read_end_with_7(fresh: CommandLine, tmp_path: Path, trust: bytes) -> None:
    (tmp_path / "trust").write_bytes(trust)
    (tmp_path / "evidence.json").write_bytes(b"{}")

    ended = fresh.json("verify", tmp_path / "evidence.json", "--trust", tmp_path / "trust")

    assert (ended.code, ended.error["error"]) == (7, "TRUST_INVALID")

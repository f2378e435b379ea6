"""Settings: which source wins, that nothing unknown passes, and that no secret is shown."""

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.settings import Settings, SettingsInvalid, load_settings, origins

NAMES = sorted(Settings.model_fields)


@pytest.fixture(autouse=True)
def nobodys_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An empty working directory and no variable of whoever runs the tests."""
    monkeypatch.chdir(tmp_path)
    for name in [name for name in os.environ if name.upper().startswith("LOAN_REGISTRY_")]:
        monkeypatch.delenv(name)


def refusal(**given: object) -> SettingsInvalid:
    with pytest.raises(SettingsInvalid) as invalid:
        load_settings(**given)
    assert (invalid.value.code, invalid.value.exit_code) == ("SETTINGS_INVALID", 2)
    return invalid.value


def test_defaults_hold_where_nothing_is_given() -> None:
    settings = load_settings()

    assert (settings.home, settings.port, settings.finality) == (Path("var"), 8000, "depth 12")
    assert {origin for _, origin in origins(settings).values()} == {"default"}


def test_options_win_over_environment_over_file_over_defaults(monkeypatch: pytest.MonkeyPatch) -> None:
    Path("loan-registry.toml").write_text('home = "/file"\nhost = "file"\nport = 1\n')
    monkeypatch.setenv("LOAN_REGISTRY_HOME", "/environment")
    monkeypatch.setenv("LOAN_REGISTRY_HOST", "environment")

    settings = load_settings(home="/option")

    assert (settings.home, settings.host, settings.port, settings.log_level) == (
        Path("/option"),
        "environment",
        1,
        "info",
    )
    shown = origins(settings, {"home"})
    assert [shown[name] for name in ("home", "host", "port", "log_level")] == [
        ("/option", "command line"),
        ("environment", "environment"),
        ("1", "loan-registry.toml"),
        ("info", "default"),
    ]


def test_another_file_is_read_when_the_environment_names_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    Path("loan-registry.toml").write_text("port = 1\n")
    other = tmp_path / "other.toml"
    other.write_text("port = 2\n")
    monkeypatch.setenv("LOAN_REGISTRY_CONFIG", str(other))

    settings = load_settings()

    assert origins(settings)["port"] == ("2", str(other))


@pytest.mark.parametrize("name", ["LOAN_REGISTRY_PROT", "LOAN_REGISTRY_", "loan_registry_homes", "Loan_Registry_x"])
def test_an_unknown_variable_is_named(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv(name, "1")

    assert refusal().problems == (f"{name} is not a setting",)


def test_variables_of_others_are_no_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOAN_REGISTRIES", "1")
    monkeypatch.setenv("PORT", "1")

    assert load_settings().port == 8000


@given(st.text("abcdefghijklmnopqrstuvwxyz_", min_size=1).filter(lambda name: name not in NAMES))
def test_an_unknown_entry_of_the_file_is_named(name: str) -> None:
    Path("loan-registry.toml").write_text(f"{name} = 1\n")

    assert refusal().problems == (f"{name} is not a setting",)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (b"port = = 1", "loan-registry.toml is not a TOML file that can be read (Invalid value (at line 1"),
        (b"\xff\xfe", "loan-registry.toml is not a TOML file that can be read"),
        (b"port = 1\nport = 2", "loan-registry.toml is not a TOML file"),
        (b'port = "many"', "port: "),
        (b"port = 70000", "port: "),
        (b"[port]\nx = 1", "port: "),
        (b'finality = "soon"', "finality: "),
        (b'log_level = "loud"', "log_level: "),
        (b"query_depth_max = 0", "query_depth_max: "),
        (b"relay_records = 1001", "relay_records: "),
    ],
)
def test_a_file_with_a_mistake_is_refused(text: bytes, said: str) -> None:
    Path("loan-registry.toml").write_bytes(text)

    (problem,) = refusal().problems

    assert problem.startswith(said)


def test_a_file_that_is_named_and_missing_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOAN_REGISTRY_CONFIG", "/nonexistent.toml")

    assert refusal().problems == ("LOAN_REGISTRY_CONFIG names /nonexistent.toml, which is not a file",)


def test_every_wrong_setting_is_told_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOAN_REGISTRY_PORT", "x")
    monkeypatch.setenv("LOAN_REGISTRY_LOG_LEVEL", "loud")

    assert sorted(problem.split(":")[0] for problem in refusal().problems) == ["log_level", "port"]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("database_url", "garbage-secret"),
        ("database_url", "nonsense://me:secret@host/x"),
        ("database_url", "mysql+nothing://me:secret@host/x"),
        ("rpc_url", "secret"),
        ("rpc_url", "ftp://me:secret@host"),
        ("rpc_url", "http://"),
    ],
)
def test_a_url_of_another_kind_is_refused_without_repeating_it(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(f"LOAN_REGISTRY_{name.upper()}", value)

    refused = refusal()

    assert refused.problems[0].startswith(f"{name}: it is not a URL such as ")
    assert "secret" not in str(refused)


@pytest.mark.parametrize(
    ("name", "value", "shown"),
    [
        ("database_url", "postgresql+psycopg://me:secret@host:5/x", "postgresql+psycopg://me:***@host:5/x"),
        ("database_url", "postgresql+psycopg:///x?host=/run/pg", "postgresql+psycopg:///x?host=%2Frun%2Fpg"),
        ("database_url", "sqlite:////data/x.sqlite3", "sqlite:////data/x.sqlite3"),
        ("rpc_url", "https://node.example/v3/secret", "https://node.example/***"),
        ("rpc_url", "https://me:secret@node.example:8545", "https://node.example:8545/***"),
        ("rpc_url", "https://node.example/?key=secret", "https://node.example/***"),
        ("rpc_url", "http://127.0.0.1:8545", "http://127.0.0.1:8545"),
    ],
)
def test_passwords_and_keys_in_urls_are_used_and_not_shown(name: str, value: str, shown: str) -> None:
    settings = load_settings(**{name: value})

    assert getattr(settings, name) == value
    assert origins(settings, {name})[name] == (shown, "command line")


def test_every_setting_has_an_origin_and_is_described_or_plain() -> None:
    assert sorted(origins(load_settings())) == NAMES


def test_settings_do_not_change_once_they_are_loaded() -> None:
    settings = load_settings()

    with pytest.raises(ValueError, match="frozen"):
        settings.port = 1


def test_the_database_is_in_the_home_unless_it_is_given() -> None:
    assert load_settings(home="/h").database == "sqlite:////h/registry.sqlite3"
    assert load_settings(home="/h", database_url="sqlite:////x").database == "sqlite:////x"

"""Screening lists in SQL: replaced whole or not at all, on SQLite and on PostgreSQL."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine, create_engine, event, func, select

from compliance.lists import ListMalformed
from compliance.screening import Decision, Query
from compliance.storage import (
    ListShrunk,
    import_demonstration_list,
    import_list,
    load_screener,
    loaded_lists,
    metadata,
    screening_entries,
)
from compliance.subject import PartyKind
from tests.support.postgres import postgres

__all__ = ["postgres"]


@pytest.fixture(params=["sqlite", "postgresql"])
def engine(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Engine]:
    if request.param == "sqlite":
        made = create_engine(f"sqlite:///{tmp_path / 'registry.db'}")
        event.listen(made, "connect", lambda connection, _: connection.execute("PRAGMA foreign_keys=ON"))
    else:
        made = create_engine(request.getfixturevalue("postgres").new_database())
    metadata.create_all(made)
    yield made
    made.dispose()


def a_list(path: Path, version: str, names: list[str]) -> Path:
    content = {
        "list_id": "CN_TEST",
        "version": version,
        "published_at": "2026-01-05",
        "entry_count": len(names),
        "released_by": ["Li", "Wu"],
        "entries": [{"entry_id": str(i), "kind": "PERSON", "name": name} for i, name in enumerate(names)],
    }
    path.write_text(json.dumps(content), encoding="utf-8")
    return path


def screened(engine: Engine, name: str) -> Decision:
    with engine.begin() as connection:
        return load_screener(connection).screen(Query(name=name, kind=PartyKind.PERSON)).decision


def test_an_imported_list_is_screened_against_with_its_version(engine: Engine, tmp_path: Path) -> None:
    assert screened(engine, "Zhuge Yunhai") is Decision.NOT_LOADED
    with engine.begin() as connection:
        import_demonstration_list(connection)
        import_list(connection, a_list(tmp_path / "l.json", "1", ["Ferdinand Blauwal", "Iva Nova"]), "signed")

    with engine.begin() as connection:
        screener = load_screener(connection)
    result = screener.screen(Query(name="诸葛云海", kind=PartyKind.PERSON))
    assert result.decision is Decision.POSSIBLE
    assert {(item.list_id, item.version, item.entry_count) for item in result.lists} == {
        ("DEMONSTRATION", "demo", 4),
        ("CN_TEST", "1", 2),
    }


def test_a_new_version_replaces_the_whole_list(engine: Engine, tmp_path: Path) -> None:
    with engine.begin() as connection:
        import_list(connection, a_list(tmp_path / "1.json", "1", ["Ferdinand Blauwal", "Iva Nova"]), "signed")
        done = import_list(connection, a_list(tmp_path / "2.json", "2", ["Ferdinand Blauwal"]), "signed")

    assert (done.version, done.replaced_version, done.entry_count) == ("2", "1", 1)
    assert screened(engine, "Iva Nova") is Decision.CLEAR
    assert screened(engine, "Ferdinand Blauwal") is Decision.POSSIBLE


def test_a_refused_import_leaves_the_list_as_it_was(engine: Engine, tmp_path: Path) -> None:
    names = ["Ferdinand Blauwal", "Iva Nova", "Otto Third"]
    bad = tmp_path / "bad.json"
    bad.write_text("{}")
    with engine.begin() as connection:
        import_list(connection, a_list(tmp_path / "1.json", "1", names), "signed")
        for path, format_, refusal in [
            (bad, "signed", ListMalformed),
            (bad, "un", ListMalformed),
            (tmp_path, "ofac", ListMalformed),
            (bad, "fax", ListMalformed),
            (a_list(tmp_path / "2.json", "2", names[:1]), "signed", ListShrunk),
        ]:
            with pytest.raises(refusal):
                import_list(connection, path, format_)

    with engine.begin() as connection:
        assert [item.version for item in loaded_lists(connection)] == ["1"]
        assert connection.scalar(select(func.count()).select_from(screening_entries)) == 3


def test_a_list_that_really_shrank_can_be_put_in_place(engine: Engine, tmp_path: Path) -> None:
    with engine.begin() as connection:
        import_list(connection, a_list(tmp_path / "1.json", "1", ["A One", "B Two", "C Three"]), "signed")
        import_list(connection, a_list(tmp_path / "2.json", "2", ["A One"]), "signed", allow_shrink=True)
        assert [item.entry_count for item in loaded_lists(connection)] == [1]


def test_an_import_that_breaks_half_way_is_undone(engine: Engine, tmp_path: Path) -> None:
    names = [f"Name Number{i}" for i in range(1_500)]
    with engine.begin() as connection:
        import_list(connection, a_list(tmp_path / "1.json", "1", names), "signed")

    def break_second_batch(*arguments: object) -> None:
        calls.append(1)
        if len(calls) == 2:
            raise ConnectionResetError

    calls: list[int] = []
    statements = lambda conn, cursor, statement, *rest: (  # noqa: E731
        break_second_batch() if "INSERT INTO screening_entries" in statement else None
    )
    event.listen(engine, "before_cursor_execute", statements)
    with engine.begin() as connection, pytest.raises(ConnectionResetError):
        import_list(connection, a_list(tmp_path / "2.json", "2", names), "signed")
    event.remove(engine, "before_cursor_execute", statements)

    with engine.begin() as connection:
        assert [(item.version, item.entry_count) for item in loaded_lists(connection)] == [("1", 1_500)]
        assert connection.scalar(select(func.count()).select_from(screening_entries)) == 1_500

"""What the audit reads of the mirror: pledges and releases, counted by loan and asset."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine, insert

from app.audit_ports import MirrorState
from audit.ports import MirrorCursor, MirrorLien
from indexer.tables import metadata, mirror_events
from registry.storage.engine import open_engine
from tests.support.postgres import postgres

__all__ = ["postgres"]

ONE, OTHER, NONE = (bytes([number]) * 32 for number in (1, 2, 3))
CAR, HOUSE = bytes([8]) * 32, bytes([9]) * 32
CURSOR = MirrorCursor(1, ONE, bytes(20), ONE, 9, ONE, 9)


@pytest.fixture(params=["sqlite", "postgres"])
def engine(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Engine]:
    url = f"sqlite:///{tmp_path}/mirror.db"
    if request.param == "postgres":
        url = request.getfixturevalue("postgres").new_database()
    made = open_engine(url)
    metadata.create_all(made)
    yield made
    made.dispose()


def test_pledges_and_releases_are_counted_by_loan_and_asset(engine: Engine) -> None:
    events = [
        ("AssetPledged", ONE, CAR), ("AssetReleased", ONE, CAR), ("AssetPledged", OTHER, CAR),
        ("AssetPledged", ONE, HOUSE), ("AssetReleased", ONE, HOUSE), ("AssetPledged", ONE, HOUSE),
        ("ServicerAppointed", ONE, None), ("ServicerAppointed", NONE, None),
    ]  # fmt: skip
    rows = [
        {
            "block_number": block,
            "log_index": 0,
            "name": name,
            "loan_key": key,
            "asset_tag": tag,
            "transaction_hash": ONE,
        }
        for block, (name, key, tag) in enumerate(events, 1)
    ]
    with engine.begin() as connection:
        connection.execute(insert(mirror_events), rows)
        found = MirrorState(connection, CURSOR).liens([ONE, OTHER, NONE])
        assert MirrorState(connection, CURSOR).liens([]) == {}
    assert {key: sorted(liens) for key, liens in found.items()} == {
        ONE: [MirrorLien(CAR, 1, 1), MirrorLien(HOUSE, 2, 1)],
        OTHER: [MirrorLien(CAR, 1, 0)],
    }

"""A relay in a process of its own, so that a test can have it killed: `python -m tests.support.relay_process FOLDER …`."""

import sys
from datetime import UTC, datetime
from pathlib import Path

from chain.binding import bind
from chain.relay import Relay
from chain.rpc import Rpc
from chain.signer import KeyRing
from registry.storage.engine import open_engine
from tests.support.relay_stand import SETTINGS


class SystemClock:
    def now(self) -> datetime:
        return datetime.now(UTC)


def main(keys: str, database_url: str, rpc_url: str, contract: str) -> int:
    with Rpc(rpc_url) as rpc:
        binding = bind(rpc, bytes.fromhex(contract))
        relay = Relay(open_engine(database_url), rpc, binding, KeyRing(Path(keys)), SETTINGS, SystemClock())
        return 0 if relay.drain(30).is_drained else 1


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))

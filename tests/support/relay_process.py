"""A relay in a process of its own, so that a test can have it killed."""

import os
import signal
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

from chain import failpoint
from chain.binding import bind
from chain.relay import Relay
from chain.rpc import Rpc
from chain.signer import KeyRing
from registry.storage.engine import open_engine
from tests.support.relay_stand import SETTINGS, RelayStand

ROOT = Path(__file__).parents[2]
ENDED, UNDRAINED, FAILED = 0, 1, 2


class SystemClock:
    def now(self) -> datetime:
        return datetime.now(UTC)


def drain(keys: str, database_url: str, rpc_url: str, contract: str) -> int:
    """Run a relay until all is mined: ENDED, or UNDRAINED after half a minute."""
    with Rpc(rpc_url) as rpc:
        binding = bind(rpc, bytes.fromhex(contract))
        relay = Relay(open_engine(database_url), rpc, binding, KeyRing(Path(keys)), SETTINGS, SystemClock())
        return ENDED if relay.drain(30).is_drained else UNDRAINED


def run_forked(stand: RelayStand, armed: str | None) -> int:
    """`drain` in a fork of this process with a failpoint armed; its exit code, or minus the signal that ended it."""
    stand.engine.dispose()  # no connection may be shared with the child
    child = os.fork()
    if child == 0:
        try:
            failpoint._ARMED = armed
            os._exit(drain(*_arguments(stand)))
        finally:
            os._exit(FAILED)
    _, status = os.waitpid(child, 0)
    return os.waitstatus_to_exitcode(status)


def run_spawned(stand: RelayStand, armed: str | None) -> int:
    """`drain` in a new interpreter, the failpoint armed by the environment."""
    environment = {key: value for key, value in os.environ.items() if key != "LOAN_REGISTRY_FAILPOINT"}
    if armed is not None:
        environment["LOAN_REGISTRY_FAILPOINT"] = armed
    command = [sys.executable, "-m", "tests.support.relay_process", *_arguments(stand)]
    return subprocess.run(command, cwd=ROOT, env=environment, timeout=120, check=False).returncode


def _arguments(stand: RelayStand) -> tuple[str, str, str, str]:
    return str(stand.keyring.folder), stand.database_url, stand.info.url, stand.binding.contract.hex()


KILLED = -signal.SIGKILL

if __name__ == "__main__":
    sys.exit(drain(*sys.argv[1:]))

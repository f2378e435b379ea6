"""The local chain: one Anvil process per home directory, started, proven to be ours, saved and stopped.

A home holds `devnet.json` (what runs, or ran last), `state.json` (the chain as of the last clean stop) and `anvil.log`.
The chain id is drawn at random once per home, so no wallet, client or test can take this chain for another one.
"""

import fcntl
import gzip
import os
import platform
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, ClassVar

import orjson

from chain.processes import identify, listening_ports
from chain.rpc import CallFailed, NodeUnreachable, Rpc
from chain.saved_state import with_one_genesis
from registry.domain.errors import InvalidInput, RegistryError, Unavailable

# The published phrase of every Ethereum test tool. Its keys are known to all: for a local chain only.
MNEMONIC = "test test test test test test test test test test test junk"
ACCOUNTS = 20
CHAIN_ID_MIN, CHAIN_ID_MAX = 2**20, 2**31 - 1
BLOCK_GAS_LIMIT = 60_000_000
# Blocks whose state is kept in memory, for eth_getProof and reorganisations; nothing older, and nothing on disk.
HISTORY_BLOCKS = 300
# The rules the contracts are compiled for. Later ones write a slot per block (EIP-2935), and Anvil slows with each.
HARDFORK = "cancun"
START_SECONDS_MAX = 60.0
STOP_SECONDS_MAX = 60.0
POLL_SECONDS = 0.02


@dataclass(eq=False)
class AnvilMissing(Unavailable):
    """Anvil's program for this machine is not installed."""

    path: str
    code: ClassVar[str] = "ANVIL_MISSING"

    def __str__(self) -> str:
        return f"Anvil is not installed at {self.path}; run `npm ci` in hardhat-free-devnet, or `make demo`."


@dataclass(eq=False)
class PortTaken(Unavailable):
    """Another process listens on the port asked for."""

    port: int
    code: ClassVar[str] = "DEVNET_PORT_TAKEN"

    def __str__(self) -> str:
        return f"Port {self.port} is in use by another process; free it, or let the system choose a port."


@dataclass(eq=False)
class DevnetNotRunning(Unavailable):
    """No devnet of this home runs."""

    home: str
    code: ClassVar[str] = "DEVNET_NOT_RUNNING"

    def __str__(self) -> str:
        return f"No devnet runs for {self.home}; start it with `loan-registry devnet up`."


@dataclass(eq=False)
class ForeignListener(Unavailable):
    """Whoever answers where the devnet should be is not the process we started; nothing was written to it."""

    port: int
    reason: str
    code: ClassVar[str] = "DEVNET_FOREIGN_LISTENER"
    retryable: ClassVar[bool] = False

    def __str__(self) -> str:
        return f"Port {self.port} is not answered by our devnet ({self.reason}); stop the other process first."


@dataclass(eq=False)
class DevnetFailed(RegistryError):
    """Anvil ended or stayed silent when it should have started, stopped or saved its state."""

    step: str
    log: str
    code: ClassVar[str] = "DEVNET_FAILED"

    def __str__(self) -> str:
        return f"Anvil failed to {self.step}; its log ends with:\n{self.log}"


@dataclass(eq=False)
class ReorganisationTooDeep(InvalidInput):
    """Anvil holds the state of fewer blocks than were to be replaced (none from before its last start)."""

    depth: int
    depth_max: int
    code: ClassVar[str] = "REORGANISATION_TOO_DEEP"

    def __str__(self) -> str:
        return f"A reorganisation of {self.depth} blocks is not possible here; at most {self.depth_max} are."


@dataclass(frozen=True, slots=True)
class DevnetInfo:
    """A running devnet: the process (`start_time` as the system words it), where it listens, which chain it is.

    `start_block` was the head when the process started; `block_time` is in seconds, None = a block per transaction.
    """

    pid: int
    start_time: str
    port: int
    chain_id: int
    start_block: int
    block_time: int | None
    mnemonic: str = field(default=MNEMONIC)
    accounts: int = field(default=ACCOUNTS)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"


class Devnet:
    """The local chain of one home directory."""

    @staticmethod
    def up(
        home: Path, tools: Path, *, block_time: int | None = None, port: int | None = None, attached: bool = False
    ) -> DevnetInfo:
        """Start the chain, or return the one that runs; it goes on from the state saved by the last `down`.

        Without `block_time` (seconds) every transaction gets its own block at once; without `port` the last one is
        taken again if it is free, else the system chooses. An `attached` devnet gets the terminal's Ctrl-C, too.
        """
        binary, home = anvil_binary(tools), home.resolve()
        home.mkdir(parents=True, exist_ok=True)
        with _locked(home):
            try:
                return Devnet.status(home)
            except DevnetNotRunning:
                return _start(home, binary, block_time, port, attached=attached)

    @staticmethod
    def status(home: Path) -> DevnetInfo:
        """The running devnet, proven to be ours; otherwise DevnetNotRunning or ForeignListener."""
        info = _running(home)
        _prove(info)
        return info

    @staticmethod
    def mine(home: Path, blocks: int) -> int:
        """Mine `blocks` blocks; returns the new head's number."""
        with Rpc(Devnet.status(home).url) as rpc:
            rpc.call("anvil_mine", hex(blocks))
            return int(rpc.call("eth_blockNumber"), 16)

    @staticmethod
    def mine_every(home: Path, seconds: int) -> None:
        """From now on mine a block every so many seconds, and no others, so that what is anchored becomes final."""
        with Rpc(Devnet.status(home).url) as rpc:
            rpc.call("evm_setIntervalMining", seconds)

    @staticmethod
    def reorg(home: Path, depth: int) -> int:
        """Replace the last `depth` blocks by empty ones. Their transactions are gone and not queued again."""
        info = Devnet.status(home)
        with Rpc(info.url) as rpc:
            head = int(rpc.call("eth_blockNumber"), 16)
            depth_max = min(head - info.start_block, HISTORY_BLOCKS - 1)
            if not 0 < depth <= depth_max:
                raise ReorganisationTooDeep(depth, depth_max)
            rpc.call("anvil_reorg", depth, [])
            return int(rpc.call("eth_blockNumber"), 16)

    @staticmethod
    def snapshot(home: Path, to: Path) -> Path:
        """Save the running chain into `to`; put it back as `state.json` of a home with the same `devnet.json`."""
        with Rpc(Devnet.status(home).url) as rpc:
            state = gzip.decompress(bytes.fromhex(rpc.call("anvil_dumpState")[2:]))
        _write(to, state)
        return to

    @staticmethod
    def down(home: Path) -> DevnetInfo:
        """Stop exactly the process `up` started, after it saved its state; returns what ran."""
        with _locked(home):
            info = _running(home)
            os.kill(info.pid, signal.SIGINT)  # the signal on which Anvil saves its state
            if not _wait_gone(info):
                raise DevnetFailed("stop", _log_tail(home))
            shutil.rmtree(home / "cache", ignore_errors=True)
            if not _adopt_saved_state(home):
                raise DevnetFailed("save its state", _log_tail(home))
            return info


def anvil_binary(tools: Path) -> Path:
    """Anvil itself: the npm wrapper in front of it swallows signals and leaves the chain running."""
    system = {"linux": "linux", "darwin": "darwin"}.get(sys.platform, sys.platform)
    machine = {"x86_64": "amd64", "aarch64": "arm64"}.get(platform.machine(), platform.machine())
    binary = tools / "node_modules" / "@foundry-rs" / f"anvil-{system}-{machine}" / "bin" / "anvil"
    if not binary.is_file():
        raise AnvilMissing(str(binary))
    return binary.resolve()


# Children of this process, kept so that a stopped one is reaped and leaves no zombie.
_children: dict[int, subprocess.Popen[bytes]] = {}


def _start(home: Path, binary: Path, block_time: int | None, port: int | None, *, attached: bool) -> DevnetInfo:
    last = _read_info(home)
    _adopt_saved_state(home)  # of a process stopped by another hand than `down`
    chain_id = last.chain_id if last else CHAIN_ID_MIN + secrets.randbelow(CHAIN_ID_MAX - CHAIN_ID_MIN)
    if port is not None and not _is_free(port):
        raise PortTaken(port)
    if port is None:
        port = last.port if last and _is_free(last.port) else 0
    process = _spawn(home, _command(home, binary, chain_id, port, block_time), attached=attached)
    try:
        port = _await_port(home, process, port)
        info = DevnetInfo(
            pid=process.pid,
            start_time=_start_time(home, process),
            port=port,
            chain_id=chain_id,
            start_block=_height(f"http://127.0.0.1:{port}"),
            block_time=block_time,
        )
        _prove(info)
    except BaseException:
        process.kill()
        process.wait()
        shutil.rmtree(home / "cache", ignore_errors=True)
        raise
    _children[process.pid] = process
    _write(home / "devnet.json", orjson.dumps(asdict(info), option=orjson.OPT_INDENT_2))
    return info


def _command(home: Path, binary: Path, chain_id: int, port: int, block_time: int | None) -> list[str | Path]:
    command: list[str | Path] = [binary, "--host", "127.0.0.1", "--port", str(port), "--chain-id", str(chain_id)]
    command += ["--mnemonic", MNEMONIC, "--accounts", str(ACCOUNTS), "--hardfork", HARDFORK]
    command += ["--gas-limit", str(BLOCK_GAS_LIMIT), "--no-request-size-limit"]
    command += ["--prune-history", str(HISTORY_BLOCKS), "--cache-path", home / "cache"]
    command += ["--dump-state", _dump(home)]
    if (home / "state.json").exists():
        command += ["--load-state", home / "state.json"]
    if block_time is not None:
        command += ["--block-time", str(block_time)]
    return command


def _spawn(home: Path, command: list[str | Path], *, attached: bool) -> subprocess.Popen[bytes]:
    with (home / "anvil.log").open("wb") as log:
        return subprocess.Popen(  # noqa: S603
            command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=not attached
        )


def _await_port(home: Path, process: subprocess.Popen[bytes], wanted: int) -> int:
    """The port on which the process itself listens, once it does."""
    deadline = time.monotonic() + START_SECONDS_MAX
    while time.monotonic() < deadline and process.poll() is None:
        if ports := listening_ports(process.pid):
            return min(ports)
        time.sleep(POLL_SECONDS)
    log = _log_tail(home)
    if wanted and "in use" in log.lower():
        raise PortTaken(wanted)
    raise DevnetFailed("start", log)


def _start_time(home: Path, process: subprocess.Popen[bytes]) -> str:
    identity = identify(process.pid)
    if identity is None:
        raise DevnetFailed("start", _log_tail(home))
    return identity.start_time


def _height(url: str) -> int:
    with Rpc(url) as rpc:
        return int(rpc.call("eth_blockNumber"), 16)


def _prove(info: DevnetInfo) -> None:
    """The listening socket belongs to our process, and the chain behind it has the id we drew."""
    if info.port not in listening_ports(info.pid):
        raise ForeignListener(info.port, f"process {info.pid} does not listen there")
    with Rpc(info.url) as rpc:
        try:
            answered = int(rpc.call("eth_chainId"), 16)
        except (NodeUnreachable, CallFailed) as failure:
            raise ForeignListener(info.port, str(failure)) from failure
    if answered != info.chain_id:
        raise ForeignListener(info.port, f"it answers as chain {answered}, not {info.chain_id}")


def _running(home: Path) -> DevnetInfo:
    """What the home records, if that process still lives: same pid, same start, and a command line of this chain."""
    info = _read_info(home)
    identity = identify(info.pid) if info else None
    if info is None or identity is None or identity.start_time != info.start_time:
        raise DevnetNotRunning(str(home))
    command_line = " ".join(identity.command_line)
    if f"--chain-id {info.chain_id} " not in command_line or str(_dump(home)) not in command_line:
        raise DevnetNotRunning(str(home))
    return info


def _dump(home: Path) -> Path:
    """Where Anvil writes its state when it stops; it writes in place, so never over the good one."""
    return home.resolve() / "state.next.json"


def _wait_gone(info: DevnetInfo) -> bool:
    deadline = time.monotonic() + STOP_SECONDS_MAX
    child = _children.pop(info.pid, None)
    while time.monotonic() < deadline:
        if child is not None:
            child.poll()
        identity = identify(info.pid)
        if identity is None or identity.start_time != info.start_time:
            return True
        time.sleep(POLL_SECONDS)
    return False


def _adopt_saved_state(home: Path) -> bool:
    """Make a completely written dump the state to start from; a torn one is dropped and the last one stays."""
    dump = _dump(home)
    try:
        state = orjson.loads(dump.read_bytes())
    except FileNotFoundError:
        return False
    except orjson.JSONDecodeError:
        dump.unlink()
        return False
    _write(home / "state.json", orjson.dumps(with_one_genesis(state)))
    dump.unlink()
    return True


def _read_info(home: Path) -> DevnetInfo | None:
    try:
        fields: dict[str, Any] = orjson.loads((home / "devnet.json").read_bytes())
    except FileNotFoundError:
        return None
    return DevnetInfo(**fields)


def _write(file: Path, body: bytes) -> None:
    """Whole or not at all."""
    part = file.with_name(file.name + ".part")
    with part.open("wb") as out:
        out.write(body)
        out.flush()
        os.fsync(out.fileno())
    part.replace(file)


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def _log_tail(home: Path) -> str:
    return (home / "anvil.log").read_text(errors="replace")[-1000:]


@contextmanager
def _locked(home: Path) -> Iterator[None]:
    """One `up` or `down` of a home at a time, over all processes."""
    if not home.is_dir():
        raise DevnetNotRunning(str(home))
    with (home / "devnet.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield

"""The local chain's process: started and proven to be ours, saved, continued, stopped; never anybody else's."""

import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import orjson
import pytest

from chain.artifacts import load_artifact
from chain.devnet import (
    HISTORY_BLOCKS,
    AnvilMissing,
    Devnet,
    DevnetFailed,
    DevnetInfo,
    DevnetNotRunning,
    ForeignListener,
    PortTaken,
    ReorganisationTooDeep,
    anvil_binary,
)
from chain.processes import identify, listening_ports
from chain.rpc import Rpc
from tests.support.devnet import TOOLS, Chain, install_tools


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Path]:
    install_tools()
    yield tmp_path / "home"
    if (tmp_path / "home").exists():
        with suppress(DevnetNotRunning, DevnetFailed):
            Devnet.down(tmp_path / "home")


def block(info: DevnetInfo, number: int | str = "latest") -> dict[str, Any]:
    with Rpc(info.url) as rpc:
        tag = number if isinstance(number, str) else hex(number)
        return rpc.call("eth_getBlockByNumber", tag, False)


def rewrite(home: Path, **fields: Any) -> None:
    file = home / "devnet.json"
    file.write_bytes(orjson.dumps(orjson.loads(file.read_bytes()) | fields))


def test_a_restart_goes_on_from_the_same_head_with_the_same_state(home: Path) -> None:
    first = Devnet.up(home, TOOLS)
    chain = Chain(first, load_artifact())
    chain.send("admitLender", chain.accounts[1], sender=chain.administrator)
    chain.send("registerLoans", [(bytes(32), bytes(32))], sender=chain.accounts[1])
    blocks = [block(first, number)["hash"] for number in range(4)]
    lender_head = chain.view("lenderHead", 1)
    Devnet.down(home)

    second = Devnet.up(home, TOOLS)

    assert second.chain_id == first.chain_id
    assert second.port == first.port
    assert second.pid != first.pid
    assert [block(second, number)["hash"] for number in range(4)] == blocks
    assert int(block(second)["number"], 16) == 3 == second.start_block
    chain = Chain(second, load_artifact(), chain.address)
    assert chain.view("lenderHead", 1) == lender_head
    with Rpc(second.url) as rpc:
        assert len(rpc.call("eth_getLogs", {"fromBlock": "0x0", "address": chain.address})) == 3
    Devnet.mine(home, 1)
    assert block(second)["parentHash"] == blocks[3]


def test_block_0_stays_the_same_over_many_restarts(home: Path) -> None:
    geneses = set()
    for _ in range(8):
        geneses.add(block(Devnet.up(home, TOOLS), 0)["hash"])
        Devnet.mine(home, 1)
        Devnet.down(home)

    assert len(geneses) == 1


def test_up_returns_the_devnet_that_already_runs(home: Path) -> None:
    assert Devnet.up(home, TOOLS) == Devnet.up(home, TOOLS) == Devnet.status(home)


def test_every_home_has_a_chain_id_of_its_own(home: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    try:
        one, two = Devnet.up(home, TOOLS), Devnet.up(other, TOOLS)
        assert one.chain_id != two.chain_id
        assert 2**20 <= min(one.chain_id, two.chain_id) <= max(one.chain_id, two.chain_id) < 2**31
        assert one.port != two.port
    finally:
        Devnet.down(other)


def test_down_stops_only_ours(home: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    try:
        ours, theirs = Devnet.up(home, TOOLS), Devnet.up(other, TOOLS)
        Devnet.down(home)
        assert identify(ours.pid) is None
        assert Devnet.status(other) == theirs
    finally:
        Devnet.down(other)


def test_down_leaves_a_process_alone_that_got_our_old_pid(home: Path) -> None:
    Devnet.up(home, TOOLS)
    Devnet.down(home)
    with subprocess.Popen(["sleep", "60"]) as stranger:
        try:
            rewrite(home, pid=stranger.pid)
            with pytest.raises(DevnetNotRunning):
                Devnet.down(home)
            identity = identify(stranger.pid)
            assert identity is not None
            rewrite(home, start_time=identity.start_time)  # even with the same start: it is another program
            with pytest.raises(DevnetNotRunning):
                Devnet.down(home)
            assert stranger.poll() is None
        finally:
            stranger.kill()


def test_a_foreign_listener_is_refused_before_anything_is_written(home: Path) -> None:
    info = Devnet.up(home, TOOLS)
    with socket.socket() as foreign:
        foreign.bind(("127.0.0.1", 0))
        foreign.listen()
        rewrite(home, port=foreign.getsockname()[1])

        with pytest.raises(ForeignListener) as refusal:
            Devnet.mine(home, 1)

    assert refusal.value.port != info.port
    rewrite(home, port=info.port)
    assert block(info)["number"] == "0x0"


def test_our_process_with_another_chain_is_refused(home: Path, tmp_path: Path) -> None:
    """The port is another devnet's, and so are its chain id and its process."""
    other = tmp_path / "other"
    try:
        Devnet.up(home, TOOLS)
        rewrite(home, port=Devnet.up(other, TOOLS).port)
        with pytest.raises(ForeignListener, match="does not listen there"):
            Devnet.status(home)
    finally:
        Devnet.down(other)


def test_a_port_asked_for_but_in_use_is_named(home: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(PortTaken, match=str(port)):
            Devnet.up(home, TOOLS, port=port)
    with pytest.raises(DevnetNotRunning):
        Devnet.status(home)


def test_the_last_port_is_left_to_whoever_took_it(home: Path) -> None:
    port = Devnet.up(home, TOOLS).port
    Devnet.down(home)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", port))
        taken.listen()
        assert Devnet.up(home, TOOLS).port != port


def test_the_listening_socket_is_the_processs_own() -> None:
    with socket.socket() as mine:
        mine.bind(("127.0.0.1", 0))
        mine.listen()
        port = mine.getsockname()[1]
        with subprocess.Popen(["sleep", "60"]) as stranger:
            assert port in listening_ports(os.getpid())
            assert port not in listening_ports(stranger.pid)
            stranger.kill()


def test_a_zombie_is_no_process() -> None:
    with subprocess.Popen(["true"]) as child:
        time.sleep(0.2)  # it has ended, and nobody has waited for it yet
        assert identify(child.pid) is None


def test_a_reorganisation_replaces_exactly_the_blocks_asked_for(home: Path) -> None:
    info = Devnet.up(home, TOOLS)
    chain = Chain(info, load_artifact())
    Devnet.mine(home, 8)
    receipt = chain.send("admitLender", chain.accounts[1], sender=chain.administrator)
    head = Devnet.mine(home, 2)
    before = [block(info, number)["hash"] for number in range(head + 1)]

    assert Devnet.reorg(home, 3) == head

    after = [block(info, number)["hash"] for number in range(head + 1)]
    assert after[: head - 2] == before[: head - 2]
    assert not set(after[head - 2 :]) & set(before[head - 2 :])
    assert chain.view("lenderCount") == 0
    assert chain.rpc.call("eth_getTransactionReceipt", "0x" + receipt.transaction_hash.hex()) is None


def test_a_reorganisation_deeper_than_the_states_held_is_refused(home: Path) -> None:
    Devnet.up(home, TOOLS)
    Devnet.mine(home, 5)
    Devnet.down(home)
    Devnet.up(home, TOOLS)
    Devnet.mine(home, 2)

    with pytest.raises(ReorganisationTooDeep) as refusal:
        Devnet.reorg(home, 3)

    assert (refusal.value.depth, refusal.value.depth_max) == (3, 2)
    with pytest.raises(ReorganisationTooDeep):
        Devnet.reorg(home, 0)
    assert Devnet.reorg(home, 2) == 7


def test_state_proofs_are_served_for_256_blocks_and_more(home: Path) -> None:
    chain = Chain(Devnet.up(home, TOOLS), load_artifact())
    head = Devnet.mine(home, 2 * HISTORY_BLOCKS)

    for back in (0, 1, 128, 256, HISTORY_BLOCKS - 1):
        proof = chain.rpc.call("eth_getProof", chain.address, ["0x" + "00" * 32], hex(head - back))
        assert proof["codeHash"][2:] == load_artifact().code_hash.hex()
        assert proof["accountProof"]


def test_a_snapshot_of_the_running_chain_can_be_put_back(home: Path, tmp_path: Path) -> None:
    info = Devnet.up(home, TOOLS)
    chain = Chain(info, load_artifact())
    saved = Devnet.snapshot(home, tmp_path / "saved.json")
    head = block(info)
    chain.send("pause", sender=chain.administrator)
    Devnet.down(home)

    shutil.copy(saved, home / "state.json")
    again = Devnet.up(home, TOOLS)

    assert block(again)["hash"] == head["hash"]
    assert Chain(again, load_artifact(), chain.address).view("paused") is False


def test_a_torn_dump_is_dropped_and_the_last_good_state_used(home: Path) -> None:
    Devnet.up(home, TOOLS)
    Devnet.mine(home, 4)
    Devnet.down(home)
    (home / "state.next.json").write_bytes((home / "state.json").read_bytes()[:-20])

    info = Devnet.up(home, TOOLS)

    assert block(info)["number"] == "0x4"


def test_a_devnet_interrupted_by_another_hand_still_keeps_its_state(home: Path) -> None:
    info = Devnet.up(home, TOOLS)
    Devnet.mine(home, 3)
    os.kill(info.pid, signal.SIGINT)
    while identify(info.pid):
        time.sleep(0.02)
    with pytest.raises(DevnetNotRunning):
        Devnet.status(home)

    assert block(Devnet.up(home, TOOLS))["number"] == "0x3"


def test_a_killed_devnet_goes_back_to_what_was_saved(home: Path) -> None:
    Devnet.up(home, TOOLS)
    Devnet.mine(home, 2)
    Devnet.down(home)
    info = Devnet.up(home, TOOLS)
    Devnet.mine(home, 5)
    os.kill(info.pid, signal.SIGKILL)
    while identify(info.pid):
        time.sleep(0.02)

    assert block(Devnet.up(home, TOOLS))["number"] == "0x2"


def test_a_devnet_is_in_a_session_of_its_own_unless_attached(home: Path) -> None:
    info = Devnet.up(home, TOOLS)
    assert os.getsid(info.pid) != os.getsid(0)
    Devnet.down(home)

    attached = Devnet.up(home, TOOLS, attached=True)
    assert os.getsid(attached.pid) == os.getsid(0)


def test_blocks_come_by_themselves_at_the_block_time(home: Path) -> None:
    info = Devnet.up(home, TOOLS, block_time=1)
    deadline = time.monotonic() + 10
    while block(info)["number"] == "0x0":
        assert time.monotonic() < deadline
        time.sleep(0.1)


def test_a_stopped_devnet_leaves_its_state_and_no_cache(home: Path) -> None:
    Devnet.up(home, TOOLS)
    Devnet.mine(home, 50)
    Devnet.down(home)

    assert {file.name for file in home.iterdir()} == {"devnet.json", "devnet.lock", "state.json", "anvil.log"}


def test_a_missing_anvil_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(AnvilMissing, match="npm ci"):
        Devnet.up(tmp_path / "home", tmp_path / "nowhere")


def test_an_anvil_that_cannot_start_shows_its_log(home: Path, tmp_path: Path) -> None:
    broken = tmp_path / "tools" / anvil_binary(TOOLS).relative_to(TOOLS)
    broken.parent.mkdir(parents=True)
    broken.write_text("#!/bin/sh\necho 'the reason it gives'\nexit 3\n")
    broken.chmod(0o755)

    with pytest.raises(DevnetFailed, match="the reason it gives"):
        Devnet.up(home, tmp_path / "tools")


def test_a_home_without_a_devnet_says_so(tmp_path: Path) -> None:
    for call in (Devnet.status, Devnet.down, lambda home: Devnet.mine(home, 1)):
        with pytest.raises(DevnetNotRunning, match="devnet up"):
            call(tmp_path / "nowhere")

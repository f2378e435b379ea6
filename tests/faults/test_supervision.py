"""`up`: every part is started again when it dies, all end together, and nothing is left over."""

import json
import os
import signal
import socket
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from registry.domain.errors import Unavailable
from tests.support.running import Running, running, wait_until

PARTS = ("relay", "index", "serve")
STOP_SECONDS_MAX = 10.0


@pytest.fixture
def made(tmp_path: Path) -> Iterator[Running]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with running(tmp_path, port=port) as installation:
        try:
            yield installation
        finally:
            for pid in processes(installation):
                os.kill(pid, signal.SIGKILL)


def test_a_part_that_is_killed_is_started_again_and_all_end_on_sigterm(made: Running) -> None:
    supervisor = made.spawned("up", start_new_session=True)
    wait_until(lambda: answers(made), "an answer of the API")
    killed = {part: pids[0] for part, pids in parts(made, supervisor).items()}
    for pid in killed.values():
        os.kill(pid, signal.SIGKILL)
    for part in PARTS:
        wait_until(lambda part=part: replaced(made, supervisor, part, killed[part]), f"a new {part}")
    wait_until(lambda: answers(made), "an answer of the new API")
    assert all(len(pids) == 1 for pids in parts(made, supervisor).values())

    supervisor.send_signal(signal.SIGTERM)
    started = time.monotonic()

    assert supervisor.wait(60) == 0
    assert time.monotonic() - started < STOP_SECONDS_MAX
    assert processes(made) == {}
    assert not is_open(made)


def test_when_supervisor_and_server_are_killed_no_part_and_no_worker_outlives_them(made: Running) -> None:
    supervisor = made.spawned("up", start_new_session=True)
    wait_until(lambda: answers(made), "an answer of the API")
    (server,) = parts(made, supervisor)["serve"]
    assert [parent for parent, _ in processes(made).values()].count(server) == 1

    supervisor.kill()
    os.kill(server, signal.SIGKILL)
    supervisor.wait()

    wait_until(lambda: processes(made) == {}, "the end of all parts", 60)
    assert not is_open(made)


@pytest.mark.parametrize("command", ["serve", "up"])
def test_a_port_that_is_taken_is_named_at_once(made: Running, command: str) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", made.registry.settings.port))
        taken.listen()
        started = made.spawned(command, stderr=subprocess.PIPE)
        _, said = started.communicate(timeout=120)

    assert started.returncode == Unavailable.exit_code
    assert json.loads(said)["error"] == "API_PORT_TAKEN"
    assert processes(made) == {}


def processes(made: Running) -> dict[int, tuple[int, str]]:
    """Parent and command line of every process of this home, but the devnet's, by process id."""
    listed = subprocess.run(
        ["ps", "-ewwo", "pid=,ppid=,stat=,args="], capture_output=True, text=True, check=True
    ).stdout
    found = {}
    for line in listed.splitlines():
        pid, parent, state, command = line.split(None, 3)
        if f"--home {made.home} " in f"{command} " and not state.startswith("Z"):
            found[int(pid)] = (int(parent), command)
    return found


def parts(made: Running, supervisor: subprocess.Popen[bytes]) -> dict[str, list[int]]:
    """The process ids of each part that the supervisor started."""
    children = {pid: command for pid, (parent, command) in processes(made).items() if parent == supervisor.pid}
    return {part: [pid for pid, command in children.items() if command.endswith(f" {part}")] for part in PARTS}


def replaced(made: Running, supervisor: subprocess.Popen[bytes], part: str, killed: int) -> bool:
    """Whether another process has taken the part, and nothing of the old one is left."""
    now = parts(made, supervisor)[part]
    orphans = [pid for pid, (parent, _) in processes(made).items() if parent == killed]
    return len(now) == 1 and now != [killed] and not orphans


def answers(made: Running) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{made.registry.settings.port}/livez", timeout=5) as response:
            return bool(response.status == 200)
    except OSError:
        return False


def is_open(made: Running) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", made.registry.settings.port)) == 0

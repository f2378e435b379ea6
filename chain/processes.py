"""What the operating system says about a process: whether it still is the one we started, and where it listens.

Linux is read through /proc; elsewhere (macOS) `ps` and `lsof` are asked.
"""

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

LISTENING = "0A"  # TCP_LISTEN in /proc/net/tcp


@dataclass(frozen=True, slots=True)
class ProcessIdentity:
    """A process as the system knows it. A pid is reused; together with the start time it is not."""

    pid: int
    start_time: str
    command_line: tuple[str, ...]


def identify(pid: int) -> ProcessIdentity | None:
    """The living process with this pid; None when there is none or only its zombie is left."""
    return _identify_by_proc(pid) if sys.platform.startswith("linux") else _identify_by_ps(pid)


def listening_ports(pid: int) -> frozenset[int]:
    """TCP ports on which sockets of this very process listen."""
    return _ports_by_proc(pid) if sys.platform.startswith("linux") else _ports_by_lsof(pid)


def _identify_by_proc(pid: int) -> ProcessIdentity | None:
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
        command_line = Path(f"/proc/{pid}/cmdline").read_bytes()
    except (FileNotFoundError, ProcessLookupError):
        return None
    fields = stat.rpartition(")")[2].split()  # after the name, which may itself hold spaces and brackets
    state, start_ticks = fields[0], fields[19]
    if state in "ZX":
        return None
    arguments = command_line.decode(errors="surrogateescape").split("\0")[:-1]
    return ProcessIdentity(pid, start_ticks, tuple(arguments))


def _identify_by_ps(pid: int) -> ProcessIdentity | None:
    state, start_time, command = (_ask("ps", "-ww", "-o", f"{field}=", "-p", str(pid)) for field in _PS_FIELDS)
    if not state or state.startswith("Z"):
        return None
    return ProcessIdentity(pid, start_time, tuple(command.split()))


_PS_FIELDS = ("stat", "lstart", "command")


def _ports_by_proc(pid: int) -> frozenset[int]:
    inodes = _socket_inodes(pid)
    ports: set[int] = set()
    for table in ("tcp", "tcp6"):
        try:
            rows = Path(f"/proc/{pid}/net/{table}").read_text().splitlines()[1:]
        except (FileNotFoundError, ProcessLookupError):
            continue
        for fields in map(str.split, rows):
            if fields[3] == LISTENING and fields[9] in inodes:
                ports.add(int(fields[1].rpartition(":")[2], 16))
    return frozenset(ports)


def _socket_inodes(pid: int) -> set[str]:
    inodes: set[str] = set()
    try:
        descriptors = list(os.scandir(f"/proc/{pid}/fd"))
    except (FileNotFoundError, ProcessLookupError):
        return inodes
    for descriptor in descriptors:
        try:
            target = os.readlink(descriptor.path)
        except FileNotFoundError:  # closed since the directory was read
            continue
        if target.startswith("socket:["):
            inodes.add(target[len("socket:[") : -1])
    return inodes


def _ports_by_lsof(pid: int) -> frozenset[int]:
    lines = _ask("lsof", "-nP", "-a", "-p", str(pid), "-iTCP", "-sTCP:LISTEN", "-Fn").splitlines()
    return frozenset(int(line.rpartition(":")[2]) for line in lines if line.startswith("n"))


def _ask(*command: str) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()  # noqa: S603

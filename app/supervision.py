"""Running API, relay and indexer as processes of their own, and ending them together."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

import structlog

from app.settings import SUPERVISED

STOP_SECONDS_MAX = 8.0  # for all parts together
RESTART_SECONDS = 1.0
RESTART_SECONDS_MAX = 30.0
STABLE_SECONDS = 20.0  # a part that lived this long is started again at once

_log = structlog.get_logger(__name__)


@dataclass
class _Part:
    """A running part; `pause` is the wait before its next start, which doubles while it dies young."""

    process: subprocess.Popen[bytes]
    started_at: float
    pause: float = 0.0
    died_at: float | None = None


@dataclass
class Supervisor:
    """Starts `loan-registry` commands and starts each again when it dies; each may be killed at any moment.

    A part leads a process group of its own, with which its workers are ended; all parts end with the supervisor.
    """

    options: tuple[str, ...]
    environment: dict[str, str] = field(default_factory=dict)
    _parts: dict[str, _Part] = field(default_factory=dict)

    def start(self, *command: str) -> None:
        self._parts[" ".join(command)] = _Part(self._spawn(command), time.monotonic())

    def watch(self, stop: threading.Event) -> None:
        """Keep every part running until `stop` is set."""
        while not stop.wait(RESTART_SECONDS):
            for name, part in self._parts.items():
                self._tend(name, part)

    def stop(self) -> None:
        """End every part: first asked, then killed, and whatever it had started with it."""
        deadline = time.monotonic() + STOP_SECONDS_MAX
        children = [part.process for part in self._parts.values() if part.process.poll() is None]
        for child in children:
            child.send_signal(signal.SIGTERM)
        for child in children:
            try:
                child.wait(max(0.0, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                _log.warning("part_killed", arguments=child.args)
            _kill_group(child)
            child.wait()

    def _tend(self, name: str, part: _Part) -> None:
        """Notice that a part has ended, and start it again when its pause is over."""
        now = time.monotonic()
        if part.process.poll() is None:
            return
        if part.died_at is None:
            part.died_at = now
            young = now - part.started_at < STABLE_SECONDS
            part.pause = min(max(RESTART_SECONDS, part.pause * 2), RESTART_SECONDS_MAX) if young else 0.0
            _log.warning("part_ended", part=name, exit_code=part.process.returncode, restarts_in_seconds=part.pause)
            _kill_group(part.process)
        if now - part.died_at >= part.pause:
            part.process, part.started_at, part.died_at = self._spawn(name.split(" ")), now, None

    def _spawn(self, command: Sequence[str]) -> subprocess.Popen[bytes]:
        arguments = [sys.executable, "-m", "app", *self.options, *command]
        environment = os.environ | self.environment | {SUPERVISED: str(os.getpid())}
        return subprocess.Popen(arguments, env=environment, start_new_session=True)  # noqa: S603


def _kill_group(child: subprocess.Popen[bytes]) -> None:
    """What is left of the group a part leads: itself, or workers that outlived it."""
    try:
        os.killpg(child.pid, signal.SIGKILL)
    except ProcessLookupError:
        return

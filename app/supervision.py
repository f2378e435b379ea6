"""Running API, relay and indexer as processes of their own, and ending them together."""

import os
import signal
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field

import structlog

from app.settings import SUPERVISED

STOP_SECONDS_MAX = 8.0  # for all parts together
RESTART_SECONDS = 1.0

_log = structlog.get_logger(__name__)


@dataclass
class Supervisor:
    """Starts `loan-registry` commands and starts each again when it dies; each may be killed at any moment.

    A part leads a process group of its own, with which its workers are ended; all parts end with the supervisor.
    """

    options: tuple[str, ...]
    environment: dict[str, str] = field(default_factory=dict)
    _children: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    def start(self, *command: str) -> None:
        arguments = [sys.executable, "-m", "app", *self.options, *command]
        environment = os.environ | self.environment | {SUPERVISED: str(os.getpid())}
        self._children[" ".join(command)] = subprocess.Popen(  # noqa: S603
            arguments, env=environment, start_new_session=True
        )

    def watch(self, stop: threading.Event) -> None:
        """Keep every part running until `stop` is set."""
        while not stop.wait(RESTART_SECONDS):
            for name, child in list(self._children.items()):
                if child.poll() is not None:
                    _log.warning("part_ended", part=name, exit_code=child.returncode)
                    _kill_group(child)
                    self.start(*name.split(" "))

    def stop(self) -> None:
        """End every part: first asked, then killed, and whatever it had started with it."""
        deadline = time.monotonic() + STOP_SECONDS_MAX
        for child in self._children.values():
            if child.poll() is None:
                child.send_signal(signal.SIGTERM)
        for child in self._children.values():
            try:
                child.wait(max(0.0, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                _log.warning("part_killed", arguments=child.args)
            _kill_group(child)
            child.wait()


def _kill_group(child: subprocess.Popen[bytes]) -> None:
    """What is left of the group a part leads: itself, or workers that outlived it."""
    try:
        os.killpg(child.pid, signal.SIGKILL)
    except ProcessLookupError:
        return

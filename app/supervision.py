"""Running API, relay and indexer as processes of their own, and ending them together."""

import os
import signal
import subprocess
import sys
import threading
from dataclasses import dataclass, field

import structlog

STOP_SECONDS_MAX = 10.0
RESTART_SECONDS = 1.0

_log = structlog.get_logger(__name__)


@dataclass
class Supervisor:
    """Starts `loan-registry` commands and starts each again when it dies; each may be killed at any moment."""

    options: tuple[str, ...]
    environment: dict[str, str] = field(default_factory=dict)
    _children: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    def start(self, *command: str) -> None:
        arguments = [sys.executable, "-m", "app", *self.options, *command]
        self._children[" ".join(command)] = subprocess.Popen(  # noqa: S603
            arguments, env=os.environ | self.environment, start_new_session=True
        )

    def watch(self, stop: threading.Event) -> None:
        """Keep every part running until `stop` is set."""
        while not stop.wait(RESTART_SECONDS):
            for name, child in list(self._children.items()):
                if child.poll() is not None:
                    _log.warning("part_ended", part=name, exit_code=child.returncode)
                    self.start(*name.split(" "))

    def stop(self) -> None:
        """End every part: first asked, then killed."""
        for child in self._children.values():
            if child.poll() is None:
                child.send_signal(signal.SIGTERM)
        for child in self._children.values():
            try:
                child.wait(STOP_SECONDS_MAX)
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()

"""Granian, the HTTP server in front of the API."""

import os
import socket
from dataclasses import dataclass
from typing import ClassVar

from granian.constants import Interfaces
from granian.http import HTTP1Settings
from granian.server import Server

from app.lifeline import end_with_supervisor
from app.settings import PREFIX
from app.wiring import Registry
from registry.domain.errors import Unavailable

HEADER_MILLISECONDS_MAX = 3_000
BACKPRESSURE = 256
WORKER_STOP_SECONDS_MAX = 5


@dataclass(eq=False)
class ApiPortTaken(Unavailable):
    """The API cannot listen on the address and port it was told to."""

    host: str
    port: int
    reason: str
    code: ClassVar[str] = "API_PORT_TAKEN"

    def __str__(self) -> str:
        return (
            f"The API cannot listen on {self.host} port {self.port} ({self.reason}); free the port, or choose another "
            f"by --port or {PREFIX}PORT."
        )


def check_port(host: str, port: int) -> None:
    """Refuse an address and port on which nothing can listen now."""
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as fault:
            raise ApiPortTaken(host, port, fault.strerror or str(fault)) from None


def serve_api(registry: Registry, host: str, port: int) -> None:
    """Serve until SIGTERM or Ctrl-C, in one worker process. Whoever sends headers slowly is cut off."""
    _ = registry.facilities  # what is missing is said here, not in a worker that dies again and again
    registry.engine.dispose()  # the worker is a fork, and no connection may be shared with it
    end_with_supervisor()
    check_port(host, port)
    os.environ[f"{PREFIX}HOME"] = str(registry.settings.home)
    Server(
        "app.asgi:create",
        address=host,
        port=port or _free_port(host),
        interface=Interfaces.ASGI,
        factory=True,
        workers=1,
        backpressure=BACKPRESSURE,
        respawn_failed_workers=True,
        workers_kill_timeout=WORKER_STOP_SECONDS_MAX,
        http1_settings=HTTP1Settings(header_read_timeout=HEADER_MILLISECONDS_MAX),
        log_enabled=False,
    ).serve()


def _free_port(host: str) -> int:
    with socket.socket() as probe:
        probe.bind((host, 0))
        return int(probe.getsockname()[1])

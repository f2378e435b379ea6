"""A process that ends when the one that started it is gone, so that none is left over after a `kill -9`."""

import os
import signal
import threading
import time

from app.settings import SUPERVISED

POLL_SECONDS = 0.5
STOP_SECONDS_MAX = 8.0


def end_with_supervisor() -> None:
    """If a supervisor started this process, end when it ends; a process started by hand goes on by itself."""
    supervisor = os.environ.get(SUPERVISED)
    if supervisor is not None:
        _end_with(int(supervisor))


def end_with_parent() -> None:
    """From now on, ask this process to stop as soon as its parent is gone, and end it if it does not."""
    _end_with(os.getppid())


def _end_with(parent: int) -> None:
    threading.Thread(target=_watch, args=(parent,), name="lifeline", daemon=True).start()


def _watch(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(POLL_SECONDS)
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(STOP_SECONDS_MAX)
    os._exit(1)

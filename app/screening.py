"""The screener in force: read from the database, and read again when a list was imported."""

import threading
import time

from sqlalchemy import Engine

from compliance.checks.case import Screening
from compliance.storage import load_screener, loaded_lists
from registry.storage.engine import reading

REFRESH_SECONDS = 5.0


class LoadedScreener:
    """Gives the screener of the lists that are loaded now; looks for new lists at most every few seconds."""

    def __init__(self, engine: Engine) -> None:
        self._engine = reading(engine)
        self._lock = threading.Lock()
        self._screener: Screening | None = None
        self._versions: object = None
        self._looked_at = 0.0

    def __call__(self) -> Screening:
        with self._lock:
            if self._screener is None or time.monotonic() - self._looked_at > REFRESH_SECONDS:
                self._screener = self._refreshed(self._screener)
                self._looked_at = time.monotonic()
            return self._screener

    def _refreshed(self, present: Screening | None) -> Screening:
        with self._engine.connect() as connection:
            versions = loaded_lists(connection)
            if present is not None and versions == self._versions:
                return present
            self._versions = versions
            return load_screener(connection)

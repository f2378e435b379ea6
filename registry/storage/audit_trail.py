"""Who did what to which thing, and when; no personal data, only ids."""

from datetime import datetime

from sqlalchemy import Connection, insert

from registry.domain.access import Actor
from registry.storage.tables import audit_entries


class SqlAuditTrail:
    """Implements `registry.ports.AuditTrail`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def append(self, actor: Actor, action: str, subject: str, at: datetime) -> None:
        row = {
            "lender_id": actor.lender_id or 0,
            "actor": actor.name,
            "action": action,
            "subject": subject,
            "occurred_at": at,
        }
        self._connection.execute(insert(audit_entries), row)

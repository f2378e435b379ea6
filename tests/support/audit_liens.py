"""Liens for made portfolios, one of each state a lien can be in."""

from datetime import UTC, datetime
from typing import Any

# The calls queued for an asset, how often it was pledged on chain, how often released.
LIEN_STATES = (
    (("PLEDGE",), 1, 0), (("PLEDGE", "RELEASE"), 1, 1), (("PLEDGE", "RELEASE", "PLEDGE"), 2, 1),
    (("PLEDGE",), 0, 0), (("PLEDGE", "RELEASE"), 1, 0), (("PLEDGE", "RELEASE"), 0, 0),
)  # fmt: skip


def lien_rows(loan: dict[str, Any], tag: bytes, calls: tuple[str, ...]) -> list[dict[str, Any]]:
    """A row for each time the asset was pledged; those before a release have ended."""
    return [
        {
            "lender_id": loan["lender_id"], "id": f"LI-{loan['id'][3:]}-{tag[:8].hex()}-{turn}", "asset_tag": tag,
            "loan_id": loan["id"], "rank": 1, "pledged_by": loan["lender_id"],
            "pledged_at": datetime(2026, 2, 1, tzinfo=UTC),
            "released_at": datetime(2026, 3, 1, tzinfo=UTC) if turn < calls.count("RELEASE") else None,
        }
        for turn in range(calls.count("PLEDGE"))
    ]  # fmt: skip

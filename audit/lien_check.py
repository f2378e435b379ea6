"""The liens of one loan compared with the pledges and releases on chain and those that still wait to get there."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from audit import bounded_json
from audit.cells import malformed
from audit.finding import Rule
from audit.loan_file import FileLien, FileOutbox
from audit.loan_result import LoanResult
from audit.ports import MirrorCursor, MirrorLien, RelayProgress
from registry.domain.outbox import OutboxAction

TABLE = "liens"


@dataclass(slots=True)
class _Asset:
    """What rows, queue and chain say about one asset and this loan."""

    rows: list[FileLien] = field(default_factory=list)
    pledges: list[FileOutbox] = field(default_factory=list)
    releases: list[FileOutbox] = field(default_factory=list)
    pledged: int = 0  # times on chain
    released: int = 0


@dataclass(frozen=True, slots=True)
class Calls:
    """What the relay knows of the queue, and the block up to which that is final."""

    progress: Mapping[tuple[int, int], RelayProgress]
    final: int

    @classmethod
    def of(cls, progress: Mapping[tuple[int, int], RelayProgress], cursor: MirrorCursor) -> "Calls":
        return cls(progress, min(cursor.final_number, cursor.block_number))

    def one_waits(self, entries: Sequence[FileOutbox], on_chain: int) -> bool:
        """Whether one of these calls can still get there: more are queued than were made, and not all are settled."""
        accepted = [entry for entry in entries if not self._is_past(entry, "refused_block")]
        return len(accepted) > on_chain and not all(self._is_past(entry, "mined_block") for entry in accepted)

    def _is_past(self, entry: FileOutbox, name: str) -> bool:
        known = self.progress.get((entry.lender_id, entry.position))
        block = getattr(known, name) if known is not None else None
        return block is not None and block <= self.final


def compare(
    rows: Sequence[FileLien],
    entries: Sequence[FileOutbox],
    mirrored: Sequence[MirrorLien],
    calls: Calls,
    result: LoanResult,
) -> None:
    """Report each lien that the file, or only the file, does not have in the state the chain has it in."""
    assets: dict[bytes, _Asset] = defaultdict(_Asset)
    for row in rows:
        if wrong := malformed(row):
            for name in wrong:
                result.report(Rule.CELL_MALFORMED, TABLE, name, "a value of the column's type", type(row).__name__)
            continue
        assets[row.asset_tag].rows.append(row)
    for lien in mirrored:
        assets[lien.asset_tag].pledged, assets[lien.asset_tag].released = lien.pledged, lien.released
    for entry in entries:
        if entry.action in {OutboxAction.PLEDGE, OutboxAction.RELEASE} and (tag := _tag(entry)) is not None:
            asset = assets[tag]
            (asset.pledges if entry.action == OutboxAction.PLEDGE else asset.releases).append(entry)
    for tag in sorted(assets):
        _compare_asset(tag, assets[tag], calls, result)


def _compare_asset(tag: bytes, asset: _Asset, calls: Calls, result: LoanResult) -> None:
    pledges = max(asset.pledged, len(asset.pledges))  # each has a row of its own
    if len(asset.rows) < pledges:
        result.report(Rule.LIEN_MISSING, TABLE, "", tag, None)
        return
    if len(asset.rows) > pledges:
        result.report(Rule.LIEN_NOT_ON_CHAIN, TABLE, "asset_tag", "a pledge", tag)
        return
    in_force = sum(row.released_at is None for row in asset.rows)
    if in_force > 1:
        result.report(Rule.LIEN_ALTERED, TABLE, "released_at", "one lien in force", in_force)
        return
    expected = _is_in_force(asset, calls)
    if expected is None or expected == bool(in_force):
        return
    if in_force and not asset.pledged and not calls.one_waits(asset.releases, asset.released):
        result.report(Rule.LIEN_NOT_ON_CHAIN, TABLE, "asset_tag", "a pledge on chain", tag)
    else:
        shown = (None, "a release") if expected else ("a release", None)
        result.report(Rule.LIEN_ALTERED, TABLE, "released_at", *shown)


def _is_in_force(asset: _Asset, calls: Calls) -> bool | None:
    """Whether the lien stands once everything that waits has reached the chain; None when that cannot be told."""
    pledge_waits = calls.one_waits(asset.pledges, asset.pledged)
    release_waits = calls.one_waits(asset.releases, asset.released)
    if pledge_waits != release_waits:
        return pledge_waits
    if not pledge_waits:
        return asset.pledged > asset.released
    queued = [*asset.pledges, *asset.releases]
    if len({entry.lender_id for entry in queued}) > 1:  # two lenders' queues have no common order
        return None
    return max(queued, key=lambda entry: entry.position).action == OutboxAction.PLEDGE


def _tag(entry: FileOutbox) -> bytes | None:
    try:
        return bytes.fromhex(bounded_json.loads(entry.arguments)["asset_tag"])
    except (LookupError, TypeError, ValueError, AttributeError):
        return None

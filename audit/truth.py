"""A loan's true history, found among copies any of which may be altered: what the chain proves, else the majority."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from audit.loan_file import FileOutbox, FileRecord
from audit.ports import MirrorRecord
from registry.domain import commitments
from registry.domain.chain_binding import ChainBinding
from registry.domain.kinds import KindNotAllowed, LoanStatus, RecordKind, status_after

_HEAD_VOTES = 2  # a head vouches for the whole history before it
_SOURCES_MIN = 2  # of row, queue and counter, for a position that is not anchored to count


class Link(NamedTuple):
    """What goes into a head: the kind and commitment of one record."""

    kind: int
    commitment: bytes


@dataclass(slots=True)
class Copies:
    """Everything that says something about the history of one loan, by sequence."""

    filed: Mapping[int, FileRecord]
    recomputed: Mapping[int, bytes]  # commitments made anew from the filed contents
    queued: Mapping[int, FileOutbox]
    mirrored: Mapping[int, MirrorRecord]
    anchor: bytes | None  # the head on chain, or the mirror's when no chain is at hand
    filed_head: bytes | None
    next_sequence: int


@dataclass(slots=True)
class History:
    """The true history: one entry per record; the first `anchored` are on chain, `proven` if a head there says so."""

    links: list[Link] = field(default_factory=list)
    heads: list[bytes] = field(default_factory=list)
    statuses: list[int] = field(default_factory=list)
    not_allowed: list[int] = field(default_factory=list)
    anchored: int = 0
    proven: bool = False

    def append(self, link: Link, binding: ChainBinding, key: bytes) -> None:
        head = self.heads[-1] if self.heads else None
        if head is None:  # no kind goes into the first head: the contract registers agreements and nothing else
            link = Link(RecordKind.AGREEMENT, link.commitment)
        self.links.append(link)
        self.heads.append(head_after(head, link, binding, key))
        self.statuses.append(self._status_after(link.kind))

    def _status_after(self, kind: int) -> int:
        sequence = len(self.links) - 1
        if sequence == 0:
            return LoanStatus.REGISTERED
        try:
            return status_after(LoanStatus(self.statuses[-1]), RecordKind(kind))
        except (KindNotAllowed, ValueError):
            self.not_allowed.append(sequence)
            return self.statuses[-1]


def head_after(head: bytes | None, link: Link, binding: ChainBinding, key: bytes) -> bytes:
    """The head after `link`; `head` is None before the first record."""
    if head is None:
        return commitments.first_head(binding.chain_id, binding.contract, key, link.commitment)
    return commitments.next_head(head, link.kind & 0xFF, link.commitment)


def true_history(copies: Copies, binding: ChainBinding, key: bytes) -> History:
    """The history the copies agree on; one that folds to the head on chain outweighs every other copy."""
    history = _proven(copies, binding, key)
    if not history.proven:
        history.anchored = len(copies.mirrored)
    sequence = len(history.links)
    while sequence < history.anchored or _counts(copies, sequence):
        link = _elected(copies, sequence, history, binding, key)
        if link is None:
            break
        history.append(link, binding, key)
        sequence += 1
    history.anchored = min(history.anchored, sequence)
    return history


def _proven(copies: Copies, binding: ChainBinding, key: bytes) -> History:
    if copies.anchor is None:
        return History()
    for source in (_mirror_links(copies), _filed_links(copies), _recomputed_links(copies)):
        history = History()
        for link in source:
            history.append(link, binding, key)
            if history.heads[-1] == copies.anchor:
                history.anchored, history.proven = len(history.links), True
                return history
    return History()


def _mirror_links(copies: Copies) -> Iterator[Link]:
    for sequence in range(len(copies.mirrored)):
        if (record := copies.mirrored.get(sequence)) is None:
            return
        yield Link(record.kind, record.commitment)


def _filed_links(copies: Copies) -> Iterator[Link]:
    for sequence in range(len(copies.filed)):
        if (record := copies.filed.get(sequence)) is None:
            return
        yield Link(record.kind, record.commitment)


def _recomputed_links(copies: Copies) -> Iterator[Link]:
    for sequence in range(len(copies.filed)):
        if (made := copies.recomputed.get(sequence)) is None:
            return
        yield Link(copies.filed[sequence].kind, made)


def _counts(copies: Copies, sequence: int) -> bool:
    """Whether a position beyond the anchored ones is part of the history: a single row may be an invention."""
    said = (sequence in copies.filed) + (sequence in copies.queued) + (copies.next_sequence > sequence)
    return said >= _SOURCES_MIN and (sequence in copies.filed or sequence in copies.queued)


def _elected(copies: Copies, sequence: int, history: History, binding: ChainBinding, key: bytes) -> Link | None:
    """The link most copies vouch for."""
    filed, queued = copies.filed.get(sequence), copies.queued.get(sequence)
    mirrored = copies.mirrored.get(sequence)
    made = copies.recomputed.get(sequence)
    if filed is not None and made == filed.commitment and _agrees(mirrored, filed) and _agrees(queued, filed):
        return Link(filed.kind, filed.commitment)
    said = [row.commitment for row in (filed, queued, mirrored) if row is not None] + [made]
    votes = Counter(value for value in said if isinstance(value, bytes))
    kinds = Counter(row.kind for row in (filed, queued, mirrored) if row is not None and type(row.kind) is int)
    heads = _heads_said(copies, sequence)
    previous = history.heads[-1] if history.heads else None
    best: tuple[int, Link] | None = None
    for value, count in votes.items():
        for kind, same_kind in (kinds or Counter({0: 0})).items():
            link = Link(kind, value)
            matches = heads.count(head_after(previous, link, binding, key))
            score = count + same_kind + _HEAD_VOTES * matches
            if best is None or score > best[0]:
                best = (score, link)
    return best[1] if best is not None else None


def _agrees(row: MirrorRecord | FileOutbox | None, filed: FileRecord) -> bool:
    return row is None or (row.commitment == filed.commitment and row.kind in {filed.kind, None})


def _heads_said(copies: Copies, sequence: int) -> Sequence[bytes | None]:
    """Every cell that holds the head after this record, if its row is there."""
    said: list[bytes | None] = []
    if (filed := copies.filed.get(sequence)) is not None:
        said.append(filed.head)
    if (mirrored := copies.mirrored.get(sequence)) is not None:
        said.append(mirrored.head)
    following = (copies.filed.get(sequence + 1), copies.queued.get(sequence + 1))
    said.extend(row.previous_head for row in following if row is not None)
    if sequence == copies.next_sequence - 1:
        said.append(copies.filed_head)
    return said

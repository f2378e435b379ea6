"""What the audit needs from other parts of the registry; the composition root gives the implementations."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple, Protocol

from audit.loan_file import FileLoan, FileRecord
from registry.domain.chain_binding import ChainBinding
from registry.domain.commitments import FieldValue


@dataclass(frozen=True, slots=True)
class OnChain:
    """A loan's two slots, unpacked."""

    controller_id: int
    servicer_id: int
    status: int
    head: bytes


@dataclass(frozen=True, slots=True)
class SlotProofs:
    """Storage proof nodes (RLP, root first) of the two slots of one loan."""

    standing: tuple[bytes, ...]
    head: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class ChainProof:
    """What `eth_getProof` and the block header say about the contract and some loans at one block.

    `header` is the RLP whose keccak-256 is `block_hash`; `account` are the account's proof nodes, root first;
    `loans` is keyed by loan key.
    """

    block_number: int
    block_hash: bytes
    header: bytes
    account: tuple[bytes, ...]
    code_hash: bytes
    loans: Mapping[bytes, SlotProofs]


class ChainReader(Protocol):
    """The contract's state at a block."""

    def heads(self, loan_keys: Sequence[bytes], block: int) -> Mapping[bytes, OnChain]:
        """The standing and head of each loan there is at `block`; a loan that is not on chain is left out."""

    def proof(self, loan_keys: Sequence[bytes], block: int) -> ChainProof:
        """The header of `block` and the proofs of both slots of each loan under it."""


class MirrorCursor(NamedTuple):
    """How far the mirror has come, and what it is bound to."""

    chain_id: int
    genesis_hash: bytes
    contract: bytes
    code_hash: bytes
    block_number: int
    block_hash: bytes
    final_number: int


class MirrorLoan(NamedTuple):
    """A row of `mirror_loans`."""

    loan_key: bytes
    registered_by: int
    controller_id: int
    servicer_id: int
    status: int
    records: int
    head: bytes


class MirrorRecord(NamedTuple):
    """A row of `mirror_records`."""

    loan_key: bytes
    sequence: int
    kind: int
    commitment: bytes
    head: bytes
    status: int
    block_number: int


class MirrorLien(NamedTuple):
    """How often an asset was pledged for a loan and released again, on chain."""

    asset_tag: bytes
    pledged: int
    released: int


class MirrorReader(Protocol):
    """The indexer's copy of the chain, read in one snapshot that is not younger than the file's."""

    def cursor(self) -> MirrorCursor: ...

    def loans(self, loan_keys: Sequence[bytes]) -> Mapping[bytes, MirrorLoan]: ...

    def records(self, loan_keys: Sequence[bytes]) -> Mapping[bytes, Sequence[MirrorRecord]]:
        """The records of each of these loans in order of sequence; a loan without any is left out."""

    def liens(self, loan_keys: Sequence[bytes]) -> Mapping[bytes, Sequence[MirrorLien]]:
        """Every asset ever pledged for each of these loans; a loan without any is left out."""

    def known_keys(self, after: bytes | None, limit: int) -> Sequence[bytes]:
        """In ascending order, the keys above `after` of which the mirror has a loan row or any record."""


class RelayProgress(NamedTuple):
    """What the relay knows of one outbox position; blocks are None while they are not known."""

    refused_block: int | None  # the head at which the contract refused it
    mined_block: int | None  # the block its transaction succeeded in


class RelayReader(Protocol):
    """The relay's view of outbox positions, each named by (signing lender, position)."""

    def progress(self, positions: Sequence[tuple[int, int]]) -> Mapping[tuple[int, int], RelayProgress]:
        """What is known of each position; one the relay has not looked at is left out."""


class Balance(NamedTuple):
    """What a replay of the records says is owed."""

    outstanding_minor: int
    next_unpaid_due_on: date | None


class Balances(Protocol):
    """The ledger, replayed from the records."""

    def replayed(self, loan: FileLoan, records: Sequence[FileRecord]) -> Balance:
        """The balance after `records`, all of the loan's in order; a `RegistryError` when they cannot be replayed."""


class PersonalFields(NamedTuple):
    """A record's personal values by name, and the secret their salts come from."""

    values: Mapping[str, FieldValue]
    secret: bytes


class PersonalOpener(Protocol):
    """Opens the sealed personal fields of a record."""

    def open(self, loan: FileLoan, record: FileRecord) -> PersonalFields | None:
        """The fields; None when their key is destroyed; a `RegistryError` when they were altered."""


class LiveChain(Protocol):
    """A node asked while verifying evidence; every call may raise `Unavailable`."""

    def binding(self, contract: bytes) -> ChainBinding:
        """The node's chain id and genesis hash, and the hash of the code at `contract`."""

    def block_hash(self, number: int) -> bytes | None:
        """The hash of the block at this height; None when the node has none."""

    def final_number(self) -> int: ...

    def loan(self, contract: bytes, loan_key: bytes) -> OnChain | None:
        """Both slots as they are now; None when the loan does not exist."""

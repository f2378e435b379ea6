"""LoanRegistry, read: one typed method per view; every read names the block it is about."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from chain import abi
from chain.block import BlockStamp, block_parameter
from chain.hexadecimal import data, octets
from chain.rpc import Rpc

BATCH_CALLS_MAX = 500


@dataclass(frozen=True, slots=True)
class Standing:
    """Who owns the claim, who services it, and its status (`registry.domain.kinds.LoanStatus`); all 0: no such loan."""

    controller_id: int
    servicer_id: int
    status: int


@dataclass(frozen=True, slots=True)
class Offer:
    """An open offer of control; `to_lender_id` 0 means that there is none. `expires_at` in unix seconds."""

    to_lender_id: int
    servicer_id: int
    expires_at: int


class LoanRegistryContract:
    """The contract at `address` (20 bytes) behind one node."""

    def __init__(self, rpc: Rpc, address: bytes) -> None:
        self.rpc = rpc
        self.address = address

    def standing(self, loan_key: bytes, at: BlockStamp) -> Standing:
        return Standing(*self._read("standing", at, loan_key))

    def standings(self, loan_keys: Sequence[bytes], at: BlockStamp) -> list[Standing]:
        return [Standing(*values) for values in self._read_many("standing", at, loan_keys)]

    def head(self, loan_key: bytes, at: BlockStamp) -> bytes:
        """The loan's running hash; 32 zero bytes when there is no such loan."""
        return bytes(self._read("head", at, loan_key)[0])

    def heads(self, loan_keys: Sequence[bytes], at: BlockStamp) -> list[bytes]:
        """Many heads, in order, in requests of at most 500 calls."""
        return [bytes(values[0]) for values in self._read_many("head", at, loan_keys)]

    def offer(self, loan_key: bytes, at: BlockStamp) -> Offer:
        return Offer(*self._read("offer", at, loan_key))

    def lien(self, asset_tag: bytes, at: BlockStamp) -> bytes | None:
        """The loan the asset secures."""
        loan_key = bytes(self._read("lien", at, asset_tag)[0])
        return loan_key if any(loan_key) else None

    def lender_of(self, account: bytes, at: BlockStamp) -> int:
        """The lender the account (20 bytes) acts for; 0 when for none."""
        return int(self._read("lenderOf", at, account)[0])

    def lender_active(self, lender_id: int, at: BlockStamp) -> bool:
        return bool(self._read("lenderActive", at, lender_id)[0])

    def lender_head(self, lender_id: int, at: BlockStamp) -> bytes:
        """The running hash of the lender's registrations and transfers."""
        return bytes(self._read("lenderHead", at, lender_id)[0])

    def lender_count(self, at: BlockStamp) -> int:
        return int(self._read("lenderCount", at)[0])

    def administrator(self, at: BlockStamp) -> bytes:
        return bytes(self._read("administrator", at)[0])

    def pending_administrator(self, at: BlockStamp) -> bytes:
        return bytes(self._read("pendingAdministrator", at)[0])

    def paused(self, at: BlockStamp) -> bool:
        return bool(self._read("paused", at)[0])

    def _read(self, view: str, at: BlockStamp, *arguments: Any) -> tuple[Any, ...]:
        answer = self.rpc.call(*self._call(view, at, arguments))
        return abi.decode_answer(view, octets(answer))

    def _read_many(self, view: str, at: BlockStamp, keys: Sequence[bytes]) -> list[tuple[Any, ...]]:
        answers: list[tuple[Any, ...]] = []
        for start in range(0, len(keys), BATCH_CALLS_MAX):
            calls = [self._call(view, at, (key,)) for key in keys[start : start + BATCH_CALLS_MAX]]
            found = self.rpc.batch([(method, params) for method, *params in calls])
            answers += [abi.decode_answer(view, octets(answer)) for answer in found]
        return answers

    def _call(self, view: str, at: BlockStamp, arguments: Sequence[Any]) -> tuple[Any, ...]:
        call = {"to": data(self.address), "data": data(abi.encode_call(view, *arguments))}
        return ("eth_call", call, block_parameter(at))

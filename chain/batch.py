"""Items of the outbox gathered into calls of the contract: few and full ones, in an order that no loan notices."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby

from chain import abi
from chain.abi import Record, Registration
from chain.outbox_item import OutboxItem
from registry.domain.outbox import OutboxAction

# Gas as measured on the contract under the rules of Cancun, calldata included, plus a margin of a tenth to a quarter:
# 48,800 a registration; 10,500 for a loan whose status changes, plus 4,100 a record; up to 73,000 a control action. The
# base holds the transaction itself (21,000) and a lender's first use of a slot.
GAS_BASE = 80_000
GAS_PER_REGISTRATION = 54_000
GAS_PER_LOAN = 12_500
GAS_PER_RECORD = 5_000
GAS_OF_CONTROL = 150_000


@dataclass(frozen=True, slots=True)
class Call:
    """One call of the contract and the items it settles, all of one action; control actions come alone."""

    action: OutboxAction
    items: tuple[OutboxItem, ...]

    @property
    def positions(self) -> list[int]:
        return [item.position for item in self.items]

    @property
    def gas(self) -> int:
        """The gas limit to ask for: above what the call uses, and not far above."""
        if self.action is OutboxAction.REGISTER:
            return GAS_BASE + GAS_PER_REGISTRATION * len(self.items)
        if self.action is OutboxAction.APPEND:
            loans = len({item.loan_key for item in self.items})
            return GAS_BASE + GAS_PER_LOAN * loans + GAS_PER_RECORD * len(self.items)
        return GAS_OF_CONTROL

    def encode(self) -> bytes:
        """The call's bytes."""
        if self.action is OutboxAction.REGISTER:
            return abi.encode_registrations(_registration(item) for item in self.items)
        if self.action is OutboxAction.APPEND:
            return abi.encode_records(_record(item) for item in self.items)
        return _control(self.items[0])


def plan(items: Iterable[OutboxItem], *, records_max: int, gas_max: int) -> list[Call]:
    """Calls for `items`, which come in the order of their positions.

    Between two control actions all registrations go first (a registration is the first entry of its loan, so nothing
    that precedes it concerns the loan) and then the records, those of one loan together: its slots are then written
    once. The order within every loan stays as it is.
    """
    calls: list[Call] = []
    for batched, stretch in groupby(
        items, key=lambda item: item.action in {OutboxAction.REGISTER, OutboxAction.APPEND}
    ):
        if not batched:
            calls += [Call(item.action, (item,)) for item in stretch]
            continue
        waiting = list(stretch)
        registrations = [item for item in waiting if item.action is OutboxAction.REGISTER]
        records = _by_loan([item for item in waiting if item.action is OutboxAction.APPEND])
        for ordered in (registrations, records):
            calls += _chunks(ordered, records_max, gas_max)
    return calls


def _by_loan(items: Sequence[OutboxItem]) -> list[OutboxItem]:
    first: dict[bytes, int] = {}
    for item in items:
        first.setdefault(item.loan_key, item.position)
    return sorted(items, key=lambda item: (first[item.loan_key], item.position))


def _chunks(items: Sequence[OutboxItem], records_max: int, gas_max: int) -> list[Call]:
    calls: list[Call] = []
    start = 0
    while start < len(items):
        end = min(start + records_max, len(items))
        call = Call(items[start].action, tuple(items[start:end]))
        while call.gas > gas_max and len(call.items) > 1:
            call = Call(call.action, call.items[: len(call.items) * gas_max // call.gas or 1])
        calls.append(call)
        start += len(call.items)
    return calls


def _registration(item: OutboxItem) -> Registration:
    return Registration(_word(item.arguments["nonce"]), _given(item.commitment))


def _record(item: OutboxItem) -> Record:
    return Record(item.loan_key, _given(item.previous_head), int(item.kind or 0), _given(item.commitment))


def _control(item: OutboxItem) -> bytes:
    terms, key = item.arguments, item.loan_key
    match item.action:
        case OutboxAction.OFFER:
            offer = int(terms["to_lender_id"]), int(terms["servicer_id"]), int(terms["expires_at"])
            return abi.encode_call("offerTransfer", key, *offer)
        case OutboxAction.WITHDRAW:
            return abi.encode_call("withdrawOffer", key)
        case OutboxAction.ACCEPT:
            return abi.encode_call("acceptTransfer", key, _given(item.previous_head), _given(item.commitment))
        case OutboxAction.REFUSE:
            return abi.encode_call("refuseTransfer", key)
        case OutboxAction.PLEDGE:
            return abi.encode_call("pledge", _word(terms["asset_tag"]), key)
        case OutboxAction.RELEASE:
            return abi.encode_call("release", _word(terms["asset_tag"]))
        case _:
            raise AssertionError(item.action)


def _word(text: str) -> bytes:
    return bytes.fromhex(text.removeprefix("0x"))


def _given(value: bytes | None) -> bytes:
    if value is None or len(value) != abi.WORD:
        raise ValueError("an entry of the outbox lacks a 32-byte word that its action needs")
    return value

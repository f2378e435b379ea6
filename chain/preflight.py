"""A call tried on the node before it is signed, and the items that would make it revert singled out."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from chain.batch import Call
from chain.block import BlockStamp, block_parameter
from chain.hexadecimal import data, quantity
from chain.outbox_item import OutboxItem
from chain.presence import commitments_on_chain, is_present
from chain.refusal import OF_THE_LENDER, ContractRefusal
from chain.relay_context import RelayContext
from chain.rpc import CallFailed

BATCH_CALLS_MAX = 100


@dataclass
class Verdict:
    """What may be sent of a call, and what not.

    `held` is a refusal that concerns the lender as a whole. `unclear` says that the call failed while transactions are
    under way: which item is to blame can only be told once they are mined.
    """

    ready: list[OutboxItem] = field(default_factory=list)
    refused: list[tuple[OutboxItem, ContractRefusal]] = field(default_factory=list)
    found: list[OutboxItem] = field(default_factory=list)
    held: ContractRefusal | None = None
    unclear: bool = False


class Preflight:
    """Tries the calls of one account."""

    def __init__(self, context: RelayContext, sender: bytes) -> None:
        self._context = context
        self._sender = sender

    def judge(self, call: Call, *, under_way: bool) -> Verdict:
        """Try `call` on top of what is under way; without anything under way every refusal is exact.

        Nodes without a pending state answer "pending" like "latest": dependent records then just wait for a block.
        """
        refusal = self._try(call, "pending" if under_way else "latest")
        if refusal is None:
            return Verdict(ready=list(call.items))
        if refusal.name in OF_THE_LENDER:
            return Verdict(held=refusal)
        if under_way:
            return Verdict(unclear=True)
        return self._examine(call)

    def judge_alone(self, items: Sequence[OutboxItem]) -> list[ContractRefusal | None]:
        """Each item as a call of its own on the newest block; None where it passes."""
        return self._try_many([Call(item.action, (item,)) for item in items])

    def _examine(self, call: Call) -> Verdict:
        """Single out the items to blame, loan by loan; the rest is tried again together, halved until it passes."""
        verdict = Verdict()
        loans: dict[bytes, list[OutboxItem]] = {}
        for item in call.items:
            loans.setdefault(item.loan_key, []).append(item)
        outcomes = self._try_many([Call(call.action, tuple(items)) for items in loans.values()])
        failing = [key for key, outcome in zip(loans, outcomes, strict=True) if outcome is not None]
        held = commitments_on_chain(self._context.rpc, self._context.binding, failing)
        for (key, items), outcome in zip(loans.items(), outcomes, strict=True):
            if outcome is not None and outcome.name in OF_THE_LENDER:
                return Verdict(held=outcome)
            self._sort_out(call, items, outcome, held.get(key, set()), verdict)
        while verdict.ready and self._try(replace(call, items=tuple(verdict.ready)), "latest") is not None:
            if len(verdict.ready) == 1:
                break
            verdict.ready = verdict.ready[: len(verdict.ready) // 2]
        return verdict

    def _sort_out(
        self,
        call: Call,
        items: list[OutboxItem],
        refusal: ContractRefusal | None,
        held: set[bytes],
        verdict: Verdict,
    ) -> None:
        """Judge the items of one loan: what is on chain already is found, then the first that fails is refused."""
        if refusal is not None:
            present = [item for item in items if is_present(item, refusal, held)]
            verdict.found += present
            items = [item for item in items if item not in present]
            if present and items:
                refusal = self._try(replace(call, items=tuple(items)), "latest")
        if refusal is None or not items:
            verdict.ready += items
            return
        passing, failing = 0, len(items)  # the first `passing` items pass together, the first `failing` do not
        while failing - passing > 1:
            middle = (passing + failing) // 2
            outcome = self._try(replace(call, items=tuple(items[:middle])), "latest")
            if outcome is None:
                passing = middle
            else:
                failing, refusal = middle, outcome
        verdict.ready += items[:passing]
        verdict.refused.append((items[passing], refusal))

    def _try(self, call: Call, at: BlockStamp) -> ContractRefusal | None:
        try:
            self._context.rpc.call("eth_call", self._request(call), block_parameter(at))
        except CallFailed as failure:
            return ContractRefusal.of(failure)
        return None

    def _try_many(self, calls: Sequence[Call]) -> list[ContractRefusal | None]:
        outcomes: list[ContractRefusal | None] = []
        for start in range(0, len(calls), BATCH_CALLS_MAX):
            requests: list[tuple[str, list[Any]]] = [
                ("eth_call", [self._request(call), "latest"]) for call in calls[start : start + BATCH_CALLS_MAX]
            ]
            answers = self._context.rpc.batch_outcomes(requests)
            outcomes += [ContractRefusal.of(answer) if isinstance(answer, CallFailed) else None for answer in answers]
        return outcomes

    def _request(self, call: Call) -> dict[str, str]:
        return {
            "from": data(self._sender),
            "to": data(self._context.binding.contract),
            "gas": quantity(call.gas),
            "data": data(call.encode()),
        }


def unencodable(items: Sequence[OutboxItem]) -> list[tuple[OutboxItem, ContractRefusal]]:
    """Items that cannot be made into a call at all, with what they lack; they would stop every batch they are in."""
    bad: list[tuple[OutboxItem, ContractRefusal]] = []
    for item in items:
        try:
            Call(item.action, (item,)).encode()
        except (ValueError, KeyError, TypeError, OverflowError) as fault:
            bad.append((item, ContractRefusal("EntryInvalid", {"reason": f"{type(fault).__name__}: {fault}"[:200]})))
    return bad

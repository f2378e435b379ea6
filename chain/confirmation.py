"""What became of a lender's signed transactions: receipts read, reorganisations noticed, lost ones sent again.

A transaction that is not final may fall out of the chain at any time; then the same bytes are sent again. Its nonce
gets no other payload until it is proven, at a final block, that a transaction not made here has used it.
"""

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import structlog

from chain import outbox_queue, transaction_store
from chain.block import ChainHead, block_hashes
from chain.broadcast import broadcast
from chain.failpoint import failpoint
from chain.hexadecimal import data, number, quantity
from chain.relay_context import RelayContext
from chain.relay_faults import ChainWentBackwards, NonceUsedByAnother, SendingFailed
from chain.relay_report import RelayReport
from chain.rpc import CallFailed
from chain.sender import Receipt, receipt_of
from chain.transaction_store import StoredTransaction, TransactionState
from registry.storage.engine import reading

_log = structlog.get_logger(__name__)

GONE: dict[str, Any] = {"block_number": None, "block_hash": None, "gas_used": None, "sent_at": None}


@dataclass
class _Findings:
    """What the node said about the open transactions."""

    final: list[StoredTransaction] = field(default_factory=list)
    unmined: list[StoredTransaction] = field(default_factory=list)
    receipts: dict[bytes, Receipt] = field(default_factory=dict)
    displaced: list[StoredTransaction] = field(default_factory=list)


class Confirmation:
    """Settles the open transactions of one lender."""

    def __init__(self, context: RelayContext) -> None:
        self._context = context

    def settle(self, lender_id: int, head: ChainHead, report: RelayReport) -> list[StoredTransaction]:
        """Bring the store up to what the chain says, send again what it lost; returns what is still not mined."""
        with reading(self._context.engine).connect() as connection:
            open_ = transaction_store.open_transactions(connection, lender_id)
        if not open_:
            return []
        findings = self._ask(open_, head)
        self._record(lender_id, findings, report)
        lost = {item.transaction_hash for item in findings.displaced} | set(findings.receipts)
        unmined = [item for item in findings.unmined if item.transaction_hash not in lost]
        self._send_again(unmined, report)
        return unmined

    def heal_all(self, lender_id: int, head: ChainHead, report: RelayReport) -> None:
        """`heal` for every account that ever signed for the lender."""
        with reading(self._context.engine).connect() as connection:
            senders = transaction_store.senders(connection, lender_id)
        for sender in senders:
            self.heal(lender_id, sender, head, report)

    def heal(self, lender_id: int, sender: bytes, head: ChainHead, report: RelayReport) -> int:
        """The account's next nonce on chain; settled transactions the chain has lost are reopened to be sent again."""
        used = self._nonce(sender, "latest")
        with self._context.engine.begin() as connection:
            last = transaction_store.last_nonce(connection, lender_id, sender)
            if last is None or used > last:
                return used
            reopened = transaction_store.reopen(connection, lender_id, sender, range(used, last + 1))
        if reopened:
            fault = ChainWentBackwards(lender_id, sender, used, last)
            report.faults.append(fault)
            _log.error("relay_chain_went_backwards", fault=str(fault), head=head.number)
        return used

    def _ask(self, open_: list[StoredTransaction], head: ChainHead) -> _Findings:
        findings = _Findings()
        mined = [item for item in open_ if not item.is_unmined]
        hashes = block_hashes(self._context.rpc, sorted({item.block_number or 0 for item in mined}))
        for item in mined:
            height = item.block_number or 0
            if hashes[height] != item.block_hash:
                findings.unmined.append(item)
            elif height <= head.final_number:
                findings.final.append(item)
        findings.unmined += [item for item in open_ if item.is_unmined]
        findings.unmined.sort(key=lambda item: (item.sender, item.nonce))
        if not findings.unmined:
            return findings
        # Nonces before receipts: a nonce that is used and has no receipt afterwards was used by something else.
        settled_nonces = {sender: self._settled_nonce(sender, head) for sender in {i.sender for i in findings.unmined}}
        failpoint("K6")
        answers = self._context.rpc.batch(
            [("eth_getTransactionReceipt", [data(item.transaction_hash)]) for item in findings.unmined]
        )
        failpoint("K7")
        for item, answer in zip(findings.unmined, answers, strict=True):
            if answer is not None:
                findings.receipts[item.transaction_hash] = receipt_of(answer)
            elif item.nonce < settled_nonces[item.sender]:
                findings.displaced.append(item)
        return findings

    def _record(self, lender_id: int, findings: _Findings, report: RelayReport) -> None:
        """All that was found, in one commit."""
        returned: dict[bytes, list[int]] = defaultdict(list)
        with self._context.engine.begin() as connection:
            for item in findings.final:
                transaction_store.mark(connection, item, TransactionState.FINAL)
            for item in findings.displaced:
                transaction_store.mark(connection, item, TransactionState.DISPLACED, **GONE)
                returned[item.sender].append(item.nonce)
            for item in findings.unmined:
                receipt = findings.receipts.get(item.transaction_hash)
                if receipt is not None:
                    state = TransactionState.MINED if receipt.succeeded else TransactionState.REVERTED
                    transaction_store.mark(connection, item, state, **_place(receipt))
                    report.mined += receipt.succeeded
                    report.reverted += not receipt.succeeded
                    if not receipt.succeeded:
                        returned[item.sender].append(item.nonce)
                elif not item.is_unmined and item not in findings.displaced:
                    _log.warning("relay_transaction_dropped", lender_id=lender_id, nonce=item.nonce)
                    transaction_store.mark(connection, item, TransactionState.SENT, **GONE, next_attempt_at=None)
            for sender, nonces in returned.items():
                report.returned += outbox_queue.give_back(connection, lender_id, sender, nonces)
        report.final += len(findings.final)
        for item in findings.displaced:
            fault = NonceUsedByAnother(lender_id, item.sender, item.nonce, item.transaction_hash)
            report.faults.append(fault)
            _log.error("relay_nonce_used_by_another", fault=str(fault))

    def _send_again(self, unmined: list[StoredTransaction], report: RelayReport) -> None:
        """Send the same bytes again where the node does not hold them, or holds them for long and does not mine."""
        if not unmined:
            return
        known = self._context.rpc.batch(
            [("eth_getTransactionByHash", [data(item.transaction_hash)]) for item in unmined]
        )
        now = self._context.now()
        patience = timedelta(seconds=self._context.settings.resend_seconds)
        for item, held in zip(unmined, known, strict=True):
            is_due = item.next_attempt_at is None or item.next_attempt_at <= now
            is_stale = item.sent_at is not None and item.sent_at + patience <= now
            if is_due and (held is None or is_stale):
                send_stored(self._context, item, report)
                report.resent += 1
            elif held is not None and item.state is TransactionState.SIGNED:
                with self._context.engine.begin() as connection:
                    transaction_store.mark(connection, item, TransactionState.SENT, sent_at=now)

    def _settled_nonce(self, sender: bytes, head: ChainHead) -> int:
        """How many nonces of the account are used at a final block; 0 where the node has that state no more."""
        try:
            return self._nonce(sender, quantity(head.final_number))
        except CallFailed:
            return 0

    def _nonce(self, sender: bytes, at: str) -> int:
        return number(self._context.rpc.call("eth_getTransactionCount", data(sender), at))


def send_stored(context: RelayContext, item: StoredTransaction, report: RelayReport) -> bool:
    """Send a stored transaction's bytes and note the answer; whether the node has it, as far as it says."""
    with reading(context.engine).connect() as connection:
        raw = transaction_store.raw_bytes(connection, item)
    answer = broadcast(context.rpc, raw)
    failpoint("K5")
    attempts = item.attempts + 1
    now = context.now()
    with context.engine.begin() as connection:
        transaction_store.mark(
            connection,
            item,
            TransactionState.SENT if answer.accepted else item.state if item.is_unmined else TransactionState.SENT,
            attempts=attempts,
            sent_at=now if answer.accepted else item.sent_at,
            next_attempt_at=None if answer.accepted else context.retry_at(attempts),
            last_error=answer.reason,
        )
    if not answer.accepted:
        fault = SendingFailed(item.lender_id, item.nonce, answer.reason or "")
        report.faults.append(fault)
        _log.warning("relay_sending_failed", fault=str(fault), attempts=attempts)
    return answer.accepted


def _place(receipt: Receipt) -> dict[str, Any]:
    return {
        "block_number": receipt.block_number,
        "block_hash": receipt.block_hash,
        "gas_used": receipt.gas_used,
        "next_attempt_at": None,
        "last_error": None if receipt.succeeded else "reverted",
    }

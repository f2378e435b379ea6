"""From waiting items to sent transactions: taken, tried, signed, stored with their items in one commit, then sent."""

from dataclasses import dataclass

import structlog
from sqlalchemy.exc import IntegrityError

from chain import outbox_queue, transaction_store
from chain.batch import Call, plan
from chain.block import ChainHead
from chain.confirmation import send_stored
from chain.failpoint import failpoint
from chain.fees import Fees, suggest_fees
from chain.outbox_item import OutboxItem
from chain.preflight import Preflight, Verdict, unencodable
from chain.presence import commitments_on_chain, is_present
from chain.refusal import ContractRefusal
from chain.relay_context import RelayContext
from chain.relay_faults import LenderHeld
from chain.relay_report import RelayReport
from chain.signer import SigningKey
from chain.transaction_store import StoredTransaction, TransactionState
from registry.storage.engine import reading

_log = structlog.get_logger(__name__)

RETRIES_PER_PASS = 50


@dataclass
class Dispatch:
    """One lender's turn to write: `nonce` is the next free one, `under_way` counts what is not mined yet."""

    context: RelayContext
    lender_id: int
    key: SigningKey
    head: ChainHead
    report: RelayReport
    nonce: int
    under_way: int

    def run(self) -> None:
        """Send calls until nothing waits, enough is under way, or the contract or the node says no."""
        settings = self.context.settings
        fees: Fees | None = None
        while (free := settings.transactions_in_flight_max - self.under_way) > 0:
            items = self._next_items(settings.records_per_transaction * free)
            if not items:
                return
            fees = fees or suggest_fees(self.context.rpc, self.head)
            calls = plan(items, records_max=settings.records_per_transaction, gas_max=settings.gas_max)
            for call in calls[:free]:
                if not self._write(call, fees):
                    return

    def retry_refused(self) -> None:
        """Try refused items again whose time has come; what passes now is let in with everything it held back."""
        with reading(self.context.engine).connect() as connection:
            due = outbox_queue.due_refused(connection, self.lender_id, self.context.now(), RETRIES_PER_PASS)
        broken = {item.position for item, _ in unencodable([item for item, _ in due])}
        sound = [(item, attempts) for item, attempts in due if item.position not in broken]
        outcomes = Preflight(self.context, self.key.address).judge_alone([item for item, _ in sound])
        failing = list({item.loan_key for (item, _), refusal in zip(sound, outcomes, strict=True) if refusal})
        held = commitments_on_chain(self.context.rpc, self.context.binding, failing)
        with self.context.engine.begin() as connection:
            for (item, attempts), refusal in zip(sound, outcomes, strict=True):
                if refusal is None or is_present(item, refusal, held[item.loan_key]):
                    self.report.readmitted += outbox_queue.readmit(connection, item)
                else:
                    later = self.context.retry_at(attempts + 1)
                    outbox_queue.refuse_again(connection, item, refusal, attempts + 1, later)

    def settle_found(self) -> None:
        """Look up found items once more when their block is final; what a reorganisation took away waits again."""
        with reading(self.context.engine).connect() as connection:
            open_ = outbox_queue.unsettled_found(connection, self.lender_id, RETRIES_PER_PASS)
        due = [item for item, block in open_ if block <= self.head.final_number]
        if not due:
            return
        keys = list({item.loan_key for item in due})
        held = commitments_on_chain(self.context.rpc, self.context.binding, keys, up_to=self.head.final_number)
        lost = [item.position for item in due if item.carries_record and item.commitment not in held[item.loan_key]]
        kept = [item.position for item in due if item.position not in lost]
        with self.context.engine.begin() as connection:
            outbox_queue.settle_found(connection, self.lender_id, kept, lost)
        self.report.returned += len(lost)

    def _next_items(self, limit: int) -> list[OutboxItem]:
        with reading(self.context.engine).connect() as connection:
            items = outbox_queue.waiting(connection, self.lender_id, limit)
        if len(items) == limit:
            return items
        with self.context.engine.begin() as connection:
            taken = outbox_queue.take(connection, self.lender_id, limit - len(items))
            items = outbox_queue.waiting(connection, self.lender_id, limit) if taken else items
        self.report.taken += taken
        failpoint("K3")
        return items

    def _write(self, call: Call, fees: Fees) -> bool:
        """Try and send one call; False when the turn is over: something must be mined, mended or planned anew first."""
        if bad := unencodable(call.items):
            self._set_aside(Verdict(refused=bad))
            return False
        verdict = Preflight(self.context, self.key.address).judge(call, under_way=self.under_way > 0)
        if verdict.held is not None:
            fault = LenderHeld(self.lender_id, str(verdict.held))
            self.report.faults.append(fault)
            _log.warning("relay_lender_held", fault=str(fault))
            return False
        if verdict.unclear:
            return False
        if verdict.refused or verdict.found:
            self._set_aside(verdict)
        if not verdict.ready:
            return True
        stored = self._sign(Call(call.action, tuple(verdict.ready)), fees)
        if stored is None:
            return False
        failpoint("K4")
        self.report.sent += 1
        return send_stored(self.context, stored, self.report)

    def _sign(self, call: Call, fees: Fees) -> StoredTransaction | None:
        """Sign the call, store bytes and items in one commit; None when items or nonce were taken meanwhile."""
        raw, transaction_hash = self.key.sign(
            {
                "type": 2,
                "chainId": self.context.binding.chain_id,
                "nonce": self.nonce,
                "to": self.context.binding.contract,
                "value": 0,
                "data": call.encode(),
                "gas": min(call.gas, self.context.settings.gas_max),
                "maxFeePerGas": fees.ceiling,
                "maxPriorityFeePerGas": fees.priority,
            }
        )
        sender = self.key.address
        try:
            with self.context.engine.connect() as connection, connection.begin() as transaction:
                transaction_store.store(
                    connection, self.lender_id, sender, self.nonce, transaction_hash, raw, self.context.now()
                )
                if not outbox_queue.assign(connection, self.lender_id, call.positions, sender, self.nonce):
                    transaction.rollback()
                    return None
        except IntegrityError:
            _log.warning("relay_nonce_taken", lender_id=self.lender_id, nonce=self.nonce)  # by another relay process
            return None
        stored = StoredTransaction(
            self.lender_id, sender, self.nonce, transaction_hash, TransactionState.SIGNED, 0, *(None,) * 6
        )
        self.nonce += 1
        self.under_way += 1
        self.report.assigned += len(call.items)
        return stored

    def _set_aside(self, verdict: Verdict) -> None:
        found = [item.position for item in verdict.found]
        with self.context.engine.begin() as connection:
            self.report.found += outbox_queue.mark_found(connection, self.lender_id, found, self.head.number)
            for item, refusal in verdict.refused:
                self.report.blocked += outbox_queue.set_aside(
                    connection, item, refusal, self.head.number, self.context.retry_at(1)
                )
                self.report.refused += 1
                self._log_refusal(item, refusal)

    def _log_refusal(self, item: OutboxItem, refusal: ContractRefusal) -> None:
        _log.warning(
            "relay_item_refused",
            lender_id=item.lender_id,
            position=item.position,
            action=str(item.action),
            loan_key=item.loan_key.hex(),
            refusal=str(refusal),
        )

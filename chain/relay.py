"""The relay: brings what the outbox holds on chain, once, in order, through crashes, outages and reorganisations."""

import threading
import time

import structlog
from sqlalchemy import Engine
from sqlalchemy.exc import OperationalError

from chain import outbox_queue, transaction_store
from chain.binding import check_binding
from chain.block import ChainHead, block_hashes, read_head
from chain.confirmation import Confirmation
from chain.contract import LoanRegistryContract
from chain.dispatch import Dispatch
from chain.relay_context import RelayContext
from chain.relay_report import RelayReport
from chain.relay_settings import RelaySettings
from chain.rpc import CallFailed, Rpc
from chain.signer import KeyRing, SigningKey, WrongKey
from registry.domain.chain_binding import ChainBinding
from registry.domain.errors import RegistryError, Unavailable, WrongChain
from registry.ports import Clock
from registry.storage.engine import reading

_log = structlog.get_logger(__name__)


class Relay:
    """Serves every lender whose key is in the key ring; one relay per database does, more do no harm.

    A pass over a lender: what became of its transactions, then what waits is tried, signed, stored and sent. Nothing is
    written to a node before it has proven to serve the chain and contract of `binding`.
    """

    def __init__(
        self,
        engine: Engine,
        rpc: Rpc,
        binding: ChainBinding,
        keyring: KeyRing,
        settings: RelaySettings,
        clock: Clock,
    ) -> None:
        contract = LoanRegistryContract(rpc, binding.contract)
        self._context = RelayContext(engine, rpc, binding, contract, keyring, settings, clock)
        self._confirmation = Confirmation(self._context)
        self._head_seen: ChainHead | None = None

    def run_once(self) -> RelayReport:
        """One pass over all lenders. Wrong chain and unreachable node raise; a lender's own faults are reported."""
        context = self._context
        check_binding(context.rpc, context.binding)
        head = read_head(context.rpc, context.settings.finality)
        report = RelayReport()
        with reading(context.engine).connect() as connection:
            lender_ids = outbox_queue.lender_ids(connection)
        rewound = self._was_rewound(head)
        for lender_id in lender_ids:
            if rewound:
                self._confirmation.heal_all(lender_id, head, report)
            try:
                self._serve(lender_id, head, report)
            except WrongKey as fault:
                self._note(lender_id, fault, report)
            except (Unavailable, WrongChain):
                raise
            except RegistryError as fault:
                self._note(lender_id, fault, report)
            report.waiting += self._count_waiting(lender_id)
        return report

    def run(self, stop: threading.Event) -> None:
        """Pass after pass until `stop` is set; unreachable node or database are waited for, the wrong chain raises."""
        failures = 0
        while not stop.is_set():
            try:
                report = self.run_once()
            except (Unavailable, CallFailed, OperationalError) as fault:
                failures += 1
                pause = self._context.settings.backoff(failures)
                _log.warning("relay_waits", fault=str(fault)[:300], failures=failures, seconds=pause)
            else:
                failures = 0
                pause = self._pause(report)
            stop.wait(pause)

    def drain(self, timeout_seconds: float) -> RelayReport:
        """Pass after pass until all that can be is mined, or the time is over: see `is_drained` of the report.

        Not waited for: finality, and what is refused or held back by a refusal. Unreachable nodes raise.
        """
        deadline = time.monotonic() + timeout_seconds
        total = RelayReport()
        while True:
            report = self.run_once()
            total.add(report)
            if report.is_drained and not report.moved:
                return total
            if time.monotonic() >= deadline:
                return total
            if not report.moved:
                time.sleep(self._context.settings.poll_seconds)

    def _was_rewound(self, head: ChainHead) -> bool:
        """Whether the block last seen as the head is gone, or may be: then even final transactions are looked after."""
        seen, self._head_seen = self._head_seen, head
        if seen is None or head.number < seen.number:
            return True
        return block_hashes(self._context.rpc, [seen.number])[seen.number] != seen.hash

    def _serve(self, lender_id: int, head: ChainHead, report: RelayReport) -> None:
        context = self._context
        unmined = self._confirmation.settle(lender_id, head, report)
        report.under_way += len(unmined)
        with context.engine.begin() as connection:
            report.voided += outbox_queue.sweep_voided(connection, lender_id)
        if not self._has_work(lender_id, context):
            return
        key = context.keyring.verified(lender_id, context.contract)
        dispatch = self._dispatch(lender_id, key, head, report, len(unmined))
        before = dispatch.under_way
        dispatch.settle_found()
        dispatch.retry_refused()
        dispatch.run()
        report.under_way += dispatch.under_way - before

    def _dispatch(
        self, lender_id: int, key: SigningKey, head: ChainHead, report: RelayReport, under_way: int
    ) -> Dispatch:
        used = self._confirmation.heal(lender_id, key.address, head, report)
        with reading(self._context.engine).connect() as connection:
            last = transaction_store.last_nonce(connection, lender_id, key.address)
        nonce = max(used, last + 1 if last is not None else 0)
        return Dispatch(self._context, lender_id, key, head, report, nonce, under_way)

    def _has_work(self, lender_id: int, context: RelayContext) -> bool:
        with reading(context.engine).connect() as connection:
            return outbox_queue.has_work(connection, lender_id, context.now())

    def _count_waiting(self, lender_id: int) -> int:
        with reading(self._context.engine).connect() as connection:
            return outbox_queue.count_waiting(connection, lender_id)

    def _pause(self, report: RelayReport) -> float:
        settings = self._context.settings
        if report.moved:
            return 0.0
        return settings.idle_seconds if report.is_drained else settings.poll_seconds

    @staticmethod
    def _note(lender_id: int, fault: RegistryError, report: RelayReport) -> None:
        report.faults.append(fault)
        _log.error("relay_lender_fault", lender_id=lender_id, code=fault.code, fault=str(fault))

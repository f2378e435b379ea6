"""What is read from the node: its head, headers in batches, and the contract's logs, checked to belong together.

Final blocks are read by range of numbers, sized to a target number of logs. Blocks that may still be replaced are read
by hash, so that an answer can never mix two chains: headers first, linked parent to child, then the logs of just those.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from chain.finality import FinalityKind, FinalityRule
from chain.hexadecimal import octets
from chain.rpc import CallFailed, NodeUnreachable, Rpc
from indexer.blocks import Header, bloom_of
from indexer.decode import ChainEvent, RawLog, decode
from indexer.errors import NodeContradictsItself, ReadTorn

LOGS_TARGET = 10_000
BLOCKS_FIRST = 32  # before anything is known of the chain: even full blocks make a bearable answer
RANGE_BLOCKS_MAX = 100_000
LIVE_BLOCKS_MAX = 500
HEADERS_MAX = 200  # per JSON-RPC batch
GROWTH_MAX = 8


class RangeSizer:
    """How many blocks to ask for at once: aims at a number of logs per answer, halves when the node refuses."""

    def __init__(self, logs_target: int, blocks: int, blocks_max: int) -> None:
        self._logs_target = logs_target
        self._blocks_max = blocks_max
        self.blocks = min(blocks, blocks_max)

    def answered(self, blocks: int, logs: int) -> None:
        """The node gave `logs` logs for a range of `blocks`."""
        wanted = blocks * self._logs_target // logs if logs else blocks * GROWTH_MAX
        self.blocks = max(1, min(wanted, max(blocks, self.blocks) * GROWTH_MAX, self._blocks_max))

    def refused(self, blocks: int) -> bool:
        """The node refused a range of `blocks`; whether a smaller one is worth a try."""
        self.blocks = max(1, blocks // 2)
        return blocks > 1


@dataclass(frozen=True, slots=True)
class View:
    """The node's chain at one poll: its head, its block at the mirror's height, its finalized block if asked for."""

    head: Header
    at_cursor: Header | None
    tagged_number: int | None


@dataclass(frozen=True, slots=True)
class Batch:
    """Consecutive blocks `first` to `last.number` and the contract's events in them, in chain order.

    `headers` are those worth keeping: of final blocks the ones with events, of others all.
    """

    first: int
    last: Header
    headers: Sequence[Header]
    events: Sequence[ChainEvent]


class LogReader:
    """Reads one contract's logs from one node."""

    def __init__(self, rpc: Rpc, contract: bytes, deployed_block: int, *, logs_target: int = LOGS_TARGET) -> None:
        self.url = rpc.url
        self._rpc = rpc
        self._address = f"0x{contract.hex()}"
        self._address_bloom = bloom_of(contract)
        self._deployed_block = deployed_block
        self._range = RangeSizer(logs_target, BLOCKS_FIRST, RANGE_BLOCKS_MAX)
        self._live = RangeSizer(logs_target, BLOCKS_FIRST, LIVE_BLOCKS_MAX)

    def view(self, cursor_number: int, finality: FinalityRule) -> View:
        """Head, the block at `cursor_number`, and the finalized block where the rule needs it, in one request."""
        calls = [_by_number("latest"), _by_number(hex(cursor_number))]
        if finality.kind is FinalityKind.FINALIZED:
            calls.append(_by_number("finalized"))
        head, at_cursor, *tagged = self._rpc.batch(calls)
        if head is None:
            raise NodeUnreachable(self.url, "it has no head yet")
        tagged_number = int(tagged[0]["number"], 16) if tagged and tagged[0] else None
        return View(Header.of(head), Header.of(at_cursor) if at_cursor else None, tagged_number)

    def headers(self, numbers: Iterable[int]) -> dict[int, Header]:
        """The headers of the blocks that exist, by number."""
        wanted = list(numbers)
        found: dict[int, Header] = {}
        for at in range(0, len(wanted), HEADERS_MAX):
            answers = self._rpc.batch([_by_number(hex(number)) for number in wanted[at : at + HEADERS_MAX]])
            for header in (Header.of(answer) for answer in answers if answer):
                found[header.number] = header
        return found

    def final_blocks(self, first: int, final_number: int) -> Batch:
        """The next range of final blocks from `first` on, as long as the sizer says, up to `final_number`."""
        if final_number < self._deployed_block:
            return Batch(first, self._header(final_number), (), ())
        start = max(first, self._deployed_block)
        while True:
            last = min(final_number, start + self._range.blocks - 1)
            before = self._header(last)
            try:
                logs = self._logs(fromBlock=hex(start), toBlock=hex(last))
            except CallFailed:
                if not self._range.refused(last - start + 1):
                    raise
                continue
            except NodeUnreachable:  # perhaps too slow for so many: less is asked for at the next poll
                self._range.refused(last - start + 1)
                raise
            break
        self._range.answered(last - start + 1, len(logs))
        hashes = self._checked(logs, start, last)
        numbers = list(hashes)
        headers = self.headers([*numbers, last])
        if headers.get(last) != before:
            raise ReadTorn(last, "the last block of the range was replaced")
        _match(hashes, headers)
        return Batch(first, before, [headers[number] for number in numbers], decode(logs))

    def live_blocks(self, first: int, head_number: int, parent_hash: bytes) -> Batch | None:
        """The next blocks from `first` on, which follow `parent_hash`; None if they no longer do."""
        last = min(head_number, first + self._live.blocks - 1)
        headers = self._linked(self.headers(range(first, last + 1)), first, last, parent_hash)
        if not headers:
            return None
        outcomes = self._rpc.batch_outcomes([self._logs_call(blockHash=f"0x{header.hash.hex()}") for header in headers])
        logs: list[RawLog] = []
        for header, outcome in zip(headers, outcomes, strict=True):
            if isinstance(outcome, CallFailed):
                self._live.refused(len(headers))
                raise ReadTorn(header.number, outcome.reason)
            self._check_complete(header, outcome)
            _match(self._checked(outcome, header.number, header.number), {header.number: header})
            logs.extend(outcome)
        self._live.answered(len(headers), len(logs))
        return Batch(first, headers[-1], headers, decode(logs))

    def _header(self, number: int) -> Header:
        header = self.headers([number]).get(number)
        if header is None:
            raise ReadTorn(number, "it is gone")
        return header

    def _linked(self, found: dict[int, Header], first: int, last: int, parent_hash: bytes) -> list[Header]:
        """The headers from `first` on for as long as each follows the one before."""
        linked: list[Header] = []
        for number in range(first, last + 1):
            header = found.get(number)
            if header is None or header.parent_hash != parent_hash:
                break
            linked.append(header)
            parent_hash = header.hash
        return linked

    def _logs(self, **where: str) -> list[RawLog]:
        method, params = self._logs_call(**where)
        logs: list[RawLog] = self._rpc.call(method, *params)
        return logs

    def _logs_call(self, **where: str) -> tuple[str, list[Any]]:
        return "eth_getLogs", [{"address": self._address, **where}]

    def _checked(self, logs: list[RawLog], first: int, last: int) -> dict[int, str]:
        """Put the logs in order and refuse foreign, doubled and out-of-range ones; returns their blocks' hashes."""
        logs.sort(key=_position)
        hashes: dict[int, str] = {}
        number_text, hash_text, number, previous = "", "", first - 1, -1
        for log in logs:
            if log["blockNumber"] != number_text or log["blockHash"] != hash_text:
                number_text, hash_text, previous = log["blockNumber"], log["blockHash"], -1
                number = int(number_text, 16)
                if hashes.setdefault(number, hash_text) != hash_text:
                    raise ReadTorn(number, "its logs belong to two blocks")
            index = int(log["logIndex"], 16)
            if index <= previous or not first <= number <= last or log["address"].lower() != self._address:
                raise NodeContradictsItself(self.url, number, "it gave a log that was not asked for, or gave one twice")
            previous = index
        return hashes

    def _check_complete(self, header: Header, logs: Sequence[RawLog]) -> None:
        """A block whose bloom names the contract but that came without logs is looked at again by its receipts."""
        if logs or not header.may_hold_logs_of(self._address_bloom):
            return
        try:
            receipts = self._rpc.call("eth_getBlockReceipts", f"0x{header.hash.hex()}")
        except CallFailed:
            return  # not every node has the method; the fold still finds most omissions
        if any(log["address"].lower() == self._address for receipt in receipts or () for log in receipt["logs"]):
            raise NodeContradictsItself(self.url, header.number, "its receipts hold logs that eth_getLogs left out")


def _match(hashes: Mapping[int, str], headers: Mapping[int, Header]) -> None:
    """The logs must be of the very blocks whose headers were read."""
    for number, text in hashes.items():
        if number not in headers or headers[number].hash != octets(text):
            raise ReadTorn(number, "its logs belong to another block")


def _position(log: RawLog) -> tuple[int, int]:
    return int(log["blockNumber"], 16), int(log["logIndex"], 16)


def _by_number(block: str) -> tuple[str, list[Any]]:
    return "eth_getBlockByNumber", [block, False]

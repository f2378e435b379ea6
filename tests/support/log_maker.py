"""A chain in memory, for rules that need no node: random but lawful histories as raw logs, with real parent hashes.

`LogMaker` plays the contract: each act it is asked for, or draws, becomes the raw logs the contract would emit.
`MemoryChain` puts them into blocks, replaces and drops blocks; `MemoryNode` answers JSON-RPC for it through the
product's own client, and misbehaves as told. Hashes and blooms are right; there is no state, gas or signature.
"""

import copy
import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any

import orjson
from eth_abi.abi import encode
from eth_utils.crypto import keccak

from chain.rpc import Rpc
from registry.domain.chain_binding import ChainBinding
from tests.support import chain_oracle
from tests.support.fold import EVENTS

CHAIN_ID = 7_310_001
CONTRACT = bytes.fromhex("c0" * 20)
CODE = bytes.fromhex("6001")
LAWFUL = {1: (1, 10, 13, 14, 15), 2: (1, 2, 3, 4, 5, 6, 7, 9, 10, 13, 14, 15), 3: (11, 13, 14, 15)} | {
    4: (8, 9, 11, 13, 14, 15),
    5: (13, 14, 15),
}
LEADS_TO = {1: 2, 11: 2, 9: 3, 7: 4, 10: 5}

RawLog = dict[str, Any]


def raw_log(name: str, *values: Any, address: bytes = CONTRACT) -> RawLog:
    """A log of the event as a node gives it, not yet placed in a block."""
    arguments = EVENTS[name]
    topics = [keccak(text=f"{name}({','.join(type_ for type_, _, _ in arguments)})")]
    plain: list[tuple[str, Any]] = []
    for (type_, _, indexed), value in zip(arguments, values, strict=True):
        if indexed:
            topics.append(encode([type_], [value]))
        else:
            plain.append((type_, value))
    body = encode([type_ for type_, _ in plain], [value for _, value in plain])
    return {"address": _hex(address), "topics": [_hex(topic) for topic in topics], "data": _hex(body)}


@dataclass
class _Loan:
    controller: int
    servicer: int
    status: int = 1
    buyer: int = 0


@dataclass
class LogMaker:
    """The contract's side of a history: what exists, and which logs an act leaves."""

    random: Random
    loans: dict[bytes, _Loan] = field(default_factory=dict)
    liens: dict[bytes, bytes] = field(default_factory=dict)
    lenders: dict[int, bool] = field(default_factory=dict)

    def admit(self) -> list[RawLog]:
        number = len(self.lenders) + 1
        self.lenders[number] = True
        return [raw_log("LenderAdmitted", number, _hex(self.random.randbytes(20)))]

    def register(self) -> list[RawLog]:
        lender, nonce = self.random.choice(list(self.lenders)), self.random.randbytes(32)
        key = chain_oracle.loan_key(lender, nonce)
        self.loans[key] = _Loan(lender, lender)
        return [raw_log("LoanRegistered", key, lender, nonce, self.random.randbytes(32))]

    def append(self) -> list[RawLog]:
        key, loan = self._any_loan()
        kind = self.random.choice(LAWFUL[loan.status])
        loan.status = LEADS_TO.get(kind, loan.status)
        return [raw_log("RecordAppended", key, kind, self.random.randbytes(32))]

    def offer(self) -> list[RawLog]:
        key, loan = self._any_loan()
        loan.buyer = self.random.choice([number for number in self.lenders if number != loan.controller])
        expiry = self.random.choice([1_800_000_000, 2**64 - 1])
        return [raw_log("TransferOffered", key, loan.controller, loan.buyer, 0, expiry)]

    def close_offer(self) -> list[RawLog]:
        key, loan = self._any_loan()
        if not loan.buyer:
            return self.offer()
        seller, buyer, loan.buyer = loan.controller, loan.buyer, 0
        ending = self.random.choice(["accept", "refuse", "withdraw"])
        if ending == "refuse":
            return [raw_log("TransferRefused", key, buyer)]
        if ending == "withdraw":
            return [raw_log("TransferWithdrawn", key)]
        loan.controller = loan.servicer = buyer
        accepted = raw_log("TransferAccepted", key, seller, buyer, buyer)
        return [raw_log("RecordAppended", key, 12, self.random.randbytes(32)), accepted]

    def appoint(self) -> list[RawLog]:
        key, loan = self._any_loan()
        loan.servicer = self.random.choice(list(self.lenders))
        return [raw_log("ServicerAppointed", key, loan.servicer)]

    def pledge_or_release(self) -> list[RawLog]:
        if self.liens and self.random.random() < 0.5:
            tag = self.random.choice(list(self.liens))
            return [raw_log("AssetReleased", tag, self.liens.pop(tag))]
        key, loan = self._any_loan()
        tag = self.random.randbytes(32)
        self.liens[tag] = key
        return [raw_log("AssetPledged", tag, key, loan.controller)]

    def suspend_or_reinstate(self) -> list[RawLog]:
        number = self.random.choice(list(self.lenders))
        self.lenders[number] = not self.lenders[number]
        return [raw_log("LenderReinstated" if self.lenders[number] else "LenderSuspended", number)]

    def administer(self) -> list[RawLog]:
        account = _hex(self.random.randbytes(20))
        number = self.random.choice(list(self.lenders))
        return self.random.choice(
            [
                [raw_log("Paused"), raw_log("Unpaused")],
                [raw_log("AccountAdded", number, account), raw_log("AccountRemoved", number, account)],
                [raw_log("AdministrationOffered", account), raw_log("AdministrationAccepted", account)],
            ]
        )

    def act(self) -> list[RawLog]:
        """The logs of one random lawful act; mostly registrations and records."""
        if len(self.lenders) < 2:
            return self.admit()
        if not self.loans:
            return self.register()
        acts: list[Callable[[], list[RawLog]]] = [self.register] * 4 + [self.append] * 10
        acts += [self.offer, self.close_offer, self.close_offer, self.appoint, self.pledge_or_release]
        acts += [self.suspend_or_reinstate, self.administer, self.admit]
        return self.random.choice(acts)()

    def _any_loan(self) -> tuple[bytes, _Loan]:
        return self.random.choice(list(self.loans.items()))


@dataclass
class MemoryChain:
    """Blocks in memory. The maker's state is kept per block, so that a replaced block's acts are forgotten, too."""

    random: Random
    blocks: list[dict[str, Any]] = field(default_factory=list)
    logs: list[list[RawLog]] = field(default_factory=list)
    makers: list[LogMaker] = field(default_factory=list)
    orphans: dict[str, tuple[dict[str, Any], list[RawLog]]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._append([], LogMaker(self.random))

    @property
    def head(self) -> int:
        return len(self.blocks) - 1

    def mine(self, acts: int) -> None:
        """One block with the logs of `acts` random acts."""
        maker = copy.copy(self.makers[-1])
        for name in ("loans", "liens", "lenders"):
            setattr(maker, name, copy.deepcopy(getattr(maker, name)))
        self._append([log for _ in range(acts) for log in maker.act()], maker)

    def mine_logs(self, logs: Sequence[RawLog]) -> None:
        """One block with exactly these logs, lawful or not."""
        self._append(list(logs), self.makers[-1])

    def drop(self, depth: int) -> None:
        """Take the last blocks away without replacement."""
        keep = len(self.blocks) - depth
        for block, logs in zip(self.blocks[keep:], self.logs[keep:], strict=True):
            self.orphans[block["hash"]] = block, logs
        del self.blocks[keep:], self.logs[keep:], self.makers[keep:]

    def reorganise(self, depth: int, acts: Sequence[int]) -> None:
        """Replace the last `depth` blocks by new ones, one for each entry of `acts`."""
        self.drop(depth)
        for count in acts:
            self.mine(count)

    def binding(self) -> ChainBinding:
        genesis = bytes.fromhex(self.blocks[0]["hash"][2:])
        return ChainBinding(CHAIN_ID, genesis, CONTRACT, keccak(CODE), 1)

    def all_logs(self, to_block: int | None = None) -> list[RawLog]:
        last = self.head if to_block is None else to_block
        return [log for logs in self.logs[: last + 1] for log in logs]

    def _append(self, logs: list[RawLog], maker: LogMaker) -> None:
        number = len(self.blocks)
        parent = self.blocks[-1]["hash"] if self.blocks else _hex(bytes(32))
        salt = self.random.randbytes(8)
        block_hash = _hex(hashlib.sha256(orjson.dumps([parent, number, logs]) + salt).digest())
        placed = []
        for index, log in enumerate(logs):
            transaction = hashlib.sha256(salt + bytes([index // 3])).digest()
            place = {"blockNumber": hex(number), "blockHash": block_hash, "logIndex": hex(index), "removed": False}
            placed.append({**log, **place, "transactionHash": _hex(transaction)})
        self.blocks.append(
            {
                "number": hex(number),
                "hash": block_hash,
                "parentHash": parent,
                "timestamp": hex(1_790_000_000 + 2 * number),
                "logsBloom": hex(_bloom(logs)),
            }
        )
        self.logs.append(placed)
        self.makers.append(maker)


class MemoryNode(Rpc):
    """The product's JSON-RPC client with this chain behind it instead of a socket.

    `before` is called with each call's method and may change the chain or raise; `twist` may alter each answer.
    """

    def __init__(self, chain: MemoryChain) -> None:
        super().__init__("memory://chain")
        self.chain = chain
        self.chain_id = CHAIN_ID
        self.logs_max: int | None = None
        self.before: Callable[[str], None] = lambda method: None
        self.twist: Callable[[str, Any], Any] = lambda method, answer: answer
        self.calls: list[str] = []

    def _post(self, body: Any) -> Any:
        if isinstance(body, list):
            return [self._answer(request) for request in body]
        return self._answer(body)

    def _answer(self, request: dict[str, Any]) -> dict[str, Any]:
        method = request["method"]
        self.calls.append(method)
        self.before(method)
        try:
            result = copy.deepcopy(getattr(self, f"_{method}")(*request["params"]))
        except LookupError as failure:
            return {"id": request["id"], "error": {"code": -32000, "message": str(failure)}}
        return {"id": request["id"], "result": self.twist(method, result)}

    def _eth_chainId(self) -> str:  # noqa: N802
        return hex(self.chain_id)

    def _eth_blockNumber(self) -> str:  # noqa: N802
        return hex(self.chain.head)

    def _eth_getCode(self, address: str, _tag: str) -> str:  # noqa: N802
        return _hex(CODE) if address == _hex(CONTRACT) and self.chain.head >= 1 else "0x"

    def _eth_getBlockByNumber(self, number: str, _full: bool) -> dict[str, Any] | None:  # noqa: N802
        tags = {"latest": self.chain.head, "finalized": max(0, self.chain.head - 8)}
        height = tags[number] if number in tags else int(number, 16)
        return self.chain.blocks[height] if height <= self.chain.head else None

    def _eth_getBlockReceipts(self, block_hash: str) -> list[dict[str, Any]]:  # noqa: N802
        return [{"logs": logs} for block, logs in self._known() if block["hash"] == block_hash]

    def _eth_getLogs(self, where: dict[str, str]) -> list[RawLog]:  # noqa: N802
        if "blockHash" in where:
            found = [logs for block, logs in self._known() if block["hash"] == where["blockHash"]]
            if not found:
                raise LookupError("unknown block")
            return [log for log in found[0] if log["address"] == where["address"]]
        first, last = int(where["fromBlock"], 16), int(where["toBlock"], 16)
        logs = [log for part in self.chain.logs[first : last + 1] for log in part if log["address"] == where["address"]]
        if self.logs_max is not None and len(logs) > self.logs_max:
            raise LookupError("query returned more results than allowed")
        return logs

    def _known(self) -> list[tuple[dict[str, Any], list[RawLog]]]:
        return [*zip(self.chain.blocks, self.chain.logs, strict=True), *self.chain.orphans.values()]


def _bloom(logs: Sequence[RawLog]) -> int:
    bits = 0
    for log in logs:
        for text in (log["address"], *log["topics"]):
            digest = keccak(hexstr=text)
            for at in (0, 2, 4):
                bits |= 1 << (int.from_bytes(digest[at : at + 2], "big") % 2048)
    return bits


def _hex(value: bytes) -> str:
    return "0x" + value.hex()

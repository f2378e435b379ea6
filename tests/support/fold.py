"""The mirror as it must be, folded from raw `eth_getLogs` answers. Shares no code with the product.

Written from the contract's manual (contracts/src/interfaces/ILoanRegistry.sol) and the digest's definition
(indexer/digest.py, its docstring only); hashes by hashlib, decoding by eth_abi, transport by urllib.
"""

import hashlib
import json
import urllib.request
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from eth_abi.abi import decode
from eth_utils.crypto import keccak

from tests.support import chain_oracle

# the contract's events; * marks an indexed argument
_SIGNATURES = """
LoanRegistered loan:bytes32* lender:uint32* nonce:bytes32 commitment:bytes32
RecordAppended loan:bytes32* kind:uint8 commitment:bytes32
TransferOffered loan:bytes32* lender:uint32* other:uint32* servicer:uint32 expiry:uint64
TransferWithdrawn loan:bytes32*
TransferRefused loan:bytes32* lender:uint32*
TransferAccepted loan:bytes32* lender:uint32* other:uint32* servicer:uint32
ServicerAppointed loan:bytes32* servicer:uint32
AssetPledged asset:bytes32* loan:bytes32* lender:uint32
AssetReleased asset:bytes32* loan:bytes32*
LenderAdmitted lender:uint32* account:address*
AccountAdded lender:uint32* account:address*
AccountRemoved lender:uint32* account:address*
LenderSuspended lender:uint32*
LenderReinstated lender:uint32*
Paused
Unpaused
AdministrationOffered account:address*
AdministrationAccepted account:address*
"""


def _argument(text: str) -> tuple[str, str, bool]:
    name, _, type_ = text.partition(":")
    return type_.removesuffix("*"), name, type_.endswith("*")


# event -> arguments as (type, name, indexed)
EVENTS = {line.split()[0]: [_argument(text) for text in line.split()[1:]] for line in _SIGNATURES.strip().splitlines()}
TOPICS = {
    keccak(text=f"{name}({','.join(type_ for type_, _, _ in arguments)})"): name for name, arguments in EVENTS.items()
}
# kinds that change the status, and the status they lead to
LEADS_TO = {1: 2, 11: 2, 9: 3, 7: 4, 10: 5}


@dataclass
class FoldedLoan:
    registered_by: int
    controller: int
    servicer: int
    status: int
    records: int
    head: bytes
    registered_block: int
    last_block: int


@dataclass
class FoldedLender:
    account: bytes
    active: bool
    head: bytes


@dataclass
class FoldedChain:
    """Loans, records and lenders by key, other events in order; values of records as they enter the digest."""

    chain_id: int
    contract: bytes
    loans: dict[bytes, FoldedLoan] = field(default_factory=dict)
    records: dict[tuple[bytes, int], tuple[Any, ...]] = field(default_factory=dict)
    events: list[dict[str, Any]] = field(default_factory=list)
    lenders: dict[int, FoldedLender] = field(default_factory=dict)

    def digest(self) -> bytes:
        parts = [b"loan-registry/mirror/v1"]
        for key, loan in sorted(self.loans.items()):
            parts += [b"L", key, _n(loan.registered_by, 4), _n(loan.controller, 4), _n(loan.servicer, 4)]
            parts += [_n(loan.status, 1), _n(loan.records, 4), loan.head]
            parts += [_n(loan.registered_block, 8), _n(loan.last_block, 8)]
        for (key, sequence), (kind, commitment, head, status, block, block_hash, index, transaction) in sorted(
            self.records.items()
        ):
            parts += [b"R", key, _n(sequence, 4), _n(kind, 1), commitment, head, _n(status, 1)]
            parts += [_n(block, 8), block_hash, _n(index, 4), transaction]
        for event in self.events:
            name = event["name"].encode()
            parts += [b"E", _n(event["block"], 8), event["block_hash"], _n(event["index"], 4), _n(len(name), 1), name]
            parts.append(event["transaction"])
            parts += [_optional(event.get(field)) for field in ("loan", "asset")]
            parts += [_optional(event.get(field), 4) for field in ("lender", "other", "servicer")]
            parts += [_optional(event.get("account")), _optional(event.get("expiry"), 8)]
        for number, lender in sorted(self.lenders.items()):
            parts += [b"N", _n(number, 4), lender.account, _n(lender.active, 1), lender.head]
        return hashlib.sha256(b"".join(parts)).digest()


def fold_logs(logs: Iterable[Mapping[str, Any]], chain_id: int, contract: bytes) -> FoldedChain:
    """Fold the contract's raw logs."""
    chain = FoldedChain(chain_id, contract)
    for log in sorted(logs, key=lambda log: (int(log["blockNumber"], 16), int(log["logIndex"], 16))):
        _apply(chain, _decoded(log))
    return chain


def fold_node(url: str, contract: bytes, to_block: int | None = None) -> FoldedChain:
    """Fold everything the node has up to `to_block` (default: its head)."""
    last = hex(to_block) if to_block is not None else "latest"
    where = {"address": "0x" + contract.hex(), "fromBlock": "0x0", "toBlock": last}
    return fold_logs(ask(url, "eth_getLogs", where), int(ask(url, "eth_chainId"), 16), contract)


def ask(url: str, method: str, *params: Any) -> Any:
    body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": list(params)}).encode()
    request = urllib.request.Request(url, body, {"content-type": "application/json"})
    with urllib.request.urlopen(request, timeout=60) as response:
        answer = json.load(response)
    assert "error" not in answer, answer
    return answer["result"]


def _decoded(log: Mapping[str, Any]) -> dict[str, Any]:
    topics = [_bytes(topic) for topic in log["topics"]]
    arguments = EVENTS[TOPICS[topics[0]]]
    plain = decode([type_ for type_, _, indexed in arguments if not indexed], _bytes(log["data"]))
    values = dict(zip((name for _, name, indexed in arguments if not indexed), plain, strict=True))
    for (type_, name, _), topic in zip((item for item in arguments if item[2]), topics[1:], strict=True):
        values[name] = decode([type_], topic)[0]
    if "account" in values:
        values["account"] = _bytes(values["account"])
    if "expiry" in values:
        values["expiry"] = min(values["expiry"], 2**63 - 1)
    place = {"block": int(log["blockNumber"], 16), "index": int(log["logIndex"], 16)}
    hashes = {"block_hash": _bytes(log["blockHash"]), "transaction": _bytes(log["transactionHash"])}
    return {"name": TOPICS[topics[0]], **place, **hashes, **values}


def _apply(chain: FoldedChain, event: dict[str, Any]) -> None:
    name = event["name"]
    if name == "LoanRegistered":
        key, lender = event["loan"], event["lender"]
        assert key == chain_oracle.loan_key(lender, event["nonce"])
        head = chain_oracle.first_head(chain.chain_id, chain.contract, key, event["commitment"])
        chain.loans[key] = FoldedLoan(lender, lender, lender, 1, 1, head, event["block"], event["block"])
        _keep_record(chain, event, key, 0, 0, head, 1)
        _advance(chain, lender, chain_oracle.REGISTERED_BY, key)
        return
    if name == "RecordAppended":
        key, loan = event["loan"], chain.loans[event["loan"]]
        loan.status = LEADS_TO.get(event["kind"], loan.status)
        loan.head = chain_oracle.next_head(loan.head, event["kind"], event["commitment"])
        _keep_record(chain, event, key, loan.records, event["kind"], loan.head, loan.status)
        loan.records += 1
        loan.last_block = event["block"]
        return
    chain.events.append(event)
    if name == "TransferAccepted":
        loan = chain.loans[event["loan"]]
        loan.controller, loan.servicer = event["other"], event["servicer"]
        _advance(chain, event["lender"], chain_oracle.CONTROL_LEFT, event["loan"])
        _advance(chain, event["other"], chain_oracle.CONTROL_ARRIVED, event["loan"])
    elif name == "ServicerAppointed":
        chain.loans[event["loan"]].servicer = event["servicer"]
    elif name == "LenderAdmitted":
        chain.lenders[event["lender"]] = FoldedLender(event["account"], True, bytes(32))
    elif name in {"LenderSuspended", "LenderReinstated"}:
        chain.lenders[event["lender"]].active = name == "LenderReinstated"


def _keep_record(
    chain: FoldedChain, event: dict[str, Any], key: bytes, sequence: int, kind: int, head: bytes, status: int
) -> None:
    place = event["block"], event["block_hash"], event["index"], event["transaction"]
    chain.records[key, sequence] = (kind, event["commitment"], head, status, *place)


def _advance(chain: FoldedChain, number: int, what: int, key: bytes) -> None:
    lender = chain.lenders[number]
    lender.head = chain_oracle.next_lender_head(lender.head, what, key)


def _n(value: int, width: int) -> bytes:
    return int(value).to_bytes(width, "big")


def _optional(value: Any, width: int = 0) -> bytes:
    if value is None:
        return b"\x00"
    return b"\x01" + (_n(value, width) if width else value)


def _bytes(text: str) -> bytes:
    return bytes.fromhex(text.removeprefix("0x"))

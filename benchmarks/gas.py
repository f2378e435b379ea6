"""What the registry's calls cost, measured on a devnet of its own: `python benchmarks/gas.py` prints a markdown table.

Gas is exact and the same on every run, up to the zero bytes in random words (4 instead of 16 gas each).
"""

import hashlib
import secrets
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hexbytes import HexBytes
from web3 import Web3
from web3.contract import Contract

from chain.artifacts import load_artifact
from chain.devnet import Devnet

TOOLS = Path(__file__).parents[1] / "hardhat-free-devnet"
GAS_MAX = 58_000_000
DISBURSEMENT, REPAYMENT = 1, 2
ADMINISTRATOR, SELLER, BUYER = 0, 1, 2  # account numbers; 1 and 2 are also the lender ids
NEVER = 2**40
BATCHES = (1, 10, 100, 500)

# Limits of the design, in gas per record or loan.
DIFFERENT_LOANS_MAX = 12_500  # 100 active loans, one record each
FOUR_PER_LOAN_MAX = 7_500  # 25 active loans, four records each
REGISTERING_MAX = 50_000  # in batches of 100


@dataclass(frozen=True, slots=True)
class Row:
    """One measured transaction with `items` records, loans or calls in it; `limit` is the design's, per item."""

    what: str
    items: int
    gas: int
    limit: int | None = None

    @property
    def gas_per_item(self) -> float:
        return self.gas / self.items


class Bench:
    """A freshly deployed registry with two lenders, and loans of the first."""

    def __init__(self, url: str) -> None:
        artifact = load_artifact()
        self.web3 = Web3(Web3.HTTPProvider(url))
        self.accounts = self.web3.eth.accounts
        factory = self.web3.eth.contract(abi=artifact.abi, bytecode=artifact.bytecode)
        receipt = self._wait(factory.constructor().transact({"from": self.accounts[ADMINISTRATOR], "gas": GAS_MAX}))
        self.deployment_gas = int(receipt["gasUsed"])
        self.registry: Contract = self.web3.eth.contract(address=receipt["contractAddress"], abi=artifact.abi)
        self.loans: list[bytes] = []
        self.heads: dict[bytes, bytes] = {}
        for lender in (SELLER, BUYER):
            self.send("admitLender", self.accounts[lender], by=ADMINISTRATOR)

    def send(self, function: str, *values: Any, by: int) -> int:
        """Gas used by the transaction."""
        call = self.registry.get_function_by_name(function)(*values)
        return int(self._wait(call.transact({"from": self.accounts[by], "gas": GAS_MAX}))["gasUsed"])

    def register(self, count: int) -> int:
        """Gas used by registering `count` new loans."""
        pairs = [(secrets.token_bytes(32), secrets.token_bytes(32)) for _ in range(count)]
        gas = self.send("registerLoans", pairs, by=SELLER)
        for nonce, _ in pairs:
            key = hashlib.sha256(b"loan-registry/v1" + SELLER.to_bytes(4, "big") + nonce).digest()
            self.heads[key] = self.registry.functions.head(key).call()
            self.loans.append(key)
        return gas

    def append(self, loans: Sequence[bytes], kind: int, *, each: int = 1) -> int:
        """Gas used by appending `each` records of `kind` to every loan, in one batch."""
        records = []
        for key in loans:
            for _ in range(each):
                commitment = secrets.token_bytes(32)
                records.append((key, self.heads[key], kind, commitment))
                self.heads[key] = hashlib.sha256(b"\x13" + self.heads[key] + bytes([kind]) + commitment).digest()
        return self.send("appendRecords", records, by=SELLER)

    def _wait(self, sent: HexBytes) -> Any:
        receipt = self.web3.eth.wait_for_transaction_receipt(sent, poll_latency=0.01)
        if receipt["status"] != 1:
            raise RuntimeError(f"transaction {sent.to_0x_hex()} was reverted")
        return receipt


def measure() -> list[Row]:
    """Every row, measured anew on a devnet that is stopped and deleted afterwards."""
    with tempfile.TemporaryDirectory(prefix="loan-registry-gas-") as directory:
        home = Path(directory)
        try:
            bench = Bench(Devnet.up(home, TOOLS).url)
            return [*_loan_rows(bench), *_control_rows(bench), Row("deploy", 1, bench.deployment_gas)]
        finally:
            Devnet.down(home)


def _loan_rows(bench: Bench) -> list[Row]:
    bench.register(1)  # the lender's head gets its slot once
    rows = [
        Row("register loans", count, bench.register(count), REGISTERING_MAX if count == 100 else None)
        for count in BATCHES
    ]
    disbursed = bench.loans[:500]
    rows.append(Row("first record (to ACTIVE), different loans", 100, bench.append(disbursed[:100], DISBURSEMENT)))
    bench.append(disbursed[100:], DISBURSEMENT)
    for count in BATCHES:
        limit = DIFFERENT_LOANS_MAX if count == 100 else None
        rows.append(Row("append, different loans", count, bench.append(disbursed[:count], REPAYMENT), limit))
    gas = bench.append(disbursed[:25], REPAYMENT, each=4)
    return [*rows, Row("append, 25 loans × 4 records", 100, gas, FOUR_PER_LOAN_MAX)]


def _control_rows(bench: Bench) -> list[Row]:
    one, two, three = bench.loans[:3]
    first, second = secrets.token_bytes(32), secrets.token_bytes(32)
    commitment = secrets.token_bytes(32)
    calls: list[tuple[str, int, tuple[Any, ...]]] = [
        ("pledge", SELLER, (first, one)),
        ("pledge", SELLER, (second, two)),
        ("release", SELLER, (second,)),
        ("appointServicer", SELLER, (three, BUYER)),
        ("offerTransfer", SELLER, (one, BUYER, 0, NEVER)),
        ("acceptTransfer", BUYER, (one, bench.heads[one], commitment)),
        ("offerTransfer", SELLER, (two, BUYER, 0, NEVER)),
        ("refuseTransfer", BUYER, (two,)),
        ("offerTransfer", SELLER, (two, BUYER, 0, NEVER)),
        ("withdrawOffer", SELLER, (two,)),
    ]
    rows: dict[str, Row] = {}
    for function, by, values in calls:
        rows.setdefault(function, Row(function, 1, bench.send(function, *values, by=by)))
    return list(rows.values())


def table(rows: Sequence[Row]) -> str:
    """The rows as a markdown table."""
    lines = ["| call | items | gas | gas per item | limit |", "|---|---:|---:|---:|---:|"]
    for row in rows:
        limit = f"{row.limit:,}" if row.limit else ""
        lines.append(f"| {row.what} | {row.items} | {row.gas:,} | {row.gas_per_item:,.0f} | {limit} |")
    return "\n".join(lines)


def main() -> int:
    rows = measure()
    print(table(rows))
    return 1 if any(row.limit is not None and row.gas_per_item > row.limit for row in rows) else 0


if __name__ == "__main__":
    sys.exit(main())

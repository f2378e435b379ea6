"""Records anchored per second, from the outbox to mined: the relay against one web3.py transaction per record.

Both write to the same Anvil in the same run, records of loans registered beforehand. Run from the project's folder:
`python -m benchmarks.anchoring [--loans N] [--records N] [--naive N]`. Prints a Markdown table.
"""

import argparse
import platform
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from web3 import Web3
from web3.middleware import SignAndSendRawMiddlewareBuilder

from chain.artifacts import load_artifact
from chain.relay_settings import RelaySettings
from tests.support.relay_book import DISBURSEMENT, REPAYMENT, BookedLoan
from tests.support.relay_stand import RelayStand, relay_stand

DRAIN_SECONDS_MAX = 600.0


@dataclass(frozen=True)
class Measured:
    """One way of writing: how many records, how long (wall seconds), how much gas and how many transactions."""

    name: str
    records: int
    seconds: float
    gas: int
    transactions: int

    @property
    def rate(self) -> float:
        return self.records / self.seconds

    def row(self, naive: float) -> str:
        cells = (
            self.name,
            f"{self.records:,}",
            f"{self.transactions:,}",
            f"{self.gas // self.records:,}",
            f"{self.seconds:.2f}",
            f"{self.rate:,.0f}",
            f"{self.rate / naive:.1f}",
        )
        return "| " + " | ".join(cells) + " |"


def by_relay(stand: RelayStand, name: str, records: int) -> Measured:
    """Drain what the outbox holds with a relay of default settings."""
    first = int(stand.rows("SELECT COUNT(*) AS n FROM relay_transactions")[0]["n"])
    relay = stand.relay(RelaySettings())
    start = time.perf_counter()
    report = relay.drain(DRAIN_SECONDS_MAX)
    seconds = time.perf_counter() - start
    if report.assigned != records or not report.is_drained:
        raise SystemExit(f"the relay settled {report.assigned} of {records} records: {report}")
    sent = stand.rows("SELECT gas_used FROM relay_transactions ORDER BY nonce")[first:]
    return Measured(name, records, seconds, sum(int(row["gas_used"]) for row in sent), len(sent))


def naive(stand: RelayStand, lender_id: int, loans: list[BookedLoan], records: int) -> Measured:
    """One `transact()` and one wait for the receipt per record, as tutorials do it, signed by a local account."""
    client = Web3(Web3.HTTPProvider(stand.info.url))
    account = client.eth.account.from_key(stand.keyring.path_of(lender_id).read_text().strip())
    client.middleware_onion.inject(cast(Any, SignAndSendRawMiddlewareBuilder.build(account)), layer=0)
    contract = client.eth.contract(address=Web3.to_checksum_address(stand.binding.contract), abi=load_artifact().abi)
    booked: list[tuple[bytes, bytes, int, bytes]] = []
    for number in range(records):  # booked like the others, so that the oracle knows them
        loan = loans[number % len(loans)]
        previous_head = loan.head
        stand.book.append(loan, REPAYMENT)
        booked.append((loan.key, previous_head, *loan.records[-1]))
    gas = 0
    start = time.perf_counter()
    for record in booked:
        sent = contract.functions.appendRecords([record]).transact({"from": account.address})
        gas += client.eth.wait_for_transaction_receipt(sent, poll_latency=0.005)["gasUsed"]
    seconds = time.perf_counter() - start
    return Measured("web3.py, one `transact()` and wait per record", records, seconds, gas, records)


def measure(loans: int, records: int, naive_records: int) -> list[Measured]:
    """The naive way and the relay on one chain: new loans, one record each of many loans, several records a loan."""
    with tempfile.TemporaryDirectory() as folder, relay_stand(Path(folder)) as stand:
        lender_id = stand.add_lender()
        booked = stand.book.register(lender_id, loans)
        registered = by_relay(stand, "relay: registrations", loans)
        stand.book.append_many([(loan, DISBURSEMENT) for loan in booked])
        first = by_relay(stand, "relay: one record a loan", loans)
        each = max(1, records // loans)
        stand.book.append_many([(loan, REPAYMENT) for loan in booked for _ in range(each)])
        many = by_relay(stand, f"relay: {each} records a loan", each * loans)
        one_by_one = naive(stand, lender_id, booked, naive_records)
        if stand.records_on_chain() != {loan.key: loan.records for loan in booked}:
            raise SystemExit("the chain does not hold what was booked")
        return [one_by_one, registered, first, many]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--loans", type=int, default=2_000)
    parser.add_argument("--records", type=int, default=8_000)
    parser.add_argument("--naive", type=int, default=100)
    asked = parser.parse_args()
    results = measure(asked.loans, asked.records, asked.naive)
    print(
        f"{platform.python_implementation()} {platform.python_version()}, SQLite (synchronous = FULL), Anvil automine\n"
    )
    print("| way | records | transactions | gas a record | seconds | records a second | times naive |")
    print("|---|---:|---:|---:|---:|---:|---:|")
    for result in results:
        print(result.row(results[0].rate))


if __name__ == "__main__":
    main()

"""Relay, indexer, API and a booking process killed at random moments, and the chain reorganised under them.

Whatever is killed is started again; in the end no record is lost and none is there twice. What ought to be there is
known from outside: the references of the simulated loans, and the client's own list of repayments it got an answer
for. What is there is read from the raw logs. By default few kills are tried; `FAULT_ROUNDS=200` tries two hundred,
and `FAULT_SEED` draws other moments.
"""

import base64
import json
import os
import random
import socket
import threading
import time
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from multiprocessing.context import ForkServerProcess
from pathlib import Path

import pytest

from app.simulation.people import draw_person
from chain.devnet import Devnet
from chain.queries import counts
from registry.domain.access import Role
from registry.storage.access_keys import issue
from tests.support.installation import disbursed, today
from tests.support.mirrors import position
from tests.support.postgres import PostgresServer, postgres
from tests.support.running import Running, running, wait_until

__all__ = ["postgres"]

ROUNDS = int(os.environ.get("FAULT_ROUNDS", "4"))
SEED = int(os.environ.get("FAULT_SEED", "1"))
LOANS_A_SIMULATION = 12
REPAYMENT = """mutation($input: RecordRepaymentInput!) {
  recordRepayment(input: $input) { __typename ... on RecordRepaymentPayload { record { sequence } } }
}"""


@dataclass
class Simulations:
    """Processes that book portfolio after portfolio; one that was killed is run again with its seed."""

    made: Running
    process: ForkServerProcess | None = None
    begun: int = 0
    ended: int = 0

    def go_on(self) -> None:
        """Start the next portfolio, or the last one again if it did not come to its end."""
        if self.process is not None and self.process.is_alive():
            return
        if self.process is not None and self.process.exitcode == 0:
            self.ended = self.begun
        if self.begun == self.ended:
            self.begun += 1
        self.process = self._simulate()

    def finish(self) -> None:
        while self.ended < self.begun:
            assert self.process is not None
            self.process.join()
            if self.process.exitcode == 0:
                self.ended = self.begun
            else:
                self.process = self._simulate()

    def references(self) -> list[str]:
        numbers = range(1, LOANS_A_SIMULATION + 1)
        return [f"SIM-{seed}-{number:06d}" for seed in range(1, self.begun + 1) for number in numbers]

    def _simulate(self) -> ForkServerProcess:
        return self.made.start("simulate", "--loans", str(LOANS_A_SIMULATION), "--seed", str(self.begun))


@dataclass
class Client(threading.Thread):
    """A lender's front end: books repayments over HTTP, each under a key of its own, and repeats what has no answer."""

    made: Running
    loan_ids: list[str]
    random: random.Random
    acknowledged: list[str] = field(default_factory=list)
    fault: str = ""

    def __post_init__(self) -> None:
        super().__init__(daemon=True)
        self.stop = threading.Event()
        with self.made.registry.engine.begin() as connection:
            self.token = issue(connection, "front end", Role.LENDER, 1, self.made.registry.clock.now())

    def run(self) -> None:
        number = 0
        while not self.stop.is_set() and not self.fault:
            number += 1
            self._book(f"PAY-{number:05d}")

    def __hash__(self) -> int:
        return id(self)

    def _book(self, reference: str) -> None:
        """Send until there is an answer; at times once more, as a client does that lost it."""
        loan = base64.urlsafe_b64encode(f"Loan:{self.random.choice(self.loan_ids)}".encode()).decode().rstrip("=")
        given = {
            "idempotencyKey": reference,
            "loanId": loan,
            "amount": {"minor": str(self.random.randint(1, 100)), "currency": "CNY"},
            "receivedOn": today().isoformat(),
            "reference": reference,
        }
        answers = 2 if self.random.random() < 0.2 else 1
        while answers:
            answer = self._post(given)
            if answer is None:
                time.sleep(0.05)
                continue
            if answer.get("__typename") != "RecordRepaymentPayload":
                self.fault = json.dumps(answer)
                return
            answers -= 1
        self.acknowledged.append(reference)

    def _post(self, given: dict[str, object]) -> dict[str, object] | None:
        """The answer, or None when there was none."""
        body = json.dumps({"query": REPAYMENT, "variables": {"input": given}}).encode()
        headers = {"content-type": "application/json", "authorization": f"Bearer {self.token}"}
        url = f"http://127.0.0.1:{self.made.registry.settings.port}/graphql"
        try:
            with urllib.request.urlopen(urllib.request.Request(url, body, headers), timeout=30) as response:
                answer = json.load(response)
        except (OSError, urllib.error.URLError, ValueError):
            return None
        return dict(answer["data"]["recordRepayment"]) if answer.get("data") else dict(answer)


@dataclass
class Parts:
    """Relay, indexer and API; `tend` starts what has ended again, as a supervisor does."""

    made: Running
    names: tuple[str, ...]
    processes: dict[str, ForkServerProcess] = field(default_factory=dict)

    def tend(self) -> None:
        for name in self.names:
            if name not in self.processes or not self.processes[name].is_alive():
                self.processes[name] = self.made.start(name)

    def kill(self, name: str) -> None:
        self.made.kill(self.processes[name])


@pytest.fixture(params=["sqlite", "postgresql"])
def made(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Running]:
    url = None
    if request.param == "postgresql":
        server: PostgresServer = request.getfixturevalue("postgres")
        url = server.new_database()
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with running(tmp_path, url, relay_records=20, index_poll_seconds=0.05, port=port) as installation:
        yield installation


def test_processes_killed_at_any_moment_lose_and_double_nothing(made: Running) -> None:
    rng = random.Random(f"kills {SEED}")
    loan_ids = [a_loan(made, f"loan-{number}") for number in range(3)]
    parts, simulations = Parts(made, ("relay", "index", "serve")), Simulations(made)
    client = Client(made, loan_ids, random.Random(SEED))
    client.start()
    for victim in victims(rng, (*parts.names, "simulate")):
        wait_while_running(parts, simulations, rng.uniform(0.2, 2.0))
        if victim == "simulate":
            assert simulations.process is not None
            made.kill(simulations.process)
        else:
            parts.kill(victim)
    parts.tend()
    answered = len(client.acknowledged)
    wait_until(lambda: client.fault or len(client.acknowledged) > answered, "an answer after the last kill")
    client.stop.set()
    client.join(60)
    simulations.finish()
    settle(made, parts)

    assert not client.fault
    assert made.references() == sorted(simulations.references())
    booked = Counter(payments(made))
    assert booked == Counter(client.acknowledged)
    made.assert_all_anchored()


def test_reorganisations_under_running_parts_lose_and_double_nothing(made: Running) -> None:
    rng = random.Random(f"reorganisations {SEED}")
    made.mine()  # so that what was deployed and admitted is out of reach
    parts, simulations = Parts(made, ("relay", "index")), Simulations(made)
    for depth in (1, 3, 10) * -(-ROUNDS // 6):
        parts.tend()
        simulations.go_on()
        seen = height(made)
        wait_until(lambda seen=seen: height(made) > seen + 1, "new blocks")
        Devnet.reorg(made.registry.settings.devnet_home, depth)
        if rng.random() < 0.5:
            time.sleep(rng.uniform(0.0, 0.3))
            parts.kill(rng.choice(parts.names))
    parts.tend()
    simulations.finish()
    settle(made, parts)

    assert made.references() == sorted(simulations.references())
    assert sent_again(made) > 0
    made.assert_all_anchored()


def a_loan(made: Running, key: str) -> str:
    return disbursed(made.registry, key, identity=draw_person(random.Random(key), today()))


def victims(rng: random.Random, names: tuple[str, ...]) -> Iterator[str]:
    """Who is killed next, everyone in turn in an order of chance."""
    for _ in range(-(-ROUNDS // len(names))):
        yield from rng.sample(names, len(names))


def wait_while_running(parts: Parts, simulations: Simulations, seconds: float) -> None:
    """Let time pass; what ended by itself goes on."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        parts.tend()
        simulations.go_on()
        time.sleep(0.05)


def settle(made: Running, parts: Parts) -> None:
    """Wait until all that was booked is mirrored and final; then end the parts."""

    def is_mirrored() -> bool:
        parts.tend()
        return len(made.fold().records) == made.records()

    def is_relayed() -> bool:
        """A call refused because a reorganisation had dropped what it follows is tried again when that is final."""
        parts.tend()
        made.mine()
        with made.registry.engine.connect() as connection:
            found = counts(connection)
        return not any(found[state] for state in ("QUEUED", "WAITING", "REFUSED", "BLOCKED"))

    wait_until(is_mirrored, "every record in the mirror")
    wait_until(is_relayed, "every call on chain")
    made.mine()
    head = height(made)
    wait_until(lambda: position(made.registry.engine).block_number >= head, "the mirror at the chain's head")
    for name in parts.names:
        parts.kill(name)


def height(made: Running) -> int:
    return int(made.registry.rpc.call("eth_blockNumber"), 16)


def sent_again(made: Running) -> int:
    """How many transactions had to be sent more than once."""
    with made.registry.engine.connect() as connection:
        counted = connection.exec_driver_sql("SELECT COUNT(*) FROM relay_transactions WHERE attempts > 1")
        return int(counted.scalar_one())


def payments(made: Running) -> list[str]:
    """The references of all repayments a client of the API made, as the file has them."""
    with made.registry.engine.connect() as connection:
        rows = connection.exec_driver_sql("SELECT fields FROM loan_records WHERE kind = 2").scalars()
        fields = [json.loads(text) for text in rows]
    return [given["reference"] for given in fields if (given.get("reference") or "").startswith("PAY-")]

"""A registry with a devnet behind it, two lenders admitted, and its parts as processes that a test may kill.

The processes run the command line as `python -m app --home …` does, settings given by the environment. Those of
`Running.start` are forked from a server that has imported the program once; `spawned` starts a new interpreter.
"""

import json
import multiprocessing
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from typing import Any

from sqlalchemy import func, select

from app.auditing import reconcile_all
from app.deployment import NewLender, admit_lender, deploy_contract, publish_shipped_products
from app.settings import Settings
from app.wiring import Registry
from audit.finding import Finding
from audit.queries import list_findings
from chain.artifacts import load_artifact
from chain.devnet import Devnet, DevnetInfo
from compliance.storage import import_demonstration_list
from registry.domain.outbox import OutboxAction
from registry.storage.tables import loan_records, loans, outbox
from tests.support.devnet import TOOLS, Chain, install_tools
from tests.support.fold import FoldedChain, fold_node
from tests.support.mirrors import digest_of, position

ROOT = Path(__file__).parents[2]
SECONDS_MAX = 240.0
FINALITY_DEPTH = 12
LENDERS = (NewLender("harbour", "Harbour Bank", "BANK"), NewLender("lotus", "Lotus Finance", "CONSUMER_FINANCE"))
RECORD_ACTIONS = (OutboxAction.REGISTER, OutboxAction.APPEND, OutboxAction.ACCEPT)

_server = multiprocessing.get_context("forkserver")
_server.set_forkserver_preload(["app.cli.root", "catboost", "eth_account", "tests.support.running"])


@dataclass
class Running:
    """One installation, its chain, and what was started on it."""

    registry: Registry
    info: DevnetInfo
    environment: Mapping[str, str]
    _started: list[ForkServerProcess] = field(default_factory=list)

    @property
    def home(self) -> Path:
        return self.registry.settings.home

    def start(self, *command: str) -> ForkServerProcess:
        """`loan-registry COMMAND` in a process of its own; its output goes into a file of the home."""
        log = self.home / f"{command[0]}.log"
        process = _server.Process(target=_become, args=(self._arguments(*command), dict(self.environment), str(log)))
        process.start()
        self._started.append(process)
        return process

    def spawned(self, *command: str, **more: Any) -> subprocess.Popen[bytes]:
        """The same in a new interpreter."""
        return subprocess.Popen(
            [sys.executable, "-m", "app", *self._arguments(*command)], cwd=ROOT, env=self.environment, **more
        )

    def command(self, *command: str) -> Any:
        """The JSON answer of a command that ends by itself."""
        out = self.home / "answer.json"
        with out.open("wb") as file:
            process = self.spawned(*command, stdout=file)
            code = process.wait(SECONDS_MAX)
        assert code == 0, command
        return json.loads(out.read_bytes())

    def kill(self, process: ForkServerProcess) -> None:
        """`kill -9`."""
        process.kill()
        process.join()

    def end(self) -> None:
        for process in self._started:
            if process.is_alive():
                self.kill(process)

    def chain(self) -> Chain:
        """The contract, called from Anvil's unlocked accounts; the first is the administrator's."""
        return Chain(self.info, load_artifact(), f"0x{self.registry.binding.contract.hex()}")

    def mine(self, blocks: int = FINALITY_DEPTH + 1) -> None:
        Devnet.mine(self.registry.settings.devnet_home, blocks)

    def anchor(self) -> None:
        """Relay, mine until it is final, index; in this process."""
        assert self.registry.relay().drain(SECONDS_MAX).is_drained
        self.mine()
        self.registry.indexer().catch_up(SECONDS_MAX)

    def fold(self) -> FoldedChain:
        """What the mirror must hold, from the raw logs."""
        at = position(self.registry.engine).block_number
        return fold_node(self.info.url, self.registry.binding.contract, at)

    def findings(self) -> list[Finding]:
        """Everything a reconciliation with the chain finds."""
        report = reconcile_all(self.registry)
        if not report.findings:
            return []
        with self.registry.engine.connect() as connection:
            found = list_findings(connection, first=100_000)
        return [item.finding for item in found if item.run_id == report.run_id]

    def assert_mirrors_the_chain(self) -> None:
        """The mirror is the fold of the raw logs, which the product had no part in."""
        assert digest_of(self.registry.engine) == self.fold().digest()

    def assert_all_anchored(self) -> None:
        """Every record of the file is on chain and every record on chain in the file: once, in order, and clean."""
        self.assert_mirrors_the_chain()
        on_chain = {place: (record[0], record[1]) for place, record in self.fold().records.items()}
        assert self.filed() == on_chain
        queued = self.queued()
        assert len(queued) == len(set(queued)) == len(on_chain)
        assert set(queued) == {commitment for _, commitment in on_chain.values()}
        report = reconcile_all(self.registry)
        found = self.findings()
        assert not found, found
        assert (report.findings, report.not_yet, report.records) == (0, 0, len(on_chain))

    def filed(self) -> dict[tuple[bytes, int], tuple[int, bytes]]:
        """(kind, commitment) of every record by (loan key, sequence)."""
        columns = loan_records.c
        with self.registry.engine.connect() as connection:
            rows = connection.execute(select(columns.loan_key, columns.sequence, columns.kind, columns.commitment))
            return {(row.loan_key, row.sequence): (row.kind, row.commitment) for row in rows}

    def queued(self) -> list[bytes]:
        """The commitments of all entries of the outbox that carry a record and were not voided."""
        entry = outbox.c
        wanted = entry.action.in_([action.value for action in RECORD_ACTIONS]), entry.voided_at.is_(None)
        with self.registry.engine.connect() as connection:
            return list(connection.execute(select(entry.commitment).where(*wanted)).scalars())

    def references(self) -> list[str]:
        """The sources' references of all loans that came from one, in order."""
        reference = loans.c.external_reference
        with self.registry.engine.connect() as connection:
            return sorted(connection.execute(select(reference).where(reference.is_not(None))).scalars())

    def records(self) -> int:
        with self.registry.engine.connect() as connection:
            return int(connection.execute(select(func.count()).select_from(loan_records)).scalar_one())

    def _arguments(self, *command: str) -> list[str]:
        return ["--json", "--home", str(self.home), *command]


@contextmanager
def running(home: Path, database_url: str | None = None, **settings: Any) -> Iterator[Running]:
    """A devnet, the contract, the products and two lenders; all processes end with the block."""
    install_tools()
    named = {"home": home, "tools": TOOLS, "log_level": "warning", **settings}
    if database_url is not None:
        named["database_url"] = database_url
    registry = Registry(Settings(**named))
    info = Devnet.up(registry.settings.devnet_home, TOOLS)
    made = Running(registry, info, _environment(named))
    try:
        deploy_contract(registry)
        publish_shipped_products(registry)
        with registry.engine.begin() as connection:
            import_demonstration_list(connection)
        for lender in LENDERS:
            admit_lender(registry, lender)
        yield made
    finally:
        made.end()
        registry.engine.dispose()
        Devnet.down(registry.settings.devnet_home)


def wait_until(condition: Callable[[], object], what: str, seconds_max: float = SECONDS_MAX) -> None:
    deadline = time.monotonic() + seconds_max
    while not condition():
        assert time.monotonic() < deadline, f"{what} did not come true in {seconds_max:.0f} s"
        time.sleep(0.05)


def _environment(settings: Mapping[str, Any]) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.upper().startswith("LOAN_REGISTRY_")}
    given = {f"LOAN_REGISTRY_{name.upper()}": str(value) for name, value in settings.items() if name != "home"}
    return {**kept, **given, "PYTHONPATH": str(ROOT)}


def _become(arguments: list[str], environment: dict[str, str], log: str) -> None:
    """Be `loan-registry ARGUMENTS…`."""
    from app.cli.root import main  # noqa: PLC0415  the server of the forks has imported it

    os.setsid()
    signal.signal(signal.SIGINT, signal.default_int_handler)
    written = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    os.dup2(written, 1)
    os.dup2(written, 2)
    os.environ.clear()
    os.environ.update(environment)
    sys.argv = ["loan-registry", *arguments]
    main()

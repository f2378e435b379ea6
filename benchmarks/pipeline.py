"""The whole way of a real loan tape, each stage a process of its own, measured from outside.

`python benchmarks/pipeline.py --tape TAPE --mapping NAME [--limit 5000] [--whole-import] [--evidence 100]` takes a tape
through import with scores and checks, anchoring, indexing, reconciliation and evidence in a fresh home. For every
process it gives wall seconds, processor seconds and peak resident memory as the operating system counts them, and
prints Markdown tables. `--whole-import` imports the whole tape instead, into a home of its own, without anchoring.
"""

import argparse
import datetime as dt
import json
import os
import platform
import resource
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
FINAL_AFTER = 13  # blocks to mine: the default finality depth, and one
DRAIN_SECONDS_MAX = 7_200
# ru_maxrss is in kilobytes on Linux and in bytes on macOS.
RSS_UNIT = 1 if sys.platform == "darwin" else 1_024


@dataclass(frozen=True)
class Stage:
    """One process that ended well: what it said, wall and processor seconds, peak resident bytes."""

    name: str
    result: dict[str, Any]
    wall: float
    cpu: float
    peak: int

    def row(self, said: str) -> str:
        return f"| {self.name} | {said} | {self.wall:,.1f} | {self.cpu:,.1f} | {self.peak / 1e6:,.0f} |"


@dataclass
class Pipeline:
    """The stages of one home, in the order they were run."""

    home: Path
    stages: list[Stage] = field(default_factory=list)

    def run(self, name: str, *command: str) -> Stage:
        """Run `loan-registry` with JSON answers."""
        return self.measured(name, [sys.executable, "-m", "app", "--json", "--home", str(self.home), *command])

    def measured(self, name: str, command: Sequence[str]) -> Stage:
        environment = {key: value for key, value in os.environ.items() if not key.startswith("LOAN_REGISTRY_")}
        environment["LOAN_REGISTRY_LOG_LEVEL"] = "warning"
        with tempfile.TemporaryFile() as out:
            start = time.perf_counter()
            process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=out)
            _, status, usage = os.wait4(process.pid, 0)
            wall = time.perf_counter() - start
            process.returncode = os.waitstatus_to_exitcode(status)
            out.seek(0)
            answer = out.read()
        if process.returncode != 0:
            raise SystemExit(f"{name} ended with {process.returncode}: {answer[-500:].decode()}")
        result = json.loads(answer) if answer.strip() else {}
        stage = Stage(name, result, wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * RSS_UNIT)
        self.stages.append(stage)
        print(f"{name}: {wall:.1f} s", file=sys.stderr, flush=True)
        return stage

    def ask(self, query: str) -> list[tuple[Any, ...]]:
        connection = sqlite3.connect(f"file:{self.home / 'registry.sqlite3'}?mode=ro", uri=True)
        try:
            return connection.execute(query).fetchall()
        finally:
            connection.close()

    def prepare(self) -> None:
        self.run("devnet up", "devnet", "up")
        self.run("deploy", "deploy")
        self.run("admit", "admit", "marketplace", "Marketplace Lending Inc.", "--licence", "MARKETPLACE")
        self.run("lists demo", "lists", "demo")

    def devnet_peak(self) -> int:
        """Peak resident bytes of Anvil, 0 where the system does not tell."""
        pid = json.loads((self.home / "devnet" / "devnet.json").read_text())["pid"]
        status = Path(f"/proc/{pid}/status")
        if not status.exists():
            return 0
        (line,) = [line for line in status.read_text().splitlines() if line.startswith("VmHWM")]
        return int(line.split()[1]) * 1_024

    def end(self) -> None:
        if (self.home / "devnet" / "devnet.json").exists():
            self.run("devnet down", "devnet", "down")


def whole_way(home: Path, tape: Path, mapping: str, limit: int, evidence: int) -> None:
    """Import, anchor, index, reconcile and prove the first `limit` loans of the tape; prints the table."""
    pipeline = Pipeline(home)
    try:
        _whole_way(pipeline, tape, mapping, limit, evidence)
    finally:
        pipeline.end()


def _whole_way(pipeline: Pipeline, tape: Path, mapping: str, limit: int, evidence: int) -> None:
    home = pipeline.home
    pipeline.prepare()
    rows: list[str] = []
    imported = pipeline.run(
        "import, score, check", "import", str(tape), "--mapping", mapping, "--lender", "1", "--limit", str(limit)
    )
    rows.append(imported.row(import_said(imported.result)))
    anchored = pipeline.run("anchor (relay)", "relay", "--once", "--timeout", str(DRAIN_SECONDS_MAX))
    said = f"{anchored.result['assigned']:,} records in {anchored.result['mined']:,} transactions"
    rows.append(anchored.row(f"{said}, {anchored.result['refused']} refused"))
    pipeline.run("mine", "devnet", "mine", str(FINAL_AFTER))
    indexed = pipeline.run("index", "index", "--once", "--timeout", str(DRAIN_SECONDS_MAX))
    rows.append(indexed.row(f"{indexed.result['records']:,} records to block {indexed.result['to_block']:,}"))
    reconciled = pipeline.run("reconcile", "reconcile")
    found = reconciled.result
    said = f"{found['records']:,} records of {found['loans']:,} loans, {found['differences']} differences"
    rows.append(reconciled.row(f"{said}, {found['not_on_chain_yet']} not on chain"))
    loan_ids = [row[0] for row in pipeline.ask("SELECT id FROM loans ORDER BY next_sequence DESC, id")]
    one = pipeline.run("evidence, one loan", "evidence", loan_ids[0], "--out", str(home / "loan.evidence.json"))
    rows.append(one.row(f"{(home / 'loan.evidence.json').stat().st_size:,} bytes"))
    worker = [sys.executable, "-m", "benchmarks.pipeline", "--prove", str(home), "--evidence", str(evidence)]
    proven = pipeline.measured("evidence and offline verification", worker)
    rows.append(proven.row(f"{proven.result['verified']:,} of {proven.result['loans']:,} loans verified"))
    states = dict(pipeline.ask("SELECT state, COUNT(*) FROM loan_verifications GROUP BY state"))
    rows.append(f"| Anvil (runs beside all of them) | | | | {pipeline.devnet_peak() / 1e6:,.0f} |")
    show_table(rows)
    share = 100 * states.get("VERIFIED", 0) / sum(states.values())
    print(f"\nLoans whose every record is on chain and equal in file, mirror and chain: {share:.2f} % ({states}).")


def whole_import(home: Path, tape: Path, mapping: str) -> None:
    """Import the whole tape with scores and checks, without anchoring; prints the table."""
    pipeline = Pipeline(home)
    try:
        pipeline.prepare()
        imported = pipeline.run("import, score, check", "import", str(tape), "--mapping", mapping, "--lender", "1")
    finally:
        pipeline.end()
    show_table([imported.row(import_said(imported.result))])
    size = (home / "registry.sqlite3").stat().st_size
    print(f"\nDatabase: {size / 1e6:,.0f} MB.")


def import_said(result: dict[str, Any]) -> str:
    named = ("loans", "records", "decisions", "skipped", "undecided")
    return f"{result['rows']:,} rows, " + ", ".join(f"{result[name]:,} {name}" for name in named)


def prove(home: Path, count: int) -> None:
    """In a process of its own: make and verify the evidence of `count` loans, each profile in turn."""
    from app.auditing import evidence_of, trust_of  # noqa: PLC0415  only this process loads the registry
    from app.settings import load_settings  # noqa: PLC0415
    from app.wiring import Registry  # noqa: PLC0415
    from audit.disclosure import DisclosureProfile  # noqa: PLC0415
    from audit.evidence import evidence_bytes  # noqa: PLC0415
    from audit.verify import verify  # noqa: PLC0415

    registry = Registry(load_settings(home=home))
    with registry.engine.connect() as connection:
        rows = connection.exec_driver_sql("SELECT id FROM loans ORDER BY id").fetchall()
    chosen = [row[0] for row in rows[:: max(1, len(rows) // count)]][:count]
    profiles = list(DisclosureProfile)
    verified = 0
    for number, loan_id in enumerate(chosen):
        made = evidence_of(registry, loan_id, profiles[number % len(profiles)])
        trust = trust_of(registry, int(made["block"]["number"]))
        verified += verify(evidence_bytes(made), trust).verified
    print(json.dumps({"loans": len(chosen), "verified": verified}))


def show_table(rows: Sequence[str]) -> None:
    print("| stage | what | wall s | processor s | peak MB |")
    print("|---|---|---:|---:|---:|")
    print("\n".join(rows))


def show_machine() -> None:
    """Which machine, how busy, and when."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    load = " ".join(f"{value:.1f}" for value in os.getloadavg())
    print(f"{dt.datetime.now(dt.UTC):%Y-%m-%d}, Python {platform.python_version()}, {platform.machine()}")
    print(f"{os.cpu_count()} processors, {memory / 1e9:.0f} GB; load before the run {load}\n")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tape", type=Path, default=ROOT / "../shared/data/lendingclub_2007_2011/loans.csv.gz")
    parser.add_argument("--mapping", default="lendingclub_2007_2011")
    parser.add_argument("--limit", type=int, default=5_000)
    parser.add_argument("--evidence", type=int, default=100, help="of how many loans evidence is made and verified")
    parser.add_argument("--whole-import", action="store_true", help="import the whole tape, without anchoring")
    parser.add_argument("--prove", type=Path, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.prove is not None:
        prove(asked.prove, asked.evidence)
        return
    if not asked.tape.is_file():
        raise SystemExit(f"There is no tape at {asked.tape}; give one with --tape.")
    show_machine()
    with tempfile.TemporaryDirectory(prefix="loan-registry-") as folder:
        home, tape = Path(folder), asked.tape.resolve()
        if asked.whole_import:
            whole_import(home, tape, asked.mapping)
        else:
            whole_way(home, tape, asked.mapping, asked.limit, asked.evidence)
    own = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * RSS_UNIT
    print(f"\nPeaks below {own / 1e6:,.0f} MB, the size of the measuring process, cannot be told apart.")


if __name__ == "__main__":
    main()

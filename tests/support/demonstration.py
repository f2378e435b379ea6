"""A registry that has run the demonstration: twenty loans anchored, its devnet up, and another chain beside it.

Use by `from tests.support.demonstration import another_chain, registry, unchanged` in a conftest.
"""

import hashlib
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from chain.rpc import Rpc
from tests.support.command_line import CommandLine
from tests.support.devnet import install_tools

LOANS = 20


@dataclass(frozen=True)
class Installation:
    """A registry that has run the demonstration, with its devnet up."""

    command: CommandLine
    url: str
    evidence: Path
    trust: Path

    @property
    def home(self) -> Path:
        return self.command.home

    def database(self) -> sqlite3.Connection:
        return sqlite3.connect(self.home / "registry.sqlite3", isolation_level=None)

    def state(self) -> tuple[str, str]:
        """A digest of everything in the database, and the chain's height."""
        with self.database() as database:
            dumped = hashlib.sha256("\n".join(database.iterdump()).encode()).hexdigest()
        return dumped, height(self.url)

    def one(self, statement: str, *values: object) -> Any:
        with self.database() as database:
            return database.execute(statement, values).fetchone()


def height(url: str) -> str:
    with Rpc(url) as rpc:
        return str(rpc.call("eth_blockNumber"))


@pytest.fixture(scope="session")
def registry(command_line: CommandLine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    install_tools()
    command = command_line.on(tmp_path_factory.mktemp("registry") / "home")
    shown = command.json("demo", "--once", "--loans", LOANS)
    assert shown.code == 0, shown.err
    assert (shown.result["loans"], shown.result["differences"]) == (LOANS, 0)
    url = command.json("devnet", "up").result["url"]
    # A devnet has no state of blocks before its start, so the newest final block has to be a later one.
    assert command.run("devnet", "mine", 14).code == 0
    assert command.run("index", "--once").code == 0
    home = command.home
    yield Installation(command, url, home / "loan.evidence.json", home / "trust.json")
    command.run("devnet", "down")


@pytest.fixture(scope="session")
def another_chain(command_line: CommandLine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of a devnet of another home."""
    command = command_line.on(tmp_path_factory.mktemp("other") / "home")
    yield command.json("devnet", "up").result["url"]
    command.run("devnet", "down")


@pytest.fixture
def unchanged(registry: Installation) -> Iterator[None]:
    before = registry.state()
    yield
    assert registry.state() == before

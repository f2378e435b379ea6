"""The command line as its users have it: a process for each command, its own standard output and error, its exit code.

Importing the program takes seconds, so one process imports it and forks for each command; `spawned` starts a new
interpreter instead. Use by `from tests.support.command_line import command_line`.
"""

import json
import os
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from tests.support.devnet import TOOLS

ROOT = Path(__file__).parents[2]
SECONDS_MAX = 300
PREFIX = "LOAN_REGISTRY_"


@dataclass(frozen=True)
class Ended:
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def result(self) -> Any:
        """What a `--json` command wrote to standard output."""
        return json.loads(self.out)

    @property
    def error(self) -> dict[str, str]:
        """What a `--json` command wrote to standard error: exactly one line."""
        (line,) = self.err.splitlines()
        return dict(json.loads(line))


@dataclass(frozen=True)
class CommandLine:
    """Runs commands on one home, in one working directory, under one environment."""

    process: socket.socket
    cwd: Path
    home: Path
    environment: Mapping[str, str]

    def on(self, home: Path, **settings: str) -> "CommandLine":
        """The same on another home, with settings given by environment variables: `rpc_url="http://…"`."""
        named = {f"{PREFIX}{name.upper()}": value for name, value in settings.items()}
        return replace(self, home=home, environment={**self.environment, **named})

    def given(self, **settings: str) -> "CommandLine":
        return self.on(self.home, **settings)

    def run(self, *arguments: object) -> Ended:
        """`loan-registry --home HOME ARGUMENTS…`."""
        return self.bare("--home", self.home, *arguments)

    def json(self, *arguments: object) -> Ended:
        return self.run("--json", *arguments)

    def bare(self, *arguments: object) -> Ended:
        """`loan-registry ARGUMENTS…`, and nothing else."""
        with tempfile.TemporaryDirectory() as folder:
            out, err = Path(folder, "out"), Path(folder, "err")
            command = {
                "arguments": [str(argument) for argument in arguments],
                "cwd": str(self.cwd),
                "environment": dict(self.environment),
                "out": str(out),
                "err": str(err),
            }
            self.process.sendall(json.dumps(command).encode() + b"\n")
            code = int(self.process.recv(64))
            return Ended(code, out.read_text(), err.read_text())

    def spawned(self, *arguments: object) -> Ended:
        """The same as `bare` in a new interpreter."""
        ended = subprocess.run(
            [sys.executable, "-m", "app", *map(str, arguments)],
            cwd=self.cwd,
            env={**self.environment, "PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
            timeout=SECONDS_MAX,
            check=False,
        )
        return Ended(ended.returncode, ended.stdout, ended.stderr)


@pytest.fixture(scope="session")
def command_line(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CommandLine]:
    """The command line in a folder of its own, without settings of whoever runs the tests."""
    folder = tmp_path_factory.mktemp("commands")
    ours, theirs = socket.socketpair()
    ours.settimeout(SECONDS_MAX)
    with subprocess.Popen(
        [sys.executable, "-m", "tests.support.command_line", str(theirs.fileno())],
        cwd=ROOT,
        pass_fds=[theirs.fileno()],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
    ) as process:
        theirs.close()
        kept = {name: value for name, value in os.environ.items() if not name.upper().startswith(PREFIX)}
        yield CommandLine(ours, folder, folder / "home", {**kept, f"{PREFIX}TOOLS": str(TOOLS)})
        ours.close()
        process.wait(timeout=SECONDS_MAX)


def serve(number: int) -> None:
    """Fork for each command that comes in; end when the other side closes."""
    # Imported before the forks, so that each finds it done: the program, and what some commands load late.
    for module in ("app.cli.root", "catboost", "eth_account", "sqlalchemy.dialects.sqlite"):
        import_module(module)

    with socket.socket(fileno=number) as asked, asked.makefile("rb") as lines:
        for line in lines:
            child = os.fork()
            if child == 0:
                asked.close()
                _become(json.loads(line))
            _, status = os.waitpid(child, 0)
            asked.sendall(str(os.waitstatus_to_exitcode(status)).encode())


def _become(command: dict[str, Any]) -> None:
    """Be the command: everything as a new process would have it, except for what is imported already."""
    main = import_module("app.cli.root").main
    code = 1
    try:
        for name, descriptor in (("out", 1), ("err", 2)):
            os.dup2(os.open(command[name], os.O_WRONLY | os.O_CREAT, 0o600), descriptor)
        os.chdir(command["cwd"])
        os.environ.clear()
        os.environ.update(command["environment"])
        sys.argv = ["loan-registry", *command["arguments"]]
        main()
    except SystemExit as ended:
        code = ended.code if isinstance(ended.code, int) else int(ended.code is not None)
    except BaseException:
        sys.excepthook(*sys.exc_info())
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


if __name__ == "__main__":
    serve(int(sys.argv[1]))

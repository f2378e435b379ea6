"""Every command, query and snippet of the pages runs as written, on one demo that is served, and shows what they say.

The pages use the default home `var` and port 8000. The commands run in a folder that looks like the checkout, with a
`var` of its own, and the port is replaced by a free one.
"""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx2
import orjson
import pytest

from tests.support.devnet import install_tools
from tests.support.pages import Block, Command, blocks, commands, matches

ROOT = Path(__file__).parents[2]
# In this order: what a page books, the pages after it see.
PAGES = (
    "README.md",
    "docs/graphql.md",
    "docs/cli.md",
    "docs/configuration.md",
    "docs/errors.md",
    "docs/import.md",
    "docs/simulation.md",
    "docs/operations.md",
    "docs/evidence-format.md",
    "CONTRIBUTING.md",
    "ARCHITECTURE.md",
)
RUN = ("console", "sh")
NOT_HERE = ("make ", "npm ", "-m pytest")  # run by the gate itself, or before it
LOANS, START_SECONDS_MAX, PAGE_SECONDS_MAX, END_SECONDS_MAX = "60", 180.0, 240.0, 60.0
END = "=====end-of-command====="


@dataclass(frozen=True)
class Demo:
    """A folder that looks like the checkout after `make demo`, while it serves."""

    folder: Path
    port: int

    @property
    def environment(self) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith("LOAN_REGISTRY_")}
        programs = f"{self.folder / '.venv' / 'bin'}{os.pathsep}{kept['PATH']}"
        return kept | {"LOAN_REGISTRY_PORT": str(self.port), "PATH": programs, "COLUMNS": "400"}

    def key(self, name: str) -> str:
        lines = (self.folder / "var" / "access-keys.txt").read_text().splitlines()
        return dict(line.split(" ") for line in lines)[name]

    def ask(self, key: str, query: str, variables: dict[str, Any] | None = None) -> dict[str, Any]:
        answer = httpx2.post(
            f"http://127.0.0.1:{self.port}/graphql",
            headers={"Authorization": f"Bearer {self.key(key)}"},
            json={"query": query, "variables": variables or {}},
            timeout=60,
        )
        found: dict[str, Any] = answer.json()
        return found


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    install_tools()
    folder = tmp_path_factory.mktemp("checkout")
    for entry in ROOT.iterdir():
        if entry.name not in {"var", ".git", "loan-registry.toml", ".venv"}:
            (folder / entry.name).symlink_to(entry)
    (folder / ".venv").symlink_to(Path(sys.prefix))
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        prepared = Demo(folder, probe.getsockname()[1])
    log = folder / "demo.log"
    with log.open("wb") as out:
        process = subprocess.Popen(
            [sys.executable, "-m", "app", "demo", "--loans", LOANS], cwd=folder, env=prepared.environment,
            stdin=subprocess.DEVNULL, stdout=out, stderr=out,
        )  # fmt: skip
    try:
        _await_ready(prepared, process, log)
        yield prepared
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
            process.wait(END_SECONDS_MAX)
        _run(prepared, [sys.executable, "-m", "app", "devnet", "down"])  # if the demo could not


@pytest.mark.parametrize("name", PAGES)
def test_the_commands_of_a_page_run_and_show_what_it_says(demo: Demo, name: str) -> None:
    page = ROOT / name
    found = list(blocks(page))
    for block in found:
        if block.save_as is not None:
            (demo.folder / block.save_as).write_text(block.text, encoding="utf-8")
    wanted = [command for block in found if block.language in RUN for command in commands(block) if _is_run(command)]
    for command, (status, output) in zip(wanted, _outputs(demo, wanted), strict=True):
        where = f"{name}:{command.line}: {command.text}\n--- gave, with exit code {status}:\n{output}"
        asks_for_status = any(later.text == "echo $?" for later in wanted[wanted.index(command) + 1 :][:1])
        assert status == 0 or asks_for_status, where
        if command.shown is not None:
            assert matches(command.shown.replace("8000", str(demo.port)), output), (
                f"{where}\n--- said:\n{command.shown}"
            )


def test_the_queries_of_the_pages_answer_without_an_error(demo: Demo) -> None:
    asked = 0
    for name in PAGES:
        found = [block for block in blocks(ROOT / name) if block.language in {"graphql", "json"}]
        for at, block in enumerate(found):
            if block.language != "graphql":
                continue
            follows = found[at + 1] if at + 1 < len(found) and found[at + 1].language == "json" else None
            key = "front-end-1" if block.text.lstrip().startswith("mutation") else "auditor"
            answer = demo.ask(key, block.text, _variables(demo, key, follows) if "$" in block.text else None)
            assert "errors" not in answer, f"{name}:{block.line}: {answer}"
            assert not [part for part in answer["data"].values() if _is_refusal(part)], f"{name}:{block.line}: {answer}"
            asked += 1
    assert asked >= 4


def test_python_blocks_of_the_pages_run(demo: Demo) -> None:
    for name in PAGES:
        for block in blocks(ROOT / name):
            if block.language == "python":
                ended = _run(demo, [sys.executable, "-c", block.text])
                assert ended.returncode == 0, f"{name}:{block.line}: {ended.stdout}"


def test_every_block_of_the_pages_names_what_it_is() -> None:
    """A misspelt language would leave a block untested."""
    known = {"", "console", "sh", "graphql", "json", "toml", "csv", "python"}
    strange = [f"{name}:{block.line} {block.language}" for name in PAGES for block in blocks(ROOT / name)
               if block.language not in known]  # fmt: skip
    assert strange == []
    prompts = [f"{name}:{block.line}" for name in PAGES for block in blocks(ROOT / name)
               if block.language not in RUN and block.text.startswith("$ ")]  # fmt: skip
    assert prompts == []


def test_the_readmes_two_commands_exist() -> None:
    for target in ("demo", "test", "check"):
        subprocess.run(["make", "--dry-run", target], cwd=ROOT, check=True, capture_output=True)


def _outputs(demo: Demo, wanted: list[Command]) -> list[tuple[int, str]]:
    """Exit code and output of each command, all run by one shell, so that variables and `$?` carry over."""
    if not wanted:
        return []
    script = ["(exit 0)"]
    for command in wanted:
        text = command.text.replace("localhost:8000", f"127.0.0.1:{demo.port}")
        text = f"(set -e\n{text})" if command.shown is None else text  # a script ends at its first failure
        script.append(f"{text}\nlast_status=$?; printf '\\n{END}%s\\n' \"$last_status\"; (exit $last_status)")
    ended = _run(demo, ["bash", "-c", "\n".join(script)])
    parts = ended.stdout.split(f"\n{END}")
    assert len(parts) == len(wanted) + 1, ended.stdout
    outputs, statuses = [parts[0]], []
    for part in parts[1:]:
        status, _, rest = part.partition("\n")
        statuses.append(int(status))
        outputs.append(rest)
    return list(zip(statuses, outputs, strict=False))


def _variables(demo: Demo, key: str, block: Block | None) -> dict[str, Any]:
    assert block is not None, "a query with variables is followed by a json block with their values"
    active = "loans(first: 20, filter: {status: [ACTIVE]}) { edges { node { id lender { id } } } }"
    query = f"{{ viewer {{ lender {{ id }} }} {active} }}"
    found = demo.ask(key, query)["data"]
    own = (found["viewer"]["lender"] or {}).get("id")
    loans = [edge["node"] for edge in found["loans"]["edges"]]
    loan = next(node for node in loans if own in {None, node["lender"]["id"]})
    today = datetime.now(UTC).date().isoformat()
    values: dict[str, Any] = orjson.loads(block.text.replace("LOAN", loan["id"]).replace("TODAY", today))
    return values


def _is_refusal(part: Any) -> bool:
    return isinstance(part, dict) and "retryable" in part


def _is_run(command: Command) -> bool:
    return not any(word in command.text for word in NOT_HERE)


def _run(demo: Demo, arguments: list[str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        arguments, cwd=demo.folder, env=demo.environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, text=True, timeout=PAGE_SECONDS_MAX, check=False,
    )  # fmt: skip


def _await_ready(demo: Demo, process: subprocess.Popen[bytes], log: Path) -> None:
    """Until the API answers that everything it needs is there."""
    deadline = time.monotonic() + START_SECONDS_MAX
    while process.poll() is None and time.monotonic() < deadline:
        try:
            if httpx2.get(f"http://127.0.0.1:{demo.port}/readyz", timeout=5).status_code == 200:
                return
        except httpx2.HTTPError:
            pass
        time.sleep(0.2)
    pytest.fail(f"The demo did not get ready:\n{log.read_text()}")

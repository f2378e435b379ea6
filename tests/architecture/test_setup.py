"""Set-up says what is missing and how to get it; nothing is installed by these tests."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.architecture.sources import ROOT

NEEDED = ("sh", "dirname", "grep", "cmp", "cp", "rm", "mkdir")
REAL_PYTHON = f'exec "{sys.executable}" "$@"'


def setup_with(programs: Path, **found: str) -> subprocess.CompletedProcess[str]:
    """Run the set-up where PATH has nothing but the shell's own programs and those given as scripts."""
    checkout = programs.parent / "checkout"
    (checkout / "scripts").mkdir(parents=True)
    shutil.copy(ROOT / "scripts" / "setup.sh", checkout / "scripts")
    programs.mkdir()
    for name in NEEDED:
        (programs / name).symlink_to(str(shutil.which(name)))
    for name, body in found.items():
        script = programs / name.replace("_", ".")
        script.write_text(f"#!/bin/sh\n{body}\n")
        script.chmod(0o755)
    environment = {"PATH": str(programs), "HOME": str(programs.parent)}
    return subprocess.run(
        [str(shutil.which("sh")), str(checkout / "scripts" / "setup.sh")],
        env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("found", "said"),
    [
        ({}, "Python 3.11 or newer is needed, found no python3"),
        (
            {"python3": 'echo "Python 3.9.2"; test "$1" = --version'},
            "Python 3.11 or newer is needed, found Python 3.9.2",
        ),
        ({"python3": REAL_PYTHON}, "Node.js 20 or newer is needed, found none"),
        ({"python3": REAL_PYTHON, "node": "echo v18.19.0"}, "Node.js 20 or newer is needed, found v18.19.0"),
        ({"python3": REAL_PYTHON, "node": "echo broken"}, "answered 'broken', which is no version"),
        ({"python3": REAL_PYTHON, "node": "echo v22.1.0"}, "npm is needed and comes with Node.js"),
        ({"python3": "exit 1", "python3_12": REAL_PYTHON, "node": "echo v18.0.0"}, "found v18.0.0"),
    ],
    ids=["nothing", "old-python", "no-node", "old-node", "broken-node", "no-npm", "newer-python-beside-a-broken-one"],
)
def test_what_is_missing_is_said_with_how_to_get_it(tmp_path: Path, found: dict[str, str], said: str) -> None:
    ended = setup_with(tmp_path / "bin", **found)
    assert ended.returncode != 0
    assert said in ended.stderr
    assert len(ended.stderr.splitlines()) == 1
    assert "install" in ended.stderr


def test_an_old_make_is_refused_before_anything_runs() -> None:
    ended = subprocess.run(
        ["make", "MAKE_VERSION=3.81", "setup"],
        cwd=ROOT, env={**os.environ, "MAKEFLAGS": ""}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert ended.returncode == 2
    assert "GNU make 4 or newer is needed, this is 3.81" in ended.stderr


@pytest.mark.parametrize(
    ("given", "command"),
    [
        ((), ["demo"]),
        (("ONCE=1",), ["demo", "--once"]),
        (
            ("ONCE=1", "TAPE=a b.csv", "MAPPING=bondora", "LIMIT=1000"),
            ["demo", "--once", "--tape", '"a b.csv"', "--mapping", '"bondora"', "--limit", "1000"],
        ),
    ],
)
def test_make_demo_hands_its_variables_on(given: tuple[str, ...], command: list[str]) -> None:
    printed = subprocess.run(
        ["make", "--no-print-directory", "--dry-run", "demo", *given],
        cwd=ROOT, env={**os.environ, "MAKEFLAGS": ""}, capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    assert " ".join(printed.replace("\\\n", " ").split()).endswith(" ".join([".venv/bin/python -m app", *command]))

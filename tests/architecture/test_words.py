"""Names and words that have no place in the project."""

import re
from functools import cache
from pathlib import Path

from tests.architecture.sources import ROOT, files, modules

NAMES = frozenset({"utils", "util", "helpers", "helper", "common", "manager", "managers", "misc", "tools", "base"})
TEXT = frozenset({".py", ".sol", ".md", ".toml", ".sh", ".js", ".ts", ".html", ".graphql", ".json", ".txt", ""})
GENERATED = frozenset({"package-lock.json", "schema.graphql"})
# Written so that this file does not hold them.
UNFINISHED = ("TO" + "DO", "FIX" + "ME", "place" + "holder", "for" + " now", "not implemented" + " yet")
WORKPLACE = ("/wor" + "k/", "/tmp/bri" + "ef", "cla" + "ude", "chat" + "gpt", "open" + "ai", "language mod" + "el")
DEVNET_TOOL = re.compile(r"\b(npx hardhat|hardhat (node|run|compile)|require\(.hardhat|hardhat\.config)", re.IGNORECASE)


@cache
def texts() -> dict[str, str]:
    """Every file that people write, by its place."""
    top = [path for path in ROOT.iterdir() if path.is_file() and path.suffix in TEXT and path.name != "uv.lock"]
    inner = [path for path in files() if path.suffix in TEXT and path.name not in GENERATED and not _is_data(path)]
    return {str(path.relative_to(ROOT)): path.read_text(encoding="utf-8") for path in (*top, *inner)}


def test_no_module_is_named_for_what_it_is_not() -> None:
    faults = [
        module.place
        for module in (*modules(), *modules("tests", "benchmarks", "scripts"))
        if NAMES.intersection(Path(module.place).with_suffix("").parts)
    ]
    assert faults == []


def test_nothing_is_left_unfinished() -> None:
    assert _found(UNFINISHED) == []


def test_the_project_speaks_of_itself_alone() -> None:
    assert _found(WORKPLACE) == []


def test_the_devnet_is_never_hardhat() -> None:
    faults = [place for place, text in texts().items() if DEVNET_TOOL.search(text)]
    assert [place for place in faults if place != "tests/architecture/test_words.py"] == []
    lock = (ROOT / "hardhat-free-devnet" / "package-lock.json").read_text()
    assert '"node_modules/hardhat"' not in lock


def _found(words: tuple[str, ...]) -> list[str]:
    pattern = re.compile("|".join(rf"(?<![A-Za-z]){re.escape(word)}(?![A-Za-z])" for word in words), re.IGNORECASE)
    return [
        f"{place}:{text[: match.start()].count(chr(10)) + 1} {match[0]!r}"
        for place, text in texts().items()
        for match in pattern.finditer(text)
    ]


def _is_data(path: Path) -> bool:
    return path.suffix == ".json" and path.stat().st_size > 50_000

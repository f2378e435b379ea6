"""The code blocks of a documentation page, as commands with the output shown, files to save, and queries to ask."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_SAVE = re.compile(r"^Save this as `([^`]+)`:\s*\Z", re.MULTILINE)


@dataclass(frozen=True)
class Block:
    """One fenced block: its language, its text, its line, and where the page says to save it."""

    language: str
    text: str
    line: int
    save_as: str | None


@dataclass(frozen=True)
class Command:
    """A command of a page; `shown` is the output the page promises, None where it shows none (a plain script)."""

    line: int
    text: str
    shown: str | None


def blocks(page: Path) -> Iterator[Block]:
    """Every fenced block, in order."""
    text = page.read_text(encoding="utf-8")
    for match in _BLOCK.finditer(text):
        save = _SAVE.search(text[: match.start()].rstrip("\n"))
        yield Block(match[1], match[2], text.count("\n", 0, match.start()) + 2, save[1] if save else None)


def commands(block: Block) -> Iterator[Command]:
    """The commands of a `console` block (lines after `$ `) or the one script of a `sh` block."""
    if block.language == "sh":
        yield Command(block.line, block.text, None)
        return
    lines = block.text.splitlines()
    at = 0
    while at < len(lines):
        first = at
        given = [lines[at].removeprefix("$ ")]
        while given[-1].endswith("\\"):
            at += 1
            given.append(lines[at])
        at += 1
        shown = []
        while at < len(lines) and not lines[at].startswith("$ "):
            shown.append(lines[at])
            at += 1
        yield Command(block.line + first, "\n".join(given), "\n".join(shown))


def matches(shown: str, found: str) -> bool:
    """Whether the output is as shown: `...` stands for anything, the width of white space does not count."""
    parts = [re.escape(" ".join(part.split())) for part in shown.split("...")]
    pattern = r"\s*" + r".*?".join(part.replace(r"\ ", r"\s+") for part in parts) + r"\s*"
    return re.fullmatch(pattern, " ".join(found.split()), re.DOTALL) is not None

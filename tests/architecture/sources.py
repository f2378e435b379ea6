"""The project's own source files, read once: what the rules in this folder are checked against."""

import ast
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGES = ("registry", "chain", "indexer", "scoring", "compliance", "audit", "graphql_api", "app")
# Everything that is written by hand and checked for size and words.
FOLDERS = (*PACKAGES, "tests", "benchmarks", "scripts", "contracts", "docs", "hardhat-free-devnet", "console", ".ci")
MADE_ELSEWHERE = frozenset({"node_modules", "__pycache__", "artifacts", "static", "dist"})
STDLIB = frozenset(sys.stdlib_module_names)


@dataclass(frozen=True)
class Module:
    """One Python file: `name` as it is imported, `path` from the root of the checkout."""

    path: Path

    @property
    def name(self) -> str:
        parts = self.path.relative_to(ROOT).with_suffix("").parts
        return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)

    @property
    def package(self) -> str:
        return self.path.relative_to(ROOT).parts[0]

    @property
    def place(self) -> str:
        return str(self.path.relative_to(ROOT))

    @cached_property
    def tree(self) -> ast.Module:
        return ast.parse(self.path.read_text(encoding="utf-8"), str(self.path))

    @cached_property
    def imports(self) -> tuple[tuple[int, str], ...]:
        """Every imported module as (line, dotted name); `from a import b` gives `a.b`."""
        found: list[tuple[int, str]] = []
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Import):
                found += [(node.lineno, alias.name) for alias in node.names]
            elif isinstance(node, ast.ImportFrom):
                base = self._base(node)
                found += [(node.lineno, f"{base}.{alias.name}") for alias in node.names]
        return tuple(found)

    def _base(self, node: ast.ImportFrom) -> str:
        if not node.level:
            return node.module or ""
        parts = self.name.split(".") + ([""] if self.path.name == "__init__.py" else [])
        return ".".join([*parts[: -node.level], *([node.module] if node.module else [])])


@cache
def modules(*packages: str) -> tuple[Module, ...]:
    """Every Python module of the packages, or of all."""
    return tuple(Module(path) for path in files(".py", packages or PACKAGES))


def files(suffix: str = "", folders: tuple[str, ...] = FOLDERS) -> Iterator[Path]:
    """Every file below the folders that people write, in the order of paths."""
    for folder in folders:
        for path in sorted((ROOT / folder).rglob(f"*{suffix}")):
            if path.is_file() and not MADE_ELSEWHERE.intersection(path.relative_to(ROOT).parts):
                yield path

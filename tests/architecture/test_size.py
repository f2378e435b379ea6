"""Files and functions stay small enough to be read at once."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from tests.architecture.sources import ROOT, Module, files, modules

FILE_LINES_MAX = 400
FUNCTION_LINES_MAX = 60
NESTING_MAX = 3

_NESTING = (ast.If, ast.For, ast.While, ast.Try, ast.Match, ast.AsyncFor)  # `with` decides nothing
_PYTHON = (*modules(), *modules("tests", "benchmarks", "scripts"))


def test_no_file_is_longer_than_400_lines() -> None:
    sources = [*(module.path for module in _PYTHON), *files(".sol", ("contracts",)), *files(".js"), *files(".sh")]
    lengths = {str(path.relative_to(ROOT)): len(path.read_text().splitlines()) for path in sources}
    assert {place: length for place, length in lengths.items() if length > FILE_LINES_MAX} == {}


def test_no_python_function_is_longer_than_60_lines() -> None:
    long = {
        f"{module.place}:{node.lineno} {node.name}": length
        for module in _PYTHON
        if "migrations/versions" not in module.place  # lists of tables, as Alembic writes them
        for node in _functions(module)
        if (length := (node.end_lineno or 0) - node.lineno + 1) > FUNCTION_LINES_MAX
    }
    assert long == {}


def test_no_solidity_function_is_longer_than_60_lines() -> None:
    long = {
        f"{path.relative_to(ROOT)}:{line}": length
        for path in files(".sol", ("contracts",))
        for line, length in _solidity_functions(path)
        if length > FUNCTION_LINES_MAX
    }
    assert long == {}


def test_control_flow_is_nested_at_most_three_deep() -> None:
    deep = {
        f"{module.place}:{node.lineno} {node.name}": depth
        for module in modules()
        for node in _functions(module)
        if (depth := max((_depth(child, 0) for child in node.body), default=0)) > NESTING_MAX
    }
    assert deep == {}


def _functions(module: Module) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(module.tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def _depth(node: ast.stmt, above: int) -> int:
    """How deep the statement nests; an `elif` is no deeper than its `if`, an inner function begins anew."""
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return 0
    here = above + isinstance(node, _NESTING)
    deepest = here
    for name in ("body", "orelse", "finalbody", "handlers", "cases"):
        for child in getattr(node, name, []):
            elif_ = name == "orelse" and isinstance(node, ast.If) and isinstance(child, ast.If)
            parts = child.body if isinstance(child, ast.ExceptHandler | ast.match_case) else [child]
            deepest = max([deepest, *(_depth(part, above if elif_ else here) for part in parts)])
    return deepest


def _solidity_functions(path: Path) -> Iterator[tuple[int, int]]:
    """First line and length of each function with a body; it ends where its indentation does."""
    lines = path.read_text().splitlines()
    for number, line in enumerate(lines):
        match = re.match(r"( *)(function|constructor|modifier)\b", line)
        if match and not line.rstrip().endswith(";"):
            ends = (at for at in range(number, len(lines)) if lines[at] == f"{match[1]}}}")
            yield number + 1, next(ends, number) - number + 1

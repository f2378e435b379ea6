"""A table is written by exactly one package: the one that owns the module it is defined in."""

import ast
import re
from collections.abc import Iterator

from tests.architecture.sources import Module, modules

WRITES = frozenset({"insert", "update", "delete"})
RAW_WRITE = re.compile(r"\s*(INSERT INTO|DELETE FROM|UPDATE)\s+(\w+)", re.IGNORECASE)


def tables() -> dict[str, str]:
    """Every table's dotted name with the package that owns it."""
    found = {}
    for module in modules():
        for node in module.tree.body:
            if isinstance(node, ast.Assign) and _is_table(node.value) and isinstance(node.targets[0], ast.Name):
                found[f"{module.name}.{node.targets[0].id}"] = module.package
    return found


def writes(module: Module) -> Iterator[tuple[int, str]]:
    """Each insert, update or delete of the module, as (line, the table's dotted name where it is known)."""
    bound = dict(_bound(module))
    for node in ast.walk(module.tree):
        if not isinstance(node, ast.Call):
            continue
        target = _target(node)
        if target is not None:
            yield node.lineno, bound.get(target, f"{module.name}.{target}")


def test_every_table_is_written_by_its_own_package_alone() -> None:
    owners = tables()
    faults = [
        f"{module.place}:{line} writes {table} of {owners[table]}"
        for module in modules()
        for line, table in writes(module)
        if table in owners and owners[table] != module.package
    ]
    assert faults == []


def test_the_search_for_writers_sees_the_known_ones() -> None:
    owners = tables()
    written = {table for module in modules() for _, table in writes(module) if table in owners}
    assert {
        "registry.storage.tables.outbox",
        "registry.storage.tables.loan_records",
        "chain.tables.relay_items",
        "indexer.tables.mirror_records",
        "indexer.tables.mirror_cursor",
    } <= written
    assert len(owners) >= 25


def test_raw_sql_writes_to_tables_of_its_own_package_alone() -> None:
    owners = {dotted.rpartition(".")[2]: package for dotted, package in tables().items()}
    faults = [
        f"{module.place}:{node.lineno} writes {match[2]}"
        for module in modules()
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
        if (match := RAW_WRITE.match(node.value)) is not None
        if owners.get(match[2], module.package) != module.package
    ]
    assert faults == []


def test_no_table_has_a_column_of_binary_fractions() -> None:
    """Money is whole minor units, rates are exact decimal text."""
    faults = [
        f"{module.place}:{node.lineno}"
        for module in modules()
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Call) and _name(node.func) == "Column"
        for part in ast.walk(node)
        if isinstance(part, ast.Name | ast.Attribute)
        and _name(part) in {"Float", "Numeric", "Double", "REAL", "DOUBLE"}
    ]
    assert faults == []


def _bound(module: Module) -> Iterator[tuple[str, str]]:
    for node in ast.walk(module.tree):
        if isinstance(node, ast.ImportFrom) and node.module:
            for alias in node.names:
                yield alias.asname or alias.name, f"{node.module}.{alias.name}"


def _target(node: ast.Call) -> str | None:
    """The name of the table in `insert(table)` or `table.insert()`."""
    called = _name(node.func)
    if called == "insert_rows" and len(node.args) > 1:  # the indexer's own, which takes the connection first
        return _name(node.args[1])
    if called not in WRITES:
        return None
    if isinstance(node.func, ast.Attribute) and isinstance(node.func.value, ast.Name) and not node.args:
        return node.func.value.id
    if node.args and isinstance(node.args[0], ast.Name | ast.Attribute):
        return _name(node.args[0])
    return None


def _is_table(value: ast.expr) -> bool:
    return isinstance(value, ast.Call) and _name(value.func) == "Table"


def _name(node: ast.expr) -> str:
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""

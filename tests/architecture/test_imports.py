"""Imports point down: app > graphql_api > indexer > chain, scoring, compliance, audit > registry."""

import pytest

from tests.architecture.sources import PACKAGES, STDLIB, Module, modules

BELOW: dict[str, frozenset[str]] = {
    "registry": frozenset(),
    "chain": frozenset({"registry"}),
    "scoring": frozenset({"registry"}),
    "compliance": frozenset({"registry"}),
    "audit": frozenset({"registry"}),
    "indexer": frozenset({"registry", "chain", "scoring", "compliance", "audit"}),
    "graphql_api": frozenset({"registry", "chain", "scoring", "compliance", "audit", "indexer"}),
    "app": frozenset(PACKAGES),
}
CHAIN_LIBRARIES = frozenset(
    {"web3", "eth_account", "eth_abi", "eth_utils", "eth_keys", "eth_typing", "hexbytes", "solcx"}
)
NETWORK = frozenset({"socket", "http", "urllib", "httpx2", "requests", "aiohttp", "psycopg", "sqlite3"})
DOMAIN_LIBRARIES = frozenset({"orjson", "rfc8785"})


def outside(module: Module, allowed: frozenset[str]) -> list[str]:
    """The module's imports whose top-level name is none of ours that it may import."""
    return [
        f"{module.place}:{line} imports {name}"
        for line, name in module.imports
        if (top := name.split(".")[0]) in PACKAGES and top not in allowed | {module.package}
    ]


@pytest.mark.parametrize("package", PACKAGES)
def test_a_package_imports_only_what_lies_below_it(package: str) -> None:
    assert [fault for module in modules(package) for fault in outside(module, BELOW[package])] == []


def test_the_import_rule_has_no_circle() -> None:
    seen: set[str] = set()
    for package in sorted(BELOW, key=lambda name: len(BELOW[name] - {name})):
        assert BELOW[package] - {package} <= seen
        seen.add(package)


def test_the_domain_imports_only_itself_and_small_libraries() -> None:
    allowed = STDLIB | DOMAIN_LIBRARIES
    faults = [
        f"{module.place}:{line} imports {name}"
        for module in modules("registry")
        if module.name.startswith("registry.domain")
        for line, name in module.imports
        if not name.startswith("registry.domain") and name.split(".")[0] not in allowed
    ]
    assert faults == []


@pytest.mark.parametrize(
    ("part", "may"),
    [
        ("registry.services", ("registry.domain", "registry.ports", "registry.services")),
        ("registry.ports", ("registry.domain", "registry.ports")),
        ("registry.storage", ("registry.domain", "registry.ports", "registry.storage")),
    ],
)
def test_use_cases_and_storage_do_not_know_each_other(part: str, may: tuple[str, ...]) -> None:
    faults = [
        f"{module.place}:{line} imports {name}"
        for module in modules("registry")
        if module.name == part or module.name.startswith(f"{part}.")
        for line, name in module.imports
        if name.startswith("registry.") and not name.startswith(may)
    ]
    assert faults == []


def test_use_cases_know_no_database_and_no_network() -> None:
    allowed = STDLIB | DOMAIN_LIBRARIES | {"registry"}
    faults = [
        f"{module.place}:{line} imports {name}"
        for module in modules("registry")
        if module.name.startswith(("registry.services", "registry.ports"))
        for line, name in module.imports
        if name.split(".")[0] not in allowed
    ]
    assert faults == []


def test_ethereum_libraries_are_imported_by_chain_alone() -> None:
    faults = [
        f"{module.place}:{line} imports {name}"
        for module in modules()
        if module.package != "chain"
        for line, name in module.imports
        if name.split(".")[0] in CHAIN_LIBRARIES
    ]
    assert faults == []


def test_the_web_framework_is_imported_by_the_api_and_the_composition_root_alone() -> None:
    faults = [
        f"{module.place}:{line} imports {name}"
        for module in modules()
        if module.package not in {"graphql_api", "app"}
        for line, name in module.imports
        if name.split(".")[0] in {"strawberry", "starlette", "graphql", "granian", "typer"}
    ]
    assert faults == []


def test_the_product_imports_neither_tests_nor_benchmarks() -> None:
    faults = [
        f"{module.place}:{line} imports {name}"
        for module in modules()
        for line, name in module.imports
        if name.split(".")[0] in {"tests", "benchmarks", "scripts", "pytest", "hypothesis"}
    ]
    assert faults == []


def test_the_evidence_verifier_opens_no_database_and_no_connection() -> None:
    """`audit.verify` and all it imports of `audit` work from the file alone; a live node comes in as a port."""
    known = {module.name: module for module in modules("audit")}
    reached, to_read = set[str](), ["audit.verify"]
    while to_read:
        name = to_read.pop()
        reached.add(name)
        for _, imported in known[name].imports:
            found = imported if imported in known else imported.rpartition(".")[0]
            if found in known and found not in reached:
                to_read.append(found)
    faults = [
        f"{known[name].place}:{line} imports {imported}"
        for name in sorted(reached)
        for line, imported in known[name].imports
        if imported.split(".")[0] in NETWORK or imported.startswith("registry.storage.engine")
    ]
    assert faults == []
    assert len(reached) > 5

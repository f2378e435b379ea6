"""Error codes are stable facts: unique, well formed, documented; names say what is wrong."""

import re

from registry.domain.errors import RegistryError
from scripts.generate_docs import error_codes
from tests.architecture.sources import ROOT

# The same fact told by packages that may not import each other, or told in the same words so that nothing leaks.
SHARED = frozenset({"LOAN_UNKNOWN", "NOT_PERMITTED", "NOT_INDEXED", "NO_RULE_IN_FORCE", "TAPE_INVALID", "TAPE_MISSING"})
EXIT_CODES = frozenset({1, 2, 3, 4, 5, 6, 7, 8})


def kinds() -> list[type[RegistryError]]:
    return [kind for found in error_codes().values() for kind in found]


def test_an_error_code_stands_for_one_thing() -> None:
    twice = {
        code: sorted(f"{kind.__module__}.{kind.__name__}" for kind in found)
        for code, found in error_codes().items()
        if len(found) > 1 and code not in SHARED and not _is_inherited(code, found)
    }
    assert twice == {}


def test_a_shared_code_means_the_same_to_programs() -> None:
    for code in SHARED & error_codes().keys():
        assert len({kind.retryable for kind in error_codes()[code]}) == 1, code


def test_codes_are_upper_case_words() -> None:
    assert [code for code in error_codes() if not re.fullmatch(r"[A-Z][A-Z0-9]*(_[A-Z0-9]+)*", code)] == []


def test_every_error_has_a_code_of_its_own() -> None:
    branches = {kind for kind in kinds() if kind.__module__ == "registry.domain.errors"}
    mute = [
        f"{kind.__module__}.{kind.__name__}"
        for kind in kinds()
        if kind not in branches and not any("code" in vars(base) for base in kind.__mro__ if base not in {*branches})
    ]
    assert mute == []


def test_every_exit_code_is_a_documented_one() -> None:
    assert {kind.exit_code for kind in kinds()} <= EXIT_CODES
    page = (ROOT / "docs" / "cli.md").read_text()
    assert {int(number) for number in re.findall(r"^\| (\d) \|", page, re.MULTILINE)} == EXIT_CODES | {0}


def test_no_error_is_called_error() -> None:
    assert [kind.__name__ for kind in kinds() if kind.__name__.endswith("Error") and kind is not RegistryError] == []


def test_every_error_says_what_it_means() -> None:
    assert [
        f"{kind.__module__}.{kind.__name__}" for kind in kinds() if not (vars(kind).get("__doc__") or "").strip()
    ] == []


def test_the_pages_name_only_codes_that_exist() -> None:
    """What a page about operation or the API puts in a table as a code must be one."""
    named = set()
    for page in ("operations.md", "graphql.md"):
        named |= set(re.findall(r"`([A-Z]+_[A-Z_]+)`", (ROOT / "docs" / page).read_text()))
    known = error_codes().keys() | {"LOAN_REGISTRY_PORT", "LOAN_REGISTRY_CONFIG"}
    assert {name for name in named if not name.startswith("LOAN_REGISTRY_")} <= known


def _is_inherited(code: str, found: list[type[RegistryError]]) -> bool:
    """A special case that keeps its branch's code."""
    return any(all(issubclass(kind, base) for kind in found) for base in found if base.code == code)

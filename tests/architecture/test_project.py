"""What a project ships with: licence, changelog, version, links that lead somewhere."""

import re
import tomllib
from pathlib import Path

from tests.architecture.sources import PACKAGES, ROOT, files

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
PAGES = [*ROOT.glob("*.md"), *files(".md", ("docs", "contracts", "hardhat-free-devnet"))]


def test_the_licence_is_there_and_named() -> None:
    text = (ROOT / "LICENSE").read_text()
    assert "Apache License" in text
    assert PROJECT["license"] == "Apache-2.0"


def test_the_changelog_has_the_version() -> None:
    text = (ROOT / "CHANGELOG.md").read_text()
    assert f"## [{PROJECT['version']}]" in text
    assert "## [Unreleased]" in text


def test_every_package_is_shipped_and_typed_by_the_same_list() -> None:
    tool = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]
    assert set(tool["hatch"]["build"]["targets"]["wheel"]["packages"]) == set(PACKAGES)
    assert set(tool["mypy"]["packages"]) == set(PACKAGES)
    assert tool["mypy"]["strict"] is True


def test_every_link_between_pages_leads_somewhere() -> None:
    broken = [
        f"{page.relative_to(ROOT)}: {target}"
        for page in PAGES
        for target in re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", page.read_text())
        if "://" not in target and not (page.parent / target).exists()
    ]
    assert broken == []


def test_every_link_to_a_heading_finds_it() -> None:
    broken = []
    for page in PAGES:
        for target, anchor in re.findall(r"\]\(([^)#\s]*)#([^)]+)\)", page.read_text()):
            found = page.parent / target if target else page
            if "://" not in target and found.exists() and anchor not in _anchors(found):
                broken.append(f"{page.relative_to(ROOT)}: {target}#{anchor}")
    assert broken == []


def test_every_decision_is_listed_and_has_its_four_parts() -> None:
    folder = ROOT / "docs" / "decisions"
    index = (folder / "README.md").read_text()
    pages = sorted(path for path in folder.glob("[0-9]*.md"))
    assert [path.name[:4] for path in pages] == [f"{number:04d}" for number in range(1, len(pages) + 1)]
    for path in pages:
        assert f"({path.name})" in index
        headings = re.findall(r"^## (.+)$", path.read_text(), re.MULTILINE)
        assert headings == ["Context", "Decision", "Cost", "Alternatives"], path.name


def _anchors(page: Path) -> set[str]:
    headings = re.findall(r"^#+ (.+)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-") for heading in headings}

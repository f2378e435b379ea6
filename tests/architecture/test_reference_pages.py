"""The reference pages are what the code says."""

import pytest

from app.settings import Settings
from scripts.generate_docs import DOCS, PAGES, page_with


@pytest.mark.parametrize("name", PAGES)
def test_a_reference_page_is_as_the_code_makes_it(name: str) -> None:
    text = (DOCS / name).read_text(encoding="utf-8")
    assert text == page_with(text, PAGES[name]()), f"docs/{name} is stale: run `make docs`"


def test_every_setting_says_what_it_does() -> None:
    assert [name for name, field in Settings.model_fields.items() if not field.description] == []

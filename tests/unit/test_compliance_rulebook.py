"""The rule book: dated, versioned, and refusing what no rule knows."""

import shutil
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import compliance.rulebook
from compliance.rulebook import LprRule, RuleBook, RuleBookInvalid

SOURCE = Path(compliance.rulebook.__file__).parent


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for file in SOURCE.glob("*.toml"):
        shutil.copy(file, tmp_path)
    return tmp_path


def rewrite(file: Path, old: str, new: str) -> None:
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new, 1))


@pytest.mark.parametrize(
    ("day", "rate"),
    [
        (date(2019, 8, 20), "0.0425"),
        (date(2020, 8, 20), "0.0385"),
        (date(2021, 12, 19), "0.0385"),
        (date(2021, 12, 20), "0.0380"),
        (date(2024, 11, 1), "0.0310"),
        (date(2030, 1, 1), "0.0300"),
    ],
)
def test_the_loan_prime_rate_is_the_one_last_published(day: date, rate: str) -> None:
    assert RuleBook.load().on(day).get("lpr", LprRule).annual_rate == Decimal(rate)


@given(day=st.dates(date(1990, 1, 1), date(2060, 1, 1)))
def test_the_rule_in_force_is_the_latest_that_has_begun(day: date) -> None:
    book = RuleBook.load()
    for name, rule in book.on(day).by_name.items():
        assert rule.valid_from <= day
        assert not [later for later in book.versions[name] if rule.valid_from < later.valid_from <= day]


@pytest.mark.parametrize(
    ("file", "old", "new", "said"),
    [
        ("age.toml", "minimum_age = 18", "minimum_age = 18\nmaximum_shoe_size = 50", "maximum_shoe_size"),
        ("age.toml", "minimum_age = 18", "", "minimum_age"),
        ("age.toml", "minimum_age = 18", 'minimum_age = "18"', "wrong type"),
        ("affordability.toml", '"0.50"', "0.50", "decimals are written as text"),
        ("affordability.toml", '"0.50"', '"half"', "not a decimal"),
        ("rate_cap.toml", 'kind = "FIXED"', 'kind = "FIXED"\ncolour = "red"', "colour"),
        ("rate_cap.toml", 'kind = "FIXED"', 'kind = "ROUND"', "none of FIXED"),
        ("rate_cap.toml", 'annual_rate = "0.36"', 'multiple = "4"', "the one limit of its kind"),
        ("lpr.toml", "valid_from = 2019-09-20", "valid_from = 2019-08-20", "order of valid_from"),
        ("consent.toml", "source = ", "origin = ", "source"),
        ("consent.toml", "[[rule]]", "[[rule", "line 3"),
    ],
)
def test_a_rule_file_with_anything_unknown_or_missing_is_refused(
    folder: Path, file: str, old: str, new: str, said: str
) -> None:
    rewrite(folder / file, old, new)

    with pytest.raises(RuleBookInvalid, match=said) as refusal:
        RuleBook.load(folder)
    assert refusal.value.file == file


def test_a_missing_and_an_unknown_rule_file_are_refused(folder: Path) -> None:
    (folder / "weather.toml").write_text("")
    with pytest.raises(RuleBookInvalid, match="no rule of that name"):
        RuleBook.load(folder)
    (folder / "weather.toml").unlink()
    (folder / "age.toml").unlink()
    with pytest.raises(RuleBookInvalid, match="missing"):
        RuleBook.load(folder)


def test_every_rule_names_its_source() -> None:
    for file in SOURCE.glob("*.toml"):
        assert file.read_text().startswith('source = "'), file.name

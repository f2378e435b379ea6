"""Mapping files: each thing a file can say wrongly is refused when it is read, by name, and not row by row later."""

import re
from pathlib import Path

import pytest

from app.tape.mapping import SHIPPED, MappingInvalid, MappingMissing, load_mapping
from registry.domain.product import shipped_product
from tests.support.small_tape import COLUMNS, MAPPING, small_mapping


def refused(folder: Path, old: str, new: str) -> str:
    assert MAPPING.count(old) == 1
    with pytest.raises(MappingInvalid) as invalid:
        small_mapping(folder, MAPPING.replace(old, new))
    assert invalid.value.code == "MAPPING_INVALID"
    assert invalid.value.exit_code == 2
    assert str(invalid.value).startswith("Mapping small.toml cannot be used: ")
    return invalid.value.problem


def test_a_mapping_names_every_column_it_reads(tmp_path: Path) -> None:
    assert small_mapping(tmp_path).columns == set(COLUMNS)


BROKEN = [
    ("not TOML", 'id = "small"', 'id = "small', "line 2"),
    ("unknown entry", 'id = "small"', 'id = "small"\nnonsense = 1', "'nonsense' is not known"),
    ("no id", 'id = "small"', "", "'id' is missing"),
    ("no version", "version = 1", "", "'version' is missing"),
    ("no currency", 'currency = "EUR"', "", "'currency' is missing"),
    ("no product", 'product = "consumer-eur@1"', "", "'product' is missing"),
    ("id no text", 'id = "small"', "id = 3", "id must be text"),
    ("version no number", "version = 1", 'version = "1"', "version must be a whole number"),
    ("unknown currency", '"EUR"', '"EURO"', "currency 'EURO' is not known"),
    ("derived no list", 'derived = ["Everything between the totals."]', 'derived = "x"', "derived must be a list"),
    ("skip unknown", "version = 1", 'version = 1\nskip_without = ["colour"]', "skip_without: 'colour' is not one of"),
    ("skip no list", "version = 1", "version = 1\nskip_without = [1]", "skip_without must be a list of texts"),
    ("reason no text", 'name = "the tape has no names"', "name = 1", "unavailable must be a table of texts"),
    ("table no table", "[inputs]\nannual_income = { column", '[[inputs]]\nannual_income = { column', "inputs must be"),
    ("value missing", 'reference = { column = "id" }', "", "[values] lacks ['reference'] and does not know []"),
    ("value unknown", 'reference = {', 'colour = { column = "id" }\nreference = {', "does not know ['colour']"),
    ("cash missing", 'recovered = { column = "recovered", as = "money" }', "", "[cash] lacks ['recovered']"),
    ("rule no table", 'reference = { column = "id" }', 'reference = "id"', "values.reference must be a table"),
    ("unknown form", 'column = "months", as = "integer"', 'column = "months", as = "float"', "'float' is not a form"),
    ("no source", '{ column = "id" }', '{ default = "x" }', "values.reference needs exactly one of"),
    ("two sources", '{ column = "id" }', '{ column = "id", constant = "x" }', "needs exactly one of"),
    ("unknown rule entry", '{ column = "id" }', '{ column = "id", colum = "x" }', "unknown entries: colum"),
    ("column no text", '{ column = "id" }', "{ column = 1 }", "values.reference.column must be text"),
    ("constant no text", '{ column = "id" }', "{ constant = 1 }", "values.reference.constant must be text"),
    ("one_of no table", '{ column = "id" }', '{ one_of = "x" }', "one_of must be a table of texts"),
    ("one_of empty", '{ column = "id" }', "{ one_of = {} }", "one_of must be a table of texts"),
    ("map no texts", '{ trip = "TRAVEL", car = "CAR" }', "{ trip = 1 }", "values.purpose.map must be a table of texts"),
    ("default no text", '{ column = "id" }', '{ column = "id", default = 1 }', "default must be text"),
    ("scale no text", 'scale = "0.01"', "scale = 0.01", "values.annual_rate.scale must be a decimal number as text"),
    ("scale no number", 'scale = "0.01"', 'scale = "1%"', "scale must be a decimal number as text"),
    ("places no number", "places = 6", 'places = "6"', "places must be a whole number from 0 to 12"),
    ("places negative", "places = 6", "places = -1", "places must be a whole number from 0 to 12"),
    ("places no bool", "places = 6", "places = true", "places must be a whole number from 0 to 12"),
    ("money as decimal", '"amount", as = "money"', '"amount", as = "decimal"', "values.principal must be read"),
    ("day as text", 'column = "start", as = "month"', 'column = "start"', "values.agreed_on must be read as day"),
    ("cash as integer", '"late_in", as = "money"', '"late_in", as = "integer"', "cash.late_fees_received must be"),
]  # fmt: skip


@pytest.mark.parametrize(("old", "new", "said"), [case[1:] for case in BROKEN], ids=[case[0] for case in BROKEN])
def test_a_mapping_that_says_something_wrong_is_refused_by_name(tmp_path: Path, old: str, new: str, said: str) -> None:
    assert said in refused(tmp_path, old, new)


def test_a_file_that_is_no_text_is_refused(tmp_path: Path) -> None:
    (tmp_path / "m.toml").write_bytes(b"\xff\xfe\x00")

    with pytest.raises(MappingInvalid):
        load_mapping(str(tmp_path / "m.toml"))


@pytest.mark.parametrize("name", ["nonsense", "../mappings/bondora", "/nonexistent.toml", ""])
def test_a_mapping_that_is_nowhere_is_told_with_those_that_ship(name: str) -> None:
    with pytest.raises(MappingMissing) as missing:
        load_mapping(name)

    assert missing.value.exit_code == 4
    assert "bondora, lendingclub_2007_2011" in str(missing.value)


@pytest.mark.parametrize("name", sorted(entry.name.removesuffix(".toml") for entry in SHIPPED.iterdir()))
def test_the_shipped_mappings_fit_their_products(name: str) -> None:
    mapping = load_mapping(name)
    code, version = mapping.product.split("@")
    product = shipped_product(code, int(version))

    assert mapping.id == name
    assert mapping.currency in product.currencies
    assert mapping.derived
    purpose = mapping.values["purpose"]
    assert {*purpose.map.values(), *purpose.one_of.values()} <= set(product.purposes)
    assert all(re.search(r"\w", reason) for reason in mapping.unavailable.values())

"""The feature definition is the only door: what it lets in, what it refuses, and the one form it gives a value."""

import hashlib
import json
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scoring.application_schema import APPLICATION_1
from scoring.feature_errors import (
    FeatureInvalid,
    FeatureMissing,
    FeatureNotKnownAtApplication,
    FeatureProtected,
    FeatureUnknown,
    SaltInvalid,
    SchemaUnknown,
)
from scoring.features import FeatureVector, Kind
from scoring.leakage import is_protected, why_not_at_application
from scoring.lendingclub_schema import LENDINGCLUB_1, LENDINGCLUB_PRICE_1
from scoring.schemas import SCHEMAS, schema_of

SALT = bytes(range(32))


def an_application(**changes: Any) -> dict[str, Any]:
    raw: dict[str, Any] = {
        "amount": "20000", "term_months": 24, "annual_income": "80000", "debt_to_income": "0.25",
        "employment_years": "3.5", "home_ownership": "rent", "purpose": "car", "product_category": "auto",
        "prior_delinquencies_24m": 1, "inquiries_6m": 2, "open_accounts": 5, "public_records": 0,
        "revolving_utilisation": "0.4", "credit_history_months": 60,
    }  # fmt: skip
    return raw | changes


def test_a_name_the_schema_does_not_define_is_refused() -> None:
    with pytest.raises(FeatureUnknown) as refusal:
        FeatureVector.build(APPLICATION_1, an_application(shoe_size=43))

    assert refusal.value.feature == "shoe_size"
    assert "shoe_size" in str(refusal.value)


@pytest.mark.parametrize("name", ["loan_status", "days_past_due", "total_rec_prncp", "outcome"])
def test_a_name_known_only_after_the_decision_is_refused_as_leakage(name: str) -> None:
    with pytest.raises(FeatureNotKnownAtApplication) as refusal:
        FeatureVector.build(APPLICATION_1, an_application(**{name: 1}))

    assert refusal.value.feature == name


@pytest.mark.parametrize("name", ["age", "sex", "Gender", "ethnicity", "zip_code"])
def test_a_protected_attribute_is_refused_as_such(name: str) -> None:
    with pytest.raises(FeatureProtected):
        FeatureVector.build(APPLICATION_1, an_application(**{name: "x"}))


def test_no_schema_defines_a_protected_or_leaking_feature() -> None:
    for schema in SCHEMAS.values():
        for feature in schema.features:
            assert not is_protected(feature.name)
            assert why_not_at_application(feature.name, price_allowed=schema.price_allowed) is None


def test_the_lenders_price_enters_only_the_schema_made_for_it() -> None:
    for name in ("grade", "sub_grade", "int_rate", "installment"):
        with pytest.raises(FeatureNotKnownAtApplication):
            LENDINGCLUB_1.refuse(name)
        LENDINGCLUB_PRICE_1.refuse(name)


@pytest.mark.parametrize(
    "value",
    ["NaN", "inf", "-Infinity", "1e5", "1_000", " 5", "", "٣", "0x10", "1" * 19, "9" * 400, float("nan"),
     float("inf"), 0.5, True, [], Decimal("NaN"), Decimal("Infinity"), Decimal("1e999999"), Decimal("1e-999"),
     10**18, 10**5000, b"5"],
    ids=lambda value: repr(value)[:20] if not isinstance(value, int) or abs(value) < 10**20 else "huge",
)  # fmt: skip
def test_what_is_no_plain_exact_number_is_refused(value: Any) -> None:
    with pytest.raises(FeatureInvalid) as refusal:
        FeatureVector.build(APPLICATION_1, an_application(annual_income=value))

    assert len(str(refusal.value)) < 300


@given(st.one_of(st.text(), st.floats(), st.integers(), st.decimals(), st.binary(), st.booleans()))
def test_any_value_is_either_taken_exactly_or_refused_by_name(value: Any) -> None:
    try:
        vector = FeatureVector.build(APPLICATION_1, an_application(annual_income=value))
    except FeatureInvalid:
        return
    assert Decimal(vector.inputs["annual_income"] or "") == Decimal(value)


@pytest.mark.parametrize(("name", "value"), [("annual_income", "-1"), ("term_months", 601), ("debt_to_income", "101")])
def test_a_number_outside_the_allowed_range_is_refused(name: str, value: Any) -> None:
    with pytest.raises(FeatureInvalid, match="between"):
        FeatureVector.build(APPLICATION_1, an_application(**{name: value}))


def test_a_number_finer_than_the_feature_allows_is_refused() -> None:
    with pytest.raises(FeatureInvalid, match="decimal places"):
        FeatureVector.build(APPLICATION_1, an_application(inquiries_6m="1.5"))


def test_a_required_feature_left_out_is_refused() -> None:
    raw = an_application()
    del raw["debt_to_income"]

    with pytest.raises(FeatureMissing) as refusal:
        FeatureVector.build(APPLICATION_1, raw)

    assert refusal.value.feature == "debt_to_income"


def test_an_unknown_category_becomes_other_only_where_the_schema_says_so() -> None:
    vector = FeatureVector.build(APPLICATION_1, an_application(purpose="spaceship"))
    assert vector.inputs["purpose"] == "other"

    grade = next(f for f in LENDINGCLUB_PRICE_1.features if f.name == "grade")
    assert grade.other is None
    with pytest.raises(FeatureInvalid):
        grade.canonical("z")


@given(st.integers(0, 10**9), st.integers(0, 4))
def test_equal_numbers_have_one_canonical_form(scaled: int, places: int) -> None:
    value = Decimal(scaled).scaleb(-places)
    spellings = [value, format(value, "f"), value.normalize(), value + Decimal("0.0000")]

    forms = {FeatureVector.build(APPLICATION_1, an_application(amount=s)).inputs["amount"] for s in spellings}

    assert len(forms) == 1
    form = forms.pop()
    assert form is not None
    assert Decimal(form) == value
    assert "E" not in form
    assert not (("." in form) and form.endswith("0"))


def test_the_inputs_hash_is_salted_sha256_over_canonical_json() -> None:
    vector = FeatureVector.build(APPLICATION_1, an_application())
    body = {"schema": "application@1", "inputs": dict(vector.inputs)}
    # All names and values here are ASCII text or null, for which sorted compact JSON is RFC 8785.
    canonical = json.dumps(body, sort_keys=True, separators=(",", ":")).encode()

    assert vector.inputs_hash(SALT) == hashlib.sha256(SALT + canonical).digest()


def test_the_inputs_hash_ignores_order_and_spelling_and_nothing_else() -> None:
    raw = an_application()
    same = FeatureVector.build(APPLICATION_1, dict(reversed(raw.items())) | {"amount": "20000.00", "purpose": " CAR"})
    other = FeatureVector.build(APPLICATION_1, raw | {"open_accounts": 6})
    vector = FeatureVector.build(APPLICATION_1, raw)

    assert vector.inputs_hash(SALT) == same.inputs_hash(SALT)
    assert vector.inputs_hash(SALT) != other.inputs_hash(SALT)
    assert vector.inputs_hash(SALT) != vector.inputs_hash(bytes(32))


@pytest.mark.parametrize("length", [0, 16, 31, 33])
def test_a_salt_that_is_not_32_bytes_is_refused(length: int) -> None:
    with pytest.raises(SaltInvalid):
        FeatureVector.build(APPLICATION_1, an_application()).inputs_hash(bytes(length))


def test_derived_features_are_the_stated_ratios() -> None:
    vector = FeatureVector.build(APPLICATION_1, an_application(amount="30000", annual_income="90000", term_months=36))

    assert vector.values["amount_to_income"] == "0.333333"
    assert vector.values["principal_to_income"] == "0.111111"


def test_without_an_income_the_ratios_are_absent_not_infinite() -> None:
    vector = FeatureVector.build(APPLICATION_1, an_application(annual_income=0))

    assert vector.values["amount_to_income"] is None
    assert vector.values["principal_to_income"] is None


def test_the_default_schema_scores_no_bare_amount_so_currency_does_not_matter() -> None:
    in_yuan = FeatureVector.build(APPLICATION_1, an_application(amount="20000", annual_income="80000"))
    in_yen = FeatureVector.build(APPLICATION_1, an_application(amount="400000", annual_income="1600000"))

    assert in_yuan.numeric_row() == in_yen.numeric_row()


def test_schemas_are_well_formed() -> None:
    for schema in SCHEMAS.values():
        names = [f.name for f in schema.features]
        assert len(names) == len(set(names))
        for feature in schema.features:
            assert feature.description_en
            assert feature.description_zh
            assert feature.unit
            assert feature.monotone in {-1, 0, 1}
            assert (feature.kind is Kind.CATEGORICAL) == bool(feature.categories)
            assert feature.other is None or feature.other in feature.categories
            assert (feature.derive is None) == (not feature.formula)
    assert len({schema.digest for schema in SCHEMAS.values()}) == len(SCHEMAS)


def test_a_changed_meaning_changes_the_schema_digest() -> None:
    first, *rest = APPLICATION_1.features
    changed = replace(APPLICATION_1, features=(replace(first, high=first.high + 1), *rest))
    reworded = replace(APPLICATION_1, features=(replace(first, description_en="Another wording"), *rest))

    assert changed.digest != APPLICATION_1.digest
    assert reworded.digest == APPLICATION_1.digest


def test_an_unknown_schema_version_is_refused() -> None:
    with pytest.raises(SchemaUnknown):
        schema_of("application@999")

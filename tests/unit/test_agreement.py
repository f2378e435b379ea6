"""The terms of an agreement: what is refused, and that they survive being written down."""

import json
from datetime import date
from decimal import Decimal

import pytest
import rfc8785
from hypothesis import given, settings

from registry.domain.agreement import AgreementTerms, TermsInvalid
from registry.domain.allocation import AllocationOrderInvalid, Component
from registry.domain.money import Money
from tests.support.agreements import any_terms, given_terms


@settings(max_examples=50)
@given(any_terms())
def test_terms_come_back_equal_from_their_text(terms: AgreementTerms) -> None:
    written = terms.to_dict()
    assert all(isinstance(value, str) for value in written.values())
    assert AgreementTerms.from_dict(json.loads(rfc8785.dumps(written))) == terms


def test_equal_rates_are_written_alike() -> None:
    texts = {given_terms(annual_rate=Decimal(text)).to_dict()["annual_rate"] for text in ("0.1", "0.10", "1E-1")}
    assert texts == {"0.1"}
    assert given_terms(annual_rate=Decimal("0.00")).to_dict()["annual_rate"] == "0"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("principal", Money(0, "CNY")),
        ("annual_rate", Decimal("-0.01")),
        ("annual_rate", Decimal("NaN")),
        ("annual_rate", Decimal("10.1")),
        ("annual_rate", Decimal("0.0000000000001")),
        ("term_months", 0),
        ("term_months", 601),
        ("first_due_on", date(2024, 1, 31)),
        ("upfront_fee_minor", 10_000_00),
        ("upfront_fee_minor", -1),
        ("instalment_fee_minor", -1),
        ("calculator_version", "0"),
    ],
)
def test_a_term_that_is_not_allowed_is_named(field: str, value: object) -> None:
    with pytest.raises(TermsInvalid) as refusal:
        given_terms(**{field: value})
    assert refusal.value.field == field
    assert field in str(refusal.value)


@pytest.mark.parametrize(
    ("field", "text"),
    [
        ("principal_minor", "12.5"),
        ("principal_minor", "-5"),
        ("annual_rate", "a lot"),
        ("method", "EQUAL"),
        ("day_count", "30/360"),
        ("rounding", "DOWN"),
        ("first_due_on", "soon"),
        ("allocation_order", "PENALTY,COSTS"),
    ],
)
def test_malformed_text_is_named(field: str, text: str) -> None:
    with pytest.raises(TermsInvalid) as refusal:
        AgreementTerms.from_dict({**given_terms().to_dict(), field: text})
    assert refusal.value.field == field


def test_a_missing_or_unknown_field_is_refused() -> None:
    written = given_terms().to_dict()
    with pytest.raises(TermsInvalid, match="method"):
        AgreementTerms.from_dict({name: text for name, text in written.items() if name != "method"})
    with pytest.raises(TermsInvalid, match="grace"):
        AgreementTerms.from_dict({**written, "grace": "3"})


def test_an_order_of_payment_names_every_component_once() -> None:
    with pytest.raises(AllocationOrderInvalid):
        given_terms(allocation_order=(Component.INTEREST, Component.PRINCIPAL, Component.FEE, Component.FEE))
    with pytest.raises(AllocationOrderInvalid):
        given_terms(allocation_order=(Component.INTEREST, Component.PRINCIPAL))


def test_the_payout_is_the_principal_less_the_fee_kept_back() -> None:
    terms = given_terms(upfront_fee_minor=200_00)
    assert terms.net_disbursement == Money(9_800_00, "CNY")
    assert terms.matures_on == date(2025, 1, 29)

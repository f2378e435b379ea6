"""Scalars, ids, cursors, idempotency hashes, media types: exact there and back, and nothing else is taken."""

import contextlib
import hashlib
import json
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal

import pytest
from eth_utils import to_checksum_address
from graphql import GraphQLError
from hypothesis import given, settings
from hypothesis import strategies as st

from graphql_api import scalars
from graphql_api.global_id import GlobalId, filed_id, number_id
from graphql_api.http_refusals import NotAcceptable
from graphql_api.http_request import GRAPHQL_TYPE, JSON_TYPE, negotiated
from graphql_api.mutations.figures import FiguresInvalid, exact_figures
from graphql_api.mutations.inputs import MoneyInput, RecordRepaymentInput
from graphql_api.mutations.requests import body_hash
from graphql_api.paging import CursorInvalid, decode_cursor, encode_cursor
from graphql_api.scalars import MinorUnits
from registry.domain.identifiers import IdMalformed, new_id


@given(st.integers(-(10**25), 10**25))
def test_minor_units_of_any_size_go_out_and_come_back(value: int) -> None:
    assert scalars.parse_minor_units(str(value)) == value


@pytest.mark.parametrize("given_value", [1, 1.5, True, None, "", "1.0", "1e3", "01", "+1", " 1", "٣", "9" * 40, [], {}])
def test_anything_else_is_no_number_of_minor_units(given_value: object) -> None:
    with pytest.raises(GraphQLError):
        scalars.parse_minor_units(given_value)


@given(st.decimals(min_value=-(10**9), max_value=10**9, places=12, allow_nan=False))
def test_decimals_go_out_without_exponent_and_come_back_equal(value: Decimal) -> None:
    text = scalars.plain(value)

    assert "e" not in text.lower()
    assert scalars.parse_decimal(text) == value


@pytest.mark.parametrize("given_value", [1, 0.5, "1e3", "NaN", "Infinity", "", ".5", "1.", "--1", None])
def test_anything_else_is_no_decimal(given_value: object) -> None:
    with pytest.raises(GraphQLError):
        scalars.parse_decimal(given_value)


@given(st.binary(min_size=20, max_size=20))
@settings(deadline=None)  # the oracle loads its hash function at its first call
def test_addresses_are_written_as_eip_55_says_and_a_wrong_capital_is_refused(value: bytes) -> None:
    text = scalars.checksum_address(value)

    assert text == to_checksum_address(value)
    assert scalars.parse_address(text) == scalars.parse_address(text.lower()) == value
    wrong = "0x" + text[2:].swapcase()
    if wrong[2:] not in {text[2:], text[2:].lower()}:
        with pytest.raises(GraphQLError):
            scalars.parse_address(wrong)


@given(st.datetimes(min_value=datetime(1970, 1, 1), max_value=datetime(2100, 1, 1)), st.integers(-12, 14))  # noqa: DTZ001
def test_instants_with_an_offset_come_in_as_utc(moment: datetime, hours: int) -> None:
    there = moment.replace(tzinfo=timezone(timedelta(hours=hours)))

    assert scalars.parse_instant(there.isoformat()) == there
    assert scalars.instant_text(there).endswith("Z")


@pytest.mark.parametrize("given_value", ["2026-03-01T12:00:00", "2026-03-01", "now", 1, None, "2026-13-01T00:00:00Z"])
def test_an_instant_without_offset_is_refused(given_value: object) -> None:
    with pytest.raises(GraphQLError):
        scalars.parse_instant(given_value)


@pytest.mark.parametrize("given_value", ["2026-02-30", "20260201", "2026-2-1", 20260201, None, "2026-02-01T00:00:00Z"])
def test_anything_but_a_calendar_day_is_no_date(given_value: object) -> None:
    with pytest.raises(GraphQLError):
        scalars.parse_date(given_value)


@given(st.sampled_from(["Loan", "Borrower"]), st.integers(1, 10**9))
def test_global_ids_come_back_and_belong_to_one_type(name: str, lender: int) -> None:
    local = new_id(lender)
    text = str(GlobalId(name, local))

    assert filed_id(text, name) == (lender, local)
    with pytest.raises(IdMalformed):
        filed_id(text, "Application")


@given(st.text(max_size=60))
def test_text_that_is_no_global_id_is_refused_as_such(text: str) -> None:
    with contextlib.suppress(IdMalformed):
        assert str(GlobalId.parse(text)) == text


@pytest.mark.parametrize("local", ["-1", "x", "", "1" * 30, "٣"])
def test_a_lender_is_named_by_a_plain_number(local: str) -> None:
    with pytest.raises(IdMalformed):
        number_id(str(GlobalId("Lender", local)), "Lender")


@given(
    st.one_of(st.none(), st.dates(), st.integers(-(2**62), 2**62), st.binary(max_size=32)),
    st.text(max_size=40),
)
def test_cursors_come_back_with_their_types_and_only_in_their_order(value: object, local: str) -> None:
    kinds = (type(value) if value is not None else date, str)
    cursor = encode_cursor("ORDER", (value, local))

    assert decode_cursor("ORDER", kinds, cursor) == (value, local)
    with pytest.raises(CursorInvalid):
        decode_cursor("OTHER", kinds, cursor)


@given(st.text(max_size=80))
def test_text_that_is_no_cursor_is_refused_as_such(text: str) -> None:
    with pytest.raises(CursorInvalid):
        decode_cursor("ORDER", (date, str), text)


def repayment(**changed: object) -> RecordRepaymentInput:
    values: dict[str, object] = {
        "idempotency_key": "key",
        "loan_id": "TG9hbg",
        "amount": MoneyInput(minor=MinorUnits(10**20), currency="CNY"),
        "received_on": date(2026, 3, 1),
    }
    return RecordRepaymentInput(**{**values, **changed})  # type: ignore[arg-type]


def test_the_body_hash_is_sha_256_of_the_canonical_json_of_the_input_without_its_key() -> None:
    body = {
        "amount": {"currency": "CNY", "minor": "100000000000000000000"},
        "loan_id": "TG9hbg",
        "received_on": "2026-03-01",
    }
    text = json.dumps(body, sort_keys=True, separators=(",", ":"))

    assert body_hash(repayment()) == hashlib.sha256(text.encode()).digest()


@pytest.mark.parametrize("changed", [{"received_on": date(2026, 3, 2)}, {"channel": "CASH"}, {"loan_id": "TG9hbh"}])
def test_any_other_input_has_another_body_hash_and_the_key_is_not_in_it(changed: dict[str, object]) -> None:
    assert body_hash(repayment(**changed)) != body_hash(repayment())
    assert body_hash(repayment(idempotency_key="another")) == body_hash(repayment())


@pytest.mark.parametrize("figures", [[], "x", None, 1, {"income": 1.5}, {"a": {"b": [1.0]}}, {"n": 2**60}])
def test_figures_are_exact_values_by_name(figures: object) -> None:
    with pytest.raises((FiguresInvalid, Exception)) as refusal:
        exact_figures(figures)

    assert refusal.value.code in {"FIGURES_INVALID", "INPUT_INEXACT"}  # type: ignore[attr-defined]


def test_exact_figures_are_taken_as_they_are() -> None:
    figures = {"income": "5000.10", "children": 2, "married": True, "other": None, "list": ["1", 2]}

    assert exact_figures(figures) == figures


@pytest.mark.parametrize(
    ("accept", "media"),
    [
        (None, JSON_TYPE),
        ("", JSON_TYPE),
        ("*/*", JSON_TYPE),
        ("application/*", JSON_TYPE),
        ("application/json", JSON_TYPE),
        (GRAPHQL_TYPE, GRAPHQL_TYPE),
        (f"{GRAPHQL_TYPE}, application/json;q=0.9", GRAPHQL_TYPE),
        (f"{GRAPHQL_TYPE};q=0.5, application/json", JSON_TYPE),
        ("text/html, */*;q=0.1", JSON_TYPE),
    ],
)
def test_the_answer_has_the_media_type_the_client_ranks_highest(accept: str | None, media: str) -> None:
    assert negotiated(accept) == media


@pytest.mark.parametrize("accept", ["text/html", "application/json;q=0", "image/png, text/*"])
def test_a_client_that_takes_neither_media_type_is_refused(accept: str) -> None:
    with pytest.raises(NotAcceptable):
        negotiated(accept)

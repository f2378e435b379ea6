"""Texts of inputs: how long they may be, and what may not stand in them."""

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graphql_api.http_refusals import TooManyRequests
from graphql_api.in_flight import InFlight
from graphql_api.mutations.inputs import (
    ChargeOffLoanInput,
    ConsentInput,
    IdentityInput,
    MoneyInput,
    RecordRepaymentInput,
    RecordRepaymentsInput,
    RepaymentInput,
    SubmitApplicationInput,
)
from graphql_api.mutations.text import InputTooLarge, TextInvalid, check_texts
from graphql_api.scalars import MinorUnits
from graphql_api.types.enums import PartyKind

ON = date(2026, 6, 1)
AMOUNT = MoneyInput(minor=MinorUnits(100), currency="CNY")
FORBIDDEN = [*range(0x20), *range(0x7F, 0xA0), *range(0x202A, 0x202F), *range(0x2066, 0x206A)]


def reason(text: str) -> Any:
    return ChargeOffLoanInput(idempotency_key="k", loan_id="x", effective_on=ON, reason=text)


def repayment(**given: Any) -> Any:
    return RecordRepaymentInput(idempotency_key="k", loan_id="x", amount=AMOUNT, received_on=ON, **given)


def application(**given: Any) -> Any:
    values = {"product_id": "x", "amount": AMOUNT, "term_months": 12, "purpose": "P", "inputs": {}, **given}
    return SubmitApplicationInput(idempotency_key="k", **values)


def identity(name: str = "n", number: str = "1") -> IdentityInput:
    return IdentityInput(name=name, kind=next(iter(PartyKind)), number=number)


@pytest.mark.parametrize(
    ("made", "most", "field"),
    [
        (reason, 500, "reason"),
        (lambda text: repayment(channel=text), 120, "channel"),
        (lambda text: repayment(reference=text), 120, "reference"),
        (lambda text: application(external_reference=text), 120, "externalReference"),
        (lambda text: application(purpose=text), 60, "purpose"),
        (lambda text: application(identity=identity(name=text)), 200, "identity.name"),
        (lambda text: application(identity=identity(number=text)), 60, "identity.number"),
        (lambda text: application(consents=[ConsentInput(purpose=text, text_version="1")]), 60, "consents.0.purpose"),
        (lambda text: application(inputs={"income": text}), 200, "inputs"),
        (lambda text: application(inputs={"jobs": [{"name": text}]}), 200, "inputs"),
        (lambda text: application(inputs={text: "1"}), 200, "inputs"),
    ],
)
def test_a_text_has_its_length_and_no_more(made: Callable[[str], Any], most: int, field: str) -> None:
    check_texts(made("x" * most))
    with pytest.raises(TextInvalid) as refused:
        check_texts(made("x" * (most + 1)))
    assert (refused.value.code, refused.value.field) == ("TEXT_INVALID", field)
    assert field in str(refused.value)


@pytest.mark.parametrize("number", FORBIDDEN)
def test_controls_and_marks_that_turn_text_around_are_refused(number: int) -> None:
    for made, field in (
        (reason(f"a{chr(number)}b"), "reason"),
        (application(inputs={"income": f"1{chr(number)}"}), "inputs"),
    ):
        with pytest.raises(TextInvalid) as refused:
            check_texts(made)
        assert refused.value.field == field
        assert f"U+{number:04X}" in str(refused.value)
        assert chr(number) not in str(refused.value)


@given(st.text(st.characters(exclude_categories=("Cc", "Cs", "Cf")), max_size=500))
def test_every_other_text_is_taken(text: str) -> None:
    check_texts(reason(text))


@pytest.mark.parametrize("text", ["王小明", "Łódź, O'Brien-Smith 3\u00a0%", "نص", "👩\u200d🌾"])
def test_names_of_all_scripts_are_taken(text: str) -> None:
    check_texts(application(identity=identity(name=text)))


def test_the_faulty_repayment_of_a_batch_is_named() -> None:
    good = RepaymentInput(loan_id="x", amount=AMOUNT, received_on=ON, reference="fine")
    bad = RepaymentInput(loan_id="x", amount=AMOUNT, received_on=ON, reference="\x1b[2J")

    with pytest.raises(TextInvalid) as refused:
        check_texts(RecordRepaymentsInput(idempotency_key="k", repayments=[good, good, bad]))

    assert refused.value.field == "repayments.2.reference"


def nested(levels: int) -> Any:
    value: Any = "1"
    for level in range(levels):
        value = [value] if level % 2 else {"a": value}
    return value


@pytest.mark.parametrize(
    ("given", "is_taken"),
    [
        ({"inputs": {f"f{i}": i for i in range(50)}}, True),
        ({"inputs": {f"f{i}": i for i in range(51)}}, False),
        ({"inputs": {f"f{i}": list(range(50)) for i in range(50)}}, False),
        ({"inputs": {"a": nested(3)}}, True),
        ({"inputs": {"a": nested(4)}}, False),
        ({"inputs": nested(100_000)}, False),
        ({"consents": [ConsentInput(purpose=f"P{i}", text_version="1") for i in range(20)]}, True),
        ({"consents": [ConsentInput(purpose=f"P{i}", text_version="1") for i in range(21)]}, False),
    ],
)
def test_lists_and_objects_have_their_bounds(given: dict[str, Any], is_taken: bool) -> None:
    if is_taken:
        check_texts(application(**given))
        return
    with pytest.raises(InputTooLarge) as refused:
        check_texts(application(**given))
    assert refused.value.code == "INVALID_INPUT"


@given(st.lists(st.sampled_from("ab"), max_size=12), st.integers(1, 4))
def test_a_key_has_its_places_and_takes_none_of_another(tokens: list[str], most: int) -> None:
    places, held = InFlight(most), []
    for token in tokens:
        place = places.place(token)
        if [name for name, _ in held].count(token) < most:
            place.__enter__()
            held.append((token, place))
        else:
            with pytest.raises(TooManyRequests):
                place.__enter__()
    assert len(places) == len(held)
    for _, place in held:
        place.__exit__(None, None, None)
    assert len(places) == 0

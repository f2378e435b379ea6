"""The fast recomputation of a record's commitment is the domain's, and reads nothing but canonical text."""

import json
from typing import Any

import pytest
import rfc8785
from hypothesis import given, settings
from hypothesis import strategies as st

from audit import contents
from audit.contents import Unreadable, canonical_value, read_contents
from registry.domain import records
from registry.domain.kinds import RecordKind

text = st.text(st.characters(exclude_categories=["Cs"]))
names = st.text("abcÜz字", max_size=4)
scalars = st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | text
values = st.recursive(scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=3))


@st.composite
def filled(draw: st.DrawFn) -> tuple[RecordKind, dict[str, Any]]:
    kind = draw(st.sampled_from(RecordKind))
    names = draw(st.sets(st.sampled_from(records.FINANCIAL_FIELDS[kind])))
    return kind, {name: draw(values) for name in sorted(names)}


@given(values)
def test_values_are_written_as_rfc_8785_says(value: Any) -> None:
    assert canonical_value(value) == rfc8785.dumps(value)


@given(filled(), st.binary(min_size=32, max_size=32), st.integers(0, 10**6))
@settings(max_examples=60)
def test_the_commitment_is_the_domains(record: tuple[RecordKind, dict[str, Any]], secret: bytes, sequence: int) -> None:
    kind, given_values = record
    personal = tuple(bytes([number]) * 32 for number in range(len(records.PERSONAL_FIELDS[kind])))
    expected = records.record_commitment(bytes(32), sequence, kind, given_values, secret, personal)
    made = read_contents(kind, rfc8785.dumps(given_values).decode(), secret)
    assert contents.commitment(bytes(32), sequence, kind, made.digests + b"".join(personal)) == expected
    assert made.values == given_values


@given(filled(), st.binary(min_size=32, max_size=32), st.data())
@settings(max_examples=40)
def test_one_value_exchanged_gives_the_digests_of_the_whole_read_anew(
    record: tuple[RecordKind, dict[str, Any]], secret: bytes, data: st.DataObject
) -> None:
    kind, given_values = record
    name, value = data.draw(st.sampled_from(records.FINANCIAL_FIELDS[kind])), data.draw(values)
    made = read_contents(kind, rfc8785.dumps(given_values).decode(), secret)
    anew = read_contents(kind, rfc8785.dumps(given_values | {name: value}).decode(), secret)
    assert contents.with_value(kind, made, name, value, secret) == anew.digests


@given(filled(), st.data())
@settings(max_examples=60)
def test_any_other_way_of_writing_the_fields_is_refused(
    record: tuple[RecordKind, dict[str, Any]], data: st.DataObject
) -> None:
    kind, given_values = record
    text = rfc8785.dumps(given_values | {"reference": "ä"}).decode()
    other = data.draw(
        st.sampled_from([
            text + " ", " " + text, text.replace(":", ": ", 1), text.replace('"ä"', '"\\u00e4"'),
            text.replace('"reference":"ä"', '"reference":"ä","reference":"ä"'),
            text.replace("reference", "referenc\\u0065"), text.replace("reference", "foreign"), f"[{text}]",
            json.dumps(text), text[:-1], "", "null", "NaN", "1", text.replace('"ä"', "1.0"), text.replace('"ä"', "1e2"),
            text.replace('"ä"', "-0"), text.replace('"ä"', "[" * 5_000 + "]" * 5_000),
            text.replace('"ä"', "1" * 5_000), text.replace('"ä"', '"\\ud800"'),
        ])
    )  # fmt: skip
    with pytest.raises(Unreadable):
        read_contents(kind, other, bytes(32))


@pytest.mark.parametrize("kind", [-1, 16, 255, 10**9])
def test_a_kind_that_is_not_known_has_no_contents(kind: int) -> None:
    with pytest.raises(Unreadable):
        read_contents(kind, "{}", bytes(32))

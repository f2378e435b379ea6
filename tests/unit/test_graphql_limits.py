"""Limits of operations: measured before anything runs, in time linear in the document."""

import time

import pytest
from graphql import parse
from hypothesis import given, settings
from hypothesis import strategies as st

from graphql_api.context import Limits
from graphql_api.operation_limits import (
    QueryTooCostly,
    QueryTooDeep,
    QueryTooManyAliases,
    check_operation,
)
from graphql_api.paging import PageTooLarge
from graphql_api.schema import build_schema, core_schema

SCHEMA = core_schema(build_schema())
WIDE = Limits(depth=10**6, aliases=10**18, cost=10**18)


def measured(text: str, limits: Limits = WIDE, **variables: object) -> tuple[int, int, int]:
    measure = check_operation(SCHEMA, parse(text), None, variables, limits)
    return measure.depth, measure.aliases, measure.cost


def chained(count: int) -> str:
    """Fragments that each spread the next one twice: 2^count paths in a document of linear size."""
    links = " ".join(
        f"fragment F{i} on Loan {{ a: lender {{ name }} ...F{i + 1} b: servicer {{ name }} ...F{i + 1} }}"
        for i in range(count)
    )
    return f"{{ loans {{ edges {{ node {{ ...F0 }} }} }} }} {links} fragment F{count} on Loan {{ id }}"


@pytest.mark.parametrize("count", [20, 60])
def test_chained_fragments_are_measured_in_less_than_a_tenth_of_a_second(count: int) -> None:
    document = parse(chained(count))

    started = time.perf_counter()
    with pytest.raises(QueryTooManyAliases):
        check_operation(SCHEMA, document, None, {}, Limits())

    assert time.perf_counter() - started < 0.1


def test_a_fragment_counts_as_often_as_it_is_spread() -> None:
    assert measured(chained(5))[1] == 2 * (2**5 - 1)


def test_fragments_in_a_circle_are_measured_and_left_to_validation() -> None:
    circle = "{ viewer { ...A } } fragment A on Viewer { name ...B } fragment B on Viewer { ...A }"

    assert measured(circle)[0] == 2


@given(st.integers(1, 100), st.integers(1, 100))
def test_page_sizes_multiply_along_a_path(outer: int, inner: int) -> None:
    records = f"records(first: {inner}) {{ edges {{ node {{ kind }} }} }}"
    text = f"{{ loans(first: {outer}) {{ edges {{ node {{ {records} }} }} }} }}"

    assert measured(text)[2] == outer * (2 + inner * 2)


@given(st.lists(st.integers(1, 100), min_size=1, max_size=20))
def test_costs_of_fields_beside_each_other_add_up(sizes: list[int]) -> None:
    fields = " ".join(f"f{i}: loans(first: {size}) {{ edges {{ node {{ id }} }} }}" for i, size in enumerate(sizes))

    assert measured(f"{{ {fields} }}")[2] == sum(2 * size for size in sizes)


@given(st.integers(0, 20))
@settings(deadline=None)
def test_depth_is_the_deepest_nesting_of_fields_and_fragments_add_none(levels: int) -> None:
    opened, closed = "records { edges { node { loan { " * levels, " } } } }" * levels
    plain = f"{{ loans {{ edges {{ node {{ {opened} id {closed} }} }} }} }}"
    inline = plain.replace("loan { ", "loan { ... on Loan { ").replace(" id ", " id " + "} " * levels)

    assert measured(plain)[0] == measured(inline)[0] == 4 + 4 * levels


@pytest.mark.parametrize(
    ("text", "variables", "refusal"),
    [
        ("{ loans(first: 101) { totalCount } }", {}, PageTooLarge),
        ("query ($n: Int) { loans(first: $n) { totalCount } }", {"n": 101}, PageTooLarge),
        ("query ($n: Int = 101) { loans(first: $n) { totalCount } }", {}, PageTooLarge),
        ("{ loans(last: 999999999999999999999) { totalCount } }", {}, PageTooLarge),
        ("{ ... { ... { loans { edges { node { records(first: 101) { totalCount } } } } } } }", {}, PageTooLarge),
        ("{ viewer { lender { id } } }", {}, QueryTooDeep),
        ("{ a: viewer { id } b: viewer { id } c: viewer { id } }", {}, QueryTooManyAliases),
        ("{ loans(first: 100) { totalCount edges { cursor } } }", {}, QueryTooCostly),
        ("query ($ids: [ID!]!) { nodes(ids: $ids) { id } }", {"ids": ["x"] * 90}, QueryTooCostly),
    ],
)
def test_what_exceeds_a_limit_is_refused_by_its_code(
    text: str, variables: dict[str, object], refusal: type[Exception]
) -> None:
    limits = Limits(depth=10, aliases=2, cost=80) if refusal is not QueryTooDeep else Limits(depth=2)

    with pytest.raises(refusal):
        check_operation(SCHEMA, parse(text), None, variables, limits)


def test_only_the_operation_that_runs_is_measured() -> None:
    text = "query Small { viewer { name } } query Large { loans(first: 100) { edges { node { id } } } }"

    assert check_operation(SCHEMA, parse(text), "Small", {}, WIDE).cost == 1
    assert check_operation(SCHEMA, parse(text), "Large", {}, WIDE).cost == 200

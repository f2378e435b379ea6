"""Limits of operations: measured before anything runs, in time linear in the document."""

import time

import pytest
from graphql import get_introspection_query, parse
from hypothesis import given, settings
from hypothesis import strategies as st

from graphql_api.context import Limits
from graphql_api.introspection import is_pure
from graphql_api.operation_limits import (
    QueryTooCostly,
    QueryTooDeep,
    QueryTooManyAliases,
    check_operation,
)
from graphql_api.paging import PageTooLarge
from graphql_api.schema import build_schema, core_schema
from graphql_api.selection_width import QueryTooWide, check_width

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


FULL = get_introspection_query(
    input_value_deprecation=True, specified_by_url=True, directive_is_repeatable=True, schema_description=True
)


def test_one_whole_description_of_the_schema_is_within_the_limits() -> None:
    assert check_operation(SCHEMA, parse(FULL), None, {}, Limits()).described > 1_000


def test_aliases_below_introspection_are_counted() -> None:
    many = " ".join(f"a{i}: fields {{ b{i}: name }}" for i in range(4))

    assert measured(f"{{ c: __schema {{ types {{ {many} }} }} }}")[1] == 9


@pytest.mark.parametrize(
    ("text", "refusal"),
    [
        ("{" + " ".join(f"a{i}: __schema {{ types {{ name }} }}" for i in range(240)) + "}", QueryTooManyAliases),
        ("{" + " ".join(f"a{i}: __schema {{ types {{ fields {{ args {{ name }} }} }} }}" for i in range(30)) + "}",
         QueryTooCostly),
        (FULL.replace("__schema", "viewer { name } __schema", 1), QueryTooCostly),
        ("{" + " name" * 201 + "}", QueryTooWide),
        ("{" + ("viewer {" + " name" * 101 + "}") * 2 + "}", QueryTooWide),
        ("{ viewer { ...A ...B } } " + " ".join(f"fragment {f} on Viewer {{ {'name ' * 101} }}" for f in "AB"),
         QueryTooWide),
        ("{ viewer { name } } fragment Unused on Viewer {" + " name" * 201 + "}", QueryTooWide),
        ("{ loans(first: 100) { edges { node { evidence } } } }", QueryTooCostly),
        ("{ nodes(ids: [" + '"x"' * 100 + "]) { ... on Loan { evidence } } }", QueryTooCostly),
        ("{" + " ".join(f'a{i}: portfolio(asOf: "2026-01-0{i % 9 + 1}") {{ loanCount }}' for i in range(20)) + "}",
         QueryTooCostly),
    ],
)  # fmt: skip
def test_what_costs_seconds_is_refused_before_it_runs(text: str, refusal: type[Exception]) -> None:
    with pytest.raises(refusal):
        check_operation(SCHEMA, parse(text), None, {}, Limits())


@pytest.mark.parametrize(
    ("text", "variables", "cost"),
    [
        ("{ loans(first: 10) { edges { node { evidence } } } }", {}, 10 * (2 + 200)),
        ('{ portfolio(asOf: "2026-01-01") { loanCount } }', {}, 1_001),
        ("query ($on: Date) { portfolio(asOf: $on) { loanCount } }", {"on": "2026-01-01"}, 1_001),
        ("query ($on: Date) { portfolio(asOf: $on) { loanCount } }", {}, 1),
        ("query ($on: Date) { portfolio(asOf: $on) { loanCount } }", {"on": None}, 1),
        ("{ portfolio(asOf: null) { loanCount } }", {}, 1),
        ("query ($n: Int) { loans(first: $n) { edges { cursor } } }", {"n": 50.0}, 50),
    ],
)
def test_what_is_much_work_counts_for_many_objects(text: str, variables: dict[str, object], cost: int) -> None:
    assert check_operation(SCHEMA, parse(text), None, variables, WIDE).cost == cost


@pytest.mark.parametrize("count", [20, 60])
def test_the_width_of_chained_fragments_is_found_in_less_than_a_tenth_of_a_second(count: int) -> None:
    document = parse(chained(count))

    started = time.perf_counter()
    check_width(document, 200)

    assert time.perf_counter() - started < 0.1


@given(st.lists(st.integers(1, 60), min_size=1, max_size=6), st.booleans())
@settings(deadline=None)
def test_fields_that_are_merged_count_together(sizes: list[int], are_fragments: bool) -> None:
    parts = ["{ viewer {" + " name" * size + "} }" for size in sizes]
    text = " ".join(f"... {part}" for part in parts)
    if are_fragments:
        text = " ".join(f"...F{i}" for i in range(len(sizes)))
    document = "{ " + text + " } " + " ".join(f"fragment F{i} on Query {part}" for i, part in enumerate(parts))

    check_width(parse(document), max(sum(sizes), len(sizes)))
    with pytest.raises(QueryTooWide):
        check_width(parse(document), sum(sizes) - 1)


@pytest.mark.parametrize(
    ("text", "name", "expected"),
    [
        ("{ __schema { queryType { name } } }", None, True),
        ("{ ...F } fragment F on Query { __type(name: \"Loan\") { name } ...F }", None, True),
        ("{ __typename viewer { name } }", None, False),
        ("{ ... { ...F } } fragment F on Query { viewer { name } }", None, False),
        ("query A { __typename } query B { viewer { name } }", "A", True),
        ("query A { __typename } query B { viewer { name } }", "B", False),
    ],
)  # fmt: skip
def test_an_operation_is_pure_introspection_when_no_other_field_is_asked(
    text: str, name: str | None, expected: bool
) -> None:
    assert is_pure(parse(text), name) is expected

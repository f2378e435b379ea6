"""JSON is read as the standard library reads it, unless it is nested too deep."""

import json
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.bounded_json import DEPTH_MAX, TooDeep, loads

values = st.recursive(
    st.none() | st.integers() | st.text('[]{}"\\ab', max_size=200),
    lambda inner: st.lists(inner, max_size=30) | st.dictionaries(st.text('[{"\\', max_size=20), inner, max_size=30),
    max_leaves=80,
)


def _depth(value: object) -> int:
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else None
    return 0 if inner is None else 1 + max(map(_depth, inner), default=0)


@given(values, st.integers(0, DEPTH_MAX + 3))
def test_what_is_nested_at_most_so_deep_is_read_and_nothing_else(value: object, wrapped: int) -> None:
    for _ in range(wrapped):
        value = [value]
    text = json.dumps(value)
    if _depth(value) > DEPTH_MAX:
        with pytest.raises(TooDeep):
            loads(text)
    else:
        assert loads(text) == value


@pytest.mark.parametrize("opening", ["[", '{"a":', '[{"":'])
def test_a_million_brackets_do_not_end_the_process(opening: str) -> None:
    before = sys.getrecursionlimit()
    sys.setrecursionlimit(10_000_000)
    try:
        with pytest.raises(TooDeep):
            loads(opening * 1_000_000)
    finally:
        sys.setrecursionlimit(before)

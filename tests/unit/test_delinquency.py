"""Asset classes and buckets by days past due, from dated configuration."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry.domain.delinquency import (
    AssetClass,
    NoRuleInForce,
    buckets,
    classification_rules,
    classify,
)

TODAY = date(2026, 1, 1)


@pytest.mark.parametrize(
    ("days", "expected"),
    [
        (0, AssetClass.NORMAL),
        (1, AssetClass.SPECIAL_MENTION),
        (90, AssetClass.SPECIAL_MENTION),
        (91, AssetClass.SUBSTANDARD),
        (270, AssetClass.SUBSTANDARD),
        (271, AssetClass.DOUBTFUL),
        (360, AssetClass.DOUBTFUL),
        (361, AssetClass.LOSS),
    ],
)
def test_the_floor_changes_the_day_after_the_border(days: int, expected: AssetClass) -> None:
    assert classify(days, TODAY) is expected


@given(st.integers(0, 2000), st.integers(0, 2000), st.sampled_from(["cn-five-class", "cn-credit-card"]))
def test_more_days_never_give_a_better_class(first: int, second: int, rules: str) -> None:
    low, high = sorted((first, second))
    assert classify(low, TODAY, rules=rules) <= classify(high, TODAY, rules=rules)


def test_a_short_technical_overdue_is_disregarded() -> None:
    assert classify(7, TODAY, technical=True) is AssetClass.NORMAL
    assert classify(8, TODAY, technical=True) is AssetClass.SPECIAL_MENTION


def test_the_rules_are_those_in_force_on_the_day() -> None:
    law, policy = classification_rules(date(2023, 7, 1)), classification_rules(date(2023, 6, 30))
    assert (law.version, law.basis) == ("2023-1", "LAW")
    assert (policy.version, policy.basis) == ("2023-1-backcast", "POLICY")
    with pytest.raises(NoRuleInForce):
        classify(1, date(2011, 1, 12), rules="cn-credit-card")
    with pytest.raises(NoRuleInForce, match="basel"):
        classify(1, TODAY, rules="basel")


def test_non_performing_begins_with_substandard() -> None:
    assert [cls.is_non_performing for cls in AssetClass] == [False, False, True, True, True]


@given(st.integers(0, 2000))
def test_every_number_of_days_is_in_the_bucket_whose_name_holds_it(days: int) -> None:
    name = buckets(TODAY).bucket_of(days)
    if days == 0:
        assert name == "CURRENT"
    elif days > 360:
        assert name == "M9_OVER_360"
    else:
        low, high = (int(part) for part in name.split("_")[1:])
        assert low <= days <= high

"""The decision policy: cut-offs, compliance, rates, limits, and what a policy file must be to be used."""

import hashlib
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry.domain.money import AmountInvalid, CurrencyMismatch, Money
from scoring.model import Score
from scoring.policy import POLICY_FOLDER, ChecksOutcome, Outcome, Policy, PolicyReason, policy_in_force
from scoring.policy_errors import GradeNotInPolicy, PolicyInvalid, PolicyMissing, PolicyNotInForce
from scoring.scale import Scale

POLICY = Policy.shipped()
TEXT = (POLICY_FOLDER / "default-1.toml").read_text("utf-8")
INCOME = Money(100_000_00, "CNY")


def a_score(probability: str = "0.03", grade: str | None = None) -> Score:
    pd = Decimal(probability)
    return Score(pd, 600, grade or Scale.shipped().grade(pd), "m", "00" * 32, Decimal(0), ())


def test_a_small_loan_of_low_risk_with_checks_passed_is_approved() -> None:
    outcome = POLICY.decide(a_score(), Money(10_000_00, "CNY"), INCOME, ChecksOutcome.PASS)

    assert outcome.outcome is Outcome.APPROVE
    assert outcome.reasons == ()
    assert outcome.offered_rate == Decimal("0.0700")
    assert outcome.limit == Money(100_000_00, "CNY")


@pytest.mark.parametrize(
    ("probability", "outcome"),
    [
        ("0.079999", "APPROVE"),
        ("0.080000", "REFER"),
        ("0.199999", "REFER"),
        ("0.200000", "DECLINE"),
        ("0.9", "DECLINE"),
    ],
)
def test_the_cut_offs_hold_to_the_last_place(probability: str, outcome: str) -> None:
    assert POLICY.decide(a_score(probability), Money(100_00, "CNY"), INCOME, ChecksOutcome.PASS).outcome == outcome


@given(st.integers(1, 999_999), st.integers(1, 10**9), st.sampled_from(sorted(ChecksOutcome)))
def test_compliance_is_never_outvoted_by_a_good_score(micro: int, minor: int, checks: ChecksOutcome) -> None:
    score = a_score(str(Decimal(micro).scaleb(-6)))

    outcome = POLICY.decide(score, Money(minor, "CNY"), INCOME, checks).outcome

    if checks is ChecksOutcome.FAIL:
        assert outcome is Outcome.DECLINE
    if checks is not ChecksOutcome.PASS:
        assert outcome is not Outcome.APPROVE


@given(st.integers(1, 999_999), st.integers(1, 10**9), st.integers(1, 10**9), st.sampled_from(sorted(ChecksOutcome)))
def test_an_outcome_carries_the_terms_and_reasons_it_needs(
    micro: int, minor: int, income: int, checks: ChecksOutcome
) -> None:
    amount = Money(minor, "USD")

    given_ = POLICY.decide(a_score(str(Decimal(micro).scaleb(-6))), amount, Money(income, "USD"), checks)

    assert (given_.outcome is Outcome.APPROVE) == (not given_.reasons)
    assert (given_.outcome is Outcome.DECLINE) == (given_.offered_rate is None)
    if given_.outcome is Outcome.APPROVE:
        assert amount <= given_.limit
    if given_.outcome is Outcome.DECLINE:
        assert given_.limit == Money.zero("USD")


@given(st.integers(1, 999_998), st.integers(0, 10**12))
def test_more_risk_never_gets_a_better_outcome_rate_or_limit(micro: int, income: int) -> None:
    order = [Outcome.APPROVE, Outcome.REFER, Outcome.DECLINE]
    pair = [a_score(str(Decimal(m).scaleb(-6))) for m in (micro, micro + 1)]

    safer, riskier = (POLICY.decide(s, Money(1, "CNY"), Money(income, "CNY"), ChecksOutcome.PASS) for s in pair)

    assert order.index(safer.outcome) <= order.index(riskier.outcome)
    assert riskier.limit <= safer.limit
    if safer.offered_rate is not None and riskier.offered_rate is not None:
        assert safer.offered_rate <= riskier.offered_rate


@pytest.mark.parametrize("income", [None, Money(0, "CNY"), Money(-5, "CNY")])
def test_without_a_stated_income_a_person_decides(income: Money | None) -> None:
    outcome = POLICY.decide(a_score(), Money(100_00, "CNY"), income, ChecksOutcome.PASS)

    assert outcome.outcome is Outcome.REFER
    assert outcome.reasons == (PolicyReason.INCOME_NOT_STATED,)
    assert outcome.limit == Money.zero("CNY")


def test_an_amount_above_the_limit_is_referred_and_the_limit_named() -> None:
    outcome = POLICY.decide(a_score(), Money(100_000_01, "CNY"), INCOME, ChecksOutcome.PASS)

    assert outcome.outcome is Outcome.REFER
    assert outcome.reasons == (PolicyReason.AMOUNT_ABOVE_LIMIT,)
    assert outcome.limit == Money(100_000_00, "CNY")


def test_a_limit_is_rounded_down_to_whole_hundreds_of_the_major_unit() -> None:
    yuan = POLICY.decide(a_score(), Money(1, "CNY"), Money(12_399_99, "CNY"), ChecksOutcome.PASS)
    yen = POLICY.decide(a_score(), Money(1, "JPY"), Money(12_399, "JPY"), ChecksOutcome.PASS)

    assert yuan.limit == Money(12_300_00, "CNY")
    assert yen.limit == Money(12_300, "JPY")


def test_a_secured_category_has_its_own_limits_and_others_the_standard_one() -> None:
    ask = Money(1_00, "CNY")
    home = POLICY.decide(a_score(), ask, INCOME, ChecksOutcome.PASS, product_category="mortgage")
    odd = POLICY.decide(a_score(), ask, INCOME, ChecksOutcome.PASS, product_category="spaceships")

    assert home.limit == Money(700_000_00, "CNY")
    assert odd.limit == Money(100_000_00, "CNY")


def test_no_rate_exceeds_the_ceiling() -> None:
    rates = {
        grade: POLICY.decide(a_score("0.03", grade), Money(1, "CNY"), INCOME, ChecksOutcome.PASS) for grade in "ABCDEF"
    }

    assert all(r.offered_rate is not None and r.offered_rate <= POLICY.rate_ceiling for r in rates.values())
    assert rates["F"].offered_rate == Decimal("0.2400")


def test_an_income_in_another_currency_is_refused() -> None:
    with pytest.raises(CurrencyMismatch):
        POLICY.decide(a_score(), Money(1, "CNY"), Money(1, "USD"), ChecksOutcome.PASS)


@pytest.mark.parametrize("minor", [0, -1])
def test_an_amount_of_nothing_is_refused(minor: int) -> None:
    with pytest.raises(AmountInvalid):
        POLICY.decide(a_score(), Money(minor, "CNY"), INCOME, ChecksOutcome.PASS)


def test_a_grade_the_policy_does_not_know_is_refused() -> None:
    with pytest.raises(GradeNotInPolicy):
        POLICY.decide(a_score("0.03", "Z"), Money(1, "CNY"), INCOME, ChecksOutcome.PASS)


def test_the_shipped_policy_has_terms_for_every_grade_of_the_shipped_scale() -> None:
    assert set(POLICY.rate_margins) == {grade for grade, _ in Scale.shipped().grades}


def test_a_policy_is_identified_by_the_sha256_of_its_file() -> None:
    assert POLICY.hash == hashlib.sha256(TEXT.encode()).hexdigest()
    assert (POLICY.version, POLICY.valid_from) == ("default-1", date(2026, 1, 1))


@pytest.mark.parametrize(
    ("written", "instead"),
    [
        ('approve_below = "0.08"', 'approve_below = "0.9"'),
        ('approve_below = "0.08"', "approve_below = 0.08"),
        ('decline_from = "0.20"', 'decline_from = "1.2"'),
        ('decline_from = "0.20"', ""),
        ('base = "0.0300"', 'base = "NaN"'),
        ('base = "0.0300"', 'base = "-0.01"'),
        ('A = "0.0250"', ""),
        ("valid_from = 2026-01-01", 'valid_from = "2026-01-01"'),
        ("round_down_to_major = 100", "round_down_to_major = 0"),
        ("[limit.multiple_of_income.standard]", "[limit.multiple_of_income.usual]"),
        ("[cutoffs]", "[cutoffs"),
    ],
)
def test_a_policy_that_is_incomplete_or_contradicts_itself_is_refused_on_loading(
    tmp_path: Path, written: str, instead: str
) -> None:
    path = tmp_path / "odd.toml"
    assert written in TEXT
    path.write_text(TEXT.replace(written, instead, 1), encoding="utf-8")

    with pytest.raises(PolicyInvalid):
        Policy.load(path)


def test_a_policy_that_is_not_there_is_missing(tmp_path: Path) -> None:
    with pytest.raises(PolicyMissing):
        Policy.load(tmp_path / "none.toml")


def test_the_policy_in_force_is_the_one_that_started_last(tmp_path: Path) -> None:
    path = tmp_path / "default-2.toml"
    path.write_text(TEXT.replace("default-1", "default-2").replace("2026-01-01", "2026-07-01"), encoding="utf-8")
    both = (Policy.load(path), POLICY)

    assert policy_in_force(both, date(2026, 6, 30)).version == "default-1"
    assert policy_in_force(both, date(2026, 7, 1)).version == "default-2"
    with pytest.raises(PolicyNotInForce):
        policy_in_force(both, date(2025, 12, 31))

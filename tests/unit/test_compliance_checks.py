"""The compliance checks: what passes, what is refused, and that nothing missing or broken can pass."""

import dataclasses
from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from compliance.check import Check, CheckResult, overall
from compliance.checks.case import Case
from compliance.checks.person import full_years
from compliance.evaluate import CHECKS, evaluate
from compliance.lists import demonstration_list
from compliance.rulebook import RuleBook
from compliance.screening import ListVersion, Query, Screener, ScreeningResult
from compliance.subject import (
    Consent,
    IdentityType,
    LenderType,
    PartyKind,
    ProductBounds,
    Subject,
)
from registry.domain.money import Money

TODAY = date(2026, 3, 2)
NOW = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
RULES = RuleBook.load()
DEMO = demonstration_list()
SCREENER = Screener(
    (("DEMONSTRATION", entry) for entry in DEMO.entries), (ListVersion("DEMONSTRATION", "demo", len(DEMO.entries)),)
)


def cny(major: str) -> Money:
    return Money.of(major, "CNY")


def consents(*purposes: str) -> tuple[Consent, ...]:
    return tuple(Consent(purpose, datetime(2026, 3, 1, tzinfo=UTC)) for purpose in purposes)


def a_subject(**changes: Any) -> Subject:
    """A subject that passes every check, with changes."""
    whole = Subject(
        lender_type=LenderType.BANK,
        channel="INTERNET_ASSISTED",
        applied_on=TODAY,
        amount=cny("30000"),
        term_months=12,
        annual_rate=Decimal("0.12"),
        effective_annual_rate=Decimal("0.15"),
        net_disbursed=cny("30000"),
        secured=False,
        purpose="CONSUMPTION",
        product=ProductBounds(
            "p-1", True, cny("1000"), cny("50000"), 3, 24, Decimal("0.05"), Decimal("0.20"), ("CONSUMPTION",)
        ),
        name="王小明",
        kind=PartyKind.PERSON,
        id_type=IdentityType.CN_RESIDENT_ID,
        id_number="360426199101010071",
        birth_on=date(1991, 1, 1),
        nationality="CN",
        monthly_income=cny("12000"),
        income_verified=True,
        monthly_debt_service=cny("1000"),
        monthly_instalment=cny("2700"),
        open_loans=1,
        open_lenders=1,
        total_outstanding=cny("20000"),
        applications_24_hours=1,
        applications_30_days=2,
        consents=consents("CREDIT_QUERY", "CREDIT_REPORTING", "REGISTRY_SHARING"),
        maker="officer-1",
        checker="officer-2",
    )
    return dataclasses.replace(whole, **changes)


def checked(subject: Subject, on: date = TODAY, screener: Any = SCREENER) -> dict[str, Check]:
    return {check.rule: check for check in evaluate(subject, RULES, on, screener=screener, at=NOW)}


def outcome(rule: str, on: date = TODAY, **changes: Any) -> tuple[CheckResult, tuple[str, ...]]:
    check = checked(a_subject(**changes), on)[rule]
    return check.result, check.reasons


def test_a_sound_application_passes_every_check() -> None:
    checks = checked(a_subject())

    assert {rule: check.result for rule, check in checks.items()} == dict.fromkeys(checks, CheckResult.PASS)
    assert list(checks) == [registered.rule for registered in CHECKS]
    assert len(checks) == 13
    assert overall(checks.values()) is CheckResult.PASS
    assert all(check.rule_version != "none" and check.evaluated_at == NOW for check in checks.values())


ALL_NEEDS = sorted({field for registered in CHECKS for field in registered.needs})


@settings(deadline=None)
@given(missing=st.sets(st.sampled_from(ALL_NEEDS), min_size=1))
def test_a_missing_input_never_passes(missing: set[str]) -> None:
    checks = checked(a_subject(**dict.fromkeys(missing)))

    for registered in CHECKS:
        if missing & set(registered.needs):
            assert checks[registered.rule].result is CheckResult.REFER, registered.rule
            assert checks[registered.rule].reasons[0].endswith("_MISSING")
        elif not missing & set(registered.reads):
            assert checks[registered.rule].result is CheckResult.PASS, registered.rule
    assert overall(checks.values()) is CheckResult.REFER


@settings(deadline=None)
@given(missing=st.sets(st.sampled_from(ALL_NEEDS), min_size=1))
def test_what_the_source_can_never_have_makes_the_check_not_applicable(missing: set[str]) -> None:
    gone = dict.fromkeys(missing)
    checks = checked(a_subject(**gone, unavailable=dict.fromkeys(missing, "NOT_IN_TAPE")))

    for registered in CHECKS:
        if missing & set(registered.needs):
            assert checks[registered.rule].result is CheckResult.NOT_APPLICABLE, registered.rule
            assert checks[registered.rule].reasons[1] == "NOT_IN_TAPE"


def test_an_empty_subject_is_referred_by_every_check() -> None:
    checks = checked(Subject())

    assert {check.result for check in checks.values()} == {CheckResult.REFER}


class Recording:
    """Hands on the fields of a subject and remembers which were asked for."""

    def __init__(self, subject: Subject) -> None:
        self.subject = subject
        self.asked: set[str] = set()

    def __getattr__(self, name: str) -> Any:
        self.asked.add(name)
        return getattr(self.subject, name)


@pytest.mark.parametrize("registered", CHECKS, ids=lambda registered: registered.rule)
@pytest.mark.parametrize(
    "changes",
    [{}, {"kind": PartyKind.ORGANISATION}, {"lender_type": LenderType.PRIVATE}, {"instalments": ()}],
    ids=["person", "organisation", "private", "no instalments"],
)
def test_a_check_reads_only_the_inputs_its_hash_covers(registered: Any, changes: dict[str, Any]) -> None:
    subject = Recording(a_subject(**changes))

    registered.run(Case(subject, RULES.on(TODAY), TODAY, SCREENER))  # type: ignore[arg-type]

    assert subject.asked <= set(registered.needs + registered.reads)


class Broken:
    def screen(self, query: Query) -> ScreeningResult:
        raise ZeroDivisionError(query.name)


def test_a_check_that_raises_is_an_error_that_refers_and_stops_no_other() -> None:
    checks = checked(a_subject(), screener=Broken())

    assert checks["screening"].result is CheckResult.ERROR
    assert checks["screening"].reasons == ("CHECK_RAISED", "ZeroDivisionError")
    assert sum(check.result is CheckResult.PASS for check in checks.values()) == 12
    assert overall(checks.values()) is CheckResult.REFER


def test_two_currencies_in_one_ratio_are_an_error_not_a_number() -> None:
    assert outcome("affordability", monthly_income=Money.of("12000", "USD")) == (
        CheckResult.ERROR,
        ("CHECK_RAISED", "CURRENCY_MISMATCH"),
    )


@pytest.mark.parametrize(
    ("rule", "changes"),
    [
        ("affordability", {"monthly_debt_service": Money(-1, "CNY")}),
        ("affordability", {"monthly_instalment": Money(-1, "CNY")}),
        ("exposure", {"total_outstanding": Money(-1, "CNY")}),
        ("over_indebtedness", {"open_lenders": -1}),
        ("velocity", {"applications_30_days": -1}),
        ("rate_cap", {"effective_annual_rate": Decimal("NaN")}),
    ],
)
def test_a_number_that_cannot_be_is_an_error_never_a_pass(rule: str, changes: dict[str, Any]) -> None:
    assert outcome(rule, **changes)[0] is CheckResult.ERROR


@settings(deadline=None)
@given(st.lists(st.sampled_from(CheckResult)))
def test_overall_is_the_worst_and_never_passes_on_nothing(results: list[CheckResult]) -> None:
    checks = [Check("r", "1", result, (), NOW, b"") for result in results]

    expected = CheckResult.REFER
    if CheckResult.FAIL in results:
        expected = CheckResult.FAIL
    elif set(results) <= {CheckResult.PASS, CheckResult.NOT_APPLICABLE} and CheckResult.PASS in results:
        expected = CheckResult.PASS
    assert overall(checks) is expected


def test_the_inputs_hash_changes_with_an_input_the_rule_and_the_key_and_with_nothing_else() -> None:
    def digest(subject: Subject, on: date = TODAY, key: bytes = b"") -> bytes:
        checks = evaluate(subject, RULES, on, screener=SCREENER, at=NOW, hash_key=key)
        return next(check.inputs_hash for check in checks if check.rule == "purpose")

    base = digest(a_subject())
    assert digest(a_subject(maker="somebody-else")) == base
    assert digest(a_subject(purpose="TRAVEL")) != base
    assert digest(a_subject(), date(2026, 3, 3)) != base
    assert digest(a_subject(), key=b"k") != base


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"id_number": "360426199101010072"}, (CheckResult.FAIL, ("ID_CHECKSUM_INVALID",))),
        ({"id_number": "360426910101007"}, (CheckResult.FAIL, ("ID_LENGTH_INVALID",))),
        ({"id_expires_on": date(2026, 3, 1)}, (CheckResult.FAIL, ("ID_EXPIRED",))),
        ({"birth_on": date(1991, 1, 2)}, (CheckResult.REFER, ("ID_BIRTH_DATE_DIFFERS",))),
        ({"sex": "F"}, (CheckResult.REFER, ("ID_SEX_DIFFERS",))),
        ({"id_type": IdentityType.PASSPORT, "id_number": "E1"}, (CheckResult.REFER, ("ID_NOT_VERIFIABLE_HERE",))),
        ({"id_type": IdentityType.LEI, "id_number": "213800THICTTOSR1N623"}, (CheckResult.PASS, ())),
        ({"id_type": IdentityType.CN_USCC, "id_number": "91110000600037341L"}, (CheckResult.PASS, ())),
    ],
)
def test_an_identity_number_must_be_well_formed_and_agree_with_what_was_declared(
    changes: dict[str, Any], expected: tuple[CheckResult, tuple[str, ...]]
) -> None:
    assert outcome("identity", **changes) == expected


@settings(deadline=None)
@given(born=st.dates(date(1920, 1, 1), date(2020, 1, 1)), on=st.dates(date(2020, 1, 1), date(2060, 1, 1)))
def test_a_year_of_age_is_completed_on_the_birthday(born: date, on: date) -> None:
    def birthday(year: int) -> date:
        try:
            return born.replace(year=year)
        except ValueError:
            return date(year, 3, 1)

    assert full_years(born, on) == sum(birthday(year) <= on for year in range(born.year + 1, on.year + 1))


@pytest.mark.parametrize(
    ("born", "term", "expected"),
    [
        (date(2008, 3, 2), 12, CheckResult.PASS),
        (date(2008, 3, 3), 12, CheckResult.FAIL),
        (date(1961, 3, 3), 12, CheckResult.PASS),
        (date(1961, 3, 2), 12, CheckResult.FAIL),
        (date(2027, 1, 1), 12, CheckResult.FAIL),
    ],
)
def test_a_borrower_is_of_age_and_within_the_limit_at_maturity(born: date, term: int, expected: CheckResult) -> None:
    assert outcome("age", birth_on=born, term_months=term)[0] is expected


def test_every_bound_of_the_product_is_held_and_named() -> None:
    outside = {
        "amount": cny("50000.01"),
        "term_months": 25,
        "annual_rate": Decimal("0.2001"),
        "purpose": "TRAVEL",
        "product": dataclasses.replace(a_subject().product, active=False),  # type: ignore[type-var]
    }
    assert outcome("product", **outside) == (
        CheckResult.FAIL,
        (
            "PRODUCT_INACTIVE",
            "AMOUNT_OUTSIDE_PRODUCT",
            "TERM_OUTSIDE_PRODUCT",
            "RATE_OUTSIDE_PRODUCT",
            "PURPOSE_OUTSIDE_PRODUCT",
        ),
    )


def test_a_forbidden_purpose_fails_and_an_unknown_one_is_for_a_human() -> None:
    assert outcome("purpose", purpose="SHARES")[0] is CheckResult.FAIL
    assert outcome("purpose", purpose="SOMETHING")[0] is CheckResult.REFER


@pytest.mark.parametrize(
    "given_consent",
    [
        Consent("CREDIT_QUERY", datetime(2026, 3, 3, tzinfo=UTC)),
        Consent("CREDIT_QUERY", datetime(2026, 1, 1, tzinfo=UTC), withdrawn_at=datetime(2026, 3, 2, 8, tzinfo=UTC)),
        Consent("CREDIT_QUERY", datetime(2026, 1, 1, tzinfo=UTC), expires_on=date(2026, 3, 1)),
        Consent("MARKETING", datetime(2026, 1, 1, tzinfo=UTC)),
    ],
    ids=["later", "withdrawn", "expired", "other purpose"],
)
def test_a_consent_counts_only_in_force_and_for_its_purpose(given_consent: Consent) -> None:
    others = consents("CREDIT_REPORTING", "REGISTRY_SHARING")

    assert outcome("consent", consents=(*others, given_consent)) == (
        CheckResult.FAIL,
        ("CONSENT_CREDIT_QUERY_MISSING",),
    )


@pytest.mark.parametrize(
    ("maker", "checker", "reason"),
    [
        ("officer-1", " Officer-1 ", "MAKER_IS_CHECKER"),
        ("officer-1", "system", "CHECKER_NOT_ALLOWED"),
        ("officer-1", " ", "MAKER_OR_CHECKER_EMPTY"),
    ],
)
def test_who_approves_is_somebody_else(maker: str, checker: str, reason: str) -> None:
    assert outcome("maker_checker", maker=maker, checker=checker) == (CheckResult.FAIL, (reason,))


def screened(**changes: Any) -> Check:
    return checked(a_subject(**changes))["screening"]


def test_screening_fails_only_when_secondary_data_agree() -> None:
    named = {"name": "诸葛云海", "id_number": None}
    assert screened(**named, birth_on=date(1971, 3, 14)).result is CheckResult.FAIL
    assert screened(**named, birth_on=None).result is CheckResult.REFER
    assert screened(**named, birth_on=date(1990, 5, 5)).result is CheckResult.REFER


def test_screening_without_a_list_refers_and_says_so() -> None:
    for screener in (None, Screener((), ())):
        check = checked(a_subject(), screener=screener)["screening"]
        assert (check.result, check.reasons) == (CheckResult.REFER, ("LIST_NOT_LOADED",))


@pytest.mark.parametrize("name", ["", " - ", "Z", "عبد الله", "สมชาย", "דוד"])
def test_a_name_that_cannot_be_compared_with_the_lists_is_referred(name: str) -> None:
    check = screened(name=name)
    assert (check.result, check.reasons) == (CheckResult.REFER, ("NAME_NOT_COMPARABLE",))
    assert screened(name=name, aliases=("Wang Xiaoming",)).result is CheckResult.PASS


def test_screening_keeps_list_and_algorithm_versions_as_evidence() -> None:
    evidence = screened().evidence

    assert evidence["lists"] == "DEMONSTRATION@demo(4)"
    assert evidence["algorithm"].startswith("screening-")
    assert int(evidence["dropped"]) >= 0


def test_error_text_never_carries_the_borrowers_data() -> None:
    checks = checked(a_subject(), screener=Broken())
    told: Callable[[Check], str] = lambda check: f"{check.reasons}{dict(check.evidence)}"  # noqa: E731

    assert not any("王小明" in told(check) or "360426199101010071" in told(check) for check in checks.values())

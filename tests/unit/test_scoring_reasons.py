"""Reasons: at most four, adverse only, strongest first, and a sentence in both languages for every feature."""

import re
import tomllib
from decimal import Decimal
from importlib.resources import files

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scoring.application_schema import APPLICATION_1
from scoring.model import Contribution, Score
from scoring.policy import PolicyReason
from scoring.reasons import EFFECT_LEAST, ReasonUnknown, adverse_reasons, book_of, reasons_of
from scoring.schemas import SCHEMAS

CHINESE = re.compile(r"[\u4e00-\u9fff]")


def a_score(effects: dict[str, str], absent: frozenset[str] = frozenset()) -> Score:
    parts = tuple(
        Contribution(f.name, None if f.name in absent else "1", Decimal(effects.get(f.name, "0")))
        for f in APPLICATION_1.modelled
    )
    return Score(Decimal("0.1"), 500, "D", "m", "00" * 32, Decimal(0), parts)


@pytest.mark.parametrize("version", sorted(SCHEMAS))
def test_every_modelled_feature_of_every_schema_has_a_sentence_in_both_languages(version: str) -> None:
    book = book_of(version)
    for feature in SCHEMAS[version].modelled:
        for value in ("1", None):
            reason = book.of_feature(Contribution(feature.name, value, Decimal(1)))
            assert reason.text("en").endswith(".")
            assert reason.text("zh-CN").endswith("。")
            assert CHINESE.search(reason.text("zh"))
            assert not CHINESE.search(reason.text("en"))


@pytest.mark.parametrize("name", ["application-1", "lendingclub-1", "policy-1"])
def test_no_reason_is_written_that_nothing_leads_to(name: str) -> None:
    body = tomllib.loads(files("scoring").joinpath("reasons", f"{name}.toml").read_text("utf-8"))
    used = set(body.get("features", {}).values()) | set(body.get("absent", {}).values())

    assert set(body["reasons"]) == (used or {str(r) for r in PolicyReason})


def test_no_sentence_blames_the_model() -> None:
    for version in SCHEMAS:
        for reason in book_of(version).reasons.values():
            assert not re.search(r"\b(model|score|algorithm)\b", reason.text_en, re.IGNORECASE)
            assert not re.search("模型|评分|算法", reason.text_zh)


def test_a_failed_check_is_worded_without_saying_which() -> None:
    (reason,) = reasons_of([PolicyReason.CHECKS_NOT_PASSED], "application@1")

    assert not re.search("sanction|launder|watch|fraud|制裁|洗钱|欺诈", reason.text_en + reason.text_zh, re.IGNORECASE)


@given(st.dictionaries(st.sampled_from([f.name for f in APPLICATION_1.modelled]), st.integers(-3_000_000, 3_000_000)))
def test_reasons_are_adverse_at_most_four_distinct_and_strongest_first(micro: dict[str, int]) -> None:
    effects = {name: str(Decimal(value).scaleb(-6)) for name, value in micro.items()}
    features = tomllib.loads(files("scoring").joinpath("reasons", "application-1.toml").read_text("utf-8"))["features"]
    by_code: dict[str, Decimal] = {}
    for name, code in features.items():
        by_code[code] = by_code.get(code, Decimal(0)) + Decimal(effects.get(name, "0"))
    adverse = {code: effect for code, effect in by_code.items() if effect >= EFFECT_LEAST}

    codes = [reason.code for reason in adverse_reasons(a_score(effects), "application@1")]

    assert len(codes) == len(set(codes)) == min(4, len(adverse))
    named = [adverse[code] for code in codes]
    assert named == sorted(named, reverse=True)
    assert all(effect <= min(named) for code, effect in adverse.items() if code not in codes)


def test_of_many_adverse_features_the_four_strongest_are_named() -> None:
    effects = {f.name: str(Decimal(number + 10).scaleb(-2)) for number, f in enumerate(APPLICATION_1.modelled)}

    assert len(adverse_reasons(a_score(effects), "application@1")) == 4
    assert adverse_reasons(a_score(effects), "application@1", most=0) == ()


def test_a_value_not_given_is_named_as_such() -> None:
    score = a_score({"credit_history_months": "0.5"}, absent=frozenset({"credit_history_months"}))

    assert [r.code for r in adverse_reasons(score, "application@1")] == ["HISTORY_ABSENT"]


def test_a_code_without_a_sentence_is_refused() -> None:
    with pytest.raises(ReasonUnknown):
        reasons_of(["NO_SUCH_REASON"], "application@1")
    with pytest.raises(ReasonUnknown):
        book_of("application@999")

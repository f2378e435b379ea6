"""Name screening: normal forms, similarity, and decisions."""

import random
from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from compliance.han import is_han, latin_forms, readings, simplified, wade_giles
from compliance.identity import read_resident_id, read_uscc
from compliance.lists import Alias, DateRange, EntryKind, ListEntry
from compliance.matcher import compare
from compliance.names import fold, parse, strip_accents
from compliance.screening import Agreement, Decision, Hit, ListVersion, Query, Screener, score_pair
from compliance.scripts import romanise
from compliance.subject import PartyKind


def person(one: str, two: str) -> float:
    return compare(parse(one, organisation=False), parse(two, organisation=False)).score


def company(one: str, two: str) -> float:
    return compare(parse(one, organisation=True), parse(two, organisation=True)).score


@settings(deadline=None)
@given(text=st.text(max_size=40))
def test_normalising_twice_changes_nothing(text: str) -> None:
    assert fold(fold(text)) == fold(text)
    assert simplified(simplified(text)) == simplified(text)
    assert strip_accents(strip_accents(text)) == strip_accents(text)
    assert romanise(romanise(fold(text))) == romanise(fold(text))


@settings(deadline=None)
@given(text=st.text(alphabet=st.sampled_from("张張陳单單解ЖжΩ김é'’-,. &ＡABCabc1Ⅳ"), max_size=20))
def test_normalising_names_of_mixed_scripts_twice_changes_nothing(text: str) -> None:
    assert fold(fold(text)) == fold(text)


names = st.lists(
    st.text(alphabet="abcdefghijklmnopqrstuvwxyz", min_size=2, max_size=9), min_size=1, max_size=4, unique=True
).map(" ".join)


@settings(deadline=None)
@given(name=names)
def test_a_name_is_itself_in_any_case_order_and_punctuation(name: str) -> None:
    words = name.split()
    assert person(name, name.upper()) == 1.0
    assert person(name, ", ".join(reversed(words))) >= 0.95


@settings(deadline=None)
@given(one=names, two=names)
def test_a_similarity_lies_between_nought_and_one(one: str, two: str) -> None:
    for score in (person(one, two), company(one, two)):
        assert 0.0 <= score <= 1.0


@pytest.mark.parametrize(
    ("one", "two"),
    [
        ("王小明", "Wang Xiaoming"),
        ("王小明", "WANG, Xiao Ming"),
        ("單玉龍", "Shan Yulong"),
        ("单玉龙", "Dan Yulong"),
        ("解明澈", "Xie Mingche"),
        ("仇和", "Qiu He"),
        ("欧阳震华", "Ouyang Zhenhua"),
        ("尉迟恭", "Yuchi Gong"),
        ("诸葛云海", "Chu-ko Yun-hai"),
        ("吕布", "Lu Bu"),
        ("张国荣", "Cheung Guorong"),
        ("黃大明", "Wong Daming"),
        ("Сергей Иванов", "Sergei Ivanov"),
        ("Kim Jong-un", "KIM, Jong Un"),
    ],
)
def test_one_person_in_two_scripts_or_spellings_reaches_a_human(one: str, two: str) -> None:
    assert person(one, two) >= 0.7
    assert person(two, one) >= 0.7


def test_one_different_character_of_the_given_name_is_another_person() -> None:
    assert person("王小明", "王小刚") < 0.7
    assert person("김정은", "김종은") < 0.7
    assert person("張偉", "张伟") == 1.0


def test_a_homophone_is_referred_only_when_the_birth_date_agrees() -> None:
    entry = ListEntry("1", EntryKind.PERSON, "王晓鸣", births=(DateRange(date(1980, 7, 1), date(1980, 7, 1)),))

    def score(born: date | None) -> float:
        return score_pair(Query(name="王小明", kind=PartyKind.PERSON, birth_on=born), entry).score

    assert score(date(1980, 7, 1)) >= 0.7 > max(score(None), score(date(1981, 7, 1)))


def test_a_chinese_company_is_met_with_and_without_its_place_and_legal_form() -> None:
    assert company("丹东中盛工贸有限公司", "中盛工贸有限公司") >= 0.7
    assert company("華信船務(香港)有限公司", "华信船务香港公司") == 1.0
    assert company("Siemens Aktiengesellschaft", "Siemens AG") == 1.0


@pytest.mark.parametrize(
    ("pinyin", "older"),
    [
        ("zhang", "chang"),
        ("qian", "chien"),
        ("xu", "hsu"),
        ("zhong", "chung"),
        ("zi", "tzu"),
        ("ge", "ko"),
        ("de", "to"),
    ],
)
def test_wade_giles_follows_its_published_table(pinyin: str, older: str) -> None:
    assert wade_giles(pinyin) == older


@settings(deadline=None)
@given(st.text(alphabet=st.characters(min_codepoint=0x4E00, max_codepoint=0x9FA5), min_size=2, max_size=4))
def test_every_han_name_has_a_latin_form(name: str) -> None:
    assert all(is_han(char) for char in name)
    assert readings(name)
    assert all(form and all(form) for form in latin_forms(name))


def people(count: int) -> list[tuple[str, ListEntry]]:
    rng = random.Random(5)
    syllables = ["ba", "ke", "li", "mo", "nu", "ra", "se", "ti", "vo", "zha", "cho", "dar", "len", "mir", "tov"]

    def word() -> str:
        return "".join(rng.choices(syllables, k=rng.randint(2, 4)))

    return [
        (
            "L",
            ListEntry(
                str(i),
                EntryKind.PERSON,
                f"{word()}, {word()} {word()}",
                (Alias(f"{word()} {word()}"),),
                births=(DateRange(date(1970, 1, 1 + i % 28), date(1970, 1, 1 + i % 28)),),
                identifiers=(f"ID{i:08d}",),
            ),
        )
        for i in range(count)
    ]


PEOPLE = people(2_000)
SCREENER = Screener(PEOPLE, (ListVersion("L", "v1", 2_000),))


@settings(deadline=None)
@given(row=st.sampled_from(PEOPLE), slip=st.integers(0, 30), letter=st.sampled_from("aeiou"))
def test_a_listed_name_with_one_slip_reaches_a_human(row: tuple[str, ListEntry], slip: int, letter: str) -> None:
    name = row[1].name
    at = slip % len(name)
    result = SCREENER.screen(Query(name=name[:at] + letter + name[at + 1 :], kind=PartyKind.PERSON))

    assert result.decision is Decision.POSSIBLE
    assert row[1].entry_id in {hit.entry_id for hit in result.hits}


TWO_LONG_WORDS = [row for row in PEOPLE if min(map(len, row[1].aliases[0].name.split())) >= 6]


@settings(deadline=None)
@given(row=st.sampled_from(TWO_LONG_WORDS), at=st.tuples(st.integers(1, 5), st.integers(1, 5)))
def test_a_listed_name_with_a_slip_in_every_word_reaches_a_human(
    row: tuple[str, ListEntry], at: tuple[int, int]
) -> None:
    words = row[1].aliases[0].name.split()
    wrong = " ".join(f"{word[:i]}q{word[i + 1 :]}" for word, i in zip(words, at, strict=True))
    result = SCREENER.screen(Query(name=wrong, kind=PartyKind.PERSON))

    assert row[1].entry_id in {hit.entry_id for hit in result.hits}


@settings(deadline=None)
@given(row=st.sampled_from(PEOPLE))
def test_a_listed_name_with_the_listed_birth_date_is_a_match(row: tuple[str, ListEntry]) -> None:
    entry = row[1]
    query = Query(name=entry.name, kind=PartyKind.PERSON, birth_on=entry.births[0].first)

    assert SCREENER.screen(query).decision is Decision.MATCH


@settings(deadline=None)
@given(row=st.sampled_from(PEOPLE))
def test_an_exact_identifier_beats_any_name(row: tuple[str, ListEntry]) -> None:
    query = Query(
        name="Quite Another",
        kind=PartyKind.PERSON,
        birth_on=date(1950, 1, 1),
        identifiers=(row[1].identifiers[0].lower(),),
    )
    result = SCREENER.screen(query)

    assert (result.decision, result.hits[0].entry_id) == (Decision.MATCH, row[1].entry_id)


def test_a_stranger_is_clear_and_what_was_dropped_is_counted() -> None:
    result = SCREENER.screen(Query(name="Bakeli Unrelated Fjordsson", kind=PartyKind.PERSON))

    assert result.decision is Decision.CLEAR
    assert result.dropped > 0
    assert result.lists == (ListVersion("L", "v1", 2_000),)


def hit(born: date | None, *, weak: bool = False, kind: PartyKind = PartyKind.PERSON, country: str = "cn") -> Hit:
    entry = ListEntry(
        "1",
        EntryKind.PERSON,
        "Ferdinand Blauwal",
        (Alias("Blue", weak=weak),),
        births=(DateRange.of_year(1966),),
        countries=("China",),
    )
    name = "Blue" if weak else "Ferdinand Blauwal"
    return score_pair(Query(name=name, kind=kind, birth_on=born, countries=(country,)), entry)


def test_secondary_data_move_the_score_as_they_agree_or_contradict() -> None:
    agreeing = hit(date(1966, 5, 5))
    assert (agreeing.score, agreeing.birth, agreeing.country) == (1.0, Agreement.PARTLY, Agreement.AGREES)
    assert agreeing.confirmed
    assert hit(date(1980, 5, 5)).score < 0.95
    assert hit(None).score == 1.0
    assert not hit(None).confirmed
    assert hit(None, country="fr").score < 0.95
    assert hit(None, kind=PartyKind.ORGANISATION).score < 0.95
    assert hit(None, weak=True).score < 0.95


def resident_id(place: str, born: str, serial: str) -> str:
    """A resident number with its check character by the weights of GB 11643 (2^(18-i) mod 11)."""
    body = place + born + serial
    total = sum(int(digit) * (2 ** (17 - i) % 11) for i, digit in enumerate(body))
    return body + "10X98765432"[total % 11]


@pytest.mark.parametrize("place", ["810000", "820000", "830000", "931156"])
def test_permits_and_permanent_residents_are_allowed_but_confirmed_elsewhere(place: str) -> None:
    reading = read_resident_id(resident_id(place, "19800229", "123"))

    assert (reading.valid, reading.confirm_elsewhere, reading.birth_on) == (True, True, date(1980, 2, 29))


@settings(deadline=None)
@given(born=st.dates(date(1950, 1, 1), date(2010, 1, 1)), serial=st.integers(0, 999), place=st.sampled_from(["110101"]))
def test_a_resident_number_tells_birth_and_sex_and_any_changed_digit_is_caught(
    born: date, serial: int, place: str
) -> None:
    number = resident_id(place, born.strftime("%Y%m%d"), f"{serial:03d}")
    reading = read_resident_id(number.lower())

    assert (reading.normalised, reading.birth_on, reading.sex) == (number, born, "M" if serial % 2 else "F")
    for i, char in enumerate(number):
        wrong = number[:i] + str((int(char) + 1) % 10 if char != "X" else 0) + number[i + 1 :]
        assert not read_resident_id(wrong).valid


def test_a_letter_led_credit_code_is_allowed_and_confirmed_elsewhere() -> None:
    body = "A1110000600037341"
    alphabet = "0123456789ABCDEFGHJKLMNPQRTUWXY"
    total = sum(alphabet.index(char) * pow(3, i, 31) for i, char in enumerate(body))
    reading = read_uscc(body + alphabet[-total % 31])

    assert (reading.valid, reading.confirm_elsewhere) == (True, True)
    assert read_uscc("91110000600037341L").confirm_elsewhere is False
    assert read_uscc("B1110000600037341L").reason == "FORMAT"

"""Names brought to one comparable form: script, case, accents, titles, legal forms, numbers and word boundaries."""

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache

from compliance import han
from compliance.company_words import company_words
from compliance.legal_forms import DESIGNATORS, LEGAL_FORMS, LEGAL_PHRASES
from compliance.scripts import romanise

ALGORITHM_VERSION = "names-1"


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


_TITLES = frozenset(
    _words("""
        mr mrs ms miss dr prof professor sir dame lord lady president general gen colonel col major captain
        capt haji hajji shaikh sheikh shaykh mullah maulana maulavi mawlawi qari hajj monsieur madame herr
        frau the mv mt ss
    """)
)
_NUMERALS = """
zero|one first 1st i|two second 2nd ii|three third 3rd iii|four fourth 4th iv|five fifth 5th|six sixth 6th vi
|seven seventh 7th vii|eight eighth 8th viii|nine ninth 9th ix|ten tenth 10th|eleven xi|twelve xii
"""
_NUMBER_WORDS = {word: str(value) for value, words in enumerate(_NUMERALS.split("|")) for word in words.split()}
_TENS = {"twenty": 20, "thirty": 30, "forty": 40, "fifty": 50, "sixty": 60, "seventy": 70, "eighty": 80, "ninety": 90}
# Digits typed for the letters they look like, only inside words.
_LOOKALIKES = str.maketrans("013459", "oieasg")
_PARTICLES = frozenset(
    _words("""
        al el ul ibn bin ben bint abu abou abd de del della di da dos van von der den la le of and for und
        et y ud ur ould o s a in
    """)
)
_COMMON_WORDS = frozenset(
    _words("""
        group holdings holding international trading industrial industry trade bank fund trust services
        service global systems import export shipping foundation organization organisation enterprises
        capital
    """)
)
_SYNONYMS = {
    "organisation": "organization", "labour": "labor", "gruppe": "group", "maoyi": "trading", "jituan": "group",
    "banking": "bank", "holding": "holdings", "industries": "industry", "industrial": "industry", "trade": "trading",
    "intl": "international", "ibn": "bin", "ben": "bin", "el": "al", "abou": "abu",
}  # fmt: skip
_APOSTROPHES = re.compile("['\u2018\u2019\u02bc\u02bb`\u00b4\u05f3]")
_NOT_WORD = re.compile(r"[^\w]+|_")
_DOTTED = re.compile(r"\b(?:\w\.){2,}")
_HAN_LEGAL = re.compile("(股份有限公司|有限责任公司|有限公司|集团公司|集团|公司|控股|会社|株式会社|\\(.*?\\))")
_HAN_PLACE = re.compile(
    "^(?:中国|北京|上海|天津|重庆|深圳|广州|香港|澳门|大连|丹东|宁波|青岛|南京|杭州|苏州|厦门|武汉|成都|西安|沈阳|.{2}[省市])(?:市|省)?"
)


@dataclass(frozen=True, slots=True)
class ParsedName:
    """A name ready for comparison.

    `chars` holds the East Asian characters of a name written in them, without legal form; `forms` the spellings as
    tokens, the first being the name as written; `legal` its legal forms; `numbers` its numerals.
    """

    folded: str
    chars: str
    forms: tuple[tuple[str, ...], ...]
    legal: frozenset[str]
    numbers: frozenset[str]

    @property
    def comparable(self) -> bool:
        """Whether a Latin spelling is known; lists are in Latin letters, so without one nothing can be ruled out."""
        return any(token.isascii() and len(token) > 1 for token in self.forms[0]) and all(
            token.isascii() for token in self.forms[0]
        )


def fold(text: str) -> str:
    """NFKC, case, apostrophes, punctuation, spaces and traditional characters folded; twice changes nothing."""
    folded = text
    # Casefolding and compatibility forms can each bring up what the other folds.
    for _ in range(4):
        before = folded
        folded = unicodedata.normalize("NFKC", folded).casefold()
        folded = _APOSTROPHES.sub("", han.simplified(folded)).replace("&", " and ")
        folded = " ".join(_NOT_WORD.sub(" ", folded).split())
        if folded == before:
            break
    return folded


def strip_accents(text: str) -> str:
    """Latin letters without their accents; the letters of other scripts keep their marks."""
    decomposed = unicodedata.normalize("NFD", text)
    kept = []
    base = ""
    for char in decomposed:
        if unicodedata.combining(char):
            if base and base.isascii():
                continue
        else:
            base = char
        kept.append(char)
    plain = unicodedata.normalize("NFC", "".join(kept))
    return plain.translate(_STROKES)


_STROKES = str.maketrans({"ø": "o", "ł": "l", "đ": "d", "ð": "d", "æ": "ae", "œ": "oe", "ı": "i", "þ": "th"})


def parse(text: str, *, organisation: bool) -> ParsedName:
    """Fold a name and list the spellings it can be met under."""
    dotted = _DOTTED.sub(lambda match: match[0].replace(".", ""), text)
    folded = fold(dotted)
    chars = _east_asian(folded)
    if chars and all(han.is_han(char) for char in chars):
        return _parse_han(folded, chars, organisation=organisation)
    tokens, legal = _tokens(folded, organisation=organisation)
    numbers = frozenset(token for token in tokens if token.isdigit())
    return ParsedName(folded, chars, (tokens,) if tokens else ((folded,),), legal, numbers)


def _parse_han(folded: str, chars: str, *, organisation: bool) -> ParsedName:
    if not organisation:
        return ParsedName(folded, chars, han.latin_forms(chars), frozenset(), frozenset())
    legal = frozenset(_HAN_LEGAL.findall(chars))
    core = _HAN_LEGAL.sub("", chars) or chars
    placeless = _HAN_PLACE.sub("", core)
    cores = (core, placeless) if len(placeless) >= 2 else (core,)
    forms = dict.fromkeys(company_words(item) for item in cores)
    return ParsedName(folded, core, tuple(forms), legal, frozenset())


def _east_asian(folded: str) -> str:
    """The characters of a name written wholly in Han or wholly in Hangul; empty otherwise."""
    joined = folded.replace(" ", "")
    if joined and all(han.is_han(char) for char in joined):
        return joined
    if joined and all("\uac00" <= char <= "\ud7a3" for char in joined):
        return joined
    return ""


def _tokens(folded: str, *, organisation: bool) -> tuple[tuple[str, ...], frozenset[str]]:
    text = f" {strip_accents(romanise(folded))} "
    legal = set()
    for phrase, form in LEGAL_PHRASES:
        if phrase in text:
            legal.add(form)
            text = text.replace(phrase, " ")
    words = text.split()
    tokens = []
    for word in words:
        if word in LEGAL_FORMS:
            legal.add(LEGAL_FORMS[word])
        elif word not in DESIGNATORS:
            tokens.append(word)
    tokens = [token for token in tokens if token not in _TITLES] or tokens or words
    plain = [_SYNONYMS.get(token, _unlook(token)) for token in tokens]
    # In a person's name Xi, Vi and Ten are words, not numbers.
    return tuple(_numerals(plain) if organisation else plain), frozenset(legal)


def _unlook(token: str) -> str:
    letters = sum(char.isalpha() for char in token)
    return token.translate(_LOOKALIKES) if token[:1].isalpha() and letters * 2 > len(token) > letters else token


def _numerals(words: list[str]) -> list[str]:
    """Numbers in words and Roman numerals as digits; a lone `i` stays a letter."""
    if words == ["i"]:
        return words
    out: list[str] = []
    for word in words:
        value = _NUMBER_WORDS.get(word, word)
        if out and out[-1] in _TENS and value.isdigit():
            out[-1] = str(_TENS[out[-1]] + int(value))
        else:
            out.append(value)
    return [str(_TENS.get(word, word)) for word in out]


def is_particle(token: str) -> bool:
    """Whether a token is an article, preposition or kinship particle, which many names share."""
    return token in _PARTICLES


def weight(token: str) -> float:
    """How much of a name a token is: its length, less for particles and words many names share."""
    if token in _PARTICLES:
        return 0.4
    size = min(len(token), 9)
    return size * 0.6 if token in _COMMON_WORDS else float(size)


@lru_cache(maxsize=262_144)
def skeleton(token: str) -> str:
    """A coarse sound key: vowels merged, doubled letters and silent h dropped, letters with one sound made one."""
    text = token
    for spelled, sound in (
        ("ph", "f"), ("kh", "k"), ("gh", "g"), ("dh", "d"), ("th", "t"), ("sch", "sh"), ("tch", "ch"), ("zh", "j"),
        ("dj", "j"), ("ck", "k"), ("cq", "k"), ("q", "k"), ("x", "ks"), ("w", "v"), ("y", "i"), ("ou", "o"),
        ("oo", "o"), ("u", "o"), ("ee", "i"), ("ae", "e"), ("ai", "e"), ("ei", "e"), ("ie", "i"), ("e", "i"),
    ):  # fmt: skip
        text = text.replace(spelled, sound)
    text = re.sub(r"(.)\1+", r"\1", text)
    text = re.sub("([bdgkst])ir$", r"\1r", text)
    return text if len(text) < 3 else text[0] + text[1:].replace("h", "") if text[-1] == "h" else text

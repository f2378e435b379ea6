"""Latin spellings of names in Cyrillic, Greek and Hangul, by letter tables, for comparison only."""

import unicodedata

# Letters and their spellings in the same order; "-" is a letter without a sound of its own.
_CYRILLIC = "абвгґдеёєжзиіїйклмнопрстуўфхцчшщъыьэюяқғңүұөәһђјљњћџ"
_CYRILLIC_LATIN = """
a b v g g d e e ye zh z i i yi y k l m n o p r s t u u f kh ts ch sh shch - y - e yu ya k g n u u o a h dj j lj nj c dz
"""
_GREEK = "αβγδεζηθικλμνξοπρσςτυφχψω"
_GREEK_LATIN = "a v g d e z i th i k l m n x o p r s s t y f ch ps o"
_GREEK_PAIRS = {"ου": "ou", "μπ": "b", "ντ": "nt", "γκ": "g", "τζ": "tz"}
_INITIALS = "k kk n t tt r m p pp s ss - ch jj ch k t p h"
_VOWELS = "a ae ya yae o e yo ye o wa wae oe yo u wo we wi yu u ui i"
_FINALS = "- k k k n n n t l k m l l l p l m p p t t ng t t k t p t"
_HANGUL_INITIALS, _HANGUL_VOWELS, _HANGUL_FINALS = (text.split() for text in (_INITIALS, _VOWELS, _FINALS))
_HANGUL_FIRST, _HANGUL_LAST = 0xAC00, 0xD7A3
_LETTERS = {
    **dict(zip(_CYRILLIC, _CYRILLIC_LATIN.split(), strict=True)),
    **dict(zip(_GREEK, _GREEK_LATIN.split(), strict=True)),
}


def romanise(text: str) -> str:
    """`text` (casefolded) with Cyrillic, Greek and Hangul spelled in Latin letters; other scripts stay."""
    plain = unicodedata.normalize("NFC", text)
    if plain.isascii():
        return plain
    for pair, latin in _GREEK_PAIRS.items():
        plain = plain.replace(pair, latin)
    return "".join(_letter(char) for char in plain)


def _letter(char: str) -> str:
    if (known := _LETTERS.get(char)) is not None:
        return known.strip("-")
    if _HANGUL_FIRST <= ord(char) <= _HANGUL_LAST:
        return _hangul(ord(char) - _HANGUL_FIRST)
    base = unicodedata.normalize("NFD", char)[0]
    return _LETTERS.get(base, char).strip("-") if base != char else char


def _hangul(offset: int) -> str:
    """One syllable: initial, vowel, final (Unicode 3.12), spelled close to McCune-Reischauer as lists do."""
    initial, rest = divmod(offset, 21 * 28)
    vowel, final = divmod(rest, 28)
    spelled = _HANGUL_INITIALS[initial] + _HANGUL_VOWELS[vowel] + _HANGUL_FINALS[final]
    return spelled.replace("-", "") + " "

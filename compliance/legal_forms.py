"""Legal forms of organisations in the spellings lists use, folded to one word each."""

_FORMS = {
    "ltd": "ltd limited pte pty ooo srl sarl spzoo gmbh llc llp lp sp zoo bv bvba kft doo oo sro lda ltda youxiangongsi",
    "inc": "inc incorporated corp corporation co company cos gongsi",
    "jsc": "jsc ojsc cjsc pjsc oao zao pao ao sa ag plc spa nv ab asa oy oyj se sas pt tbk aktiengesellschaft aktsionernoe",
}
# Words that say only that this is an organisation.
_DISTINCT = {
    "gmbh": "gmbh", "ooo": "llc", "llc": "llc", "srl": "llc", "sarl": "llc", "spzoo": "llc", "pte": "ltd", "pty": "ltd",
    "corp": "corp", "corporation": "corp", "company": "co", "co": "co", "cos": "co", "incorporated": "inc",
    "limited": "ltd", "plc": "plc", "ag": "ag", "aktiengesellschaft": "ag", "sa": "sa", "spa": "sa", "lp": "lp", "llp": "llp",
}  # fmt: skip
LEGAL_FORMS: dict[str, str] = {
    word: _DISTINCT.get(word, form) for form, words in _FORMS.items() for word in words.split()
}
LEGAL_PHRASES: tuple[tuple[str, str], ...] = (
    (" limited liability company ", "llc"),
    (" obshchestvo s ogranichennoy otvetstvennostyu ", "llc"),
    (" obshchestvo s ogranichennoi otvetstvennostyu ", "llc"),
    (" societatea cu raspundere limitata ", "llc"),
    (" open joint stock company ", "jsc"),
    (" closed joint stock company ", "jsc"),
    (" public joint stock company ", "jsc"),
    (" joint stock company ", "jsc"),
    (" aktsionernoe obshchestvo ", "jsc"),
    (" sp z o o ", "llc"),
    (" s a r l ", "llc"),
    (" g m b h ", "gmbh"),
    (" p t ", "jsc"),
    (" youxian gongsi ", "ltd"),
    (" youxian zeren gongsi ", "ltd"),
    (" j v ", "jv"),
    (" joint venture ", "jv"),
)
DESIGNATORS = frozenset({"the", "mv"})

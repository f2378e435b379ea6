"""Legal forms of organisations in the spellings lists use, folded to one word each."""

# A form and the spellings folded to it; forms that the law keeps apart stay apart.
_FORMS = """
ltd: ltd limited pte pty youxiangongsi
llc: llc ooo srl sarl spzoo bv bvba kft doo sro lda ltda
gmbh: gmbh
lp: lp llp
corp: corp corporation
inc: inc incorporated
co: co company cos gongsi
jsc: jsc ojsc cjsc pjsc oao zao pao ao pt tbk aktsionernoe
ag: ag aktiengesellschaft
plc: plc
sa: sa spa nv ab asa oy oyj se sas
"""
LEGAL_FORMS: dict[str, str] = {
    word: form for form, words in (line.split(":") for line in _FORMS.strip().splitlines()) for word in words.split()
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
